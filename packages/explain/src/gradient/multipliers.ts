/**
 * The chain rule of differences. For y = f(x) with the differences Dy, Dx between an input and a baseline, a multiplier m of y
 * becomes multipliers of the inputs with sum(m_k Dx_k) = m Dy: nothing is lost on the way back. Owns the rule of each kind of
 * operation.
 */
import { applyChainRule, type ChainStep, type GraphNode, type Tensor, ValueError, where } from '@nn/core';
import type { Twins } from './twins.ts';

/** What passes differences on as it passes slopes: linear in each of its inputs that may change, one at a time. */
const linear = new Set([
  ...['add', 'sub', 'reshape', 'permute', 'expand', 'slice', 'dynamicSlice', 'pad', 'flip', 'window', 'fold', 'concat'],
  ...['update', 'sum', 'cast', 'gather', 'scatterAdd', 'cumsum', 'stopGradient', 'assigned', 'fft', 'rfft', 'irfft'],
]);

/** What is linear in each of two inputs. */
const bilinear = new Set([
  ...['mul', 'contraction', 'convolution', 'convolution input gradient', 'convolution weight gradient'],
]);

/** Functions of elements at equal places. */
const pointwise = new Set([
  ...['exp', 'log', 'sqrt', 'sin', 'cos', 'tanh', 'erf', 'floor', 'pow', 'mod', 'floorMod', 'floorDiv'],
  ...['maximum', 'minimum', 'where'],
]);

/** The rule for `withChainRule` inside of which gradients are multipliers. */
export function multiplierRule(operation: string, pair: Twins): (step: ChainStep) => (Tensor | null)[] | null {
  return (step) => {
    const { node, cotangent: g } = step;
    const twin = pair.twinOf(node);
    if (twin === undefined || linear.has(node.operation)) return null;
    const at: Place = { operation, pair, step, node, twin, g };
    if (bilinear.has(node.operation)) return throughMeans(at);
    if (node.operation === 'div') return throughQuotient(at);
    if (node.operation === 'max' || node.operation === 'min') return throughChoice(at);
    if (node.operation === 'customGradient') return throughOwn(at);
    if (pointwise.has(node.operation)) return throughElements(at);
    throw noRule(at, node.operation);
  };
}

interface Place {
  readonly operation: string;
  readonly pair: Twins;
  readonly step: ChainStep;
  readonly node: GraphNode;
  readonly twin: GraphNode;
  readonly g: Tensor;
}

/** Two values that stand at one place of the two graphs. */
interface Both {
  readonly now: Tensor;
  readonly base: Tensor;
}

const both = ({ node, twin }: Place, k: number): Both => ({
  now: (node.inputs[k] as GraphNode).tensor,
  base: (twin.inputs[k] as GraphNode).tensor,
});

const results = ({ node, twin }: Place): Both => ({ now: node.tensor, base: twin.tensor });

const difference = ({ now, base }: Both): Tensor => now.sub(base);

const mean = ({ now, base }: Both): Tensor => now.add(base).mul(0.5);

/** Whether a difference is nothing but rounding, so that its quotients are none. */
const isNothing = ({ now, base }: Both): Tensor =>
  now.sub(base).abs().lessEqual(now.abs().add(base.abs()).mul(1e-6).add(1e-10));

/** a / b, and `otherwise` where b is nothing. */
const quotient = (a: Tensor, b: Both, otherwise: Tensor): Tensor => {
  const none = isNothing(b);
  return where(none, otherwise, a.div(where(none, 1, difference(b))));
};

const changes = ({ pair, node }: Place): boolean[] =>
  node.inputs.map((input) => input.dtype === 'float32' && pair.twinOf(input) !== undefined);

/** D(a b) = mean(b) Da + mean(a) Db, and so for every product: the operation's own rule, half way between the two. */
function throughMeans(place: Place): (Tensor | null)[] | null {
  if (changes(place).filter(Boolean).length < 2) return null;
  const { node, g } = place;
  return applyChainRule(
    node,
    g,
    node.inputs.map((_, k) => mean(both(place, k))),
  );
}

/** D(a / b) = mean(1 / b) Da - mean(a) Db / (b b'). */
function throughQuotient(place: Place): (Tensor | null)[] | null {
  const [, isDivisor] = changes(place);
  if (isDivisor !== true) return null;
  const { g } = place;
  const [a, b] = [both(place, 0), both(place, 1)];
  const share = b.now.reciprocal().add(b.base.reciprocal()).mul(0.5);
  return [g.mul(share), g.mul(mean(a)).div(b.now.mul(b.base)).neg()];
}

/**
 * What chooses elements (the largest of a window): with u the larger of the two results y and y', the element chosen for the
 * input takes u - y', the one chosen for the baseline y - u, together Dy. (DeepLift's rule for max pooling.)
 */
function throughChoice(place: Place, k = 0): (Tensor | null)[] {
  const { node, twin, step, g } = place;
  const y = results(place);
  const top = y.now.maximum(y.base);
  const own = step.own()[k];
  const now = applyChainRule(node, g.mul(top.sub(y.base)))[k];
  const base = applyChainRule(twin, g.mul(y.now.sub(top)))[k];
  if (!own || !now || !base) return node.inputs.map(() => null);
  const back = quotient(now.add(base), both(place, k), own);
  return node.inputs.map((_, at) => (at === k ? back : null));
}

/** Operations that have a gradient of their own: functions of elements, softmax, pooling. */
function throughOwn(place: Place): (Tensor | null)[] | null {
  const { pair, node } = place;
  const composite = pair.compositeOf(node);
  const changing = changes(place).flatMap((does, k) => (does && k > 0 ? [k] : []));
  const [k, ...more] = changing;
  if (k === undefined) return null;
  if (more.length === 0) {
    if (composite?.name === 'softmax') return [null, throughSoftmax(place, Number(composite.attributes))];
    if (composite?.name === 'logSoftmax') return [null, throughLogSoftmax(place, Number(composite.attributes))];
    if (composite?.name === 'maxPool') return throughChoice(place, 1);
    if (isOfElements(place, k)) return throughElements(place, [k]);
  }
  throw noRule(place, composite?.name ?? `an operation with a gradient of its own (of ${node.inputs[0]?.operation})`);
}

/** Whether the value is made of the input's elements at equal places alone. */
function isOfElements({ pair, node }: Place, k: number): boolean {
  const x = node.inputs[k] as GraphNode;
  const seen = new Set<GraphNode>([x]);
  const stack = [node.inputs[0] as GraphNode];
  const simple = new Set([
    ...pointwise,
    'add',
    'sub',
    'mul',
    'div',
    'cast',
    'customGradient',
    'stopGradient',
    'less',
    'equal',
    'and',
    'or',
    'xor',
  ]);
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (seen.has(next) || pair.twinOf(next) === undefined) continue;
    seen.add(next);
    if (!simple.has(next.operation) || next.shape.join() !== x.shape.join()) return false;
    stack.push(...next.inputs);
  }
  return true;
}

/**
 * Dy / Dx. A choice between two values that both change takes the rule of the chosen one, where it is the same for both;
 * where the choice turned, both answer for a half of Dy, which is Dy / Dx again where both are functions of one x.
 */
function throughElements(place: Place, changing?: readonly number[]): (Tensor | null)[] | null {
  const { node, twin, step, g } = place;
  const those = changing ?? changes(place).flatMap((does, k) => (does ? [k] : []));
  const isWhere = node.operation === 'where';
  // under a condition that does not change, or is the same for both, it is linear
  const condition = isWhere ? both(place, 0) : null;
  if (
    condition !== null &&
    (node.inputs[0] === twin.inputs[0] || place.pair.twinOf(node.inputs[0] as GraphNode) === undefined)
  ) {
    return null;
  }
  const [k, ...more] = those;
  const own = step.own();
  if (k === undefined) return own;
  const dy = g.mul(difference(results(place)));
  const back: (Tensor | null)[] = node.inputs.map(() => null);
  if (more.length === 0 && condition === null) {
    back[k] = quotient(dy, both(place, k), own[k] ?? g.mul(0));
    return back;
  }
  const turned = condition?.now.notEqual(condition.base) ?? choiceTurned(place);
  if (turned === null) throw noRule(place, node.operation);
  const moves = those.map((at) => isNothing(both(place, at)).logicalNot().cast('float32'));
  const sharers = moves.reduce((a, b) => a.add(b)).maximum(1);
  those.forEach((at) => {
    const slope = own[at] ?? g.mul(0);
    back[at] = where(turned, quotient(dy.div(sharers), both(place, at), g.mul(0)), slope);
  });
  return back;
}

/** Whether the larger (smaller) of two became the other one. */
function choiceTurned(place: Place): Tensor | null {
  const { operation } = place.node;
  if (operation !== 'maximum' && operation !== 'minimum') return null;
  const [a, b] = [both(place, 0), both(place, 1)];
  return a.now.less(b.now).notEqual(a.base.less(b.base));
}

/** The parts of softmax = e / S with e = exp(x - shift), shifted alike. */
function exponentials(place: Place, axis: number): { readonly x: Both; readonly e: Both; readonly sum: Both } {
  const x = both(place, 1);
  const shift = x.now.maximum(x.base).max(axis, { keepAxes: true });
  const e = { now: x.now.sub(shift).exp(), base: x.base.sub(shift).exp() };
  const sumOf = (y: Tensor): Tensor => y.sum(axis, { keepAxes: true });
  return { x, e, sum: { now: sumOf(e.now), base: sumOf(e.base) } };
}

/** softmax as the product of e and 1 / S: D(1 / S) = -DS / (S S'), DS = sum(De), and De / Dx is the rescale rule. */
function throughSoftmax(place: Place, axis: number): Tensor {
  const { g } = place;
  const { x, e, sum } = exponentials(place, axis);
  const direct = g.mul(sum.now.reciprocal().add(sum.base.reciprocal()).mul(0.5));
  const shared = g.mul(mean(e)).sum(axis, { keepAxes: true }).div(sum.now.mul(sum.base));
  return direct.sub(shared).mul(quotient(difference(e), x, mean(e)));
}

/** x - log S: D log S / DS is the rescale rule. */
function throughLogSoftmax(place: Place, axis: number): Tensor {
  const { g } = place;
  const { x, e, sum } = exponentials(place, axis);
  const slope = quotient(sum.now.log().sub(sum.base.log()), sum, mean(sum).reciprocal());
  const shared = g.sum(axis, { keepAxes: true }).mul(slope);
  return g.sub(shared.mul(quotient(difference(e), x, mean(e))));
}

function noRule({ operation }: Place, name: string): ValueError {
  return new ValueError(
    operation,
    `there is no rule of differences for ${name}: explain the model up to there, or take integratedGradients.`,
    { operation: name },
  );
}

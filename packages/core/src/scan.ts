/** Loops for users: `scan` as one operation on the device, and `whileLoop` on the host. */
import { checkOptions, ShapeError, ValueError } from './errors.ts';
import { stack } from './functional.ts';
import { noGradient } from './gradients.ts';
import { unseen } from './graph/hooks.ts';
import { constant, type Node, placeholder } from './graph/node.ts';
import { watchUpdates } from './graph/variable.ts';
import { inputsFirst } from './graph/walk.ts';
import { closeBody } from './loops/body.ts';
import { allOf, lastOf, makeScan } from './loops/scan.ts';
import { random as randomNode } from './ops/sources.ts';
import { narrow, reshape } from './ops/views.ts';
import { passMark } from './padding.ts';
import { recordDraws } from './random.ts';
import { checkSynchronous } from './settings.ts';
import { sameShape, show } from './shape.ts';
import { describe, isRecord, rebuild, take } from './shaped.ts';
import { nodeOf, type Tensor, wrap } from './tensor.ts';
import { replace } from './update.ts';

export interface ScanOptions {
  /** Goes from the last row of the inputs to the first; outputs lie where their inputs do. Default false. */
  readonly reverse?: boolean;
  /** How many turns there are, where there are no inputs to tell it. */
  readonly length?: number;
  /**
   * Whether a gradient computes each turn again from its carried values, instead of keeping what its products and sums gave:
   * less memory, more time. Default false.
   */
  readonly recompute?: boolean;
}

/** What a turn gives: the values for the next one, and what is kept of this one. */
export interface Turn<C, Y> {
  readonly carry: C;
  readonly output: Y;
}

/**
 * A loop as one operation: `step` is called once, with placeholders, and what it does is done for each row of the inputs in
 * turn, from what the turn before left in `carry`. So a loop over thousands of steps is compiled as fast as one over two.
 *
 * Inputs [length, ...]; `step` gets a row of each. Outputs are those of all turns, [length, ...]. Carry, inputs and outputs are
 * tensors, or arrays and plain objects of them; null inputs need a `length`. Gradients of every order, `vmap` and `compile` go
 * through it. Random numbers differ from turn to turn. Throws ShapeError where rows differ in number, or `step` changes the shape
 * or dtype of the carried values, and ValueError where it gives a parameter a value that depends on the turn.
 *
 * @example
 * import { scan, type Tensor, tensor } from '@nn/core';
 * const step = (total: Tensor, x: Tensor) => ({ carry: total.add(x), output: total.mul(x) });
 * const { carry, outputs } = scan(step, tensor(0), tensor([1, 2, 3]));
 * console.log(await carry.item(), await outputs.array()); // => 6 [0, 2, 9]
 */
export function scan<C, X, Y>(
  step: (carry: C, input: X) => Turn<C, Y>,
  carry: C,
  inputs: X,
  options: ScanOptions = {},
): { readonly carry: C; readonly outputs: Y } {
  checkOptions('scan', options, ['reverse', 'length', 'recompute']);
  const { reverse = false, recompute = false } = options;
  const firsts: Tensor[] = [];
  const rows: Tensor[] = [];
  const carryShape = take(carry, firsts);
  const inputShape = take(inputs, rows);
  const count = countTurns(rows, options.length);
  const leavesOf = (tensors: readonly Tensor[], shapeOf: (x: Tensor) => readonly number[]): Node[] =>
    tensors.map((x) => {
      const node = nodeOf('scan', x);
      const leaf = placeholder(node.dtype, shapeOf(x), node.backend, node);
      passMark(node, leaf);
      return leaf;
    });
  const carries = leavesOf(firsts, ({ shape }) => shape);
  const ofRow = leavesOf(rows, ({ shape }) => shape.slice(1));
  const call = (): Turn<C, Y> => {
    const given = [rebuild(carryShape, (k) => wrap(carries[k]!)), rebuild(inputShape, (k) => wrap(ofRow[k]!))];
    return checkSynchronous('scan', step(given[0] as C, given[1] as X));
  };
  const { result: made, updates, undo } = watchUpdates(() => recordDraws(() => unseen(call)));
  const { result, draws } = made;
  const nexts: Tensor[] = [];
  const outs: Tensor[] = [];
  const nextShape = take(inOrder(result.carry, carry), nexts);
  const outShape = take(result.output, outs);
  checkCarry(firsts, nexts, describe(carryShape) === describe(nextShape));
  const next = nexts.map((x) => nodeOf('scan', x));
  const outputs = outs.map((x) => nodeOf('scan', x));

  // what is drawn in a turn is another number in each
  const drawn = new Set(draws.map(([, draw]) => draw));
  const isDrawn = (node: Node): boolean => node.primitive.isRandom === true && drawn.has(node.inputs[1]!);
  const body = closeBody({ count, isReversed: reverse, carries, rows: ofRow, next, outputs, isRow: isDrawn });
  const turning = new Set([...carries, ...body.rows, ...body.inside]);
  const torn = updates.find(({ node }) => inputsFirst([node], ({ inputs }) => inputs).some((on) => turning.has(on)));
  if (torn !== undefined) {
    undo();
    throw new ValueError(
      'scan',
      `the step gives ${torn.variable.name || 'a parameter'} a value that depends on the turn: carry it from turn to turn, and assign it after the loop.`,
    );
  }
  if ([...body.inside].some(({ primitive }) => primitive.kind === 'host')) {
    undo();
    const rowAt = (k: number, at: number): Tensor =>
      wrap(reshape(narrow(nodeOf('scan', rows[k]!), 0, at, 1), ofRow[k]!.shape));
    const inputAt = (at: number): X => rebuild(inputShape, (k) => rowAt(k, at)) as X;
    return turnByTurn(step, carry, inputAt, count, reverse);
  }
  if (count === 0) {
    const none = (node: Node): Tensor => wrap(constant(0, node.dtype, [0, ...node.shape], node.backend));
    return { carry, outputs: rebuild(outShape, (k) => none(outputs[k]!)) as Y };
  }
  const allRows = body.rows.map((leaf, k) => {
    if (k < rows.length) return nodeOf('scan', rows[k]!);
    const [seed, draw] = leaf.inputs as readonly [Node, Node];
    return randomNode(seed, draw, [count, ...leaf.shape]);
  });
  const loop = makeScan(
    body,
    firsts.map((x) => nodeOf('scan', x)),
    allRows,
    body.shared,
    recompute,
  );
  return {
    carry: rebuild(nextShape, (k) => wrap(lastOf(loop, k))) as C,
    outputs: rebuild(outShape, (k) => wrap(allOf(loop, outputs[k]!))) as Y,
  };
}

/** A value with the entries of its records in the order of another one's. */
function inOrder(value: unknown, like: unknown): unknown {
  if (Array.isArray(value) && Array.isArray(like)) return value.map((item, k) => inOrder(item, like[k]));
  if (!isRecord(value) || !isRecord(like)) return value;
  const names = [
    ...Object.keys(like).filter((name) => name in value),
    ...Object.keys(value).filter((name) => !(name in like)),
  ];
  return Object.fromEntries(names.map((name) => [name, inOrder(value[name], like[name])]));
}

/** Each turn apart, as part of the graph: where the host computes something in the middle, for which no program can wait. */
function turnByTurn<C, X, Y>(
  step: (carry: C, input: X) => Turn<C, Y>,
  start: C,
  inputAt: (at: number) => X,
  count: number,
  reverse: boolean,
): { readonly carry: C; readonly outputs: Y } {
  let carry = start;
  let shape = take(null, []);
  const outputs = new Array<readonly Tensor[]>(count);
  for (let turn = 0; turn < count; turn++) {
    const at = reverse ? count - 1 - turn : turn;
    const made = step(carry, inputAt(at));
    const tensors: Tensor[] = [];
    shape = take(made.output, tensors);
    outputs[at] = tensors;
    carry = made.carry;
  }
  return { carry, outputs: rebuild(shape, (k) => stack(outputs.map((tensors) => tensors[k]!))) as Y };
}

function countTurns(rows: readonly Tensor[], length: number | undefined): number {
  const counts = rows.map(({ shape }) => shape[0]);
  const count = length ?? counts[0];
  if (count === undefined || !Number.isInteger(count) || count < 0) {
    throw new ValueError(
      'scan',
      rows.length === 0
        ? 'there are no inputs to tell how many turns there are: say { length }.'
        : `the inputs need an axis of turns, got ${show(rows[0]!.shape)}${length === undefined ? '' : ` and the length ${length}`}.`,
    );
  }
  const wrong = counts.findIndex((other) => other !== count);
  if (wrong >= 0) {
    throw new ShapeError(
      'scan',
      `input ${wrong}, ${show(rows[wrong]!.shape)}, has ${counts[wrong] ?? 'no'} rows for ${count} turns.`,
      { length: count, shape: rows[wrong]!.shape },
    );
  }
  return count;
}

function checkCarry(firsts: readonly Tensor[], nexts: readonly Tensor[], isAlike: boolean): void {
  if (!isAlike || firsts.length !== nexts.length) {
    throw new ShapeError(
      'scan',
      'the step must give back a carry of the same structure: { carry, output }, with arrays and objects as they came.',
    );
  }
  firsts.forEach((first, k) => {
    const next = nexts[k]!;
    if (first.dtype === next.dtype && sameShape(first.shape, next.shape)) return;
    throw new ShapeError(
      'scan',
      `the step makes ${next.dtype} ${show(next.shape)} of a carried ${first.dtype} ${show(first.shape)}: every turn must start alike.`,
      { before: first.shape, after: next.shape },
    );
  });
}

/**
 * Runs `step` on the host's word as long as `condition` (a bool of one element) holds: for loops whose length depends on values,
 * such as iterations up to a tolerance. Each turn is one program, compiled once for all that have the same shape; no gradient passes
 * through, and the step may do what it likes: draw, count on the host, make tensors.
 *
 * Throws ValueError after `most` turns (by default 10,000).
 *
 * @example
 * import { type Tensor, tensor, whileLoop } from '@nn/core';
 * // Newton's method for the square root of 2
 * const isFar = (x: Tensor) => x.square().sub(2).abs().greater(1e-5);
 * const root = await whileLoop(isFar, (x) => x.add(x.pow(-1).mul(2)).div(2), tensor(1));
 * console.log(Math.abs((await root.item()) - Math.SQRT2) < 1e-5); // => true
 */
export async function whileLoop<S>(
  condition: (state: S) => Tensor,
  step: (state: S) => S,
  state: S,
  options: { readonly most?: number } = {},
): Promise<S> {
  checkOptions('whileLoop', options, ['most']);
  const { most = 10_000 } = options;
  const goesOn = async (test: Tensor): Promise<boolean> => {
    if (test.size === 1) return Number(await test.item()) !== 0;
    throw new ShapeError(
      'whileLoop',
      `the condition must be one bool, got ${show(test.shape)}: reduce it, with any() or all().`,
    );
  };
  let now = state;
  let test = noGradient(() => checkSynchronous('whileLoop', condition(state)));
  for (let turns = 0; await goesOn(test); turns++) {
    if (turns === most) {
      throw new ValueError(
        'whileLoop',
        `the condition still holds after ${most} turns: is it ever false? { most } allows more.`,
      );
    }
    const before = now;
    now = noGradient(() => checkSynchronous('whileLoop', step(before)));
    test = noGradient(() => condition(now));
    const tensors: Tensor[] = [];
    take(now, tensors);
    // the state and the test are one program, whose results the next turn starts from
    await Promise.all([test.data(), replace([], tensors)]);
  }
  return now;
}

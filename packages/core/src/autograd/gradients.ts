/**
 * Reverse-mode differentiation: one walk from a result back to its inputs that makes new nodes. Gradients are graph to
 * graph, so a gradient of a gradient needs no code of its own. Nothing is computed here.
 */

import { isReal } from '../dtype.ts';
import { GradientError, ShapeError } from '../errors.ts';
import { hooks } from '../graph/hooks.ts';
import { apply, constant, type Node } from '../graph/node.ts';
import { inputsFirst, inputsOfGradient, passesGradient } from '../graph/walk.ts';
import { add } from '../ops/arithmetic.ts';
import { expandTo, Reshape } from '../ops/views.ts';
import { sameShape, show } from '../shape.ts';
import { feedsBranch, keepZeros } from './branches.ts';
import { rewriteSum } from './rewrites.ts';

/**
 * The gradients of `of` with respect to each target. `cotangent` is the weight of each element of `of`; it may be left
 * out for a scalar. A target that `of` does not depend on gets null.
 */
export function gradientNodes(of: Node, targets: readonly Node[], cotangent?: Node): (Node | null)[] {
  return pullBack([[of, checkedSeed(of, cotangent)]], targets, false);
}

/**
 * What the cotangents of several results give each target. `areEnds`: the targets are taken for independent, whatever they were
 * made of.
 */
export function pullBack(
  seeds: readonly (readonly [of: Node, cotangent: Node])[],
  targets: readonly Node[],
  areEnds: boolean,
): (Node | null)[] {
  const wanted = new Set(targets);
  // a target in the middle of the graph is met on the way that was asked for
  const acting = targets.some(({ inputs }) => inputs.length > 0) ? actsAsAsked() : (node: Node): Node => node;
  const order = inputsFirst(
    seeds.map(([of]) => of),
    (node) => (areEnds && wanted.has(node) ? [] : differentiableInputs(acting(node))),
  );
  // positions are fixed before the first rule runs: a rule may walk the graph itself, which moves the marks
  const roots = seeds.map(([of]) => of.order);
  const needed = new Uint8Array(order.length);
  // where the inputs of the node at a position are: places[starts[position] + k], -1 for one that is not on the way
  const starts: number[] = [];
  const places: number[] = [];
  const reached = new Set<Node>();
  for (const target of targets) {
    if (order[target.order] !== target) continue;
    needed[target.order] = 1;
    reached.add(target);
  }
  for (let position = 0; position < order.length; position++) {
    const node = order[position]!;
    if (node.cut !== null && needed[position] === 0) throw cutError(node, node.cut);
    starts.push(places.length);
    if (areEnds && wanted.has(node)) continue;
    const actor = acting(node);
    const { inputs } = actor;
    for (let k = 0; k < inputs.length; k++) {
      const place = inputs[k]!.order;
      const isOnWay = order[place] === inputs[k];
      places.push(isOnWay ? place : -1);
      if (isOnWay && needed[place] === 1 && isReal(node.dtype) && passesGradient(actor, k)) needed[position] = 1;
    }
  }
  const collected: (Node[] | undefined)[] = new Array(order.length);
  seeds.forEach(([, seed], k) => {
    const root = roots[k]!;
    if (needed[root] === 1) collected[root] = [...(collected[root] ?? []), seed];
  });
  const inBranch = new Uint8Array(order.length);
  const results = new Map<Node, Node>();
  for (let position = order.length - 1; position >= 0; position--) {
    const contributions = collected[position];
    if (contributions === undefined) continue;
    const met = order[position]!;
    const total = sumOf(contributions);
    if (wanted.has(met)) results.set(met, total);
    const node = acting(met);
    if (!isReal(node.dtype)) continue;
    const start = starts[position]!;
    const end = position + 1 < order.length ? starts[position + 1]! : places.length;
    const needs: boolean[] = [];
    let needsAny = false;
    for (let at = start; at < end; at++) {
      const place = places[at]!;
      const isNeeded = place >= 0 && needed[place] === 1 && passesGradient(node, at - start);
      needs.push(isNeeded);
      needsAny ||= isNeeded;
    }
    if (!needsAny) continue;
    const isBranch = inBranch[position] === 1;
    const sent = sendBack(total, node, needs);
    for (let k = 0; k < sent.length; k++) {
      const given = sent[k]!;
      if (given === null) continue;
      const place = places[start + k]!;
      const contribution = isBranch ? keepZeros(given, total, node, k) : given;
      if (feedsBranch(node, k, isBranch)) inBranch[place] = 1;
      const list = collected[place];
      if (list === undefined) collected[place] = [contribution];
      else list.push(contribution);
    }
  }
  // on the path, but flat wherever it is differentiable (floor, round): the gradient is 0
  const isOnPath = (target: Node): boolean =>
    reached.has(target) && roots.some((root) => needed[root] === 1) && isReal(target.dtype);
  return targets.map((target) => {
    const found = results.get(target);
    if (found !== undefined) return placed(found, target);
    return isOnPath(target) ? constant(0, 'float32', target.shape, target.backend) : null;
  });
}

/** A gradient made of constants alone (through an empty slice, say) lives where its target does. */
function placed(gradient: Node, target: Node): Node {
  if (gradient.backend !== null || target.backend === null) return gradient;
  const here = apply(Reshape, [gradient], gradient.shape);
  here.backend = target.backend;
  return here;
}

/** Each node as it was asked for, made once. */
function actsAsAsked(): (node: Node) => Node {
  const known = new Map<Node, Node>();
  return (node) => {
    if (node.asked === null) return node;
    const actor = known.get(node) ?? node.asked();
    known.set(node, actor);
    return actor;
  };
}

/** One application of the chain rule: what goes back to each input that needs it, by a rule from outside where there is one. */
function sendBack(cotangent: Node, node: Node, needs: readonly boolean[]): readonly (Node | null)[] {
  if (hooks.onChain === null) return applyRule(cotangent, node, needs);
  const own = (): readonly (Node | null)[] => applyRule(cotangent, node, needs);
  return hooks.onChain(node, cotangent, needs, own) ?? own();
}

/** What the rule of an operation gives each input that needs it. */
export function applyRule(
  cotangent: Node,
  node: Node,
  needs: readonly boolean[],
  inputs: readonly Node[] = node.inputs,
): readonly (Node | null)[] {
  const { name, gradient } = node.primitive;
  if (gradient === undefined) {
    throw new GradientError(
      'gradients',
      `${name} has no gradient: take it out of the path with stopGradient, or give it one with customGradient.`,
      { operation: name },
    );
  }
  const rule = (): readonly (Node | null)[] => {
    const given = gradient(cotangent, inputs, node);
    const asked: (Node | null)[] = [];
    for (let k = 0; k < given.length; k++) {
      const contribution = given[k]!;
      if (needs[k] !== true) asked.push(null);
      else asked.push(typeof contribution === 'function' ? contribution() : contribution);
    }
    return asked;
  };
  const contributions = hooks.onGradient === null ? rule() : hooks.onGradient(node, rule);
  for (let k = 0; k < contributions.length; k++) {
    const contribution = contributions[k]!;
    const { shape } = node.inputs[k]!;
    if (contribution === null || sameShape(contribution.shape, shape)) continue;
    throw new GradientError(
      'gradients',
      `the rule of ${name} gave ${show(contribution.shape)} for input ${k} of the shape ${show(shape)}.`,
      { operation: name },
    );
  }
  return contributions;
}

function checkedSeed(of: Node, cotangent: Node | undefined): Node {
  if (!isReal(of.dtype)) {
    throw new GradientError(
      'gradients',
      `a ${of.dtype} tensor has no gradient: only float32 is differentiable, and half floats.`,
    );
  }
  if (cotangent !== undefined) {
    if (!sameShape(cotangent.shape, of.shape)) {
      throw new ShapeError(
        'gradients',
        `the cotangent ${show(cotangent.shape)} must have the shape of the result, ${show(of.shape)}.`,
      );
    }
    return cotangent;
  }
  if (of.size !== 1) {
    throw new GradientError(
      'gradients',
      `only a scalar has a gradient by itself, got ${show(of.shape)}: reduce it first, with mean() or sum().`,
      { shape: of.shape },
    );
  }
  return expandTo(constant(1, 'float32', [], of.backend), of.shape);
}

/** No gradient passes a node whose values are not real numbers. */
function differentiableInputs(node: Node): readonly Node[] {
  return isReal(node.dtype) ? inputsOfGradient(node) : none;
}

const none: readonly Node[] = [];

function cutError(node: Node, why: string): GradientError {
  return new GradientError('gradients', `the path leads through a value (${node.primitive.name}) that ${why}`, {
    operation: node.primitive.name,
  });
}

/** The sum of what came to a node from all its uses. */
function sumOf(contributions: readonly Node[]): Node {
  return contributions[0]!.primitive.joined?.(contributions) ?? rewriteSum(contributions).reduce(add);
}

/**
 * Reverse-mode differentiation: one walk from a result back to its inputs that makes new nodes. Gradients are graph to
 * graph, so a gradient of a gradient needs no code of its own. Nothing is computed here.
 */

import { isFloat } from '../dtype.ts';
import { GradientError, ShapeError } from '../errors.ts';
import { Assigned, CustomGradient, StopGradient } from '../graph/custom-gradient.ts';
import { hooks } from '../graph/hooks.ts';
import { apply, constant, type Node } from '../graph/node.ts';
import { inputsFirst } from '../graph/walk.ts';
import { addTo } from '../lists.ts';
import { add } from '../ops/arithmetic.ts';
import { Contraction, type ContractionAxes } from '../ops/contract.ts';
import { concat } from '../ops/indexing.ts';
import { expandTo, Pad, type PadAttributes } from '../ops/views.ts';
import { sameShape, show } from '../shape.ts';
import { feedsBranch, keepZeros } from './branches.ts';

/**
 * The gradients of `of` with respect to each target. `cotangent` is the weight of each element of `of`; it may be left
 * out for a scalar. A target that `of` does not depend on gets null.
 */
export function gradientNodes(of: Node, targets: readonly Node[], cotangent?: Node): (Node | null)[] {
  const seed = checkedSeed(of, cotangent);
  const order = inputsFirst([of], differentiableInputs);
  // positions are fixed before the first rule runs: a rule may walk the graph itself, which moves the marks
  const root = of.order;
  const needed = new Uint8Array(order.length);
  const reached = new Set<Node>();
  for (const target of targets) {
    if (order[target.order] !== target) continue;
    needed[target.order] = 1;
    reached.add(target);
  }
  const inputPositions = order.map((node, position) => {
    if (node.cut !== null && needed[position] === 0) throw cutError(node, node.cut);
    const inputs = node.inputs.map((input) => (order[input.order] === input ? input.order : -1));
    const skipped = node.primitive === CustomGradient ? 1 : 0;
    if (!isBarrier(node)) {
      if (inputs.some((input, k) => k >= skipped && needed[input] === 1)) needed[position] = 1;
    }
    return inputs;
  });
  const collected: (Node[] | undefined)[] = new Array(order.length);
  if (needed[root] === 1) collected[root] = [seed];
  const inBranch = new Uint8Array(order.length);
  const results = new Map<Node, Node>();
  const wanted = new Set(targets);
  for (let position = order.length - 1; position >= 0; position--) {
    const contributions = collected[position];
    if (contributions === undefined) continue;
    const node = order[position] as Node;
    const total = sumOf(contributions, node);
    if (wanted.has(node)) results.set(node, total);
    const inputs = inputPositions[position] as readonly number[];
    const skipped = node.primitive === CustomGradient ? 1 : 0;
    const needs = inputs.map((input, k) => k >= skipped && input >= 0 && needed[input] === 1);
    if (isBarrier(node) || !needs.some(Boolean)) continue;
    const isBranch = inBranch[position] === 1;
    sendBack(total, node, needs).forEach((given, k) => {
      if (given === null) return;
      const input = inputs[k] as number;
      const contribution = isBranch ? keepZeros(given, total, node, k) : given;
      if (feedsBranch(node, k, isBranch)) inBranch[input] = 1;
      const list = collected[input];
      if (list === undefined) collected[input] = [contribution];
      else list.push(contribution);
    });
  }
  // on the path, but flat wherever it is differentiable (floor, round): the gradient is 0
  const isOnPath = (target: Node): boolean => reached.has(target) && needed[root] === 1 && isFloat(target.dtype);
  return targets.map((target) => {
    const found = results.get(target);
    return found ?? (isOnPath(target) ? constant(0, 'float32', target.shape, target.backend) : null);
  });
}

/** One application of the chain rule: what goes back to each input that needs it. */
function sendBack(cotangent: Node, node: Node, needs: readonly boolean[]): readonly (Node | null)[] {
  const { name, gradient } = node.primitive;
  if (gradient === undefined) {
    throw new GradientError(
      `gradients: ${name} has no gradient: take it out of the path with stopGradient, or give it one with customGradient.`,
      { operation: name },
    );
  }
  const rule = (): readonly (Node | null)[] =>
    gradient(cotangent, node.inputs, node).map((given, k) => {
      if (needs[k] !== true) return null;
      return typeof given === 'function' ? given() : given;
    });
  const contributions = hooks.onGradient === null ? rule() : hooks.onGradient(node, rule);
  contributions.forEach((contribution, k) => {
    const { shape } = node.inputs[k] as Node;
    if (contribution !== null && !sameShape(contribution.shape, shape)) {
      throw new GradientError(
        `gradients: the rule of ${name} gave ${show(contribution.shape)} for input ${k} of the shape ${show(shape)}.`,
        { operation: name },
      );
    }
  });
  return contributions;
}

function checkedSeed(of: Node, cotangent: Node | undefined): Node {
  if (!isFloat(of.dtype)) {
    throw new GradientError(`gradients: a ${of.dtype} tensor has no gradient: only float32 is differentiable.`);
  }
  if (cotangent !== undefined) {
    if (!sameShape(cotangent.shape, of.shape)) {
      throw new ShapeError(
        `gradients: the cotangent ${show(cotangent.shape)} must have the shape of the result, ${show(of.shape)}.`,
      );
    }
    return cotangent;
  }
  if (of.size !== 1) {
    throw new GradientError(
      `gradients: only a scalar has a gradient by itself, got ${show(of.shape)}: reduce it first, with mean() or sum().`,
      { shape: of.shape },
    );
  }
  return expandTo(constant(1, 'float32', [], of.backend), of.shape);
}

function differentiableInputs(node: Node): readonly Node[] {
  if (isBarrier(node)) return [];
  return node.primitive === CustomGradient ? node.inputs.slice(1) : node.inputs;
}

/** Nodes that no gradient passes: by request, by assignment, or because their values are not real numbers. */
function isBarrier({ primitive, dtype }: Node): boolean {
  return primitive === StopGradient || primitive === Assigned || !isFloat(dtype);
}

function cutError(node: Node, why: string): GradientError {
  return new GradientError(`gradients: the path leads through a value (${node.primitive.name}) that ${why}`, {
    operation: node.primitive.name,
  });
}

function sumOf(contributions: readonly Node[], node: Node): Node {
  if (contributions.length === 1) return contributions[0] as Node;
  return joinContractions(joinPads(contributions, node)).reduce(add);
}

/**
 * The cotangents of slices are paddings of pieces; pieces of one axis that do not overlap become one concatenation, so
 * that n slices of a tensor cost one pass and not n.
 */
function joinPads(contributions: readonly Node[], node: Node): readonly Node[] {
  const rest: Node[] = [];
  const pieces: { start: number; end: number; value: Node }[] = [];
  let joinAxis = -1;
  for (const contribution of contributions) {
    const axis = paddedAxis(contribution);
    if (axis === null || (joinAxis >= 0 && axis !== joinAxis)) {
      rest.push(contribution);
      continue;
    }
    joinAxis = axis;
    const value = contribution.inputs[0] as Node;
    const start = (contribution.attributes as PadAttributes).before[axis] as number;
    pieces.push({ start, end: start + (value.shape[axis] as number), value });
  }
  if (pieces.length < 2) return contributions;
  pieces.sort((a, b) => a.start - b.start);
  if (pieces.some((piece, k) => k > 0 && piece.start < (pieces[k - 1] as { end: number }).end)) return contributions;
  const length = node.shape[joinAxis] as number;
  const zeros = (count: number): Node[] =>
    count === 0
      ? []
      : [
          constant(
            0,
            node.dtype,
            node.shape.map((size, axis) => (axis === joinAxis ? count : size)),
          ),
        ];
  let reached = 0;
  const parts: Node[] = [];
  for (const { start, end, value } of pieces) {
    parts.push(...zeros(start - reached), value);
    reached = end;
  }
  return [...rest, concat([...parts, ...zeros(length - reached)], joinAxis)];
}

/**
 * A weight used at every step of a sequence receives one product a step: A1 B1 + A2 B2 = [A1 A2] [B1; B2] makes them one
 * product over the joined inner axis.
 */
function joinContractions(contributions: readonly Node[]): readonly Node[] {
  const groups = new Map<string, Node[]>();
  const rest: Node[] = [];
  for (const contribution of contributions) {
    const key = contractionKey(contribution);
    if (key === null) rest.push(contribution);
    else addTo(groups, key, contribution);
  }
  for (const group of groups.values()) rest.push(group.length > 1 ? joinContraction(group) : (group[0] as Node));
  return rest;
}

function joinContraction(group: readonly Node[]): Node {
  const side = (input: number): Node => {
    const operands = group.map(({ inputs }) => inputs[input] as Node);
    const [first] = operands as [Node];
    return concat(operands, first.shape.length - 1);
  };
  const [first] = group as [Node];
  return apply(Contraction, [side(0), side(1)], first.attributes as ContractionAxes);
}

/** Equal for unrealised contractions that can be joined: one inner axis, the rest of equal sizes. */
function contractionKey(node: Node): string | null {
  if (node.primitive !== Contraction || node.storage !== null || node.inputs.length !== 2) return null;
  const { batch, rows, columns, inner } = node.attributes as ContractionAxes;
  return inner === 1 ? `${batch},${rows},${columns}` : null;
}

/** The one axis along which an unrealised padding adds zeros, or null. */
function paddedAxis(node: Node): number | null {
  if (node.primitive !== Pad || node.storage !== null || node.inputs.length === 0) return null;
  const { before, after, step } = node.attributes as PadAttributes;
  const axes = before.flatMap((count, axis) => (count > 0 || (after[axis] as number) > 0 ? [axis] : []));
  return axes.length === 1 && step.every((s) => s === 1) ? (axes[0] as number) : null;
}

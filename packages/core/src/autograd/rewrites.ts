/**
 * Cheaper ways to write the sum of the cotangents that meet at one node. Each rewrite takes the terms of a sum and gives
 * other terms of the same sum; the chain rule in `gradients.ts` is right without them.
 */
import { apply, constant, constantValue, type Node } from '../graph/node.ts';
import { addTo } from '../lists.ts';
import { add } from '../ops/arithmetic.ts';
import { Contraction, type ContractionAxes } from '../ops/contract.ts';
import { concat, scatterAdd, Update } from '../ops/indexing.ts';
import { indexAlong } from '../ops/sources.ts';
import { Pad, type PadAttributes } from '../ops/views.ts';

/** The terms of a sum, as few as the rewrites here make them. */
export function rewriteSum(terms: readonly Node[]): readonly Node[] {
  return terms.length < 2 ? terms : joinContractions(joinBoxes(joinPads(terms)));
}

/** So many boxes at least are joined: fewer cost less as they are. */
const fewestBoxes = 4;

/**
 * The cotangents of `x.at([a, b])` are boxes of zeros but for one piece, whose start only the device knows. Many pieces along
 * one axis are added at their places in one pass, instead of a pass over all of x for each: where they lie over each other
 * they add up as well.
 */
export function joinBoxes(terms: readonly Node[]): readonly Node[] {
  const groups = new Map<number, Node[]>();
  const rest: Node[] = [];
  for (const term of terms) {
    const axis = boxedAxis(term);
    if (axis === null) rest.push(term);
    else addTo(groups, axis, term);
  }
  if (groups.size === 0) return terms;
  for (const [axis, group] of groups) {
    const length = group.reduce((sum, { inputs }) => sum + inputs[1]!.shape[axis]!, 0);
    const [first] = group as [Node];
    // pieces that lie over each other many times over are too many rows for a device that looks at each
    const pays = group.length >= fewestBoxes && length <= 2 * first.shape[axis]!;
    rest.push(...(pays ? [joinBox(group, axis)] : group));
  }
  return rest.length === terms.length ? terms : rest;
}

function joinBox(group: readonly Node[], axis: number): Node {
  const [first] = group as [Node];
  const places = group.map(({ inputs }) => {
    const count = inputs[1]!.shape[axis]!;
    return add(indexAlong([count], 0), inputs[axis + 2]!);
  });
  const values = concat(
    group.map(({ inputs }) => inputs[1]!),
    axis,
  );
  return scatterAdd(constant(0, first.dtype, first.shape, first.backend), concat(places, 0), values, axis);
}

/** The one axis along which an unrealised box of zeros has a piece that does not fill it, or null. */
function boxedAxis(node: Node): number | null {
  if (node.primitive !== Update || node.storage !== null || node.inputs.length === 0) return null;
  const [base, value] = node.inputs as readonly [Node, Node];
  if (constantValue(base) !== 0 || node.dtype !== 'float32') return null;
  const axes = node.shape.flatMap((size, axis) => (value.shape[axis] === size ? [] : [axis]));
  return axes.length === 1 ? axes[0]! : null;
}

/** A piece of a row, from `start` up to `end`. */
interface Piece {
  readonly start: number;
  readonly end: number;
  readonly value: Node;
}

/**
 * The cotangents of slices are paddings of pieces; pieces of one axis that do not overlap become one concatenation, so
 * that n slices of a tensor cost one pass and not n.
 */
export function joinPads(terms: readonly Node[]): readonly Node[] {
  const rest: Node[] = [];
  const pieces: Piece[] = [];
  let joinAxis = -1;
  for (const term of terms) {
    const axis = paddedAxis(term);
    if (axis === null || (joinAxis >= 0 && axis !== joinAxis)) {
      rest.push(term);
      continue;
    }
    joinAxis = axis;
    const value = term.inputs[0]!;
    const start = (term.attributes as PadAttributes).before[axis]!;
    pieces.push({ start, end: start + value.shape[axis]!, value });
  }
  if (pieces.length < 2) return terms;
  pieces.sort((a, b) => a.start - b.start);
  // where two pieces overlap their elements must be added, which a concatenation does not
  if (pieces.some(({ start }, k) => k > 0 && start < pieces[k - 1]!.end)) return terms;
  const { dtype, shape } = terms[0]!;
  const zeros = (count: number): Node[] =>
    count === 0
      ? []
      : [
          constant(
            0,
            dtype,
            shape.map((size, axis) => (axis === joinAxis ? count : size)),
          ),
        ];
  let reached = 0;
  const parts: Node[] = [];
  for (const { start, end, value } of pieces) {
    parts.push(...zeros(start - reached), value);
    reached = end;
  }
  return [...rest, concat([...parts, ...zeros(shape[joinAxis]! - reached)], joinAxis)];
}

/** The one axis along which an unrealised padding adds zeros around its input, or null. */
function paddedAxis(node: Node): number | null {
  if (node.primitive !== Pad || node.storage !== null || node.inputs.length === 0) return null;
  const { before, after, step } = node.attributes as PadAttributes;
  const axes = before.flatMap((count, axis) => (count > 0 || after[axis]! > 0 ? [axis] : []));
  return axes.length === 1 && step.every((s) => s === 1) ? axes[0]! : null;
}

/**
 * A weight used at every step of a sequence receives one product a step: A1 B1 + A2 B2 = [A1 A2] [B1; B2] makes them one
 * product over the joined inner axis.
 */
export function joinContractions(terms: readonly Node[]): readonly Node[] {
  const groups = new Map<string, Node[]>();
  const rest: Node[] = [];
  for (const term of terms) {
    const key = contractionKey(term);
    if (key === null) rest.push(term);
    else addTo(groups, key, term);
  }
  for (const group of groups.values()) rest.push(group.length > 1 ? joinContraction(group) : group[0]!);
  return rest;
}

function joinContraction(group: readonly Node[]): Node {
  const side = (input: number): Node => {
    const operands = group.map(({ inputs }) => inputs[input]!);
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

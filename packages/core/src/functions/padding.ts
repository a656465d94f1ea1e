/**
 * Padding that is not zeros: by reflection, by the edge, around the circle. One axis after the other, each a concatenation of
 * views; negative amounts cut elements off.
 */
import { ShapeError } from '../errors.ts';
import type { Node } from '../graph/node.ts';
import { concat } from '../ops/indexing.ts';
import { expandTo, flip, narrow } from '../ops/views.ts';
import { show } from '../shape.ts';
import { type Tensor, type TensorLike, toNode, wrap } from '../tensor.ts';

/** [before, after] of each of the last axes. */
export type PadAmounts = readonly (readonly [before: number, after: number])[];

type Ends = (x: Node, axis: number, before: number, after: number) => readonly [Node, Node];

function padded(
  operation: string,
  x: TensorLike,
  amounts: PadAmounts,
  most: (size: number) => number,
  ends: Ends,
): Tensor {
  const node = toNode(x, 'float32');
  const outer = node.shape.length - amounts.length;
  if (outer < 0 || !amounts.flat().every(Number.isInteger)) {
    throw new ShapeError(
      operation,
      `${show(node.shape)} takes at most ${node.shape.length} pairs [before, after] of whole numbers, for its last axes, got ${JSON.stringify(amounts)}.`,
      { shape: node.shape, amounts },
    );
  }
  let y = node;
  for (const [k, [before, after]] of amounts.entries()) {
    const axis = outer + k;
    const size = node.shape[axis]!;
    const kept = size + Math.min(0, before) + Math.min(0, after);
    const largest = Math.max(before, after);
    if (kept < 0 || (largest > 0 && largest > most(kept))) {
      throw new ShapeError(
        operation,
        `axis ${axis} of ${show(node.shape)} has ${size} elements, too few for [${before}, ${after}]${kept < 0 ? '' : `: at most ${most(kept)}`}.`,
        { shape: node.shape, axis, amounts },
      );
    }
    y = narrow(y, axis, Math.max(0, -before), kept);
    const [head, tail] = ends(y, axis, Math.max(0, before), Math.max(0, after));
    const pieces = [head, y, tail].filter((piece) => piece === y || piece.shape[axis] !== 0);
    y = pieces.length === 1 ? y : concat(pieces, axis);
  }
  return wrap(y);
}

/**
 * Padded by reflection, the edge itself not repeated: at most size - 1 elements. [before, after] for each of the last axes.
 *
 * @example
 * import { reflectionPad } from '@nn/core';
 * console.log(await reflectionPad([1, 2, 3], [[2, 1]]).array()); // => [3, 2, 1, 2, 3, 2]
 */
export function reflectionPad(x: TensorLike, amounts: PadAmounts): Tensor {
  return padded(
    'reflectionPad',
    x,
    amounts,
    (size) => size - 1,
    (node, axis, before, after) => {
      const size = node.shape[axis]!;
      return [
        flip(narrow(node, axis, Math.min(1, size), before), axis),
        flip(narrow(node, axis, Math.max(0, size - 1 - after), after), axis),
      ];
    },
  );
}

/**
 * Padded by the element at the edge. [before, after] for each of the last axes.
 *
 * @example
 * import { replicationPad } from '@nn/core';
 * console.log(await replicationPad([1, 2, 3], [[2, 1]]).array()); // => [1, 1, 1, 2, 3, 3]
 */
export function replicationPad(x: TensorLike, amounts: PadAmounts): Tensor {
  const any = (size: number): number => (size === 0 ? 0 : Number.POSITIVE_INFINITY);
  return padded('replicationPad', x, amounts, any, (node, axis, before, after) => {
    const edge = (at: number, count: number): Node =>
      expandTo(
        narrow(node, axis, count === 0 ? 0 : at, Math.min(1, count)),
        node.shape.map((size, a) => (a === axis ? count : size)),
      );
    return [edge(0, before), edge(node.shape[axis]! - 1, after)];
  });
}

/**
 * Padded as if the axis were a circle: at most its size. [before, after] for each of the last axes.
 *
 * @example
 * import { circularPad } from '@nn/core';
 * console.log(await circularPad([1, 2, 3], [[2, 1]]).array()); // => [2, 3, 1, 2, 3, 1]
 */
export function circularPad(x: TensorLike, amounts: PadAmounts): Tensor {
  return padded(
    'circularPad',
    x,
    amounts,
    (size) => size,
    (node, axis, before, after) => [
      narrow(node, axis, node.shape[axis]! - before, before),
      narrow(node, axis, 0, after),
    ],
  );
}

/** Elements in another order, repeated, replaced or compared with their neighbours. All but the last are views and copies. */
import { checkOptions, ShapeError, ValueError } from '../errors.ts';
import type { Node } from '../graph/node.ts';
import { subtract } from '../ops/arithmetic.ts';
import { truth, where, xor } from '../ops/compare.ts';
import { concat, gather, split } from '../ops/indexing.ts';
import { expandTo, flip, narrow, permute, reshape } from '../ops/views.ts';
import { broadcastShapes, normalizeAxes, normalizeAxis, sameShape, show } from '../shape.ts';
import { type Tensor, type TensorLike, toNode, wrap } from '../tensor.ts';
import { table } from './tables.ts';

/**
 * x with `value` where the mask holds; the mask broadcasts to the shape of x. Throws ShapeError for a mask that is larger.
 *
 * @example
 * import { maskedFill, tensor } from '@nn/core';
 * const x = tensor([1, -2, 3]);
 * console.log(await maskedFill(x, x.less(0), 0).array()); // => [1, 0, 3]
 */
export function maskedFill(x: TensorLike, mask: TensorLike, value: TensorLike): Tensor {
  const node = toNode(x, 'float32');
  const condition = toNode(mask, 'int32');
  if (!sameShape(broadcastShapes('maskedFill', node.shape, condition.shape), node.shape)) {
    throw new ShapeError(
      'maskedFill',
      `a mask of ${show(condition.shape)} is larger than ${show(node.shape)}: expand the tensor first.`,
      { shape: node.shape, mask: condition.shape },
    );
  }
  return wrap(where(truth(condition), toNode(value, node.dtype), node));
}

/**
 * The elements moved along the axes, what leaves at one end enters at the other. Without axes the tensor is rolled as if it
 * were flat. `shifts` has one number an axis.
 *
 * @example
 * import { roll } from '@nn/core';
 * console.log(await roll([1, 2, 3], 1).array()); // => [3, 1, 2]
 */
export function roll(x: TensorLike, shifts: number | readonly number[], axes?: number | readonly number[]): Tensor {
  const node = toNode(x, 'float32');
  const amounts = [shifts].flat();
  if (amounts.some((shift) => !Number.isInteger(shift))) {
    throw new ValueError('roll', `shifts must be whole numbers, got ${JSON.stringify(shifts)}.`, { shifts });
  }
  if (axes === undefined) {
    if (amounts.length !== 1) {
      throw new ValueError('roll', `${amounts.length} shifts without axes: name one axis for each.`, { shifts });
    }
    return wrap(reshape(rolled(reshape(node, [-1]), amounts[0]!, 0), node.shape));
  }
  const named = [axes].flat();
  if (named.length !== amounts.length) {
    throw new ValueError('roll', `${amounts.length} shifts for ${named.length} axes: one shift for each axis.`);
  }
  return wrap(
    named.reduce((y: Node, axis, k) => rolled(y, amounts[k]!, normalizeAxis('roll', axis, y.shape.length)), node),
  );
}

function rolled(x: Node, shift: number, axis: number): Node {
  const size = x.shape[axis]!;
  const start = size === 0 ? 0 : ((-shift % size) + size) % size;
  return start === 0 ? x : concat([narrow(x, axis, start, size - start), narrow(x, axis, 0, start)], axis);
}

/**
 * The whole tensor so many times along each axis, as PyTorch's `repeat`: there is a number for every axis, and more of them
 * for new axes in front. Throws ShapeError for fewer.
 *
 * @example
 * import { repeat } from '@nn/core';
 * console.log(await repeat([1, 2], [2, 2]).array()); // => [[1, 2, 1, 2], [1, 2, 1, 2]]
 */
export function repeat(x: TensorLike, repeats: readonly number[]): Tensor {
  const node = toNode(x, 'float32');
  if (repeats.length < node.shape.length) {
    throw new ShapeError(
      'repeat',
      `${repeats.length} numbers for the ${node.shape.length} axes of ${show(node.shape)}: tile takes fewer.`,
      { shape: node.shape, repeats },
    );
  }
  return wrap(tiled('repeat', node, repeats));
}

/**
 * As `repeat`, with NumPy's rule: where there are fewer numbers than axes, they count from the last axis.
 *
 * @example
 * import { tile } from '@nn/core';
 * console.log(await tile([[1], [2]], [2]).array()); // => [[1, 1], [2, 2]]
 */
export function tile(x: TensorLike, repeats: number | readonly number[]): Tensor {
  const node = toNode(x, 'float32');
  const counts = [repeats].flat();
  return wrap(tiled('tile', node, [...node.shape.slice(counts.length).map(() => 1), ...counts]));
}

function tiled(operation: string, x: Node, repeats: readonly number[]): Node {
  checkCounts(operation, repeats);
  const shape = [...new Array<number>(repeats.length - x.shape.length).fill(1), ...x.shape];
  const single = shape.flatMap((size) => [1, size]);
  const many = shape.flatMap((size, axis) => [repeats[axis]!, size]);
  return reshape(
    expandTo(reshape(x, single), many),
    shape.map((size, axis) => size * repeats[axis]!),
  );
}

function checkCounts(operation: string, counts: readonly number[]): void {
  if (counts.every((count) => Number.isInteger(count) && count >= 0)) return;
  throw new ValueError(operation, `counts must be whole numbers from 0, got ${show(counts)}.`, { counts });
}

/**
 * Each element so many times, one after the other; a list gives each slice of the axis its own number. Without an axis the
 * tensor is flat.
 *
 * @example
 * import { repeatInterleave } from '@nn/core';
 * console.log(await repeatInterleave([1, 2], 2).array()); // => [1, 1, 2, 2]
 * console.log(await repeatInterleave([1, 2], [1, 3]).array()); // => [1, 2, 2, 2]
 */
export function repeatInterleave(x: TensorLike, repeats: number | readonly number[], axis?: number): Tensor {
  const given = toNode(x, 'float32');
  const node = axis === undefined ? reshape(given, [-1]) : given;
  const along = normalizeAxis('repeatInterleave', axis ?? 0, node.shape.length);
  const { shape } = node;
  const size = shape[along]!;
  checkCounts('repeatInterleave', [repeats].flat());
  if (typeof repeats === 'number') {
    const wide = [...shape.slice(0, along + 1), repeats, ...shape.slice(along + 1)];
    const slim = [...shape.slice(0, along + 1), 1, ...shape.slice(along + 1)];
    return wrap(
      reshape(
        expandTo(reshape(node, slim), wide),
        shape.map((length, a) => (a === along ? length * repeats : length)),
      ),
    );
  }
  if (repeats.length !== size) {
    throw new ShapeError(
      'repeatInterleave',
      `${repeats.length} counts for axis ${along} of ${show(shape)}, which has ${size}.`,
      { shape, repeats },
    );
  }
  const indices = Int32Array.from(repeats.flatMap((count, k) => new Array<number>(count).fill(k)));
  if (indices.length === 0) return wrap(narrow(node, along, 0, 0));
  return wrap(gather(node, table(indices, [indices.length], node), along));
}

/**
 * At most so many pieces along an axis, of equal size but for the last, which may be smaller: as PyTorch's `chunk`, there
 * may be fewer pieces than asked.
 *
 * @example
 * import { arange, chunk } from '@nn/core';
 * console.log(chunk(arange(7), 3).map(({ size }) => size)); // => [3, 3, 1]
 */
export function chunk(x: TensorLike, chunks: number, axis = 0): Tensor[] {
  const node = toNode(x, 'float32');
  const along = normalizeAxis('chunk', axis, node.shape.length);
  if (!Number.isInteger(chunks) || chunks < 1) {
    throw new ValueError('chunk', `the number of pieces must be a whole number from 1, got ${chunks}.`, { chunks });
  }
  const size = node.shape[along]!;
  if (size === 0) return split(node, new Array<number>(chunks).fill(0), along).map(wrap);
  const piece = Math.ceil(size / chunks);
  const sizes = Array.from({ length: Math.ceil(size / piece) }, (_, k) => Math.min(piece, size - k * piece));
  return split(node, sizes, along).map(wrap);
}

export interface DiffOptions {
  /** How often differences are taken; 1 by default. */
  readonly order?: number;
  /** -1 by default. */
  readonly axis?: number;
  /** Joined before the first element, with the same sizes on the other axes. */
  readonly prepend?: TensorLike;
  /** Joined after the last element. */
  readonly append?: TensorLike;
}

/**
 * The difference of each element and the one before it along an axis: one element fewer for each order. Of bool, whether
 * they differ.
 *
 * @example
 * import { diff } from '@nn/core';
 * console.log(await diff([1, 4, 9, 16]).array()); // => [3, 5, 7]
 */
export function diff(x: TensorLike, options: DiffOptions = {}): Tensor {
  checkOptions('diff', options, ['order', 'axis', 'prepend', 'append']);
  const { order = 1, axis = -1, prepend, append } = options;
  const given = toNode(x, 'float32');
  const along = normalizeAxis('diff', axis, given.shape.length);
  if (!Number.isInteger(order) || order < 0) {
    throw new ValueError('diff', `the order must be a whole number from 0, got ${order}.`, { order });
  }
  const ends = [prepend, given, append].flatMap((part) =>
    part === undefined ? [] : [part === given ? given : toNode(part as TensorLike, given.dtype)],
  );
  let y = ends.length === 1 ? given : concat(ends, along);
  for (let turn = 0; turn < order; turn++) {
    const size = Math.max(0, y.shape[along]! - 1);
    const [left, right] = [narrow(y, along, 0, size), narrow(y, along, Math.min(1, y.shape[along]!), size)];
    y = y.dtype === 'bool' ? xor(left, right) : subtract(right, left);
  }
  return wrap(y);
}

/**
 * Turned by 90 degrees so many times in the plane of two axes, from the first towards the second.
 *
 * @example
 * import { rot90 } from '@nn/core';
 * console.log(await rot90([[1, 2], [3, 4]]).array()); // => [[2, 4], [1, 3]]
 */
export function rot90(x: TensorLike, turns = 1, axes: readonly [number, number] = [0, 1]): Tensor {
  const node = toNode(x, 'float32');
  if (!Number.isInteger(turns)) throw new ValueError('rot90', `turns must be a whole number, got ${turns}.`);
  normalizeAxes('rot90', axes, node.shape.length);
  const [first, second] = axes.map((axis) => normalizeAxis('rot90', axis, node.shape.length)) as [number, number];
  const quarter = ((turns % 4) + 4) % 4;
  if (quarter === 2) return wrap(flip(node, [first, second]));
  if (quarter === 0) return wrap(node);
  const order = node.shape.map((_, axis) => (axis === first ? second : axis === second ? first : axis));
  return wrap(quarter === 1 ? flip(permute(node, order), first) : flip(permute(node, order), second));
}

/**
 * Results whose size depends on values: these are read from the device first, so the functions are awaited. What they choose is
 * then a tensor where x is, with gradients where it has real numbers.
 */
import type { Shape, TensorData } from '../backend.ts';
import { checkOptions, ShapeError, ValueError } from '../errors.ts';
import { constant, hostLeaf, type Node } from '../graph/node.ts';
import { placesIn } from '../ops/at.ts';
import { notEqual, truth } from '../ops/compare.ts';
import { gather, requireInteger, scatterAdd } from '../ops/indexing.ts';
import { like } from '../ops/pointwise.ts';
import { expandTo, inverseOrder, permute, reshape } from '../ops/views.ts';
import { broadcastShapes, normalizeAxis, show, sizeOf } from '../shape.ts';
import { integers, type Tensor, type TensorLike, toNode, wrap } from '../tensor.ts';
import { computable } from './operands.ts';

const placesAsTensor = (places: Int32Array, shape: Shape, x: Node): Tensor =>
  wrap(hostLeaf(places, 'int32', shape, x.backend));

/**
 * The positions of the elements that are not 0, in row-major order: int32 [count, rank of x]. With `asTuple` a vector for each
 * axis, as `at` takes them: `x.at(...positions)`. NaN is not 0.
 *
 * @example
 * import { nonzero, tensor } from '@nn/core';
 * const x = tensor([[1, 0], [2, 3]]);
 * console.log(await (await nonzero(x)).array()); // => [[0, 0], [1, 0], [1, 1]]
 * const positions = await nonzero(x.greater(1), { asTuple: true });
 * console.log(await x.at(...positions).array()); // => [2, 3]
 */
export async function nonzero(x: TensorLike, options?: { readonly asTuple?: false }): Promise<Tensor>;
export async function nonzero(x: TensorLike, options: { readonly asTuple: true }): Promise<Tensor[]>;
export async function nonzero(x: TensorLike, options: { readonly asTuple?: boolean } = {}): Promise<Tensor | Tensor[]> {
  checkOptions('nonzero', options, ['asTuple']);
  const node = computable('nonzero', x);
  const places = placesIn(await wrap(notEqual(node, like(node, 0))).data(), node.shape);
  if (options.asTuple === true) return places.map((column) => placesAsTensor(column, [column.length], node));
  const rank = places.length;
  // a scalar has no axes: as many empty rows as it is not 0
  const count = places[0]?.length ?? ((await wrap(node).data())[0] === 0 ? 0 : 1);
  const rows = new Int32Array(count * rank);
  for (const [axis, column] of places.entries()) for (let i = 0; i < count; i++) rows[i * rank + axis] = column[i]!;
  return placesAsTensor(rows, [count, rank], node);
}

/**
 * The positions of the elements that are not 0: int32 [count, rank of x]; NumPy's and PyTorch's `argwhere`, `nonzero` by
 * another name.
 *
 * @example
 * import { argWhere } from '@nn/core';
 * console.log(await (await argWhere([false, true, true])).array()); // => [[1], [2]]
 */
export function argWhere(x: TensorLike): Promise<Tensor> {
  return nonzero(x);
}

/**
 * The elements of x where the mask holds, in row-major order: a vector. Both broadcast; the gradient goes back to where the
 * elements stood.
 *
 * @example
 * import { maskedSelect, tensor } from '@nn/core';
 * const x = tensor([3, -1, 2]);
 * console.log(await (await maskedSelect(x, x.greater(0))).array()); // => [3, 2]
 */
export async function maskedSelect(x: TensorLike, mask: TensorLike): Promise<Tensor> {
  const node = computable('maskedSelect', x);
  const condition = truth(toNode(mask, 'int32'));
  const shape = broadcastShapes('maskedSelect', node.shape, condition.shape);
  const values = await wrap(expandTo(condition, shape)).data();
  const [places = new Int32Array(0)] = placesIn(values, [values.length]);
  const flat = reshape(expandTo(node, shape), [-1]);
  return wrap(gather(flat, placesAsTensor(places, [places.length], node).node));
}

/** Different values, or slices, and where they came from. */
export interface Distinct {
  /** A vector; with an axis, the slices that differ. */
  readonly values: Tensor;
  /** int32, of the shape of x (of its axis): which of `values` each element is. */
  readonly inverse: Tensor;
  /** int32: how often each of `values` stands in x. */
  readonly counts: Tensor;
}

/** Rows of numbers: how many, how two of them are ordered, and whether they are equal. */
interface Rows {
  readonly count: number;
  /** NaN is last. */
  readonly compare: (a: number, b: number) => number;
  /** NaN equals nothing (as in PyTorch). */
  readonly isEqual: (a: number, b: number) => boolean;
}

/** x as rows, one for each place of the axis; without an axis each element is a row. */
async function rowsOf(operation: string, node: Node, axis: number | undefined): Promise<{ front: Node; rows: Rows }> {
  const flat = axis === undefined ? reshape(node, [-1]) : node;
  const along = normalizeAxis(operation, axis ?? 0, flat.shape.length);
  const front = permute(flat, [along, ...flat.shape.map((_, a) => a).filter((a) => a !== along)]);
  const data: TensorData = await wrap(front).data();
  const count = front.shape[0]!;
  const length = sizeOf(front.shape.slice(1));
  const compare = (a: number, b: number): number => {
    for (let i = 0; i < length; i++) {
      const [left, right] = [data[a * length + i]!, data[b * length + i]!];
      if (left < right) return -1;
      if (left > right) return 1;
      const order = Number(Number.isNaN(left)) - Number(Number.isNaN(right));
      if (order !== 0) return order;
    }
    return 0;
  };
  const isEqual = (a: number, b: number): boolean => {
    for (let i = 0; i < length; i++) if (data[a * length + i] !== data[b * length + i]) return false;
    return true;
  };
  return { front, rows: { count, compare, isEqual } };
}

/** Groups of equal neighbours among `order`. */
function distinct(front: Node, order: Int32Array, axis: number | undefined, x: Node, rows: Rows): Distinct {
  const firsts: number[] = [];
  const counts: number[] = [];
  const inverse = new Int32Array(order.length);
  order.forEach((row, i) => {
    if (i === 0 || !rows.isEqual(order[i - 1]!, row)) {
      firsts.push(row);
      counts.push(0);
    }
    counts[counts.length - 1]!++;
    inverse[row] = firsts.length - 1;
  });
  const chosen = gather(front, placesAsTensor(Int32Array.from(firsts), [firsts.length], x).node);
  const rank = front.shape.length;
  const along = axis === undefined ? 0 : normalizeAxis('unique', axis, rank);
  const place = [along, ...front.shape.map((_, a) => a).filter((a) => a !== along)];
  return {
    values: wrap(permute(chosen, inverseOrder(place))),
    inverse: placesAsTensor(inverse, axis === undefined ? x.shape : [order.length], x),
    counts: placesAsTensor(Int32Array.from(counts), [counts.length], x),
  };
}

/**
 * The different values of x in ascending order, with which of them each element is and how often each stands there. With an
 * axis the different slices, in the order of their first unequal elements. NaN equals nothing, as in PyTorch.
 *
 * @example
 * import { unique } from '@nn/core';
 * const { values, inverse, counts } = await unique([3, 1, 3]);
 * console.log(await values.array(), await inverse.array(), await counts.array()); // => [1, 3] [1, 0, 1] [1, 2]
 */
export async function unique(x: TensorLike, options: { readonly axis?: number } = {}): Promise<Distinct> {
  checkOptions('unique', options, ['axis']);
  const { axis } = options;
  const node = computable('unique', x);
  const { front, rows } = await rowsOf('unique', node, axis);
  const order = Int32Array.from({ length: rows.count }, (_, i) => i);
  // equal ones in their order, so that the first of them is the one that is read
  const sorted = order.sort((a, b) => rows.compare(a, b) || a - b);
  return distinct(front, sorted, axis, node, rows);
}

/**
 * As `unique`, of neighbours: each run of equal values once, in the order in which they stand.
 *
 * @example
 * import { uniqueConsecutive } from '@nn/core';
 * const { values, counts } = await uniqueConsecutive([1, 1, 3, 1]);
 * console.log(await values.array(), await counts.array()); // => [1, 3, 1] [2, 1, 1]
 */
export async function uniqueConsecutive(x: TensorLike, options: { readonly axis?: number } = {}): Promise<Distinct> {
  checkOptions('uniqueConsecutive', options, ['axis']);
  const { axis } = options;
  const node = computable('uniqueConsecutive', x);
  const { front, rows } = await rowsOf('uniqueConsecutive', node, axis);
  const order = Int32Array.from({ length: rows.count }, (_, i) => i);
  return distinct(front, order, axis, node, rows);
}

export interface BincountOptions {
  /** What each element counts; 1 by default. The gradient goes to these. */
  readonly weights?: TensorLike;
  /** At least so many counts; 0 by default. */
  readonly minLength?: number;
}

/**
 * How often each whole number from 0 stands in the vector x (int32): int32 up to the largest, float32 with weights. Where the
 * number of classes is known nothing has to be read: `zeros([classes]).scatterAdd(x, weights)`.
 *
 * @example
 * import { bincount } from '@nn/core';
 * console.log(await (await bincount([1, 0, 3, 1])).array()); // => [1, 2, 0, 1]
 */
export async function bincount(x: TensorLike, options: BincountOptions = {}): Promise<Tensor> {
  checkOptions('bincount', options, ['weights', 'minLength']);
  const { weights, minLength = 0 } = options;
  const node = integers(x);
  requireInteger('bincount', node);
  if (node.shape.length !== 1) {
    throw new ShapeError('bincount', `needs a vector, got ${show(node.shape)}.`, { shape: node.shape });
  }
  if (!Number.isInteger(minLength) || minLength < 0) {
    throw new ValueError('bincount', `minLength must be a whole number from 0, got ${minLength}.`, { minLength });
  }
  const weight = weights === undefined ? constant(1, 'int32', node.shape) : computable('bincount', weights);
  if (weight.shape.length !== 1 || weight.size !== node.size) {
    throw new ShapeError('bincount', `weights ${show(weight.shape)} for ${node.size} elements: one for each.`);
  }
  let length = minLength;
  for (const value of await wrap(node).data()) {
    if (value < 0) throw new ValueError('bincount', `a value must be a whole number from 0, got ${value}.`, { value });
    length = Math.max(length, value + 1);
  }
  return wrap(scatterAdd(constant(0, weight.dtype, [length], node.backend), node, weight));
}

/** Products of vectors and matrices, and diagonals taken out and put in. */
import { checkOptions, ShapeError } from '../errors.ts';
import { constant, type Node } from '../graph/node.ts';
import { add, multiply, subtract } from '../ops/arithmetic.ts';
import { equal, less, where } from '../ops/compare.ts';
import { concat } from '../ops/indexing.ts';
import { like } from '../ops/pointwise.ts';
import { sum } from '../ops/reduce.ts';
import { indexAlong } from '../ops/sources.ts';
import { expandTo, inverseOrder, narrow, padStatic, permute, reshape, unsqueeze } from '../ops/views.ts';
import { broadcastShapes, normalizeAxis, show } from '../shape.ts';
import { type Tensor, type TensorLike, toNode, wrap } from '../tensor.ts';

const node = (x: TensorLike): Node => toNode(x, 'float32');

/**
 * The product of each element of a [N] with each of b [M]: [N, M]. Throws ShapeError for what is not a vector.
 *
 * @example
 * import { outer } from '@nn/core';
 * console.log(await outer([1, 2], [3, 4]).array()); // => [[3, 4], [6, 8]]
 */
export function outer(a: TensorLike, b: TensorLike): Tensor {
  const [left, right] = [node(a), node(b)];
  if (left.shape.length !== 1 || right.shape.length !== 1) {
    throw new ShapeError('outer', `needs two vectors, got ${show(left.shape)} and ${show(right.shape)}.`);
  }
  return wrap(multiply(unsqueeze(left, 1), unsqueeze(right, 0)));
}

/**
 * The vector product of a and b along an axis of size 3, both broadcast.
 *
 * @example
 * import { cross } from '@nn/core';
 * console.log(await cross([1, 0, 0], [0, 1, 0]).array()); // => [0, 0, 1]
 */
export function cross(a: TensorLike, b: TensorLike, axis = -1): Tensor {
  const given = [node(a), node(b)];
  const shape = broadcastShapes('cross', given[0]!.shape, given[1]!.shape);
  const along = normalizeAxis('cross', axis, shape.length);
  if (shape[along] !== 3) {
    throw new ShapeError('cross', `axis ${along} of ${show(shape)} has size ${shape[along]}, not 3.`, { shape, axis });
  }
  const [left, right] = given.map((x) => expandTo(x, shape)) as [Node, Node];
  // a_(i + 1) b_(i + 2) - a_(i + 2) b_(i + 1)
  const turned = (x: Node, by: number): Node => concat([narrow(x, along, by, 3 - by), narrow(x, along, 0, by)], along);
  return wrap(subtract(multiply(turned(left, 1), turned(right, 2)), multiply(turned(left, 2), turned(right, 1))));
}

/**
 * Kronecker's product: each element of a times the whole of b, sizes multiplied axis by axis (the last ones meet).
 *
 * @example
 * import { kron } from '@nn/core';
 * console.log(await kron([[1, 2]], [[1], [1]]).array()); // => [[1, 2], [1, 2]]
 */
export function kron(a: TensorLike, b: TensorLike): Tensor {
  const [left, right] = [node(a), node(b)];
  const rank = Math.max(left.shape.length, right.shape.length);
  const full = ({ shape }: Node): number[] => [...new Array<number>(rank - shape.length).fill(1), ...shape];
  const [first, second] = [full(left), full(right)];
  const spread = reshape(
    left,
    first.flatMap((size) => [size, 1]),
  );
  const inner = reshape(
    right,
    second.flatMap((size) => [1, size]),
  );
  return wrap(
    reshape(
      multiply(spread, inner),
      first.map((size, axis) => size * second[axis]!),
    ),
  );
}

export interface DiagonalOptions {
  /** Which diagonal: 0 is the main one, those above are positive. */
  readonly offset?: number;
  /** The axes of rows and of columns. */
  readonly axes?: readonly [number, number];
}

/** x with rows and columns as its last axes. */
function matrixLast(operation: string, x: Node, axes: readonly [number, number]): Node {
  const [rows, columns] = axes.map((axis) => normalizeAxis(operation, axis, x.shape.length)) as [number, number];
  if (rows === columns) throw new ShapeError(operation, `axis ${rows} is named twice.`, { axes });
  const others = x.shape.map((_, axis) => axis).filter((axis) => axis !== rows && axis !== columns);
  return permute(x, [...others, rows, columns]);
}

function diagonalOf(x: Node, offset: number): Node {
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const [top, left] = [Math.max(0, -offset), Math.max(0, offset)];
  const size = Math.max(0, Math.min(rows - top, columns - left));
  const last = x.shape.length - 1;
  if (size === 0) return reshape(narrow(narrow(x, last - 1, 0, 0), last, 0, 0), [...x.shape.slice(0, -2), 0]);
  const square = narrow(narrow(x, last - 1, top, size), last, left, size);
  // of a square in a row, every (size + 1)-th element: pad a row, and cut it into rows one longer
  const outer = x.shape.slice(0, -2);
  const zeros = outer.map(() => 0);
  const flat = reshape(square, [...outer, size * size]);
  const longer = padStatic(flat, { before: [...zeros, 0], after: [...zeros, size], step: [...zeros.map(() => 1), 1] });
  const shifted = reshape(longer, [...outer, size, size + 1]);
  return reshape(narrow(shifted, last, 0, 1), [...outer, size]);
}

function checkOffset(operation: string, offset: number): void {
  if (Number.isInteger(offset)) return;
  throw new ShapeError(operation, `the offset must be a whole number, got ${offset}.`, { offset });
}

/**
 * A diagonal of the matrices in two axes (the first two by default), as the last axis. A view: nothing is copied.
 *
 * @example
 * import { diagonal } from '@nn/core';
 * console.log(await diagonal([[1, 2], [3, 4]]).array()); // => [1, 4]
 */
export function diagonal(x: TensorLike, options: DiagonalOptions = {}): Tensor {
  checkOptions('diagonal', options, ['offset', 'axes']);
  const { offset = 0, axes = [0, 1] } = options;
  checkOffset('diagonal', offset);
  return wrap(diagonalOf(matrixLast('diagonal', node(x), axes), offset));
}

/**
 * The sum of the diagonal of matrices in two axes (the first two by default).
 *
 * @example
 * import { trace } from '@nn/core';
 * console.log(await trace([[1, 2], [3, 4]]).item()); // => 5
 */
export function trace(x: TensorLike, options: DiagonalOptions = {}): Tensor {
  checkOptions('trace', options, ['offset', 'axes']);
  const { offset = 0, axes = [0, 1] } = options;
  checkOffset('trace', offset);
  const values = diagonalOf(matrixLast('trace', node(x), axes), offset);
  return wrap(sum(values, values.shape.length - 1));
}

/**
 * Matrices with the last axis of x as a diagonal and zeros elsewhere, in two new axes (the last two by default).
 *
 * @example
 * import { diagEmbed } from '@nn/core';
 * console.log(await diagEmbed([1, 2]).array()); // => [[1, 0], [0, 2]]
 */
export function diagEmbed(x: TensorLike, options: DiagonalOptions = {}): Tensor {
  checkOptions('diagEmbed', options, ['offset', 'axes']);
  const { offset = 0, axes = [-2, -1] } = options;
  checkOffset('diagEmbed', offset);
  const values = node(x);
  if (values.shape.length === 0) throw new ShapeError('diagEmbed', 'a scalar has no axis for a diagonal.');
  const rank = values.shape.length + 1;
  const size = values.shape.at(-1)! + Math.abs(offset);
  const outer = values.shape.slice(0, -1);
  const before = Math.max(0, -offset);
  const padded = padStatic(values, {
    before: [...outer.map(() => 0), before],
    after: [...outer.map(() => 0), size - before - values.shape.at(-1)!],
    step: values.shape.map(() => 1),
  });
  const rows = indexAlong([size, size], 0);
  const isDiagonal = equal(add(rows, constant(offset, 'int32')), indexAlong([size, size], 1));
  const matrix = where(isDiagonal, unsqueeze(padded, rank - 1), like(values, 0));
  const [first, second] = axes.map((axis) => normalizeAxis('diagEmbed', axis, rank)) as [number, number];
  if (first === second) throw new ShapeError('diagEmbed', `axis ${first} is named twice.`, { axes });
  const others = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => axis !== first && axis !== second);
  return wrap(permute(matrix, inverseOrder([...others, first, second])));
}

/**
 * Matrices along the diagonal of one large one, zeros elsewhere; vectors are rows, numbers matrices of one element.
 *
 * @example
 * import { blockDiagonal } from '@nn/core';
 * console.log(await blockDiagonal([[[1, 2]], [[3]]]).array()); // => [[1, 2, 0], [0, 0, 3]]
 */
export function blockDiagonal(matrices: readonly TensorLike[]): Tensor {
  const blocks = matrices.map((matrix) => {
    const given = node(matrix);
    if (given.shape.length > 2) {
      throw new ShapeError('blockDiagonal', `${show(given.shape)} is not a matrix.`, { shape: given.shape });
    }
    return reshape(given, [...new Array<number>(2 - given.shape.length).fill(1), ...given.shape]);
  });
  if (blocks.length === 0) throw new ShapeError('blockDiagonal', 'needs at least one matrix.');
  const width = blocks.reduce((all, { shape }) => all + shape[1]!, 0);
  let left = 0;
  const rows = blocks.map((block) => {
    const columns = block.shape[1]!;
    const row = padStatic(block, { before: [0, left], after: [0, width - left - columns], step: [1, 1] });
    left += columns;
    return row;
  });
  return wrap(concat(rows, 0));
}

/**
 * The coordinates of a grid, one tensor a vector, each over all of them: as PyTorch's `meshgrid`, by rows and columns
 * ('ij') by default, or by x and y ('xy').
 *
 * @example
 * import { meshgrid } from '@nn/core';
 * const [rows] = meshgrid([[1, 2], [3, 4, 5]]);
 * console.log(await rows?.array()); // => [[1, 1, 1], [2, 2, 2]]
 */
export function meshgrid(vectors: readonly TensorLike[], indexing: 'ij' | 'xy' = 'ij'): Tensor[] {
  const nodes = vectors.map(node);
  for (const { shape } of nodes) {
    if (shape.length > 1) throw new ShapeError('meshgrid', `needs vectors, got ${show(shape)}.`, { shape });
  }
  const isSwapped = indexing === 'xy' && nodes.length > 1;
  const place = (k: number): number => (isSwapped && k < 2 ? 1 - k : k);
  const sizes = nodes.map((_, k) => nodes[place(k)]!.size);
  return nodes.map((vector, k) => {
    const alone = sizes.map((size, axis) => (axis === place(k) ? size : 1));
    return wrap(expandTo(reshape(vector, alone), sizes));
  });
}

/** Matrices in the last two axes, 0 but for one side of a diagonal, which belongs to it. */
function triangle(operation: string, x: TensorLike, offset: number, isUpper: boolean): Tensor {
  const matrix = node(x);
  checkOffset(operation, offset);
  const rank = matrix.shape.length;
  if (rank < 2) throw new ShapeError(operation, `${show(matrix.shape)} is not a matrix.`, { shape: matrix.shape });
  const last = matrix.shape.slice(-2);
  const [row, column] = [indexAlong(last, 0), indexAlong(last, 1)];
  const diagonal = add(row, constant(offset, 'int32'));
  const outside = isUpper ? less(column, diagonal) : less(diagonal, column);
  return wrap(where(outside, constant(0, matrix.dtype), matrix));
}

/**
 * The upper triangles of matrices [..., M, N]: 0 below a diagonal, the main one by default, those above are positive.
 *
 * @example
 * import { triu } from '@nn/core';
 * console.log(await triu([[1, 2], [3, 4]]).array()); // => [[1, 2], [0, 4]]
 */
export function triu(x: TensorLike, options: { readonly offset?: number } = {}): Tensor {
  checkOptions('triu', options, ['offset']);
  const { offset = 0 } = options;
  return triangle('triu', x, offset, true);
}

/**
 * The lower triangles of matrices [..., M, N]: 0 above a diagonal, the main one by default, those above are positive.
 *
 * @example
 * import { tril } from '@nn/core';
 * console.log(await tril([[1, 2], [3, 4]]).array()); // => [[1, 0], [3, 4]]
 */
export function tril(x: TensorLike, options: { readonly offset?: number } = {}): Tensor {
  checkOptions('tril', options, ['offset']);
  const { offset = 0 } = options;
  return triangle('tril', x, offset, false);
}

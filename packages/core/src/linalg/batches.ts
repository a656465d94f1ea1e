/** What the functions of matrices share: operands checked, one matrix of a batch after the other on the host, triangles, and results packed into one. */
import { ShapeError, ValueError } from '../errors.ts';
import { tril, triu } from '../functions/matrices.ts';
import { real } from '../functions/operands.ts';
import { constant, type Node } from '../graph/node.ts';
import type { TensorType } from '../graph/primitive.ts';
import { equal } from '../ops/compare.ts';
import { matmul } from '../ops/contract.ts';
import { indexAlong } from '../ops/sources.ts';
import { narrow, reshape } from '../ops/views.ts';
import { broadcastShapes, show, sizeOf } from '../shape.ts';
import { type TensorLike, wrap } from '../tensor.ts';

/** The sizes of the matrices in the last two axes. */
export const rowsOf = ({ shape }: TensorType): number => shape[shape.length - 2]!;
export const columnsOf = ({ shape }: TensorType): number => shape[shape.length - 1]!;
/** The axes before them. */
export const batchOf = ({ shape }: TensorType): readonly number[] => shape.slice(0, -2);

/** x as float32, with matrices in its last two axes. Throws ShapeError for fewer axes. */
export function matrices(operation: string, x: TensorLike): Node {
  const node = real(operation, x);
  if (node.shape.length >= 2) return node;
  throw new ShapeError(operation, `needs matrices in the last two axes, got ${show(node.shape)}.`, {
    shape: node.shape,
  });
}

/** x as float32, with square matrices in its last two axes. */
export function squares(operation: string, x: TensorLike): Node {
  const node = matrices(operation, x);
  if (rowsOf(node) === columnsOf(node)) return node;
  throw new ShapeError(operation, `needs square matrices, got ${rowsOf(node)} rows and ${columnsOf(node)} columns.`, {
    shape: node.shape,
  });
}

/** The batch of two operands. */
export function commonBatch(operation: string, a: Node, b: Node): readonly number[] {
  return broadcastShapes(operation, batchOf(a), batchOf(b));
}

export const product = (...factors: readonly Node[]): Node => factors.reduce(matmul);

/** The elements on one side of the diagonal and on it, the others 0. */
export const triangle = (x: Node, isUpper: boolean): Node => (isUpper ? triu : tril)(wrap(x)).node;

/** The elements on one side of the diagonal, the others 0. */
export const strictTriangle = (x: Node, isUpper: boolean): Node =>
  isUpper ? triu(wrap(x), { offset: 1 }).node : tril(wrap(x), { offset: -1 }).node;

/** Whether an element is on the diagonal. */
export function onDiagonal({ shape }: Node): Node {
  return equal(indexAlong(shape, shape.length - 2), indexAlong(shape, shape.length - 1));
}

/** Pieces of the last axis, each in its shape behind the batch. */
export function unpack(packed: Node, shapes: readonly (readonly number[])[]): Node[] {
  const last = packed.shape.length - 1;
  let start = 0;
  return shapes.map((shape) => {
    const size = sizeOf(shape);
    const piece = reshape(narrow(packed, last, start, size), [...packed.shape.slice(0, -1), ...shape]);
    start += size;
    return piece;
  });
}

/** Zeros, where a result has no elements or is a sum of none. */
export const zerosOf = (shape: readonly number[]): Node => constant(0, 'float32', shape);

/**
 * Fills `result` with what `work` gives for each matrix, in double precision, one piece after the other; `k` is its place in
 * the batch. Matrices with NaN or infinities have nothing but NaN for a result.
 */
export function fillFrom(
  values: Float32Array,
  type: TensorType,
  result: Float32Array,
  work: (matrix: Float64Array, k: number) => readonly ArrayLike<number>[],
): void {
  const size = rowsOf(type) * columnsOf(type);
  const count = values.length / size;
  const each = result.length / count;
  for (let k = 0; k < count; k++) {
    const matrix = Float64Array.from(values.subarray(k * size, (k + 1) * size));
    let at = k * each;
    if (!matrix.every(Number.isFinite)) {
      result.fill(Number.NaN, at, at + each);
      continue;
    }
    for (const piece of work(matrix, k)) {
      result.set(piece, at);
      at += piece.length;
    }
  }
}

/** Rows as columns. */
export function turned(a: Float64Array, rows: number, columns: number): Float64Array {
  const result = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) result[j * rows + i] = a[i * columns + j]!;
  return result;
}

/** The matrix `k` of a batch, in words. */
export function nameOf({ shape }: TensorType, k: number): string {
  return shape.length === 2 ? `the matrix ${show(shape)}` : `matrix ${k} of ${show(shape)}`;
}

export function singularError(operation: string, type: TensorType, k: number, column: number): ValueError {
  return new ValueError(
    operation,
    `${nameOf(type, k)} is singular: its column ${column} depends on those before it: use pinv or lstsq, or add to the diagonal.`,
    { operation, matrix: k, column },
  );
}

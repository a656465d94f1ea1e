/**
 * Gradients of matrices as products of two thin ones (Vogels et al., 2019, "PowerSGD"): M ≈ P Qᵀ with a few columns, found by
 * one step of power iteration in each step of training, from the Q of the step before.
 */
import { ValueError } from '@nn/core';
import { type Bucket, sizeOf } from '../buckets.ts';
import { type Compression, Feedback } from './compression.ts';

export interface PowerSgdOptions {
  /** Columns of the thin matrices; 2 where not given. */
  readonly rank?: number;
  /** Steps that send gradients whole, while they change quickly; 100 where not given. */
  readonly startAfter?: number;
}

/** A gradient that is sent as a product: where it begins in its bucket, and its sizes. */
interface Matrix {
  readonly start: number;
  readonly rows: number;
  readonly columns: number;
  readonly key: string;
}

/**
 * Sends gradients of matrices [n, m] as rank * (n + m) numbers, and all others whole. What the product misses is added to the
 * next step. Kernels count as matrices of their first axis by all others. Throws ValueError for a rank below 1.
 *
 * @example
 * import { powerSgd } from '@nn/distributed';
 * const compress = powerSgd({ rank: 4, startAfter: 1000 }); // dataParallel(optimizer, group, { compress })
 * console.log(typeof compress.reduce); // => function
 */
export function powerSgd({ rank = 2, startAfter = 100 }: PowerSgdOptions = {}): Compression {
  if (!Number.isInteger(rank) || rank < 1) {
    throw new ValueError('powerSgd', `rank is ${rank}: a whole number, 1 or more.`, { rank });
  }
  const feedback = new Feedback();
  const bases = new Map<string, Float32Array>();
  const steps = new Map<number, number>();
  return {
    async reduce(values, { group, bucket, index }) {
      const step = steps.get(index) ?? 0;
      steps.set(index, step + 1);
      if (step < startAfter) return group.allReduce(values, 'sum', { fixed: true });
      feedback.add(index, values);
      const matrices = matricesOf(bucket, index, rank);
      const partOf = ({ start, rows, columns }: Matrix): Float32Array => values.subarray(start, start + rows * columns);
      // all P in one message, with what is no matrix; all Q in another
      const gaps = gapsOf(values.length, matrices);
      const sent = concatenated([
        ...matrices.map((matrix) => {
          const Q = bases.get(matrix.key) ?? randomBasis(matrix.columns * rank, matrix.key);
          return product(partOf(matrix), matrix, Q, rank);
        }),
        ...gaps.map(([from, to]) => values.subarray(from, to)),
      ]);
      await group.allReduce(sent, 'sum', { fixed: true });
      const Ps = parts(sent, [...matrices.map(({ rows }) => rows * rank), ...gaps.map(([from, to]) => to - from)]);
      matrices.forEach(({ rows }, at) => {
        orthogonalize(Ps[at]!, rows, rank);
      });
      const sentQ = concatenated(
        matrices.map((matrix, at) => transposedProduct(partOf(matrix), matrix, Ps[at]!, rank)),
      );
      await group.allReduce(sentQ, 'sum', { fixed: true });
      const Qs = parts(
        sentQ,
        matrices.map(({ columns }) => columns * rank),
      );
      const sums = new Float32Array(values.length);
      gaps.forEach(([from], at) => {
        sums.set(Ps[matrices.length + at]!, from);
      });
      const left = new Float32Array(values.length);
      matrices.forEach((matrix, at) => {
        const [P, Q] = [Ps[at]!, Qs[at]!.slice()];
        bases.set(matrix.key, Q);
        expand(P, Q, matrix, rank, sums);
        const end = matrix.start + matrix.rows * matrix.columns;
        // one's own share of what the sum of all misses
        for (let place = matrix.start; place < end; place++) left[place] = values[place]! - sums[place]! / group.size;
      });
      feedback.keep(index, left);
      return sums;
    },
  };
}

/** What of a bucket is worth sending as a product: less than half of its numbers. */
function matricesOf(bucket: Bucket, index: number, rank: number): Matrix[] {
  return bucket.members.flatMap(({ start, shape, position }) => {
    const rows = shape[0] ?? 1;
    const columns = sizeOf(shape) / rows;
    const isWorth = shape.length > 1 && 2 * rank * (rows + columns) < rows * columns;
    return isWorth ? [{ start, rows, columns, key: `${index}/${position}` }] : [];
  });
}

/** M Q, [rows, rank]. */
function product(M: Float32Array, { rows, columns }: Matrix, Q: Float32Array, rank: number): Float32Array {
  const P = new Float32Array(rows * rank);
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < rank; k++) {
      let sum = 0;
      for (let column = 0; column < columns; column++) sum += M[row * columns + column]! * Q[column * rank + k]!;
      P[row * rank + k] = sum;
    }
  }
  return P;
}

/** Mᵀ P, [columns, rank]. */
function transposedProduct(M: Float32Array, { rows, columns }: Matrix, P: Float32Array, rank: number): Float32Array {
  const Q = new Float32Array(columns * rank);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = M[row * columns + column]!;
      for (let k = 0; k < rank; k++) Q[column * rank + k] = Q[column * rank + k]! + value * P[row * rank + k]!;
    }
  }
  return Q;
}

/** P Qᵀ, [rows, columns], to its place in `sums`. */
function expand(P: Float32Array, Q: Float32Array, matrix: Matrix, rank: number, sums: Float32Array): void {
  const { start, rows, columns } = matrix;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += P[row * rank + k]! * Q[column * rank + k]!;
      sums[start + row * columns + column] = sum;
    }
  }
}

/** Gram-Schmidt over the columns, in place; a column that is nearly zero becomes zero. */
function orthogonalize(P: Float32Array, rows: number, rank: number): void {
  for (let k = 0; k < rank; k++) {
    for (let before = 0; before < k; before++) {
      let dot = 0;
      for (let row = 0; row < rows; row++) dot += P[row * rank + before]! * P[row * rank + k]!;
      for (let row = 0; row < rows; row++) P[row * rank + k] = P[row * rank + k]! - dot * P[row * rank + before]!;
    }
    let squares = 0;
    for (let row = 0; row < rows; row++) squares += P[row * rank + k]! ** 2;
    const scale = squares > 1e-30 ? 1 / Math.sqrt(squares) : 0;
    for (let row = 0; row < rows; row++) P[row * rank + k] = P[row * rank + k]! * scale;
  }
}

/** The same on all ranks: numbers from -1 to 1 that depend on the name alone. */
function randomBasis(length: number, key: string): Float32Array {
  let state = 0x9e3779b9;
  for (const letter of key) state = Math.imul(state ^ letter.charCodeAt(0), 0x01000193);
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 0x8000_0000;
  });
}

/** The ranges that no matrix covers. */
function gapsOf(length: number, matrices: readonly Matrix[]): [from: number, to: number][] {
  const gaps: [number, number][] = [];
  let from = 0;
  for (const { start, rows, columns } of matrices) {
    if (start > from) gaps.push([from, start]);
    from = start + rows * columns;
  }
  if (from < length) gaps.push([from, length]);
  return gaps;
}

function concatenated(pieces: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** The pieces again, over the same memory. */
function parts(all: Float32Array, lengths: readonly number[]): Float32Array[] {
  let at = 0;
  return lengths.map((length) => {
    at += length;
    return all.subarray(at - length, at);
  });
}

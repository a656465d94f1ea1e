/** Systems of linear equations: solutions for square and for triangular matrices, the inverse, Cholesky's factor. */
import { checkOptions, ShapeError, ValueError } from '../errors.ts';
import { real } from '../functions/operands.ts';
import type { Node } from '../graph/node.ts';
import type { Binary, Unary } from '../graph/primitive.ts';
import { add, multiply, negate } from '../ops/arithmetic.ts';
import { where } from '../ops/compare.ts';
import { applyOnHost, defineOnHost, type HostPrimitive } from '../ops/on-host.ts';
import { like } from '../ops/pointwise.ts';
import { expandTo, reshape, transpose, unsqueeze } from '../ops/views.ts';
import { sameShape, show } from '../shape.ts';
import { type Tensor, type TensorLike, wrap } from '../tensor.ts';
import { eliminate, solveEliminated, subtractRow } from './algorithms/elimination.ts';
import {
  columnsOf,
  commonBatch,
  fillFrom,
  nameOf,
  onDiagonal,
  product,
  rowsOf,
  singularError,
  squares,
  strictTriangle,
  triangle,
  zerosOf,
} from './batches.ts';

// A X = B:  dB = A^-T G,  dA = -dB X^T
const Solve: HostPrimitive<string, Binary> = defineOnHost<string, Binary>({
  name: 'solve',
  shape: ([, b]) => b.shape,
  gradient: (g, [a], x, operation) => {
    const behind = solveNodes(operation, transpose(a), g);
    return [() => negate(product(behind, transpose(x))), behind];
  },
  compute: ([a, b], result, types, operation) => {
    const [n, columns] = [rowsOf(types[1]), columnsOf(types[1])];
    fillFrom(a as Float32Array, types[0], result, (matrix, k) => {
      const right = (b as Float32Array).subarray(k * n * columns, (k + 1) * n * columns);
      return [solutionOf(operation, matrix, right, columns, types[0], k)];
    });
  },
});

/** Throws ValueError where the matrix is singular. */
function solutionOf(
  operation: string,
  matrix: Float64Array,
  right: ArrayLike<number>,
  columns: number,
  type: Parameters<typeof singularError>[1],
  k: number,
): Float64Array {
  const n = rowsOf(type);
  const factors = eliminate(matrix, n);
  if (factors.singularAt >= 0) throw singularError(operation, type, k, factors.singularAt);
  return solveEliminated(factors, n, right, columns);
}

function solveNodes(operation: string, a: Node, b: Node): Node {
  return b.shape.includes(0) ? zerosOf(b.shape) : applyOnHost(Solve, [a, b], operation);
}

/** Right sides as matrices of the batch of a, whether they were vectors, and the batch. */
function rightSides(operation: string, a: Node, given: TensorLike, isLeft: boolean) {
  const b = real(operation, given);
  const isVector = b.shape.length === 1 || sameShape(b.shape, a.shape.slice(0, -1));
  if (b.shape.length === 0) throw new ShapeError(operation, `the right side is a number, not a vector or matrix.`);
  const columns = isVector ? unsqueeze(b, b.shape.length) : b;
  const size = isLeft ? rowsOf(columns) : columnsOf(columns);
  if (size !== rowsOf(a)) {
    throw new ShapeError(
      operation,
      `matrices of ${rowsOf(a)} rows, but the right side ${show(b.shape)} has ${size}${isLeft ? '' : ' columns'}.`,
      { a: a.shape, b: b.shape },
    );
  }
  const batch = commonBatch(operation, a, columns);
  return {
    matrix: expandTo(a, [...batch, ...a.shape.slice(-2)]),
    right: expandTo(columns, [...batch, ...columns.shape.slice(-2)]),
    finish: (x: Node): Tensor => wrap(isVector ? reshape(x, x.shape.slice(0, -1)) : x),
  };
}

/**
 * X of A X = B for square A [..., N, N] and B [..., N, M] or vectors [..., N] (B is taken as vectors where it has one axis,
 * or just the shape of A without its last). The host computes it in double precision, by elimination with row exchanges.
 * The value is rejected with a ValueError where A is singular, to the last place of its elements.
 *
 * @example
 * import { solve } from '@nn/core';
 * console.log(await solve([[2, 1], [1, 3]], [3, 5]).array()); // => [0.800000011920929, 1.399999976158142]
 */
export function solve(a: TensorLike, b: TensorLike): Tensor {
  const { matrix, right, finish } = rightSides('solve', squares('solve', a), b, true);
  return finish(solveNodes('solve', matrix, right));
}

// Y = A^-1:  dA = -Y^T G Y^T
const Inverse: HostPrimitive<null, Unary> = defineOnHost<null, Unary>({
  name: 'inverse',
  shape: ([a]) => a.shape,
  gradient: (g, _, y) => [negate(product(transpose(y), g, transpose(y)))],
  compute: ([a], result, [type]) => {
    const n = rowsOf(type);
    const unit = new Float64Array(n * n);
    for (let i = 0; i < n; i++) unit[i * n + i] = 1;
    fillFrom(a as Float32Array, type, result, (matrix, k) => [solutionOf('inverse', matrix, unit, n, type, k)]);
  },
});

/** The inverse of the matrices of a node. */
export function inverseNode(a: Node): Node {
  return a.shape.includes(0) ? zerosOf(a.shape) : applyOnHost(Inverse, [a], null);
}

/**
 * The inverse of square matrices [..., N, N]. The host computes it in double precision. The value is rejected with a
 * ValueError where a matrix is singular. To solve equations, `solve` is faster and more exact.
 *
 * @example
 * import { inverse } from '@nn/core';
 * console.log(await inverse([[1, 2], [3, 5]]).array()); // => [[-5, 2], [3, -1]]
 */
export function inverse(a: TensorLike): Tensor {
  return wrap(inverseNode(squares('inverse', a)));
}

export interface TriangularSolveOptions {
  /** Whether the upper triangle is read, or the lower one (the default). */
  readonly upper?: boolean;
  /** Whether A stands on the left, A X = B (the default), or on the right, X A = B. */
  readonly left?: boolean;
  /** Whether the diagonal counts as ones. */
  readonly unitriangular?: boolean;
}

interface Triangular {
  readonly isUpper: boolean;
  readonly isUnit: boolean;
}

// T X = B:  dB = T^-T G,  dT = -dB X^T in the triangle
const TriangularSolve: HostPrimitive<Triangular, Binary> = defineOnHost<Triangular, Binary>({
  name: 'triangularSolve',
  shape: ([, b]) => b.shape,
  gradient: (g, [t], x, { isUpper, isUnit }) => {
    const behind = triangularNodes(transpose(t), g, { isUpper: !isUpper, isUnit });
    const whole = (): Node => negate(product(behind, transpose(x)));
    return [() => (isUnit ? strictTriangle : triangle)(whole(), isUpper), behind];
  },
  compute: ([t, b], result, [type, right], { isUpper, isUnit }) => {
    const [n, columns] = [rowsOf(right), columnsOf(right)];
    fillFrom(t as Float32Array, type, result, (matrix, k) => {
      const x = Float64Array.from((b as Float32Array).subarray(k * n * columns, (k + 1) * n * columns));
      for (let step = 0; step < n; step++) {
        const i = isUpper ? n - 1 - step : step;
        for (let j = isUpper ? i + 1 : 0; j < (isUpper ? n : i); j++) subtractRow(x, i, j, matrix[i * n + j]!, columns);
        if (isUnit) continue;
        const pivot = matrix[i * n + i]!;
        if (pivot === 0) {
          throw new ValueError('triangularSolve', `${nameOf(type, k)} is singular: row ${i} has 0 on its diagonal.`, {
            matrix: k,
            row: i,
          });
        }
        for (let c = 0; c < columns; c++) x[i * columns + c]! /= pivot;
      }
      return [x];
    });
  },
});

/** X of T X = B. */
export function triangularNodes(t: Node, b: Node, options: Triangular): Node {
  return b.shape.includes(0) ? zerosOf(b.shape) : applyOnHost(TriangularSolve, [t, b], options);
}

/**
 * X of A X = B (or X A = B) for triangular A [..., N, N]; the other triangle is not read. B as for `solve`. The host computes
 * it in double precision. The value is rejected with a ValueError where the diagonal has a 0.
 *
 * @example
 * import { triangularSolve } from '@nn/core';
 * console.log(await triangularSolve([[2, 0], [1, 4]], [2, 9]).array()); // => [1, 2]
 */
export function triangularSolve(a: TensorLike, b: TensorLike, options: TriangularSolveOptions = {}): Tensor {
  checkOptions('triangularSolve', options, ['upper', 'left', 'unitriangular']);
  const { upper: isUpper = false, left = true, unitriangular: isUnit = false } = options;
  const { matrix, right, finish } = rightSides('triangularSolve', squares('triangularSolve', a), b, left);
  if (left) return finish(triangularNodes(matrix, right, { isUpper, isUnit }));
  // (X A)^T = A^T X^T
  return finish(transpose(triangularNodes(transpose(matrix), transpose(right), { isUpper: !isUpper, isUnit })));
}

// A = L L^T:  dA = (S + S^T) / 2,  S = L^-T P L^-1,  P the lower triangle of L^T G with half of its diagonal
const Cholesky: HostPrimitive<null, Unary> = defineOnHost<null, Unary>({
  name: 'cholesky',
  shape: ([a]) => a.shape,
  gradient: (g, _, l) => {
    const whole = triangle(product(transpose(l), g), false);
    const half = multiply(whole, where(onDiagonal(whole), like(whole, 0.5), like(whole, 1)));
    const behind = (x: Node): Node => triangularNodes(transpose(l), x, { isUpper: true, isUnit: false });
    const s = behind(transpose(behind(half)));
    return [multiply(add(s, transpose(s)), like(s, 0.5))];
  },
  compute: ([a], result, [type]) => {
    const n = rowsOf(type);
    fillFrom(a as Float32Array, type, result, (matrix, k) => [choleskyOf(matrix, n, type, k)]);
  },
});

function choleskyOf(a: Float64Array, n: number, type: Parameters<typeof nameOf>[0], k: number): Float64Array {
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j]!;
      for (let c = 0; c < j; c++) sum -= l[i * n + c]! * l[j * n + c]!;
      if (j < i) {
        l[i * n + j] = sum / l[j * n + j]!;
        continue;
      }
      // what is left of a diagonal element is nothing but rounding below n of its last places
      if (!(sum > n * 2 ** -52 * a[i * n + i]!)) {
        throw new ValueError(
          'cholesky',
          `${nameOf(type, k)} is not positive definite: its first ${i + 1} rows and columns are not: add to the diagonal.`,
          { matrix: k, row: i },
        );
      }
      l[i * n + i] = Math.sqrt(sum);
    }
  }
  return l;
}

/**
 * The lower triangular L with A = L L^T for symmetric positive definite A [..., N, N], of which the lower triangle is read;
 * with `upper` its transpose. The host computes it in double precision; the gradient is symmetric. The value is rejected
 * with a ValueError where A is not positive definite.
 *
 * @example
 * import { cholesky } from '@nn/core';
 * console.log(await cholesky([[4, 2], [2, 5]]).array()); // => [[2, 0], [1, 2]]
 */
export function cholesky(a: TensorLike, options: { readonly upper?: boolean } = {}): Tensor {
  checkOptions('cholesky', options, ['upper']);
  const matrix = squares('cholesky', a);
  if (matrix.shape.includes(0)) return wrap(zerosOf(matrix.shape));
  const { upper = false } = options;
  const l = applyOnHost(Cholesky, [matrix], null);
  return wrap(upper ? transpose(l) : l);
}

/**
 * X of A X = B from the factor of `cholesky(A)`: two triangular systems. B as for `solve`.
 *
 * @example
 * import { cholesky, choleskySolve } from '@nn/core';
 * console.log(await choleskySolve([8, 9], cholesky([[4, 2], [2, 5]])).array()); // => [1.375, 1.25]
 */
export function choleskySolve(b: TensorLike, factor: TensorLike, options: { readonly upper?: boolean } = {}): Tensor {
  checkOptions('choleskySolve', options, ['upper']);
  const given = squares('choleskySolve', factor);
  const { matrix, right, finish } = rightSides('choleskySolve', given, b, true);
  const l = options.upper === true ? transpose(matrix) : matrix;
  const first = triangularNodes(l, right, { isUpper: false, isUnit: false });
  return finish(triangularNodes(transpose(l), first, { isUpper: true, isUnit: false }));
}

/** Determinants, and their logarithms. */
import type { Node } from '../graph/node.ts';
import { constant } from '../graph/node.ts';
import type { TensorType, Unary } from '../graph/primitive.ts';
import { add, multiply, negate } from '../ops/arithmetic.ts';
import { applyOnHost, defineOnHost, type HostPrimitive } from '../ops/on-host.ts';
import { sum } from '../ops/reduce.ts';
import { narrow, reshape, transpose } from '../ops/views.ts';
import { type Tensor, type TensorLike, wrap } from '../tensor.ts';
import { eliminate } from './algorithms/elimination.ts';
import { singularSystem } from './algorithms/singular.ts';
import { batchOf, fillFrom, product, rowsOf, squares } from './batches.ts';
import { inverseNode } from './solving.ts';

/** Sign and logarithm of the magnitude: 0 and -Infinity for singular matrices. */
function logDeterminant(matrix: Float64Array, n: number): readonly [sign: number, log: number] {
  const { factors, sign, singularAt } = eliminate(matrix, n);
  if (singularAt >= 0) return [0, Number.NEGATIVE_INFINITY];
  let log = 0;
  let total: number = sign;
  for (let i = 0; i < n; i++) {
    log += Math.log(Math.abs(factors[i * n + i]!));
    total *= Math.sign(factors[i * n + i]!);
  }
  return [total, log];
}

const determinant = (matrix: Float64Array, n: number): number => {
  const { factors, sign, singularAt } = eliminate(matrix, n);
  let total: number = singularAt < 0 ? sign : 0;
  for (let i = 0; i < n && total !== 0; i++) total *= factors[i * n + i]!;
  return total;
};

/** A number for each matrix, in front of all its elements. */
const spread = (g: Node): Node => reshape(g, [...g.shape, 1, 1]);

// d det(A) = <C, dA> with the matrix C of cofactors, which singular matrices have too
const Determinant: HostPrimitive<null, Unary> = defineOnHost<null, Unary>({
  name: 'det',
  shape: ([a]) => batchOf(a),
  gradient: (g, [a]) => [multiply(spread(g), applyOnHost(Cofactors, [a], null))],
  compute: ([a], result, [type]) => {
    const n = rowsOf(type);
    fillFrom(a as Float32Array, type, result, (matrix) => [[determinant(matrix, n)]]);
  },
});

// C = det(A) Y^T, Y = A^-1:  dA = <G, Y^T> C - det(A) Y^T G^T Y^T
const Cofactors: HostPrimitive<null, Unary> = defineOnHost<null, Unary>({
  name: 'cofactors',
  shape: ([a]) => a.shape,
  gradient: (g, [a], c) => {
    const turned = transpose(inverseNode(a));
    const along = sum(multiply(g, turned), [g.shape.length - 2, g.shape.length - 1]);
    const back = product(turned, transpose(g), turned);
    return [add(multiply(spread(along), c), negate(multiply(spread(applyOnHost(Determinant, [a], null)), back)))];
  },
  compute: ([a], result, [type]) => {
    const n = rowsOf(type);
    fillFrom(a as Float32Array, type, result, (matrix) => [cofactorsOf(matrix, n)]);
  },
});

/** From A = U S V^T:  C = det(U) det(V) U S' V^T, where S' has the products of all other singular values. */
function cofactorsOf(matrix: Float64Array, n: number): Float64Array {
  const { values, left, right } = singularSystem(matrix, n, n);
  const sign = Math.sign(determinant(left, n)) * Math.sign(determinant(right, n));
  const result = new Float64Array(n * n);
  for (let k = 0; k < n; k++) {
    const others = values.reduce((all, value, j) => (j === k ? all : all * value), sign);
    for (let i = 0; i < n; i++) {
      const times = others * left[k * n + i]!;
      for (let j = 0; j < n; j++) result[i * n + j]! += times * right[k * n + j]!;
    }
  }
  return result;
}

/**
 * The determinant of square matrices [..., N, N]: [...]. Exactly 0 where a matrix is singular to the last place of its
 * elements; its gradient, the matrix of cofactors, is right there too, and only the second one needs an inverse. The host
 * computes it in double precision.
 *
 * @example
 * import { det } from '@nn/core';
 * console.log(await det([[1, 2], [3, 4]]).item()); // => -2
 */
export function det(a: TensorLike): Tensor {
  const matrix = squares('det', a);
  const batch = batchOf(matrix);
  if (matrix.shape.includes(0)) return wrap(constant(1, 'float32', batch)); // an empty product
  return wrap(applyOnHost(Determinant, [matrix], null));
}

// d log |det A| = <A^-T, dA>
const LogDeterminant: HostPrimitive<null, Unary> = defineOnHost<null, Unary>({
  name: 'slogdet',
  shape: ([a]) => [...batchOf(a), 2],
  gradient: (g, [a]) => {
    const ofLog = narrow(g, g.shape.length - 1, 1, 1);
    return [multiply(reshape(ofLog, [...batchOf(a), 1, 1]), transpose(inverseNode(a)))];
  },
  compute: ([a], result, [type]: readonly [TensorType]) => {
    fillFrom(a as Float32Array, type, result, (matrix) => [logDeterminant(matrix, rowsOf(type))]);
  },
});

/**
 * The sign of the determinant of square matrices [..., N, N] and the natural logarithm of its magnitude, [...] each: 0 and
 * -Infinity for singular matrices, whose gradient does not exist (reading it is rejected). The host computes it.
 *
 * @example
 * import { slogdet } from '@nn/core';
 * const { sign, logAbsDet } = slogdet([[0, 2], [2, 0]]);
 * console.log(await sign.item(), (await logAbsDet.exp().item()).toFixed(4)); // => -1 4.0000
 */
export function slogdet(a: TensorLike): { readonly sign: Tensor; readonly logAbsDet: Tensor } {
  const matrix = squares('slogdet', a);
  const batch = batchOf(matrix);
  if (matrix.shape.includes(0)) {
    return { sign: wrap(constant(1, 'float32', batch)), logAbsDet: wrap(constant(0, 'float32', batch)) };
  }
  const both = applyOnHost(LogDeterminant, [matrix], null);
  const [sign, logAbsDet] = [0, 1].map((k) => wrap(reshape(narrow(both, both.shape.length - 1, k, 1), batch)));
  return { sign: (sign as Tensor).stopGradient(), logAbsDet: logAbsDet as Tensor };
}

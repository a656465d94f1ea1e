/**
 * QR, eigenvalues of symmetric matrices, singular values. Each is one operation of the host whose results lie packed in one
 * tensor. Gradients: Walter and Lehmann 2010 (QR), Giles 2008 and Townsend 2016 (eigenvalues, singular values).
 */
import { checkOptions, GradientError } from '../errors.ts';
import type { Node } from '../graph/node.ts';
import type { TensorType, Unary } from '../graph/primitive.ts';
import { add, divide, multiply, subtract } from '../ops/arithmetic.ts';
import { equal, where } from '../ops/compare.ts';
import { concat } from '../ops/indexing.ts';
import { applyOnHost, defineOnHost, type HostPrimitive } from '../ops/on-host.ts';
import { like } from '../ops/pointwise.ts';
import { expandTo, narrow, transpose, unsqueeze } from '../ops/views.ts';
import { type Tensor, type TensorLike, wrap } from '../tensor.ts';
import { orthogonalise } from './algorithms/householder.ts';
import { singularSystem } from './algorithms/singular.ts';
import { eigensystem } from './algorithms/symmetric.ts';
import {
  batchOf,
  columnsOf,
  fillFrom,
  matrices,
  onDiagonal,
  product,
  rowsOf,
  squares,
  strictTriangle,
  triangle,
  turned,
  unpack,
  zerosOf,
} from './batches.ts';
import { triangularNodes } from './solving.ts';

/** Whether bases are whole instead of as many vectors as the smaller size. */
interface Width {
  readonly isFull: boolean;
}

const qrShapes = (a: TensorType, isFull: boolean): [number[], number[]] => {
  const [rows, columns] = [rowsOf(a), columnsOf(a)];
  const width = isFull ? rows : Math.min(rows, columns);
  return [
    [rows, width],
    [width, columns],
  ];
};

const packedSize = (shapes: readonly (readonly number[])[]): number =>
  shapes.reduce((all, shape) => all + shape.reduce((size, length) => size * length, 1), 0);

const QR: HostPrimitive<Width, Unary> = defineOnHost<Width, Unary>({
  name: 'qr',
  shape: ([a], { isFull }) => [...batchOf(a), packedSize(qrShapes(a, isFull))],
  gradient: (g, [a], packed, { isFull }) => {
    const [rows, columns] = [rowsOf(a), columnsOf(a)];
    if (isFull && rows > columns) {
      throw new GradientError(
        'qr',
        `the columns of a complete Q beyond the first ${columns} are not determined by the matrix and have no gradient: use mode 'reduced'.`,
        { operation: 'qr' },
      );
    }
    const shapes = qrShapes(a, isFull);
    const [q, r] = unpack(packed, shapes) as [Node, Node];
    const [ofQ, ofR] = unpack(g, shapes) as [Node, Node];
    if (rows >= columns) return [qrBack(q, r, ofQ, ofR)];
    // A = [X Y], R = [U V]: V = Q^T Y, and X = Q U is square
    const last = a.shape.length - 1;
    const left = (x: Node): Node => narrow(x, last, 0, rows);
    const right = (x: Node): Node => narrow(x, last, rows, columns - rows);
    const ofLeft = qrBack(q, left(r), add(ofQ, product(right(a), transpose(right(ofR)))), left(ofR));
    return [concat([ofLeft, product(q, right(ofR))], last)];
  },
  compute: ([a], result, [type], { isFull }) => {
    const [[rows, width], [, columns]] = qrShapes(type, isFull) as [[number, number], [number, number]];
    fillFrom(a as Float32Array, type, result, (matrix) => {
      const { q, r } = orthogonalise(matrix, rows, columns, width);
      return [q, r];
    });
  },
});

/** dA = (dQ + Q copy(M)) R^-T,  M = R dR^T - dQ^T Q,  copy: the lower triangle and its mirror image. */
function qrBack(q: Node, r: Node, ofQ: Node, ofR: Node): Node {
  const m = subtract(product(r, transpose(ofR)), product(transpose(ofQ), q));
  const copied = add(triangle(m, false), transpose(strictTriangle(m, false)));
  const whole = add(ofQ, product(q, copied));
  // X R^T = whole, that is R X^T = whole^T
  return transpose(triangularNodes(r, transpose(whole), { isUpper: true, isUnit: false }));
}

/**
 * A = Q R for A [..., M, N], Q [..., M, K] with orthonormal columns and R [..., K, N] upper triangular: K is the smaller
 * size, or M in mode 'complete' (whose gradient exists only for M <= N). The signs are those of LAPACK and of PyTorch. The
 * host computes it in double precision. Reading a gradient is rejected where the first columns depend on each other.
 *
 * @example
 * import { qr } from '@nn/core';
 * const { q, r } = qr([[3, 1], [4, 2]]);
 * console.log((await r.at(0).array(1)).map((x) => x.toFixed(3)).join(' ')); // => -5.000 -2.200
 * console.log((await q.matmul(r).at(0).array(1)).map((x) => x.toFixed(3)).join(' ')); // => 3.000 1.000
 */
export function qr(
  a: TensorLike,
  options: { readonly mode?: 'reduced' | 'complete' } = {},
): { readonly q: Tensor; readonly r: Tensor } {
  checkOptions('qr', options, ['mode']);
  const matrix = matrices('qr', a);
  const isFull = options.mode === 'complete';
  const shapes = qrShapes(matrix, isFull);
  if (matrix.shape.includes(0) && packedSize(shapes) * packedSize([batchOf(matrix)]) === 0) {
    const [q, r] = shapes.map((shape) => wrap(zerosOf([...batchOf(matrix), ...shape]))) as [Tensor, Tensor];
    return { q, r };
  }
  const [q, r] = unpack(applyOnHost(QR, [matrix], { isFull }), shapes).map(wrap) as [Tensor, Tensor];
  return { q, r };
}

/** a / b, and 0 where a is 0 whatever b: what nobody asks for needs no gradient, also where there is none. */
function ratio(a: Node, b: Node): Node {
  const isNothing = equal(a, like(a, 0));
  return where(isNothing, like(a, 0), divide(a, where(isNothing, like(b, 1), b)));
}

/** Column and row vectors of a list of values, in the shape of x: x_ij sees the value j, or the value i. */
const asColumns = (values: Node, x: Node): Node => expandTo(unsqueeze(values, values.shape.length - 1), x.shape);
const asRows = (values: Node, x: Node): Node => expandTo(unsqueeze(values, values.shape.length), x.shape);

// A = V L V^T:  dA = V (diag(dL) + F o (V^T dV)) V^T, made symmetric,  F_ij = 1 / (l_j - l_i)
const Eigh: HostPrimitive<null, Unary> = defineOnHost<null, Unary>({
  name: 'eigh',
  shape: ([a]) => [...batchOf(a), rowsOf(a) * (rowsOf(a) + 1)],
  gradient: (g, [a], packed) => {
    const n = rowsOf(a);
    const [values, vectors] = unpack(packed, [[n], [n, n]]) as [Node, Node];
    const [ofValues, ofVectors] = unpack(g, [[n], [n, n]]) as [Node, Node];
    const moved = product(transpose(vectors), ofVectors);
    // vectors only turn, so of their cotangent only what turns them counts
    const turning = multiply(subtract(moved, transpose(moved)), like(moved, 0.5));
    const apart = subtract(asColumns(values, moved), asRows(values, moved));
    const inner = where(onDiagonal(moved), asRows(ofValues, moved), ratio(turning, apart));
    return [product(vectors, inner, transpose(vectors))];
  },
  compute: ([a], result, [type]) => {
    const n = rowsOf(type);
    fillFrom(a as Float32Array, type, result, (matrix) => {
      const { values, vectors } = eigensystem(matrix, n);
      return [values, turned(vectors, n, n)];
    });
  },
});

/**
 * Eigenvalues [..., N], ascending, and orthonormal eigenvectors [..., N, N], in columns, of symmetric matrices [..., N, N], of
 * which only the lower triangle is read. The sign of each vector is the one that makes its largest component positive. The
 * gradient is symmetric. Eigenvectors of equal eigenvalues are any basis of their space, so that a gradient through them
 * does not exist: it is infinite or NaN there, while the gradient through the eigenvalues alone stays right. Second
 * gradients need the eigenvalues to differ. The host computes it in double precision.
 *
 * @example
 * import { eigh } from '@nn/core';
 * const { eigenvalues, eigenvectors } = eigh([[2, 1], [1, 2]]);
 * console.log(await eigenvalues.array()); // => [1, 3]
 * console.log((await eigenvectors.array(2)).flat().map((x) => x.toFixed(3)).join(' ')); // => 0.707 0.707 -0.707 0.707
 */
export function eigh(a: TensorLike): { readonly eigenvalues: Tensor; readonly eigenvectors: Tensor } {
  const matrix = squares('eigh', a);
  const n = rowsOf(matrix);
  if (matrix.shape.includes(0)) {
    const empty = (shape: readonly number[]): Tensor => wrap(zerosOf([...batchOf(matrix), ...shape]));
    return { eigenvalues: empty([n]), eigenvectors: empty([n, n]) };
  }
  const [eigenvalues, eigenvectors] = unpack(applyOnHost(Eigh, [matrix], null), [[n], [n, n]]).map(wrap) as [
    Tensor,
    Tensor,
  ];
  return { eigenvalues, eigenvectors };
}

const svdShapes = (a: TensorType, isFull: boolean): [number[], number[], number[]] => {
  const [rows, columns] = [rowsOf(a), columnsOf(a)];
  const count = Math.min(rows, columns);
  return [[rows, isFull ? rows : count], [count], [isFull ? columns : count, columns]];
};

const SVD: HostPrimitive<Width, Unary> = defineOnHost<Width, Unary>({
  name: 'svd',
  shape: ([a], { isFull }) => [...batchOf(a), packedSize(svdShapes(a, isFull))],
  gradient: (g, [a], packed, { isFull }) => {
    const [rows, columns] = [rowsOf(a), columnsOf(a)];
    if (isFull && rows !== columns) {
      throw new GradientError(
        'svd',
        'the vectors of full matrices that belong to no singular value are not determined by the matrix and have no gradient: leave fullMatrices out.',
        { operation: 'svd' },
      );
    }
    const shapes = svdShapes(a, isFull);
    return [svdBack(unpack(packed, shapes), unpack(g, shapes), rows, columns)];
  },
  compute: ([a], result, [type], { isFull }) => {
    const [rows, columns] = [rowsOf(type), columnsOf(type)];
    fillFrom(a as Float32Array, type, result, (matrix) => {
      const { values, left, right } = singularSystem(matrix, rows, columns, isFull);
      return [turned(left, left.length / rows, rows), values, right];
    });
  },
});

/**
 * A = U S V^T:  dA = U ((E o (U^T dU - dU^T U)) S + S (E o (V^T dV - dV^T V)) + diag(dS)) V^T
 *   + (dU - U U^T dU) S^-1 V^T + U S^-1 (dV^T - dV^T V V^T),  E_ij = 1 / (s_j^2 - s_i^2)
 */
function svdBack([u, s, vh]: Node[], [ofU, ofS, ofVh]: Node[], rows: number, columns: number): Node {
  const [left, values, right] = [u as Node, s as Node, vh as Node];
  const squared = multiply(values, values);
  const turn = (basis: Node, of: Node): Node => {
    const x = product(transpose(basis), of);
    const apart = subtract(asColumns(squared, x), asRows(squared, x));
    return where(onDiagonal(x), like(x, 0), ratio(subtract(x, transpose(x)), apart));
  };
  const inU = turn(left, ofU as Node);
  const inV = turn(transpose(right), transpose(ofVh as Node));
  const diagonal = where(onDiagonal(inU), asRows(ofS as Node, inU), like(inU, 0));
  const inner = add(add(multiply(inU, asColumns(values, inU)), multiply(inV, asRows(values, inV))), diagonal);
  let total = product(left, inner, right);
  if (rows > columns) {
    const outside = subtract(ofU as Node, product(left, transpose(left), ofU as Node));
    total = add(total, product(ratio(outside, asColumns(values, outside)), right));
  }
  if (columns > rows) {
    const outside = subtract(ofVh as Node, product(ofVh as Node, transpose(right), right));
    total = add(total, product(left, ratio(outside, asRows(values, outside))));
  }
  return total;
}

/** Nodes of U, S and V^T. */
export function svdNodes(matrix: Node, isFull: boolean): [Node, Node, Node] {
  const shapes = svdShapes(matrix, isFull);
  if (matrix.shape.includes(0)) {
    return shapes.map((shape) => zerosOf([...batchOf(matrix), ...shape])) as [Node, Node, Node];
  }
  return unpack(applyOnHost(SVD, [matrix], { isFull }), shapes) as [Node, Node, Node];
}

/**
 * A = U diag(S) V^T for A [..., M, N]: U [..., M, K] and Vh [..., K, N] with orthonormal vectors, S [..., K] descending, K the
 * smaller size; with `fullMatrices` U is [..., M, M] and Vh [..., N, N], and only square matrices have a gradient. The sign of
 * each pair is the one that makes the largest component of the vector in U positive. Vectors of equal singular values
 * are any basis of their space: gradients through them are infinite or NaN there, those through S alone stay right. The host
 * computes it in double precision.
 *
 * @example
 * import { svd } from '@nn/core';
 * const { u, s, vh } = svd([[3, 0], [0, -4], [0, 0]]);
 * console.log(await s.array()); // => [4, 3]
 * console.log(u.shape, await vh.array()); // => [3, 2] [[0, -1], [1, 0]]
 */
export function svd(
  a: TensorLike,
  options: { readonly fullMatrices?: boolean } = {},
): { readonly u: Tensor; readonly s: Tensor; readonly vh: Tensor } {
  checkOptions('svd', options, ['fullMatrices']);
  const [u, s, vh] = svdNodes(matrices('svd', a), options.fullMatrices === true).map(wrap) as [Tensor, Tensor, Tensor];
  return { u, s, vh };
}

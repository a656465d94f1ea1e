/** Operators that are products of matrices: Gemm, MatMul, Einsum, determinants, products of whole numbers. */
import { det, einsum, type Tensor } from '@nn/core';
import { type Call, device, type Operator, type Result } from '../run/call.ts';
import * as host from '../values/host.ts';
import { sizeOf } from '../values/value.ts';
import { areMatrices, realProduct, wholeOf, wholeProduct } from './whole-products.ts';

/** alpha A B + beta C, with A and B turned where asked for. */
function gemm(call: Call): Result {
  const flat = (x: Tensor): Tensor => (x.rank === 2 ? x : x.reshape([x.shape[0] ?? 1, sizeOf(x.shape.slice(1))]));
  const a = flat(call.tensor(0));
  const b = call.tensor(1);
  const [wholeA, wholeB] = [call.whole(0), call.whole(1)];
  const turned = call.flag('transB') ? (wholeB?.permute([1, 0]) ?? null) : wholeB;
  const isWhole = wholeA?.shape.length === 2 && !call.flag('transA') && turned !== null && areMatrices(wholeA, turned);
  let y = isWhole
    ? realProduct(wholeA, turned)
    : (call.flag('transA') ? a.transpose() : a).matmul(call.flag('transB') ? b.transpose() : b);
  const alpha = call.float('alpha', 1);
  const beta = call.float('beta', 1);
  if (alpha !== 1) y = y.mul(alpha);
  const c = call.optionalTensor(2);
  if (c === null || beta === 0) return device(call.type(0), y);
  return device(call.type(0), y.add(beta === 1 ? c : c.mul(beta)));
}

function matmul(call: Call): Result {
  const [a, b] = [call.whole(0), call.whole(1)];
  if (a !== null && b !== null && areMatrices(a, b)) return device(call.type(0), realProduct(a, b));
  return device(call.type(0), product(call.tensor(0), call.tensor(1)));
}

/** Rows of one batch are multiplied as one matrix. */
export function product(a: Tensor, b: Tensor): Tensor {
  if (a.dtype === 'int32' || b.dtype === 'int32') {
    // products of whole numbers as sums, exact in int32
    const left = a.rank === 1 ? a.unsqueeze(0) : a;
    const right = b.rank === 1 ? b.unsqueeze(1) : b;
    const y = left
      .unsqueeze(left.rank)
      .mul(right.unsqueeze(right.rank - 2))
      .sum(-2);
    const withoutRow = a.rank === 1 ? y.squeeze(y.rank - 2) : y;
    return b.rank === 1 ? withoutRow.squeeze(withoutRow.rank - 1) : withoutRow;
  }
  if (a.rank > 2 && b.rank === 2) {
    const rows = sizeOf(a.shape.slice(0, -1));
    return a
      .reshape([rows, a.shape.at(-1)!])
      .matmul(b)
      .reshape([...a.shape.slice(0, -1), b.shape[1]!]);
  }
  return a.matmul(b);
}

/** (A - zero of A) (B - zero of B) in whole numbers. */
function matmulInteger(call: Call): Result {
  const [a, b] = [wholeOf(call, 0, null, 2), wholeOf(call, 1, null, 3, 1)];
  if (a !== null && b !== null && areMatrices(a, b)) return device('int32', wholeProduct(a, b));
  const shifted = (position: number): Tensor => {
    const x = call.tensor(position);
    const zero = call.optionalTensor(position + 2);
    if (zero === null) return x;
    const isRows = position === 0 && zero.rank === 1 && zero.size > 1;
    return x.sub(isRows ? zero.unsqueeze(1) : zero);
  };
  return device('int32', product(shifted(0), shifted(1)));
}

function contract(call: Call): Result {
  const operands = call.inputs.map((_, k) => call.tensor(k));
  return device(call.type(0), einsum(call.text('equation', '').replaceAll(' ', ''), ...operands));
}

function determinant(call: Call): Result {
  const x = call.tensor(0);
  if (host.broadcast(x.shape.slice(-1), x.shape.slice(-2, -1)) === null) {
    throw call.shapeError(`matrices of [${x.shape.slice(-2).join(', ')}] are not square.`);
  }
  return device(call.type(0), det(x));
}

export const products: Readonly<Record<string, Operator>> = {
  Gemm: gemm,
  MatMul: matmul,
  MatMulInteger: matmulInteger,
  Einsum: contract,
  Det: determinant,
};

/**
 * Products of two operands that are whole numbers in bytes:
 *   sum (a - za) (b - zb) = sum a b - zb sum a - za (sum b - K zb),
 * in int32, where sums of constants are known before. Owns the arithmetic; what the operands are is values/whole.ts.
 */
import type { Tensor } from '@nn/core';
import { wholeConvolution } from '@nn/layers';
import type { Call } from '../run/call.ts';
import { plainMeaning, Whole } from '../values/whole.ts';
import type { Window } from './convolution.ts';

/**
 * An input of bytes with the scale and the zero point of others, each one number or along `axis`; null where they are neither, or it is
 * no input of bytes. `scale` null: 1.
 */
export function wholeOf(
  call: Call,
  position: number,
  scale: number | null,
  zero: number,
  axis: number | null = null,
): Whole | null {
  const value = call.value(position);
  if ((value.type !== 'int8' && value.type !== 'uint8') || value.shape.length < 2) return null;
  const along = axis === null ? null : axis < 0 ? axis + value.shape.length : axis;
  const isMeant = (t: Tensor): boolean =>
    t.size === 1 || (along !== null && t.rank === 1 && t.size === value.shape[along]);
  const offset = call.has(zero) ? call.value(zero) : null;
  const unit = scale === null ? null : call.tensor(scale);
  if ((unit !== null && !isMeant(unit)) || (offset !== null && !isMeant(offset.tensor))) return null;
  const isNone = offset === null || (offset.kind === 'host' && offset.data.every((level) => level === 0));
  const meaning = {
    scale: unit ?? plainMeaning().scale,
    zero: isNone ? null : offset.tensor,
    zeroNumber: isNone ? 0 : offset.kind === 'host' && offset.data.length === 1 ? offset.data[0]! : null,
    axis: along,
  };
  if (value.kind === 'host') return new Whole({ kind: 'constant', host: value }, meaning);
  const bytes = value.whole ?? new Whole({ kind: 'device', bytes: value.tensor.cast(value.type), bits: 8 }, meaning);
  return bytes.meaning(meaning);
}

/** Products of bytes whose sums int32 holds in any case: 255 * 255 * 2^15 < 2^31. */
const most = 2 ** 15;

/** Whether scales and zeros are one number, or lie along `axis`. */
const isAlong = (x: Whole, axis: number): boolean =>
  x.axis === axis || (x.scale.size === 1 && (x.zero === null || x.zero.size === 1));

/** Whether a matrix product can be made of the bytes: A [..., M, K] has one scale, B [K, N] one or one for each column. */
export function areMatrices(a: Whole, b: Whole): boolean {
  return a.shape.length >= 2 && b.shape.length === 2 && a.shape.at(-1)! <= most && isAlong(a, -1) && isAlong(b, 1);
}

/** sum (a - za) (b - zb) as int32 [..., M, N]. */
export function wholeProduct(a: Whole, b: Whole): Tensor {
  const inner = b.shape[0]!;
  const [width, rank] = [b.shape[1]!, a.shape.length];
  const order = a.shape.map((_, axis) => axis);
  const rows = (x: Tensor): Tensor => (rank === 2 ? x : x.reshape([-1, x.shape.at(-1)!]));
  // both lie along the inner axis
  let sums = rows(a.levels(order)).matmul(b.levels([1, 0]).transpose());
  if (b.zero !== null) sums = sums.sub(rows(a.sums([rank - 1])).mul(b.zero.reshape([-1])));
  if (a.zero !== null) {
    const columns = b.sums([0]).reshape([width]);
    const centred = b.zero === null ? columns : columns.sub(b.zero.reshape([-1]).mul(inner));
    sums = sums.sub(a.zero.reshape([]).mul(centred));
  }
  return rank === 2 ? sums : sums.reshape([...a.shape.slice(0, -1), width]);
}

/** What the sums of a matrix product stand for. */
export function realProduct(a: Whole, b: Whole): Tensor {
  const unit = a.scale.reshape([]).mul(b.scale.size === 1 ? b.scale.reshape([]) : b.scale.reshape([-1]));
  return wholeProduct(a, b).cast('float32').mul(unit);
}

/** Whether a convolution can be made of the bytes: x [N, C, ...] has one scale, w [O, C, ...] one or one for each output and no zeros. */
export function areWindows(x: Whole, w: Whole): boolean {
  const inner = w.shape.slice(1).reduce((product, size) => product * size, 1);
  return isAlong(x, -1) && isAlong(w, 0) && w.zero === null && inner <= most && x.shape.length === w.shape.length;
}

/** sum (x - zx) w of a convolution, as int32 [N, O, ...]. */
export function wholeWindows(x: Whole, w: Whole, { stride, dilation, pads }: Window, groups: number): Tensor {
  const space = x.shape.map((_, axis) => axis).slice(2);
  const last = [0, ...space, 1];
  const framed = x.levels(last, [[0, 0], ...pads, [0, 0]]);
  let sums = wholeConvolution(framed, w.levels(last), { stride, dilation, groups });
  if (x.zero !== null) {
    const ofOutputs = w.sums(w.shape.map((_, axis) => axis).slice(1)).reshape([-1]);
    sums = sums.sub(x.zero.reshape([]).mul(ofOutputs));
  }
  return sums.permute([0, space.length + 1, ...space.map((axis) => axis - 1)]);
}

/** What the sums of a convolution stand for. */
export function realWindows(x: Whole, w: Whole, window: Window, groups: number): Tensor {
  const ones = x.shape.slice(2).map(() => 1);
  const own = w.scale.size === 1 ? w.scale.reshape([]) : w.scale.reshape([-1, ...ones]);
  return wholeWindows(x, w, window, groups).cast('float32').mul(x.scale.reshape([]).mul(own));
}

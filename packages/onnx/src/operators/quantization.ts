/** Whole numbers in place of real ones: x = (q - zero) scale, for a tensor, an axis, or blocks of an axis. */
import type { Tensor } from '@nn/core';
import { type ElementType, rangeOf } from '../format/element-types.ts';
import { type Call, device, type Operator, type Result } from '../run/call.ts';
import type { DeviceTensor } from '../values/value.ts';
import { plainMeaning, Whole } from '../values/whole.ts';
import { biased, convolved, windowOf } from './convolution.ts';
import { product } from './products.ts';
import { areMatrices, areWindows, realProduct, realWindows, wholeOf, wholeWindows } from './whole-products.ts';

/** A scale or zero point beside x. */
function beside(call: Call, t: Tensor, x: readonly number[]): Tensor {
  if (t.size === 1) return t.reshape([]);
  const axis = call.axis(call.integer('axis', 1), x.length);
  if (t.rank === 1) return t.reshape(x.map((_, k) => (k === axis ? t.size : 1)));
  const block = call.integer('block_size', 0) || Math.ceil(x[axis]! / t.shape[axis]!);
  const wide = [...t.shape.slice(0, axis + 1), block, ...t.shape.slice(axis + 1)];
  const repeated = t
    .unsqueeze(axis + 1)
    .expand(wide)
    .reshape(t.shape.with(axis, t.shape[axis]! * block));
  return repeated.slice(
    x.map(() => 0),
    [...x],
  );
}

/** Real numbers from whole ones. */
function real(call: Call, x: Tensor, scale: Tensor, zero: Tensor | null): Tensor {
  const centred = zero === null ? x : x.sub(beside(call, zero, x.shape));
  return centred.cast('float32').mul(beside(call, scale, x.shape));
}

/** Whole numbers from real ones, cut at the ends of the type. */
function whole(call: Call, x: Tensor, scale: Tensor, zero: Tensor | null, type: ElementType): Tensor {
  const range = rangeOf(type);
  if (range === null) throw call.error(`quantizing to ${type} is not supported: whole types are.`);
  const rounded = x.div(beside(call, scale, x.shape)).round();
  const moved = zero === null ? rounded : rounded.add(beside(call, zero, x.shape).cast('float32'));
  return moved.clamp(range[0], range[1]).cast('int32');
}

/** Whole numbers as a value; those of 8 bits are stored as bytes. */
function inBytes(type: ElementType, q: Tensor, bits = 8): DeviceTensor {
  if (type !== 'int8' && type !== 'uint8') return device(type, q);
  const bytes = q.cast(type);
  const whole = new Whole({ kind: 'device', bytes, bits }, plainMeaning());
  return device(type, bytes.cast('int32'), { whole });
}

function quantize(call: Call): Result {
  const type = call.has(2) ? call.type(2) : call.elementType('output_dtype', 'uint8');
  const q = whole(call, call.tensor(0).cast('float32'), call.tensor(1), call.optionalTensor(2), type);
  return inBytes(type, q, lowBitsOf(call, type));
}

/** How many low bits of what QuantizeLinear gives can be other than 0, where its input was cut to levels of fewer than 8. */
function lowBitsOf(call: Call, type: ElementType): number {
  const [x, scale, zero] = [call.value(0), call.value(1), call.has(2) ? call.value(2) : null];
  const isKnown = scale.kind === 'host' && scale.data.length === 1 && (zero === null || zero.kind === 'host');
  if (type !== 'uint8' || x.kind !== 'device' || x.bounds === null || !isKnown) return 8;
  const offset = zero?.kind === 'host' ? (zero.data[0] ?? 0) : 0;
  // the level of the highest number; one of them may be rounded up
  const top = Math.round(x.bounds[1] / scale.data[0]!) + offset;
  return top < 1 || top > 127 ? 8 : Math.ceil(Math.log2(top + 1));
}

function dequantize(call: Call): Result {
  const y = real(call, call.tensor(0), call.tensor(1), call.optionalTensor(2));
  const whole =
    call.has(0) && call.integer('block_size', 0) === 0 ? wholeOf(call, 0, 1, 2, call.integer('axis', 1)) : null;
  return device(call.elementType('output_dtype', call.type(1)), y, { whole });
}

/** scale = (max - min) / 255 with 0 inside of the range, zero = round(-min / scale) */
function dynamic(call: Call): Result {
  const x = call.tensor(0);
  const low = x.min().minimum(0);
  const high = x.max().maximum(0);
  const scale = high.sub(low).div(255);
  const zero = low.neg().div(scale).round().clamp(0, 255);
  const y = x.div(scale).round().add(zero).clamp(0, 255);
  return [inBytes('uint8', y), device('float32', scale), device('uint8', zero)];
}

function multiplied(call: Call): Result {
  const at = (position: number): Tensor => {
    const x = call.tensor(position);
    const side = (t: Tensor): Tensor => (t.size === 1 || position === 3 ? t : t.unsqueeze(t.rank));
    return x
      .sub(side(call.tensor(position + 2)))
      .cast('float32')
      .mul(side(call.tensor(position + 1)));
  };
  const type = call.type(7);
  const [a, b] = [wholeOf(call, 0, 1, 2), wholeOf(call, 3, 4, 5, 1)];
  const y = a !== null && b !== null && areMatrices(a, b) ? realProduct(a, b) : product(at(0), at(3));
  return inBytes(type, whole(call, y, call.tensor(6), call.tensor(7), type));
}

/** (x - zero of x) * (w - zero of w), whole numbers that float32 holds exactly up to 2^24. */
function convolvedWhole(call: Call): Result {
  const shifted = (position: number): Tensor => {
    const x = call.tensor(position);
    const zero = call.optionalTensor(position + 2);
    return (zero === null ? x : x.sub(perChannel(zero, position, x.rank))).cast('float32');
  };
  const [x, w] = [wholeOf(call, 0, null, 2), wholeOf(call, 1, null, 3, 0)];
  if (x !== null && w !== null && areWindows(x, w) && x.shape.length <= 5) {
    const window = windowOf(call, w.shape.slice(2), x.shape.slice(2));
    return device('int32', wholeWindows(x, w, window, call.integer('group', 1)));
  }
  return device('int32', convolved(call, shifted(0), shifted(1)).round());
}

/** One number for a tensor, or one for each output channel of a weight. */
function perChannel(t: Tensor, position: number, rank: number): Tensor {
  if (t.size === 1) return t.reshape([]);
  return t.reshape(Array.from({ length: rank }, (_, k) => (k === (position === 0 ? 1 : 0) ? t.size : 1)));
}

/** A convolution of quantized inputs and weights, quantized again. The bias counts in scale of x times scale of w. */
function convolvedLinear(call: Call): Result {
  const at = (position: number): Tensor => {
    const x = call.tensor(position);
    const side = (t: Tensor): Tensor => perChannel(t, position, x.rank);
    return x
      .sub(side(call.tensor(position + 2)))
      .cast('float32')
      .mul(side(call.tensor(position + 1)));
  };
  const bias = call.optionalTensor(8);
  const unit = call.tensor(1).reshape([]).mul(call.tensor(4));
  const [x, w] = [wholeOf(call, 0, 1, 2), wholeOf(call, 3, 4, 5, 0)];
  const product =
    x !== null && w !== null && areWindows(x, w) && x.shape.length <= 5
      ? realWindows(x, w, windowOf(call, w.shape.slice(2), x.shape.slice(2)), call.integer('group', 1))
      : convolved(call, at(0), at(3));
  const y = biased(product, bias === null ? null : bias.cast('float32').mul(unit));
  const type = call.type(7);
  return inBytes(type, whole(call, y, call.tensor(6), call.tensor(7), type));
}

export const quantization: Readonly<Record<string, Operator>> = {
  QuantizeLinear: quantize,
  DequantizeLinear: dequantize,
  DynamicQuantizeLinear: dynamic,
  QLinearMatMul: multiplied,
  QLinearConv: convolvedLinear,
  ConvInteger: convolvedWhole,
};

/** Whole numbers in place of real ones: x = (q - zero) scale, for a tensor, an axis, or blocks of an axis. */
import type { Tensor } from '@nn/core';
import { type ElementType, rangeOf } from '../format/element-types.ts';
import { type Call, device, type Operator, type Result } from '../run/call.ts';
import { biased, convolved } from './convolution.ts';
import { product } from './products.ts';

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

function quantize(call: Call): Result {
  const type = call.has(2) ? call.type(2) : call.elementType('output_dtype', 'uint8');
  return device(type, whole(call, call.tensor(0).cast('float32'), call.tensor(1), call.optionalTensor(2), type));
}

function dequantize(call: Call): Result {
  return device(
    call.elementType('output_dtype', call.type(1)),
    real(call, call.tensor(0), call.tensor(1), call.optionalTensor(2)),
  );
}

/** scale = (max - min) / 255 with 0 inside of the range, zero = round(-min / scale) */
function dynamic(call: Call): Result {
  const x = call.tensor(0);
  const low = x.min().minimum(0);
  const high = x.max().maximum(0);
  const scale = high.sub(low).div(255);
  const zero = low.neg().div(scale).round().clamp(0, 255);
  const y = x.div(scale).round().add(zero).clamp(0, 255);
  return [device('uint8', y), device('float32', scale), device('uint8', zero)];
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
  return device(type, whole(call, product(at(0), at(3)), call.tensor(6), call.tensor(7), type));
}

/** (x - zero of x) * (w - zero of w), whole numbers that float32 holds exactly up to 2^24. */
function convolvedWhole(call: Call): Result {
  const shifted = (position: number): Tensor => {
    const x = call.tensor(position);
    const zero = call.optionalTensor(position + 2);
    return (zero === null ? x : x.sub(perChannel(zero, position, x.rank))).cast('float32');
  };
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
  const y = biased(convolved(call, at(0), at(3)), bias === null ? null : bias.cast('float32').mul(unit));
  const type = call.type(7);
  return device(type, whole(call, y, call.tensor(6), call.tensor(7), type));
}

export const quantization: Readonly<Record<string, Operator>> = {
  QuantizeLinear: quantize,
  DequantizeLinear: dequantize,
  DynamicQuantizeLinear: dynamic,
  QLinearMatMul: multiplied,
  QLinearConv: convolvedLinear,
  ConvInteger: convolvedWhole,
};

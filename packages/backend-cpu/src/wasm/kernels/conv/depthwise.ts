/**
 * Convolutions with few channels in a group: too thin for a matrix product. The batch is copied into a zero-padded
 * array once; there the convolution is an affine loop nest without conditions, which is vectorised as any other. The input
 * gradient is that of the cotangent with stride - 1 zeros between neighbours.
 */
import type { Kernel, Shape } from '@nn/core';
import { sizeOf, stridesOf } from '../../../shape.ts';
import { callVoid } from '../../code/instructions.ts';
import type { ModuleContext } from '../../code/module-context.ts';
import { emitNest } from '../../loops/emit.ts';
import { type KernelCode, kernelParameters, type Phase } from '../../loops/nest.ts';
import { BodyWriter } from '../body-writer.ts';
import { phaseOf } from '../driver.ts';
import { redirected } from '../operand.ts';
import type { SpecialRequest } from '../request.ts';
import type { ConvHint } from './geometry.ts';
import { clear, type Padding, pad, padding } from './padding.ts';

export function emitDepthwise(context: ModuleContext, request: SpecialRequest, hint: ConvHint): KernelCode {
  const { kernel, outStrides } = request;
  const { form, input, output } = hint;
  const source = form === 'input' ? output : input;
  const padded = paddedBatch(context, hint, source);
  // The padded array is one more read.
  const reads = [...kernel.reads, 'float32'] as const;
  const value = bodyOf(hint, padded, kernel.reads.length);
  const nest = emitNest(context, { kernel: { ...kernel, reads, value }, outStrides, outerAxes: null });
  const path = `conv ${form} by loops`;
  if (padded.bytes === 0) return { phases: [firstRead(context, kernel, nest)], scratch: 0, own: 0, path };
  const fill = phaseOf(context, kernel, 1, sizeOf(source), (driver) => [
    ...clear(padded, driver.scratch),
    ...pad(padded, driver, driver.scratch, driver.read(0)),
  ]);
  return { phases: [fill, redirected(context, kernel, nest, { extra: 0 })], scratch: padded.bytes, own: 0, path };
}

/** How far the taps of one output lie apart. */
const reachOf = ({ weight, dilation }: ConvHint): number[] =>
  weight.slice(2).map((extent, axis) => (extent - 1) * dilation[axis]!);

function paddedBatch(context: ModuleContext, hint: ConvHint, source: Shape): Padding {
  const { form, input, output, stride } = hint;
  const reach = reachOf(hint);
  const images = source[0]! * source[1]!;
  if (form === 'input') {
    const extents = input.slice(2).map((extent, axis) => extent + reach[axis]!);
    const before = hint.padding.map((zeros, axis) => reach[axis]! - zeros);
    return padding(context, images, source.slice(2), extents, before, stride);
  }
  const extents = output.slice(2).map((extent, axis) => (extent - 1) * stride[axis]! + reach[axis]! + 1);
  return padding(context, images, source.slice(2), extents, hint.padding);
}

/** One product of the sum, by the axes of the kernel: two channels or images, places, one summed, places or taps. */
function bodyOf(hint: ConvHint, padded: Padding, extra: number): Kernel['value'] {
  const { form, input, weight, output, stride, dilation, groups } = hint;
  const [inputs, filters, channels] = [input[1]!, output[1]!, weight[1]!];
  const own = filters / groups;
  const rank = weight.length - 2;
  const [channelStride, ...space] = padded.strides as [number, ...number[]];
  const steps = (factors: Shape): number[] => space.map((step, axis) => step * factors[axis]!);
  const body = new BodyWriter();
  const [first, second] = [body.axis(0), body.axis(1)];
  const here = space.map((_, axis) => body.axis(2 + axis));
  const inner = body.axis(2 + rank);
  const there = space.map((_, axis) => body.axis(3 + rank + axis));
  const zip = (axes: readonly number[], factors: readonly number[]): [number, number][] =>
    axes.map((axis, at) => [axis, factors[at]!]);
  const quotient = (a: number, divisor: number): number => body.alu('floorDiv', 'int32', a, body.integer(divisor));
  /** The place of channel `channel` of image `image` in an array of `count` channels. */
  const plane = (image: number, count: number, channel: number): number => body.add(body.times(image, count), channel);
  const product = (padIndex: number, otherIndex: number): Kernel['value'] => {
    const [a, b] = [body.load(extra, padIndex), body.load(1, otherIndex)];
    body.alu('mul', 'float32', a, b);
    return body.ops;
  };
  if (form === 'weight') {
    // dw[o, c, k] = sum over n, y of x'[n, c, stride y + dilation k] dy[n, o, y].
    const place = plane(inner, inputs, body.add(body.times(quotient(first, own), channels), second));
    const outStride = stridesOf(output);
    return product(
      body.sum([[place, channelStride], ...zip(there, steps(stride)), ...zip(here, steps(dilation))]),
      body.sum([[inner, outStride[0]!], [first, outStride[1]!], ...zip(there, outStride.slice(2))]),
    );
  }
  const [filterStride, channelStep, ...tapStrides] = stridesOf(weight) as [number, number, ...number[]];
  if (form === 'forward') {
    // y[n, o, y] = sum over c, k of x'[n, c, stride y + dilation k] w[o, c, k].
    const place = plane(first, inputs, body.add(body.times(quotient(second, own), channels), inner));
    return product(
      body.sum([[place, channelStride], ...zip(here, steps(stride)), ...zip(there, steps(dilation))]),
      body.sum([[second, filterStride], [inner, channelStep], ...zip(there, tapStrides)]),
    );
  }
  // dx[n, c, y] = sum over o, k of w[o, c, k] dy'[n, o, y + reach - dilation k], dy' being the padded cotangent.
  const group = quotient(second, channels);
  const within = body.alu('floorMod', 'int32', second, body.integer(channels));
  const filter = body.add(body.times(group, own), inner);
  const origin = reachOf(hint).reduce((at, extent, axis) => at + extent * space[axis]!, 0);
  const back = steps(dilation).map((step) => -step);
  return product(
    body.sum([[plane(first, filters, filter), channelStride], ...zip(here, space), ...zip(there, back)], origin),
    body.sum([[filter, filterStride], [within, channelStep], ...zip(there, tapStrides)]),
  );
}

/** The phase with its extra read bound to the kernel's first. */
function firstRead(context: ModuleContext, kernel: Kernel, phase: Phase): Phase {
  const parameters = kernelParameters(kernel);
  const reference = context.module.function(null, parameters, [], (builder) => {
    const values = parameters.map((type, at) => builder.parameter(at, type));
    const reads = 1 + kernel.reads.length;
    const read = builder.parameter(1, 'i32');
    builder.emit(callVoid(phase.reference, ...values.slice(0, reads), read, ...values.slice(reads)));
  });
  return { ...phase, reference };
}

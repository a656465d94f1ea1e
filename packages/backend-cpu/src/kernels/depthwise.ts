/**
 * Convolutions with few channels in a group: too thin for a matrix product. The batch is copied into a zero-padded
 * array once; there the convolution is an affine loop nest without conditions, which is vectorised as any other.
 */
import type { Kernel, Op } from '@nn/core';
import { sizeOf, stridesOf } from '../shape.ts';
import { emitNest, type KernelCode, kernelParameters, type Phase } from '../wasm/emit.ts';
import { callVoid, i32, memory } from '../wasm/instructions.ts';
import type { ModuleContext } from '../wasm/module-context.ts';
import type { SpecialRequest } from '../wasm/special.ts';
import { type ConvHint, padding } from './conv-parts.ts';
import { redirected } from './operand.ts';

export function emitDepthwise(context: ModuleContext, request: SpecialRequest, hint: ConvHint): KernelCode | null {
  const { kernel, outStrides } = request;
  const { form, input, weight, output, stride, dilation, groups } = hint;
  const [inputs, filters] = [input[1] as number, output[1] as number];
  const [channels, own] = [weight[1] as number, filters / groups];
  const taps = weight.slice(2);
  const reach = taps.map((extent, axis) => (extent - 1) * (dilation[axis] as number));
  // The padded array: the input, or for the input gradient the cotangent with stride - 1 zeros between neighbours.
  const source = form === 'input' ? output : input;
  const extents =
    form === 'input'
      ? input.slice(2).map((extent, axis) => extent + (reach[axis] as number))
      : output.slice(2).map((extent, axis) => (extent - 1) * (stride[axis] as number) + (reach[axis] as number) + 1);
  const before = hint.padding.map((zeros, axis) => (form === 'input' ? (reach[axis] as number) - zeros : zeros));
  const count = (source[0] as number) * (source[1] as number);
  const pad = padding(context, count, source.slice(2), extents, before, form === 'input' ? stride : undefined);
  const scratch = pad.bytes;
  const space = pad.strides.slice(1);
  const channelStride = pad.strides[0] as number;

  const steps = (factors: readonly number[]): number[] => space.map((step, axis) => step * (factors[axis] as number));
  const ones = stride.map(() => 1);
  const tapSteps = steps(dilation);
  const weightStrides = stridesOf(weight);
  const ops: Op[] = [];
  const push = (op: Op): number => ops.push(op) - 1;
  const constant = (value: number): number => push({ dtype: 'int32', op: 'const', value });
  const word = (op: 'add' | 'mul' | 'floorDiv' | 'floorMod', a: number, b: number): number =>
    push({ dtype: 'int32', op, args: [a, b] });
  const axisAt = (axis: number): number => push({ dtype: 'int32', op: 'axis', axis });
  const sum = (terms: readonly (readonly [position: number, factor: number])[], start = 0): number =>
    terms.reduce((at, [position, factor]) => word('add', at, word('mul', position, constant(factor))), constant(start));
  const rank = taps.length;
  const [a0, a1] = [axisAt(0), axisAt(1)];
  const here = taps.map((_, axis) => axisAt(2 + axis));
  const inner = axisAt(2 + rank);
  const there = taps.map((_, axis) => axisAt(3 + rank + axis));
  const zip = (axes: readonly number[], factors: readonly number[]): [number, number][] =>
    axes.map((axis, at) => [axis, factors[at] as number]);
  const extra = kernel.reads.length;
  let loads: readonly [index: number, read: number][];
  if (form === 'forward') {
    const group = word('floorDiv', a1, constant(own));
    const channel = word('add', word('mul', group, constant(channels)), inner);
    const place = word('add', word('mul', a0, constant(inputs)), channel);
    loads = [
      [sum([[place, channelStride], ...zip(here, steps(stride)), ...zip(there, tapSteps)]), extra],
      [
        sum([
          [a1, weightStrides[0] as number],
          [inner, weightStrides[1] as number],
          ...zip(there, weightStrides.slice(2)),
        ]),
        1,
      ],
    ];
  } else if (form === 'weight') {
    const group = word('floorDiv', a0, constant(own));
    const channel = word('add', word('mul', group, constant(channels)), a1);
    const place = word('add', word('mul', inner, constant(inputs)), channel);
    const outStride = stridesOf(output);
    loads = [
      [sum([[place, channelStride], ...zip(there, steps(stride)), ...zip(here, tapSteps)]), extra],
      [sum([[inner, outStride[0] as number], [a0, outStride[1] as number], ...zip(there, outStride.slice(2))]), 1],
    ];
  } else {
    // dx[c, y] = sum over o, k of w[o, c, k] dy'[y + reach - k dilation], dy' being the padded cotangent.
    const group = word('floorDiv', a1, constant(channels));
    const within = word('floorMod', a1, constant(channels));
    const filter = word('add', word('mul', group, constant(own)), inner);
    const place = word('add', word('mul', a0, constant(filters)), filter);
    const origin = reach.reduce((at, extent, axis) => at + extent * (space[axis] as number), 0);
    const back = tapSteps.map((step) => -step);
    loads = [
      [sum([[place, channelStride], ...zip(here, steps(ones)), ...zip(there, back)], origin), extra],
      [
        sum([
          [filter, weightStrides[0] as number],
          [within, weightStrides[1] as number],
          ...zip(there, weightStrides.slice(2)),
        ]),
        1,
      ],
    ];
  }
  const values = loads.map(([index, read]) => push({ dtype: 'float32', op: 'load', read, index }));
  push({ dtype: 'float32', op: 'mul', args: values });
  const padded: Kernel = { ...kernel, key: `${kernel.key} padded`, reads: [...kernel.reads, 'float32'], value: ops };
  const nest = emitNest(context, { kernel: padded, outStrides, outerAxes: null });
  const phases: Phase[] = [];
  if (pad.bytes > 0) {
    const reference = context.module.function(null, kernelParameters(kernel), [], (builder) => {
      const parameters = builder.parameters.length;
      const at = builder.parameter(parameters - 4, 'i32');
      const mine = builder.parameter(parameters - 3, 'i32');
      builder.emit(memory.fill(at, i32.const(0), i32.const(pad.bytes)));
      if (!pad.copy) return;
      const to = i32.add(at, i32.const(4 * pad.shift));
      builder.emit(
        callVoid(
          pad.copy.reference,
          to,
          builder.parameter(1, 'i32'),
          at,
          mine,
          i32.const(0),
          i32.const(pad.copy.units),
        ),
      );
    });
    phases.push({ reference, units: 1, grain: sizeOf(source) });
  }
  // Without padding the array is the first read itself.
  const last = pad.bytes > 0 ? redirected(context, kernel, nest, { extra: 0 }) : firstRead(context, kernel, nest);
  return { phases: [...phases, last], scratch, own: 0, path: `conv ${form} by loops` };
}

/** The phase with its extra read bound to the kernel's first. */
function firstRead(context: ModuleContext, kernel: Kernel, phase: Phase): Phase {
  const parameters = kernelParameters(kernel);
  const reference = context.module.function(null, parameters, [], (builder) => {
    const values = parameters.map((type, at) => builder.parameter(at, type));
    const reads = 1 + kernel.reads.length;
    builder.emit(
      callVoid(phase.reference, ...values.slice(0, reads), builder.parameter(1, 'i32'), ...values.slice(reads)),
    );
  });
  return { ...phase, reference };
}

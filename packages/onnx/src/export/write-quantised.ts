/**
 * Layers of whole numbers as ONNX has them (QDQ): an input is quantized and read back, the weights are read back from int8, and Gemm or
 * Conv stands between. Readers make one integer product of that. Owns these nodes; which layers they are of, `layer-calls.ts` says.
 */
import { ValueError } from '@nn/core';
import type { QuantisedAttributes } from './layer-calls.ts';
import type { Item } from './traces.ts';
import type { NodeWriter } from './write-nodes.ts';

/** From axes of channels last to channels first: [outputs, ...kernel, inputs] to [outputs, inputs, ...kernel]. */
function channelsFirst(data: ArrayLike<number>, [outputs, ...rest]: readonly number[]): Int8Array {
  const channels = rest.at(-1)!;
  const taps = rest.slice(0, -1).reduce((product, size) => product * size, 1);
  return Int8Array.from({ length: data.length }, (_, at) => {
    const tap = at % taps;
    const channel = Math.floor(at / taps) % channels;
    const output = Math.floor(at / (taps * channels));
    return output < outputs! ? data[(output * taps + tap) * channels + channel]! : 0;
  });
}

export function writeQuantised(
  writer: NodeWriter,
  { path, levels, geometry, relu, pool }: QuantisedAttributes,
  input: Item,
  rest: readonly (Item | null)[],
): string {
  const { builder } = writer;
  if (builder.opset < 13) {
    throw new ValueError(
      'encodeOnnx/opset',
      'whole numbers with a scale for each output need opset 13: { opset: 13 } or later.',
    );
  }
  const [weight, weightScale, bias, scale, zeroPoint] = rest.map((item) => item && writer.dataOf(item));
  if (!weight || !weightScale || !scale || !zeroPoint) {
    throw new ValueError(
      'encodeOnnx/weights',
      "a quantised layer whose input has a range of each sample is not written: quantise with { mode: 'static' }.",
    );
  }
  const shape = rest[0]![0]!.shape;
  const outputs = shape[0]!;
  const name = (what: string): string => builder.unique(path === '' ? what : `${path}.${what}`);
  const [step, zero] = [scale[0]!, zeroPoint[0]!];
  const type = levels.low < 0 ? 'int8' : 'uint8';
  const [low, high] = type === 'int8' ? [-128, 127] : [0, 255];

  // the type cuts at its own ends only
  let x = writer.value(input);
  if (levels.low !== low || levels.high !== high) {
    const ends = [levels.low, levels.high].map((level) =>
      builder.constant('float32', [], [Math.fround((level - zero) * step)]),
    );
    x = builder.add('Clip', [x, ...ends]);
  }
  const by = [builder.constant('float32', [], [step]), builder.constant(type, [], [zero])];
  const read = builder.add('DequantizeLinear', [builder.add('QuantizeLinear', [x, ...by]), ...by]);

  const scales = builder.weight(name('weight_scale'), 'float32', [outputs], weightScale);
  const kept = geometry === null ? Int8Array.from(weight) : channelsFirst(weight, shape);
  const keptShape = geometry === null ? shape : [outputs, shape.at(-1)!, ...shape.slice(1, -1)];
  const levelsOfWeight = builder.weight(name('weight'), 'int8', keptShape, kept);
  const weights = builder.add('DequantizeLinear', [levelsOfWeight, scales], { axis: 0 });
  const parts = [read, weights];
  if (bias) {
    // a bias counts in scale of the input times scale of the weight
    const units = Float32Array.from(weightScale, (own) => Math.fround(step * own));
    const counts = Int32Array.from(bias, (value, at) => Math.round(value / units[at]!));
    const whole = builder.weight(name('bias'), 'int32', [outputs], counts);
    const unit = builder.weight(name('bias_scale'), 'float32', [outputs], units);
    parts.push(builder.add('DequantizeLinear', [whole, unit], { axis: 0 }));
  }
  if (geometry !== null) {
    const { kernel, stride, dilation, padding, groups } = geometry;
    const y = builder.add('Conv', parts, {
      kernel_shape: kernel,
      strides: stride,
      dilations: dilation,
      ...(groups > 1 && { group: groups }),
      pads: [...padding.map(([before]) => before), ...padding.map(([, after]) => after)],
    });
    const positive = relu ? builder.add('Relu', [y]) : y;
    return pool === null ? positive : builder.add('MaxPool', [positive], { kernel_shape: pool, strides: pool });
  }
  if (input[0]!.shape.length === 2) return builder.add('Gemm', parts, { transB: 1 });
  const product = builder.add('MatMul', [read, builder.add('Transpose', [weights], { perm: [1, 0] })]);
  return parts[2] === undefined ? product : builder.add('Add', [product, parts[2]]);
}

/** Random numbers. They come from core's generator (`setSeed`), so they differ from those of other runtimes; a seed in the file is not used. */
import { categorical, normal, type Tensor, uniform } from '@nn/core';
import { type Call, device, type Operator, type Result } from '../run/call.ts';

const drawNormal = (call: Call, shape: readonly number[]): Tensor =>
  normal(shape, { mean: call.float('mean', 0), standardDeviation: call.float('scale', 1) });

const drawUniform = (call: Call, shape: readonly number[]): Tensor =>
  uniform(shape, { low: call.float('low', 0), high: call.float('high', 1) });

/** Of the shape of an attribute, or of the input. */
function drawing(draw: (call: Call, shape: readonly number[]) => Tensor, isLike: boolean): Operator {
  return (call) => {
    const shape = isLike ? call.shape(0) : call.integers('shape', []);
    const usual = isLike ? call.type(0) : 'float32';
    return device(call.elementType('dtype', usual), draw(call, shape));
  };
}

/** 1 with the probability that the input says. */
function bernoulli(call: Call): Result {
  const x = call.tensor(0);
  return device(call.elementType('dtype', call.type(0)), uniform(x.shape).less(x));
}

function multinomial(call: Call): Result {
  const x = call.tensor(0);
  const [batch, classes] = x.shape as [number, number];
  const count = call.integer('sample_size', 1);
  const rows = x.unsqueeze(1).expand([batch, count, classes]);
  return device(call.elementType('dtype', 'int32'), categorical(rows, -1));
}

export const chance: Readonly<Record<string, Operator>> = {
  RandomNormal: drawing(drawNormal, false),
  RandomNormalLike: drawing(drawNormal, true),
  RandomUniform: drawing(drawUniform, false),
  RandomUniformLike: drawing(drawUniform, true),
  Bernoulli: bernoulli,
  Multinomial: multinomial,
};

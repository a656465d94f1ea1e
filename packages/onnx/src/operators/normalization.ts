/** Normalisations, and what is only there in training: dropout. Batch statistics are left as parameters, so that networks can be fine-tuned. */
import { bernoulli, isParameter, noGradient, type Tensor } from '@nn/core';
import { type Call, device, type Operator, type Result, type Steps } from '../run/call.ts';
import { hostTensor, sizeOf } from '../values/value.ts';

/** A vector of channels beside [N, C, ...]. */
function besideChannels(vector: Tensor, rank: number): Tensor {
  return vector.reshape([vector.size, ...new Array<number>(Math.max(0, rank - 2)).fill(1)]);
}

/** scale (x - mean) / sqrt(variance + epsilon) + bias, as one product and one sum an element. */
function scaledTo(x: Tensor, mean: Tensor, variance: Tensor, scale: Tensor, bias: Tensor, epsilon: number): Tensor {
  const factor = scale.div(variance.add(epsilon).sqrt());
  const rest = bias.sub(mean.mul(factor));
  return x.mul(besideChannels(factor, x.rank)).add(besideChannels(rest, x.rank));
}

/**
 * With the statistics of the file; in training (`trains` of the model, or `training_mode` of the node) with those of the batch, which move the running ones: m <- momentum m + (1 - momentum) batch.
 */
function batchNorm(call: Call): Result {
  const x = call.tensor(0);
  const [scale, bias, mean, variance] = [call.tensor(1), call.tensor(2), call.tensor(3), call.tensor(4)];
  const epsilon = call.float('epsilon', 1e-5);
  const momentum = call.float('momentum', 0.9);
  const asksForBatch =
    call.version >= 14 ? call.flag('training_mode') : call.version < 7 && !call.flag('is_test') && call.wants(1);
  const type = call.type(0);
  if (!asksForBatch && !(call.trains && isParameter(mean))) {
    return device(type, scaledTo(x, mean, variance, scale, bias, epsilon));
  }
  const axes = x.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
  const batchMean = x.mean(axes);
  const batchVariance = x.variance(axes, { correction: 0 });
  const y = scaledTo(x, batchMean, batchVariance, scale, bias, epsilon);
  const moved = (running: Tensor, batch: Tensor): Tensor =>
    noGradient(() => running.mul(momentum).add(batch.stopGradient().mul(1 - momentum)));
  const [nextMean, nextVariance] = [moved(mean, batchMean), moved(variance, batchVariance)];
  if (call.trains && isParameter(mean) && isParameter(variance)) {
    mean.assign(nextMean);
    variance.assign(nextVariance);
  }
  return [device(type, y), device(type, nextMean), device(type, nextVariance)].slice(0, call.node.outputs.length);
}

/** (x - mean) / sqrt(variance + epsilon) over axes. */
function standardized(
  x: Tensor,
  axes: readonly number[],
  epsilon: number,
): { y: Tensor; mean: Tensor; inverse: Tensor } {
  const mean = x.mean(axes, { keepAxes: true });
  const centred = x.sub(mean);
  const inverse = centred.square().mean(axes, { keepAxes: true }).add(epsilon).rsqrt();
  return { y: centred.mul(inverse), mean, inverse };
}

function instanceNorm(call: Call): Result {
  const x = call.tensor(0);
  const { y } = standardized(
    x,
    x.shape.slice(2).map((_, k) => k + 2),
    call.float('epsilon', 1e-5),
  );
  return device(
    call.type(0),
    y.mul(besideChannels(call.tensor(1), x.rank)).add(besideChannels(call.tensor(2), x.rank)),
  );
}

const axesFrom = (axis: number, rank: number): number[] => Array.from({ length: rank - axis }, (_, k) => axis + k);

function layerNorm(call: Call): Result {
  const x = call.tensor(0);
  const axis = call.axis(call.integer('axis', -1), x.rank);
  const { y, mean, inverse } = standardized(x, axesFrom(axis, x.rank), call.float('epsilon', 1e-5));
  const bias = call.optionalTensor(2);
  const scaled = y.mul(call.tensor(1));
  const type = call.type(0);
  return [device(type, bias === null ? scaled : scaled.add(bias)), device('float32', mean), device('float32', inverse)];
}

function rmsNorm(call: Call): Result {
  const x = call.tensor(0);
  const axis = call.axis(call.integer('axis', -1), x.rank);
  const scale = x.square().mean(axesFrom(axis, x.rank), { keepAxes: true }).add(call.float('epsilon', 1e-5)).rsqrt();
  return device(call.type(0), x.mul(scale).mul(call.tensor(1)));
}

function groupNorm(call: Call): Result {
  const x = call.tensor(0);
  const groups = call.integer('num_groups', 1);
  const [batch, channels] = x.shape as [number, number];
  if (channels % groups !== 0) throw call.shapeError(`${channels} channels do not make ${groups} groups.`);
  const { y } = standardized(x.reshape([batch, groups, -1]), [2], call.float('epsilon', 1e-5));
  const perChannel = (vector: Tensor): Tensor => {
    // opset 18 has one number for each group
    const wide =
      vector.size === groups && groups !== channels
        ? vector.reshape([groups, 1]).expand([groups, channels / groups])
        : vector;
    return besideChannels(wide.reshape([channels]), x.rank);
  };
  return device(
    call.type(0),
    y
      .reshape(x.shape)
      .mul(perChannel(call.tensor(1)))
      .add(perChannel(call.tensor(2))),
  );
}

function lpNorm(call: Call): Result {
  const x = call.tensor(0);
  const axis = call.axis(call.integer('axis', -1), x.rank);
  const order = call.integer('p', 2);
  const norm = order === 1 ? x.abs().sum(axis, { keepAxes: true }) : x.square().sum(axis, { keepAxes: true }).sqrt();
  return device(call.type(0), x.div(norm.equal(0).cast('float32').add(norm)));
}

/** (x - mean) / sqrt(mean of squares - square of the mean) */
function meanVariance(call: Call): Result {
  const x = call.tensor(0);
  const axes = call.axes(call.integers('axes', [0, 2, 3]), x.rank);
  const mean = x.mean(axes, { keepAxes: true });
  const deviation = x.square().mean(axes, { keepAxes: true }).sub(mean.square()).sqrt();
  return device(call.type(0), x.sub(mean).div(deviation.add(1e-9)));
}

/** The input itself, unless the model is trained or the file says so. */
function* dropout(call: Call): Steps<Result> {
  const x = call.value(0);
  const rate = call.has(1) ? ((yield* call.host(1)).data[0] ?? 0.5) : call.float('ratio', 0.5);
  const asked = call.has(2)
    ? (yield* call.host(2)).data[0] !== 0
    : call.version < 7 && call.attribute('is_test') !== undefined && !call.flag('is_test');
  const maskType = call.version >= 10 ? 'bool' : x.type;
  if ((asked || call.trains) && rate > 0) {
    const kept = bernoulli(x.shape, 1 - rate);
    return [device(x.type, x.tensor.mul(kept).div(1 - rate)), device(maskType, kept)].slice(
      0,
      call.node.outputs.length,
    );
  }
  if (!call.wants(1)) return x;
  return [x, hostTensor(maskType, x.shape, new Float64Array(sizeOf(x.shape)).fill(1))];
}

export const normalization: Readonly<Record<string, Operator>> = {
  BatchNormalization: batchNorm,
  InstanceNormalization: instanceNorm,
  LayerNormalization: layerNorm,
  RMSNormalization: rmsNorm,
  GroupNormalization: groupNorm,
  LpNormalization: lpNorm,
  MeanVarianceNormalization: meanVariance,
  Dropout: dropout,
};

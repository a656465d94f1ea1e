/** The two losses that ONNX has, with weights, ignored classes and every reduction. */
import { type Tensor, where } from '@nn/core';
import { type Call, device, type Operator, type Result } from '../run/call.ts';
import { sizeOf } from '../values/value.ts';

/** -weight[target] * logProbability[target], then the reduction. logProbabilities [N, C, ...], target [N, ...]. */
function negativeLogLikelihood(call: Call, logProbabilities: Tensor): Tensor {
  const target = call.tensor(1);
  const weight = call.optionalTensor(2);
  const ignored = call.attribute('ignore_index')?.integer;
  const isIgnored = ignored === undefined ? null : target.equal(ignored);
  const safe = isIgnored === null ? target : where(isIgnored, 0, target);
  const picked = logProbabilities.takeAlong(safe.unsqueeze(1), 1).squeeze(1);
  let weights = weight === null ? null : weight.gather(safe.reshape([sizeOf(safe.shape)]), 0).reshape(safe.shape);
  if (isIgnored !== null) weights = where(isIgnored, 0, weights ?? 1).expand(safe.shape);
  const losses = weights === null ? picked.neg() : picked.mul(weights).neg();
  const reduction = call.text('reduction', 'mean');
  if (reduction === 'none') return losses;
  if (reduction === 'sum') return losses.sum();
  return weights === null ? losses.mean() : losses.sum().div(weights.sum());
}

export const losses: Readonly<Record<string, Operator>> = {
  NegativeLogLikelihoodLoss: (call) => device(call.type(0), negativeLogLikelihood(call, call.tensor(0))),
  SoftmaxCrossEntropyLoss: (call): Result => {
    const logProbabilities = call.tensor(0).logSoftmax(1);
    const type = call.type(0);
    return [device(type, negativeLogLikelihood(call, logProbabilities)), device(type, logProbabilities)];
  },
};

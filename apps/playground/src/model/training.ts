/**
 * The loss, the penalty on the weights and the optimizer of an experiment, as functions of the description.
 * The generated program (program.ts) writes the same expressions; a test trains both and compares.
 */
import type { Parameter, Tensor } from '@nn/core';
import { oneHot } from '@nn/core';
import { bceWithLogits, crossEntropy, huber, l1, meanSquaredError, sigmoid, softmax } from '@nn/layers';
import {
  Adam,
  AdamW,
  cosineDecay,
  exponentialDecay,
  oneCycle,
  RMSprop,
  type Schedule,
  SGD,
  stepDecay,
  warmUp,
} from '@nn/optim';
import type { Goal, LossName, Spec } from './spec.ts';

/** The losses that a goal has. The first stands for those that it does not have. */
export function lossesOf(goal: Goal): readonly LossName[] {
  return goal === 'quantity' ? ['meanSquaredError', 'l1', 'huber'] : ['crossEntropy', 'meanSquaredError'];
}

export function lossNameOf(goal: Goal, wanted: LossName): LossName {
  const known = lossesOf(goal);
  return known.includes(wanted) ? wanted : (known[0] as LossName);
}

/** The mean loss of a batch: outputs [N, outputs] with targets [N] (classes) or [N, 1] (a quantity). */
export function lossOf(goal: Goal, wanted: LossName, output: Tensor, targets: Tensor): Tensor {
  const name = lossNameOf(goal, wanted);
  if (goal === 'quantity') {
    if (name === 'l1') return l1(output, targets);
    return name === 'huber' ? huber(output, targets) : meanSquaredError(output, targets);
  }
  if (goal === 'binary') {
    const logits = output.reshape([-1]);
    const truth = targets.cast('float32');
    return name === 'crossEntropy' ? bceWithLogits(logits, truth) : meanSquaredError(sigmoid(logits), truth);
  }
  if (name === 'crossEntropy') return crossEntropy(output, targets);
  return meanSquaredError(softmax(output), oneHot(targets, output.shape[1] ?? 1));
}

/** Whether the weights are kept small by a penalty. */
export const isPenalized = ({ penalty, penaltyRate }: Spec): boolean => penalty !== 'none' && penaltyRate !== 0;

/** rate * sum |w|, or rate / 2 * sum w^2, over the weights (not the biases). */
export function penaltyOf(spec: Spec, weights: readonly Parameter[]): Tensor | null {
  if (!isPenalized(spec)) return null;
  const terms = weights.map((weight) => (spec.penalty === 'l1' ? weight.abs().sum() : weight.square().sum().div(2)));
  return terms.reduce((sum, term) => sum.add(term)).mul(spec.penaltyRate);
}

/** The learning rate as a number or a function of the step. */
export function rateOf({ learningRate: rate, schedule, scheduleSteps: steps }: Spec): number | Schedule {
  switch (schedule) {
    case 'constant':
      return rate;
    case 'step':
      return stepDecay(rate, { every: Math.ceil(steps / 4), factor: 0.5 });
    case 'exponential':
      return exponentialDecay(rate, { factor: 0.01 ** (1 / steps) });
    case 'cosine':
      return cosineDecay(rate, { steps });
    case 'warmUp':
      return warmUp(cosineDecay(rate, { steps: Math.ceil(steps * 0.9) }), { steps: Math.ceil(steps * 0.1) });
    case 'oneCycle':
      return oneCycle(rate, { steps });
  }
}

export type AnyOptimizer = SGD | RMSprop | Adam;

export function makeOptimizer(spec: Spec, model: object): AnyOptimizer {
  const learningRate = rateOf(spec);
  switch (spec.optimizer) {
    case 'sgd':
      return new SGD(model, { learningRate });
    case 'momentum':
      return new SGD(model, { learningRate, momentum: 0.9 });
    case 'nesterov':
      return new SGD(model, { learningRate, momentum: 0.9, nesterov: true });
    case 'rmsprop':
      return new RMSprop(model, { learningRate });
    case 'adam':
      return new Adam(model, { learningRate });
    case 'adamw':
      return new AdamW(model, { learningRate });
  }
}

/** A last batch of one sample has no variance to normalise by. */
export function dropsLast(size: number, batchSize: number, layers: Spec['layers']): boolean {
  return size > batchSize && size % batchSize === 1 && layers.some(({ norm }) => norm === 'batch');
}

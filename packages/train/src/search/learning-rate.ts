/**
 * A learning rate found by trying: rates that grow from step to step, the losses they give, and the rate at which the loss
 * falls fastest. Owns the trial and its reading; the run is afterwards as it was before.
 */
import { checkOptions, isStateful, type Tensor, ValueError } from '@nn/core';
import { encodeCheckpoint, loadCheckpoint } from '@nn/serialize';
import { type Batches, countOf, requireBatches, requireStep } from '../batches.ts';
import type { Metrics, StepsOptimizer } from '../events.ts';
import { requireMetrics, statesOf } from '../metric-states.ts';
import { scalar } from '../weights.ts';

export interface FindLearningRateOptions<B> {
  readonly model: object;
  /** Its groups keep their ratios: the rates tried are those of the first group. */
  readonly optimizer: StepsOptimizer & object;
  /** Walked again and again until there are enough steps; a loader is afterwards where it was. */
  readonly data: Batches<B>;
  /** From a batch to the loss. */
  readonly step: (batch: B) => Tensor;
  /** Those that the step updates: they are as before afterwards. */
  readonly metrics?: Metrics;
  /** The first rate and the last. Default 1e-7 to 10. */
  readonly from?: number;
  readonly to?: number;
  /** Default 100. */
  readonly steps?: number;
}

export interface LearningRateFinding {
  readonly rates: readonly number[];
  readonly losses: readonly number[];
  /** The losses without their noise: an exponential mean. */
  readonly smoothed: readonly number[];
  /** Where the smoothed loss falls fastest by the logarithm of the rate: a good maximum. */
  readonly suggestion: number;
  /** A tenth of the rate with the lowest smoothed loss, or the suggestion where that is lower: the cautious choice. */
  readonly cautious: number;
  /** Whether the losses left all bounds before the last rate, as they should: else try a higher `to`. */
  readonly hasDiverged: boolean;
}

/** How much of the smoothed loss is old. */
const memory = 0.9;
/** Steps before the exponential mean is one of enough losses to be compared. */
const warmUp = 10;

/**
 * Finds a learning rate: trains for some steps while the rate grows evenly by its logarithm, until the loss is four times its
 * lowest. Model, optimizer and random state are brought back afterwards. (Smith 2017.)
 *
 * @example
 * import { setSeed } from '@nn/core';
 * import { DataLoader, moons } from '@nn/data';
 * import { crossEntropy, Linear, relu, Sequential } from '@nn/layers';
 * import { SGD } from '@nn/optim';
 * import { findLearningRate } from '@nn/train';
 * setSeed(1);
 * const model = new Sequential(new Linear(2, 16), relu, new Linear(16, 2));
 * const { suggestion } = await findLearningRate({
 *   model,
 *   optimizer: new SGD(model, { learningRate: 1 }),
 *   data: new DataLoader(moons(200, { seed: 1 }), { batchSize: 50 }),
 *   step: ({ inputs, targets }) => crossEntropy(model.forward(inputs), targets),
 *   from: 1e-3,
 *   to: 100,
 * });
 * console.log(suggestion > 0.01 && suggestion < 10); // => true
 */
export async function findLearningRate<B>(options: FindLearningRateOptions<B>): Promise<LearningRateFinding> {
  checkOptions('findLearningRate', options, ['model', 'optimizer', 'data', 'step', 'metrics', 'from', 'to', 'steps']);
  const { model, optimizer, data, step, metrics = {}, from = 1e-7, to = 10, steps = 100 } = options;
  requireBatches('findLearningRate', 'data', data);
  requireStep('findLearningRate', 'step', step);
  requireMetrics('findLearningRate', metrics);
  if (typeof model !== 'object' || !Array.isArray(optimizer?.groups)) {
    throw new ValueError('findLearningRate', 'give the model and its optimizer: both are brought back afterwards.');
  }
  if (!(from > 0 && to > from) || !Number.isInteger(steps) || steps < 10) {
    throw new ValueError(
      'findLearningRate',
      `from is ${from}, to ${to}, steps ${steps}: from is above 0 and below to, steps are 10 or more.`,
      { from, to, steps },
    );
  }
  const { groups } = optimizer;
  const before = groups.map((group) => group.schedule ?? group.learningRate);
  const first = groups[0]!.learningRate;
  const ratios = groups.map(({ learningRate }) => (first === 0 ? 1 : learningRate / first));
  const parts = { model, optimizer, ...(isStateful(data) && { data }) };
  const saved = await encodeCheckpoint(parts);
  const counted = await statesOf(metrics);
  const rates: number[] = [];
  const losses: number[] = [];
  const smoothed: number[] = [];
  let [mean, lowest] = [0, Number.POSITIVE_INFINITY];
  let hasDiverged = false;
  try {
    for await (const batch of repeated(data, steps)) {
      const rate = from * (to / from) ** (rates.length / (steps - 1));
      groups.forEach((group, at) => {
        group.learningRate = rate * ratios[at]!;
      });
      const loss = scalar(step(batch));
      await optimizer.step(loss);
      const value = await loss.item();
      mean = memory * mean + (1 - memory) * value;
      const smooth = mean / (1 - memory ** (rates.length + 1));
      if (rates.length >= warmUp) lowest = Math.min(lowest, smooth);
      hasDiverged = !Number.isFinite(value) || smooth > 4 * Math.abs(lowest);
      if (!Number.isFinite(value)) break;
      rates.push(rate);
      losses.push(value);
      smoothed.push(smooth);
      if (hasDiverged) break;
    }
  } finally {
    await loadCheckpoint(saved, parts);
    for (const [metric, state] of counted) metric.loadHostState(state);
    groups.forEach((group, at) => {
      group.learningRate = before[at]!;
    });
  }
  if (rates.length < 3) {
    throw new ValueError(
      'findLearningRate',
      `the loss was not finite after ${rates.length} steps: begin lower than ${from}.`,
      {
        from,
      },
    );
  }
  const settled = Math.min(warmUp, rates.length >> 1);
  const lowestAt = smoothed.indexOf(Math.min(...smoothed.slice(settled)), settled);
  const suggestion = rates[settled + steepestFall(smoothed.slice(settled, lowestAt + 1))]!;
  return {
    ...{ rates, losses, smoothed, hasDiverged },
    suggestion,
    cautious: Math.min(rates[lowestAt]! / 10, suggestion),
  };
}

/** Where a curve falls most over five points around it: one step is too few for its noise. */
function steepestFall(curve: readonly number[]): number {
  let [best, most] = [0, Number.NEGATIVE_INFINITY];
  for (let at = 0; at < curve.length; at++) {
    const [left, right] = [Math.max(0, at - 2), Math.min(curve.length - 1, at + 2)];
    const fall = right === left ? 0 : (curve[left]! - curve[right]!) / (right - left);
    if (fall > most) [best, most] = [at, fall];
  }
  return best;
}

/** Exactly so many batches, from the beginning again where the data ends. Throws for data that gives none. */
async function* repeated<B>(data: Batches<B>, steps: number): AsyncGenerator<B, void> {
  let made = 0;
  while (made < steps) {
    const atFirst = made;
    for await (const batch of data) {
      if (countOf(batch) === 0) continue;
      yield batch;
      if (++made === steps) return;
    }
    if (made === atFirst) {
      throw new ValueError('findLearningRate', 'the data gave no batch: it is empty, or a generator, which ends once.');
    }
  }
}

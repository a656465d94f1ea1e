/**
 * Samples drawn so that rare classes come more often than they are: equally often, by the square root, or more so from epoch
 * to epoch. A draw by weights (`weighted.ts`); samples that are made anew are `resampling/`.
 */
import { checkOptions, ValueError } from '@nn/core';
import { checkWhole } from '../check-whole.ts';
import { RandomSequence, streams } from '../samples/random.ts';
import { digest, type Sampler } from '../samples/sampler.ts';
import { drawAgain } from './weighted.ts';

export interface BalanceOptions {
  /**
   * A class of n samples comes in proportion to n to this power: 0, each class equally often; 0.5, the square root; 1, as
   * often as it is. 0 where not given.
   */
  readonly power?: number;
  /** Go from the shares as they are to those of `power` in a straight line over so many epochs. */
  readonly progressiveEpochs?: number;
  /** Samples in an epoch; as many as there are where not given. */
  readonly count?: number;
}

/**
 * Draws samples, with replacement, so that classes get the shares that `power` says; within a class all are equally
 * likely. Source: Kang et al., Decoupling Representation and Classifier for Long-Tailed Recognition (2020), equation 1;
 * `progressiveEpochs` is their progressively balanced sampling. Throws a `ValueError` for targets that are no whole numbers.
 *
 * @example
 * import { balancedSampler, DataLoader, Dataset, dense } from '@nn/data';
 * const data = new Dataset({ inputs: dense([[0], [1], [2], [3]]), targets: dense([0, 0, 0, 1], 'int32') });
 * const sampler = balancedSampler(data.fields.targets.data, { count: 4000 });
 * const rare = sampler.plan(1, 0, 32).order.filter((index) => index === 3);
 * console.log((rare.length / 4000).toFixed(1), new DataLoader(data, { sampler }).length); // => 0.5 125
 */
export function balancedSampler(targets: ArrayLike<number>, options: BalanceOptions = {}): Sampler {
  checkOptions('balancedSampler', options, ['power', 'progressiveEpochs', 'count']);
  const { power = 0, progressiveEpochs = 0, count = targets.length } = options;
  if (targets.length === 0) throw new ValueError('balancedSampler', 'there are no targets.');
  if (!(power >= 0 && power <= 1)) {
    throw new ValueError('balancedSampler', `power ${power} is not between 0 (equal shares) and 1 (as they are).`, {
      power,
    });
  }
  checkWhole('balancedSampler', { count });
  checkWhole('balancedSampler', { progressiveEpochs }, 0);
  const sizes = new Map<number, number>();
  for (let i = 0; i < targets.length; i++) {
    const target = targets[i]!;
    if (!Number.isInteger(target)) {
      throw new ValueError('balancedSampler', `target ${i} is ${target}; classes are whole numbers.`, { sample: i });
    }
    sizes.set(target, (sizes.get(target) ?? 0) + 1);
  }
  let sum = 0;
  for (const size of sizes.values()) sum += size ** power;
  const weightsAt = (progress: number): Float64Array =>
    Float64Array.from(targets, (target) => {
      const size = sizes.get(target)!;
      // (1 - t) / N + t n^power / sum / n: each class's share, divided by its size.
      return (1 - progress) / targets.length + (progress * size ** (power - 1)) / sum;
    });
  const fixed = drawAgain(weightsAt(1));
  const drawAt = (epoch: number) =>
    epoch >= progressiveEpochs ? fixed : drawAgain(weightsAt(epoch / progressiveEpochs));
  return {
    size: targets.length,
    signature: `balanced-${digest(targets, [power, progressiveEpochs, count])}`,
    endsBatches: false,
    plan: (seed, epoch) => ({ order: drawAt(epoch)(new RandomSequence(seed, streams.sampling + epoch), count) }),
  };
}

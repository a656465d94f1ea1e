/**
 * Samples drawn by weights, with or without putting them back. Owns the draw; what the weights mean is the caller's
 * (`balanced.ts` makes them of classes).
 */
import { checkOptions, ValueError } from '@nn/core';
import { everyIndex } from '../samples/dataset.ts';
import { RandomSequence, streams } from '../samples/random.ts';
import { digest, type Sampler } from '../samples/sampler.ts';

export interface WeightedOptions {
  /** Samples in an epoch; as many as there are where not given. */
  readonly count?: number;
  /** Whether a sample can come again in one epoch; true where not given. */
  readonly replacement?: boolean;
}

/**
 * Draws samples with chances in proportion to `weights`, one a sample. Without replacement each draw is among those that are
 * left, by the keys ln(u) / weight of Efraimidis and Spirakis (2006). Throws a `ValueError` for weights that
 * are negative or no numbers, and for more draws without replacement than there are positive weights.
 *
 * @example
 * import { weightedSampler } from '@nn/data';
 * const sampler = weightedSampler([0, 1, 0, 3]);
 * console.log(new Set(sampler.plan(1, 0, 2).order)); // => Set(2) { 3, 1 }
 */
export function weightedSampler(weights: ArrayLike<number>, options: WeightedOptions = {}): Sampler {
  checkOptions('weightedSampler', options, ['count', 'replacement']);
  const { count = weights.length, replacement = true } = options;
  const positive = checkWeights(weights);
  if (!Number.isInteger(count) || count < 1 || (!replacement && count > positive)) {
    throw new ValueError(
      'weightedSampler',
      replacement
        ? `count ${count} is not a whole number, 1 or more.`
        : `${count} samples without replacement, ${positive} have a positive weight; lower count, or set replacement: true.`,
      { count, positive },
    );
  }
  const draw = replacement ? drawAgain(weights) : drawOnce(weights);
  return {
    size: weights.length,
    signature: `weighted-${digest(weights, [count, Number(replacement)])}`,
    endsBatches: false,
    plan: (seed, epoch) => ({ order: draw(new RandomSequence(seed, streams.sampling + epoch), count) }),
  };
}

/** The number of positive weights. */
function checkWeights(weights: ArrayLike<number>): number {
  let [positive, sum] = [0, 0];
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i]!;
    if (!(typeof weight === 'number' && weight >= 0 && weight < Number.POSITIVE_INFINITY)) {
      throw new ValueError(
        'weightedSampler',
        `the weight of sample ${i} is ${typeof weight === 'number' ? weight : JSON.stringify(weight)}; weights are numbers, 0 or more.`,
        {
          sample: i,
          weight,
        },
      );
    }
    if (weight > 0) positive++;
    sum += weight;
  }
  // a draw would always be the last one
  if (sum === Number.POSITIVE_INFINITY) {
    throw new ValueError('weightedSampler', 'the sum of the weights is beyond 1.8e308: divide them by the largest.');
  }
  if (positive === 0) throw new ValueError('weightedSampler', 'no weight is positive, so there is nothing to draw.');
  return positive;
}

type Draw = (random: RandomSequence, count: number) => Int32Array;

/** By the inverse of the cumulative weights: the first whose sum is above u * total. */
export function drawAgain(weights: ArrayLike<number>): Draw {
  const sums = new Float64Array(weights.length);
  let total = 0;
  for (let i = 0; i < weights.length; i++) {
    total += weights[i]!;
    sums[i] = total;
  }
  return (random, count) =>
    Int32Array.from({ length: count }, () => {
      const wanted = random.fraction() * total;
      let [low, high] = [0, sums.length - 1];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (sums[middle]! > wanted) high = middle;
        else low = middle + 1;
      }
      // Rounding can carry u * total up to the total; a weight of 0 must stay without a chance.
      while (weights[low] === 0) low--;
      return low;
    });
}

/** The largest keys ln(u) / weight, in falling order. */
function drawOnce(weights: ArrayLike<number>): Draw {
  return (random, count) => {
    const keys = Float64Array.from(weights, (weight) => {
      const logarithm = Math.log(1 - random.fraction());
      return weight > 0 ? logarithm / weight : Number.NEGATIVE_INFINITY;
    });
    return everyIndex(keys.length)
      .sort((a, b) => (keys[a]! < keys[b]! ? 1 : keys[a]! > keys[b]! ? -1 : a - b))
      .slice(0, count);
  };
}

/**
 * Batches to which each sample belongs by a coin of its own, as differential privacy assumes. It makes no private training;
 * it makes the batches whose accounting is known. The random numbers are not cryptographic.
 */
import { ValueError } from '@nn/core';
import { RandomSequence, streams } from '../samples/random.ts';
import type { EpochPlan, Sampler } from '../samples/sampler.ts';

/**
 * Batches in which each of `size` samples stands with chance batchSize / size, on its own: batchSize on average, sometimes
 * none. An epoch has ceil(size / batchSize) batches; a sample may come in several or in none. Pad to buckets
 * (`padTo`) so that few shapes are compiled, and divide sums by batchSize, not by `count`. The gaps between chosen samples
 * are drawn, not the coins: floor(ln(u) / ln(1 - chance)). Source: Abadi et al., Deep Learning with Differential Privacy
 * (2016).
 *
 * @example
 * import { poissonSampler } from '@nn/data';
 * const { order, ends } = poissonSampler(1000).plan(1, 0, 100);
 * console.log(ends?.length, order.length > 800 && order.length < 1200); // => 10 true
 */
export function poissonSampler(size: number): Sampler {
  if (!Number.isInteger(size) || size < 1) {
    throw new ValueError('poissonSampler', `size ${size} is not a whole number, 1 or more; pass dataset.size.`, {
      size,
    });
  }
  return { size, signature: `poisson-${size}`, endsBatches: true, plan: (...at) => planPoisson(size, ...at) };
}

function planPoisson(size: number, seed: number, epoch: number, batchSize: number): EpochPlan {
  const random = new RandomSequence(seed, streams.sampling + epoch);
  const chance = Math.min(1, batchSize / size);
  const scale = Math.log1p(-chance);
  const order: number[] = [];
  const ends = Int32Array.from({ length: Math.ceil(size / batchSize) }, () => {
    // With chance 1 the scale is -Infinity and every gap 0.
    for (let index = -1; ; ) {
      index += 1 + Math.floor(Math.log(1 - random.fraction()) / scale);
      if (!(index < size)) return order.length;
      order.push(index);
    }
  });
  return { order: Int32Array.from(order), ends };
}

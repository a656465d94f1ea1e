/**
 * Batches of sequences of similar lengths, so that little is padded. Owns which sequences stand together; padding itself is
 * `samples/batches.ts`.
 */
import { checkOptions, ValueError } from '@nn/core';
import { checkWhole } from '../check-whole.ts';
import type { RaggedArray } from '../samples/dataset.ts';
import { RandomSequence, shuffledOrder, streams } from '../samples/random.ts';
import { digest, type EpochPlan, type Sampler } from '../samples/sampler.ts';

export interface LengthOptions {
  /**
   * Batches in a window: the sequences are shuffled, and sorted by length within windows. 50 where not given; more pads
   * less, and mixes less.
   */
  readonly window?: number;
  /** The most steps in a batch with its padding, rows times the longest: it gets fewer rows than batchSize where they are long. */
  readonly maxSteps?: number;
}

/**
 * Batches of sequences of similar lengths, in a drawn order; every sequence comes once an epoch. Takes the lengths, or the
 * field of sequences itself. Throws a `ValueError` for a sequence that is longer than `maxSteps`.
 *
 * @example
 * import { lengthSampler, ragged } from '@nn/data';
 * const words = ragged([[1], [1, 2, 3, 4], [2], [4, 3, 2, 1], [3], [5, 6, 7, 8]]);
 * const { order, ends } = lengthSampler(words).plan(1, 0, 3);
 * console.log(Array.from(order, (i) => i % 2), ends); // => [ 0, 0, 0, 1, 1, 1 ] Int32Array(2) [ 3, 6 ]
 */
export function lengthSampler(sequences: ArrayLike<number> | RaggedArray, options: LengthOptions = {}): Sampler {
  checkOptions('lengthSampler', options, ['window', 'maxSteps']);
  const { window = 50, maxSteps = Number.MAX_SAFE_INTEGER } = options;
  const lengths =
    'offsets' in sequences
      ? Float64Array.from(
          { length: sequences.offsets.length - 1 },
          (_, i) => sequences.offsets[i + 1]! - sequences.offsets[i]!,
        )
      : Float64Array.from(sequences);
  checkWhole('lengthSampler', { window, maxSteps });
  lengths.forEach((length, i) => {
    if (Number.isInteger(length) && length >= 0 && length <= maxSteps) return;
    throw new ValueError(
      'lengthSampler',
      length > maxSteps
        ? `sequence ${i} has ${length} steps, maxSteps is ${maxSteps}; raise it, or cut the sequence.`
        : `the length of sequence ${i} is ${length}, which is no whole number.`,
      { sequence: i, length },
    );
  });
  return {
    size: lengths.length,
    signature: `length-${digest(lengths, [window, maxSteps])}`,
    endsBatches: true,
    plan: (seed, epoch, batchSize) => planLengths(lengths, window, maxSteps, seed, epoch, batchSize),
  };
}

function planLengths(
  lengths: Float64Array,
  window: number,
  maxSteps: number,
  seed: number,
  epoch: number,
  batchSize: number,
): EpochPlan {
  const shuffled = shuffledOrder(lengths.length, seed, epoch);
  const batches: Int32Array[] = [];
  for (let start = 0; start < shuffled.length; start += window * batchSize) {
    // Sorting is stable: sequences of one length stay in their drawn order.
    const sorted = shuffled.slice(start, start + window * batchSize).sort((a, b) => lengths[a]! - lengths[b]!);
    let from = 0;
    for (let at = 1; at <= sorted.length; at++) {
      const rows = at - from;
      // In a sorted run the next one is the longest.
      const isFull = at === sorted.length || rows === batchSize || (rows + 1) * lengths[sorted[at]!]! > maxSteps;
      if (!isFull) continue;
      batches.push(sorted.subarray(from, at));
      from = at;
    }
  }
  const order = new Int32Array(lengths.length);
  const ends = new Int32Array(batches.length);
  const random = new RandomSequence(seed, streams.sampling + epoch);
  let end = 0;
  random.shuffle(Int32Array.from(batches, (_, i) => i)).forEach((batch, i) => {
    order.set(batches[batch]!, end);
    end += batches[batch]!.length;
    ends[i] = end;
  });
  return { order, ends };
}

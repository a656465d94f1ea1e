/**
 * In which order the samples of an epoch come: a function from position to index that needs no list where there are many samples.
 * It follows from seed and epoch alone. Which of them make a batch is the iteration's (`batch-pipeline.ts`).
 */
import { randomValue, ValueError } from '@nn/core';
import { shuffledOrder, streams } from '../samples/random.ts';
import type { Sampler } from '../samples/sampler.ts';
import type { Source } from './source.ts';

/** The order of one epoch. */
export interface EpochOrder {
  readonly length: number;
  at(position: number): number;
  /** Where a sampler ends batches. */
  readonly ends?: Int32Array;
}

export interface OrderOptions {
  readonly shuffle: boolean | 'blocks';
  /** Blocks that are mixed with each other. */
  readonly window: number;
  readonly sampler: Sampler | undefined;
}

/** Up to here a list of the order is cheap, and the order is that of a `DataLoader` with the same seed. */
const longestList = 2 ** 20;

export function orderOf(
  source: Pick<Source<unknown>, 'length' | 'blocks'>,
  { shuffle, window, sampler }: OrderOptions,
  seed: number,
  epoch: number,
  batchSize: number,
): EpochOrder {
  const { length } = source;
  if (sampler) {
    const { order, ends } = sampler.plan(seed, epoch, batchSize);
    return { length: order.length, at: (position) => order[position]!, ...(ends && { ends }) };
  }
  if (shuffle === false) return { length, at: (position) => position };
  if (shuffle === 'blocks') return blockOrder(source, window, seed, epoch);
  return { length, at: permutation(length, seed, epoch) };
}

/** The numbers from 0 to size - 1 in a drawn order, position by position; without a list where there are more than 2^20. */
export function permutation(size: number, seed: number, epoch: number): (position: number) => number {
  if (size <= longestList) {
    const order = shuffledOrder(size, seed, epoch);
    return (position) => order[position]!;
  }
  return feistel(size, seed, streams.order + epoch);
}

/**
 * A permutation by a Feistel network (Luby and Rackoff, 1988) of six rounds over the next even number of bits: halves (l, r) become
 * (r, l xor f(r)), which can be undone whatever f is. Results that are no number below `size` are put through again until
 * they are (cycle walking; Black and Rogaway, 2002): fewer than 4 times on average.
 */
export function feistel(size: number, seed: number, stream: number): (position: number) => number {
  const half = Math.max(1, Math.ceil(Math.log2(size) / 2));
  const mask = 2 ** half - 1;
  const rounds = 6;
  return (position) => {
    let value = position;
    do {
      let left = Math.floor(value / 2 ** half);
      let right = value % 2 ** half;
      for (let round = 0; round < rounds; round++) {
        const drawn = randomValue(seed, stream, right * rounds + round) * 2 ** 24;
        [left, right] = [right, left ^ (drawn & mask)];
      }
      value = left * 2 ** half + right;
    } while (value >= size);
    return value;
  };
}

/** Blocks in a drawn order; the samples of `window` blocks that follow each other in it are mixed. */
function blockOrder(
  { length, blocks }: Pick<Source<unknown>, 'length' | 'blocks'>,
  window: number,
  seed: number,
  epoch: number,
): EpochOrder {
  if (!blocks) {
    throw new ValueError('DataPipeline', "shuffle: 'blocks' needs a source that tells its blocks; use shuffle: true.");
  }
  const starts = Array.from(blocks);
  const lengthOf = (block: number): number => (starts[block + 1] ?? length) - starts[block]!;
  const drawn = shuffledOrder(starts.length, seed, epoch);
  // Where each block of the drawn order begins, in positions.
  const begins = new Float64Array(drawn.length + 1);
  drawn.forEach((block, i) => {
    begins[i + 1] = begins[i]! + lengthOf(block);
  });
  let mixed: { readonly window: number; readonly order: (position: number) => number } | undefined;
  return {
    length,
    at(position) {
      const number = Math.floor(blockAt(begins, position) / window);
      const first = number * window;
      const begin = begins[first]!;
      if (mixed?.window !== number) {
        const end = begins[Math.min(first + window, drawn.length)]!;
        mixed = { window: number, order: permutation(end - begin, (seed + 1 + number) | 0, epoch) };
      }
      const place = begin + mixed.order(position - begin);
      const block = blockAt(begins, place);
      return starts[drawn[block]!]! + place - begins[block]!;
    },
  };
}

/** The run that holds `place`: begins[i] <= place < begins[i + 1]. The last entry is where all end. */
export function blockAt(begins: ArrayLike<number>, place: number): number {
  let low = 0;
  let high = begins.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (begins[middle]! <= place) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * Random numbers on the host, for orders and generated samples: a counter over core's `randomValue`.
 * It owns no global state and never touches core's seed: what a seed gives depends on nothing else.
 * Everything in this package that is random draws from here.
 */
import { randomValue, ValueError } from '@nn/core';
import { everyIndex } from './dataset.ts';

/**
 * One stream for each use, so that two uses of one seed are independent. The lower 24 bits count (epochs, samples).
 * Core's own draws have streams below 2^24.
 */
export const streams: Readonly<
  Record<'order' | 'split' | 'points' | 'digits' | 'folds' | 'sampling' | 'resampling' | 'elements' | 'windows', number>
> = {
  order: 0x11000000,
  split: 0x12000000,
  points: 0x13000000,
  digits: 0x14000000,
  folds: 0x15000000,
  sampling: 0x16000000,
  resampling: 0x17000000,
  elements: 0x18000000,
  windows: 0x19000000,
};

/** Whether the value is an integer of 32 bits, signed or not. */
export function isSeed(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= -(2 ** 31) && (value as number) < 2 ** 32;
}

/** The seed as the int32 that `randomValue` takes; throws a `ValueError` for anything but an integer of 32 bits. */
export function checkSeed(operation: string, seed: number): number {
  if (!isSeed(seed)) {
    throw new ValueError(operation, `seed ${seed} is not an integer of 32 bits; pass one from 0 to 4294967295.`, {
      seed,
    });
  }
  return seed | 0;
}

/**
 * A sequence of random numbers that its seed and stream alone decide, equal on every machine.
 *
 * @example
 * import { RandomSequence } from '@nn/data';
 * const a = new RandomSequence(7);
 * const b = new RandomSequence(7);
 * console.log(a.uniform() === b.uniform()); // => true
 */
export class RandomSequence {
  private readonly seed: number;
  private readonly stream: number;
  private counter = 0;
  private spare: number | undefined;

  constructor(seed: number, stream = 0) {
    this.seed = checkSeed('RandomSequence', seed);
    this.stream = stream | 0;
  }

  /** A multiple of 2^-24 in [low, high). */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * randomValue(this.seed, this.stream, this.counter++);
  }

  /** A multiple of 2^-48 in [0, 1), of two draws: for choices among many, where 24 bits are too coarse. */
  fraction(): number {
    return this.uniform() + this.uniform() * 2 ** -24;
  }

  /** An integer in [0, below); the bias is under below / 2^48. */
  integer(below: number): number {
    return Math.floor(this.fraction() * below);
  }

  /** A normal number by the polar-free form of Box and Muller (1958): sqrt(-2 ln u) (cos 2 pi v, sin 2 pi v), two at a time. */
  normal(mean = 0, standardDeviation = 1): number {
    let value = this.spare;
    this.spare = undefined;
    if (value === undefined) {
      const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
      const angle = 2 * Math.PI * this.uniform();
      value = radius * Math.cos(angle);
      this.spare = radius * Math.sin(angle);
    }
    return mean + standardDeviation * value;
  }

  /** Shuffles in place, each order equally likely (Fisher and Yates). */
  shuffle(values: Int32Array): Int32Array {
    for (let last = values.length - 1; last > 0; last--) {
      const other = this.integer(last + 1);
      const value = values[last]!;
      values[last] = values[other]!;
      values[other] = value;
    }
    return values;
  }
}

/**
 * The numbers 0 to size - 1 in the order of one epoch: a pure function of size, seed and epoch, so that a resumed
 * run finds the same order again without having stored it.
 *
 * @example
 * import { shuffledOrder } from '@nn/data';
 * console.log(String(shuffledOrder(5, 1, 0)) === String(shuffledOrder(5, 1, 0))); // => true
 */
export function shuffledOrder(size: number, seed: number, epoch = 0): Int32Array {
  return new RandomSequence(seed, streams.order + epoch).shuffle(everyIndex(size));
}

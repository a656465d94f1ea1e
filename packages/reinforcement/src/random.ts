/**
 * Random numbers of games and agents: a counter over core's `randomValue`, whose whole state is three numbers, so that a
 * checkpoint can hold it. Nothing here touches core's seed.
 */
import { FormatError, randomValue, type Stateful, ValueError } from '@nn/core';

/** One stream a use, so that two uses of one seed are independent. (Those of `@nn/data` are 0x11... to 0x1f....) */
export const streams: Readonly<Record<'environment' | 'action' | 'replay' | 'order' | 'search' | 'space', number>> = {
  environment: 0x21000000,
  action: 0x22000000,
  replay: 0x23000000,
  order: 0x24000000,
  search: 0x25000000,
  space: 0x26000000,
};

/** The seed as an int32; throws a `ValueError` for anything but an integer of 32 bits. */
export function checkSeed(operation: string, seed: number): number {
  if (Number.isInteger(seed) && seed >= -(2 ** 31) && seed < 2 ** 32) return seed | 0;
  throw new ValueError(operation, `seed ${seed} is not an integer of 32 bits; pass one from 0 to 4294967295.`, {
    seed,
  });
}

/**
 * A stream of random numbers that its seed alone decides, equal on every machine, and that can be saved and taken up again.
 *
 * @example
 * import { RandomStream } from '@nn/reinforcement';
 * const stream = new RandomStream(7);
 * stream.uniform();
 * const state = stream.hostState();
 * const next = stream.uniform();
 * stream.loadHostState(state);
 * console.log(stream.uniform() === next); // => true
 */
export class RandomStream implements Stateful {
  #seed: number;
  #stream: number;
  #counter = 0;

  constructor(seed: number, stream = 0) {
    this.#seed = checkSeed('RandomStream', seed);
    this.#stream = stream | 0;
  }

  /** A multiple of 2^-24 in [low, high). */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * randomValue(this.#seed, this.#stream, this.#counter++);
  }

  /** An integer in [0, below), below at most 2^24. */
  integer(below: number): number {
    return Math.floor(this.uniform() * below);
  }

  /** A normal number of mean 0 and variance 1, by Box and Muller (1958): sqrt(-2 ln u) cos(2 pi v). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  /** An index drawn in proportion to weights of 0 and more, of which one at least is above 0. */
  choose(weights: ArrayLike<number>): number {
    let total = 0;
    for (let i = 0; i < weights.length; i++) total += weights[i]!;
    let left = this.uniform() * total;
    let last = 0;
    for (let i = 0; i < weights.length; i++) {
      if (!(weights[i]! > 0)) continue;
      last = i;
      left -= weights[i]!;
      if (left < 0) return i;
    }
    return last; // the sum was rounded
  }

  /** Shuffles in place, each order equally likely (Fisher and Yates). */
  shuffle<T extends Int32Array | number[]>(values: T): T {
    for (let last = values.length - 1; last > 0; last--) {
      const other = this.integer(last + 1);
      const value = values[last]!;
      values[last] = values[other]!;
      values[other] = value;
    }
    return values;
  }

  hostState(): readonly number[] {
    return [this.#seed, this.#stream, this.#counter];
  }

  loadHostState(state: unknown): void {
    if (!Array.isArray(state) || state.length !== 3 || !state.every(Number.isSafeInteger)) {
      throw new FormatError('RandomStream', 'a state is three integers: seed, stream, counter.', { state });
    }
    [this.#seed, this.#stream, this.#counter] = state as [number, number, number];
  }
}

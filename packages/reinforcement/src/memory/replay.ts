/** What was experienced, to be learned from again and again: uniformly, or what surprises first. */
import { FormatError, type Stateful, ValueError } from '@nn/core';
import type { RandomStream } from '../random.ts';
import { pack, unpack } from './packed.ts';

/** One step, or n of them: what was seen and done, what it gave, and what was seen then. */
export interface Transition {
  readonly observation: ArrayLike<number>;
  /** One number of a `Discrete` space, all of a `Box`. */
  readonly action: ArrayLike<number>;
  readonly reward: number;
  readonly nextObservation: ArrayLike<number>;
  /** What the value of the next observation counts: the discount to the power of the steps, 0 where the task ended. */
  readonly discount: number;
}

/** Rows of a replay, as arrays for tensors. */
export interface ReplayBatch {
  /** Where each was found, for `reprioritize`. */
  readonly places: Int32Array;
  /** [count, size] */
  readonly observations: Float32Array;
  /** [count, numbers] */
  readonly actions: Float32Array;
  readonly rewards: Float32Array;
  readonly nextObservations: Float32Array;
  readonly discounts: Float32Array;
  /** What each counts in the loss; 1 where rows are drawn uniformly. */
  readonly weights: Float32Array;
}

export interface ReplaySizes {
  /** Numbers of an observation. */
  readonly observation: number;
  /** Numbers of an action; 1 for a `Discrete` space. */
  readonly action: number;
}

/**
 * The last `capacity` transitions (Lin 1992; Mnih et al. 2015), drawn uniformly and with replacement. Its memory is taken at once:
 * 4 (2 observation + action + 2) bytes each.
 *
 * @example
 * import { RandomStream, Replay } from '@nn/reinforcement';
 * const replay = new Replay(100, { observation: 2, action: 1 });
 * replay.add({ observation: [1, 2], action: [0], reward: 1, nextObservation: [2, 3], discount: 0.99 });
 * const { rewards, nextObservations } = replay.sample(2, new RandomStream(1));
 * console.log(rewards, nextObservations); // => Float32Array(2) [ 1, 1 ] Float32Array(4) [ 2, 3, 2, 3 ]
 */
export class Replay implements Stateful {
  readonly capacity: number;
  readonly sizes: ReplaySizes;
  readonly #rows: Float32Array;
  readonly #width: number;
  #count = 0;
  #next = 0;

  constructor(capacity: number, sizes: ReplaySizes) {
    if (!Number.isInteger(capacity) || capacity < 1) {
      throw new ValueError('Replay', `capacity ${capacity} is not an integer of 1 and more.`, { capacity });
    }
    this.capacity = capacity;
    this.sizes = sizes;
    this.#width = 2 * sizes.observation + sizes.action + 2;
    this.#rows = new Float32Array(capacity * this.#width);
  }

  /** Transitions that it holds. */
  get size(): number {
    return this.#count;
  }

  /** Takes a transition, in place of the oldest where it is full; says where. */
  add({ observation, action, reward, nextObservation, discount }: Transition): number {
    const place = this.#next;
    const { observation: size, action: numbers } = this.sizes;
    const at = place * this.#width;
    this.#rows.set(observation, at);
    this.#rows.set(nextObservation, at + size);
    this.#rows.set(action, at + 2 * size);
    this.#rows[at + 2 * size + numbers] = reward;
    this.#rows[at + 2 * size + numbers + 1] = discount;
    this.#next = (place + 1) % this.capacity;
    this.#count = Math.min(this.#count + 1, this.capacity);
    return place;
  }

  /** `count` of them. */
  sample(count: number, random: RandomStream): ReplayBatch {
    this.requireSome();
    const places = Int32Array.from({ length: count }, () => random.integer(this.#count));
    return this.at(places, new Float32Array(count).fill(1));
  }

  protected requireSome(): void {
    if (this.#count === 0) throw new ValueError('Replay.sample', 'it is empty: add transitions first.');
  }

  protected at(places: Int32Array, weights: Float32Array): ReplayBatch {
    const { observation: size, action: numbers } = this.sizes;
    const count = places.length;
    const batch = {
      places,
      observations: new Float32Array(count * size),
      actions: new Float32Array(count * numbers),
      rewards: new Float32Array(count),
      nextObservations: new Float32Array(count * size),
      discounts: new Float32Array(count),
      weights,
    };
    places.forEach((place, i) => {
      const row = this.#rows.subarray(place * this.#width, (place + 1) * this.#width);
      batch.observations.set(row.subarray(0, size), i * size);
      batch.nextObservations.set(row.subarray(size, 2 * size), i * size);
      batch.actions.set(row.subarray(2 * size, 2 * size + numbers), i * numbers);
      batch.rewards[i] = row[2 * size + numbers]!;
      batch.discounts[i] = row[2 * size + numbers + 1]!;
    });
    return batch;
  }

  hostState(): unknown {
    const rows = pack(this.#rows.subarray(0, this.#count * this.#width));
    return { count: this.#count, next: this.#next, rows };
  }

  loadHostState(state: unknown): void {
    const { count, next, rows } = (state ?? {}) as Record<string, unknown>;
    const fits = Number.isInteger(count) && (count as number) >= 0 && (count as number) <= this.capacity;
    const bytes = fits ? unpack(rows, 4 * (count as number) * this.#width) : null;
    if (bytes === null || !Number.isInteger(next)) {
      throw new FormatError(
        'Replay',
        `the state is not one of at most ${this.capacity} transitions of ${this.#width} numbers.`,
        { capacity: this.capacity, width: this.#width },
      );
    }
    this.#rows.set(new Float32Array(bytes));
    this.#count = count as number;
    this.#next = next as number;
  }
}

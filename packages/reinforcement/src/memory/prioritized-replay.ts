/** Transitions drawn by how wrong the values were about them. */
import { FormatError, ValueError } from '@nn/core';
import type { RandomStream } from '../random.ts';
import { pack, unpack } from './packed.ts';
import { Replay, type ReplayBatch, type ReplaySizes, type Transition } from './replay.ts';

export interface PriorityOptions {
  /** How much priorities count: 0 is uniform, 1 in proportion; 0.6 by default. */
  readonly alpha?: number;
  /** How much of the bias the weights take away: 1 is all; 0.4 by default. */
  readonly beta?: number;
}

/**
 * Prioritised replay (Schaul et al. 2016, the proportional form): row i is drawn with probability p_i = priority_i^alpha / sum, and
 * counts (N p_i)^-beta over the largest such weight of the batch. What is new has the largest priority so far. `beta` may be changed
 * on the way, as the paper raises it to 1.
 *
 * @example
 * import { PrioritizedReplay, RandomStream } from '@nn/reinforcement';
 * const replay = new PrioritizedReplay(4, { observation: 1, action: 1 }, { alpha: 1 });
 * for (const x of [0, 1]) replay.add({ observation: [x], action: [0], reward: 0, nextObservation: [x], discount: 1 });
 * replay.reprioritize([0, 1], [0, 3]); // nothing to learn from the first
 * console.log(replay.sample(4, new RandomStream(1)).observations); // => Float32Array(4) [ 1, 1, 1, 1 ]
 */
export class PrioritizedReplay extends Replay {
  readonly alpha: number;
  beta: number;
  /** A tree in an array: node i has the children 2i and 2i + 1, and holds their sum; the leaves begin at `#leaves`. */
  readonly #sums: Float64Array;
  readonly #leaves: number;
  #largest = 1;

  constructor(capacity: number, sizes: ReplaySizes, { alpha = 0.6, beta = 0.4 }: PriorityOptions = {}) {
    super(capacity, sizes);
    for (const [name, value] of Object.entries({ alpha, beta })) {
      if (!(value >= 0 && value <= 1)) {
        throw new ValueError('PrioritizedReplay', `${name} ${value} is not a number from 0 to 1.`, { [name]: value });
      }
    }
    this.alpha = alpha;
    this.beta = beta;
    this.#leaves = 2 ** Math.ceil(Math.log2(capacity));
    this.#sums = new Float64Array(2 * this.#leaves);
  }

  override add(transition: Transition): number {
    const place = super.add(transition);
    this.#set(place, this.#largest ** this.alpha);
    return place;
  }

  /** New priorities of rows: the sizes of their errors. A tiny number is added, so that none is lost for good. */
  reprioritize(places: ArrayLike<number>, errors: ArrayLike<number>): void {
    for (let i = 0; i < places.length; i++) {
      const priority = Math.abs(errors[i]!);
      if (!Number.isFinite(priority)) {
        throw new ValueError('PrioritizedReplay.reprioritize', `the error ${i} is ${errors[i]}.`, { index: i });
      }
      this.#largest = Math.max(this.#largest, priority);
      this.#set(places[i]!, (priority + 1e-6) ** this.alpha);
    }
  }

  #set(place: number, priority: number): void {
    let node = this.#leaves + place;
    this.#sums[node] = priority;
    for (node >>= 1; node >= 1; node >>= 1) this.#sums[node] = this.#sums[2 * node]! + this.#sums[2 * node + 1]!;
  }

  override sample(count: number, random: RandomStream): ReplayBatch {
    this.requireSome();
    const total = this.#sums[1]!;
    const places = new Int32Array(count);
    const weights = new Float32Array(count);
    let largest = 0;
    for (let i = 0; i < count; i++) {
      // one draw from each of `count` equal parts of the whole
      let left = ((i + random.uniform()) / count) * total;
      let node = 1;
      while (node < this.#leaves) {
        node *= 2;
        // rounding must not lead to a place that holds nothing
        if (left >= this.#sums[node]! && this.#sums[node + 1]! > 0) left -= this.#sums[node++]!;
      }
      places[i] = node - this.#leaves;
      weights[i] = ((this.size * this.#sums[node]!) / total) ** -this.beta;
      largest = Math.max(largest, weights[i]!);
    }
    return this.at(
      places,
      weights.map((weight) => weight / largest),
    );
  }

  override hostState(): unknown {
    const priorities = pack(this.#sums.subarray(this.#leaves, this.#leaves + this.size));
    return { rows: super.hostState(), priorities, largest: this.#largest, beta: this.beta };
  }

  override loadHostState(state: unknown): void {
    const { rows, priorities, largest, beta } = (state ?? {}) as Record<string, unknown>;
    const { count } = (rows ?? {}) as Record<string, unknown>;
    const bytes = Number.isInteger(count) ? unpack(priorities, 8 * (count as number)) : null;
    if (bytes === null || typeof largest !== 'number' || typeof beta !== 'number') {
      throw new FormatError('PrioritizedReplay', 'a state has rows, as many priorities, largest and beta.');
    }
    super.loadHostState(rows);
    this.#sums.fill(0);
    new Float64Array(bytes).forEach((priority, place) => {
      this.#set(place, priority);
    });
    this.#largest = largest;
    this.beta = beta;
  }
}

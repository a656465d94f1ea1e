/**
 * Observers look at the values that pass a place, batch by batch, and say in the end for which range to quantise them. Owns those
 * that keep bounds only; `histogram.ts` has those that keep a histogram.
 */
import { ValueError } from '@nn/core';

/** What has to be covered. */
export interface ValueRange {
  readonly min: number;
  readonly max: number;
}

/** Something that looks at values. */
export interface Observer {
  /** Takes a batch of values into account. Throws ValueError for NaN and infinities. */
  observe(values: ArrayLike<number>): void;
  /** The range to quantise for. Throws ValueError before anything was observed. */
  range(): ValueRange;
}

/** The least and the greatest of some values. Throws ValueError where one of them is no number or infinite. */
export function boundsOf(values: ArrayLike<number>): ValueRange {
  let [min, max] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) {
      throw new ValueError('observe', `value ${i} is ${value}: only finite numbers have a range.`, { index: i, value });
    }
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min, max };
}

/** The range, or an error where nothing was observed. */
export function observed(range: ValueRange | null): ValueRange {
  if (range !== null) return range;
  throw new ValueError('range', 'nothing was observed: call observe(values) first.');
}

/**
 * The least and the greatest value of all. (torch.ao's `MinMaxObserver`.)
 *
 * @example
 * import { MinMaxObserver } from '@nn/compress';
 * const observer = new MinMaxObserver();
 * observer.observe([1, 2]);
 * observer.observe([-1, 0]);
 * console.log(observer.range()); // => { min: -1, max: 2 }
 */
export class MinMaxObserver implements Observer {
  #range: ValueRange | null = null;

  observe(values: ArrayLike<number>): void {
    if (values.length === 0) return;
    const { min, max } = boundsOf(values);
    const { min: least, max: most } = this.#range ?? { min, max };
    this.#range = { min: Math.min(least, min), max: Math.max(most, max) };
  }

  range(): ValueRange {
    return observed(this.#range);
  }
}

/**
 * Bounds that follow those of the batches slowly: bound += rate * (bound of the batch - bound), from the first batch on.
 * (torch.ao's `MovingAverageMinMaxObserver`.)
 *
 * @example
 * import { MovingAverageObserver } from '@nn/compress';
 * const observer = new MovingAverageObserver({ rate: 0.5 });
 * observer.observe([0, 2]);
 * observer.observe([0, 4]);
 * console.log(observer.range()); // => { min: 0, max: 3 }
 */
export class MovingAverageObserver implements Observer {
  readonly rate: number;
  #range: ValueRange | null = null;

  /** `rate`: the weight of a new batch, in (0, 1]. Default 0.01. */
  constructor(options: { readonly rate?: number } = {}) {
    this.rate = options.rate ?? 0.01;
    if (!(this.rate > 0 && this.rate <= 1)) {
      throw new ValueError('MovingAverageObserver', `rate is ${this.rate}: it must be above 0 and at most 1.`);
    }
  }

  observe(values: ArrayLike<number>): void {
    if (values.length === 0) return;
    const { min, max } = boundsOf(values);
    const last = this.#range;
    const moved = (from: number, to: number): number => Math.fround(from + this.rate * (to - from));
    this.#range = last === null ? { min, max } : { min: moved(last.min, min), max: moved(last.max, max) };
  }

  range(): ValueRange {
    return observed(this.#range);
  }
}

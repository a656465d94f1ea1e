/**
 * Samples that are kept one by one: the bounds of the device's buffer and of the host. Full is an error, never a loss. Owns
 * no tensor and no sample; sample-metric.ts writes them.
 */
import { type TensorData, ValueError } from '@nn/core';
import type { Kept } from './metric.ts';

/** The bounds of metrics that keep every sample. */
export interface RowOptions {
  /** The most samples of an epoch. Default 1,000,000. */
  readonly capacity?: number;
  /** The most samples between two reads, which are held on the device. Default 16,384. */
  readonly window?: number;
}

export class Rows {
  readonly width: number;
  /** The most rows on the device. */
  readonly window: number;
  readonly #capacity: number;
  readonly #owner: string;
  readonly #allCount: boolean;

  /** The first number of a row is its weight, unless `allCount`; rows of weight 0 are dropped. */
  constructor(owner: string, width: number, options: RowOptions, allCount = false) {
    const { capacity = 1_000_000, window = 16_384 } = options;
    for (const [option, value] of Object.entries({ capacity, window })) {
      if (Number.isInteger(value) && value > 0) continue;
      throw new ValueError(owner, `${option} is ${value}: it is a number of samples, from 1.`, { [option]: value });
    }
    [this.#owner, this.width, this.window, this.#capacity, this.#allCount] = [owner, width, window, capacity, allCount];
  }

  /** Throws ValueError unless there is room for as many rows on the device, and for them with the numbers kept on the host. */
  requireRoom(count: number, kept: number): void {
    this.#require(count, this.window, 'window', 'await read(...) more often, or set window');
    this.#require(kept / this.width + count, this.#capacity, 'capacity', 'set capacity, or take a binned metric');
  }

  #require(count: number, most: number, bound: string, advice: string): void {
    if (count <= most) return;
    throw new ValueError(
      this.#owner,
      `keeps every sample, and ${count} are above its ${bound} of ${most}: ${advice}.`,
      { [bound]: most },
    );
  }

  /** The first rows of a buffer, as far as they count. */
  counted(buffer: TensorData, count: number): TensorData {
    const { width } = this;
    const rows = buffer.subarray(0, count * width);
    return this.#allCount ? rows : rows.filter((_, at) => rows[at - (at % width)] !== 0);
  }

  /** More rows behind those that were kept. */
  join(kept: Kept, more: ArrayLike<number>): Kept {
    const all = new Float32Array(kept.length + more.length);
    this.requireRoom(0, all.length);
    all.set(kept);
    all.set(more, kept.length);
    return all;
  }
}

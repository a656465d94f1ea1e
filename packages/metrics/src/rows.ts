/**
 * Samples that are kept one by one: their place in the device's buffer, the bounds of that and of the host. Full is an
 * error, never a loss. Owns no tensor; sample-metric.ts writes where this says.
 */
import { ValueError } from '@nn/core';
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
  /** Rows on the device, which stand in front of what earlier windows left there. */
  position = 0;
  readonly #capacity: readonly [most: number, bound: string, advice: string];
  readonly #owner: string;
  readonly #allCount: boolean;
  /** The position of what is on its way to the host. */
  #taken = 0;

  /** The first number of a row is its weight, unless `allCount`; rows of weight 0 are dropped. */
  constructor(owner: string, width: number, options: RowOptions, allCount = false) {
    const { capacity = 1_000_000, window = 16_384 } = options;
    for (const [option, value] of Object.entries({ capacity, window })) {
      if (Number.isInteger(value) && value > 0) continue;
      throw new ValueError(owner, `${option} is ${value}: it is a number of samples, from 1.`, { [option]: value });
    }
    [this.#owner, this.width, this.window, this.#allCount] = [owner, width, window, allCount];
    this.#capacity = [capacity, 'capacity', 'set capacity, or take a binned metric'];
  }

  /** Throws ValueError unless there is room for more rows on the device, and with the numbers kept on the host. */
  requireRoom(more: number, kept: number): void {
    const count = this.position + more;
    this.#require(count, this.window, 'window', 'await read(...) more often, or set window');
    this.#require(kept / this.width + count, ...this.#capacity);
  }

  /** Rows that are written behind those that are there. */
  add(more: number, kept: number): void {
    this.requireRoom(more, kept);
    this.position += more;
  }

  #require(count: number, most: number, bound: string, advice: string): void {
    if (count <= most) return;
    throw new ValueError(
      this.#owner,
      `keeps every sample, and ${count} are above its ${bound} of ${most}: ${advice}.`,
      {
        [bound]: most,
      },
    );
  }

  /** What is there is on its way to the host. */
  take(): void {
    this.#taken = this.position;
  }

  /** The rows that were taken and count, of all that lies on the device. */
  counted(collected: ArrayLike<number>): number[] {
    const { width } = this;
    const rows = Array.from(collected).slice(0, this.#taken * width);
    return this.#allCount ? rows : rows.filter((_, at) => rows[at - (at % width)] !== 0);
  }

  /** More rows behind those that were kept. */
  join(kept: Kept | null, more: ArrayLike<number>): Kept {
    this.#require(((kept?.length ?? 0) + more.length) / this.width, ...this.#capacity);
    const all = new Float32Array((kept?.length ?? 0) + more.length);
    all.set(kept ?? []);
    all.set(more, kept?.length ?? 0);
    return all;
  }
}

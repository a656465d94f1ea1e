/** Rows that came and are not in a batch yet: filled from a feed, taken from the front. */
import { Dataset } from '../samples/dataset.ts';
import { type Columns, concatenate } from './collate.ts';
import type { Cursor, FedChunk, Feed } from './feeds.ts';

export class RowBuffer {
  readonly #feed: Feed;
  #chunks: (FedChunk & { readonly columns: Columns })[] = [];
  /** Rows of the first chunk that were taken. */
  #taken = 0;
  #count = 0;
  #isOver = false;

  constructor(feed: Feed) {
    this.#feed = feed;
  }

  get count(): number {
    return this.#count;
  }

  /** Whether the feed has ended. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Waits until there are `count` rows, or the feed ends. */
  async fill(count: number): Promise<void> {
    while (this.#count < count && !this.#isOver) {
      const chunk = await this.#feed.next();
      if (chunk === null) this.#isOver = true;
      else if (chunk.columns !== null) {
        this.#chunks.push({ ...chunk, columns: chunk.columns });
        this.#count += chunk.indices.length;
      }
    }
  }

  /** One row that is there, by its number from the front. */
  look(row: number): { readonly columns: Columns; readonly at: number; readonly index: number } {
    let at = row + this.#taken;
    for (const { columns, indices } of this.#chunks) {
      if (at < indices.length) return { columns, at, index: indices[at]! };
      at -= indices.length;
    }
    throw new RangeError(`there is no row ${row}`);
  }

  /** Takes rows that are there from the front. */
  take(count: number): { readonly columns: Columns; readonly indices: Int32Array; readonly end: Cursor } {
    const parts: Columns[] = [];
    const indices: number[] = [];
    let end: Cursor | undefined;
    while (indices.length < count) {
      const first = this.#chunks[0]!;
      const from = this.#taken;
      const to = Math.min(first.indices.length, from + count - indices.length);
      const isWhole = from === 0 && to === first.indices.length;
      const rows = Int32Array.from({ length: to - from }, (_, i) => from + i);
      parts.push(isWhole ? first.columns : new Dataset(first.columns).take(rows).fields);
      indices.push(...first.indices.slice(from, to));
      end = first.ends[to - 1];
      this.#taken = to;
      if (to === first.indices.length) {
        this.#chunks.shift();
        this.#taken = 0;
      }
    }
    this.#count -= count;
    return { columns: concatenate(parts), indices: Int32Array.from(indices), end: end! };
  }
}

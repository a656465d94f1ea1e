/**
 * Bounds what lies on a device without an owner. Uploads and results stand in lines, and past a budget uploads are dropped
 * (the host has them) and results move to host arrays, where the garbage collector sees them. So nothing is ever left for
 * users to dispose. A first upload is mostly a batch that never comes back: its line is short, so that a loop over batches
 * stays in the same memory; what is uploaded a second time has its place among the results, the least recently used first
 * (T. Johnson and D. Shasha, "2Q: A Low Overhead High Performance Buffer Management Replacement Algorithm", 1994).
 */
import type { Backend, Limits } from '../backend.ts';
import type { Storage } from '../graph/storage.ts';

/** The part of the budget that first uploads have. */
const firstShare = 1 / 128;

class Line {
  readonly #members = new Set<Storage>();
  readonly #budget: Limits['maxResident'];
  #bytes = 0;

  constructor(budget: Limits['maxResident']) {
    this.#budget = budget;
  }

  get next(): Storage | undefined {
    const [first] = this.#members;
    return first;
  }

  has(storage: Storage): boolean {
    return this.#members.has(storage);
  }

  add(storage: Storage): void {
    this.#members.add(storage);
    this.#bytes += storage.bytes;
  }

  delete(storage: Storage): void {
    if (this.#members.delete(storage)) this.#bytes -= storage.bytes;
  }

  get isOver(): boolean {
    return this.#members.size > this.#budget.count || this.#bytes > this.#budget.bytes;
  }
}

export class Residency {
  readonly #first: Line;
  readonly #rest: Line;
  readonly #backend: Backend;

  constructor(backend: Backend) {
    const { count, bytes } = backend.limits.maxResident;
    this.#backend = backend;
    this.#first = new Line({ count: count * firstShare, bytes: bytes * firstShare });
    this.#rest = new Line({ count, bytes });
  }

  /** The storage has a buffer here that nothing owns. */
  use(storage: Storage): void {
    if (storage.owners > 0 || this.#first.has(storage)) return;
    const isFirst = storage.host !== null && !storage.wasUploaded;
    storage.wasUploaded = true;
    this.#rest.delete(storage);
    (isFirst ? this.#first : this.#rest).add(storage);
  }

  /** The storage has an owner now, or no buffer any more. */
  remove(storage: Storage): void {
    this.#first.delete(storage);
    this.#rest.delete(storage);
  }

  /** Frees the device's copy of a storage. */
  drop(storage: Storage): void {
    this.remove(storage);
    if (storage.buffer === null) return;
    this.#backend.release(storage.buffer);
    storage.buffer = null;
    storage.backend = null;
  }

  /** Brings the lines back within their budgets; resolves when the results that had to move are on the host. */
  trim(): Promise<void> | undefined {
    const moves: Promise<void>[] = [];
    while (this.#first.isOver) this.drop(this.#first.next as Storage);
    while (this.#rest.isOver) {
      const oldest = this.#rest.next as Storage;
      this.remove(oldest);
      if (oldest.buffer === null) continue;
      if (oldest.host !== null) this.drop(oldest);
      else moves.push(this.#moveToHost(oldest));
    }
    return moves.length === 0 ? undefined : Promise.all(moves).then(() => undefined);
  }

  async #moveToHost(storage: Storage): Promise<void> {
    const data = await this.#backend.download(storage.buffer as object);
    // a parameter may have taken it over, or the last use may have given it away
    if (storage.owners > 0 || storage.buffer === null) return;
    storage.host = data;
    this.drop(storage);
  }
}

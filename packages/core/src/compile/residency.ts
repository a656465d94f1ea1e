/**
 * Bounds what lies on a device without an owner. Uploads and results stand in one line, the least recently used first;
 * past the budget, uploads are dropped (the host has them) and results move to host arrays, where the garbage collector
 * sees them. So nothing is ever left for users to dispose.
 */
import type { Backend } from '../backend.ts';
import type { Storage } from '../graph/storage.ts';

export class Residency {
  readonly #line = new Set<Storage>();
  #bytes = 0;
  readonly #backend: Backend;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  get count(): number {
    return this.#line.size;
  }

  /** The storage has a buffer here that nothing owns; it goes to the end of the line. */
  use(storage: Storage): void {
    if (storage.owners > 0) return;
    if (this.#line.delete(storage)) {
      this.#line.add(storage);
      return;
    }
    this.#line.add(storage);
    this.#bytes += storage.bytes;
  }

  /** The storage has an owner now, or no buffer any more. */
  remove(storage: Storage): void {
    if (this.#line.delete(storage)) this.#bytes -= storage.bytes;
  }

  /** Frees the device's copy of a storage. */
  drop(storage: Storage): void {
    this.remove(storage);
    if (storage.buffer === null) return;
    this.#backend.release(storage.buffer);
    storage.buffer = null;
    storage.backend = null;
  }

  get isOver(): boolean {
    const { count, bytes } = this.#backend.limits.maxResident;
    return this.#line.size > count || this.#bytes > bytes;
  }

  /** Brings the line back within its budget; resolves when the results that had to move are on the host. */
  trim(): Promise<void> | undefined {
    const moves: Promise<void>[] = [];
    while (this.isOver) {
      const [oldest] = this.#line;
      if (oldest === undefined) break;
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

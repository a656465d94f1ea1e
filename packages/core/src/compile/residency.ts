/**
 * Bounds what lies on a device. Values that no variable owns stand in lines, and past a budget uploads are dropped (the
 * host has them) and results move to host arrays, where the garbage collector sees them. A first upload is mostly a batch
 * that never comes back: its line is short, so that a loop over batches stays in the same memory; what is uploaded a second
 * time has its place among the results, the least recently used first (T. Johnson and D. Shasha, "2Q: A Low Overhead High
 * Performance Buffer Management Replacement Algorithm", 1994). What was read has a copy on the host, and mostly nobody computes
 * with it again: it has a short line as well, which always keeps the last one, so that a state that is carried from step to
 * step and looked at each time stays.
 * What variables own stays as long as it is used. It is given back when nobody can reach the variable any more, and past a
 * budget what has not been used for a while moves to the host. So nothing is ever left for users to dispose.
 * See docs/decisions/0019-memory-of-variables.md.
 */
import type { Backend, Limits } from '../backend.ts';
import type { Storage } from '../graph/storage.ts';
import type { Holding } from '../graph/variable.ts';
import { collectGarbage, collectionsSeen } from './garbage.ts';

/** The part of the budget that first uploads have. */
const firstShare = 1 / 128;
/** The part of the budget that values have which were read. */
const readShare = 1 / 32;
/** The part of the count of values that moves to the host at a time, if they are small. */
const togetherShare = 1 / 64;
const smallBytes = 4096;
/** The budget of owned memory, in budgets of values without an owner. */
const ownedShare = 2;
/** Owned memory that was not used by so many programs is cold. */
const warmPrograms = 64;
/** When owned memory has grown by so much since garbage was last collected, the collector is asked to look. */
const growthBeforeCollection = 128 * 2 ** 20;

/**
 * Values in the order in which they were last used. Each stands in one line at most, and knows its neighbours there: every
 * step of a training moves some, which a Set would pay with the holes that they leave.
 */
class Line {
  #head: Storage | null = null;
  #tail: Storage | null = null;
  #count = 0;
  readonly #budget: Limits['maxResident'];
  bytes = 0;

  constructor(budget: Limits['maxResident']) {
    this.#budget = budget;
  }

  get next(): Storage | null {
    return this.#head;
  }

  get members(): Storage[] {
    const members: Storage[] = [];
    for (let member = this.#head; member !== null; member = member.behind) members.push(member);
    return members;
  }

  has(storage: Storage): boolean {
    return storage.line === this;
  }

  add(storage: Storage): void {
    if (storage.line === this) return;
    storage.line?.delete(storage);
    storage.line = this;
    storage.before = this.#tail;
    if (this.#tail === null) this.#head = storage;
    else this.#tail.behind = storage;
    this.#tail = storage;
    this.#count++;
    this.bytes += storage.bytes;
  }

  delete(storage: Storage): void {
    if (storage.line !== this) return;
    const { before, behind } = storage;
    if (before === null) this.#head = behind;
    else before.behind = behind;
    if (behind === null) this.#tail = before;
    else behind.before = before;
    storage.line = null;
    storage.before = null;
    storage.behind = null;
    this.#count--;
    this.bytes -= storage.bytes;
  }

  get isOver(): boolean {
    return this.#count > this.#budget.count || this.bytes > this.#budget.bytes;
  }
}

/** Memory that a variable no longer has. Tensors may still have it; when they are gone too, it goes back to the device. */
interface Orphan {
  readonly backend: Backend;
  readonly buffer: object;
  readonly bytes: number;
  readonly storage: WeakRef<Storage>;
  readonly residency: Residency;
}

const orphans = /* @__PURE__ */ new FinalizationRegistry<Orphan>((orphan) => {
  orphan.residency.forget(orphan);
  try {
    orphan.backend.release(orphan.buffer);
  } catch {
    // A device that is gone or was closed has nothing to give back, and nobody is here who could read the error.
  }
});

/** Tells what a variable held that nobody can reach any more. */
const collected = /* @__PURE__ */ new FinalizationRegistry<{
  readonly holding: Holding;
  readonly residencyOf: (backend: Backend) => Residency;
}>(({ holding, residencyOf }) => {
  const { storage } = holding;
  holding.storage = null;
  if (storage === null) return;
  if (storage.owner === holding) storage.owner = null;
  if (--storage.owners > 0) return;
  if (storage.backend !== null) residencyOf(storage.backend).orphan(storage);
});

export class Residency {
  readonly #first: Line;
  readonly #read: Line;
  readonly #rest: Line;
  readonly #owned: Line;
  readonly #orphans = new Set<Orphan>();
  #orphanBytes = 0;
  readonly #budget: number;
  /** How many results move to the host at a time. */
  readonly #together: number;
  readonly #backend: Backend;
  readonly #residencyOf: (backend: Backend) => Residency;
  /** Counts programs. */
  #clock = 0;
  #nextLook = 0;
  /** Owned bytes when garbage was last collected, and the collection that was. */
  #ownedThen = 0;
  #collection = 0;

  constructor(backend: Backend, residencyOf: (backend: Backend) => Residency) {
    const { count, bytes } = backend.limits.maxResident;
    this.#backend = backend;
    this.#residencyOf = residencyOf;
    this.#first = new Line({ count: count * firstShare, bytes: bytes * firstShare });
    this.#read = new Line({ count: count * readShare, bytes: bytes * readShare });
    this.#rest = new Line({ count, bytes });
    this.#budget = bytes;
    this.#together = Math.floor(count * togetherShare);
    this.#owned = new Line({ count: Number.POSITIVE_INFINITY, bytes: bytes * ownedShare });
  }

  /** A program starts: what it uses is used now. */
  tick(): void {
    this.#clock++;
  }

  /** The storage has a buffer here. */
  use(storage: Storage): void {
    if (storage.owners > 0) {
      this.#own(storage);
      return;
    }
    if (this.#first.has(storage)) return;
    if (this.#read.has(storage)) {
      this.read(storage);
      return;
    }
    const isFirst = storage.host !== null && !storage.wasUploaded;
    storage.wasUploaded = true;
    this.#adopt(storage);
    this.#rest.delete(storage);
    (isFirst ? this.#first : this.#rest).add(storage);
  }

  /** The storage was read, so the host has its values too. */
  read(storage: Storage): void {
    this.remove(storage);
    this.#read.add(storage);
  }

  #own(storage: Storage): void {
    storage.usedAt = this.#clock;
    if (this.#owned.has(storage)) return;
    this.#adopt(storage);
    this.#owned.add(storage);
    const holding = storage.owner;
    const variable = holding === null || holding.isWatched ? undefined : holding.variable.deref();
    if (holding === null || variable === undefined) return;
    holding.isWatched = true;
    collected.register(variable, { holding, residencyOf: this.#residencyOf });
  }

  /** The storage has a variable now, or no buffer any more. */
  remove(storage: Storage): void {
    this.#adopt(storage);
    this.#owned.delete(storage);
    this.#first.delete(storage);
    this.#read.delete(storage);
    this.#rest.delete(storage);
  }

  /** The storage has no variable any more: its memory goes as soon as no tensor can read it either. */
  orphan(storage: Storage): void {
    this.remove(storage);
    if (storage.buffer === null) return;
    const { buffer } = storage;
    const { bytes } = storage;
    const orphan = { backend: this.#backend, buffer, bytes, storage: new WeakRef(storage), residency: this };
    this.#orphans.add(orphan);
    this.#orphanBytes += bytes;
    storage.orphan = orphan;
    orphans.register(storage, orphan, orphan);
  }

  forget(orphan: Orphan): void {
    if (this.#orphans.delete(orphan)) this.#orphanBytes -= orphan.bytes;
  }

  /** Somebody knows the storage again. */
  #adopt(storage: Storage): void {
    const orphan = storage.orphan as Orphan | null;
    if (orphan === null) return;
    storage.orphan = null;
    orphan.residency.forget(orphan);
    orphans.unregister(orphan);
  }

  /** Frees the device's copy of a storage. */
  drop(storage: Storage): void {
    this.remove(storage);
    if (storage.buffer === null) return;
    this.#backend.release(storage.buffer);
    storage.buffer = null;
    storage.backend = null;
  }

  /** Brings everything back within its budget; resolves when what had to move is on the host. */
  trim(): Promise<void> | undefined {
    const moves: Promise<void>[] = [];
    while (this.#first.isOver) this.drop(this.#first.next!);
    while (this.#read.isOver && this.#read.next!.behind !== null) this.drop(this.#read.next!);
    // small ones several at a time: waiting for one costs as much as a small step, and a loop that keeps its losses makes one a step
    let more = this.#rest.isOver ? this.#together : 0;
    for (let oldest = this.#rest.next; oldest !== null; oldest = this.#rest.next) {
      if (!this.#rest.isOver && (more <= 0 || oldest.bytes > smallBytes)) break;
      more--;
      this.remove(oldest);
      moves.push(this.#moveToHost(oldest));
    }
    let excess = this.#orphanBytes - this.#budget;
    if (excess > 0) {
      for (const storage of this.#reachableOrphans()) {
        moves.push(this.#moveToHost(storage));
        excess -= storage.bytes;
        if (excess <= 0) break;
      }
    }
    this.#ownedThen = Math.min(this.#ownedThen, this.#owned.bytes);
    if (this.#owned.bytes - this.#ownedThen > growthBeforeCollection) moves.push(this.#collect());
    if (this.#owned.isOver && this.#clock >= this.#nextLook) moves.push(this.#moveCold());
    return moves.length === 0 ? undefined : Promise.all(moves).then(() => undefined);
  }

  /** Makes as much room as can be made: for a program that found none. */
  async relieve(): Promise<void> {
    await this.#collect();
    const cold = this.#owned.members.filter(({ usedAt }) => usedAt < this.#clock);
    for (const storage of [
      ...this.#first.members,
      ...this.#read.members,
      ...this.#reachableOrphans(),
      ...this.#rest.members,
      ...cold,
    ]) {
      await this.#moveToHost(storage);
    }
  }

  #reachableOrphans(): Storage[] {
    return Array.from(this.#orphans, ({ storage }) => storage.deref()).filter((storage) => storage !== undefined);
  }

  async #collect(): Promise<void> {
    this.#ownedThen = this.#owned.bytes; // whoever asks meanwhile need not ask again
    this.#collection = collectionsSeen();
    await collectGarbage();
    if (collectionsSeen() > this.#collection) this.#ownedThen = this.#owned.bytes;
  }

  /** The values that were not used for longest move to the host, until the budget is kept or all others are in use. */
  async #moveCold(): Promise<void> {
    this.#nextLook = this.#clock + warmPrograms;
    const cold = this.#owned.members.filter(({ usedAt }) => usedAt + warmPrograms < this.#clock);
    cold.sort((a, b) => a.usedAt - b.usedAt);
    for (const storage of cold) {
      if (!this.#owned.isOver) return;
      if (storage.usedAt + warmPrograms < this.#clock) await this.#moveToHost(storage);
    }
  }

  async #moveToHost(storage: Storage): Promise<void> {
    const { buffer, owners } = storage;
    if (buffer === null || storage.backend !== this.#backend) return;
    if (storage.host === null) {
      const data = await this.#backend.download(buffer);
      // a variable may have taken it over, or the last use may have given it away
      if (storage.buffer !== buffer || (owners === 0 && storage.owners > 0)) return;
      storage.host = data;
    }
    this.drop(storage);
  }
}

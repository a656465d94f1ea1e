/**
 * The memory that threads share: a slot for each rank's numbers, one area for results, a counter of arrivals for each rank, and
 * the reason of an end. Owns the layout and waiting; what is computed in it is group.ts.
 */
import { GroupError } from '../group-error.ts';

/** Bytes of numbers that travel at once: longer arrays go in pieces. A multiple of 8, small enough for a cache. */
export const slotBytes: number = 1 << 20;
const reasonBytes = 2048;
/** Loads of a counter before a thread sleeps: about 20 microseconds, longer than most ranks are apart. */
const looks = 2000;

/** Positions in the words of the head. */
const head = { isOver: 0, reasonLength: 1 };

/** How many bytes `size` ranks share. */
export function bytesFor(size: number): number {
  return headBytes(size) + (size + 1) * slotBytes;
}

function headBytes(size: number): number {
  // a cache line for each rank's words, so that ranks do not slow each other
  return reasonBytes + 64 * size;
}

/** What a rank announces before its numbers are touched, so that ranks that say different things are told so. */
export type Announcement = readonly [call: number, kind: number, length: number];

export class SharedMemory {
  readonly rank: number;
  readonly size: number;
  readonly #timeout: number;
  readonly #buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #lines: Int32Array;
  #arrivals = 0;
  #announcements = 0;

  constructor(buffer: SharedArrayBuffer, rank: number, size: number, timeout: number) {
    [this.#buffer, this.rank, this.size, this.#timeout] = [buffer, rank, size, timeout];
    this.#words = new Int32Array(buffer, 0, reasonBytes / 4);
    this.#lines = new Int32Array(buffer, reasonBytes, 16 * size);
  }

  /** Where a rank's numbers lie; those of rank `size` are the results. */
  placeOf(rank: number): number {
    return headBytes(this.size) + rank * slotBytes;
  }

  get buffer(): SharedArrayBuffer {
    return this.#buffer;
  }

  /**
   * Says what this rank is about to do, waits until all have said theirs, and answers what each said. Places alternate: who is
   * quick may announce the next call while others still read.
   */
  announce(operation: string, said: Announcement): Announcement[] {
    const place = 1 + 3 * (this.#announcements++ % 2);
    said.forEach((word, at) => void Atomics.store(this.#lines, 16 * this.rank + place + at, word));
    this.meet(operation);
    return Array.from({ length: this.size }, (_, rank) => {
      const word = (at: number): number => Atomics.load(this.#lines, 16 * rank + place + at);
      return [word(0), word(1), word(2)];
    });
  }

  /** Waits until all ranks have met as often. Throws GroupError that names who is missing, or why one has ended the work. */
  meet(operation: string): void {
    const lines = this.#lines;
    this.#arrivals = (this.#arrivals + 1) | 0;
    Atomics.store(lines, 16 * this.rank, this.#arrivals);
    Atomics.notify(lines, 16 * this.rank);
    let end = 0;
    for (let other = 0; other < this.size; other++) {
      for (let look = 0; ; look++) {
        // asked before: who has met all may end the work while others still leave
        const isOver = this.#isOver;
        const there = Atomics.load(lines, 16 * other);
        // counters may wrap around: what counts is their distance
        if (((there - this.#arrivals) | 0) >= 0) break;
        if (isOver) throw this.#ended(operation);
        if (look < looks) continue;
        end ||= performance.now() + this.#timeout;
        const left = end - performance.now();
        if (left <= 0) {
          const error = this.#missing(operation);
          this.end(error.message.slice(operation.length + 2));
          throw error;
        }
        // short sleeps, because an end is told through another word
        Atomics.wait(lines, 16 * other, there, Math.min(left, 200));
      }
    }
  }

  #missing(operation: string): GroupError {
    const missing = [...Array(this.size).keys()].filter(
      (rank) => ((Atomics.load(this.#lines, 16 * rank) - this.#arrivals) | 0) < 0,
    );
    const [who, verb] = missing.length === 1 ? ['rank', 'is'] : ['ranks', 'are'];
    return new GroupError(
      operation,
      `${who} ${missing.join(', ')} of ${this.size} ${verb} missing after ${this.#timeout} ms: stopped, or in another call.`,
      { missing, timeout: this.#timeout },
    );
  }

  /** Ends the work of all: their waits throw. The first reason stays. */
  end(reason: string): void {
    const text = new TextEncoder().encode(reason).subarray(0, reasonBytes - 16);
    if (Atomics.compareExchange(this.#words, head.isOver, 0, 1) === 0) {
      new Uint8Array(this.#buffer, 16, reasonBytes - 16).set(text);
      Atomics.store(this.#words, head.reasonLength, text.length);
      Atomics.store(this.#words, head.isOver, 2);
    }
    for (let rank = 0; rank < this.size; rank++) Atomics.notify(this.#lines, 16 * rank);
  }

  get #isOver(): boolean {
    return Atomics.load(this.#words, head.isOver) === 2;
  }

  #ended(operation: string): GroupError {
    const length = Atomics.load(this.#words, head.reasonLength);
    // a copy, because decoders take no shared memory
    return new GroupError(operation, new TextDecoder().decode(new Uint8Array(this.#buffer, 16, length).slice()));
  }
}

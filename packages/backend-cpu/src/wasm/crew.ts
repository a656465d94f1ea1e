/**
 * Threads of native code, where a tier has them: they share the phases of native programs by the control words of `threads/`, in
 * which no JavaScript takes part. It owns their control words and the memory of each; the threads are the tier's.
 */
import type { LinearMemory } from './memory.ts';
import { control } from './threads/protocol.ts';

/** What a tier does for a crew, which only the tier can look into. */
export interface CrewTier {
  /** A crew of so many threads, the caller among them, whose control words are at an address; it ends when nobody has it. */
  make(threads: number, control: number): object;
  /** Gives helpers memory of their own, from an address on, so many bytes each. */
  own(crew: object, address: number, bytes: number): void;
}

export class Crew {
  readonly handle: object;
  readonly #tier: CrewTier;
  readonly #memory: LinearMemory;
  readonly #helpers: number;
  #own = { address: 0, bytes: 0 };

  constructor(tier: CrewTier, memory: LinearMemory, threads: number) {
    const address = memory.allocate(control.size);
    memory.words.fill(0, address / 4, (address + control.size) / 4);
    this.#tier = tier;
    this.#memory = memory;
    this.#helpers = threads - 1;
    this.handle = tier.make(threads, address);
  }

  /** Memory for each helper alone, at least `bytes`; while nothing runs. */
  reserve(bytes: number): void {
    if (bytes <= this.#own.bytes) return;
    if (this.#own.bytes > 0) this.#memory.free(this.#own.address, this.#own.bytes * this.#helpers);
    this.#own = { address: 0, bytes: 0 };
    this.#own = { address: this.#memory.allocate(bytes * this.#helpers), bytes };
    this.#tier.own(this.handle, this.#own.address, bytes);
  }
}

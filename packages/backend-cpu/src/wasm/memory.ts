/**
 * The linear memory that holds every buffer: blocks in size classes, free lists, growth up to 4 GiB.
 * It owns addresses and the views on them; what lies in a block is its user's business (`engine.ts`).
 * Addresses are unsigned 32-bit numbers; all blocks start at a multiple of 64.
 */
import { BackendError } from '@nn/core';
import type { MemoryType } from './code/assembler.ts';

const pageBytes = 65536;
const maximumPages = 65536;
/** Vector loads may read up to this far beyond a block. */
const margin = 256;

/** An eighth of the largest power of two below `bytes`: between sizes of blocks above 512. What is past 4 GiB is never had. */
const stepOf = (bytes: number): number => 1 << (28 - Math.clz32(bytes - 1));

/** The size of the block that holds so many bytes: steps of 64 up to 512, then eighths of a power of two. */
export function blockBytes(bytes: number): number {
  if (bytes <= 512) return Math.max(64, Math.ceil(bytes / 64) * 64);
  const step = stepOf(bytes);
  return Math.ceil(bytes / step) * step;
}

/** The largest size of blocks that is not above `bytes`, a multiple of 64 above 512. */
function classBelow(bytes: number): number {
  const step = stepOf(bytes);
  return Math.floor(bytes / step) * step;
}

/** Idle bytes from which larger blocks are cut, and smaller ones joined, instead of growing the memory. */
const carveFrom = 64 * 2 ** 20;

/** A memory with as much room to grow as the machine grants: some refuse to reserve 4 GiB of addresses. */
function reserve(shared: boolean): { memory: WebAssembly.Memory; maximum: number } {
  for (let maximum = maximumPages; ; maximum /= 2) {
    try {
      return { memory: new WebAssembly.Memory({ initial: 16, maximum, shared }), maximum };
    } catch (error) {
      if (maximum <= 1024) throw error;
    }
  }
}

export class LinearMemory {
  /** Called before the memory grows, which may move it: whoever works in it comes to an end. */
  beforeGrowing: () => void = () => undefined;
  readonly memory: WebAssembly.Memory;
  readonly type: MemoryType;
  words: Int32Array = new Int32Array(0);
  floats: Float32Array = new Float32Array(0);
  bytes: Uint8Array = new Uint8Array(0);
  #size = 0;
  #top = 1024;
  #used = 0;
  #pooled = 0;
  /** Bytes given back since blocks were last joined. */
  #freed = 0;
  readonly #free = new Map<number, number[]>();

  constructor(shared: boolean) {
    const { memory, maximum } = reserve(shared);
    this.type = { minimum: 16, maximum, shared };
    this.memory = memory;
    this.#look();
  }

  get used(): number {
    return this.#used;
  }
  get pooled(): number {
    return this.#pooled;
  }
  get size(): number {
    return this.#size;
  }

  /** The address of a block of at least `bytes` bytes. Throws a `BackendError` when the address space is full. */
  allocate(bytes: number): number {
    const size = blockBytes(bytes);
    const address =
      this.#reuse(size, size) ??
      this.#push(size) ??
      // Rather cut a larger block, or join smaller ones, than let much memory lie idle.
      (this.#pooled > carveFrom ? this.#carve(size) : null) ??
      (this.#freed > carveFrom ? this.#joined(size) : null) ??
      (this.#grow(size) ? this.#push(size) : this.#joined(size));
    if (address === null) {
      throw new BackendError(
        'memory/out-of-memory',
        `no room for a buffer of ${size} bytes: ${this.#used} are in use and ${this.#pooled} kept for reuse, of at most ${this.type.maximum * pageBytes}. Use smaller batches or models.`,
        {
          outOfMemory: true,
          bytes: size,
          used: this.#used,
          pooled: this.#pooled,
          maximum: this.type.maximum * pageBytes,
        },
      );
    }
    this.#used += size;
    return address;
  }

  /** Gives a block back; `bytes` as it was asked for. */
  free(address: number, bytes: number): void {
    const size = blockBytes(bytes);
    this.#used -= size;
    this.#freed += size;
    this.#keep(address, size);
  }

  #keep(address: number, size: number): void {
    const list = this.#free.get(size);
    if (list) list.push(address);
    else this.#free.set(size, [address]);
    this.#pooled += size;
  }

  /** Keeps a stretch of any length as blocks, the largest first. */
  #keepPieces(address: number, bytes: number): void {
    for (let from = address, rest = bytes; rest >= 64; ) {
      const piece = rest <= 512 ? rest : classBelow(rest);
      this.#keep(from, piece);
      from += piece;
      rest -= piece;
    }
  }

  /** The first `size` bytes of a free block of `of` bytes; what is left of it becomes free blocks again. */
  #reuse(of: number, size: number): number | null {
    const address = this.#free.get(of)?.pop();
    if (address === undefined) return null;
    this.#pooled -= of;
    if (of > size) this.#keepPieces(address + size, of - size);
    return address;
  }

  /** A block behind all others. */
  #push(size: number): number | null {
    const address = this.#top;
    if (address + size + margin > this.#size) return null;
    this.#top += size;
    return address;
  }

  /** Cuts the smallest free block that is large enough. */
  #carve(size: number): number | null {
    let best = Number.POSITIVE_INFINITY;
    for (const [bytes, list] of this.#free) if (list.length > 0 && bytes >= size && bytes < best) best = bytes;
    return this.#reuse(best, size);
  }

  /** Joins free blocks that touch (the last ones with what lies behind), and looks again. */
  #joined(size: number): number | null {
    const blocks = [...this.#free].flatMap(([bytes, list]) => list.map((address) => ({ address, bytes })));
    blocks.sort((a, b) => a.address - b.address);
    this.#free.clear();
    [this.#pooled, this.#freed] = [0, 0];
    for (let at = 0; at < blocks.length; ) {
      const { address } = blocks[at]!;
      let end = address;
      while (blocks[at]?.address === end) end += blocks[at++]!.bytes;
      if (end === this.#top) this.#top = address;
      else this.#keepPieces(address, end - address);
    }
    return this.#push(size) ?? this.#carve(size);
  }

  /** Growing moves the memory, so views are taken anew: geometric steps keep that rare. False where there is no more. */
  #grow(size: number): boolean {
    this.beforeGrowing();
    const needed = this.#top + size + margin - this.#size;
    const limit = this.type.maximum * pageBytes - this.#size;
    const wish = Math.max(needed, Math.ceil(this.#size / 4), 16 * 2 ** 20);
    for (const bytes of [wish, needed]) {
      const pages = Math.ceil(Math.min(bytes, Math.max(limit, needed)) / pageBytes);
      try {
        this.memory.grow(pages);
        this.#look();
        return true;
      } catch {
        // The machine has less than wished: try what is needed.
      }
    }
    return false;
  }

  #look(): void {
    const { buffer } = this.memory;
    this.words = new Int32Array(buffer);
    this.floats = new Float32Array(buffer);
    this.bytes = new Uint8Array(buffer);
    this.#size = buffer.byteLength;
  }
}

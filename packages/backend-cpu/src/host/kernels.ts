/**
 * Kernels as functions, each made once: a plain nest for most, and for hinted ones nests around a fixed algorithm, where
 * that pays. Keys of kernels and placements name the functions in the cache.
 */
import type { Kernel } from '@nn/core';
import type { Nest } from '../nest/nest.ts';
import type { Dialect } from './dialect.ts';
import type { Hinted, MadeKernel, Making } from './making.ts';
import type { Placement } from './placement.ts';
import { type Region, Workspace } from './region.ts';

/** Bytes of functions that are kept for programs to come. */
const maxKept = 64 * 2 ** 20;
/** What a function takes (source, byte code, machine code), in lengths of its key, which is its structure as text. */
const bytesPerLetter = 16;
const bytesOf = (key: string): number => 4096 + bytesPerLetter * key.length;

export class Kernels {
  readonly #dialect: Dialect;
  readonly #region: Region;
  readonly #hinted: Hinted;
  readonly #made = new Map<string, MadeKernel>();
  #bytes = 0;

  constructor(dialect: Dialect, region: Region, hinted: Hinted) {
    this.#dialect = dialect;
    this.#region = region;
    this.#hinted = hinted;
  }

  get count(): number {
    return this.#made.size;
  }

  get(kernel: Kernel, placement: Placement): MadeKernel {
    const key = `${placement.key} ${kernel.key}`;
    let made = this.#made.get(key);
    if (made === undefined) {
      made = this.#make(kernel, { placement, dialect: this.#dialect, workspace: new Workspace(this.#region) });
      this.#bytes += bytesOf(key);
    } else this.#made.delete(key);
    // the order of the map is the order of use
    this.#made.set(key, made);
    for (const [oldest] of this.#made) {
      if (this.#bytes <= maxKept || oldest === key) break;
      this.#made.delete(oldest);
      this.#bytes -= bytesOf(oldest);
    }
    return made;
  }

  #make(kernel: Kernel, making: Making): MadeKernel {
    const { placement, dialect, workspace } = making;
    return (
      this.#hinted(kernel, making) ?? {
        run: dialect.nest(plainNest(kernel, placement), workspace),
        path: dialect.path,
      }
    );
  }
}

/** The whole kernel as one nest, its hint ignored. */
export function plainNest(kernel: Kernel, placement: Placement): Nest {
  const { key, domain, reads, scalars, value, epilogue, reduce, dtype } = kernel;
  return {
    key,
    domain,
    extents: reduce?.extents ?? [],
    reads,
    scalars,
    offsets: placement.offsets,
    value,
    ...(reduce && { reduce }),
    ...(epilogue && { epilogue }),
    store: { dtype, strides: placement.strides, based: placement.based },
  };
}

/**
 * Kernels as functions, each made once: a plain nest for most, and for hinted ones nests around a fixed algorithm, where
 * that pays. Keys of kernels and placements name the functions in the cache.
 */
import type { Kernel } from '@nn/core';
import type { Hinted } from '../algorithms/hinted.ts';
import type { Making } from '../algorithms/sums.ts';
import type { Nest } from '../nest/nest.ts';
import type { KernelFunction } from './call.ts';
import type { Dialect } from './dialect.ts';
import type { Placement } from './placement.ts';
import { type Region, Workspace } from './region.ts';

/** The functions that are kept for programs to come. */
const maxKept = 8192;

/** A kernel as a function, and how it works, in a word for people. */
export interface MadeKernel {
  readonly run: KernelFunction;
  readonly path: string;
}

export class Kernels {
  readonly #dialect: Dialect;
  readonly #region: Region;
  readonly #hinted: Hinted | null;
  readonly #made = new Map<string, MadeKernel>();

  constructor(dialect: Dialect, region: Region, hinted: Hinted | null) {
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
      this.#made.set(key, made);
      if (this.#made.size > maxKept) this.#made.delete(this.#made.keys().next().value!);
    }
    return made;
  }

  #make(kernel: Kernel, making: Making): MadeKernel {
    const { placement, dialect, workspace } = making;
    return (
      this.#hinted?.(kernel, making) ?? {
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

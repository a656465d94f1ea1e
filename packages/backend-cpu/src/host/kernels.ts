/**
 * Kernels as functions, each made once: a plain nest for most, and for hinted ones nests around a fixed algorithm, where
 * that pays. Keys of kernels and placements name the functions in the cache.
 */
import type { Kernel } from '@nn/core';
import { contraction } from '../algorithms/contraction.ts';
import type { conv } from '../algorithms/conv.ts';
import { rank } from '../algorithms/rank.ts';
import { scan } from '../algorithms/scan.ts';
import { scatterAdd } from '../algorithms/scatter-add.ts';
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

/** What the algorithms call themselves in profiles. */
const paths = {
  contraction: 'packed product',
  conv: 'packed convolution',
  scatterAdd: 'scatter',
  scan: 'running sum',
  rank: 'merge sort',
} as const;

/** The packed convolution, or null in an engine that is to be small: convolutions are plain loops then. */
export type PackedConvolution = typeof conv | null;

export class Kernels {
  readonly #dialect: Dialect;
  readonly #region: Region;
  readonly #convolution: PackedConvolution;
  readonly #made = new Map<string, MadeKernel>();

  constructor(dialect: Dialect, region: Region, convolution: PackedConvolution) {
    this.#dialect = dialect;
    this.#region = region;
    this.#convolution = convolution;
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
    const algorithm = this.#hinted(kernel, making);
    if (kernel.hint && algorithm) return { run: algorithm, path: paths[kernel.hint.kind] };
    return { run: dialect.nest(plainNest(kernel, placement), workspace), path: dialect.path };
  }

  /** The kernel by the algorithm that its hint names, where there is one that is better than the loops. */
  #hinted(kernel: Kernel, making: Making): KernelFunction | null {
    const { hint } = kernel;
    switch (hint?.kind) {
      case 'contraction':
        return contraction(kernel, hint, making);
      case 'conv':
        return this.#convolution?.(kernel, hint, making) ?? null;
      case 'scatterAdd':
        return scatterAdd(kernel, hint, making);
      case 'scan':
        return scan(kernel, hint, making);
      case 'rank':
        return rank(kernel, hint, making);
      default:
        return null;
    }
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

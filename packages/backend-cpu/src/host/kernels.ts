/**
 * Kernels as functions, each made once: a plain nest for most, and for hinted ones nests around a fixed algorithm, where
 * that pays. Keys of kernels and placements name the functions in the cache.
 */
import type { Kernel } from '@nn/core';
import { contraction } from '../algorithms/contraction.ts';
import { conv } from '../algorithms/conv.ts';
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

export class Kernels {
  readonly #dialect: Dialect;
  readonly #region: Region;
  readonly #made = new Map<string, MadeKernel>();

  constructor(dialect: Dialect, region: Region) {
    this.#dialect = dialect;
    this.#region = region;
  }

  get count(): number {
    return this.#made.size;
  }

  get(kernel: Kernel, placement: Placement): MadeKernel {
    const key = `${placement.key} ${kernel.key}`;
    let made = this.#made.get(key);
    if (made === undefined) {
      made = makeKernel(kernel, placement, this.#dialect, new Workspace(this.#region));
      this.#made.set(key, made);
      if (this.#made.size > maxKept) this.#made.delete(this.#made.keys().next().value!);
    }
    return made;
  }
}

function makeKernel(kernel: Kernel, placement: Placement, dialect: Dialect, workspace: Workspace): MadeKernel {
  const algorithm = hinted(kernel, { placement, dialect, workspace });
  if (kernel.hint && algorithm) return { run: algorithm, path: paths[kernel.hint.kind] };
  const nest = plainNest(kernel, placement);
  return { run: dialect.nest(nest, workspace), path: dialect.path };
}

/** The kernel by the algorithm that its hint names, where there is one that is better than the loops. */
function hinted(kernel: Kernel, making: Making): KernelFunction | null {
  const { hint } = kernel;
  switch (hint?.kind) {
    case 'contraction':
      return contraction(kernel, hint, making);
    case 'conv':
      return conv(kernel, hint, making);
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

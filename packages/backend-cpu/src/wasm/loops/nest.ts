/**
 * What the emitter of loops is given and what it gives: a nest goes in, phases come out, and a kernel is phases with the
 * memory that they need. Everything below it in this room works on these, and so do kernels and programs above.
 */
import type { Kernel } from '@nn/core';
import type { FunctionReference, ValueType } from '../code/assembler.ts';

/** A value that is stored, densely over the axes of the domain and then the reduced ones, where a read of the kernel lies. */
export interface Beside {
  readonly position: number;
  readonly read: number;
}

/** What the emitter needs of a kernel, and how its output lies in memory. */
export interface Nest {
  readonly kernel: Pick<Kernel, 'domain' | 'dtype' | 'reads' | 'scalars' | 'reduce' | 'value' | 'epilogue'>;
  /** Elements between neighbours along each axis of the domain. */
  readonly outStrides: readonly number[];
  /** Units are the positions of the first axes (see `Schedule`); null: as the schedule likes. */
  readonly outerAxes: number | null;
  /** Adds to the output instead of only writing it. */
  readonly accumulate?: Accumulate;
  /** Of a reduction: what is stored of each reduced element. */
  readonly beside?: Beside;
}

/**
 * `scatter`: the value is added to (or, with `op` 'max', the larger of both is) the element at the index at position `index` (of `value`), `stride` elements apart,
 * and dropped where the index is not below `limit`. `scan`: the value is combined with the element before along `axis`.
 * `add`: the value is added to what is there. What rounding takes from a float32 sum goes into the next addition (Kahan
 * 1965): scans keep it in the thread's own memory, an element for each position behind the axis, scatters in scratch, from
 * the byte `lost` on, beside each element, or nowhere.
 */
export type Accumulate =
  | {
      readonly kind: 'scatter';
      readonly op: 'sum' | 'max';
      readonly index: number;
      readonly stride: number;
      readonly limit: number;
      readonly lost: number | null;
    }
  | { readonly kind: 'scan'; readonly axis: number; readonly op: NonNullable<Kernel['reduce']>['op'] }
  | { readonly kind: 'add' };

/** A function in the module that computes units `begin` to `end` of something. */
export interface Phase {
  /** Parameters: out, each read (i32), each scalar (f32 or i32), scratch, own scratch, begin, end. */
  readonly reference: FunctionReference;
  readonly units: number;
  /** Nanoseconds for one unit, about. */
  readonly grain: number;
}

/** The functions that compute a kernel, one after the other, with the memory that they need. */
export interface KernelCode {
  readonly phases: readonly Phase[];
  /** Bytes that all threads share while the phases run. */
  readonly scratch: number;
  /** Bytes that each thread needs for itself. */
  readonly own: number;
  /** How it is computed, for people. */
  readonly path: string;
}

/** The parameters of every kernel function. */
export function kernelParameters(kernel: Nest['kernel'], reads: number = kernel.reads.length): ValueType[] {
  return [
    'i32',
    ...Array.from({ length: reads }, () => 'i32' as const),
    ...kernel.scalars.map((dtype) => (dtype === 'float32' ? ('f32' as const) : ('i32' as const))),
    'i32',
    'i32',
    'i32',
    'i32',
  ];
}

/**
 * A loop nest as one function: `(out, reads ..., scalars ..., scratch, own, begin, end)`, addresses in bytes, a range of units.
 * The door of the emitter, for kernels and programs: a nest goes in, a phase comes out. How it is walked is decided in
 * `schedule.ts`; the code is written by `emit/`: loops (`walk.ts`), values, loads, reductions and stores.
 */
import type { Kernel } from '@nn/core';
import { type Analysis, analyse } from './analysis.ts';
import type { FunctionReference, ValueType } from './assembler.ts';
import { OpenLoops } from './emit/open-loops.ts';
import { Walk } from './emit/walk.ts';
import type { Beside } from './fuse.ts';
import { FunctionScope, type ModuleContext } from './module-context.ts';
import { makeSchedule, nanoseconds, type Schedule } from './schedule.ts';
import { splitAxes, tileTransposes } from './split.ts';

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
 * `scatter`: the value is added to the element at the index at position `index` (of `value`), `stride` elements apart,
 * and dropped where the index is not below `limit`. `scan`: to the value the element before along `axis` is added.
 * `add`: the value is added to what is there. What rounding takes from a float32 sum goes into the next addition (Kahan
 * 1965): scans keep it in the thread's own memory, an element for each position behind the axis, scatters in scratch, from
 * the byte `lost` on, beside each element, or nowhere.
 */
export type Accumulate =
  | {
      readonly kind: 'scatter';
      readonly index: number;
      readonly stride: number;
      readonly limit: number;
      readonly lost: number | null;
    }
  | { readonly kind: 'scan'; readonly axis: number }
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

/** The estimated cost of a nest, in scalar instructions, to compare ways to walk it. */
export function estimate(given: Nest): number {
  const { kernel, outStrides, outerAxes } = splitAxes(given);
  const extents = kernel.reduce?.extents ?? [];
  return makeSchedule(analyse(kernel), { domain: kernel.domain, extents, outStrides, outerAxes }).cost;
}

export function emitNest(context: ModuleContext, given: Nest): Phase {
  const { beside, accumulate } = given;
  const asGiven = beside !== undefined || (accumulate !== undefined && accumulate.kind !== 'add');
  const nest: Nest = asGiven ? given : { ...given, ...tileTransposes(splitAxes(given)) };
  const { kernel } = nest;
  const also = accumulate?.kind === 'scatter' ? [accumulate.index] : beside ? [beside.position] : [];
  const analysis = analyse(kernel, also);
  const schedule = scheduleOf(nest, analysis);
  const reference = context.module.function(null, kernelParameters(kernel), [], (builder) => {
    const scope = new FunctionScope(context, builder);
    new Walk(new OpenLoops(context, scope, nest, analysis, schedule)).emit();
    builder.emit(...scope.prologue, ...scope.statements);
  });
  const total = [...kernel.domain, ...(kernel.reduce?.extents ?? [])].reduce((a, b) => a * b, 1);
  return { reference, units: schedule.units, grain: (total * nanoseconds(analysis, schedule)) / schedule.units };
}

function scheduleOf({ kernel, outStrides, outerAxes, accumulate }: Nest, analysis: Analysis): Schedule {
  return makeSchedule(analysis, {
    domain: kernel.domain,
    extents: kernel.reduce?.extents ?? [],
    outStrides,
    outerAxes,
    sequential: accumulate ? sequentialAxes(accumulate, outStrides, analysis) : 0,
    alone: accumulate?.kind === 'scan' ? accumulate.axis : null,
    contiguous: accumulate !== undefined,
  });
}

/** The axes along which two elements may add to the same place, as bits: they must come one after the other. */
function sequentialAxes(accumulate: Accumulate, strides: readonly number[], analysis: Analysis): number {
  if (accumulate.kind === 'scan') return 1 << accumulate.axis;
  const still = strides.reduce((bits, stride, axis) => (stride === 0 ? bits | (1 << axis) : bits), 0);
  return accumulate.kind === 'add' ? still : still | analysis.depends[accumulate.index]!;
}

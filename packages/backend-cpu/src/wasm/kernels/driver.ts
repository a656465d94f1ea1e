/**
 * The outer loops of a kernel that does its work by functions of the library: a driver is what such a function has at hand
 * while it is written. It knows the parameters of the kernel, the thread's own memory by names, and how to call library
 * functions, nests and other phases; what is computed is the business of `conv/`, `winograd/`, and the kernels beside it.
 */
import type { Kernel } from '@nn/core';
import { align } from '../../storage.ts';
import {
  type FunctionBuilder,
  type FunctionReference,
  type I32,
  type Local,
  type Statement,
  words,
} from '../code/assembler.ts';
import { callVoid, forLoop, i32, select } from '../code/instructions.ts';
import type { ModuleContext } from '../code/module-context.ts';
import { kernelParameters, type Phase } from '../loops/nest.ts';

/** The length of blocks, a multiple of `multiple` and at most about `block`, that share `size` evenly. */
export const evenly = (size: number, block: number, multiple: number): number => {
  const blocks = Math.ceil(size / block);
  return Math.ceil(size / blocks / multiple) * multiple;
};

/** A number that is known now, or only when the code runs. */
export type Word = I32 | number;
const word = (value: Word): I32 => (typeof value === 'number' ? i32.const(value) : value);

export const plus = (base: I32, offset: Word): I32 => (offset === 0 ? base : i32.add(base, word(offset)));
export const scaled = (value: I32, factor: number): I32 => (factor === 1 ? value : i32.mul(value, i32.const(factor)));
/** The bytes of so many floats. */
export const floats = (count: I32): I32 => i32.shl(count, i32.const(2));
export const bounded = (value: I32, most: number): I32 =>
  select(value, i32.const(most), i32.ltS(value, i32.const(most)));

/** Places inside a region of memory, one after the other, by name. */
export interface Layout {
  at(name: string): number;
  readonly bytes: number;
}
export function layoutOf(parts: readonly (readonly [name: string, bytes: number])[]): Layout {
  const places = new Map<string, number>();
  let bytes = 0;
  for (const [name, size] of parts) {
    places.set(name, bytes);
    bytes += align(size);
  }
  return { at: (name) => places.get(name)!, bytes };
}

/** Functions of the library that have words as parameters and no result (see `library.ts`). */
type LibraryFunction =
  | 'packRows'
  | 'packColumns'
  | 'multiply'
  | 'multiplyFours'
  | 'dots'
  | 'dotPairs'
  | 'weighedRows'
  | 'packPixels'
  | 'packTaps'
  | 'addPatches'
  | 'patchPanels'
  | 'filterPanels'
  | 'turnedPanels'
  | 'cotangentPanels'
  | 'tileResults'
  | 'filterResults';

export class Driver {
  readonly context: ModuleContext;
  readonly kernel: Kernel;
  readonly builder: FunctionBuilder;
  readonly out: Local<'i32'>;
  /** Memory that all threads share, and this thread's own. */
  readonly scratch: Local<'i32'>;
  readonly own: Local<'i32'>;
  /** The units to compute. */
  readonly begin: Local<'i32'>;
  readonly end: Local<'i32'>;
  readonly #layout: Layout | null;

  constructor(context: ModuleContext, kernel: Kernel, builder: FunctionBuilder, layout: Layout | null) {
    const count = builder.parameters.length;
    this.context = context;
    this.kernel = kernel;
    this.builder = builder;
    this.out = builder.parameter(0, 'i32');
    this.scratch = builder.parameter(count - 4, 'i32');
    this.own = builder.parameter(count - 3, 'i32');
    this.begin = builder.parameter(count - 2, 'i32');
    this.end = builder.parameter(count - 1, 'i32');
    this.#layout = layout;
  }

  read(index: number): Local<'i32'> {
    return this.builder.parameter(1 + index, 'i32');
  }
  local(): Local<'i32'> {
    return this.builder.local('i32');
  }
  /** A place in the thread's own memory, by name or by offset. */
  at(place: string | number): I32 {
    return plus(this.own, this.#offset(place));
  }
  #offset(place: string | number): number {
    return typeof place === 'number' ? place : (this.#layout as Layout).at(place);
  }

  library(name: LibraryFunction, ...values: Word[]): Statement {
    return callVoid(this.context.library(name, words(values.length), []), ...values.map(word));
  }

  /** A function that has words as parameters and no result. */
  function(reference: FunctionReference, ...values: Word[]): Statement {
    return callVoid(reference, ...values.map(word));
  }

  /** All units of a nest of one read. */
  copy(phase: Phase, to: I32, from: I32): Statement {
    return callVoid(phase.reference, to, from, this.scratch, this.own, i32.const(0), i32.const(phase.units));
  }

  /** Units of another phase of the same kernel: with its output at `out`, and `extra` as one more read. */
  call(phase: Phase, begin: Word, end: Word, { out = this.out, extra }: { out?: I32; extra?: I32 } = {}): Statement {
    const reads = 1 + this.kernel.reads.length;
    const given = this.builder.parameters.slice(0, -2).map((type, at) => this.builder.parameter(at, type));
    const more = extra ? [extra] : [];
    const values = [out, ...given.slice(1, reads), ...more, ...given.slice(reads)];
    return callVoid(phase.reference, ...values, word(begin), word(end));
  }
  /** All of it. */
  whole(phase: Phase, out: I32): Statement {
    return this.call(phase, 0, phase.units, { out });
  }

  /** Fills a table and repeats its last entry up to a multiple of 8. */
  table(phase: Phase, place: string | number, entries: number): Statement[] {
    const target = this.at(place);
    const last = i32.load(this.own, this.#offset(place) + 4 * (entries - 1));
    const statements: Statement[] = [
      callVoid(phase.reference, target, this.scratch, this.own, i32.const(0), i32.const(phase.units)),
    ];
    for (let at = entries; at < Math.ceil(entries / 8) * 8; at++) statements.push(i32.store(target, last, 4 * at));
    return statements;
  }

  /** `total` things, at most `size` at a time: `build` gets the first of a block, and how many it has. */
  blocks(total: number, size: number, build: (first: Local<'i32'>, count: Local<'i32'>) => Statement[]): Statement {
    const [first, count] = [this.local(), this.local()];
    const body = [count.set(bounded(i32.sub(i32.const(total), first), size)), ...build(first, count)];
    return forLoop(first, i32.const(0), i32.const(total), size, body, true);
  }

  /** The units that this call computes, one by one. */
  units(unit: Local<'i32'>, body: readonly Statement[]): Statement {
    return forLoop(unit, this.begin, this.end, 1, body);
  }
}

/** A phase of the kernel whose code is written through a driver; `work`: nanoseconds of all units, about. */
export function phaseOf(
  context: ModuleContext,
  kernel: Kernel,
  units: number,
  work: number,
  build: (driver: Driver) => Statement[],
  layout: Layout | null = null,
): Phase {
  const reference = context.module.function(null, kernelParameters(kernel), [], (builder) => {
    builder.emit(...build(new Driver(context, kernel, builder, layout)));
  });
  return { reference, units, grain: work / units };
}

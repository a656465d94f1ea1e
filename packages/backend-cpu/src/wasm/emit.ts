/**
 * A loop nest as one function: `(out, reads ..., scalars ..., begin, end)`, addresses in bytes, a range of units.
 * Values are pulled from the result backwards; each is computed in the outermost loop that it can live in, so loop
 * invariants, addresses and constants are hoisted by construction. Loads of stride 1 are vectors, others lane by lane;
 * what is left of a row below four elements is done one by one.
 * The walk comes from `schedule.ts`, the instructions of each operation from `operations.ts`. (Over 400 lines: the
 * pulling of values, addresses and loops share one state, the stack of open loops.)
 */
import type { DType, Kernel, Op } from '@nn/core';
import { stridesOf } from '../shape.ts';
import { bytesPerElement } from '../storage.ts';
import { type Affine, type Analysis, analyse, isAlu, strideAlong } from './analysis.ts';
import type { Code, Expression, F32, FunctionReference, I32, Local, Statement, V128, ValueType } from './assembler.ts';
import type { Beside } from './fuse.ts';
import { doWhile, f32, f32x4, i8x16, i16x8, i32, i32x4, select, v128, when } from './instructions.ts';
import { keep, type Scope } from './math.ts';
import { FunctionScope, type ModuleContext } from './module-context.ts';
import { type Argument, scalarOperation, varying, vectorOperation } from './operations.ts';
import { makeSchedule, type Schedule } from './schedule.ts';
import { splitAxes, tileTransposes } from './split.ts';
import { decodeHalf, encodeHalf } from './storage.ts';

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
 * `add`: the value is added to what is there.
 */
export type Accumulate =
  | { readonly kind: 'scatter'; readonly index: number; readonly stride: number; readonly limit: number }
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

/** Where the code of one turn of a loop is gathered, with what was computed there. */
interface Frame {
  readonly statements: Statement[];
  readonly values: Map<number, readonly Expression[]>;
  readonly splats: Map<number, V128>;
  readonly addresses: Map<string, I32>;
  /** Emits there. */
  readonly scope: Scope;
}

interface Access {
  readonly name: string;
  readonly pointer: Local<'i32'>;
  readonly form: Affine;
  readonly bytes: number;
}

/** Accumulators: of vectors, and of what is left of a row. */
interface Sums {
  readonly vectors: readonly Local<'v128'>[];
  readonly single: Local | null;
}

/** The most terms that one float32 accumulator adds up one after the other. */
const longestRun = 512;

const isScalarFloat = (dtype: DType): boolean => dtype === 'float32' || dtype === 'float16' || dtype === 'bfloat16';
const valueTypeOf = (dtype: DType): 'f32' | 'i32' => (isScalarFloat(dtype) ? 'f32' : 'i32');
const reduceOperation = { sum: 'add', product: 'mul', max: 'max', min: 'min' } as const;

/** The estimated cost of a nest, in scalar instructions, to compare ways to walk it. */
export function estimate(given: Nest): number {
  const { kernel, outStrides, outerAxes } = splitAxes(given);
  const extents = kernel.reduce?.extents ?? [];
  return makeSchedule(analyse(kernel), { domain: kernel.domain, extents, outStrides, outerAxes }).cost;
}

export function emitNest(context: ModuleContext, given: Nest): Phase {
  const asGiven = given.beside !== undefined || (given.accumulate && given.accumulate.kind !== 'add');
  const nest: Nest = asGiven ? given : { ...given, ...tileTransposes(splitAxes(given)) };
  const { kernel, accumulate } = nest;
  const also = nest.beside ? [nest.beside.position] : [];
  const analysis = analyse(kernel, accumulate?.kind === 'scatter' ? [accumulate.index] : also);
  const sequential =
    accumulate?.kind === 'scatter'
      ? (analysis.depends[accumulate.index] as number) | zeroStrides(nest.outStrides)
      : accumulate?.kind === 'scan'
        ? 1 << accumulate.axis
        : accumulate
          ? zeroStrides(nest.outStrides)
          : 0;
  const schedule = makeSchedule(analysis, {
    domain: kernel.domain,
    extents: kernel.reduce?.extents ?? [],
    outStrides: nest.outStrides,
    outerAxes: nest.outerAxes,
    sequential,
    alone: accumulate?.kind === 'scan' ? accumulate.axis : null,
    contiguous: accumulate !== undefined,
  });
  const reference = context.module.function(null, kernelParameters(kernel), [], (builder) => {
    const scope = new FunctionScope(context, builder);
    new NestEmitter(context, scope, nest, analysis, schedule).emit();
    builder.emit(...scope.prologue, ...scope.statements);
  });
  const total = [...kernel.domain, ...(kernel.reduce?.extents ?? [])].reduce((a, b) => a * b, 1);
  return { reference, units: schedule.units, grain: (total * nanoseconds(analysis, schedule)) / schedule.units };
}

/** Bytes of code, about. */
const length = (code: Code): number =>
  code.reduce<number>((sum, part) => sum + (Array.isArray(part) ? length(part as Code) : 1), 0);

/** One element's time, about: for the decision whether threads should share the work. */
function nanoseconds(analysis: Analysis, schedule: Schedule): number {
  const heavy = new Set(['exp', 'log', 'tanh', 'erf', 'sin', 'cos', 'pow']);
  const cost = analysis.ops.reduce((sum, op, position) => {
    if (!analysis.needed[position]) return sum;
    return sum + (heavy.has(op.op) ? 1 : op.op === 'load' ? 0.12 : 0.05);
  }, 0);
  return schedule.vector < 0 ? 4 * cost : cost;
}

class NestEmitter {
  readonly #context: ModuleContext;
  readonly #scope: FunctionScope;
  readonly #nest: Nest;
  readonly #analysis: Analysis;
  readonly #schedule: Schedule;
  readonly #frames: Frame[] = [];
  readonly #indices: Local<'i32'>[];
  readonly #levels: number[];
  readonly #uses: number[];
  readonly #vectorBits: number;
  /** Vectors in one turn where the code is now; 0: one element. */
  #mode = 0;
  #accumulators: readonly Expression[] = [];

  constructor(context: ModuleContext, scope: FunctionScope, nest: Nest, analysis: Analysis, schedule: Schedule) {
    this.#context = context;
    this.#scope = scope;
    this.#nest = nest;
    this.#analysis = analysis;
    this.#schedule = schedule;
    this.#indices = schedule.order.map(() => scope.local('i32'));
    const bitsOf = (axes: readonly number[]): number => axes.reduce((bits, axis) => bits | (1 << axis), 0);
    const loopBits = schedule.order.map((loop) => bitsOf(loop.axes));
    this.#vectorBits = schedule.vector < 0 ? 0 : (loopBits[schedule.vector] as number);
    this.#levels = analysis.depends.map((bits) => {
      let level = 0;
      loopBits.forEach((loop, at) => {
        if ((bits & loop) !== 0) level = at + 1;
      });
      return level;
    });
    this.#uses = analysis.ops.map(() => 0);
    analysis.ops.forEach((op, position) => {
      if (!analysis.needed[position] || !isAlu(op)) return;
      for (const argument of op.args) this.#uses[argument] = (this.#uses[argument] as number) + 1;
    });
    if (nest.beside) this.#uses[nest.beside.position] = 2;
    for (const op of analysis.ops) {
      if (op.op !== 'load') continue;
      // Terms of an index may be wanted by several loads: never in line.
      for (const term of (analysis.forms[op.index] as Affine).terms.keys()) if (term < 0) this.#uses[-1 - term] = 2;
    }
  }

  emit(): void {
    const { order, outer, flat } = this.#schedule;
    const builder = this.#scope.builder;
    const last = builder.parameters.length - 1;
    const begin = builder.parameter(last - 1, 'i32');
    const end = builder.parameter(last, 'i32');
    this.#frames.push(this.#open());
    const root = this.#frames[0] as Frame;
    if (flat !== null) {
      const total = i32.const((order[0] as { extent: number }).extent);
      const bound = (units: Local<'i32'>): I32 => {
        const at = keep(this.#at(0), i32.mul(units, i32.const(flat)));
        return keep(this.#at(0), select(at, total, i32.ltU(at, total)));
      };
      this.#loop(0, bound(begin), bound(end), flat);
    } else if (outer === 0) {
      this.#inside(0);
    } else if (outer === 1) {
      root.statements.push((this.#indices[0] as Local<'i32'>).set(begin));
      this.#plainLoop(0, end, false);
    } else {
      this.#odometer(outer, begin, end);
    }
    this.#scope.statements.push(...root.statements);
  }

  /** Several outer loops as one: their indices are taken from the unit once and counted on with carries. */
  #odometer(outer: number, begin: Local<'i32'>, end: Local<'i32'>): void {
    const root = this.#frames[0] as Frame;
    const unit = this.#scope.local('i32');
    const rest = this.#scope.local('i32');
    root.statements.push(unit.set(begin), rest.set(begin));
    for (let at = outer - 1; at >= 0; at--) {
      const index = this.#indices[at] as Local<'i32'>;
      const extent = i32.const((this.#schedule.order[at] as { extent: number }).extent);
      root.statements.push(index.set(at === 0 ? rest : i32.remU(rest, extent)));
      if (at > 0) root.statements.push(rest.set(i32.divU(rest, extent)));
    }
    // All these loops have one body, so the frames share one list of statements.
    const statements: Statement[] = [];
    for (let at = 0; at < outer; at++) this.#frames.push(this.#open(statements));
    this.#inside(outer);
    this.#frames.length -= outer;
    let carry: Statement[] = [];
    for (let at = 0; at < outer; at++) {
      const index = this.#indices[at] as Local<'i32'>;
      const step = index.set(i32.add(index, i32.const(1)));
      const extent = i32.const((this.#schedule.order[at] as { extent: number }).extent);
      carry = at === 0 ? [step] : [step, when(i32.eq(index, extent), [index.set(i32.const(0)), ...carry])];
    }
    statements.push(...carry, unit.set(i32.add(unit, i32.const(1))));
    root.statements.push(when(i32.ltU(begin, end), [doWhile(statements, i32.ltU(unit, end))]));
  }

  #open(statements: Statement[] = []): Frame {
    const scope = this.#scope.into(statements);
    return { statements, values: new Map(), splats: new Map(), addresses: new Map(), scope };
  }
  /** The scope that emits into the loop at `level` (0: before all loops). */
  #at(level: number): Scope {
    return (this.#frames[level] as Frame).scope;
  }

  /** The code inside the first `level` loops. */
  #inside(level: number): void {
    if (level < this.#schedule.domainLoops) this.#loopWhole(level);
    else this.#element();
  }
  #loopWhole(level: number): void {
    this.#loop(level, i32.const(0), i32.const((this.#schedule.order[level] as { extent: number }).extent), null);
  }

  /** The loop `level` from `from` to `to`; `pieces`: the bounds are multiples of it, or the extent (null: 0 and the extent). */
  #loop(level: number, from: I32, to: I32, pieces: number | null): void {
    const { order, vector, unroll } = this.#schedule;
    const index = this.#indices[level] as Local<'i32'>;
    const frame = this.#frames[level] as Frame;
    const { extent } = order[level] as { extent: number };
    frame.statements.push(index.set(from));
    if (level !== vector) {
      this.#plainLoop(level, to, pieces === null);
      return;
    }
    // Remainders that can occur after whole turns of `step` elements.
    const left = (step: number): number => (pieces === null || pieces % step === 0 ? extent % step : step - 1);
    const wide = 4 * unroll;
    for (const [mode, step, runs] of [
      [unroll, wide, extent >= wide],
      [1, 4, unroll > 1 && left(wide) >= 4],
      [0, 1, left(4) > 0],
    ] as const) {
      if (!runs) continue;
      const exact = left(step) === 0;
      const limit =
        exact || step === 1
          ? to
          : pieces === null
            ? i32.const(extent - (extent % step))
            : keep(this.#at(level), i32.sub(to, i32.and(i32.sub(to, index), i32.const(step - 1))));
      this.#turns(level, limit, mode, step, pieces === null);
    }
  }
  #plainLoop(level: number, to: I32, runs: boolean): void {
    this.#turns(level, to, this.#mode, 1, runs);
  }
  #turns(level: number, to: I32, mode: number, step: number, runs: boolean): void {
    const outside = this.#mode;
    this.#mode = mode;
    const index = this.#indices[level] as Local<'i32'>;
    const frame = this.#open();
    this.#frames.push(frame);
    if (level + 1 <= this.#schedule.domainLoops) this.#inside(level + 1);
    else this.#reduceFrom(level + 1);
    this.#frames.pop();
    this.#mode = outside;
    const extent = (this.#schedule.order[level] as { extent: number }).extent;
    if (runs && step === 1 && mode === outside && extent <= 4 && length(frame.statements) * extent < 1200) {
      // So short that it is written out; the compiler then knows the index.
      const turns = Array.from({ length: extent }, (_, turn) => [index.set(i32.const(turn)), ...frame.statements]);
      (this.#frames[level] as Frame).statements.push(...turns, ...this.#carry(level, mode));
      return;
    }
    const body = [...frame.statements, index.set(i32.add(index, i32.const(step)))];
    const carry = this.#carry(level, mode);
    let loop: Statement[] = [doWhile(body, i32.ltU(index, to)), ...carry];
    if (carry.length > 0 && extent / step > 2 * longestRun) {
      const pause = this.#scope.local('i32');
      const next = i32.add(index, i32.const(step * longestRun));
      const run = [pause.set(select(next, to, i32.ltU(next, to))), doWhile(body, i32.ltU(index, pause)), ...carry];
      loop = [doWhile(run, i32.ltU(index, to))];
    }
    (this.#frames[level] as Frame).statements.push(...(runs ? loop : [when(i32.ltU(index, to), loop)]));
  }

  /** After the innermost loop of a long sum: its sums go over to the totals. */
  #carry(level: number, mode: number): Statement[] {
    const totals = this.#totals;
    if (!totals || level !== this.#schedule.order.length - 1) return [];
    const { vectors, single } = this.#sums;
    if (mode === 0) {
      const [sum, total] = [single as Local<'f32'>, totals.single as Local<'f32'>];
      return [total.set(f32.add(total, sum)), sum.set(f32.const(0))];
    }
    return vectors.slice(0, mode).flatMap((sum, at) => {
      const total = totals.vectors[at] as Local<'v128'>;
      return [total.set(f32x4.add(total, sum)), sum.set(this.#scope.floats(0))];
    });
  }

  /** One element (or `mode` vectors) of the output. */
  #element(): void {
    const { reduce } = this.#nest.kernel;
    const depth = this.#schedule.domainLoops;
    if (reduce) this.#reduce(reduce);
    this.#store(depth);
  }

  #reduce(reduce: NonNullable<Kernel['reduce']>): void {
    const { order, vector, unroll, domainLoops } = this.#schedule;
    const scope = this.#at(domainLoops);
    const operation = reduceOperation[reduce.op];
    const type = valueTypeOf(reduce.dtype);
    const start = initialValue(reduce.op, reduce.dtype);
    const alongReduction = vector >= domainLoops;
    const scalarStart: Expression = type === 'f32' ? f32.const(start) : i32.const(start);
    const lanes = alongReduction ? unroll : this.#mode;
    const wide =
      type === 'f32' ? this.#scope.floats(start) : this.#scope.words(reduce.dtype === 'bool' ? -start : start);
    const vectors = Array.from({ length: lanes }, () => keep(scope, wide));
    const { extent } = alongReduction ? (order[vector] as { extent: number }) : { extent: 0 };
    const single = lanes === 0 || (alongReduction && extent % 4 !== 0) ? keep(scope, scalarStart) : null;
    this.#sums = { vectors, single };
    // Long sums of floats are sums of shorter ones: rounding errors would grow with the number of terms.
    const terms = order.slice(domainLoops).reduce((product, loop) => product * loop.extent, 1);
    const long = reduce.op === 'sum' && type === 'f32' && terms / (alongReduction ? 4 * lanes : 1) > longestRun;
    this.#totals = long
      ? { vectors: vectors.map(() => keep(scope, wide)), single: single ? keep(scope, scalarStart) : null }
      : null;
    this.#reduceFrom(domainLoops);
    const sums = this.#totals ?? this.#sums;
    this.#totals = null;
    if (!alongReduction) {
      this.#accumulators = lanes > 0 ? sums.vectors : [sums.single as Expression];
      return;
    }
    // Fold the vectors, then the lanes, then the remainder.
    const after = this.#at(domainLoops);
    const fold = (a: V128, b: V128): V128 =>
      vectorOperation(this.#context, after, operation, reduce.dtype, reduce.dtype, [varying(a), varying(b)]);
    let live: readonly V128[] = sums.vectors;
    while (live.length > 1) {
      const half = live.length / 2;
      live = live.slice(0, half).map((vector, at) => keep(after, fold(vector, live[at + half] as V128)));
    }
    const whole = live[0] as V128;
    const pairs = keep(after, fold(whole, v128.shuffleWords(whole, whole, [2, 3, 0, 1])));
    const folded = fold(pairs, v128.shuffleWords(pairs, pairs, [1, 0, 3, 2]));
    const first: Expression = type === 'f32' ? f32x4.extract(folded, 0) : i32x4.extract(folded, 0);
    let result: Expression = reduce.dtype === 'bool' ? i32.and(first as I32, i32.const(1)) : first;
    if (sums.single) {
      const parts = [keep(after, result), sums.single];
      result = scalarOperation(this.#context, after, operation, reduce.dtype, reduce.dtype, parts);
    }
    this.#accumulators = [keep(after, result)];
  }
  #sums: Sums = { vectors: [], single: null };
  #totals: Sums | null = null;

  #reduceFrom(level: number): void {
    if (level < this.#schedule.order.length) this.#loopWhole(level);
    else this.#accumulate(level);
  }

  #accumulate(level: number): void {
    const reduce = this.#nest.kernel.reduce as NonNullable<Kernel['reduce']>;
    const { valueRoot, ops } = this.#analysis;
    const scope = this.#at(level);
    const operation = reduceOperation[reduce.op];
    const { vectors, single } = this.#sums;
    if (this.#nest.beside) this.#storeBeside(this.#nest.beside, level);
    if (this.#mode === 0) {
      const into = single as Local;
      const value = this.#scalar(valueRoot, level);
      const next = scalarOperation(this.#context, scope, operation, reduce.dtype, reduce.dtype, [into, value]);
      scope.emit(into.set(next));
      return;
    }
    const root = ops[valueRoot] as Op;
    const fuses = this.#context.target.fused && reduce.op === 'sum' && reduce.dtype === 'float32' && root.op === 'mul';
    for (let at = 0; at < this.#mode; at++) {
      const into = vectors[at] as Local<'v128'>;
      const next = fuses
        ? f32x4.relaxedMadd(
            this.#vector(root.args[0] as number, at, level),
            this.#vector(root.args[1] as number, at, level),
            into,
          )
        : vectorOperation(this.#context, scope, operation, reduce.dtype, reduce.dtype, [
            varying(into),
            varying(this.#vector(valueRoot, at, level)),
          ]);
      scope.emit(into.set(next));
    }
  }

  /** The loop that runs four at a time is the last of all, where elements are neighbours (see `fuse.ts`). */
  #storeBeside({ position, read }: Beside, level: number): void {
    const { kernel } = this.#nest;
    const shape = [...kernel.domain, ...(kernel.reduce?.extents ?? [])];
    const strides = stridesOf(shape);
    const terms = new Map(strides.map((stride, axis) => [axis, stride] as const).filter(([axis]) => shape[axis] !== 1));
    const pointer = this.#scope.builder.parameter(1 + read, 'i32');
    const address = this.#address({ name: 'beside', pointer, form: { constant: 0, terms }, bytes: 4 }, level);
    if (this.#mode === 0) this.#at(level).emit(f32.store(address, this.#scalar(position, level) as F32));
    for (let at = 0; at < this.#mode; at++) {
      this.#at(level).emit(v128.store(address, this.#vector(position, at, level), at * 16));
    }
  }

  #store(level: number): void {
    const { kernel, outStrides } = this.#nest;
    const scope = this.#at(level);
    const terms = new Map<number, number>();
    kernel.domain.forEach((extent, axis) => {
      if (extent > 1) terms.set(axis, outStrides[axis] as number);
    });
    const bytes = bytesPerElement[kernel.dtype];
    const pointer = this.#scope.builder.parameter(0, 'i32');
    const address = this.#address({ name: 'out', pointer, form: { constant: 0, terms }, bytes }, level);
    const { root } = this.#analysis;
    if (this.#nest.accumulate) {
      this.#storeAdded(this.#nest.accumulate, address, level);
      return;
    }
    const vectorised = this.#mode > 0 && this.#schedule.vector < this.#schedule.domainLoops;
    if (!vectorised) {
      scope.emit(this.#storeScalar(kernel.dtype, address, this.#scalar(root, level)));
      return;
    }
    const stride = strideAlong(
      { constant: 0, terms },
      this.#schedule.order[this.#schedule.vector] as Schedule['order'][number],
    );
    for (let at = 0; at < this.#mode; at++) {
      const value = this.#vector(root, at, level);
      const offset = at * 4 * bytes;
      if (stride !== 1) {
        const kept = keep(scope, value);
        for (const lane of [0, 1, 2, 3]) {
          const place = (at * 4 + lane) * stride * bytes;
          if (bytes === 4) scope.emit(v128.store32Lane(address, kept, lane, place));
          else scope.emit(this.#storeScalar(kernel.dtype, address, this.#laneOf(kernel.dtype, kept, lane), place));
        }
      } else if (bytes === 4) scope.emit(v128.store(address, value, offset));
      else if (kernel.dtype === 'bool') scope.emit(v128.store32Lane(address, this.#maskToBytes(value), 0, offset));
      else {
        const kept = keep(scope, value);
        for (const lane of [0, 1, 2, 3]) {
          scope.emit(
            this.#storeScalar(kernel.dtype, address, this.#laneOf(kernel.dtype, kept, lane), offset + lane * bytes),
          );
        }
      }
    }
  }
  #laneOf(dtype: DType, vector: V128, lane: number): Expression {
    if (isScalarFloat(dtype)) return f32x4.extract(vector, lane);
    const word = i32x4.extract(vector, lane);
    return dtype === 'bool' ? i32.and(word, i32.const(1)) : word;
  }
  /** Adds the value to what is there, or to what is before it. Only float32 and int32. */
  #storeAdded(accumulate: Accumulate, address: I32, level: number): void {
    const { kernel, outStrides } = this.#nest;
    const scope = this.#at(level);
    const { root } = this.#analysis;
    const statements: Statement[] = [];
    const float = kernel.dtype === 'float32';
    const vectorAdd = float ? f32x4.add : i32x4.add;
    const store = (to: I32, before: I32 | null): void => {
      if (this.#mode === 0) {
        const value = this.#scalar(root, level);
        if (float) {
          const sum = before ? f32.add(value as F32, f32.load(before)) : (value as F32);
          statements.push(f32.store(to, sum));
        } else {
          const sum = before ? i32.add(value as I32, i32.load(before)) : (value as I32);
          statements.push(i32.store(to, sum));
        }
      }
      for (let at = 0; at < this.#mode; at++) {
        const value = this.#vector(root, at, level);
        const sum = before ? vectorAdd(value, v128.load(before, at * 16)) : value;
        statements.push(v128.store(to, sum, at * 16));
      }
    };
    if (accumulate.kind === 'add') {
      store(address, address);
      scope.emit(...statements);
      return;
    }
    if (accumulate.kind === 'scatter') {
      const index = keep(scope, this.#scalar(accumulate.index, level) as I32);
      const to = keep(scope, i32.add(address, times(index, accumulate.stride * 4)));
      store(to, to);
      scope.emit(when(i32.ltU(index, i32.const(accumulate.limit)), statements));
      return;
    }
    const loop = this.#schedule.order.findIndex((each) => each.axes.includes(accumulate.axis));
    if (loop < 0) {
      store(address, null);
      scope.emit(...statements);
      return;
    }
    if (this.#mode === 0 && loop === this.#schedule.order.length - 1) {
      // Innermost, the sum stays in a local.
      const sum = this.#scope.local(float ? 'f32' : 'i32') as Local;
      const value = keep(scope, this.#scalar(root, level));
      const next = float ? f32.add(sum as F32, value as F32) : i32.add(sum as I32, value as I32);
      scope.emit(when(this.#indices[loop] as Local<'i32'>, [sum.set(next)], [sum.set(value)]));
      scope.emit(this.#storeScalar(kernel.dtype, address, sum));
      return;
    }
    store(address, i32.sub(address, i32.const(4 * (outStrides[accumulate.axis] as number))));
    const added = statements.splice(0);
    store(address, null);
    scope.emit(when(this.#indices[loop] as Local<'i32'>, added, statements));
  }
  #maskToBytes(mask: V128): V128 {
    const zero = this.#scope.words(0);
    const words = i16x8.narrowI32x4S(mask, zero);
    return v128.and(i8x16.narrowI16x8S(words, zero), this.#scope.words(0x01010101));
  }
  #storeScalar(dtype: DType, address: I32, value: Expression, offset = 0): Statement {
    if (dtype === 'float32') return f32.store(address, value as F32, offset);
    if (dtype === 'int32') return i32.store(address, value as I32, offset);
    if (dtype === 'float16' || dtype === 'bfloat16') {
      return i32.store16(address, encodeHalf(this.#context, dtype, value as F32), offset);
    }
    return i32.store8(address, value as I32, offset);
  }

  /** The address of the element where the first `level` loops stand (without terms that differ between lanes). */
  #address(access: Access, level: number): I32 {
    const frame = this.#frames[level] as Frame;
    const known = frame.addresses.get(access.name);
    if (known) return known;
    const { form, bytes } = access;
    let sum: I32 = level === 0 ? access.pointer : this.#address(access, level - 1);
    const before = sum;
    const scope = this.#at(level);
    if (level === 0) {
      if (form.constant !== 0) sum = i32.add(sum, i32.const(Math.imul(form.constant, bytes)));
    } else {
      const stride = strideAlong(form, this.#schedule.order[level - 1] as Schedule['order'][number]);
      if (stride !== 0) sum = i32.add(sum, this.#scaled(level, Math.imul(stride, bytes)));
    }
    for (const [term, coefficient] of form.terms) {
      if (term >= 0 || this.#levels[-1 - term] !== level || this.#isVector(-1 - term)) continue;
      const value = this.#scalar(-1 - term, level) as I32;
      sum = i32.add(sum, times(value, Math.imul(coefficient, bytes)));
    }
    const address = sum === before ? sum : keep(scope, sum);
    frame.addresses.set(access.name, address);
    return address;
  }
  /** The index of a loop times a number of bytes. */
  #scaled(level: number, factor: number): I32 {
    const frame = this.#frames[level] as Frame;
    const name = `*${factor}`;
    const known = frame.addresses.get(name);
    if (known) return known;
    const index = this.#indices[level - 1] as Local<'i32'>;
    const value = factor === 1 ? index : keep(this.#at(level), times(index, factor));
    frame.addresses.set(name, value);
    return value;
  }

  #isVector(position: number): boolean {
    return (
      this.#mode > 0 &&
      ((this.#analysis.depends[position] as number) & this.#vectorBits) !== 0 &&
      this.#accumulatorIsVector(position)
    );
  }
  /** With the reduction along the vectorised loop nothing after it is a vector. */
  #accumulatorIsVector(position: number): boolean {
    return !this.#analysis.late[position] || this.#schedule.vector < this.#schedule.domainLoops;
  }

  /** The value as one element, wanted at `level`. */
  #scalar(position: number, level: number): Expression {
    return this.#values(position, level)[0] as Expression;
  }
  /** Four lanes of the value, the `at`-th vector of this turn. */
  #vector(position: number, at: number, level: number): V128 {
    if (this.#isVector(position)) return this.#values(position, level)[at] as V128;
    const op = this.#analysis.ops[position] as Op;
    if (op.op === 'const') {
      if (isScalarFloat(op.dtype)) return this.#scope.floats(op.value);
      return this.#scope.words(op.dtype === 'bool' ? -Number(op.value !== 0) : op.value);
    }
    const frame = this.#frames[this.#levels[position] as number] as Frame;
    const known = frame.splats.get(position);
    if (known) return known;
    const own = this.#levels[position] as number;
    const one = this.#scalar(position, own);
    const splat = isScalarFloat(op.dtype)
      ? f32x4.splat(one as F32)
      : i32x4.splat(op.dtype === 'bool' ? i32.sub(i32.const(0), one as I32) : (one as I32));
    const kept = keep(this.#at(own), splat);
    frame.splats.set(position, kept);
    return kept;
  }

  #values(position: number, level: number): readonly Expression[] {
    const op = this.#analysis.ops[position] as Op;
    if (op.op === 'accumulator') return this.#accumulators;
    if (op.op === 'const' && !this.#isVector(position)) {
      return [
        isScalarFloat(op.dtype)
          ? f32.const(op.value)
          : i32.const(op.dtype === 'bool' ? Number(op.value !== 0) : op.value),
      ];
    }
    if (op.op === 'scalar') return [this.#scalarParameter(op.slot)];
    const own = this.#levels[position] as number;
    const frame = this.#frames[own] as Frame;
    const known = frame.values.get(position);
    if (known) return known;
    const scope = this.#at(own);
    const vector = this.#isVector(position);
    const computed = Array.from({ length: vector ? this.#mode : 1 }, (_, at) =>
      vector ? this.#computeVector(position, at, own) : this.#computeScalar(position, own),
    );
    if (own === level && (this.#uses[position] as number) <= 1) {
      // The vectors are asked for one by one: without this each of them would compute all of them again.
      if (computed.length > 1) frame.values.set(position, computed);
      return computed;
    }
    const kept = computed.map((value) => keep(scope, value));
    frame.values.set(position, kept);
    return kept;
  }
  #scalarParameter(slot: number): Local {
    const { kernel } = this.#nest;
    const type = kernel.scalars[slot] === 'float32' ? 'f32' : 'i32';
    return this.#scope.builder.parameter(1 + kernel.reads.length + slot, type);
  }

  #computeScalar(position: number, level: number): Expression {
    const op = this.#analysis.ops[position] as Op;
    if (op.op === 'axis') {
      const at = this.#schedule.order.findIndex((loop) => loop.axes.includes(op.axis));
      return at < 0 ? i32.const(0) : (this.#indices[at] as Local<'i32'>);
    }
    if (op.op === 'load') {
      const access = this.#access(op);
      return this.#loadScalar(this.#nest.kernel.reads[op.read] as DType, this.#address(access, level), 0);
    }
    if (!isAlu(op)) throw new TypeError(`no code for ${op.op}`);
    const values = op.args.map((argument) => this.#scalar(argument, level));
    return scalarOperation(this.#context, this.#at(level), op.op, op.dtype, this.#from(op), values);
  }
  /** The dtype of the arguments. */
  #from(op: Extract<Op, { args: readonly number[] }>): DType {
    return (this.#analysis.ops[op.args[op.op === 'where' ? 1 : 0] as number] as Op).dtype;
  }
  #access(op: Extract<Op, { op: 'load' }>): Access {
    return {
      name: `${op.read}:${op.index}`,
      pointer: this.#scope.builder.parameter(1 + op.read, 'i32'),
      form: this.#analysis.forms[op.index] as Affine,
      bytes: bytesPerElement[this.#nest.kernel.reads[op.read] as DType],
    };
  }
  #loadScalar(dtype: DType, address: I32, offset: number): Expression {
    if (dtype === 'float32') return f32.load(address, offset);
    if (dtype === 'int32') return i32.load(address, offset);
    if (dtype === 'bool') return i32.ne(i32.load8U(address, offset), i32.const(0));
    if (dtype === 'uint8') return i32.load8U(address, offset);
    if (dtype === 'int8') return i32.load8S(address, offset);
    return decodeHalf(this.#context, dtype, i32.load16U(address, offset));
  }

  #computeVector(position: number, at: number, level: number): V128 {
    const op = this.#analysis.ops[position] as Op;
    if (op.op === 'axis') {
      const index = i32x4.splat(this.#indices[this.#schedule.vector] as Local<'i32'>);
      return i32x4.add(index, this.#lanes(at));
    }
    if (op.op === 'load') return this.#loadVector(op, at, level);
    if (!isAlu(op)) throw new TypeError(`no vector code for ${op.op}`);
    const values = op.args.map((argument): Argument => {
      const source = this.#analysis.ops[argument] as Op;
      return {
        vector: this.#vector(argument, at, level),
        uniform: () => (this.#isVector(argument) ? null : this.#scalar(argument, level)),
        constant: source.op === 'const' ? source.value : null,
        range: this.#analysis.ranges[argument] ?? null,
      };
    });
    return vectorOperation(this.#context, this.#at(level), op.op, op.dtype, this.#from(op), values);
  }
  /** The numbers 4 at, 4 at + 1, 4 at + 2, 4 at + 3, in a local. */
  #lanes(at: number): V128 {
    const known = this.#laneNumbers.get(at);
    if (known) return known;
    const lanes = this.#scope.local('v128');
    this.#scope.prologue.push(lanes.set(v128.words([4 * at, 4 * at + 1, 4 * at + 2, 4 * at + 3])));
    this.#laneNumbers.set(at, lanes);
    return lanes;
  }
  readonly #laneNumbers = new Map<number, V128>();

  #loadVector(op: Extract<Op, { op: 'load' }>, at: number, level: number): V128 {
    const access = this.#access(op);
    const dtype = this.#nest.kernel.reads[op.read] as DType;
    const { form, bytes } = access;
    const base = this.#address(access, level);
    const stride = strideAlong(form, this.#schedule.order[this.#schedule.vector] as Schedule['order'][number]);
    const varyingTerms = [...form.terms].filter(([term]) => term < 0 && this.#isVector(-1 - term));
    const offset = at * 4 * stride * bytes;
    if (varyingTerms.length > 0) return this.#gather(dtype, base, varyingTerms, stride, at, level);
    if (stride === 1 && bytes === 4) return v128.load(base, offset);
    if (stride === 1 && dtype === 'bool') {
      const wide = i32x4.extendLowI16x8U(i16x8.extendLowI8x16U(v128.load32Zero(base, offset)));
      return i32x4.ne(wide, this.#scope.words(0));
    }
    if (stride === -1 && bytes === 4) {
      const whole = keep(this.#at(level), v128.load(i32.add(base, i32.const(offset - 12))));
      return v128.shuffleWords(whole, whole, [3, 2, 1, 0]);
    }
    // Reads one element beyond the last: memory has a margin for that.
    if (stride === 2 && bytes === 4) {
      return v128.shuffleWords(v128.load(base, offset), v128.load(base, offset + 16), [0, 2, 4, 6]);
    }
    const start = offset >= 0 ? base : keep(this.#at(level), i32.add(base, i32.const(offset)));
    const from = offset >= 0 ? offset : 0;
    return this.#lanesOf(dtype, (lane) => {
      const step = lane * stride * bytes;
      return step < 0 ? [i32.add(start, i32.const(step)), from] : [start, from + step];
    });
  }
  #gather(
    dtype: DType,
    base: I32,
    terms: readonly (readonly [number, number])[],
    stride: number,
    at: number,
    level: number,
  ): V128 {
    const bytes = bytesPerElement[dtype];
    const scope = this.#at(level);
    let sum: V128 | null = null;
    for (const [term, coefficient] of terms) {
      const value = this.#vector(-1 - term, at, level);
      const factor = Math.imul(coefficient, bytes);
      const part = factor === 1 ? value : i32x4.mul(value, this.#scope.words(factor));
      sum = sum ? i32x4.add(sum, part) : part;
    }
    const offsets = keep(scope, sum as V128);
    return this.#lanesOf(dtype, (lane) => {
      const step = (lane + 4 * at) * stride * bytes;
      const address = i32.add(base, i32x4.extract(offsets, lane));
      return step < 0 ? [i32.add(address, i32.const(step)), 0] : [address, step];
    });
  }
  /** A vector of four loads. */
  #lanesOf(dtype: DType, place: (lane: number) => readonly [I32, number]): V128 {
    const [address, offset] = place(0);
    if (bytesPerElement[dtype] === 4) {
      let vector = v128.load32Zero(address, offset);
      for (const lane of [1, 2, 3]) {
        const [at, from] = place(lane);
        vector = v128.load32Lane(at, vector, lane, from);
      }
      return vector;
    }
    const one = (lane: number): Expression => this.#loadScalar(dtype, ...place(lane));
    if (isScalarFloat(dtype)) {
      let vector = f32x4.splat(one(0) as F32);
      for (const lane of [1, 2, 3]) vector = f32x4.replace(vector, lane, one(lane) as F32);
      return vector;
    }
    let vector = i32x4.splat(one(0) as I32);
    for (const lane of [1, 2, 3]) vector = i32x4.replace(vector, lane, one(lane) as I32);
    return dtype === 'bool' ? i32x4.neg(vector) : vector;
  }
}

/** The axes along which the output does not move, as bits. */
const zeroStrides = (strides: readonly number[]): number =>
  strides.reduce((bits, stride, axis) => (stride === 0 ? bits | (1 << axis) : bits), 0);

function times(value: I32, factor: number): I32 {
  if (factor === 1) return value;
  const power = Math.log2(factor);
  return factor > 0 && Number.isInteger(power) ? i32.shl(value, i32.const(power)) : i32.mul(value, i32.const(factor));
}

/** The neutral element. For bools max is `or`, min is `and`. */
function initialValue(op: NonNullable<Kernel['reduce']>['op'], dtype: DType): number {
  if (op === 'sum') return 0;
  if (op === 'product') return 1;
  if (dtype === 'bool') return op === 'max' ? 0 : 1;
  if (dtype === 'int32') return op === 'max' ? -(2 ** 31) : 2 ** 31 - 1;
  return op === 'max' ? -Infinity : Infinity;
}

/**
 * Sums, products and extremes of one element of the output: the accumulators before the reduced loops, one turn of the
 * innermost loop, and the result after them. Where the reduction itself runs by vectors, the lanes are folded at the end.
 * Long sums of float32 are sums of shorter ones, which are added up in double precision: the rounding error is that of a
 * short sum, however many terms there are. In a product each factor leaves its own relative error, so all of a long one is
 * taken in double precision.
 */
import type { DType, Kernel } from '@nn/core';
import type { Expression, Local, Statement, V128 } from '../code/assembler.ts';
import { f32, f32x4, f64, f64x2 } from '../code/instructions.ts';
import { crossed, highHalf, keep, lowHalves, type Scope } from '../code/math.ts';
import { isFloat, scalarOperation, varying, vectorOperation } from '../code/operations.ts';
import { constantElement, constantLanes, laneOf } from './elements.ts';
import type { OpenLoops } from './open-loops.ts';
import type { Values } from './values.ts';

type Reduce = NonNullable<Kernel['reduce']>;

/** About the most terms that one float32 accumulator adds up one after the other. */
const longestRun = 128;
/** So few terms are not worth the change to double precision: then the runs are those of the loop around. */
const shortestRun = 32;

/** The most factors of a float32 product. */
const longestProduct = 8;

const operations = { sum: 'add', product: 'mul', max: 'max', min: 'min' } as const;

/** Accumulators: of vectors, and of what is left of a row. */
interface Sums {
  readonly vectors: readonly Local<'v128'>[];
  readonly single: Local | null;
}

/** The same in double precision: for each vector its low and its high lanes. */
interface Totals {
  readonly vectors: readonly (readonly [low: Local<'v128'>, high: Local<'v128'>])[];
  readonly single: Local<'f64'> | null;
}

export class Reduction {
  readonly #loops: OpenLoops;
  readonly #values: Values;
  readonly #reduce: Reduce;
  /** Whether the loop that runs by vectors is a reduced one. */
  readonly #along: boolean;
  #sums: Sums = { vectors: [], single: null };
  /** Sums of the sums so far, where these are cut into runs. */
  #totals: Totals | null = null;
  /** The loop whose turns make up runs. */
  #level = 0;

  constructor(loops: OpenLoops, values: Values, reduce: Reduce) {
    this.#loops = loops;
    this.#values = values;
    this.#reduce = reduce;
    this.#along = loops.schedule.vector >= loops.schedule.domainLoops;
  }

  /** Before the reduced loops: the accumulators at their neutral element. */
  begin(): void {
    const { order, vector, unroll, domainLoops } = this.#loops.schedule;
    const scope = this.#loops.at(domainLoops);
    const { op, dtype } = this.#reduce;
    const start = neutralElement(op, dtype);
    const count = this.#along ? unroll : this.#loops.mode;
    const wide = constantLanes(this.#loops.scope, dtype, start);
    const one = constantElement(dtype, start);
    const vectors = Array.from({ length: count }, () => keep(scope, wide));
    const left = this.#along && this.#loops.loop(vector).extent % scope.lanes !== 0;
    const single = count === 0 || left ? keep(scope, one) : null;
    this.#sums = { vectors, single };
    const terms = order.slice(domainLoops).reduce((product, loop) => product * loop.extent, 1);
    const step = this.#along ? scope.lanes * count : 1;
    const longest = op === 'product' ? longestProduct : longestRun;
    if ((op !== 'sum' && op !== 'product') || !isFloat(dtype) || terms / step <= longest) return;
    this.#level = order.length - 1;
    let run = this.#loops.loop(this.#level).extent / step;
    while (run < shortestRun && this.#level > domainLoops) run *= this.#loops.loop(--this.#level).extent;
    const neutral = (): Local<'v128'> => keep(scope, f64x2.promoteLow(wide));
    this.#totals = {
      vectors: vectors.map(() => [neutral(), neutral()] as const),
      single: single ? keep(scope, f64.promote(f32.const(start))) : null,
    };
  }

  /** After how many turns of a loop, of `step` elements each, its sums go over to the totals, if it is the one. */
  runOf(level: number): number {
    const { order } = this.#loops.schedule;
    const inside = order.slice(level + 1).reduce((product, loop) => product * loop.extent, 1);
    return Math.max(1, Math.floor(longestRun / inside));
  }

  /** Inside all loops: one turn's terms are taken in. */
  add(level: number): void {
    const { analysis, context, mode } = this.#loops;
    const scope = this.#loops.at(level);
    const { valueRoot } = analysis;
    const { op, dtype } = this.#reduce;
    if (op === 'product' && this.#totals) {
      this.#multiply(scope, this.#totals, level);
      return;
    }
    if (mode === 0) {
      const into = this.#sums.single as Local;
      const value = this.#values.scalar(valueRoot, level);
      scope.emit(into.set(scalarOperation(context, scope, operations[op], dtype, dtype, [into, value])));
      return;
    }
    const root = analysis.ops[valueRoot]!;
    const fuses = context.target.fused && op === 'sum' && dtype === 'float32' && root.op === 'mul';
    for (let at = 0; at < mode; at++) {
      const into = this.#sums.vectors[at]!;
      const vector = (position: number): V128 => this.#values.vector(position, at, level);
      const next = fuses
        ? f32x4.relaxedMadd(vector(root.args[0]!), vector(root.args[1]!), into)
        : this.#combine(scope, into, vector(valueRoot));
      scope.emit(into.set(next));
    }
  }

  /** One turn's factors go right into the totals. */
  #multiply(scope: Scope, { vectors, single }: Totals, level: number): void {
    const { analysis, mode } = this.#loops;
    if (mode === 0 && single) {
      const factor = this.#values.scalar(analysis.valueRoot, level) as Expression<'f32'>;
      scope.emit(single.set(f64.mul(single, f64.promote(factor))));
      return;
    }
    for (let at = 0; at < mode; at++) {
      const [low, high] = vectors[at]!;
      const factors = keep(scope, this.#values.vector(analysis.valueRoot, at, level));
      const upper = highHalf(scope, factors);
      scope.emit(low.set(f64x2.mul(low, f64x2.promoteLow(factors))));
      scope.emit(high.set(f64x2.mul(high, f64x2.promoteLow(upper))));
    }
  }

  /** After a run of the loop that makes them up: its sums go over to the totals. */
  carry(level: number, mode: number): Statement[] {
    const totals = this.#totals;
    if (!totals || level !== this.#level || this.#reduce.op === 'product') return [];
    const { vectors, single } = this.#sums;
    const statements: Statement[] = [];
    // around the loop that runs by vectors all of its sums are there
    const isAround = this.#along && level !== this.#loops.schedule.vector;
    if ((isAround || mode === 0) && single && totals.single) {
      const sum = single as Local<'f32'>;
      statements.push(totals.single.set(f64.add(totals.single, f64.promote(sum))), sum.set(f32.const(0)));
    }
    vectors.slice(0, isAround ? vectors.length : mode).forEach((sum, at) => {
      const [low, high] = totals.vectors[at]!;
      const upper = highHalf(this.#loops.scope, sum);
      statements.push(
        low.set(f64x2.add(low, f64x2.promoteLow(sum))),
        high.set(f64x2.add(high, f64x2.promoteLow(upper))),
        sum.set(this.#loops.scope.floats(0)),
      );
    });
    return statements;
  }

  /** After the reduced loops: the results are there for the epilogue. */
  finish(): void {
    const totals = this.#totals;
    this.#totals = null;
    if (totals) this.#values.accumulators = this.#along ? [this.#foldedTotals(totals)] : this.#rounded(totals);
    else {
      const { vectors, single } = this.#sums;
      if (this.#along) this.#values.accumulators = [this.#folded(vectors, single)];
      else this.#values.accumulators = vectors.length > 0 ? vectors : [single as Expression];
    }
  }

  /** Totals of the elements of a vector, as float32. */
  #rounded({ vectors, single }: Totals): Expression[] {
    const scope = this.#loops.at(this.#loops.schedule.domainLoops);
    if (vectors.length === 0) return [keep(scope, f32.demote(single as Local<'f64'>))];
    return vectors.map(([low, high]) => keep(scope, lowHalves(scope, f32x4.demoteZero(low), f32x4.demoteZero(high))));
  }

  /** All totals of one element as one number. */
  #foldedTotals({ vectors, single }: Totals): Expression {
    const scope = this.#loops.at(this.#loops.schedule.domainLoops);
    const all = (parts: readonly V128[]): V128 => parts.reduce((total, part) => this.#doubles(total, part));
    let sums = keep(scope, all(vectors.flat()));
    for (let by = scope.lanes / 2; by >= 2; by /= 2) sums = keep(scope, this.#doubles(sums, crossed(scope, sums, by)));
    const result = f64x2.extract(sums, 0);
    return keep(scope, f32.demote(single ? this.#double(result, single) : result));
  }

  #double(a: Expression<'f64'>, b: Expression<'f64'>): Expression<'f64'> {
    return this.#reduce.op === 'product' ? f64.mul(a, b) : f64.add(a, b);
  }

  #doubles(a: V128, b: V128): V128 {
    return this.#reduce.op === 'product' ? f64x2.mul(a, b) : f64x2.add(a, b);
  }

  /** Folds the vectors, then the lanes, then what was left of the rows. */
  #folded(vectors: readonly V128[], single: Local | null): Expression {
    const { context, schedule } = this.#loops;
    const scope = this.#loops.at(schedule.domainLoops);
    const { op, dtype } = this.#reduce;
    let live = vectors;
    while (live.length > 1) {
      const half = live.length / 2;
      live = live.slice(0, half).map((one, at) => keep(scope, this.#combine(scope, one, live[at + half]!)));
    }
    let all = live[0]!;
    for (let by = scope.lanes / 2; by >= 1; by /= 2) {
      all = keep(scope, this.#combine(scope, all, crossed(scope, all, by)));
    }
    const result = laneOf(dtype, all, 0);
    if (!single) return keep(scope, result);
    const parts = [keep(scope, result), single];
    return keep(scope, scalarOperation(context, scope, operations[op], dtype, dtype, parts));
  }

  #combine(scope: Scope, a: V128, b: V128): V128 {
    const { op, dtype } = this.#reduce;
    return vectorOperation(this.#loops.context, scope, operations[op], dtype, dtype, [varying(a), varying(b)]);
  }
}

/** For bools max is `or`, min is `and`. */
function neutralElement(op: Reduce['op'], dtype: DType): number {
  if (op === 'sum') return 0;
  if (op === 'product') return 1;
  if (dtype === 'bool') return op === 'max' ? 0 : 1;
  if (dtype === 'int32') return op === 'max' ? -(2 ** 31) : 2 ** 31 - 1;
  return op === 'max' ? -Infinity : Infinity;
}

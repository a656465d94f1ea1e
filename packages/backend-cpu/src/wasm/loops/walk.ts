/**
 * The loops of a nest, outside in, as its schedule says. The function computes units `begin` to `end`: pieces of the only
 * loop, turns of the first loop, or positions of the first few loops together. The loop that runs by vectors is three
 * loops one after the other: several vectors a turn, then one vector, then what is left one by one.
 * The innermost code is of `reduction.ts` and `stores.ts`.
 */
import type { Code, I32, Local, Statement } from '../code/assembler.ts';
import { doWhile, i32, select, when } from '../code/instructions.ts';
import { keep } from '../code/math.ts';
import type { OpenLoops } from './open-loops.ts';
import { Reduction } from './reduction.ts';
import { Stores } from './stores.ts';
import { Values } from './values.ts';

/** Loops of so few turns, and of so many bytes in all, are written out; the compiler then knows the index. */
const shortLoop = { turns: 4, bytes: 1200 };

export class Walk {
  readonly #loops: OpenLoops;
  readonly #reduction: Reduction | null;
  readonly #stores: Stores;

  constructor(loops: OpenLoops) {
    const values = new Values(loops);
    const { reduce } = loops.nest.kernel;
    this.#loops = loops;
    this.#reduction = reduce ? new Reduction(loops, values, reduce) : null;
    this.#stores = new Stores(loops, values);
  }

  emit(): void {
    const { schedule, scope } = this.#loops;
    const { builder } = scope;
    const count = builder.parameters.length;
    const [begin, end] = [builder.parameter(count - 2, 'i32'), builder.parameter(count - 1, 'i32')];
    const root = this.#loops.open();
    if (schedule.flat !== null) this.#pieces(schedule.flat, begin, end);
    else if (schedule.outer === 0) this.#inside(0);
    else if (schedule.outer === 1) {
      root.statements.push(this.#loops.index(0).set(begin));
      this.#turns(0, end, this.#loops.mode, 1, false);
    } else this.#odometer(schedule.outer, begin, end);
    scope.statements.push(...root.statements);
  }

  /** The only loop, in pieces of `size` elements. */
  #pieces(size: number, begin: I32, end: I32): void {
    const scope = this.#loops.at(0);
    const total = i32.const(this.#loops.loop(0).extent);
    const bound = (units: I32): I32 => {
      const at = keep(scope, i32.mul(units, i32.const(size)));
      return keep(scope, select(at, total, i32.ltU(at, total)));
    };
    this.#loop(0, bound(begin), bound(end), size);
  }

  /** Several outer loops as one: their indices are taken from the unit once and counted on with carries. */
  #odometer(outer: number, begin: I32, end: I32): void {
    const { scope } = this.#loops;
    const root = this.#loops.frame(0);
    const unit = scope.local('i32');
    const rest = scope.local('i32');
    const digit = (at: number): { index: Local<'i32'>; extent: I32 } => ({
      index: this.#loops.index(at),
      extent: i32.const(this.#loops.loop(at).extent),
    });
    root.statements.push(unit.set(begin), rest.set(begin));
    for (let at = outer - 1; at >= 0; at--) {
      const { index, extent } = digit(at);
      root.statements.push(index.set(at === 0 ? rest : i32.remU(rest, extent)));
      if (at > 0) root.statements.push(rest.set(i32.divU(rest, extent)));
    }
    // All these loops have one body, so the frames share one list of statements.
    const statements: Statement[] = [];
    for (let at = 0; at < outer; at++) this.#loops.open(statements);
    this.#inside(outer);
    this.#loops.close(outer);
    let carry: Statement[] = [];
    for (let at = 0; at < outer; at++) {
      const { index, extent } = digit(at);
      const step = index.set(i32.add(index, i32.const(1)));
      carry = at === 0 ? [step] : [step, when(i32.eq(index, extent), [index.set(i32.const(0)), ...carry])];
    }
    statements.push(...carry, unit.set(i32.add(unit, i32.const(1))));
    root.statements.push(when(i32.ltU(begin, end), [doWhile(statements, i32.ltU(unit, end))]));
  }

  /** The code inside the first `level` loops. */
  #inside(level: number): void {
    const { order, domainLoops } = this.#loops.schedule;
    if (level < domainLoops) this.#whole(level);
    else if (level === domainLoops) this.#element();
    else if (level < order.length) this.#whole(level);
    else this.#term(level);
  }

  /** One element (or `mode` vectors) of the output. */
  #element(): void {
    const { order, domainLoops } = this.#loops.schedule;
    if (this.#reduction) {
      this.#reduction.begin();
      if (domainLoops < order.length) this.#whole(domainLoops);
      else this.#term(domainLoops);
      this.#reduction.finish();
    }
    this.#stores.element(domainLoops);
  }

  /** One term of a reduction (or `mode` vectors of terms). */
  #term(level: number): void {
    const { beside } = this.#loops.nest;
    if (beside) this.#stores.beside(beside, level);
    this.#reduction?.add(level);
  }

  #whole(level: number): void {
    this.#loop(level, i32.const(0), i32.const(this.#loops.loop(level).extent), null);
  }

  /** The loop `level` from `from` to `to`; `pieces`: the bounds are multiples of it, or the extent (null: 0 and the extent). */
  #loop(level: number, from: I32, to: I32, pieces: number | null): void {
    const { vector, unroll, lanes } = this.#loops.schedule;
    const { extent } = this.#loops.loop(level);
    const index = this.#loops.index(level);
    this.#loops.frame(level).statements.push(index.set(from));
    if (level !== vector) {
      this.#turns(level, to, this.#loops.mode, 1, pieces === null);
      return;
    }
    // Remainders that can occur after whole turns of `step` elements.
    const left = (step: number): number => (pieces === null || pieces % step === 0 ? extent % step : step - 1);
    /** Where turns of `step` elements end. */
    const limit = (step: number): I32 => {
      if (step === 1 || left(step) === 0) return to;
      if (pieces === null) return i32.const(extent - (extent % step));
      return keep(this.#loops.at(level), i32.sub(to, i32.and(i32.sub(to, index), i32.const(step - 1))));
    };
    const wide = lanes * unroll;
    const runs = pieces === null;
    if (extent >= wide) this.#turns(level, limit(wide), unroll, wide, runs);
    if (unroll > 1 && left(wide) >= lanes) this.#turns(level, limit(lanes), 1, lanes, runs);
    if (left(lanes) > 0) this.#turns(level, to, 0, 1, runs);
  }

  /** Turns of `step` elements until `to`, as `mode` vectors each (0: one element); `runs`: there is at least one. */
  #turns(level: number, to: I32, mode: number, step: number, runs: boolean): void {
    const outside = this.#loops.mode;
    const index = this.#loops.index(level);
    const { extent } = this.#loops.loop(level);
    this.#loops.mode = mode;
    const { statements } = this.#loops.open();
    this.#inside(level + 1);
    this.#loops.close();
    this.#loops.mode = outside;
    const around = this.#loops.frame(level).statements;
    const carry = this.#reduction?.carry(level, mode) ?? [];
    const short = extent <= shortLoop.turns && length(statements) * extent < shortLoop.bytes;
    if (runs && step === 1 && mode === outside && short) {
      for (let turn = 0; turn < extent; turn++) around.push(index.set(i32.const(turn)), ...statements);
      around.push(...carry);
      return;
    }
    const body = [...statements, index.set(i32.add(index, i32.const(step)))];
    const run = this.#reduction?.runOf(level) ?? 1;
    const loop =
      carry.length > 0 && extent / step > 2 * run
        ? this.#inRuns(body, index, to, step * run, carry)
        : [doWhile(body, i32.ltU(index, to)), ...carry];
    around.push(...(runs ? loop : [when(i32.ltU(index, to), loop)]));
  }

  /** A loop with a carry after every run of `length` elements. */
  #inRuns(body: Statement[], index: Local<'i32'>, to: I32, length: number, carry: readonly Statement[]): Statement[] {
    const pause = this.#loops.scope.local('i32');
    const next = i32.add(index, i32.const(length));
    const run = [pause.set(select(next, to, i32.ltU(next, to))), doWhile(body, i32.ltU(index, pause)), ...carry];
    return [doWhile(run, i32.ltU(index, to))];
  }
}

/** Bytes of code, about. */
const length = (code: Code): number =>
  code.reduce<number>((sum, part) => sum + (Array.isArray(part) ? length(part as Code) : 1), 0);

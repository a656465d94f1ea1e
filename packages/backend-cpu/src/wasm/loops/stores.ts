/**
 * Where results go: to the output as they are, added to what is there (see `Accumulate`), or, of a reduction's terms, beside
 * it (see `fuse.ts`). Storage types and lanes are in `elements.ts`.
 */
import { stridesOf } from '../../shape.ts';
import { bytesPerElement } from '../../storage.ts';
import type { Expression, F32, I32, Local, Statement, V128 } from '../code/assembler.ts';
import { f32, f32x4, f64, i32, i32x4, select, v128, when } from '../code/instructions.ts';
import { keep, type Scope } from '../code/math.ts';
import { loadElement, storeElement, storeLanes } from './elements.ts';
import type { Access } from './loads.ts';
import type { Accumulate, Beside } from './nest.ts';
import { type OpenLoops, times } from './open-loops.ts';
import type { Values } from './values.ts';

type Reduction = Extract<Accumulate, { kind: 'scan' }>['op'];

/** One step of a running reduction. NaN stays. */
const doubles = { sum: f64.add, product: f64.mul, max: f64.max, min: f64.min };
const floats = { sum: f32.add, product: f32.mul, max: f32.max, min: f32.min };
const floatLanes = { sum: f32x4.add, product: f32x4.mul, max: f32x4.max, min: f32x4.min };
const wholeLanes = { sum: i32x4.add, product: i32x4.mul, max: i32x4.maxS, min: i32x4.minS };
const wholeNumbers: Record<Reduction, (a: Local<'i32'>, b: Local<'i32'>) => I32> = {
  sum: i32.add,
  product: i32.mul,
  max: (a, b) => select(a, b, i32.gtS(a, b)),
  min: (a, b) => select(a, b, i32.ltS(a, b)),
};

type F = Local<'f32'>;
type V = Local<'v128'>;

export class Stores {
  readonly #loops: OpenLoops;
  readonly #values: Values;

  constructor(loops: OpenLoops, values: Values) {
    this.#loops = loops;
    this.#values = values;
  }

  /** One element (or `mode` vectors) of the output. */
  element(level: number): void {
    const { analysis, context, mode, nest, schedule } = this.#loops;
    const { dtype, domain } = nest.kernel;
    const scope = this.#loops.at(level);
    const bytes = bytesPerElement(dtype);
    const access = this.#access('out', 0, domain, nest.outStrides, bytes);
    const address = this.#values.loads.address(access, level);
    if (nest.accumulate) {
      scope.emit(...this.#added(nest.accumulate, address, level));
    } else if (mode === 0 || schedule.vector >= schedule.domainLoops) {
      scope.emit(storeElement(context, dtype, address, this.#values.scalar(analysis.root, level)));
    } else {
      const stride = this.#loops.vectorStride(access.form);
      const values = Array.from({ length: mode }, (_, at) => () => this.#values.vector(analysis.root, at, level));
      this.#apart(scope, values).forEach((value, at) => {
        storeLanes(context, scope, dtype, address, value(), at * schedule.lanes * stride * bytes, stride);
      });
    }
  }

  /** A compiler that joins neighbours does so only where no store lies between their loads: then all come first. */
  #apart(scope: Scope, values: readonly (() => V128)[]): readonly (() => V128)[] {
    if (this.#loops.context.target.wide !== true) return values;
    const kept = values.map((value) => keep(scope, value()));
    return kept.map((value) => () => value);
  }

  /** The loop that runs by vectors is the last of all, where elements are neighbours (see `fuse.ts`). */
  beside({ position, read }: Beside, level: number): void {
    const { mode, nest } = this.#loops;
    const scope = this.#loops.at(level);
    const shape = [...nest.kernel.domain, ...(nest.kernel.reduce?.extents ?? [])];
    const address = this.#values.loads.address(this.#access('beside', 1 + read, shape, stridesOf(shape), 4), level);
    if (mode === 0) scope.emit(f32.store(address, this.#values.scalar(position, level) as F32));
    const values = Array.from({ length: mode }, (_, at) => () => this.#values.vector(position, at, level));
    this.#apart(scope, values).forEach((value, at) => {
      scope.emit(v128.store(address, value(), this.#offset(at)));
    });
  }

  /** Bytes before the `at`-th vector of neighbours. */
  #offset(at: number): number {
    return at * 4 * this.#loops.schedule.lanes;
  }

  /** What is written through a parameter of the function, `strides` elements apart. */
  #access(
    name: string,
    parameter: number,
    shape: readonly number[],
    strides: readonly number[],
    bytes: number,
    offset = 0,
  ): Access {
    const terms = new Map<number, number>();
    shape.forEach((extent, axis) => {
      if (extent > 1) terms.set(axis, strides[axis]!);
    });
    const pointer = this.#loops.scope.builder.parameter(parameter, 'i32');
    return { name, pointer, form: { constant: offset / bytes, terms }, bytes };
  }

  /** Adds the value to what is there, or to what is before it. Only float32 and int32. */
  #added(accumulate: Accumulate, address: I32, level: number): Statement[] {
    if (accumulate.kind === 'add') return this.#sums(address, address, null, level);
    if (accumulate.kind === 'scan') return this.#scan(accumulate, address, level);
    const scope = this.#loops.at(level);
    const index = keep(scope, this.#values.scalar(accumulate.index, level) as I32);
    const away = keep(scope, times(index, accumulate.stride * 4));
    const to = keep(scope, i32.add(address, away));
    const { nest } = this.#loops;
    const { parameters } = this.#loops.scope.builder;
    const hit = i32.ltU(index, i32.const(accumulate.limit));
    if (accumulate.op === 'max') return [when(hit, this.#larger(to, level))];
    if (accumulate.lost === null) return [when(hit, this.#sums(to, to, null, level))];
    const beside = this.#access('lost', parameters.length - 4, nest.kernel.domain, nest.outStrides, 4, accumulate.lost);
    const lost = keep(scope, i32.add(this.#values.loads.address(beside, level), away));
    return [when(hit, this.#sums(to, to, lost, level))];
  }

  /** Each element is its value combined with the element before, the first of an axis its value alone. */
  #scan({ axis, op }: Extract<Accumulate, { kind: 'scan' }>, address: I32, level: number): Statement[] {
    const { analysis, context, mode, nest, schedule, scope: whole } = this.#loops;
    const loop = this.#loops.levelOf(axis);
    if (loop < 0) return this.#sums(address, null, null, level);
    const index = this.#loops.index(loop);
    if (mode === 0 && loop === schedule.order.length - 1) {
      // Innermost, the sum stays in a local: in double precision, because a float32 would lose more with every term.
      const { dtype } = nest.kernel;
      const value = keep(this.#loops.at(level), this.#values.scalar(analysis.root, level));
      if (dtype === 'int32') {
        const sum = whole.local('i32');
        const next = [sum.set(wholeNumbers[op](sum, value as Local<'i32'>))];
        return [when(index, next, [sum.set(value as I32)]), storeElement(context, dtype, address, sum)];
      }
      const sum = whole.local('f64');
      const term = f64.promote(value as F32);
      const total = f32.demote(sum);
      return [
        when(index, [sum.set(doubles[op](sum, term))], [sum.set(term)]),
        storeElement(context, dtype, address, total),
      ];
    }
    const before = i32.sub(address, i32.const(4 * nest.outStrides[axis]!));
    if (op !== 'sum') {
      return [when(index, this.#combined(op, address, before, level), this.#sums(address, null, null, level))];
    }
    const behind = nest.outStrides.map((stride, other) => (other > axis ? stride : 0));
    const { parameters } = this.#loops.scope.builder;
    const place = this.#access('lost', parameters.length - 3, nest.kernel.domain, behind, 4);
    const lost = this.#values.loads.address(place, level);
    return [when(index, this.#sums(address, before, lost, level), this.#sums(address, null, lost, level))];
  }

  /** Stores the value combined with what is at `before`: nothing of it is lost but the rounding of each product. */
  #combined(op: Reduction, to: I32, before: I32, level: number): Statement[] {
    const { analysis, mode, nest } = this.#loops;
    const isFloat = nest.kernel.dtype === 'float32';
    if (mode === 0) {
      const scope = this.#loops.at(level);
      const value = keep(scope, this.#values.scalar(analysis.root, level));
      if (isFloat) return [f32.store(to, floats[op](f32.load(before), value as F32))];
      const there = keep(scope, i32.load(before));
      return [i32.store(to, wholeNumbers[op](there as Local<'i32'>, value as Local<'i32'>))];
    }
    const combine = (isFloat ? floatLanes : wholeLanes)[op];
    return Array.from({ length: mode }, (_, at) => {
      const value = this.#values.vector(analysis.root, at, level);
      return v128.store(to, combine(v128.load(before, this.#offset(at)), value), this.#offset(at));
    });
  }

  /** Stores the value, added to what is at `before`; what rounding took before is at `lost`, and what it takes goes there. */
  #sums(to: I32, before: I32 | null, lost: I32 | null, level: number): Statement[] {
    const { analysis, context, mode, nest } = this.#loops;
    const { dtype } = nest.kernel;
    if (lost && dtype === 'float32') return this.#compensated(to, before, lost, level);
    if (mode === 0) {
      const value = this.#values.scalar(analysis.root, level);
      const sum = before ? this.#plus(value, loadElement(context, dtype, before)) : value;
      return [storeElement(context, dtype, to, sum)];
    }
    const add = dtype === 'float32' ? f32x4.add : i32x4.add;
    const values = Array.from({ length: mode }, (_, at) => (): V128 => {
      const value = this.#values.vector(analysis.root, at, level);
      return before ? add(value, v128.load(before, this.#offset(at))) : value;
    });
    const apart = this.#apart(this.#loops.at(level), values);
    return apart.map((value, at) => v128.store(to, value(), this.#offset(at)));
  }
  /**
   * t = s + (v - c), c = (t - s) - (v - c): c is what was added too much. Beyond the range of float32 there is nothing to
   * make up for: c is 0 where it is no number.
   */
  #compensated(to: I32, before: I32 | null, lost: I32, level: number): Statement[] {
    const { analysis, mode, scope: whole } = this.#loops;
    const statements: Statement[] = [];
    if (mode === 0) {
      const value = this.#values.scalar(analysis.root, level) as F32;
      if (!before) return [f32.store(to, value), f32.store(lost, f32.const(0))];
      const [sum, term, total, excess] = [0, 1, 2, 3].map(() => whole.local('f32')) as [F, F, F, F];
      statements.push(
        sum.set(f32.load(before)),
        term.set(f32.sub(value, f32.load(lost))),
        total.set(f32.add(sum, term)),
        excess.set(f32.sub(f32.sub(total, sum), term)),
        f32.store(to, total),
        f32.store(lost, select(excess, f32.const(0), f32.eq(f32.sub(excess, excess), f32.const(0)))),
      );
      return statements;
    }
    const [sum, term, total, excess] = [0, 1, 2, 3].map(() => whole.local('v128')) as [V, V, V, V];
    for (let at = 0; at < mode; at++) {
      const value = this.#values.vector(analysis.root, at, level);
      if (!before) {
        statements.push(v128.store(to, value, this.#offset(at)), v128.store(lost, whole.floats(0), this.#offset(at)));
        continue;
      }
      const rest = f32x4.sub(excess, excess);
      statements.push(
        sum.set(v128.load(before, this.#offset(at))),
        term.set(f32x4.sub(value, v128.load(lost, this.#offset(at)))),
        total.set(f32x4.add(sum, term)),
        excess.set(f32x4.sub(f32x4.sub(total, sum), term)),
        v128.store(to, total, this.#offset(at)),
        v128.store(lost, v128.and(excess, f32x4.eq(rest, rest)), this.#offset(at)),
      );
    }
    return statements;
  }

  /** Stores the larger of the value and what is there (which is read only here, inside of the condition); NaN where one is. */
  #larger(to: I32, level: number): Statement[] {
    const { analysis, mode, nest, scope: whole } = this.#loops;
    const isFloat = nest.kernel.dtype === 'float32';
    if (mode > 0) {
      const max = isFloat ? f32x4.max : i32x4.maxS;
      return Array.from({ length: mode }, (_, at) => {
        const value = this.#values.vector(analysis.root, at, level);
        return v128.store(to, max(v128.load(to, this.#offset(at)), value), this.#offset(at));
      });
    }
    const value = this.#values.scalar(analysis.root, level);
    if (isFloat) return [f32.store(to, f32.max(f32.load(to), value as F32))];
    const [there, other] = [whole.local('i32'), whole.local('i32')];
    const larger = select(there, other, i32.gtS(there, other));
    return [there.set(i32.load(to)), other.set(value as I32), i32.store(to, larger)];
  }

  #plus(a: Expression, b: Expression): Expression {
    const float = this.#loops.nest.kernel.dtype === 'float32';
    return float ? f32.add(a as F32, b as F32) : i32.add(a as I32, b as I32);
  }
}

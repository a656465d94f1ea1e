/**
 * Addresses and loads. The address of a load is the sum, level by level, of what the index gains in each loop, so each part
 * is computed in the outermost loop that it can live in: `a[i * n + j]` costs one addition a row and none an element.
 * A vector is loaded as a whole where its elements are neighbours, lane by lane elsewhere. Terms of an index that are no
 * axes (a gathered index) are values, and come from `values.ts`.
 */
import type { DType, Op } from '@nn/core';
import { bytesPerElement } from '../../storage.ts';
import type { Expression, I32, Local, V128 } from '../code/assembler.ts';
import { i32, i32x4, v128 } from '../code/instructions.ts';
import { keep, shuffled } from '../code/math.ts';
import { type Affine, strideAlong } from './analysis.ts';
import { loadElement, loadLanes, loadNeighbours } from './elements.ts';
import { type OpenLoops, times } from './open-loops.ts';

type Load = Extract<Op, { op: 'load' }>;

/** An array that is walked: where its element 0 lies, and the index of an element as a sum over axes. */
export interface Access {
  /** Distinguishes accesses of one function. */
  readonly name: string;
  readonly pointer: Local<'i32'>;
  readonly form: Affine;
  readonly bytes: number;
}

/** The values that indices are made of where no axis is: by position, wanted at a level (see `values.ts`). */
export interface IndexValues {
  /** Inside how many loops it is computed. */
  levelOf(position: number): number;
  /** Whether its lanes differ. */
  isVector(position: number): boolean;
  scalar(position: number, level: number): Expression;
  vector(position: number, at: number, level: number): V128;
}

export class Loads {
  readonly #loops: OpenLoops;
  readonly #values: IndexValues;

  constructor(loops: OpenLoops, values: IndexValues) {
    this.#loops = loops;
    this.#values = values;
  }

  scalar(op: Load, level: number): Expression {
    const { context, nest } = this.#loops;
    return loadElement(context, nest.kernel.reads[op.read]!, this.address(this.#access(op), level));
  }

  /** The `at`-th vector of this turn. */
  vector(op: Load, at: number, level: number): V128 {
    const { context, nest } = this.#loops;
    const scope = this.#loops.at(level);
    const access = this.#access(op);
    const dtype = nest.kernel.reads[op.read]!;
    const { form, bytes } = access;
    const base = this.address(access, level);
    const stride = this.#loops.vectorStride(form);
    const gathered = [...form.terms].filter(([term]) => term < 0 && this.#values.isVector(-1 - term));
    if (gathered.length > 0) return this.#gather(dtype, base, gathered, stride, at, level);
    const { lanes } = scope;
    const offset = at * lanes * stride * bytes;
    if (stride === 1) return loadNeighbours(scope, dtype, base, offset);
    if (stride === -1 && bytes === 4) {
      const whole = keep(scope, v128.load(i32.add(base, i32.const(offset - 4 * (lanes - 1)))));
      return shuffled(scope, whole, whole, (lane) => lanes - 1 - lane);
    }
    // Reads one element beyond the last: memory has a margin for that.
    if (stride === 2 && bytes === 4) {
      const [low, high] = [v128.load(base, offset), v128.load(base, offset + 4 * lanes)];
      return shuffled(scope, low, high, (lane) => 2 * lane);
    }
    const start = offset >= 0 ? base : keep(scope, i32.add(base, i32.const(offset)));
    const from = offset >= 0 ? offset : 0;
    return loadLanes(context, scope, dtype, (lane) => {
      const step = lane * stride * bytes;
      return step < 0 ? [i32.add(start, i32.const(step)), from] : [start, from + step];
    });
  }

  /** Lanes whose indices differ by values. */
  #gather(
    dtype: DType,
    base: I32,
    terms: readonly (readonly [term: number, coefficient: number])[],
    stride: number,
    at: number,
    level: number,
  ): V128 {
    const bytes = bytesPerElement(dtype);
    const scope = this.#loops.at(level);
    let sum: V128 | null = null;
    for (const [term, coefficient] of terms) {
      const value = this.#values.vector(-1 - term, at, level);
      const factor = Math.imul(coefficient, bytes);
      const part = factor === 1 ? value : i32x4.mul(value, scope.words(factor));
      sum = sum ? i32x4.add(sum, part) : part;
    }
    const offsets = keep(scope, sum as V128);
    return loadLanes(this.#loops.context, scope, dtype, (lane) => {
      const step = (lane + scope.lanes * at) * stride * bytes;
      const address = i32.add(base, i32x4.extract(offsets, lane));
      return step < 0 ? [i32.add(address, i32.const(step)), 0] : [address, step];
    });
  }

  /** The address of the element where the first `level` loops stand (without terms that differ between lanes). */
  address(access: Access, level: number): I32 {
    const { addresses, scope } = this.#loops.frame(level);
    const known = addresses.get(access.name);
    if (known) return known;
    const { form, bytes } = access;
    const before: I32 = level === 0 ? access.pointer : this.address(access, level - 1);
    let sum = before;
    if (level === 0) {
      if (form.constant !== 0) sum = i32.add(sum, i32.const(Math.imul(form.constant, bytes)));
    } else {
      const stride = strideAlong(form, this.#loops.loop(level - 1));
      if (stride !== 0) sum = i32.add(sum, this.#loops.scaledIndex(level, Math.imul(stride, bytes)));
    }
    for (const [term, coefficient] of form.terms) {
      const position = -1 - term;
      if (term >= 0 || this.#values.levelOf(position) !== level || this.#values.isVector(position)) continue;
      const value = this.#values.scalar(position, level) as I32;
      sum = i32.add(sum, times(value, Math.imul(coefficient, bytes)));
    }
    const address = sum === before ? sum : keep(scope, sum);
    addresses.set(access.name, address);
    return address;
  }

  #access(op: Load): Access {
    const { analysis, nest, scope } = this.#loops;
    return {
      name: `${op.read}:${op.index}`,
      pointer: scope.builder.parameter(1 + op.read, 'i32'),
      form: analysis.forms[op.index] as Affine,
      bytes: bytesPerElement(nest.kernel.reads[op.read]!),
    };
  }
}

/**
 * Owns: what the integers of a loop nest are, as linear forms `base + sum of factor * atom`, with bounds.
 * Does not own: rewriting nests (`nest.ts`) or printing them (`printer.ts`).
 * An atom is an axis or an operation that is not linear (a load, a division); forms tell which loads read four neighbours.
 */
import type { Body, Kernel } from '@nn/core';

/** `base + sum of axes[a] * index(a) + sum of others[p] * value(p)`. */
export interface Form {
  readonly base: number;
  /** Factors by axis; no factor is 0. */
  readonly axes: ReadonlyMap<number, number>;
  /** Factors by the position of a value that is no linear form itself. */
  readonly others: ReadonlyMap<number, number>;
}

export interface Range {
  readonly min: number;
  readonly max: number;
}

const none: ReadonlyMap<number, number> = new Map();
const everything: Range = { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY };

/** The sizes of all axes of a kernel: the domain, then the extents. */
export function sizes(kernel: Pick<Kernel, 'domain' | 'reduce'>): readonly number[] {
  return kernel.reduce === undefined ? kernel.domain : [...kernel.domain, ...kernel.reduce.extents];
}

/** The forms and bounds of the integers of one body. */
export class Forms {
  readonly #forms: (Form | undefined)[] = [];
  readonly #ranges: (Range | undefined)[] = [];
  readonly #body: Body;
  readonly #sizes: readonly number[];

  constructor(body: Body, sizes: readonly number[]) {
    this.#body = body;
    this.#sizes = sizes;
  }

  /** The form of the int32 value at `position`; the value itself as an atom where it is not linear. */
  at(position: number): Form {
    let form = this.#forms[position];
    if (form === undefined) {
      form = this.#find(position);
      this.#forms[position] = form;
    }
    return form;
  }

  isLinear(position: number): boolean {
    return !this.at(position).others.has(position);
  }

  /** Bounds of the int32 value at `position`, both included. */
  range(position: number): Range {
    let range = this.#ranges[position];
    if (range === undefined) {
      range = this.isLinear(position) ? this.rangeOf(this.at(position)) : this.#rangeOfOperation(position);
      this.#ranges[position] = range;
    }
    return range;
  }

  rangeOf(form: Form): Range {
    let min = form.base;
    let max = form.base;
    const include = (factor: number, range: Range): void => {
      min += factor * (factor > 0 ? range.min : range.max);
      max += factor * (factor > 0 ? range.max : range.min);
    };
    for (const [axis, factor] of form.axes) include(factor, { min: 0, max: this.#sizes[axis]! - 1 });
    for (const [position, factor] of form.others) include(factor, this.range(position));
    return { min, max };
  }

  #find(position: number): Form {
    const op = this.#body[position]!;
    if (op.dtype === 'int32') {
      if (op.op === 'const') return { base: op.value, axes: none, others: none };
      if (op.op === 'axis') {
        return this.#sizes[op.axis] === 1
          ? { base: 0, axes: none, others: none }
          : { base: 0, axes: new Map([[op.axis, 1]]), others: none };
      }
      if (op.op === 'add' || op.op === 'sub') {
        const [a, b] = op.args as readonly [number, number];
        return combine(this.at(a), this.at(b), op.op === 'add' ? 1 : -1);
      }
      if (op.op === 'mul') {
        const [a, b] = op.args as readonly [number, number];
        const left = this.at(a);
        const right = this.at(b);
        if (isConstant(right)) return combine(zero, left, right.base);
        if (isConstant(left)) return combine(zero, right, left.base);
      }
      if (op.op === 'floorDiv' || op.op === 'floorMod') {
        const [a, b] = op.args as readonly [number, number];
        const by = this.at(b);
        const simple = isConstant(by) && by.base > 0 ? this.#divide(this.at(a), by.base) : undefined;
        if (simple !== undefined) return op.op === 'floorDiv' ? simple.quotient : simple.rest;
      }
    }
    return { base: 0, axes: none, others: new Map([[position, 1]]) };
  }

  /** floor((n q + r) / n) = q for 0 <= r < n: what splitting an axis leaves behind. */
  #divide(form: Form, by: number): { quotient: Form; rest: Form } | undefined {
    const pick = (map: ReadonlyMap<number, number>, isWhole: boolean): ReadonlyMap<number, number> =>
      new Map([...map].filter(([, factor]) => (factor % by === 0) === isWhole));
    const base = form.base - Math.floor(form.base / by) * by;
    const whole: Form = { base: form.base - base, axes: pick(form.axes, true), others: pick(form.others, true) };
    const rest: Form = { base, axes: pick(form.axes, false), others: pick(form.others, false) };
    const { min, max } = this.rangeOf(rest);
    return min >= 0 && max < by ? { quotient: combine(zero, whole, 1 / by), rest } : undefined;
  }

  #rangeOfOperation(position: number): Range {
    const op = this.#body[position]!;
    if (!('args' in op) || op.dtype !== 'int32') return everything;
    const [a, b] = op.args.map((arg) => (this.#body[arg]?.dtype === 'int32' ? this.range(arg) : everything));
    if (a === undefined || b === undefined) return everything;
    switch (op.op) {
      case 'max':
        return { min: Math.max(a.min, b.min), max: Math.max(a.max, b.max) };
      case 'min':
        return { min: Math.min(a.min, b.min), max: Math.min(a.max, b.max) };
      case 'floorDiv':
        return b.min === b.max && b.min > 0
          ? { min: Math.floor(a.min / b.min), max: Math.floor(a.max / b.min) }
          : everything;
      case 'floorMod':
        return b.min === b.max && b.min > 0 ? { min: 0, max: b.min - 1 } : everything;
      case 'mod':
        return b.min === b.max && b.min > 0 && a.min >= 0 ? { min: 0, max: b.min - 1 } : everything;
      default:
        return everything;
    }
  }
}

const zero: Form = { base: 0, axes: none, others: none };

function isConstant(form: Form): boolean {
  return form.axes.size === 0 && form.others.size === 0;
}

/** a + factor * b */
export function combine(a: Form, b: Form, factor: number): Form {
  if (factor === 0) return a;
  const add = (into: ReadonlyMap<number, number>, from: ReadonlyMap<number, number>): ReadonlyMap<number, number> => {
    if (from.size === 0) return into;
    const result = new Map(into);
    for (const [key, value] of from) {
      const sum = (result.get(key) ?? 0) + factor * value;
      if (sum === 0) result.delete(key);
      else result.set(key, sum);
    }
    return result;
  };
  return { base: a.base + factor * b.base, axes: add(a.axes, b.axes), others: add(a.others, b.others) };
}

/** Whether `divisor` divides every part of the form, the factors of the axes in `except` aside. */
export function isMultiple(form: Form, divisor: number, except?: number): boolean {
  if (form.base % divisor !== 0) return false;
  for (const [axis, factor] of form.axes) if (axis !== except && factor % divisor !== 0) return false;
  for (const factor of form.others.values()) if (factor % divisor !== 0) return false;
  return true;
}

/** The positions that must be computed although they are integers: all but those that only enter linear forms. */
export function roots(body: Body, forms: Forms): readonly number[] {
  const found = new Set<number>();
  const need = (position: number): void => {
    if (found.has(position)) return;
    found.add(position);
    const op = body[position]!;
    const isForm = op.dtype === 'int32' && forms.isLinear(position);
    if (isForm) for (const other of forms.at(position).others.keys()) need(other);
    else if (op.op === 'load') need(op.index);
    else if ('args' in op) for (const arg of op.args) need(arg);
  };
  need(body.length - 1);
  return [...found].sort((a, b) => a - b);
}

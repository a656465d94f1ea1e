/**
 * Owns: what is known of the values of one body before and while it is printed: which are printed at all, in which loop each
 * stands, how wide each is, and the texts of those that are done.
 * Does not own: the texts themselves (`printer.ts`, `indices.ts`, `loads.ts`).
 */
import type { Body, Op } from '@nn/core';
import { type Form, Forms, roots, sizes } from '../nest/affine.ts';
import type { Nest } from '../nest/nest.ts';
import type { Width } from './language.ts';
import { formOfAxis, type Value } from './shader.ts';

/** Where the lanes of a shader lie, and where its one loop starts if that is computed. */
export interface Lanes {
  /** The domain axis along which the four lanes lie; -1 where lanes cross axes, so that each lane has indices of its own. */
  readonly axis: number;
  /** False where there is one element only. */
  readonly exist: boolean;
  readonly bounds: Bounds | undefined;
}

/** The loop's start, how many turns it takes, and where lanes differ how many each takes. */
export interface Bounds {
  readonly from: string;
  readonly count: string;
  readonly width: Width;
  readonly counts: string;
}

export class PrintedBody {
  readonly body: Body;
  readonly forms: Forms;
  /** How many loops it stands in. */
  readonly depth: number;
  readonly lanes: Lanes;
  /** The finished reduction, in an epilogue. */
  readonly accumulator: Value | undefined;
  /** The operations that are printed, in order. */
  readonly needed: readonly number[];
  /** Whether the innermost loop does four steps at a time. */
  unrolled = false;
  /** The fetches that all four steps of an unrolled loop take a component of, by load. */
  readonly texels: Map<number, readonly string[]> = new Map<number, readonly string[]>();
  readonly #nest: Nest;
  readonly #levels: number[] = [];
  readonly #values = new Map<string, Value>();

  constructor(nest: Nest, body: Body, depth: number, lanes: Lanes, accumulator?: Value) {
    this.#nest = nest;
    this.body = body;
    this.depth = depth;
    this.lanes = lanes;
    this.accumulator = accumulator;
    this.forms = new Forms(body, sizes(nest));
    // An index that only a load needs is printed with the load.
    const all = body.length === 0 ? [] : roots(body, this.forms);
    const values = new Set([body.length - 1]);
    for (const position of all) {
      const op = body[position]!;
      if ('args' in op && !this.isForm(position)) for (const arg of op.args) values.add(arg);
    }
    this.needed = all.filter((position) => values.has(position) || !this.isForm(position));
    for (const position of this.needed) this.#levels[position] = this.#findLevel(position);
  }

  at(position: number): Op {
    return this.body[position]!;
  }

  /** Whether an operation is an integer that is printed as a linear form. */
  isForm(position: number): boolean {
    return this.body[position]?.dtype === 'int32' && this.forms.isLinear(position);
  }

  /** How many loops a value stands in: 0 before all of them. */
  level(position: number): number {
    return this.#levels[position]!;
  }

  value(position: number, step: number): Value {
    return this.#values.get(this.#key(position, step))!;
  }

  setValue(position: number, step: number, value: Value): void {
    this.#values.set(this.#key(position, step), value);
  }

  /** The value of the last operation, or none where it is not printed yet. */
  result(step: number): Value {
    const last = this.body.length - 1;
    const found = this.#values.get(this.#key(last, step)) ?? this.#values.get(this.#key(last, 0));
    return found ?? { text: '', scalar: 'F', width: 1 };
  }

  /** How the four lanes read: one element, four neighbours from lane 0 on, or each its own. */
  pattern(form: Form): 'one' | 'neighbours' | 'each' {
    const { axis: laneAxis, exist, bounds } = this.lanes;
    const { domain } = this.#nest;
    for (const other of form.others.keys()) if (this.#widthOf(other) === 4) return 'each';
    if (bounds?.width === 4 && form.axes.has(domain.length)) return 'each';
    if (!exist) return 'one';
    if (laneAxis >= 0) {
      const factor = form.axes.get(laneAxis) ?? 0;
      return factor === 0 ? 'one' : factor === 1 ? 'neighbours' : 'each';
    }
    if (![...form.axes.keys()].some((axis) => axis < domain.length)) return 'one';
    let stride = 1;
    for (let axis = domain.length - 1; axis >= 0; axis--) {
      if ((form.axes.get(axis) ?? 0) !== stride) return 'each';
      stride *= domain[axis]!;
    }
    return 'neighbours';
  }

  #key(position: number, step: number): string {
    return `${this.#levels[position] === this.depth && this.unrolled ? step : 0}:${position}`;
  }

  #findLevel(position: number): number {
    const op = this.at(position);
    if (this.isForm(position)) return this.#formLevel(this.forms.at(position));
    if (op.op === 'load') return this.#formLevel(this.forms.at(op.index));
    if (op.op === 'axis') return this.#axisLevel(op.axis);
    return 'args' in op ? Math.max(0, ...op.args.map((arg) => this.level(arg))) : 0;
  }

  #axisLevel(axis: number): number {
    return Math.max(0, axis - this.#nest.domain.length + 1);
  }

  #formLevel(form: Form): number {
    let level = 0;
    for (const axis of form.axes.keys()) level = Math.max(level, this.#axisLevel(axis));
    for (const other of form.others.keys()) level = Math.max(level, this.#levels[other] ?? 0);
    return level;
  }

  #widthOf(position: number): Width {
    return this.#values.get(this.#key(position, 0))?.width ?? this.#guessWidth(position);
  }

  /** The width of a value before it is printed. */
  #guessWidth(position: number): Width {
    const op = this.at(position);
    const { axis: laneAxis, bounds } = this.lanes;
    const { domain } = this.#nest;
    const ofForm = (form: Form): Width => {
      for (const axis of form.axes.keys()) {
        if (axis < domain.length && (laneAxis < 0 || axis === laneAxis)) return 4;
        if (axis >= domain.length && bounds?.width === 4) return 4;
      }
      for (const other of form.others.keys()) if (other !== position && this.#guessWidth(other) === 4) return 4;
      return 1;
    };
    if (this.isForm(position)) return ofForm(this.forms.at(position));
    if (op.op === 'load') return ofForm(this.forms.at(op.index));
    if (op.op === 'axis') return ofForm(formOfAxis(op.axis));
    if ('args' in op) return op.args.some((arg) => this.#guessWidth(arg) === 4) ? 4 : 1;
    return 1;
  }
}

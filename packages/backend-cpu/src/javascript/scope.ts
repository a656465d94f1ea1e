/**
 * The values of one body inside its loops: in which loop each is computed, under which name, and which are so short-lived
 * that their text stands where they are used.
 */
import type { Body, DType } from '@nn/core';
import type { Affine } from '../nest/affine.ts';
import { type Analysis, analyse } from '../nest/analysis.ts';
import { operandsOf } from '../nest/body.ts';
import { type Loop, levelOf, type Strides } from '../nest/loops.ts';
import type { Nest } from '../nest/nest.ts';
import { decode, expression, literal, mustRound } from './expression.ts';
import { Pointers } from './pointers.ts';

/** Where the finished reduction is found: a name, or an array to load from. */
export type Accumulator = { readonly name: string } | { readonly strides: Strides; readonly dtype: DType };

export class Scope {
  readonly analysis: Analysis;
  readonly #nest: Nest;
  readonly #prefix: string;
  readonly #accumulator: Accumulator | undefined;
  readonly #results: readonly number[];
  /** The product that a sum takes in as it is, with all its digits. */
  readonly #summed: number;
  #loops: readonly Loop[] = [];
  #counters: readonly string[] = [];
  #pointers: Pointers | undefined;
  #levels: number[] = [];
  readonly #inlined: boolean[] = [];
  /** Names of hoisted sums of terms, by the load that they belong to. */
  readonly #terms = new Map<number, string>();

  constructor(nest: Nest, body: Body, results: readonly number[], prefix: string, accumulator?: Accumulator) {
    const extents = [...nest.domain, ...nest.extents];
    this.analysis = analyse(body, extents, results, 2 ** nest.domain.length - 1);
    this.#nest = nest;
    this.#prefix = prefix;
    this.#accumulator = accumulator;
    this.#results = results;
    const last = body.length - 1;
    const isSummed = nest.reduce?.op === 'sum' && body === nest.value && body[last]?.op === 'mul';
    this.#summed = isSummed ? last : -1;
  }

  /** How each load of the body moves. */
  get strides(): Strides[] {
    const strides = [...this.analysis.indices.values()].map((index) => index.strides);
    if (this.#accumulator && 'strides' in this.#accumulator) strides.push(this.#accumulator.strides);
    return strides;
  }

  /** Settles the loops. `others` are more pointers to keep: that of the store. */
  enter(loops: readonly Loop[], counters: readonly string[], others: readonly Strides[]): Pointers {
    const { body, axes, computed, uses } = this.analysis;
    this.#loops = loops;
    this.#counters = counters;
    this.#pointers = new Pointers(loops, counters, `${this.#prefix}p`, [...this.strides, ...others]);
    this.#levels = axes.map((bits) => levelOf(bits, loops));
    body.forEach((op, position) => {
      this.#inlined[position] = op.op === 'const' || op.op === 'axis' || op.op === 'scalar' || op.op === 'accumulator';
      if (!computed[position]) return;
      for (const operand of op.op === 'load' ? [] : operandsOf(op)) {
        if (uses[operand] === 1 && this.#levels[operand] === this.#levels[position]) this.#inlined[operand] = true;
      }
    });
    for (const result of this.#results) {
      if (uses[result] === 1 && this.#levels[result] === loops.length - 1) this.#inlined[result] = true;
    }
    return this.#pointers;
  }

  /** The statements that belong directly inside the loop `level` (-1: before all loops). */
  statements(level: number): string[] {
    const { body, computed, indices } = this.analysis;
    const lines: string[] = [];
    body.forEach((_, position) => {
      if (!computed[position] || this.#inlined[position] || this.#levels[position] !== level) return;
      lines.push(`const ${this.#name(position)} = ${this.#compute(position)};`);
    });
    for (const [load, index] of indices) {
      if (index.terms.size === 0 || this.#termLevel(index) !== level || this.#levels[load] === level) continue;
      const name = `${this.#prefix}t${load}`;
      lines.push(`const ${name} = ${this.#termText(index)};`);
      this.#terms.set(load, name);
    }
    return lines;
  }

  /** The text of a value, inside its loop or deeper. */
  text(position: number): string {
    return this.#inlined[position] ? this.#compute(position) : this.#name(position);
  }

  /** The index of the pointer in the innermost loop. */
  pointer(strides: Strides): string {
    return this.#pointers?.text(strides, this.#loops.length - 1) ?? '0';
  }

  #name(position: number): string {
    return `${this.#prefix}${position}`;
  }

  #compute(position: number): string {
    const { body, indices, ranges, extents } = this.analysis;
    const op = body[position]!;
    switch (op.op) {
      case 'const':
        return literal(op.value, op.dtype);
      case 'scalar':
        return `s${op.slot}`;
      case 'axis':
        // A pinned axis is alone in its loop.
        return extents[op.axis] === 1 ? '0' : this.#counters[this.#loops.findIndex(({ axes }) => axes[0] === op.axis)]!;
      case 'accumulator':
        return this.#accumulate();
      case 'load': {
        const index = this.#index(position, indices.get(position)!, op.read);
        return decode(`r${op.read}[${index}]`, this.#nest.reads[op.read]!, op.dtype);
      }
      default: {
        const args = op.args.map((operand) => {
          const { op: kind, dtype, ...rest } = body[operand]!;
          const constant = kind === 'const' && 'value' in rest ? rest.value : undefined;
          return { text: this.text(operand), dtype, constant, range: ranges[operand]! };
        });
        const text = expression(op.op, op.dtype, args);
        const isRounded = position !== this.#summed && mustRound(op.op, op.dtype, args[0]!.dtype);
        return isRounded ? `Math.fround(${text})` : text;
      }
    }
  }

  #accumulate(): string {
    const accumulator = this.#accumulator;
    if (accumulator === undefined) throw new Error('a body without a reduction asks for its accumulator');
    if ('name' in accumulator) return accumulator.name;
    const index = this.pointer(accumulator.strides);
    const based = this.#nest.accumulator?.based ? `${index} + base` : index;
    return decode(`accumulated[${based}]`, accumulator.dtype, accumulator.dtype);
  }

  #index(load: number, index: Affine, read: number): string {
    const parts: string[] = [];
    const pointer = this.#pointers?.text(index.strides, this.#levels[load]!);
    if (pointer) parts.push(pointer);
    if (index.terms.size > 0) parts.push(this.#terms.get(load) ?? this.#termText(index));
    if (this.#nest.offsets[read]) parts.push(`o${read}`);
    if (index.constant !== 0) parts.push(literal(index.constant, 'int32'));
    return parts.length < 2 ? (parts[0] ?? '0') : `${parts.join(' + ')} | 0`;
  }

  #termLevel(index: Affine): number {
    return [...index.terms.keys()].reduce((level, term) => Math.max(level, this.#levels[term]!), -1);
  }

  #termText(index: Affine): string {
    const parts = [...index.terms].map(([term, factor]) =>
      factor === 1 ? this.text(term) : `Math.imul(${this.text(term)}, ${factor})`,
    );
    return parts.length === 1 ? parts[0]! : `(${parts.join(' + ')} | 0)`;
  }
}

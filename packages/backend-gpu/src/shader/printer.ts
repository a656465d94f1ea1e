/**
 * Owns: printing a loop nest as shader text that computes four consecutive elements of the output at once: the loops, and what
 * stands before, in and behind them.
 * Does not own: the values of a body (`printed-body.ts`), indices (`indices.ts`), loads (`loads.ts`), the language's words
 * (`language.ts`), the scalar functions (`numbers.ts`), rewriting of nests (`nest.ts`).
 * Loads of four neighbours are one fetch; integers that enter linear forms only are never computed on their own; what does not
 * change in a loop is printed before it.
 */
import type { Alu, Body, DType } from '@nn/core';
import type { Form } from '../nest/affine.ts';
import { type Nest, neutral } from '../nest/nest.ts';
import { arithmetic } from './arithmetic.ts';
import { Indices } from './indices.ts';
import type { Language, Scalar, Width } from './language.ts';
import { Loads } from './loads.ts';
import { type Bounds, type Lanes, PrintedBody } from './printed-body.ts';
import { formOfAxis, Names, type Offset, type Shader, scalarOf, type Value } from './shader.ts';

/** Gives the finished reduction where something else made it: text from the index along each domain axis. */
export type Accumulator = (
  print: (form: Form) => Value,
  emit: (scalar: Scalar, width: Width, text: string) => Value,
) => Value;

export interface PrintOptions {
  readonly language: Language;
  readonly offsets: readonly Offset[];
  readonly accumulator?: Accumulator;
}

export function print(nest: Nest, options: PrintOptions): Shader {
  return new Printer(nest, options).print();
}

class Printer {
  readonly #nest: Nest;
  readonly #language: Language;
  readonly #offsets: readonly Offset[];
  readonly #accumulator: Accumulator | undefined;
  readonly #names: Names;
  readonly #indices: Indices;
  readonly #loads: Loads;
  #lanes: Lanes;
  /** Statements before the loops, at the head of each loop, and after all. */
  readonly #before: string[] = [];
  readonly #inside: string[][];
  readonly #after: string[] = [];

  constructor(nest: Nest, { language, offsets, accumulator }: PrintOptions) {
    const { domain } = nest;
    const last = domain[domain.length - 1] ?? 1;
    const laneAxis = domain.length === 1 || last % 4 === 0 ? domain.length - 1 : -1;
    this.#nest = nest;
    this.#language = language;
    this.#offsets = offsets;
    this.#accumulator = accumulator;
    this.#names = new Names(language);
    this.#indices = new Indices(nest, this.#names, laneAxis, this.#before);
    this.#loads = new Loads(nest, offsets, this.#names, this.#indices);
    this.#lanes = { axis: laneAxis, exist: domain.length > 0, bounds: undefined };
    this.#inside = (nest.reduce?.extents ?? []).map(() => []);
  }

  print(): Shader {
    const nest = this.#nest;
    for (const [read, offset] of this.#offsets.entries()) {
      if (offset === 'zero') continue;
      this.#before.push(
        this.#language.constant('I', 1, `offset${read}`, this.#names.parameter({ kind: 'offset', read })),
      );
    }
    const { result, text } = this.#statements();
    text.push(`return ${this.#names.widen(result, 4).text};`);
    return {
      body: text.join('\n'),
      reads: nest.reads.map(scalarOf),
      parameters: this.#names.parameters,
      result: scalarOf(nest.dtype),
    };
  }

  #statements(): { result: Value; text: string[] } {
    const { value, reduce } = this.#nest;
    if (this.#accumulator !== undefined) {
      const none = this.#start([], 0);
      const accumulator = this.#accumulator(
        (form) => this.#indices.form(none, form, this.#before, 0),
        (scalar, width, text) => this.#names.declare(this.#before, scalar, width, text),
      );
      const result = this.#finish(accumulator);
      return { result, text: [...this.#before, ...this.#after] };
    }
    if (reduce === undefined || reduce.extents.length === 0) {
      // Without extents the reduction is of one value: that value.
      const result = this.#finish(this.#operations(this.#start(value, 0), this.#before, 0, 0));
      return { result, text: [...this.#before, ...this.#after] };
    }
    return this.#loops(value, reduce);
  }

  #loops(value: Body, reduce: NonNullable<Nest['reduce']>): { result: Value; text: string[] } {
    const language = this.#language;
    const { bounds } = this.#nest;
    const depth = reduce.extents.length;
    if (bounds !== undefined) this.#lanes = { ...this.#lanes, bounds: this.#findBounds(bounds) };
    const found = this.#lanes.bounds;
    const body = this.#start(value, depth);
    body.unrolled = found === undefined && this.#loads.canUnroll(body);
    for (let level = 0; level < depth; level++) this.#operations(body, this.#target(level), level, 0);
    const type = scalarOf(reduce.dtype);
    const steps = body.unrolled ? 4 : 1;
    const inner = this.#target(depth);
    let width: Width = 1;
    for (let step = 0; step < steps; step++) {
      // Where the value does not depend on the innermost loop it was printed before it.
      const term = this.#operations(body, inner, depth, step);
      inner.push(accumulate(reduce.op, reduce.dtype, 'acc', this.#masked(term, inner)));
      width = found?.width === 4 ? 4 : term.width;
    }
    // The epilogue may still need an axis, which is then taken apart before the loops.
    const result = this.#finish({ text: 'acc', scalar: type, width });
    const start = this.#names.widen(identity(language, reduce.op, reduce.dtype), width).text;
    const text = [...this.#before, language.variable(type, width, 'acc', start)];
    for (let level = 0; level < depth; level++) {
      const step = body.unrolled && level === depth - 1 ? 4 : 1;
      text.push(
        language.loop(`r${level}`, found?.count ?? String(reduce.extents[level]), step),
        ...this.#inside[level]!,
      );
    }
    text.push('}'.repeat(depth), ...this.#after);
    return { result, text };
  }

  /** The bounds of the loop, before it. */
  #findBounds(bounds: NonNullable<Nest['bounds']>): Bounds {
    const value = (body: Body): Value => this.#operations(this.#start(body, 0), this.#before, 0, 0);
    const declare = (width: Width, text: string): string => this.#names.declare(this.#before, 'I', width, text).text;
    const from = value(bounds.from);
    const to = value(bounds.to);
    const counts = declare(from.width, `${to.text} - ${from.text}`);
    if (from.width === 1) return { from: from.text, count: counts, width: 1, counts };
    const count = declare(1, `max(max(${counts}.x, ${counts}.y), max(${counts}.z, ${counts}.w))`);
    return { from: from.text, count, width: 4, counts };
  }

  /** The value, or 0 in lanes whose own run is over. */
  #masked(value: Value, lines: string[]): Value {
    const { bounds } = this.#lanes;
    if (bounds === undefined || bounds.width === 1) return value;
    const wide = this.#names.widen(value, 4);
    const turn = `${this.#language.type('I', 4)}(r0)`;
    const zero = `${this.#language.type(value.scalar, 4)}(${value.scalar === 'F' ? '0.0' : '0'})`;
    return this.#names.declare(
      lines,
      value.scalar,
      4,
      `nn_select${value.scalar === 'F' ? '' : 'I'}4(nn_lessI4(${turn}, ${bounds.counts}), ${wide.text}, ${zero})`,
    );
  }

  #target(level: number): string[] {
    return level === 0 ? this.#before : this.#inside[level - 1]!;
  }

  /** The epilogue, where there is one. */
  #finish(accumulator: Value): Value {
    const { epilogue } = this.#nest;
    if (epilogue === undefined) return accumulator;
    return this.#operations(this.#start(epilogue, 0, accumulator), this.#after, 0, 0);
  }

  #start(body: Body, depth: number, accumulator?: Value): PrintedBody {
    return new PrintedBody(this.#nest, body, depth, this.#lanes, accumulator);
  }

  /** Prints the operations of one level; gives the value of the body's result where it is of that level or an earlier one. */
  #operations(body: PrintedBody, lines: string[], level: number, step: number): Value {
    for (const position of body.needed) {
      if (body.level(position) !== level) continue;
      const own = level === body.depth && body.unrolled ? step : 0;
      body.setValue(position, own, this.#operation(body, position, lines, own));
    }
    return body.result(step);
  }

  #operation(body: PrintedBody, position: number, lines: string[], step: number): Value {
    const op = body.at(position);
    if (body.isForm(position)) return this.#indices.form(body, body.forms.at(position), lines, step);
    switch (op.op) {
      case 'const':
        return op.dtype === 'float32'
          ? { text: this.#language.float(op.value), scalar: 'F', width: 1 }
          : { text: this.#language.int(Number(op.value)), scalar: 'I', width: 1 };
      case 'scalar': {
        const scalar = scalarOf(op.dtype);
        const text = this.#names.parameter({ kind: 'scalar', slot: op.slot, type: scalar });
        return { text, scalar, width: 1 };
      }
      case 'axis':
        return this.#indices.form(body, formOfAxis(op.axis), lines, step);
      case 'accumulator':
        return body.accumulator!;
      case 'load':
        return this.#loads.print(body, position, op.read, body.forms.at(op.index), lines, step);
      default:
        return this.#alu(body, op.op, op.dtype, op.args, lines, step);
    }
  }

  #alu(printed: PrintedBody, op: Alu, dtype: DType, args: readonly number[], lines: string[], step: number): Value {
    const { body, forms } = printed;
    const names = this.#names;
    const values = args.map((arg) => printed.value(arg, step));
    const width = values.some((value) => value.width === 4) ? 4 : 1;
    const texts = values.map((value) => names.widen(value, width).text);
    const name = (text: string): string => names.declare(lines, 'I', width, text).text;
    const text = arithmetic(op, dtype, args, texts, width, { language: this.#language, body, forms, name });
    return text === null ? values[0]! : names.declare(lines, scalarOf(dtype), width, text);
  }
}

function accumulate(op: 'sum' | 'product' | 'max' | 'min', dtype: DType, name: string, value: Value): string {
  if (op === 'sum') return `${name} = ${name} + ${value.text};`;
  if (op === 'product') return `${name} = ${name} * ${value.text};`;
  if (dtype === 'float32') return `${name} = nn_${op}${value.width}(${name}, ${value.text});`;
  return `${name} = ${op}(${name}, ${value.text});`;
}

/** What a reduction starts with. */
function identity(language: Language, op: 'sum' | 'product' | 'max' | 'min', dtype: DType): Value {
  const scalar = scalarOf(dtype);
  const number = neutral({ op, dtype });
  return { text: scalar === 'F' ? language.float(number) : language.int(number), scalar, width: 1 };
}

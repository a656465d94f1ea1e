/**
 * Owns: printing a loop nest as shader text that computes four consecutive elements of the output at once.
 * Does not own: the language's words (`language.ts`), the scalar functions (`numbers.ts`), rewriting of nests (`nest.ts`).
 * A value is one number where the four lanes agree and four where they differ. Loads of four neighbours are one fetch;
 * integers that enter linear forms only are never computed on their own; what does not change in a loop is printed before it.
 * Longer than 400 lines because the cases of a load share the state of one walk.
 */
import type { Alu, Body, DType, Op } from '@nn/core';
import { combine, type Form, Forms, isMultiple, roots, sizes } from '../nest/affine.ts';
import type { Nest } from '../nest/nest.ts';
import { arithmetic } from './arithmetic.ts';
import { type Language, quotient, remainder, type Scalar, type Width } from './language.ts';

/** Where a read starts in its buffer: at 0, at a multiple of 4 that is passed, or at any number that is passed. */
export type Offset = 'zero' | 'aligned' | 'any';

/** A number that is passed at each launch. */
export type Parameter =
  | { readonly kind: 'offset'; readonly read: number }
  | { readonly kind: 'scalar'; readonly slot: number; readonly type: Scalar };

export interface Value {
  readonly text: string;
  readonly scalar: Scalar;
  readonly width: Width;
}

/** A shader without its frame: what each device wraps and compiles. */
export interface Shader {
  /** The statements; they use `t`, the number of the group of four, and end with `return`. */
  readonly body: string;
  readonly reads: readonly Scalar[];
  readonly parameters: readonly Parameter[];
  readonly result: Scalar;
}

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

export const scalarOf = (dtype: DType): Scalar => (dtype === 'float32' ? 'F' : 'I');
const lanes = ['x', 'y', 'z', 'w'] as const;

export function print(nest: Nest, options: PrintOptions): Shader {
  return new Printer(nest, options).print();
}

class Printer {
  readonly #nest: Nest;
  readonly #language: Language;
  readonly #offsets: readonly Offset[];
  readonly #parameters: Parameter[] = [];
  readonly #sizes: readonly number[];
  /** The domain axis along which the four lanes lie; -1 where lanes cross axes, so that each lane has indices of its own. */
  readonly #laneAxis: number;
  readonly #hasLanes: boolean;
  /** Statements before the loops, at the head of each loop, and after all. */
  readonly #before: string[] = [];
  readonly #inside: string[][];
  readonly #after: string[] = [];
  #unrolled = false;
  #names = 0;
  readonly #axisTexts = new Map<number, Value>();

  // The body that is being printed.
  #body: Body = [];
  #forms: Forms = new Forms([], []);
  #levels: number[] = [];
  #values = new Map<string, Value>();
  #texels = new Map<number, readonly string[]>();

  constructor(nest: Nest, options: PrintOptions) {
    this.#nest = nest;
    this.#language = options.language;
    this.#offsets = options.offsets;
    this.#sizes = sizes(nest);
    const { domain } = nest;
    const last = domain[domain.length - 1] ?? 1;
    this.#hasLanes = domain.length > 0;
    this.#laneAxis = domain.length === 1 || last % 4 === 0 ? domain.length - 1 : -1;
    this.#inside = (nest.reduce?.extents ?? []).map(() => []);
    this.#accumulator = options.accumulator;
  }
  readonly #accumulator: Accumulator | undefined;

  print(): Shader {
    const nest = this.#nest;
    const language = this.#language;
    const { reduce } = nest;
    for (const [read, offset] of this.#offsets.entries()) {
      if (offset === 'zero') continue;
      this.#before.push(language.constant('I', 1, `offset${read}`, this.#parameter({ kind: 'offset', read })));
    }
    let result: Value;
    const text: string[] = [];
    if (this.#accumulator !== undefined) {
      const emit = (scalar: Scalar, width: Width, value: string): Value =>
        this.#declare(this.#before, scalar, width, value);
      const accumulator = this.#accumulator((form) => this.#form(form, this.#before, 0), emit);
      result = this.#finish(accumulator);
      text.push(...this.#before, ...this.#after);
    } else if (reduce === undefined || reduce.extents.length === 0) {
      // Without extents the reduction is of one value: that value.
      this.#start(nest.value, 0);
      result = this.#finish(this.#operations(this.#before, 0, 0));
      text.push(...this.#before, ...this.#after);
    } else {
      const depth = reduce.extents.length;
      if (nest.bounds !== undefined) this.#bounds = this.#findBounds(nest.bounds);
      this.#start(nest.value, depth);
      this.#unrolled = this.#bounds === undefined && this.#canUnroll();
      for (let level = 0; level < depth; level++) this.#operations(this.#target(level), level, 0);
      const type = scalarOf(reduce.dtype);
      const steps = this.#unrolled ? 4 : 1;
      const inner = this.#target(depth);
      let width: Width = 1;
      for (let step = 0; step < steps; step++) {
        // Where the value does not depend on the innermost loop it was printed before it.
        const value = this.#operations(inner, depth, step);
        inner.push(this.#accumulate(reduce.op, reduce.dtype, 'acc', this.#masked(value, inner)));
        width = this.#bounds?.width === 4 ? 4 : value.width;
      }
      // The epilogue may still need an axis, which is then taken apart before the loops.
      result = this.#finish({ text: 'acc', scalar: type, width });
      text.push(
        ...this.#before,
        language.variable(type, width, 'acc', this.#widen(identity(language, reduce.op, reduce.dtype), width).text),
      );
      for (let level = 0; level < depth; level++) {
        const step = this.#unrolled && level === depth - 1 ? 4 : 1;
        text.push(
          language.loop(`r${level}`, this.#bounds?.count ?? String(reduce.extents[level]), step),
          ...(this.#inside[level] as string[]),
        );
      }
      text.push('}'.repeat(depth), ...this.#after);
    }
    const scalar = scalarOf(nest.dtype);
    text.push(`return ${this.#widen(result, 4).text};`);
    return { body: text.join('\n'), reads: nest.reads.map(scalarOf), parameters: this.#parameters, result: scalar };
  }

  /** The bounds of the loop, before it: where it starts, how many turns it takes, and where lanes differ how many each takes. */
  #findBounds(bounds: NonNullable<Nest['bounds']>): {
    from: string;
    count: string;
    width: Width;
    counts: string;
  } {
    const value = (body: Body): Value => {
      this.#start(body, 0);
      return this.#operations(this.#before, 0, 0);
    };
    const from = value(bounds.from);
    const to = value(bounds.to);
    const counts = this.#declare(this.#before, 'I', from.width, `${to.text} - ${from.text}`).text;
    if (from.width === 1) return { from: from.text, count: counts, width: 1, counts };
    const count = this.#declare(
      this.#before,
      'I',
      1,
      `max(max(${counts}.x, ${counts}.y), max(${counts}.z, ${counts}.w))`,
    ).text;
    return { from: from.text, count, width: 4, counts };
  }
  #bounds:
    | { readonly from: string; readonly count: string; readonly width: Width; readonly counts: string }
    | undefined;

  /** The value, or 0 in lanes whose own run is over. */
  #masked(value: Value, lines: string[]): Value {
    if (this.#bounds === undefined || this.#bounds.width === 1) return value;
    const wide = this.#widen(value, 4);
    const turn = `${this.#language.type('I', 4)}(r0)`;
    const zero = `${this.#language.type(value.scalar, 4)}(${value.scalar === 'F' ? '0.0' : '0'})`;
    return this.#declare(
      lines,
      value.scalar,
      4,
      `nn_select${value.scalar === 'F' ? '' : 'I'}4(nn_lessI4(${turn}, ${this.#bounds.counts}), ${wide.text}, ${zero})`,
    );
  }

  #target(level: number): string[] {
    return level === 0 ? this.#before : (this.#inside[level - 1] as string[]);
  }

  /** The epilogue, where there is one. */
  #finish(accumulator: Value): Value {
    const { epilogue } = this.#nest;
    if (epilogue === undefined) return accumulator;
    const unrolled = this.#unrolled;
    this.#start(epilogue, 0);
    this.#unrolled = false;
    this.#finished = accumulator;
    const result = this.#operations(this.#after, 0, 0);
    this.#unrolled = unrolled;
    return result;
  }
  #finished: Value | undefined;

  #start(body: Body, depth: number): void {
    this.#body = body;
    this.#forms = new Forms(body, this.#sizes);
    this.#values = new Map();
    this.#texels = new Map();
    // An index that only a load needs is printed with the load.
    const all = roots(body, this.#forms);
    const isForm = (position: number): boolean => body[position]?.dtype === 'int32' && this.#forms.isLinear(position);
    const values = new Set([body.length - 1]);
    for (const position of all) {
      const op = body[position] as Op;
      if ('args' in op && !isForm(position)) for (const arg of op.args) values.add(arg);
    }
    this.#needed = all.filter((position) => values.has(position) || !isForm(position));
    this.#depth = depth;
    this.#levels = [];
    for (const position of this.#needed) this.#levels[position] = this.#findLevel(position);
  }
  #needed: readonly number[] = [];
  #depth = 0;

  /** How many loops a value stands in: 0 before all of them. */
  #findLevel(position: number): number {
    const op = this.#body[position] as Op;
    if (op.dtype === 'int32' && this.#forms.isLinear(position)) return this.#formLevel(this.#forms.at(position));
    if (op.op === 'load') return this.#formLevel(this.#forms.at(op.index));
    if (op.op === 'axis') return this.#axisLevel(op.axis);
    return 'args' in op ? Math.max(0, ...op.args.map((arg) => this.#levels[arg] as number)) : 0;
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

  /** Prints the operations of one level; gives the value of the body's result where it is of that level or an earlier one. */
  #operations(lines: string[], level: number, step: number): Value {
    const last = this.#body.length - 1;
    for (const position of this.#needed) {
      if (this.#levels[position] !== level) continue;
      const suffix = level === this.#depth && this.#unrolled ? step : 0;
      this.#values.set(this.#key(position, suffix), this.#operation(position, lines, suffix));
    }
    const found = this.#values.get(this.#key(last, step)) ?? this.#values.get(this.#key(last, 0));
    return found ?? { text: '', scalar: 'F', width: 1 };
  }

  #key(position: number, step: number): string {
    return `${this.#levels[position] === this.#depth && this.#unrolled ? step : 0}:${position}`;
  }

  #value(position: number, step: number): Value {
    return this.#values.get(this.#key(position, step)) as Value;
  }

  #operation(position: number, lines: string[], step: number): Value {
    const op = this.#body[position] as Op;
    if (op.dtype === 'int32' && this.#forms.isLinear(position))
      return this.#form(this.#forms.at(position), lines, step);
    switch (op.op) {
      case 'const':
        return op.dtype === 'float32'
          ? { text: this.#language.float(op.value), scalar: 'F', width: 1 }
          : { text: this.#language.int(Number(op.value)), scalar: 'I', width: 1 };
      case 'scalar':
        return {
          text: this.#parameter({ kind: 'scalar', slot: op.slot, type: scalarOf(op.dtype) }),
          scalar: scalarOf(op.dtype),
          width: 1,
        };
      case 'axis':
        return this.#form({ base: 0, axes: new Map([[op.axis, 1]]), others: new Map() }, lines, step);
      case 'accumulator':
        return this.#finished as Value;
      case 'load':
        return this.#load(position, op.read, this.#forms.at(op.index), lines, step);
      default:
        return this.#alu(op.op, op.dtype, op.args, lines, step);
    }
  }

  #declare(lines: string[], scalar: Scalar, width: Width, text: string): Value {
    const name = `v${this.#names++}`;
    lines.push(this.#language.constant(scalar, width, name, text));
    return { text: name, scalar, width };
  }

  #widen(value: Value, width: Width): Value {
    return value.width === width
      ? value
      : { ...value, width, text: `${this.#language.type(value.scalar, width)}(${value.text})` };
  }

  #parameter(parameter: Parameter): string {
    let at = this.#parameters.findIndex(
      (p) =>
        p.kind === parameter.kind &&
        (p.kind === 'offset'
          ? p.read === (parameter as { read: number }).read
          : p.slot === (parameter as { slot: number }).slot),
    );
    if (at < 0) at = this.#parameters.push(parameter) - 1;
    return `nn_p${at}`;
  }

  // --- indices -------------------------------------------------------------------------------------------------------

  /** The index along an axis: one number, or four along the lanes. */
  #axis(axis: number, step: number): Value {
    const loop = axis - this.#nest.domain.length;
    if (loop >= 0 && this.#bounds !== undefined) {
      const { from, width } = this.#bounds;
      if (width === 1) return { text: `(${from} + r0)`, scalar: 'I', width };
      // Past the end of a lane's run the last element is read and left out.
      const wide = this.#language.type('I', 4);
      const last = (this.#nest.reduce?.extents[0] as number) - 1;
      return { text: `min(${from} + ${wide}(r0), ${wide}(${last}))`, scalar: 'I', width };
    }
    if (loop >= 0) {
      const isUnrolled = this.#unrolled && loop === this.#depth - 1;
      return { text: isUnrolled && step > 0 ? `(r${loop} + ${step})` : `r${loop}`, scalar: 'I', width: 1 };
    }
    let value = this.#axisTexts.get(axis);
    if (value === undefined) {
      value = this.#decode(axis);
      this.#axisTexts.set(axis, value);
    }
    return value;
  }

  /** Takes the number of the element apart: `e / (product of the later sizes) mod size`. */
  #decode(axis: number): Value {
    const { domain } = this.#nest;
    const language = this.#language;
    let inner = 1;
    for (let later = axis + 1; later < domain.length; later++) inner *= domain[later] as number;
    const size = domain[axis] as number;
    const declare = (width: Width, text: string): Value => this.#declare(this.#before, 'I', width, text);
    const wide = language.type('I', 4);
    const four = `${wide}(0, 1, 2, 3)`;
    if (axis === this.#laneAxis) return declare(4, `${wide}(${this.#group()} * 4) + ${four}`);
    const isWide = this.#laneAxis < 0;
    const element = isWide ? this.#element() : 't';
    const divisor = isWide ? inner : inner / 4;
    const width = isWide ? 4 : 1;
    const total = domain.reduce((product, extent) => product * extent, isWide ? 1 : 1 / 4);
    const whole = declare(width, quotient(language, width, element, total - 1, divisor));
    return axis === 0 ? whole : declare(width, remainder(language, width, whole.text, total / divisor - 1, size));
  }

  /** Which group of four along the lane axis. */
  #group(): string {
    const { domain } = this.#nest;
    if (domain.length === 1) return 't';
    if (this.#groupText === undefined) {
      const size = (domain[domain.length - 1] as number) / 4;
      const total = domain.reduce((product, extent) => product * extent, 1 / 4);
      this.#groupText =
        size === 1 ? '0' : this.#declare(this.#before, 'I', 1, remainder(this.#language, 1, 't', total - 1, size)).text;
    }
    return this.#groupText;
  }
  #groupText: string | undefined;

  #element(): string {
    const wide = this.#language.type('I', 4);
    this.#elementText ??= this.#declare(this.#before, 'I', 4, `${wide}(t * 4) + ${wide}(0, 1, 2, 3)`).text;
    return this.#elementText;
  }
  #elementText: string | undefined;

  #form(form: Form, lines: string[], step: number): Value {
    const value = this.#sum(form, step);
    return /^\w+$/.test(value.text) || /^-?\d+$/.test(value.text)
      ? value
      : this.#declare(lines, 'I', value.width, value.text);
  }

  /** The text of a form; single numbers are added up before they meet lanes. */
  #sum(form: Form, step: number): Value {
    const narrow: string[] = [];
    const wide: string[] = [];
    const add = (value: Value, factor: number): void => {
      (value.width === 1 ? narrow : wide).push(
        factor === 1 ? value.text : `${value.text} * ${this.#language.int(factor)}`,
      );
    };
    // The lanes' own axes last: the sum of the others is then the same for all.
    for (const [axis, factor] of form.axes) add(this.#axis(axis, step), factor);
    for (const [other, factor] of form.others) add(this.#value(other, step), factor);
    if (form.base !== 0 || (narrow.length === 0 && wide.length === 0)) narrow.push(this.#language.int(form.base));
    if (wide.length === 0) return { text: narrow.join(' + '), scalar: 'I', width: 1 };
    if (narrow.length > 0) wide.push(`${this.#language.type('I', 4)}(${narrow.join(' + ')})`);
    return { text: wide.join(' + '), scalar: 'I', width: 4 };
  }

  // --- loads ---------------------------------------------------------------------------------------------------------

  /** How the four lanes read: one element, four neighbours from lane 0 on, or each its own. */
  #shape(form: Form): 'one' | 'neighbours' | 'each' {
    for (const other of form.others.keys()) if (this.#widthOf(other) === 4) return 'each';
    if (this.#bounds?.width === 4 && form.axes.has(this.#nest.domain.length)) return 'each';
    if (!this.#hasLanes) return 'one';
    if (this.#laneAxis >= 0) {
      const factor = form.axes.get(this.#laneAxis) ?? 0;
      return factor === 0 ? 'one' : factor === 1 ? 'neighbours' : 'each';
    }
    const { domain } = this.#nest;
    if (![...form.axes.keys()].some((axis) => axis < domain.length)) return 'one';
    let stride = 1;
    for (let axis = domain.length - 1; axis >= 0; axis--) {
      if ((form.axes.get(axis) ?? 0) !== stride) return 'each';
      stride *= domain[axis] as number;
    }
    return 'neighbours';
  }

  #widthOf(position: number): Width {
    return this.#values.get(this.#key(position, 0))?.width ?? this.#guessWidth(position);
  }

  /** The width of a value before it is printed. */
  #guessWidth(position: number): Width {
    const op = this.#body[position] as Op;
    const ofForm = (form: Form): Width => {
      for (const axis of form.axes.keys()) {
        if (axis < this.#nest.domain.length && (this.#laneAxis < 0 || axis === this.#laneAxis)) return 4;
        if (axis >= this.#nest.domain.length && this.#bounds?.width === 4) return 4;
      }
      for (const other of form.others.keys()) if (other !== position && this.#guessWidth(other) === 4) return 4;
      return 1;
    };
    if (op.dtype === 'int32' && this.#forms.isLinear(position)) return ofForm(this.#forms.at(position));
    if (op.op === 'load') return ofForm(this.#forms.at(op.index));
    if (op.op === 'axis') return ofForm({ base: 0, axes: new Map([[op.axis, 1]]), others: new Map() });
    if ('args' in op) return op.args.some((arg) => this.#guessWidth(arg) === 4) ? 4 : 1;
    return 1;
  }

  /** Whether four steps of the innermost loop read one fetch of this read. */
  #isPacked(read: number, form: Form): boolean {
    const inner = this.#sizes.length - 1;
    return (
      form.axes.get(inner) === 1 &&
      this.#offsets[read] !== 'any' &&
      isMultiple(form, 4, inner) &&
      this.#shape(form) !== 'neighbours'
    );
  }

  #canUnroll(): boolean {
    const extent = this.#nest.reduce?.extents.at(-1);
    if (extent === undefined || extent % 4 !== 0) return false;
    return this.#needed.some((position) => {
      const op = this.#body[position] as Op;
      return op.op === 'load' && this.#isPacked(op.read, this.#forms.at(op.index));
    });
  }

  #load(position: number, read: number, form: Form, lines: string[], step: number): Value {
    const scalar = scalarOf(this.#nest.reads[read] as DType);
    const shape = this.#shape(form);
    const offset = this.#offsets[read] as Offset;
    const fetch = (texel: string): string => `nn_read${read}(${texel})`;
    const emit = (width: Width, text: string): Value => this.#declare(lines, scalar, width, text);
    const isAligned = offset !== 'any';
    const quarter = offset === 'aligned' ? ` + offset${read} / 4` : '';
    const whole = offset === 'zero' ? '' : ` + offset${read}`;

    if (this.#unrolled && this.#levels[position] === this.#depth && this.#isPacked(read, form)) {
      let texels = this.#texels.get(position);
      if (texels === undefined) {
        const inner = this.#sizes.length - 1;
        const axes = new Map(form.axes);
        axes.delete(inner);
        const rest = this.#sum(divided({ ...form, axes }), 0);
        const index = `${rest.text}${quarter} + (r${this.#depth - 1} >> ${this.#language.type('U', 1)}(2u))`;
        if (shape === 'one') texels = [emit(4, fetch(index)).text];
        else {
          const at = this.#declare(
            lines,
            'I',
            4,
            rest.width === 4 ? index : `${this.#language.type('I', 4)}(${index})`,
          ).text;
          texels = lanes.map((lane) => emit(4, fetch(`${at}.${lane}`)).text);
        }
        this.#texels.set(position, texels);
      }
      const component = lanes[step] as string;
      if (shape === 'one') return { text: `${texels[0]}.${component}`, scalar, width: 1 };
      return emit(4, `${this.#language.type(scalar, 4)}(${texels.map((texel) => `${texel}.${component}`).join(', ')})`);
    }

    if (shape === 'one') {
      if (isAligned && isMultiple({ ...form, base: 0 }, 4)) {
        const component = lanes[((form.base % 4) + 4) % 4] as string;
        const texel = this.#sum(divided({ ...form, base: form.base - (((form.base % 4) + 4) % 4) }), step);
        return emit(1, `${fetch(texel.text + quarter)}.${component}`);
      }
      return emit(1, `nn_pick${read}(${this.#sum(form, step).text}${whole})`);
    }

    if (shape === 'neighbours') {
      // The index of lane 0: without the lanes' axes, plus the number of the group.
      const axes = new Map(form.axes);
      if (this.#laneAxis >= 0) axes.delete(this.#laneAxis);
      else for (let axis = 0; axis < this.#nest.domain.length; axis++) axes.delete(axis);
      const rest = { ...form, axes };
      const group = this.#laneAxis >= 0 ? this.#group() : 't';
      if (isAligned && isMultiple(rest, 4)) {
        const texel = this.#sum(divided(rest), step).text;
        return emit(4, fetch(`${group}${texel === '0' ? '' : ` + ${texel}`}${quarter}`));
      }
      return emit(4, `nn_four${read}(${this.#sum(rest, step).text} + ${group} * 4${whole})`);
    }

    const index = this.#sum(form, step);
    const at = this.#declare(
      lines,
      'I',
      4,
      `${this.#widen(index, 4).text}${offset === 'zero' ? '' : ` + ${this.#language.type('I', 4)}(offset${read})`}`,
    );
    return emit(
      4,
      `${this.#language.type(scalar, 4)}(${lanes.map((lane) => `nn_pick${read}(${at.text}.${lane})`).join(', ')})`,
    );
  }

  #alu(op: Alu, dtype: DType, args: readonly number[], lines: string[], step: number): Value {
    const language = this.#language;
    const body = this.#body;
    const forms = this.#forms;
    const values = args.map((arg) => this.#value(arg, step));
    const width = values.some((value) => value.width === 4) ? 4 : 1;
    const texts = values.map((value) => this.#widen(value, width).text);
    const name = (text: string): string => this.#declare(lines, 'I', width, text).text;
    const text = arithmetic(op, dtype, args, texts, width, { language, body, forms, name });
    return text === null ? (values[0] as Value) : this.#declare(lines, scalarOf(dtype), width, text);
  }

  #accumulate(op: 'sum' | 'product' | 'max' | 'min', dtype: DType, name: string, value: Value): string {
    if (op === 'sum') return `${name} = ${name} + ${value.text};`;
    if (op === 'product') return `${name} = ${name} * ${value.text};`;
    if (dtype === 'float32') return `${name} = nn_${op}${value.width}(${name}, ${value.text});`;
    return `${name} = ${op}(${name}, ${value.text});`;
  }
}

/** A quarter of a form whose every part 4 divides. */
function divided(form: Form): Form {
  return combine({ base: 0, axes: new Map(), others: new Map() }, form, 1 / 4);
}

/** What a reduction starts with. */
function identity(language: Language, op: 'sum' | 'product' | 'max' | 'min', dtype: DType): Value {
  const scalar = scalarOf(dtype);
  const number =
    op === 'sum'
      ? 0
      : op === 'product'
        ? 1
        : dtype === 'float32'
          ? op === 'max'
            ? Number.NEGATIVE_INFINITY
            : Number.POSITIVE_INFINITY
          : dtype === 'bool'
            ? op === 'max'
              ? 0
              : 1
            : op === 'max'
              ? -2147483648
              : 2147483647;
  return { text: scalar === 'F' ? language.float(number) : language.int(number), scalar, width: 1 };
}

/**
 * Owns: the texts of indices: the index along an axis, taken from the number of the element, and sums of them.
 * Does not own: which integers are sums (`affine.ts`) and what is read there (`loads.ts`).
 */
import type { Form } from '../nest/affine.ts';
import type { Nest } from '../nest/nest.ts';
import { quotient, remainder, type Width } from './language.ts';
import type { PrintedBody } from './printed-body.ts';
import type { Names, Value } from './shader.ts';

export class Indices {
  readonly #nest: Nest;
  readonly #names: Names;
  readonly #laneAxis: number;
  /** The statements before all loops, where axes are taken apart. */
  readonly #before: string[];
  readonly #axisTexts = new Map<number, Value>();
  #groupText: string | undefined;
  #elementText: string | undefined;

  constructor(nest: Nest, names: Names, laneAxis: number, before: string[]) {
    this.#nest = nest;
    this.#names = names;
    this.#laneAxis = laneAxis;
    this.#before = before;
  }

  /** A form as a value: by name, unless it is a name or a number already. */
  form(body: PrintedBody, form: Form, lines: string[], step: number): Value {
    const value = this.sum(body, form, step);
    return /^\w+$/.test(value.text) || /^-?\d+$/.test(value.text)
      ? value
      : this.#names.declare(lines, 'I', value.width, value.text);
  }

  /** The text of a form; single numbers are added up before they meet lanes. */
  sum(body: PrintedBody, form: Form, step: number): Value {
    const { language } = this.#names;
    const narrow: string[] = [];
    const wide: string[] = [];
    const add = (value: Value, factor: number): void => {
      (value.width === 1 ? narrow : wide).push(factor === 1 ? value.text : `${value.text} * ${language.int(factor)}`);
    };
    // The lanes' own axes last: the sum of the others is then the same for all.
    for (const [axis, factor] of form.axes) add(this.#axis(body, axis, step), factor);
    for (const [other, factor] of form.others) add(body.value(other, step), factor);
    if (form.base !== 0 || (narrow.length === 0 && wide.length === 0)) narrow.push(language.int(form.base));
    if (wide.length === 0) return { text: narrow.join(' + '), scalar: 'I', width: 1 };
    if (narrow.length > 0) wide.push(`${language.type('I', 4)}(${narrow.join(' + ')})`);
    return { text: wide.join(' + '), scalar: 'I', width: 4 };
  }

  /** Which group of four along the lane axis. */
  group(): string {
    const { domain } = this.#nest;
    if (domain.length === 1) return 't';
    if (this.#groupText === undefined) {
      const size = domain[domain.length - 1]! / 4;
      const total = domain.reduce((product, extent) => product * extent, 1 / 4);
      this.#groupText =
        size === 1 ? '0' : this.#declare(1, remainder(this.#names.language, 1, 't', total - 1, size)).text;
    }
    return this.#groupText;
  }

  /** The index along an axis: one number, or four along the lanes. */
  #axis({ lanes: { bounds }, depth, unrolled }: PrintedBody, axis: number, step: number): Value {
    const { domain, reduce } = this.#nest;
    const loop = axis - domain.length;
    if (loop >= 0 && bounds !== undefined) {
      const { from, width } = bounds;
      if (width === 1) return { text: `(${from} + r0)`, scalar: 'I', width };
      // Past the end of a lane's run the last element is read and left out.
      const wide = this.#names.language.type('I', 4);
      const last = reduce!.extents[0]! - 1;
      return { text: `min(${from} + ${wide}(r0), ${wide}(${last}))`, scalar: 'I', width };
    }
    if (loop >= 0) {
      const isUnrolled = unrolled && loop === depth - 1;
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
    const { language } = this.#names;
    let inner = 1;
    for (let later = axis + 1; later < domain.length; later++) inner *= domain[later]!;
    const size = domain[axis]!;
    const wide = language.type('I', 4);
    const four = `${wide}(0, 1, 2, 3)`;
    if (axis === this.#laneAxis) return this.#declare(4, `${wide}(${this.group()} * 4) + ${four}`);
    const isWide = this.#laneAxis < 0;
    const element = isWide ? this.#element() : 't';
    const divisor = isWide ? inner : inner / 4;
    const width = isWide ? 4 : 1;
    const total = domain.reduce((product, extent) => product * extent, isWide ? 1 : 1 / 4);
    const whole = this.#declare(width, quotient(language, width, element, total - 1, divisor));
    return axis === 0 ? whole : this.#declare(width, remainder(language, width, whole.text, total / divisor - 1, size));
  }

  #element(): string {
    const wide = this.#names.language.type('I', 4);
    this.#elementText ??= this.#declare(4, `${wide}(t * 4) + ${wide}(0, 1, 2, 3)`).text;
    return this.#elementText;
  }

  #declare(width: Width, text: string): Value {
    return this.#names.declare(this.#before, 'I', width, text);
  }
}

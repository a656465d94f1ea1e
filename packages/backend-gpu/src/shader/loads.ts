import { combine, type Form, isMultiple, sizes } from '../nest/affine.ts';
import type { Nest } from '../nest/nest.ts';
import type { Indices } from './indices.ts';
import type { Scalar, Width } from './language.ts';
import type { PrintedBody } from './printed-body.ts';
import { lanes, type Names, type Offset, scalarOf, type Value } from './shader.ts';

export class Loads {
  readonly #nest: Nest;
  readonly #offsets: readonly Offset[];
  readonly #names: Names;
  readonly #indices: Indices;
  /** The axis of the innermost loop. */
  readonly #inner: number;

  constructor(nest: Nest, offsets: readonly Offset[], names: Names, indices: Indices) {
    this.#nest = nest;
    this.#offsets = offsets;
    this.#names = names;
    this.#indices = indices;
    this.#inner = sizes(nest).length - 1;
  }

  /** Whether doing four steps of the innermost loop at a time saves fetches. */
  canUnroll(body: PrintedBody): boolean {
    const extent = this.#nest.reduce?.extents.at(-1);
    if (extent === undefined || extent % 4 !== 0) return false;
    return body.needed.some((position) => {
      const op = body.at(position);
      return op.op === 'load' && this.#isPacked(body, op.read, body.forms.at(op.index));
    });
  }

  print(body: PrintedBody, position: number, read: number, form: Form, lines: string[], step: number): Value {
    const scalar = scalarOf(this.#nest.reads[read]!);
    const emit = (width: Width, text: string): Value => this.#names.declare(lines, scalar, width, text);
    const isShared = body.unrolled && body.level(position) === body.depth && this.#isPacked(body, read, form);
    if (isShared) return this.#component(body, position, read, form, lines, step, scalar);
    const pattern = body.pattern(form);
    if (pattern === 'one') return emit(1, this.#one(body, read, form, step));
    if (pattern === 'neighbours') return emit(4, this.#neighbours(body, read, form, step));
    const { language } = this.#names;
    const offset = this.#offsets[read] === 'zero' ? '' : ` + ${language.type('I', 4)}(offset${read})`;
    const index = this.#names.widen(this.#indices.sum(body, form, step), 4);
    const at = this.#names.declare(lines, 'I', 4, `${index.text}${offset}`);
    const each = lanes.map((lane) => `nn_pick${read}(${at.text}.${lane})`);
    return emit(4, `${language.type(scalar, 4)}(${each.join(', ')})`);
  }

  /** Whether four steps of the innermost loop read one fetch of this read. */
  #isPacked(body: PrintedBody, read: number, form: Form): boolean {
    return (
      form.axes.get(this.#inner) === 1 &&
      this.#offsets[read] !== 'any' &&
      isMultiple(form, 4, this.#inner) &&
      body.pattern(form) !== 'neighbours'
    );
  }

  /** The component of step `step` of the fetch, or the fetches of the four lanes, that four steps share. */
  #component(
    body: PrintedBody,
    position: number,
    read: number,
    form: Form,
    lines: string[],
    step: number,
    scalar: Scalar,
  ): Value {
    const { language } = this.#names;
    const isOne = body.pattern(form) === 'one';
    const emit = (text: string): Value => this.#names.declare(lines, scalar, 4, text);
    let texels = body.texels.get(position);
    if (texels === undefined) {
      const axes = new Map(form.axes);
      axes.delete(this.#inner);
      const rest = this.#indices.sum(body, divided({ ...form, axes }), 0);
      const index = `${rest.text}${this.#quarter(read)} + (r${body.depth - 1} >> ${language.type('U', 1)}(2u))`;
      if (isOne) texels = [emit(fetch(read, index)).text];
      else {
        const wide = rest.width === 4 ? index : `${language.type('I', 4)}(${index})`;
        const at = this.#names.declare(lines, 'I', 4, wide).text;
        texels = lanes.map((lane) => emit(fetch(read, `${at}.${lane}`)).text);
      }
      body.texels.set(position, texels);
    }
    const component = lanes[step] as string;
    if (isOne) return { text: `${texels[0]}.${component}`, scalar, width: 1 };
    return emit(`${language.type(scalar, 4)}(${texels.map((texel) => `${texel}.${component}`).join(', ')})`);
  }

  /** One number for all lanes. */
  #one(body: PrintedBody, read: number, form: Form, step: number): string {
    if (this.#offsets[read] !== 'any' && isMultiple({ ...form, base: 0 }, 4)) {
      const lane = ((form.base % 4) + 4) % 4;
      const texel = this.#indices.sum(body, divided({ ...form, base: form.base - lane }), step);
      return `${fetch(read, texel.text + this.#quarter(read))}.${lanes[lane]}`;
    }
    return `nn_pick${read}(${this.#indices.sum(body, form, step).text}${this.#whole(read)})`;
  }

  /** Four neighbours, from the index of lane 0 on: that of the other axes, plus the number of the group. */
  #neighbours(body: PrintedBody, read: number, form: Form, step: number): string {
    const { axis: laneAxis } = body.lanes;
    const axes = new Map(form.axes);
    if (laneAxis >= 0) axes.delete(laneAxis);
    else for (let axis = 0; axis < this.#nest.domain.length; axis++) axes.delete(axis);
    const rest = { ...form, axes };
    const group = laneAxis >= 0 ? this.#indices.group() : 't';
    if (this.#offsets[read] !== 'any' && isMultiple(rest, 4)) {
      const texel = this.#indices.sum(body, divided(rest), step).text;
      return fetch(read, `${group}${texel === '0' ? '' : ` + ${texel}`}${this.#quarter(read)}`);
    }
    return `nn_four${read}(${this.#indices.sum(body, rest, step).text} + ${group} * 4${this.#whole(read)})`;
  }

  /** What a read's offset adds to the number of a texel, and to that of an element. */
  #quarter(read: number): string {
    return this.#offsets[read] === 'aligned' ? ` + offset${read} / 4` : '';
  }

  #whole(read: number): string {
    return this.#offsets[read] === 'zero' ? '' : ` + offset${read}`;
  }
}

const fetch = (read: number, texel: string): string => `nn_read${read}(${texel})`;

/** A quarter of a form whose every part 4 divides. */
function divided(form: Form): Form {
  return combine({ base: 0, axes: new Map(), others: new Map() }, form, 1 / 4);
}

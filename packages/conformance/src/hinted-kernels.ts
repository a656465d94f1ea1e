/**
 * Kernels with hints, next to what they mean as loop nests: products of any layout, convolutions and their gradients,
 * scatter-add, running sums and ranks. Data are small multiples of 1/8, so answers are exact. All choices follow from the
 * seed.
 */
import {
  type BufferType,
  type DType,
  type Hint,
  type Kernel,
  randomValue,
  type Shape,
  type TensorData,
} from '@nn/core';
import { BodyBuilder, buildKernel, ProgramBuilder } from './program-builder.ts';
import type { RandomCase } from './random-kernels.ts';

/** A kind of hint, or `bytes`: a contraction of int8 and uint8, summed in int32. */
export type HintedKind = Hint['kind'] | 'bytes';

/** What `hintedCase` knows. */
export const hintKinds: readonly HintedKind[] = ['contraction', 'bytes', 'conv', 'scatter', 'scan', 'rank'];

/**
 * A program of one kernel with a hint of this kind, number `seed`. `large` cases are big enough for the fast paths;
 * `hint: false` leaves the hint out.
 */
export function hintedCase(
  kind: HintedKind,
  seed: number,
  options: { readonly large?: boolean; readonly hint?: boolean } = {},
): RandomCase {
  return new HintedGenerator(seed, options.large ?? false, options.hint ?? true)[kind]();
}

/** A read of the kernel under construction: its data, the element 0, and what its loads need. */
interface Read {
  readonly data: TensorData;
  readonly dtype: DType;
  readonly offset: number;
}

class HintedGenerator {
  readonly #seed: number;
  readonly #large: boolean;
  readonly #hint: boolean;
  readonly #reads: Read[] = [];
  #counter = 0;

  constructor(seed: number, large: boolean, hint: boolean) {
    this.#seed = seed;
    this.#large = large;
    this.#hint = hint;
  }

  bytes(): RandomCase {
    return this.contraction('int32');
  }

  contraction(dtype: 'float32' | 'int32' = 'float32'): RandomCase {
    const count = (): number => 1 + this.#below(2);
    const list = (length: number): number[] => Array.from({ length }, () => 1 + this.#below(4));
    const sizes = { batch: list(this.#below(2)), rows: list(count()), columns: list(count()), inner: list(count()) };
    // One long axis of each is enough for tiles with a rest; with two of them the sums would be a hundred times as many.
    if (this.#large) for (const part of ['rows', 'columns', 'inner'] as const) sizes[part][0]! += 15 + this.#below(6);
    // The domain is a random mixture of the three, each in its own order.
    const kinds = this.#shuffle([
      ...sizes.batch.map(() => 'batch'),
      ...sizes.rows.map(() => 'rows'),
      ...sizes.columns.map(() => 'columns'),
    ]);
    const axes: Record<string, number[]> = { batch: [], rows: [], columns: [] };
    kinds.forEach((kind, axis) => {
      axes[kind]!.push(axis);
    });
    const domain = kinds.map((kind, axis) => sizes[kind as 'rows'][axes[kind]!.indexOf(axis)]!);
    const inner = sizes.inner.map((_, axis) => domain.length + axis);
    const extents = [...domain, ...sizes.inner];
    const body = new BodyBuilder();
    const operand = (own: readonly number[]): number => {
      const shared = this.#chance(0.3) ? own.filter((axis) => !axes.batch!.includes(axis)) : own;
      // half of the bytes lie along the inner axes, as those of a layer do
      const order = dtype === 'int32' && this.#chance(0.5) ? [...shared] : this.#shuffle([...shared]);
      if (dtype === 'int32') return this.#bytesOf(body, order, extents);
      const value = this.#dense(body, order, extents, dtype);
      return this.#chance(0.3) ? body.alu('add', dtype, value, body.constant(0.5)) : value;
    };
    const left = operand([...axes.batch!, ...axes.rows!, ...inner]);
    const right = operand([...axes.batch!, ...axes.columns!, ...inner]);
    body.alu('mul', dtype, ...(this.#chance(0.5) ? [left, right] : [right, left]));
    const hint: Hint = {
      kind: 'contraction',
      batch: axes.batch!,
      rows: axes.rows!,
      columns: axes.columns!,
      inner,
      left,
      right,
    };
    return this.#finish(domain, { op: 'sum', extents: sizes.inner, dtype }, body, hint);
  }

  /** Bytes as int32, or the low bits of them. */
  #bytesOf(body: BodyBuilder, order: readonly number[], extents: Shape): number {
    const value = body.alu('cast', 'int32', this.#dense(body, order, extents, this.#pick(['int8', 'uint8'])));
    if (this.#chance(0.5)) return value;
    return body.alu('and', 'int32', value, body.constant(this.#pick([127, 127, 15]), 'int32'));
  }

  conv(): RandomCase {
    const form = this.#pick(['forward', 'input', 'weight'] as const);
    // Three axes of space fit into a body only where nothing has to be clamped.
    const rank = 1 + this.#below(form === 'input' ? 2 : 3);
    const groups = this.#pick([1, 1, 2, 3]);
    const per = (most: number): number => (1 + this.#below(most)) * groups;
    const spatial = (draw: () => number): number[] => Array.from({ length: rank }, draw);
    const kernel = spatial(() => 1 + this.#below(3));
    const stride = spatial(() => (rank > 2 ? 1 : 1 + this.#below(2)));
    const dilation = spatial(() => (rank > 2 ? 1 : 1 + this.#below(2)));
    const padding = spatial(() => (rank > 2 ? 0 : this.#below(3)));
    const least = kernel.map((extent, axis) => (extent - 1) * dilation[axis]! + 1 - padding[axis]!);
    const space = least.map((extent) => Math.max(extent, 1) + this.#below(this.#large ? 9 : 4));
    const after = spatial(() => (rank > 2 ? 0 : this.#below(2)));
    const out = space.map((extent, axis) => {
      const room = extent + padding[axis]! + after[axis]! - (kernel[axis]! - 1) * dilation[axis]! - 1;
      return Math.floor(room / stride[axis]!) + 1;
    });
    const images = 1 + this.#below(3);
    const input = [images, per(this.#large ? 6 : 2), ...space];
    const output = [images, per(this.#large ? 6 : 2), ...out];
    const weight = [output[1]!, input[1]! / groups, ...kernel];
    const shapes = { input, weight, output, stride, dilation, padding, groups };
    const hint: Hint = { kind: 'conv', form, ...shapes };
    const body = new BodyBuilder();
    const { domain, extents } = this.#convBody(body, form, shapes);
    return this.#finish(domain, { op: 'sum', extents, dtype: 'float32' }, body, hint);
  }

  /** The meaning of a convolution as a sum over taps (and filters, or images and positions). */
  #convBody(
    body: BodyBuilder,
    form: 'forward' | 'input' | 'weight',
    {
      input,
      weight,
      output,
      stride,
      dilation,
      padding,
      groups,
    }: Omit<Extract<Hint, { kind: 'conv' }>, 'kind' | 'form'>,
  ): { domain: Shape; extents: Shape } {
    const rank = input.length - 2;
    const constants = new Map<number, number>();
    const int = (value: number): number => {
      const known = constants.get(value) ?? body.constant(value, 'int32');
      constants.set(value, known);
      return known;
    };
    const add = (a: number, b: number): number => body.alu('add', 'int32', a, b);
    const plus = (a: number, by: number): number => (by === 0 ? a : add(a, int(by)));
    const times = (a: number, factor: number): number => (factor === 1 ? a : body.alu('mul', 'int32', a, int(factor)));
    // At axes of the nest: the first two of the domain, the space of the domain, the first reduced one, its space.
    const a0 = body.axis(0);
    const a1 = body.axis(1);
    const inner = body.axis(2 + rank);
    const [images, filters, channels] = [input[0]!, output[1]! / groups, input[1]! / groups];
    const n = form === 'weight' ? inner : a0;
    // The group, the filter in the output and the channel in the image, by form.
    const group = body.alu(
      'floorDiv',
      'int32',
      form === 'weight' ? a0 : a1,
      int(form === 'input' ? channels : filters),
    );
    const o = form === 'input' ? add(times(group, filters), inner) : form === 'weight' ? a0 : a1;
    const within = form === 'input' ? body.alu('floorMod', 'int32', a1, int(channels)) : form === 'weight' ? a1 : inner;
    const c = form === 'input' ? a1 : add(times(group, channels), within);
    let ok: number | undefined;
    const check = (condition: number): void => {
      ok = ok === undefined ? condition : body.alu('and', 'bool', ok, condition);
    };
    // Flat indices of the two arrays that are read, grown axis by axis.
    let atImage = form === 'input' ? 0 : add(times(n, input[1]!), c);
    let atOutput = form === 'forward' ? 0 : add(times(n, output[1]!), o);
    let atWeight = form === 'weight' ? 0 : add(times(o, channels), within);
    for (let axis = 0; axis < rank; axis++) {
      const first = body.axis(2 + axis);
      const second = body.axis(3 + rank + axis);
      const [tap, position] = form === 'weight' ? [first, second] : [second, first];
      const shift = plus(times(tap, dilation[axis]!), -padding[axis]!);
      let onImage: number;
      let onOutput: number;
      if (form === 'input') {
        // The output position whose tap is here: (position + padding - tap * dilation) / stride, where it is whole.
        onImage = position;
        const scaled = body.alu('sub', 'int32', position, shift);
        const step = int(stride[axis]!);
        const found = body.alu('floorDiv', 'int32', scaled, step);
        if (stride[axis]! > 1) check(body.alu('equal', 'bool', body.alu('floorMod', 'int32', scaled, step), int(0)));
        onOutput = this.#clamped(body, found, int(0), int(output[2 + axis]! - 1), check);
      } else {
        onOutput = position;
        const at = add(times(position, stride[axis]!), shift);
        const last =
          (output[2 + axis]! - 1) * stride[axis]! + (weight[2 + axis]! - 1) * dilation[axis]! - padding[axis]!;
        const inside = padding[axis] === 0 && last < input[2 + axis]!;
        onImage = inside ? at : this.#clamped(body, at, int(0), int(input[2 + axis]! - 1), check);
      }
      if (form !== 'input') atImage = add(times(atImage, input[2 + axis]!), onImage);
      if (form !== 'forward') atOutput = add(times(atOutput, output[2 + axis]!), onOutput);
      if (form !== 'weight') atWeight = add(times(atWeight, weight[2 + axis]!), tap);
    }
    const places = { forward: [atImage, atWeight], input: [atOutput, atWeight], weight: [atImage, atOutput] }[form];
    const shapes = { forward: [input, weight], input: [output, weight], weight: [input, output] }[form];
    const [left, right] = places.map((place, read) => {
      this.#read('float32', sizeOf(shapes[read]!));
      return body.load(read, place);
    }) as [number, number];
    const zero = body.constant(0);
    body.alu('mul', 'float32', ok === undefined ? left : body.alu('where', 'float32', ok, left, zero), right);
    return {
      forward: { domain: output, extents: [channels, ...weight.slice(2)] },
      input: { domain: input, extents: [filters, ...weight.slice(2)] },
      weight: { domain: weight, extents: [images, ...output.slice(2)] },
    }[form];
  }

  /** `index` brought into [first, last], after checking that it was there. */
  #clamped(body: BodyBuilder, index: number, first: number, last: number, check: (condition: number) => void): number {
    const inside = body.alu('max', 'int32', body.alu('min', 'int32', index, last), first);
    check(body.alu('equal', 'bool', inside, index));
    return inside;
  }

  scatter(): RandomCase {
    const most = this.#large ? 40 : 5;
    const domain = Array.from({ length: 1 + this.#below(3) }, () => 1 + this.#below(4));
    const axis = this.#below(domain.length);
    domain[axis] = 1 + this.#below(most);
    const extents = Array.from({ length: 1 + this.#below(2) }, () => 1 + this.#below(this.#large ? 9 : 4));
    const reduced = extents.map((_, at) => domain.length + at);
    const all = [...domain, ...extents];
    const dtype = this.#pick(['float32', 'float32', 'int32'] as const);
    const body = new BodyBuilder();
    // Some indices are out of range: they are ignored.
    const looked = this.#dense(body, reduced, all, 'int32');
    const index = body.alu('floorMod', 'int32', looked, body.constant(domain[axis]! + 2, 'int32'));
    const others = domain.map((_, at) => at).filter((at) => at !== axis);
    let update = this.#dense(body, this.#shuffle([...others, ...reduced]), all, dtype);
    if (this.#chance(0.4)) update = body.alu('add', dtype, update, body.constant(2, dtype));
    const here = body.alu('equal', 'bool', index, body.axis(axis));
    const op = this.#pick(['sum', 'sum', 'max'] as const);
    const lowest = dtype === 'float32' ? Number.NEGATIVE_INFINITY : -(2 ** 31);
    body.alu('where', dtype, here, update, body.constant(op === 'sum' ? 0 : lowest, dtype));
    return this.#finish(domain, { op, extents, dtype }, body, { kind: 'scatter', axis, index, update });
  }

  scan(): RandomCase {
    const { domain, axis, extents } = this.#rows();
    const dtype = this.#pick(['float32', 'int32'] as const);
    const body = new BodyBuilder();
    const others = domain.map((_, at) => at).filter((at) => at !== axis);
    let operand = this.#dense(body, this.#shuffle([...others, domain.length]), [...domain, ...extents], dtype);
    if (this.#chance(0.4)) operand = body.alu('mul', dtype, operand, body.constant(2, dtype));
    const op = this.#pick(['sum', 'sum', 'product', 'max', 'min'] as const);
    // products of a row of -1, 1 and 2 are exact
    if (op === 'product') {
      const isNegative = body.alu('less', 'bool', operand, body.constant(0, dtype));
      const doubled = body.alu('equal', 'bool', operand, body.constant(1, dtype));
      const positive = body.alu('where', dtype, doubled, body.constant(2, dtype), body.constant(1, dtype));
      operand = body.alu('where', dtype, isNegative, body.constant(-1, dtype), positive);
    }
    const later = body.alu('less', 'bool', body.axis(axis), body.axis(domain.length));
    const isFloat = dtype === 'float32';
    const neutral = {
      sum: 0,
      product: 1,
      max: isFloat ? Number.NEGATIVE_INFINITY : -(2 ** 31),
      min: isFloat ? Number.POSITIVE_INFINITY : 2 ** 31 - 1,
    }[op];
    body.alu('where', dtype, later, body.constant(neutral, dtype), operand);
    return this.#finish(domain, { op, extents, dtype }, body, { kind: 'scan', axis, operand });
  }

  rank(): RandomCase {
    const { domain, axis, extents } = this.#rows();
    const dtype = this.#pick(['float32', 'int32'] as const);
    const body = new BodyBuilder();
    const order = this.#shuffle(domain.map((_, at) => at));
    const all = [...domain, ...extents];
    // The same buffer at r and at the element's own index.
    const operand = this.#dense(
      body,
      order.map((at) => (at === axis ? domain.length : at)),
      all,
      dtype,
      true,
    );
    const strides = this.#strides(order, all);
    const own = body.load(0, body.index(strides), dtype);
    const nan = (value: number): number =>
      body.alu('xor', 'bool', body.alu('equal', 'bool', value, value), body.constant(1, 'bool'));
    const [nanThere, nanHere] = [nan(operand), nan(own)];
    const equal = body.alu(
      'or',
      'bool',
      body.alu('equal', 'bool', operand, own),
      body.alu('and', 'bool', nanThere, nanHere),
    );
    const notThere = body.alu('xor', 'bool', nanThere, body.constant(1, 'bool'));
    const smaller = body.alu(
      'or',
      'bool',
      body.alu('less', 'bool', operand, own),
      body.alu('and', 'bool', nanHere, notThere),
    );
    const earlier = body.alu('less', 'bool', body.axis(domain.length), body.axis(axis));
    const before = body.alu('or', 'bool', smaller, body.alu('and', 'bool', equal, earlier));
    body.alu('cast', 'int32', before);
    return this.#finish(domain, { op: 'sum', extents, dtype: 'int32' }, body, { kind: 'rank', axis, operand });
  }

  /** A domain, one of its axes, and a reduced axis as long. */
  #rows(): { domain: number[]; axis: number; extents: number[] } {
    const domain = Array.from({ length: 1 + this.#below(3) }, () => 1 + this.#below(4));
    const axis = this.#below(domain.length);
    if (this.#large) domain[axis] = 20 + this.#below(60);
    return { domain, axis, extents: [domain[axis]!] };
  }

  /** An epilogue for some, a box for some, and the program. */
  #finish(domain: Shape, reduce: NonNullable<Kernel['reduce']>, body: BodyBuilder, hint: Hint): RandomCase {
    const builder = new ProgramBuilder();
    let epilogue: BodyBuilder | undefined;
    if (this.#chance(0.5)) {
      epilogue = new BodyBuilder();
      const sum = epilogue.accumulator(reduce.dtype);
      const bias = this.#dense(
        epilogue,
        domain.map((_, axis) => axis).filter(() => this.#chance(0.6)),
        domain,
        reduce.dtype,
      );
      const added = epilogue.alu('add', reduce.dtype, sum, bias);
      const positive = epilogue.alu('max', reduce.dtype, added, epilogue.constant(0, reduce.dtype));
      if (this.#chance(0.3)) epilogue.alu('cast', this.#pick(['bool', 'int32'] as const), positive);
    }
    const kernel = buildKernel({
      domain,
      reads: this.#reads.map(({ dtype }) => dtype),
      reduce,
      value: body.ops,
      ...(epilogue && { epilogue: epilogue.ops }),
      ...(this.#hint && { hint }),
    });
    const inputs: { data: TensorData; type: BufferType }[] = [];
    const reads = this.#reads.map(({ data, dtype }) => {
      const type: BufferType = { dtype, shape: [data.length] };
      inputs.push({ data, type });
      return builder.input(dtype, type.shape);
    });
    const offsets = this.#reads.map(({ offset }) => offset);
    if (this.#chance(0.25)) {
      const start = domain.map(() => this.#below(3));
      const shape = domain.map((extent, axis) => extent + start[axis]! + this.#below(2));
      const type: BufferType = { dtype: kernel.dtype, shape };
      inputs.push({ data: this.#data(kernel.dtype, sizeOf(shape)), type });
      const base = builder.input(type.dtype, shape);
      builder.output(builder.step(kernel, reads, { offsets, into: { base, shape, start } }));
    } else builder.output(builder.step(kernel, reads, { offsets }));
    return { program: builder.build(), inputs, scalars: new Float64Array(0) };
  }

  /** A load of a new read that is dense over `order`, axes of the nest, outermost first. */
  #dense(body: BodyBuilder, order: readonly number[], extents: Shape, dtype: DType, special = false): number {
    const read = this.#read(dtype, sizeOf(order.map((axis) => extents[axis]!)), special);
    return body.load(read, body.index(this.#strides(order, extents)), dtype);
  }

  #strides(order: readonly number[], extents: Shape): [number, number][] {
    let stride = 1;
    return [...order].reverse().map((axis): [number, number] => {
      const own = stride;
      stride *= extents[axis]!;
      return [axis, own];
    });
  }

  #read(dtype: DType, length: number, special = false): number {
    const offset = this.#chance(0.2) ? 1 + this.#below(3) : 0;
    return this.#reads.push({ data: this.#data(dtype, length + offset, special), dtype, offset }) - 1;
  }

  /** `special` data have many equal elements, NaN and -0 among them. */
  #data(dtype: DType, size: number, special = false): TensorData {
    if (dtype === 'int32') return Int32Array.from({ length: size }, () => this.#below(special ? 7 : 33) - 3);
    if (dtype === 'bool') return Uint8Array.from({ length: size }, () => this.#below(2));
    if (dtype === 'int8') return Int8Array.from({ length: size }, () => this.#below(256) - 128);
    if (dtype === 'uint8') return Uint8Array.from({ length: size }, () => this.#below(256));
    if (!special) return Float32Array.from({ length: size }, () => (this.#below(33) - 16) / 8);
    return Float32Array.from({ length: size }, () =>
      this.#pick([Number.NaN, -0, 0, 1, 2, -1, Infinity, -Infinity, 1.5]),
    );
  }

  #shuffle<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.#below(i + 1);
      [items[i], items[j]] = [items[j]!, items[i]!];
    }
    return items;
  }

  #below(count: number): number {
    return Math.floor(randomValue(this.#seed, 0x6869, this.#counter++) * count);
  }

  #chance(probability: number): boolean {
    return randomValue(this.#seed, 0x6869, this.#counter++) < probability;
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[this.#below(choices.length)]!;
  }
}

function sizeOf(shape: Shape): number {
  return shape.reduce((size, extent) => size * extent, 1);
}

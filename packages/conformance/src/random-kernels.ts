/**
 * Random programs with exact answers: floats are small multiples of 1/8 and every operation keeps them so, so that fused,
 * hinted, rounded and unrounded executions must agree bit for bit. `exact: false` adds the transcendental functions.
 * All choices follow from the seed. One class past 400 lines, because every choice must know the bounds of every other.
 */
import {
  type Alu,
  type BufferType,
  type DType,
  type Kernel,
  type Program,
  randomValue,
  type TensorData,
} from '@nn/core';
import { BodyBuilder, buildKernel, ProgramBuilder } from './program-builder.ts';

/** A program with data to run it on. */
export interface RandomCase {
  readonly program: Program;
  readonly inputs: readonly { readonly data: TensorData; readonly type: BufferType }[];
  readonly scalars: Float64Array;
}

/**
 * The program number `seed`: one to four kernels with loads of all kinds, reductions, epilogues, offsets, boxes and
 * buffers that share slots.
 */
export function randomCase(seed: number, options: { readonly exact?: boolean } = {}): RandomCase {
  return new Generator(seed, options.exact ?? true).run();
}

/** What is known of a value: its position, dtype, the greatest magnitude, and the bits behind the point. */
interface Value {
  readonly position: number;
  readonly dtype: 'float32' | 'int32' | 'bool';
  readonly size: number;
  readonly fraction: number;
}

interface Read {
  readonly dtype: DType;
  /** The number of elements that the loads need. */
  length: number;
  /** An earlier buffer, read at the element that is written. */
  readonly buffer?: number;
}

/** The int32 scalar of all programs. */
const firstScalar = 3;

const unary: readonly Alu[] = ['exp', 'log', 'sqrt', 'sin', 'cos', 'tanh', 'erf'];

class Generator {
  readonly #seed: number;
  readonly #exact: boolean;
  #counter = 0;

  constructor(seed: number, exact: boolean) {
    this.#seed = seed;
    this.#exact = exact;
  }

  run(): RandomCase {
    const kernels: { kernel: Kernel; reads: Read[]; previous: number | undefined; size: number; fraction: number }[] =
      [];
    const count = 1 + this.#below(4);
    for (let step = 0; step < count; step++) {
      const previous = kernels.at(-1);
      const continues = previous !== undefined && this.#chance(0.6);
      kernels.push({ ...this.#kernel(continues ? previous : undefined), previous: continues ? step - 1 : undefined });
    }
    // Inputs come first, so the buffers are numbered once all kernels are known.
    const builder = new ProgramBuilder();
    const inputs: { data: TensorData; type: BufferType }[] = [];
    const reads = kernels.map(({ reads: all }) =>
      all.map((read) => {
        const offset = this.#chance(0.25) ? this.#below(4) : 0;
        if (read.buffer !== undefined) return { buffer: -1, offset: 0 };
        const type: BufferType = { dtype: read.dtype, shape: [read.length + offset + this.#below(3)] };
        inputs.push({ data: this.#data(type), type });
        return { buffer: builder.input(type.dtype, type.shape), offset };
      }),
    );
    const boxes = kernels.map(({ kernel }, step) =>
      kernels.some((later) => later.previous === step) ? undefined : this.#box(kernel, builder, inputs),
    );
    const scalars = new Float64Array([firstScalar, -2.5]);
    builder.scalar('int32');
    builder.scalar('float32');
    const written: number[] = [];
    kernels.forEach(({ kernel, previous }, step) => {
      const source = previous === undefined ? undefined : written[previous]!;
      const bound = reads[step]!.map(({ buffer }) => (buffer < 0 ? source! : buffer));
      const box = boxes[step];
      // The previous buffer is read only here and only at the written element, so its memory may be taken over.
      const inPlace =
        source !== undefined && !box && kernels[previous!]!.kernel.dtype === kernel.dtype && this.#chance(0.5);
      written.push(
        builder.step(kernel, bound, {
          offsets: reads[step]!.map(({ offset }) => offset),
          ...(inPlace && { inPlace: reads[step]!.findIndex(({ buffer }) => buffer < 0), slotOf: source }),
          ...(box && { into: box }),
        }),
      );
      if (!kernels.some((later) => later.previous === step)) builder.output(written[step]!);
    });
    return { program: builder.build(), inputs, scalars };
  }

  /** Sometimes, a larger buffer that the kernel writes a box of. */
  #box(
    kernel: Kernel,
    builder: ProgramBuilder,
    inputs: { data: TensorData; type: BufferType }[],
  ): { base: number; shape: number[]; start: (number | { scalar: number })[] } | undefined {
    if (!this.#chance(0.3)) return undefined;
    const start = kernel.domain.map(() => (this.#chance(0.2) ? { scalar: 0 } : this.#below(3)));
    const shape = kernel.domain.map((extent, axis) => {
      const from = start[axis]!;
      return extent + (typeof from === 'number' ? from : firstScalar) + this.#below(2);
    });
    const type: BufferType = { dtype: kernel.dtype, shape };
    inputs.push({ data: this.#data(type), type });
    return { base: builder.input(type.dtype, type.shape), shape, start };
  }

  #kernel(previous: { kernel: Kernel; size: number; fraction: number } | undefined): {
    kernel: Kernel;
    reads: Read[];
    size: number;
    fraction: number;
  } {
    const domain = previous?.kernel.domain ?? Array.from({ length: this.#below(5) }, () => 1 + this.#below(5));
    const reads: Read[] = [];
    const extents = this.#chance(0.5) ? Array.from({ length: 1 + this.#below(2) }, () => 1 + this.#below(5)) : [];
    const body = new BodyBuilder();
    const context = { body, reads, axes: [...domain, ...extents], domain };
    const start: Value[] = [];
    if (previous && extents.length === 0) start.push(this.#continued(context, previous));
    let result = this.#body(context, start);
    let finished: Value | undefined;
    const epilogue = new BodyBuilder();
    const reduced = extents.length > 0;
    let op: 'sum' | 'max' | 'min' = 'sum';
    if (reduced) {
      const count = extents.reduce((size, extent) => size * extent, 1);
      if (result.dtype === 'bool') result = this.#cast(body, result, 'int32');
      op = this.#fits(result.size * count, result.fraction)
        ? this.#pick(['sum', 'max', 'min'])
        : this.#pick(['max', 'min']);
      const size = op === 'sum' ? result.size * count : result.size;
      const sum: Value = { ...result, position: 0, size };
      if (previous || this.#chance(0.5)) {
        const after = { body: epilogue, reads, axes: domain, domain };
        const starting = [{ ...sum, position: epilogue.accumulator(sum.dtype) }];
        if (previous) starting.push(this.#continued(after, previous));
        finished = this.#body(after, starting);
      } else finished = sum;
    }
    const last = finished ?? result;
    const kernel = buildKernel({
      domain,
      reads: reads.map(({ dtype }) => dtype),
      scalars: ['int32', 'float32'],
      value: trimmed(body, result),
      ...(reduced && { reduce: { op, extents, dtype: result.dtype } }),
      ...(reduced && epilogue.ops.length > 0 && { epilogue: trimmed(epilogue, last) }),
      dtype: last.dtype,
    });
    return { kernel, reads, size: last.size, fraction: last.fraction };
  }

  /** The previous kernel's element at the element that is written. */
  #continued(context: Context, previous: { kernel: Kernel; size: number; fraction: number }): Value {
    const dtype = previous.kernel.dtype as Value['dtype'];
    context.reads.push({ dtype, length: 0, buffer: 0 });
    const position = context.body.load(context.reads.length - 1, context.body.flat(context.domain), dtype);
    return { position, dtype, size: previous.size, fraction: previous.fraction };
  }

  /** A few leaves and operations; the last one has grown from many of them. */
  #body(context: Context, start: readonly Value[]): Value {
    const { body } = context;
    const values = [...start];
    for (let leaf = 1 + this.#below(3); leaf > 0 && body.ops.length < 30; leaf--) values.push(this.#leaf(context));
    let last = values[0] ?? this.#leaf(context);
    for (let op = 1 + this.#below(6); op > 0 && body.ops.length < 40; op--) {
      last = this.#operation(body, last, this.#pick(values));
      values.push(last);
    }
    return last;
  }

  #leaf({ body, reads, axes, domain }: Context): Value {
    const kind = this.#below(10);
    if (kind === 0) return { position: body.scalar(0, 'int32'), dtype: 'int32', size: firstScalar, fraction: 0 };
    if (kind === 1) return { position: body.scalar(1), dtype: 'float32', size: 2.5, fraction: 1 };
    if (kind === 2) {
      const value = (this.#below(33) - 16) / 8;
      return { position: body.constant(value), dtype: 'float32', size: 2, fraction: 3 };
    }
    if (kind === 3 && axes.length > 0) {
      return { position: body.axis(this.#below(axes.length)), dtype: 'int32', size: 5, fraction: 0 };
    }
    const dtype = this.#pick<DType>([
      'float32',
      'float32',
      'float32',
      'int32',
      'bool',
      'float16',
      'bfloat16',
      'int8',
      'uint8',
    ]);
    const read = reads.push({ dtype, length: 1 }) - 1;
    const { position, length } = this.#index(body, axes, domain, reads);
    reads[read]!.length = length;
    if (dtype === 'bool') return { position: body.load(read, position, dtype), dtype, size: 1, fraction: 0 };
    if (dtype === 'int32' || dtype === 'int8' || dtype === 'uint8') {
      return { position: body.load(read, position, 'int32'), dtype: 'int32', size: 16, fraction: 0 };
    }
    return { position: body.load(read, position), dtype: 'float32', size: 2, fraction: 3 };
  }

  /** An index that is always in range, and the length that it needs. */
  #index(
    body: BodyBuilder,
    axes: readonly number[],
    domain: readonly number[],
    reads: Read[],
  ): { position: number; length: number } {
    const used = axes.map((_, axis) => axis).filter(() => this.#chance(0.7));
    switch (this.#below(5)) {
      case 0:
        // Dense over the domain.
        return { position: body.flat(domain), length: domain.reduce((size, extent) => size * extent, 1) };
      case 1: {
        // Looked up in another buffer, then brought into range.
        const read = reads.push({ dtype: 'int32', length: 1 }) - 1;
        const { position, length } = this.#affine(body, axes, used);
        reads[read]!.length = length;
        const looked = body.load(read, position, 'int32');
        return { position: body.alu('floorMod', 'int32', looked, body.constant(7, 'int32')), length: 7 };
      }
      case 2: {
        // Quotient and remainder of a sum, as reshapes give.
        const { position, length } = this.#affine(body, axes, used);
        const divisor = body.constant(1 + this.#below(4), 'int32');
        const op = this.#pick(['floorDiv', 'floorMod'] as const);
        return { position: body.alu(op, 'int32', position, divisor), length };
      }
      case 3: {
        // Clamped, as paddings give.
        const { position, length } = this.#affine(body, axes, used);
        const shifted = body.alu('sub', 'int32', position, body.constant(2, 'int32'));
        return { position: body.alu('max', 'int32', shifted, body.constant(0, 'int32')), length };
      }
      default:
        return this.#affine(body, axes, used);
    }
  }

  /** A sum with random strides, some negative. */
  #affine(body: BodyBuilder, axes: readonly number[], used: readonly number[]): { position: number; length: number } {
    let low = 0;
    let high = 0;
    const strides = used.map((axis): [number, number] => {
      const stride = this.#pick([1, 1, 2, 3, 5, 25, -1, -2]);
      const reach = stride * (axes[axis]! - 1);
      low += Math.min(reach, 0);
      high += Math.max(reach, 0);
      return [axis, stride];
    });
    return { position: body.index(strides, -low), length: high - low + 1 };
  }

  #operation(body: BodyBuilder, a: Value, b: Value): Value {
    // Steps of inexact numbers could go either way.
    if (!this.#exact && a.dtype !== 'float32') return this.#cast(body, a, 'float32');
    if (a.dtype === 'float32') return this.#float(body, a, b.dtype === 'float32' ? b : this.#cast(body, b, 'float32'));
    if (a.dtype === 'int32') return this.#integer(body, a, b.dtype === 'int32' ? b : this.#cast(body, b, 'int32'));
    return this.#boolean(body, a, b.dtype === 'bool' ? b : this.#cast(body, b, 'bool'));
  }

  #float(body: BodyBuilder, a: Value, b: Value): Value {
    const fraction = Math.max(a.fraction, b.fraction);
    const larger = Math.max(a.size, b.size);
    const value = (op: Alu, args: readonly number[], size: number, bits: number): Value => ({
      position: body.alu(op, 'float32', ...args),
      dtype: 'float32',
      size,
      fraction: bits,
    });
    const both = [a.position, b.position];
    const choice = this.#exact ? this.#below(10) : this.#pick([0, 1, 2, 3, 10, 11, 12, 13]);
    if (choice < 2 && this.#fits(a.size + b.size, fraction)) {
      return value(choice === 0 ? 'add' : 'sub', both, a.size + b.size, fraction);
    }
    if (choice < 5 && this.#fits(a.size * b.size, a.fraction + b.fraction)) {
      return value('mul', both, a.size * b.size, a.fraction + b.fraction);
    }
    if (choice === 5) return value('floor', [a.position], a.size + 1, 0);
    if (choice === 6) {
      const condition = body.alu(this.#pick(['less', 'equal'] as const), 'bool', ...both);
      return value('where', [condition, ...(this.#chance(0.5) ? both : [b.position, a.position])], larger, fraction);
    }
    if (choice === 7) {
      const divisor = body.constant(this.#pick([2, -2, 4]));
      return value(this.#pick(['mod', 'floorMod'] as const), [a.position, divisor], 4, a.fraction);
    }
    if (choice === 8) {
      return this.#pick([
        () => this.#cast(body, a, 'int32'),
        () => ({ position: body.alu('less', 'bool', ...both), dtype: 'bool' as const, size: 1, fraction: 0 }),
      ])();
    }
    // In the inexact case sizes are kept small by the functions themselves.
    if (choice === 10) return value('tanh', [a.position], 1, 3);
    const small = (of: Value): number => body.alu('tanh', 'float32', of.position);
    if (choice === 11) {
      const tamed = body.alu('sin', 'float32', small(a));
      const positive = body.alu('add', 'float32', tamed, body.constant(1.5));
      return value(this.#pick(unary), [positive], 16, 3);
    }
    if (choice === 12) {
      const positive = body.alu('max', 'float32', body.alu('cos', 'float32', small(b)), body.constant(0.25));
      return value('div', [small(a), positive], 4, 3);
    }
    return value(this.#pick(['max', 'min'] as const), both, larger, fraction);
  }

  #integer(body: BodyBuilder, a: Value, b: Value): Value {
    const op = this.#pick<Alu>([
      'add',
      'sub',
      'mul',
      'div',
      'mod',
      'floorDiv',
      'floorMod',
      'max',
      'min',
      'and',
      'or',
      'xor',
      'shl',
      'shr',
      'pow',
    ]);
    if (this.#chance(0.2)) return this.#cast(body, a, 'float32');
    const position = body.alu(op, 'int32', a.position, b.position);
    const bounded = op === 'max' || op === 'min';
    return { position, dtype: 'int32', size: bounded ? Math.max(a.size, b.size) : 2 ** 31, fraction: 0 };
  }

  #boolean(body: BodyBuilder, a: Value, b: Value): Value {
    if (this.#chance(0.3)) return this.#cast(body, a, this.#pick(['float32', 'int32'] as const));
    const position = body.alu(
      this.#pick(['and', 'or', 'xor', 'equal', 'less'] as const),
      'bool',
      a.position,
      b.position,
    );
    return { position, dtype: 'bool', size: 1, fraction: 0 };
  }

  #cast(body: BodyBuilder, value: Value, dtype: Value['dtype']): Value {
    let { position, size } = value;
    if (value.dtype === 'int32' && dtype === 'float32' && size > 64) {
      // A float holds 24 bits; keep few, so that sums and products still fit.
      position = body.alu('floorMod', 'int32', position, body.constant(16, 'int32'));
      size = 16;
    }
    const fraction = dtype === 'float32' ? value.fraction : 0;
    return { position: body.alu('cast', dtype, position), dtype, size: dtype === 'bool' ? 1 : size, fraction };
  }

  /** Whether numbers up to `size` with so many bits behind the point are exact in float32, with room to spare. */
  #fits(size: number, fraction: number): boolean {
    return Math.log2(Math.max(size, 1)) + fraction <= 22;
  }

  #data({ dtype, shape }: BufferType): TensorData {
    const size = shape.reduce((product, extent) => product * extent, 1);
    const draw = (count: number): number => this.#below(count);
    switch (dtype) {
      case 'float32':
        return Float32Array.from({ length: size }, () => (draw(33) - 16) / 8);
      case 'int32':
        return Int32Array.from({ length: size }, () => draw(33) - 16);
      case 'int8':
        return Int8Array.from({ length: size }, () => draw(33) - 16);
      case 'uint8':
        return Uint8Array.from({ length: size }, () => draw(17));
      case 'bool':
        return Uint8Array.from({ length: size }, () => draw(2));
      // 0, -1, 1, 0.5, 2 and -1.5 as bits.
      case 'float16':
        return Uint16Array.from({ length: size }, () => this.#pick([0, 0xbc00, 0x3c00, 0x3800, 0x4000, 0xbe00]));
      default:
        return Uint16Array.from({ length: size }, () => this.#pick([0, 0xbf80, 0x3f80, 0x3f00, 0x4000, 0xbfc0]));
    }
  }

  #below(count: number): number {
    return Math.floor(randomValue(this.#seed, 0x6e6e, this.#counter++) * count);
  }

  #chance(probability: number): boolean {
    return randomValue(this.#seed, 0x6e6e, this.#counter++) < probability;
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[this.#below(choices.length)]!;
  }
}

interface Context {
  readonly body: BodyBuilder;
  readonly reads: Read[];
  /** Extents of all axes that the body may name. */
  readonly axes: readonly number[];
  readonly domain: readonly number[];
}

/** The body with its result as the last operation. */
function trimmed(body: BodyBuilder, result: Value): BodyBuilder['ops'] {
  return body.ops.slice(0, result.position + 1);
}

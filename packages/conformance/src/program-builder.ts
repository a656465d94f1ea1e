/**
 * Writes kernels and programs by hand, for tests of backends: bodies as chains of calls, keys derived from the contents,
 * one slot for each buffer unless a step says otherwise. It builds; `reference.ts` judges.
 */
import type { Alu, Body, BufferType, DType, Hint, Kernel, Op, Program, Shape, Step } from '@nn/core';

/**
 * A body under construction: each method adds an operation and returns its position.
 *
 * @example
 * import { BodyBuilder } from '@nn/conformance';
 * const body = new BodyBuilder();
 * const element = body.load(0, body.axis(0));
 * body.alu('mul', 'float32', element, body.constant(2));
 * console.log(body.ops.length); // => 4
 */
export class BodyBuilder {
  readonly ops: Op[] = [];

  constant(value: number, dtype: DType = 'float32'): number {
    return this.#add({ dtype, op: 'const', value });
  }

  scalar(slot: number, dtype: DType = 'float32'): number {
    return this.#add({ dtype, op: 'scalar', slot });
  }

  axis(axis: number): number {
    return this.#add({ dtype: 'int32', op: 'axis', axis });
  }

  load(read: number, index: number, dtype: DType = 'float32'): number {
    return this.#add({ dtype, op: 'load', read, index });
  }

  accumulator(dtype: DType = 'float32'): number {
    return this.#add({ dtype, op: 'accumulator' });
  }

  alu(op: Alu, dtype: DType, ...args: number[]): number {
    return this.#add({ dtype, op, args });
  }

  /** The int32 `constant + sum of strides * axes`. */
  index(strides: readonly (readonly [axis: number, stride: number])[], constant = 0): number {
    let sum: number | undefined;
    for (const [axis, stride] of strides) {
      let term = this.axis(axis);
      if (stride !== 1) term = this.alu('mul', 'int32', term, this.constant(stride, 'int32'));
      sum = sum === undefined ? term : this.alu('add', 'int32', sum, term);
    }
    if (sum === undefined) return this.constant(constant, 'int32');
    return constant === 0 ? sum : this.alu('add', 'int32', sum, this.constant(constant, 'int32'));
  }

  /** The flat, row-major index of the domain's element, as `index`. */
  flat(domain: Shape): number {
    const strides: [number, number][] = [];
    let stride = 1;
    for (let axis = domain.length - 1; axis >= 0; axis--) {
      strides.unshift([axis, stride]);
      stride *= domain[axis]!;
    }
    return this.index(strides);
  }

  #add(op: Op): number {
    return this.ops.push(op) - 1;
  }
}

/** What a kernel is made of, without what follows from it. */
export interface KernelParts {
  readonly domain: Shape;
  readonly dtype?: DType;
  readonly reads?: readonly DType[];
  readonly scalars?: readonly DType[];
  readonly reduce?: NonNullable<Kernel['reduce']>;
  readonly value: Body | ((body: BodyBuilder) => void);
  readonly epilogue?: Body | ((body: BodyBuilder) => void);
  readonly hint?: Hint;
}

/** A kernel whose key is its contents. */
export function buildKernel(parts: KernelParts): Kernel {
  const { domain, reads = [], scalars = [], reduce, hint } = parts;
  const value = bodyOf(parts.value);
  const epilogue = parts.epilogue && bodyOf(parts.epilogue);
  const dtype = parts.dtype ?? (epilogue ?? value).at(-1)!.dtype;
  const contents = {
    domain,
    dtype,
    reads,
    scalars,
    value,
    ...(reduce && { reduce }),
    ...(epilogue && { epilogue }),
    ...(hint && { hint }),
  };
  // JSON has no NaN, infinities and -0.
  const key = JSON.stringify(contents, (_, part) =>
    typeof part === 'number' ? (Object.is(part, -0) ? '-0' : `${part}`) : part,
  );
  return { key, ...contents };
}

function bodyOf(body: Body | ((builder: BodyBuilder) => void)): Body {
  if (typeof body !== 'function') return body;
  const builder = new BodyBuilder();
  body(builder);
  return builder.ops;
}

/** What a step may say beyond its kernel and reads. */
export interface StepOptions {
  readonly offsets?: readonly number[];
  /** Program scalars, one for each slot of the kernel. Default: 0, 1, ... */
  readonly scalars?: readonly number[];
  readonly inPlace?: number;
  readonly into?: NonNullable<Step['into']>;
  /** The buffer whose slot the written buffer shares. */
  readonly slotOf?: number;
}

/**
 * A program under construction: inputs first, then steps; each returns the number of its buffer.
 *
 * @example
 * import { buildKernel, ProgramBuilder } from '@nn/conformance';
 * const program = new ProgramBuilder();
 * const x = program.input('float32', [3]);
 * const negate = buildKernel({
 *   domain: [3],
 *   reads: ['float32'],
 *   value: (body) => body.alu('sub', 'float32', body.constant(0), body.load(0, body.axis(0))),
 * });
 * program.output(program.step(negate, [x]));
 * console.log(program.build().outputs); // => [ 1 ]
 */
export class ProgramBuilder {
  readonly #buffers: (BufferType & { slot: number })[] = [];
  readonly #scalars: DType[] = [];
  readonly #steps: Step[] = [];
  readonly #outputs: number[] = [];
  readonly #donations: { input: number; output: number }[] = [];
  readonly #groups: Program['groups'][number][] = [];
  #inputs = 0;

  input(dtype: DType, shape: Shape): number {
    this.#inputs += 1;
    return this.#buffer(dtype, shape);
  }

  scalar(dtype: DType = 'float32'): number {
    return this.#scalars.push(dtype) - 1;
  }

  step(kernel: Kernel, reads: readonly number[] = [], options: StepOptions = {}): number {
    const shape = options.into?.shape ?? kernel.domain;
    const slot = options.slotOf === undefined ? undefined : this.#buffers[options.slotOf]!.slot;
    const write = this.#buffer(kernel.dtype, shape, slot);
    this.#steps.push({
      kernel,
      write,
      reads: reads.map((buffer, read) => ({ buffer, offset: options.offsets?.[read] ?? 0 })),
      scalars: options.scalars ?? kernel.scalars.map((_, slot) => slot),
      ...(options.inPlace !== undefined && { inPlace: options.inPlace }),
      ...(options.into && { into: options.into }),
    });
    return write;
  }

  /** Returns `buffer`; with `donated`, in the memory of that input, whose slot it shares. */
  output(buffer: number, donated?: number): this {
    this.#outputs.push(buffer);
    if (donated !== undefined) this.#donations.push({ input: donated, output: this.#outputs.length - 1 });
    return this;
  }

  group(first: number, last: number, outer: number, local: readonly number[]): this {
    this.#groups.push({ first, last, outer, local });
    return this;
  }

  build(): Program {
    return {
      buffers: this.#buffers,
      inputs: this.#inputs,
      donations: this.#donations,
      scalars: this.#scalars,
      steps: this.#steps,
      groups: this.#groups,
      outputs: this.#outputs,
    };
  }

  #buffer(dtype: DType, shape: Shape, slot = this.#buffers.length): number {
    return this.#buffers.push({ dtype, shape, slot }) - 1;
  }
}

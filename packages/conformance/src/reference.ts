/**
 * The oracle: a backend that follows the contract to the letter, in double precision, and objects to whatever breaks it.
 * `reference-check.ts` judges programs before they run, `reference-kernel.ts` evaluates kernels; this file owns buffers,
 * slots (what was overwritten can no longer be read), boxes, donations and groups. It is made to be right, not fast.
 */
import {
  type Backend,
  BackendError,
  type BufferType,
  type Executable,
  type Limits,
  type Loop,
  type Program,
  type Step,
  type TensorData,
} from '@nn/core';
import { checkProgram, describe, sizeOf } from './reference-check.ts';
import { evaluateKernel, type Rounding } from './reference-kernel.ts';
import { convert } from './reference-scalar.ts';
import { decode, encode, roundToStorage } from './reference-storage.ts';

export interface ReferenceOptions {
  /**
   * `float64`, the default, rounds nothing before a download. `float32` rounds the result of every operation, as a device
   * that has no wider numbers does.
   */
  readonly rounding?: Rounding;
  /** Smaller limits than its own, to see programs as core writes them for other devices. */
  readonly limits?: Partial<Limits>;
}

/** A buffer of the reference backend: its elements in double precision. */
export interface ReferenceBuffer {
  readonly type: BufferType;
  /** Null once it was released or donated. */
  readonly elements: Float64Array | null;
}

/**
 * A backend that is right by construction. Throws a `BackendError` for programs and calls that break the contract.
 *
 * @example
 * import { reference } from '@nn/conformance';
 * const backend = reference();
 * const buffer = backend.upload(new Float32Array([1, 2]), { dtype: 'float32', shape: [2] });
 * console.log((await backend.download(buffer)).length); // => 2
 */
export function reference(options: ReferenceOptions = {}): Backend<ReferenceBuffer> {
  return new Reference(options.rounding ?? 'float64', { ...ownLimits, ...options.limits });
}

const ownLimits: Limits = {
  dtypes: ['float32', 'int32', 'bool', 'float16', 'bfloat16', 'int8', 'uint8'],
  maxReads: 1024,
  maxBindings: 1025,
  maxLength: 2 ** 28,
  exactInt32: true,
  inPlace: true,
  loops: true,
  maxResident: { count: 4096, bytes: 2 ** 28 },
};

class Cell implements ReferenceBuffer {
  readonly type: BufferType;
  elements: Float64Array | null;
  end = '';

  constructor(type: BufferType, elements: Float64Array) {
    this.type = type;
    this.elements = elements;
  }
}

class Reference implements Backend<ReferenceBuffer> {
  readonly name = 'reference';
  readonly limits: Limits;
  readonly #rounding: Rounding;

  constructor(rounding: Rounding, limits: Limits) {
    this.#rounding = rounding;
    this.limits = limits;
  }

  upload(data: TensorData, type: BufferType): ReferenceBuffer {
    const size = sizeOf(type.shape);
    if (!this.limits.dtypes.includes(type.dtype))
      throw new BackendError('upload', `${type.dtype} is beyond the limits.`);
    if (size < 1 || size > this.limits.maxLength)
      throw new BackendError('upload', `${size} elements: out of the limits.`);
    const expected = encode(new Float64Array(0), type.dtype);
    if (data.constructor !== expected.constructor || data.length !== size) {
      throw new BackendError(
        'upload',
        `${type.dtype} [${type.shape.join(', ')}] takes a ${expected.constructor.name} of ${size}, got a ${data.constructor.name} of ${data.length}.`,
      );
    }
    return new Cell(type, decode(data, type.dtype));
  }

  async download(buffer: ReferenceBuffer): Promise<TensorData> {
    return encode(alive(buffer, 'download').elements!, buffer.type.dtype);
  }

  release(buffer: ReferenceBuffer): void {
    const cell = alive(buffer, 'release');
    cell.elements = null;
    cell.end = 'released';
  }

  compile(program: Program): Executable<ReferenceBuffer> {
    checkProgram(program, this.limits);
    let released = false;
    return {
      run: (inputs, scalars) => {
        if (released) throw new BackendError('run', 'the executable was released.');
        return new Run(program, inputs, scalars, this.#rounding).execute();
      },
      release: () => {
        if (released) throw new BackendError('release', 'the executable was released before.');
        released = true;
      },
    };
  }

  async idle(): Promise<void> {
    // Runs are done when they return.
  }
}

function alive(buffer: ReferenceBuffer, operation: string): Cell {
  if (!(buffer instanceof Cell)) throw new BackendError(operation, 'this is no buffer of the reference backend.');
  if (buffer.elements === null) throw new BackendError(operation, `the buffer was ${buffer.end} before.`);
  return buffer;
}

/** The contents of one buffer of the program. */
interface Contents {
  readonly elements: Float64Array;
  /** Marks elements that nobody has written (around a box without a base). */
  readonly unwritten: Uint8Array | null;
  /** Why it can no longer be read. */
  dead: string | null;
}

/** One execution of a program. */
class Run {
  readonly #program: Program;
  readonly #cells: readonly Cell[];
  readonly #scalars: Float64Array;
  readonly #rounding: Rounding;
  readonly #contents: (Contents | undefined)[] = [];
  /** For each slot, the buffer whose contents it holds. */
  readonly #owners = new Map<number, number>();
  /** Of the loop that is running. */
  #turn = 0;

  constructor(program: Program, inputs: readonly ReferenceBuffer[], scalars: Float64Array, rounding: Rounding) {
    if (inputs.length !== program.inputs || scalars.length !== program.scalars.length) {
      throw new BackendError(
        'run',
        `${inputs.length} inputs and ${scalars.length} scalars for a program of ${program.inputs} and ${program.scalars.length}.`,
      );
    }
    this.#program = program;
    this.#rounding = rounding;
    this.#scalars = scalars.map((value, scalar) => {
      const dtype = program.scalars[scalar]!;
      return dtype === 'float32' ? value : dtype === 'int32' ? value | 0 : convert(value, dtype);
    });
    this.#cells = inputs.map((input, number) => {
      const cell = alive(input, `run: input ${number}`);
      const { dtype, shape } = program.buffers[number]!;
      if (cell.type.dtype !== dtype || sizeOf(cell.type.shape) !== sizeOf(shape)) {
        throw new BackendError(
          'run',
          `input ${number} is ${cell.type.dtype} [${cell.type.shape.join(', ')}], the program takes ${dtype} [${shape.join(', ')}].`,
        );
      }
      this.#contents[number] = { elements: cell.elements!, unwritten: null, dead: null };
      this.#owners.set(program.buffers[number]!.slot, number);
      return cell;
    });
    for (const { input } of program.donations) {
      if (this.#cells.some((cell, other) => other !== input && cell === this.#cells[input])) {
        throw new BackendError('run', `the donated input ${input} is also another input.`);
      }
    }
  }

  execute(): readonly ReferenceBuffer[] {
    const { buffers, steps, outputs, donations } = this.#program;
    const { loops = [] } = this.#program;
    for (let number = 0; number < steps.length; number++) {
      const loop = loops.find(({ first, last }) => first <= number && number <= last);
      if (loop === undefined) this.#step(steps[number]!, number);
      else {
        this.#loop(loop);
        number = loop.last;
      }
    }
    const results = outputs.map((buffer) => {
      const contents = this.#read(buffer, `output buffer ${buffer}`);
      if (contents.unwritten?.includes(1))
        throw new BackendError('', `output buffer ${buffer} has unwritten elements.`);
      return new Cell(buffers[buffer]!, contents.elements);
    });
    for (const { input } of donations) {
      this.#cells[input]!.elements = null;
      this.#cells[input]!.end = 'donated';
    }
    return results;
  }

  #step(step: Step, number: number): void {
    this.#write(step, number, this.#evaluate(step, number));
  }

  /** All turns: what one leaves in a buffer that it carries on, the next finds in the other. */
  #loop({ first, last, count, carried }: Loop): void {
    for (this.#turn = 0; this.#turn < count; this.#turn++) {
      for (let number = first; number <= last; number++) this.#step(this.#program.steps[number]!, number);
      if (this.#turn === count - 1) break;
      for (const { from, to } of carried) {
        this.#contents[to] = { ...this.#read(from, 'the turn to come'), dead: null };
        this.#owners.set(this.#program.buffers[to]!.slot, to);
      }
    }
    this.#turn = 0;
  }

  #read(buffer: number, reader: string): Contents {
    const contents = this.#contents[buffer];
    if (contents === undefined) throw new BackendError(reader, `buffer ${buffer} is not written.`);
    if (contents.dead !== null) throw new BackendError(reader, `buffer ${buffer} is dead: ${contents.dead}.`);
    return contents;
  }

  /** The elements of the kernel's domain. */
  #evaluate(step: Step, number: number): Float64Array {
    const { kernel } = step;
    const name = describe(step, number);
    const group = this.#program.groups.find(({ first, last }) => first <= number && number <= last);
    const outer = group ? sizeOf(kernel.domain.slice(0, group.outer)) : 1;
    const inner = sizeOf(kernel.domain) / outer;
    const reads = step.reads.map(({ buffer, offset: start, move = 0 }, read) => {
      const offset = start + this.#turn * move;
      const contents = this.#read(buffer, `${name}, read ${read}`);
      const local = group?.local.includes(buffer) ? contents.elements.length / outer : 0;
      return { ...contents, offset, local, buffer };
    });
    const result = new Float64Array(sizeOf(kernel.domain));
    // made once: it would be made again for each of millions of elements
    const complain = (read: number, index: number, element: number, rule: string): never => {
      const { offset, buffer } = reads[read]!;
      const place = `read ${read} (buffer ${buffer}) at ${offset + index}, for element ${element}`;
      throw new BackendError(name, `${place}: ${rule}.`);
    };
    const load = (read: number, index: number, element: number): number => {
      const { elements, unwritten, offset, local } = reads[read]!;
      const place = offset + index;
      if (!(place >= 0 && place < elements.length)) {
        complain(read, index, element, `outside of its ${elements.length} elements`);
      }
      if (unwritten?.[place]) complain(read, index, element, 'nobody has written there');
      if (step.inPlace === read && place !== element) {
        complain(read, index, element, 'an in-place read is not at the written element');
      }
      if (local > 0 && Math.floor(place / local) !== Math.floor(element / inner)) {
        complain(read, index, element, 'a local buffer is read at another outer index of its group');
      }
      return elements[place]!;
    };
    const scalar = (slot: number): number => this.#scalars[step.scalars[slot]!]!;
    evaluateKernel(kernel, { load, scalar }, this.#rounding, (element, value) => {
      result[element] = roundToStorage(value, kernel.dtype);
    });
    return result;
  }

  /** Puts the elements into the written buffer, which takes its slot over. */
  #write(step: Step, number: number, elements: Float64Array): void {
    const { buffers, groups, inputs, donations, outputs } = this.#program;
    const name = describe(step, number);
    const contents = step.piece
      ? this.#piece(step, step.piece, elements, name)
      : step.into
        ? this.#place(step, elements, name)
        : { elements, unwritten: null, dead: null };
    const { slot } = buffers[step.write]!;
    const owner = this.#owners.get(slot);
    if (owner !== undefined && owner !== step.write) {
      const given = owner >= inputs || donations.some(({ input }) => input === owner);
      if (!given) throw new BackendError(name, `overwrites input ${owner}, which is not donated.`);
      if (outputs.includes(owner)) throw new BackendError(name, `overwrites buffer ${owner}, an output.`);
      const old = this.#contents[owner]!;
      old.dead = `its slot was overwritten by step ${number}`;
      // Inputs keep their elements until the run has succeeded.
      if (owner >= inputs) old.elements.fill(Number.NaN);
    }
    this.#owners.set(slot, step.write);
    this.#contents[step.write] = contents;
    for (const { last, local } of groups) {
      if (last === number)
        for (const buffer of local) this.#contents[buffer]!.dead = 'it was local to a group that ended';
    }
  }

  /** What was there with a run of elements replaced. */
  #piece(
    step: Step,
    { base, offset, move }: NonNullable<Step['piece']>,
    elements: Float64Array,
    name: string,
  ): Contents {
    const size = sizeOf(this.#program.buffers[step.write]!.shape);
    const start = offset + this.#turn * move;
    if (start < 0 || start + elements.length > size) {
      throw new BackendError(name, `a piece of ${elements.length} elements at ${start} is not inside of ${size}.`);
    }
    const before = base === null ? this.#contents[step.write] : this.#read(base, `${name}, base`);
    const whole = before ? before.elements.slice() : new Float64Array(size);
    const unwritten = before ? (before.unwritten?.slice() ?? null) : new Uint8Array(size).fill(1);
    whole.set(elements, start);
    unwritten?.fill(0, start, start + elements.length);
    return { elements: whole, unwritten: unwritten?.includes(1) ? unwritten : null, dead: null };
  }

  /** A copy of the base with the box replaced. */
  #place(step: Step, elements: Float64Array, name: string): Contents {
    const { base, shape, start } = step.into!;
    const domain = step.kernel.domain;
    const starts = start.map((from) => (typeof from === 'number' ? from : this.#scalars[from.scalar]!));
    starts.forEach((from, axis) => {
      if (Number.isInteger(from) && from >= 0 && from + domain[axis]! <= shape[axis]!) return;
      throw new BackendError(
        name,
        `a box of [${domain.join(', ')}] at [${starts.join(', ')}] is not inside [${shape.join(', ')}].`,
      );
    });
    const before = base === null ? null : this.#read(base, `${name}, base`);
    const whole = before ? before.elements.slice() : new Float64Array(sizeOf(shape));
    const unwritten = before ? (before.unwritten?.slice() ?? null) : new Uint8Array(whole.length).fill(1);
    elements.forEach((value, element) => {
      let place = 0;
      let rest = element;
      let stride = 1;
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        place += ((rest % domain[axis]!) + starts[axis]!) * stride;
        rest = Math.floor(rest / domain[axis]!);
        stride *= shape[axis]!;
      }
      whole[place] = value;
      if (unwritten) unwritten[place] = 0;
    });
    return { elements: whole, unwritten, dead: null };
  }
}

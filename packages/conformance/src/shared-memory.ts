/**
 * A backend with real memory: buffers of one slot are one array, elements are written one by one while others are read,
 * and groups run one outer index at a time. The oracle says what a program means; this one shows whether the plan of its
 * memory, its in-place marks and its groups keep that meaning. For tests of core, not for use.
 */
import {
  type Backend,
  BackendError,
  type BufferType,
  type Executable,
  type Kernel,
  type Limits,
  type Op,
  type Program,
  type Step,
  type TensorData,
} from '@nn/core';
import { reference } from './reference.ts';
import { sizeOf } from './reference-check.ts';
import { evaluateKernel } from './reference-kernel.ts';
import { convert } from './reference-scalar.ts';
import { decode, encode, roundToStorage } from './reference-storage.ts';

class Memory {
  readonly type: BufferType;
  elements: Float64Array | null;

  constructor(type: BufferType, elements: Float64Array) {
    this.type = type;
    this.elements = elements;
  }
}

/**
 * The backend with real memory, in single precision.
 *
 * @example
 * import { sharedMemory } from '@nn/conformance';
 * console.log(sharedMemory().name); // => shared memory
 */
export function sharedMemory(): Backend {
  return new SharedMemory();
}

class SharedMemory implements Backend<Memory> {
  readonly name = 'shared memory';
  readonly limits: Limits = reference().limits;

  upload(data: TensorData, type: BufferType): Memory {
    return new Memory(type, decode(data, type.dtype));
  }

  async download(buffer: Memory): Promise<TensorData> {
    return encode(elementsOf(buffer).slice(), buffer.type.dtype);
  }

  release(buffer: Memory): void {
    elementsOf(buffer);
    buffer.elements = null;
  }

  compile(program: Program): Executable<Memory> {
    reference().compile(program); // what breaks the contract is refused
    return {
      run: (inputs, scalars) => run(program, inputs, scalars),
      release: () => undefined,
    };
  }

  async idle(): Promise<void> {
    // runs are done when they return
  }
}

function elementsOf({ elements }: Memory): Float64Array {
  if (elements === null) throw new BackendError('shared memory', 'the buffer was released or donated.');
  return elements;
}

function run(program: Program, inputs: readonly Memory[], scalars: Float64Array): Memory[] {
  const { buffers, steps, groups, outputs, donations } = program;
  const given = inputs.map(elementsOf);
  const numbers = scalars.map((value, k) => convert(value, program.scalars[k]!));
  const slots = new Map<number, Float64Array>();
  for (const [buffer, { slot, shape }] of buffers.entries()) {
    const known = slots.get(slot);
    if (buffer < program.inputs) slots.set(slot, given[buffer]!);
    else if (known === undefined || known.length < sizeOf(shape)) {
      slots.set(slot, new Float64Array(sizeOf(shape)).fill(Number.NaN));
    }
  }
  const memory = (buffer: number): Float64Array => slots.get(buffers[buffer]!.slot)!;
  /** The step or group that starts at a place; returns the place behind. */
  const runAt = (at: number, turn: number): number => {
    const group = groups.find(({ first }) => first === at);
    if (group === undefined) {
      runStep(steps[at]!, steps[at]!.kernel, 0, memory, numbers, turn);
      return at + 1;
    }
    const members = steps.slice(group.first, group.last + 1);
    const rows = members[0]!.kernel.domain.slice(0, group.outer);
    for (let row = 0; row < sizeOf(rows); row++) {
      for (const step of members) {
        const size = sizeOf(step.kernel.domain) / sizeOf(rows);
        runStep(step, rowKernel(step.kernel, rows, row), row * size, memory, numbers, turn);
      }
    }
    return group.last + 1;
  };
  let at = 0;
  while (at < steps.length) {
    const loop = program.loops?.find(({ first }) => first === at);
    if (loop === undefined) {
      at = runAt(at, 0);
      continue;
    }
    for (let turn = 0; turn < loop.count; turn++) for (at = loop.first; at <= loop.last; ) at = runAt(at, turn);
  }
  const results = outputs.map((buffer) => {
    const { dtype, shape } = buffers[buffer]!;
    return new Memory({ dtype, shape }, memory(buffer).subarray(0, sizeOf(shape)));
  });
  for (const { input } of donations) inputs[input]!.elements = null;
  return results;
}

/** Evaluates a kernel, or one row of it from element `start` on, and writes each element as soon as it is known. */
function runStep(
  step: Step,
  kernel: Kernel,
  start: number,
  memory: (buffer: number) => Float64Array,
  numbers: Float64Array,
  turn: number,
): void {
  const target = memory(step.write);
  const { offset: first = 0, move: by = 0 } = step.piece ?? {};
  const place = step.into === undefined ? (element: number) => first + turn * by + element : boxPlaces(step, numbers);
  const base = step.into?.base ?? null;
  if (base !== null && memory(base) !== target) target.set(memory(base).subarray(0, sizeOf(step.into!.shape)));
  const reads = step.reads.map(({ buffer, offset, move = 0 }) => ({
    data: memory(buffer),
    offset: offset + turn * move,
  }));
  evaluateKernel(
    kernel,
    {
      load: (read, index) => reads[read]!.data[reads[read]!.offset + index]!,
      scalar: (slot) => numbers[step.scalars[slot]!]!,
    },
    'float32',
    (element, value) => {
      const stored = roundToStorage(value, kernel.dtype);
      target[place(start + element)] = kernel.dtype === 'float32' ? Math.fround(stored) : stored;
    },
  );
}

/** Where in the whole buffer each element of the box goes. */
function boxPlaces({ into, kernel }: Step, numbers: Float64Array): (element: number) => number {
  const { shape, start } = into!;
  const { domain } = kernel;
  return (element) => {
    let place = 0;
    let rest = element;
    let stride = 1;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const from = start[axis]!;
      place += ((rest % domain[axis]!) + (typeof from === 'number' ? from : numbers[from.scalar]!)) * stride;
      rest = Math.floor(rest / domain[axis]!);
      stride *= shape[axis]!;
    }
    return place;
  };
}

/** The kernel for one index of its first axes: those axes are constants now. */
function rowKernel(kernel: Kernel, rows: readonly number[], row: number): Kernel {
  const index: number[] = [];
  let rest = row;
  for (let axis = rows.length - 1; axis >= 0; axis--) {
    index[axis] = rest % rows[axis]!;
    rest = Math.floor(rest / rows[axis]!);
  }
  const fix = (op: Op): Op =>
    op.op === 'axis' && op.axis < rows.length ? { op: 'const', dtype: 'int32', value: index[op.axis]! } : op;
  return {
    ...kernel,
    domain: kernel.domain.map((extent, axis) => (axis < rows.length ? 1 : extent)),
    value: kernel.value.map(fix),
    ...(kernel.epilogue && { epilogue: kernel.epilogue.map(fix) }),
  };
}

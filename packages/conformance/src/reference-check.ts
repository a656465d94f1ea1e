/** The rules of the contract that a program must keep, as far as they can be seen without running it. */
import { BackendError, type Body, type DType, type Kernel, type Limits, type Program, type Step } from '@nn/core';
import { kindOf } from './reference-scalar.ts';

/** Throws a `BackendError` that names the step, its kernel and the rule. */
export function checkProgram(program: Program, limits: Limits): void {
  const { buffers, inputs, steps, outputs, donations, scalars } = program;
  const written = buffers.map((_, buffer) => buffer < inputs);
  buffers.forEach(({ dtype, shape }, buffer) => {
    const size = sizeOf(shape);
    if (!limits.dtypes.includes(dtype)) fail(`buffer ${buffer} has the dtype ${dtype}, beyond the limits`);
    if (!(size >= 1) || size > limits.maxLength) fail(`buffer ${buffer} has ${size} elements, beyond the limits`);
  });
  steps.forEach((step, number) => {
    const complain = (rule: string): never => fail(`${describe(step, number)}: ${rule}`);
    for (const { buffer } of step.reads) if (!written[buffer]) complain(`reads buffer ${buffer}, not written yet`);
    const around = step.piece?.base;
    if (around != null && !written[around]) complain(`the base, buffer ${around}, is not written yet`);
    if (written[step.write]) complain(`writes buffer ${step.write}, an input or written already`);
    checkStep(step, program, limits, complain);
    const base = step.into?.base;
    if (base != null && !written[base]) complain(`the base, buffer ${base}, is not written yet`);
    if (step.scalars.some((scalar) => scalar >= scalars.length)) complain('names a scalar that the program lacks');
    written[step.write] = true;
  });
  checkLoops(program, limits);
  if (new Set(outputs).size !== outputs.length) fail('an output is returned twice');
  for (const output of outputs) {
    if (output < inputs || !written[output]) fail(`output buffer ${output} is an input, or never written`);
  }
  for (const { input, output } of donations) {
    const target = outputs[output];
    if (input >= inputs || target === undefined) fail('a donation names no input or no output');
    else if (buffers[input]!.slot !== buffers[target]!.slot) {
      fail(`input ${input} is donated to output ${output}, but their slots differ`);
    }
  }
}

function checkLoops({ steps, buffers, groups, loops = [] }: Program, limits: Limits): void {
  let end = -1;
  loops.forEach(({ first, last, count, carried }, number) => {
    const complain = (rule: string): never => fail(`loop ${number}: ${rule}`);
    if (limits.loops !== true || !limits.inPlace) complain('the limits exclude loops');
    if (first <= end || last < first || last >= steps.length || !(count >= 1))
      complain('is no range of steps of its own');
    end = last;
    const isInside = (at: number): boolean => first <= at && at <= last;
    if (groups.some((group) => isInside(group.first) !== isInside(group.last))) complain('a group enters or leaves it');
    const writes = steps.map(({ write }) => write);
    for (const { from, to } of carried) {
      if (!isInside(writes.indexOf(from))) complain(`buffer ${from}, which it carries on, is not written inside`);
      if (isInside(writes.indexOf(to)) || writes.indexOf(to) > last || writes.indexOf(to) < 0) {
        complain(`buffer ${to}, in which a value is carried on, is not written before`);
      }
      const [a, b] = [buffers[from]!, buffers[to]!];
      if (a.slot !== b.slot || a.dtype !== b.dtype || sizeOf(a.shape) !== sizeOf(b.shape)) {
        complain(`buffers ${from} and ${to} are not of one slot and type`);
      }
    }
  });
}

function checkStep(step: Step, program: Program, limits: Limits, complain: (rule: string) => never): void {
  const { kernel, into } = step;
  const { buffers } = program;
  const target = buffers[step.write]!;
  const size = sizeOf(into?.shape ?? kernel.domain);
  if (step.piece ? sizeOf(target.shape) < size : sizeOf(target.shape) !== size)
    complain(`writes ${size} elements into a buffer of ${sizeOf(target.shape)}`);
  if (target.dtype !== kernel.dtype) complain(`writes ${kernel.dtype} into a buffer of ${target.dtype}`);
  if (step.reads.length !== kernel.reads.length) complain('binds another number of reads than the kernel has');
  if (step.scalars.length !== kernel.scalars.length) complain('binds another number of scalars than the kernel has');
  if (kernel.reads.length > limits.maxReads) complain(`reads ${kernel.reads.length} buffers, beyond the limits`);
  if (kernel.reads.length + 1 > limits.maxBindings) complain('touches more buffers than the limits allow');
  step.reads.forEach(({ buffer }, read) => {
    const { dtype, slot } = buffers[buffer]!;
    if (dtype !== kernel.reads[read]) complain(`read ${read} is ${dtype}, the kernel expects ${kernel.reads[read]}`);
    // a piece is read from what other turns wrote
    if (slot === target.slot && !step.piece && (step.inPlace !== read || !limits.inPlace)) {
      complain(`read ${read} shares the slot of the written buffer without being in place`);
    }
  });
  if (into) {
    if (!limits.inPlace) complain('uses into, which the limits exclude');
    if (into.shape.length !== kernel.domain.length) complain('the box has another rank than its buffer');
    if (into.base !== null) {
      const base = buffers[into.base]!;
      if (base.dtype !== target.dtype || sizeOf(base.shape) !== size) complain('the base is of another type');
    }
  }
  checkKernel(kernel, complain);
}

function checkKernel(kernel: Kernel, complain: (rule: string) => never): void {
  const axes = kernel.domain.length;
  const reduced = kernel.reduce?.extents.length ?? 0;
  checkBody(kernel.value, kernel, axes + reduced, false, complain);
  const result = kernel.value.at(-1)!.dtype;
  if (kernel.reduce && kernel.reduce.dtype !== result) complain(`reduces ${kernel.reduce.dtype} values of ${result}`);
  if (kernel.epilogue) {
    if (!kernel.reduce) complain('has an epilogue without a reduction');
    checkBody(kernel.epilogue, kernel, axes, true, complain);
  }
  const last = (kernel.epilogue ?? kernel.value).at(-1)!.dtype;
  if (last !== kernel.dtype) complain(`computes ${last} for a kernel of ${kernel.dtype}`);
}

function checkBody(
  body: Body,
  kernel: Kernel,
  axes: number,
  epilogue: boolean,
  complain: (rule: string) => never,
): void {
  if (body.length < 1 || body.length > 128) complain(`a body of ${body.length} operations`);
  body.forEach((op, position) => {
    const say = (rule: string): never => complain(`operation ${position} (${op.op}): ${rule}`);
    const operands = op.op === 'load' ? [op.index] : 'args' in op ? op.args : [];
    if (operands.some((operand) => !(operand >= 0 && operand < position))) say('an operand is not an earlier position');
    switch (op.op) {
      case 'const':
        return;
      case 'scalar':
        if (kernel.scalars[op.slot] !== op.dtype) say(`scalar slot ${op.slot} is not ${op.dtype}`);
        return;
      case 'axis':
        if (op.axis >= axes || op.dtype !== 'int32') say(`axis ${op.axis} is none of the ${axes} int32 axes`);
        return;
      case 'load':
        if (body[op.index]!.dtype !== 'int32') say('the index is not int32');
        if (!widens(kernel.reads[op.read], op.dtype)) say(`loads ${kernel.reads[op.read]} as ${op.dtype}`);
        return;
      case 'accumulator':
        if (!epilogue || op.dtype !== kernel.reduce?.dtype) say('there is no such accumulator here');
        return;
      default:
        checkTypes(
          op.op,
          op.dtype,
          operands.map((operand) => body[operand]!.dtype),
          say,
        );
    }
  });
}

/** Whether an element stored as `stored` may be loaded as `dtype`: as itself, or in the dtype that computes with it. */
function widens(stored: DType | undefined, dtype: DType): boolean {
  if (stored === dtype) return true;
  if (stored === 'float16' || stored === 'bfloat16') return dtype === 'float32';
  return (stored === 'int8' || stored === 'uint8') && dtype === 'int32';
}

const arity: Readonly<Record<string, number>> = {
  exp: 1,
  log: 1,
  sqrt: 1,
  sin: 1,
  cos: 1,
  tanh: 1,
  erf: 1,
  floor: 1,
  cast: 1,
  where: 3,
  random: 3,
};

function checkTypes(op: string, dtype: DType, args: readonly DType[], say: (rule: string) => never): void {
  if (args.length !== (arity[op] ?? 2)) say(`takes ${arity[op] ?? 2} operands, has ${args.length}`);
  const types = args.join(', ');
  const right =
    op === 'less' || op === 'equal'
      ? dtype === 'bool' && args[0] === args[1]
      : op === 'where'
        ? args[0] === 'bool' && args[1] === dtype && args[2] === dtype
        : op === 'random'
          ? dtype === 'float32' && args.every((arg) => arg === 'int32')
          : op === 'cast' || args.every((arg) => arg === dtype);
  if (!right) say(`takes no (${types}) for a result of ${dtype}`);
  const shift = op === 'shl' || op === 'shr';
  const bits = shift || op === 'and' || op === 'or' || op === 'xor';
  if ((shift && dtype !== 'int32') || (bits && kindOf(dtype) === 'float')) say(`is not defined for ${dtype}`);
}

/** The step by its number and the beginning of its kernel's key. */
export function describe(step: Step, number: number): string {
  const { key } = step.kernel;
  return `step ${number} (kernel ${key.length > 160 ? `${key.slice(0, 160)}...` : key})`;
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

function fail(rule: string): never {
  throw new BackendError('program', `${rule}.`);
}

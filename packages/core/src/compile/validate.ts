/** Checks a Program against the contract: used by the tests and in debug mode, so that a wrong one never reaches a device. */
import type { Body, Limits, Op, Program, Step } from '../backend.ts';
import { sizeOf } from '../shape.ts';
import { operandsOf } from './body.ts';
import { longestBody } from './lower.ts';

/** Throws at the first thing in `program` that the contract forbids. */
export function validateProgram(program: Program, limits: Limits): void {
  const { buffers, inputs, steps, outputs, donations, groups } = program;
  const fail = (what: string): never => {
    throw new Error(`invalid program: ${what}`);
  };
  buffers.forEach(({ dtype, shape }, b) => {
    if (sizeOf(shape) === 0) fail(`buffer ${b} is empty`);
    if (!limits.dtypes.includes(dtype)) fail(`buffer ${b} is ${dtype}, which the device does not store`);
    if (sizeOf(shape) > limits.maxLength) fail(`buffer ${b} is longer than ${limits.maxLength}`);
  });
  const lastRead = new Int32Array(buffers.length).fill(-1);
  const written = new Int32Array(buffers.length).fill(steps.length);
  for (let input = 0; input < inputs; input++) written[input] = -1;
  steps.forEach((step, at) => {
    const bases = step.into === undefined || step.into.base === null ? [] : [step.into.base];
    for (const buffer of [...step.reads.map((read) => read.buffer), ...bases]) {
      if ((written[buffer] as number) >= at) fail(`step ${at} reads buffer ${buffer} before it is written`);
      lastRead[buffer] = at;
    }
    if ((written[step.write] as number) !== steps.length) fail(`buffer ${step.write} is written twice`);
    written[step.write] = at;
    checkStep(program, step, at, limits, fail);
  });
  for (const output of outputs) {
    if (output < inputs) fail(`output ${output} is an input`);
    if (written[output] === steps.length) fail(`output ${output} is never written`);
    lastRead[output] = steps.length;
  }
  if (new Set(outputs).size !== outputs.length) fail('an output is named twice');
  checkSlots(program, written, lastRead, fail);
  for (const { input, output } of donations) {
    const [from, to] = [buffers[input], buffers[outputs[output] ?? -1]];
    if (input >= inputs || to === undefined) fail(`donation ${input} -> ${output} is not of an input to an output`);
    if (from?.dtype !== to?.dtype || sizeOf(from?.shape ?? []) !== sizeOf(to?.shape ?? [])) {
      fail(`donation ${input} -> ${output} is between different types`);
    }
  }
  groups.forEach(({ first, last, outer }, g) => {
    const [start] = steps.slice(first) as [Step];
    if (first >= last || last >= steps.length) fail(`group ${g} has no steps`);
    for (const step of steps.slice(first, last + 1)) {
      for (let axis = 0; axis < outer; axis++) {
        if (step.kernel.domain[axis] !== start.kernel.domain[axis]) fail(`group ${g} does not share axis ${axis}`);
      }
    }
  });
}

function checkStep(program: Program, step: Step, at: number, limits: Limits, fail: (what: string) => never): void {
  const { kernel, into } = step;
  if (step.reads.length !== kernel.reads.length) fail(`step ${at} binds ${step.reads.length} reads`);
  if (step.scalars.length !== kernel.scalars.length) fail(`step ${at} binds ${step.scalars.length} scalars`);
  if (kernel.reads.length > limits.maxReads) fail(`step ${at} reads ${kernel.reads.length} buffers`);
  if (kernel.reads.length + 1 > limits.maxBindings) fail(`step ${at} touches too many buffers`);
  step.reads.forEach(({ buffer }, read) => {
    if (program.buffers[buffer]?.dtype !== kernel.reads[read]) fail(`step ${at}, read ${read} has the wrong dtype`);
  });
  step.scalars.forEach((scalar, slot) => {
    if (program.scalars[scalar] !== kernel.scalars[slot]) fail(`step ${at}, scalar ${slot} has the wrong dtype`);
  });
  const target = program.buffers[step.write];
  if (target?.dtype !== kernel.dtype) fail(`step ${at} writes ${kernel.dtype} into ${target?.dtype}`);
  if (into === undefined) {
    if (sizeOf(target?.shape ?? []) !== sizeOf(kernel.domain)) fail(`step ${at} writes a buffer of another size`);
  } else {
    if (!limits.inPlace) fail(`step ${at} writes a box, the device cannot`);
    if (into.shape.length !== kernel.domain.length) fail(`step ${at}: the box has another rank`);
  }
  checkBody(kernel.value, kernel.domain.length + (kernel.reduce?.extents.length ?? 0), `step ${at}, value`, fail);
  if (kernel.epilogue !== undefined) {
    if (kernel.reduce === undefined) fail(`step ${at} has an epilogue without a reduction`);
    checkBody(kernel.epilogue, kernel.domain.length, `step ${at}, epilogue`, fail);
  }
}

function checkBody(body: Body, axes: number, where: string, fail: (what: string) => never): void {
  if (body.length === 0 || body.length > longestBody) fail(`${where} has ${body.length} operations`);
  body.forEach((op: Op, position) => {
    if (operandsOf(op).some((operand) => operand < 0 || operand >= position)) fail(`${where}: ${position} looks ahead`);
    if (op.op === 'axis' && op.axis >= axes) fail(`${where}: axis ${op.axis} does not exist`);
  });
}

/** Buffers of one slot must not live at the same time, except for the step that hands the memory on. */
function checkSlots(program: Program, written: Int32Array, lastRead: Int32Array, fail: (what: string) => never): void {
  const bySlot = new Map<number, number[]>();
  program.buffers.forEach(({ slot }, buffer) => {
    bySlot.set(slot, [...(bySlot.get(slot) ?? []), buffer]);
  });
  for (const [slot, sharing] of bySlot) {
    sharing.sort((a, b) => (written[a] as number) - (written[b] as number));
    for (let k = 1; k < sharing.length; k++) {
      const before = sharing[k - 1] as number;
      const after = sharing[k] as number;
      const at = written[after] as number;
      const step = program.steps[at] as Step;
      if ((lastRead[before] as number) > at) fail(`slot ${slot}: buffer ${before} is read after ${after} is written`);
      if ((lastRead[before] as number) < at) continue;
      const handsOn =
        step.into?.base === before || (step.inPlace !== undefined && step.reads[step.inPlace]?.buffer === before);
      if (!handsOn) fail(`slot ${slot}: step ${at} overwrites buffer ${before} while it reads it`);
    }
  }
}

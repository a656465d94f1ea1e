/** Checks a Program against the contract: used by the tests and in debug mode, so that a wrong one never reaches a device. */

import type { Body, Limits, Op, Program, Step } from '../backend.ts';
import { addTo } from '../lists.ts';
import { sizeOf } from '../shape.ts';
import { operandsOf } from './body.ts';
import { followsRows, safeGroups } from './group.ts';
import { readBy } from './last-reads.ts';
import { longestBody } from './lower.ts';

/** Throws at the first thing in `program` that the contract forbids. */
export function validateProgram(program: Program, limits: Limits): void {
  const { buffers, inputs, steps, outputs, donations } = program;
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
    for (const buffer of readBy(step)) {
      if (written[buffer]! >= at) fail(`step ${at} reads buffer ${buffer} before it is written`);
      lastRead[buffer] = at;
    }
    if (written[step.write]! !== steps.length) fail(`buffer ${step.write} is written twice`);
    written[step.write] = at;
    checkStep(program, step, at, limits, fail);
  });
  checkLoops(program, written, lastRead, limits, fail);
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
  checkGroups(program, lastRead, fail);
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
  if (step.piece !== undefined) checkPiece(program, step, step.piece, at, fail);
  else if (into === undefined) {
    if (sizeOf(target?.shape ?? []) !== sizeOf(kernel.domain)) fail(`step ${at} writes a buffer of another size`);
  } else {
    if (!limits.inPlace) fail(`step ${at} writes a box, the device cannot`);
    checkBox(program, step, into, `step ${at}: the box`, fail);
  }
  checkBody(kernel.value, kernel.domain.length + (kernel.reduce?.extents.length ?? 0), `step ${at}, value`, fail);
  if (kernel.epilogue !== undefined) {
    if (kernel.reduce === undefined) fail(`step ${at} has an epilogue without a reduction`);
    checkBody(kernel.epilogue, kernel.domain.length, `step ${at}, epilogue`, fail);
  }
}

/** A run of elements stays inside of its buffer in every turn, and so does what is read. */
function checkPiece(
  { buffers, loops = [] }: Program,
  { kernel, write }: Step,
  { base, offset, move }: NonNullable<Step['piece']>,
  at: number,
  fail: (what: string) => never,
): void {
  const turns = loops.find(({ first, last }) => first <= at && at <= last)?.count ?? 1;
  const room = sizeOf(buffers[write]?.shape ?? []) - sizeOf(kernel.domain);
  const end = offset + (turns - 1) * move;
  if (Math.min(offset, end) < 0 || Math.max(offset, end) > room) fail(`step ${at}: the piece leaves its buffer`);
  if (base === null) return;
  const [around, target] = [buffers[base], buffers[write]];
  if (around?.slot !== target?.slot) fail(`step ${at}: the piece and its base have different slots`);
  if (around?.dtype !== target?.dtype || sizeOf(around?.shape ?? []) !== sizeOf(target?.shape ?? [])) {
    fail(`step ${at}: the piece is put into a buffer of another type`);
  }
}

/**
 * Loops are ranges of their own; what their turns read of others lives through all of them, and what a turn carries on is written
 * inside of the loop into the memory in which the next turn finds it.
 */
function checkLoops(
  { buffers, steps, groups, loops = [] }: Program,
  written: Int32Array,
  lastRead: Int32Array,
  limits: Limits,
  fail: (what: string) => never,
): void {
  let end = -1;
  loops.forEach(({ first, last, count, carried }, l) => {
    if (limits.loops !== true || !limits.inPlace) fail(`loop ${l}: the device has none`);
    if (first > last || last >= steps.length || count < 1) fail(`loop ${l} has no steps or turns`);
    if (first <= end) fail(`loop ${l} begins before the one before it ends`);
    end = last;
    const isInside = (at: number): boolean => first <= at && at <= last;
    for (const group of groups) {
      if (isInside(group.first) !== isInside(group.last)) fail(`loop ${l}: a group enters or leaves it`);
    }
    const found = new Set(carried.map(({ to }) => to));
    for (const { from, to } of carried) {
      if (!isInside(written[from]!)) fail(`loop ${l} does not write buffer ${from}, which it carries on`);
      if (written[to]! >= first) fail(`loop ${l}: buffer ${to} is not written before it`);
      if (buffers[from]?.slot !== buffers[to]?.slot) fail(`loop ${l}: buffers ${from} and ${to} have different slots`);
      lastRead[from] = Math.max(lastRead[from]!, last);
    }
    for (const step of steps.slice(first, last + 1)) {
      for (const buffer of readBy(step)) {
        if (written[buffer]! < first && !found.has(buffer)) lastRead[buffer] = Math.max(lastRead[buffer]!, last);
      }
      if (step.piece !== undefined) {
        lastRead[step.write] = Math.max(lastRead[step.write]!, last);
        if (step.piece.base === null) written[step.write] = first; // other turns wrote there
      }
    }
  });
}

/** A box lies inside of what it is written into, and what lies around it is of one type with that. */
function checkBox(
  { buffers, scalars }: Program,
  { kernel: { domain }, write }: Step,
  { base, shape, start }: NonNullable<Step['into']>,
  box: string,
  fail: (what: string) => never,
): void {
  if (shape.length !== domain.length || start.length !== domain.length) fail(`${box} has another rank`);
  const target = buffers[write];
  if (sizeOf(target?.shape ?? []) !== sizeOf(shape)) fail(`${box} is of a shape that the buffer does not have`);
  start.forEach((from, axis) => {
    const room = shape[axis]! - domain[axis]!;
    const isOutside = typeof from === 'number' ? from < 0 || from > room : room < 0;
    if (isOutside) fail(`${box} leaves axis ${axis} of [${shape.join(', ')}]`);
    if (typeof from !== 'number' && scalars[from.scalar] !== 'int32') fail(`${box} starts at what is no int32`);
  });
  const around = base === null ? target : buffers[base];
  if (around?.dtype !== target?.dtype || sizeOf(around?.shape ?? []) !== sizeOf(target?.shape ?? [])) {
    fail(`${box} is put into a buffer of another type`);
  }
}

/** The steps of a group may run interleaved: they share outer axes, and meet only at the same outer index. */
function checkGroups(program: Program, lastRead: Int32Array, fail: (what: string) => never): void {
  const { steps, buffers, groups } = program;
  const slots = buffers.map(({ slot }) => slot);
  let end = -1;
  groups.forEach((group, g) => {
    const { first, last, outer, local } = group;
    if (first >= last || last >= steps.length) fail(`group ${g} has no steps`);
    if (first <= end) fail(`group ${g} begins before the one before it ends`);
    end = last;
    const members = steps.slice(first, last + 1);
    const writers = new Map(members.map(({ write, kernel }) => [write, kernel]));
    const [start] = members as [Step];
    for (const { kernel } of members) {
      for (let axis = 0; axis < outer; axis++) {
        if (kernel.domain[axis] !== start.kernel.domain[axis]) fail(`group ${g} does not share axis ${axis}`);
      }
    }
    for (const buffer of local) {
      if (!writers.has(buffer)) fail(`group ${g}: it does not write its local buffer ${buffer}`);
      if (lastRead[buffer]! > last) fail(`group ${g}: its local buffer ${buffer} is needed later`);
    }
    const stray = members.findIndex((member) => !followsRows(member, writers, outer));
    if (stray >= 0) fail(`group ${g}: step ${first + stray} reads what the group writes at another outer index`);
    if (safeGroups([group], steps, slots).length === 0)
      fail(`group ${g}: a step overwrites rows that another one reads`);
  });
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
    addTo(bySlot, slot, buffer);
  });
  for (const [slot, sharing] of bySlot) {
    sharing.sort((a, b) => written[a]! - written[b]! || a - b);
    for (let k = 1; k < sharing.length; k++) {
      const before = sharing[k - 1]!;
      const after = sharing[k]!;
      const at = written[after]!;
      const step = program.steps[at]!;
      if (lastRead[before]! > at) fail(`slot ${slot}: buffer ${before} is read after ${after} is written`);
      if (lastRead[before]! < at) continue;
      const handsOn =
        step.into?.base === before ||
        step.piece?.base === before ||
        (step.inPlace !== undefined && step.reads[step.inPlace]?.buffer === before);
      if (!handsOn) fail(`slot ${slot}: step ${at} overwrites buffer ${before} while it reads it`);
    }
  }
}

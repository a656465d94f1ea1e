/**
 * Finds runs of steps that a backend may run together, one outer index at a time: the rows of a softmax, the three
 * updates of an optimizer. Only a permission: running the steps one after the other is always right.
 */

import type { Group, Kernel, Loop, Step } from '../backend.ts';
import { sizeOf } from '../shape.ts';
import { affine } from './affine.ts';
import { lastReads } from './last-reads.ts';

/** Rows longer than this do not stay near the processor between two steps. */
const longestRow = 1 << 14;

/** A step before it is known which reads share memory with what it writes. */
type Draft = Omit<Step, 'inPlace'>;

export function findGroups(
  steps: readonly Draft[],
  inputs: number,
  outputs: readonly number[],
  loops: readonly Loop[] = [],
): Group[] {
  const groups: Group[] = [];
  const lastNeed = lastReads(steps);
  const needed = [...outputs, ...loops.flatMap(({ carried }) => carried.map(({ from }) => from))];
  for (const buffer of needed) lastNeed.set(buffer, steps.length);
  const borders = new Set(loops.flatMap((loop) => [loop.first, loop.last + 1]));
  let first = 0;
  while (first < steps.length) {
    const { last, outer } = longestRun(steps, first, borders);
    if (last > first) {
      // buffers that live inside the group only
      const written = new Set(steps.slice(first, last + 1).map(({ write }) => write));
      const local = [...written].filter((buffer) => buffer >= inputs && (lastNeed.get(buffer) ?? -1) <= last);
      groups.push({ first, last, outer, local });
    }
    first = last + 1;
  }
  return groups;
}

/**
 * The groups that stay right when their steps run interleaved: where one step writes memory that another one of the
 * group reads under another name (a donated input, a step in place), both must keep to the same rows.
 */
export function safeGroups(groups: readonly Group[], steps: readonly Step[], slots: readonly number[]): Group[] {
  return groups.filter(({ first, last, outer }) => {
    const members = steps.slice(first, last + 1);
    // by slot and kernel, since long groups repeat a few kernels: what is written there, or null for more than one buffer
    const writers = new Map<number | undefined, Map<Kernel, number | null>>();
    for (const { kernel, write } of members) {
      const slot = slots[write];
      const kernels = writers.get(slot) ?? new Map<Kernel, number | null>();
      writers.set(slot, kernels.set(kernel, kernels.has(kernel) ? null : write));
    }
    return members.every(({ kernel, reads }) =>
      reads.every(({ buffer, offset }, read) => {
        for (const [writer, write] of writers.get(slots[buffer]) ?? []) {
          if (write !== buffer && !staysInRow(kernel, read, offset, writer, outer)) return false;
        }
        return true;
      }),
    );
  });
}

/** How far the steps from `first` on share outer axes, and how many. */
function longestRun(
  steps: readonly Draft[],
  first: number,
  borders: ReadonlySet<number>,
): { last: number; outer: number } {
  const start = steps[first]!;
  let outer = start.kernel.domain.length;
  let last = first;
  if (!isPlain(start)) return { last, outer };
  const writers = new Map([[start.write, start.kernel]]);
  for (let next = first + 1; next < steps.length && !borders.has(next); next++) {
    const step = steps[next]!;
    if (!isPlain(step)) break;
    let shared = sharedAxes(start.kernel, step.kernel, outer);
    while (shared > 0 && !followsRows(step, writers, shared)) shared--;
    if (shared === 0 || rowLength(step, shared) > longestRow) break;
    const isLonger = (earlier: Draft): boolean => rowLength(earlier, shared) > longestRow;
    if ((shared < outer || next === first + 1) && steps.slice(first, next).some(isLonger)) break;
    outer = shared;
    last = next;
    writers.set(step.write, step.kernel);
  }
  return { last, outer };
}

function isPlain(step: Draft): boolean {
  return (
    step.into === undefined &&
    step.piece === undefined &&
    step.kernel.hint === undefined &&
    step.kernel.domain.length > 0
  );
}

function sharedAxes(a: Kernel, b: Kernel, most: number): number {
  let axes = 0;
  while (axes < most && axes < b.domain.length && a.domain[axes] === b.domain[axes]) axes++;
  return axes;
}

/** How many elements a step touches for one outer index. */
function rowLength({ kernel }: Draft, outer: number): number {
  return sizeOf(kernel.domain.slice(outer)) * sizeOf(kernel.reduce?.extents ?? []);
}

/** Whether a step reads what the group writes only at its own outer index. */
export function followsRows(step: Draft, writers: ReadonlyMap<number, Kernel>, outer: number): boolean {
  return step.reads.every(({ buffer, offset }, read) => {
    const writer = writers.get(buffer);
    return writer === undefined || staysInRow(step.kernel, read, offset, writer, outer);
  });
}

/** Whether all loads of a read stay in the row of the producer that has the same outer index. */
function staysInRow(kernel: Kernel, read: number, offset: number, producer: Kernel, outer: number): boolean {
  const row = sizeOf(producer.domain.slice(outer));
  const sizes = [...kernel.domain, ...(kernel.reduce?.extents ?? [])];
  return [kernel.value, kernel.epilogue ?? []].every((body) =>
    body.every((op) => {
      if (op.op !== 'load' || op.read !== read) return true;
      const form = affine(body, op.index);
      if (form === null || form.scalars.size > 0) return false;
      let low = form.base + offset;
      let high = low;
      let stride = row;
      for (let a = outer - 1; a >= 0; a--) {
        if (sizes[a] !== 1 && (form.strides.get(a) ?? 0) !== stride) return false;
        stride *= sizes[a]!;
      }
      for (const [a, step] of form.strides) {
        if (a < outer) continue;
        const reach = step * (sizes[a]! - 1);
        if (reach > 0) high += reach;
        else low += reach;
      }
      return low >= 0 && high < row;
    }),
  );
}

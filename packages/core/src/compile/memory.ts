/**
 * Gives every buffer a slot: buffers whose lives do not overlap share memory. Inputs and outputs keep their own, except
 * that an output takes over the input that was donated to it. Greedy by best fit, in the order of writing.
 *
 * The steps of a group may run interleaved, so whatever a group touches lives until the group ends.
 */

import type { BufferType, Group, Loop, Program } from '../backend.ts';
import { bytesPerElement } from '../dtype.ts';
import { addTo } from '../lists.ts';
import { sizeOf } from '../shape.ts';
import { readBy } from './last-reads.ts';
import type { DraftStep } from './program.ts';

interface Draft {
  readonly buffers: readonly BufferType[];
  readonly inputs: number;
  readonly steps: readonly DraftStep[];
  readonly outputs: readonly number[];
  readonly donations: readonly { readonly input: number; readonly output: number }[];
  readonly groups: readonly Group[];
  readonly loops?: readonly Loop[];
  /** Whether a step may write memory that it reads. */
  readonly inPlace: boolean;
}

export function assignSlots(draft: Draft): Pick<Program, 'buffers' | 'steps'> {
  return new SlotPlanner(draft).run();
}

class SlotPlanner {
  readonly #draft: Draft;
  readonly #slots: Int32Array;
  /** The last step that touches a buffer. */
  readonly #lastUse: Int32Array;
  readonly #isOutput: Uint8Array;
  /** Buffers whose memory went on to another one at their last step. */
  readonly #passedOn: Uint8Array;
  readonly #capacity = new Map<number, number>();
  /** Free slots by capacity, of which there are few. */
  readonly #free = new Map<number, number[]>();
  #slotCount: number;
  /** For each buffer that a turn carries on, the one in which the next finds it. */
  readonly #carriedFrom = new Map<number, number>();

  constructor(draft: Draft) {
    const { buffers, inputs, steps, outputs, donations } = draft;
    this.#draft = draft;
    this.#slots = new Int32Array(buffers.length).fill(-1);
    this.#lastUse = new Int32Array(buffers.length).fill(-1);
    this.#isOutput = new Uint8Array(buffers.length);
    this.#passedOn = new Uint8Array(buffers.length);
    this.#slotCount = inputs;
    steps.forEach(({ step }, at) => {
      for (const buffer of [...readBy(step), step.write]) this.#lastUse[buffer] = at;
    });
    for (const buffer of outputs) this.#isOutput[buffer] = 1;
    for (const loop of draft.loops ?? []) this.#outlive(loop);
    for (let input = 0; input < inputs; input++) this.#slots[input] = input;
    for (const { input, output } of donations) this.#slots[output] = this.#slot(input);
  }

  /** What comes from outside is there in every turn, what a turn carries on or writes a piece of in the next. */
  #outlive({ first, last, carried }: Loop): void {
    const { steps } = this.#draft;
    const inside = new Set(steps.slice(first, last + 1).map(({ step }) => step.write));
    const lasting = carried.flatMap(({ from, to }) => [from, to]);
    for (const { step } of steps.slice(first, last + 1)) {
      for (const buffer of readBy(step)) if (!inside.has(buffer)) lasting.push(buffer);
      if (step.piece !== undefined) lasting.push(step.write);
    }
    for (const buffer of lasting) this.#lastUse[buffer] = Math.max(this.#lastUse[buffer]!, last);
    for (const { from, to } of carried) {
      this.#carriedFrom.set(from, to);
      this.#passedOn[to] = 1;
    }
  }

  run(): Pick<Program, 'buffers' | 'steps'> {
    const { buffers, steps, loops = [] } = this.#draft;
    this.#joinBoxes();
    const starting = new Map(loops.map((loop) => [loop.first, loop]));
    const deaths = this.#deaths();
    const finished = steps.map((draft, at) => {
      const loop = starting.get(at);
      if (loop !== undefined) this.#reservePieces(loop);
      const inPlace = this.#place(draft, at);
      for (const buffer of deaths[at] ?? []) {
        const slot = this.#slot(buffer);
        if (this.#passedOn[buffer] === 0 && this.#capacity.has(slot)) this.#setFree(slot);
      }
      return inPlace === undefined ? draft.step : { ...draft.step, inPlace };
    });
    return { buffers: buffers.map((type, buffer) => ({ ...type, slot: this.#slot(buffer) })), steps: finished };
  }

  /** Pieces of all turns lie in memory that no turn uses otherwise. */
  #reservePieces({ first, last }: Loop): void {
    for (const { step } of this.#draft.steps.slice(first, last + 1)) {
      if (step.piece === undefined || this.#slot(step.write) >= 0) continue;
      const to = this.#carriedFrom.get(step.write);
      this.#slots[step.write] = to === undefined ? this.#reuse(this.#bytes(step.write)) : this.#slot(to);
    }
  }

  #slot(buffer: number): number {
    return this.#slots[buffer]!;
  }

  #bytes(buffer: number): number {
    const { dtype, shape } = this.#draft.buffers[buffer]!;
    return sizeOf(shape) * bytesPerElement(dtype);
  }

  /** The boxes of an output are all written in the output's memory, from the first one on. */
  #joinBoxes(): void {
    const { steps, inputs, outputs } = this.#draft;
    for (let at = steps.length - 1; at >= 0; at--) {
      const { into, write, reads } = steps[at]!.step;
      if (this.#isOutput[write] === 1 && this.#slot(write) < 0) this.#slots[write] = this.#slotCount++;
      const to = this.#carriedFrom.get(write);
      if (to !== undefined && this.#slot(write) >= 0) this.#slots[to] = this.#slot(write);
      const base = into?.base ?? -1;
      // a box made of other parts of its base must not write over them
      const isRead = reads.some(({ buffer }) => buffer === base);
      const isLast = base >= inputs && this.#lastUse[base] === at && !outputs.includes(base);
      const continues = isLast && !isRead && this.#slot(base) < 0;
      if (continues && this.#slot(write) >= 0) {
        this.#slots[base] = this.#slot(write);
        this.#passedOn[base] = 1;
      }
    }
  }

  /** For each step the buffers of the program's own that nobody needs afterwards. */
  #deaths(): (number[] | undefined)[] {
    const { buffers, inputs, steps, groups } = this.#draft;
    const groupEnd = new Int32Array(steps.length);
    steps.forEach((_, at) => {
      groupEnd[at] = at;
    });
    for (const { first, last } of groups) groupEnd.fill(last, first, last + 1);
    const deaths: (number[] | undefined)[] = new Array(steps.length);
    for (let buffer = inputs; buffer < buffers.length; buffer++) {
      if (this.#isOutput[buffer] === 1) continue;
      const at = groupEnd[this.#lastUse[buffer]!]!;
      const list = deaths[at];
      if (list === undefined) deaths[at] = [buffer];
      else list.push(buffer);
    }
    return deaths;
  }

  /** Gives the written buffer its slot; returns the read that it shares memory with. */
  #place({ step, aligned }: DraftStep, at: number): number | undefined {
    const { write, into } = step;
    const to = this.#carriedFrom.get(write);
    if (to !== undefined) this.#slots[write] = this.#slot(to);
    if (this.#slot(write) >= 0) {
      if (into !== undefined || step.piece !== undefined) return undefined;
      const shared = step.reads.findIndex(({ buffer }) => this.#slot(buffer) === this.#slot(write));
      return shared < 0 ? undefined : shared;
    }
    const needed = this.#bytes(write);
    const base = into?.base ?? null;
    if (base !== null && this.#mayTake(base, at, needed) && !step.reads.some(({ buffer }) => buffer === base)) {
      this.#take(write, base);
      return undefined;
    }
    if (this.#draft.inPlace && into === undefined && step.piece === undefined) {
      const read = aligned.find((candidate) => {
        const { buffer } = step.reads[candidate] as { buffer: number };
        return this.#mayTake(buffer, at, needed) && step.reads.every((r, k) => k === candidate || r.buffer !== buffer);
      });
      if (read !== undefined) {
        this.#take(write, (step.reads[read] as { buffer: number }).buffer);
        return read;
      }
    }
    this.#slots[write] = this.#reuse(needed);
    return undefined;
  }

  #mayTake(buffer: number, at: number, needed: number): boolean {
    const isOwn = buffer >= this.#draft.inputs && this.#isOutput[buffer] === 0 && this.#passedOn[buffer] === 0;
    return (
      isOwn && this.#lastUse[buffer] === at && this.#bytes(buffer) === needed && this.#capacity.has(this.#slot(buffer))
    );
  }

  #take(write: number, from: number): void {
    this.#slots[write] = this.#slot(from);
    this.#passedOn[from] = 1;
  }

  #setFree(slot: number): void {
    addTo(this.#free, this.#capacity.get(slot)!, slot);
  }

  /** The smallest free slot that is large enough, else the largest one grown, else a new one. */
  #reuse(needed: number): number {
    let best = -1;
    for (const [bytes, slots] of this.#free) {
      if (slots.length === 0) continue;
      const isBetter = bytes >= needed ? best < needed || bytes < best : best < needed && bytes > best;
      if (best < 0 || isBetter) best = bytes;
    }
    const slot = best < 0 ? this.#slotCount++ : this.#free.get(best)!.pop()!;
    this.#capacity.set(slot, Math.max(needed, best));
    return slot;
  }
}

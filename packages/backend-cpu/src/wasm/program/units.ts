/**
 * How the steps of a program are taken together: a group runs block by block of its outer positions, so that what its steps
 * exchange stays in the cache, where that is as fast as running them whole; and in a group, a step and the reduction of what
 * it wrote run as one (see `fuse.ts`). Everything else is a unit of one step.
 */
import type { Group, Kernel, Program, Step } from '@nn/core';
import { stridesOf } from '../../shape.ts';
import { isWindowGradient } from '../kernels/window-gradient.ts';
import { estimate } from '../loops/emit.ts';
import { type Fused, fuseSteps } from './fuse.ts';
import type { KernelNumbers } from './kernel-numbers.ts';
import { blockBudget, groupRowBytes, sameSlot } from './rows.ts';

/** The steps `from` to `to`. */
export interface Unit {
  readonly from: number;
  readonly to: number;
  readonly group: Group | null;
}

/** Walking rows may cost so much more than walking whole arrays. */
const rowsWorth = 1.2;

export class Units {
  readonly all: readonly Unit[];
  /** Pairs of steps that run as one, by the place of the first. */
  readonly #fused = new Map<number, Fused>();
  readonly #program: Program;
  readonly #numbers: KernelNumbers;
  readonly #estimates = new Map<string, number>();

  constructor(program: Program, numbers: KernelNumbers) {
    this.#program = program;
    this.#numbers = numbers;
    const units: Unit[] = [];
    const starting = new Map(program.groups.map((group) => [group.first, group]));
    for (let at = 0; at < program.steps.length; at = units.at(-1)!.to + 1) {
      const found = starting.get(at);
      const group = found && this.#isPlain(found) ? this.#widened(found) : null;
      units.push({ from: at, to: group ? group.last : at, group });
      if (group) this.#fuse(group);
    }
    this.all = units;
  }

  /** The pair that starts with this step. */
  fusedAt(step: number): Fused | null {
    return this.#fused.get(step) ?? null;
  }

  /** Whether all its steps can be walked by outer position. */
  #isPlain({ first, last }: Group): boolean {
    return this.#program.steps
      .slice(first, last + 1)
      .every(
        ({ kernel, into, piece }) =>
          !kernel.hint && into === undefined && piece === undefined && !isWindowGradient(kernel),
      );
  }

  /**
   * The group with so few outer axes that its rows are walked as fast as whole arrays; null where none are: then the
   * cache is not worth it. What holds for the positions of all outer axes holds for those of the first few.
   */
  #widened(group: Group): Group | null {
    const members = this.#program.steps.slice(group.first, group.last + 1);
    const cost = (outerAxes: number | null): number =>
      members.reduce((sum, { kernel }) => sum + this.#estimate(kernel, outerAxes), 0);
    const apart = cost(null);
    for (let outer = group.outer; outer > 0; outer--) {
      if (groupRowBytes(this.#program, { ...group, outer }) > 8 * blockBudget) return null;
      if (cost(outer) < rowsWorth * apart) return { ...group, outer };
    }
    return null;
  }
  #estimate(kernel: Kernel, outerAxes: number | null): number {
    const key = `${outerAxes}|${this.#numbers.of(kernel)}`;
    const known = this.#estimates.get(key);
    if (known !== undefined) return known;
    const made = estimate({ kernel, outStrides: stridesOf(kernel.domain), outerAxes });
    this.#estimates.set(key, made);
    return made;
  }

  #fuse({ first, last, outer }: Group): void {
    const program = this.#program;
    for (let at = first; at < last; at++) {
      const [one, two] = [program.steps[at], program.steps[at + 1]] as [Step, Step];
      const fused = fuseSteps(one, two, outer);
      if (!fused || sameSlot(program, one.write, two.write)) continue;
      // Elements are written while others are still read: neither result may lie where something is read.
      const reads = fused.step.reads.filter(({ buffer }) => buffer !== one.write);
      const clash = reads.some(({ buffer }) => [one, two].some(({ write }) => sameSlot(program, buffer, write)));
      if (!clash) this.#fused.set(at++, fused);
    }
  }
}

/**
 * The functions of a program's kernels, equal kernels in equal surroundings by one function. Which way a kernel goes is
 * decided by `kernels/special.ts`; loops come from `loops/emit.ts`.
 */
import type { Group, Kernel, Program, Step } from '@nn/core';
import { stridesOf } from '../../shape.ts';
import { align } from '../../storage.ts';
import type { ModuleContext } from '../code/module-context.ts';
import { emitSpecial } from '../kernels/special.ts';
import { emitNest } from '../loops/emit.ts';
import type { Beside, KernelCode } from '../loops/nest.ts';
import type { KernelNumbers } from './kernel-numbers.ts';
import { sameSlot } from './rows.ts';
import type { Units } from './units.ts';

/** The code of a step that the step before it has done as well. */
const withTheOneBefore: KernelCode = { phases: [], scratch: 0, own: 0, path: 'loops' };

export class KernelCodes {
  /** By step. */
  readonly steps: readonly KernelCode[];
  /** Bytes that the kernels need, shared by threads. */
  scratch = 0;
  /** Bytes that the kernels need for each thread. */
  own = 0;
  readonly #context: ModuleContext;
  readonly #program: Program;
  readonly #numbers: KernelNumbers;
  readonly #codes = new Map<string, KernelCode>();

  constructor(context: ModuleContext, program: Program, numbers: KernelNumbers, units: Units) {
    this.#context = context;
    this.#program = program;
    this.#numbers = numbers;
    this.steps = units.all.flatMap(({ from, to, group }) =>
      program.steps.slice(from, to + 1).map((step, place) => {
        const fused = units.fusedAt(from + place);
        if (fused) return this.#code(fused.step, group, fused.beside);
        return units.fusedAt(from + place - 1) ? withTheOneBefore : this.#code(step, group);
      }),
    );
  }

  /** How many are different. */
  get count(): number {
    return this.#codes.size;
  }

  #code(step: Step, group: Group | null, beside?: Beside): KernelCode {
    const { kernel, into } = step;
    const aliased = step.reads.some((read) => sameSlot(this.#program, read.buffer, step.write));
    const key = `${this.#numbers.of(kernel)}|${into ? into.shape.join() : ''}|${group ? group.outer : ''}|${aliased ? 'a' : ''}`;
    const known = this.#codes.get(key);
    if (known) return known;
    const outStrides = stridesOf(into ? into.shape : kernel.domain);
    const made =
      (group ? null : emitSpecial(this.#context, { kernel, outStrides, aliased })) ??
      this.#loops(kernel, outStrides, group ? group.outer : null, beside);
    this.#codes.set(key, made);
    this.scratch = Math.max(this.scratch, align(made.scratch));
    this.own = Math.max(this.own, align(made.own));
    return made;
  }
  #loops(kernel: Kernel, outStrides: readonly number[], outerAxes: number | null, beside?: Beside): KernelCode {
    const phases = [emitNest(this.#context, { kernel, outStrides, outerAxes, ...(beside && { beside }) })];
    return { phases, scratch: 0, own: 0, path: 'loops' };
  }
}

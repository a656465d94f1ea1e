/**
 * Owns: the list of shaders that a program becomes, and the temporary buffers between them.
 * Does not own: which shaders a step needs (`steps.ts`), compiling and running them (`plan.ts`).
 */
import type { DType, Program, Step } from '@nn/core';
import { collapse, type Nest } from '../nest/nest.ts';
import type { Language } from '../shader/language.ts';
import { type Accumulator, print } from '../shader/printer.ts';
import type { Offset, Parameter, Shader } from '../shader/shader.ts';

/** A number that a launch passes: known now, or a scalar of the program. */
export type Argument = { readonly value: number } | { readonly scalar: number };

/** One launch to be: a shader with its buffers, by slot. Slots past the program's buffers are temporary. */
export interface Stage {
  readonly shader: Shader;
  readonly texels: number;
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  readonly numbers: readonly Argument[];
  /** The step of the program that it belongs to. */
  readonly step: number;
}

export interface Read {
  readonly buffer: number;
  readonly offset: number;
}

export interface Slot {
  readonly length: number;
  readonly dtype: DType;
}

/** The limits that the choice of shaders depends on. */
export interface Target {
  readonly language: Language;
  readonly maxReads: number;
  readonly maxLength: number;
  readonly maxWrites: number;
  /** Tests take the fast forms of hints at every size; else only where they pay. */
  readonly always?: boolean;
}

export const lengthOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);
export const texelsOf = (length: number): number => Math.ceil(length / 4);

export class Lowering {
  readonly target: Target;
  readonly slots: Slot[];
  readonly stages: Stage[] = [];
  step = 0;

  constructor(program: Program, target: Target) {
    this.target = target;
    this.slots = program.buffers.map(({ dtype, shape }) => ({ dtype, length: lengthOf(shape) }));
  }

  temporary(length: number, dtype: DType): number {
    return this.slots.push({ length, dtype }) - 1;
  }

  /** Adds a loop nest over `reads`, written to `write`. `scalars` are those of the step. */
  nest(nest: Nest, reads: readonly Read[], scalars: Step['scalars'], write: number, accumulator?: Accumulator): void {
    const collapsed = accumulator === undefined && nest.bounds === undefined ? collapse(nest) : nest;
    const offsets = reads.map(({ offset }): Offset => (offset === 0 ? 'zero' : offset % 4 === 0 ? 'aligned' : 'any'));
    const shader = print(collapsed, {
      language: this.target.language,
      offsets,
      ...(accumulator === undefined ? {} : { accumulator }),
    });
    const number = (parameter: Parameter): Argument =>
      parameter.kind === 'offset' ? { value: reads[parameter.read]!.offset } : { scalar: scalars[parameter.slot]! };
    this.stage(shader, texelsOf(lengthOf(nest.domain)), reads, [write], shader.parameters.map(number));
  }

  stage(
    shader: Shader,
    texels: number,
    reads: readonly Read[],
    writes: readonly number[],
    numbers: readonly Argument[],
  ): void {
    this.stages.push({ shader, texels, reads: reads.map(({ buffer }) => buffer), writes, numbers, step: this.step });
  }
}

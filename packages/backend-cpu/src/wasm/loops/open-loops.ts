/**
 * The function of a nest while it is written: which loops are open, their indices, and for each open loop the statements of
 * one turn with what was computed there. It decides nothing: `walk.ts` opens and closes loops, `values.ts`, `loads.ts`,
 * `reduction.ts` and `stores.ts` write into them.
 */
import type { Expression, I32, Local, Statement, V128 } from '../code/assembler.ts';
import { i32 } from '../code/instructions.ts';
import { keep, type Scope } from '../code/math.ts';
import type { FunctionScope, ModuleContext } from '../code/module-context.ts';
import type { Affine, Analysis, Loop } from './analysis.ts';
import { strideAlong } from './analysis.ts';
import type { Nest } from './nest.ts';
import type { Schedule } from './schedule.ts';

/** Where the code of one turn of a loop is gathered, with what was computed there. */
export interface Frame {
  readonly statements: Statement[];
  /** By position: one element, or the vectors of one turn. */
  readonly values: Map<number, readonly Expression[]>;
  /** By position: four times the one element. */
  readonly splats: Map<number, V128>;
  readonly addresses: Map<string, I32>;
  /** Emits there. */
  readonly scope: Scope;
}

export class OpenLoops {
  readonly context: ModuleContext;
  /** The whole function; its statements come before those of all loops. */
  readonly scope: FunctionScope;
  readonly nest: Nest;
  readonly analysis: Analysis;
  readonly schedule: Schedule;
  /** For each loop of the schedule. */
  readonly indices: readonly Local<'i32'>[];
  /** Vectors in one turn where the code is now; 0: one element. */
  mode = 0;
  /** Level 0 is before all loops, level k inside the first k. */
  readonly #frames: Frame[] = [];

  constructor(context: ModuleContext, scope: FunctionScope, nest: Nest, analysis: Analysis, schedule: Schedule) {
    this.context = context;
    this.scope = scope;
    this.nest = nest;
    this.analysis = analysis;
    this.schedule = schedule;
    this.indices = schedule.order.map(() => scope.local('i32'));
  }

  open(statements: Statement[] = []): Frame {
    const scope = this.scope.into(statements);
    const frame = { statements, values: new Map(), splats: new Map(), addresses: new Map(), scope };
    this.#frames.push(frame);
    return frame;
  }
  close(count = 1): void {
    this.#frames.length -= count;
  }
  frame(level: number): Frame {
    return this.#frames[level]!;
  }
  /** The scope that emits into the frame at `level`. */
  at(level: number): Scope {
    return this.frame(level).scope;
  }

  loop(level: number): Loop {
    return this.schedule.order[level]!;
  }
  index(level: number): Local<'i32'> {
    return this.indices[level]!;
  }
  /** The level of the loop in which an axis of the kernel is walked; -1 for axes of one element. */
  levelOf(axis: number): number {
    return this.schedule.order.findIndex((loop) => loop.axes.includes(axis));
  }
  /** How far an index moves for one step of the vectorised loop. */
  vectorStride(form: Affine): number {
    return strideAlong(form, this.loop(this.schedule.vector));
  }
  /** The index of the innermost loop at `level` times a number of bytes. */
  scaledIndex(level: number, factor: number): I32 {
    const { addresses, scope } = this.frame(level);
    const name = `*${factor}`;
    const known = addresses.get(name);
    if (known) return known;
    const index = this.index(level - 1);
    const value = factor === 1 ? index : keep(scope, times(index, factor));
    addresses.set(name, value);
    return value;
  }
}

export function times(value: I32, factor: number): I32 {
  if (factor === 1) return value;
  const power = Math.log2(factor);
  return factor > 0 && Number.isInteger(power) ? i32.shl(value, i32.const(power)) : i32.mul(value, i32.const(factor));
}

/**
 * The values of a kernel, pulled from the result backwards: who needs a value asks for it, and it is computed in the
 * outermost loop that it can live in, once. So loop invariants, constants and shared terms are hoisted by construction.
 * Each is one element, or the vectors of one turn where it changes along the vectorised loop; loads are in `loads.ts`,
 * instructions in `operations.ts`.
 */
import type { DType, Op } from '@nn/core';
import type { Expression, Local, V128 } from '../code/assembler.ts';
import { f32x4, i32, i32x4, v128 } from '../code/instructions.ts';
import { keep } from '../code/math.ts';
import { type Argument, scalarOperation, vectorOperation } from '../code/operations.ts';
import { type Affine, isAlu } from './analysis.ts';
import { constantElement, constantLanes, splat } from './elements.ts';
import { type IndexValues, Loads } from './loads.ts';
import type { OpenLoops } from './open-loops.ts';

type AluOp = Extract<Op, { args: readonly number[] }>;

export class Values implements IndexValues {
  readonly loads: Loads;
  /** What the reduction came to, for the epilogue. */
  accumulators: readonly Expression[] = [];
  readonly #loops: OpenLoops;
  /** For each position: inside how many loops it must be computed. */
  readonly #levels: readonly number[];
  /** For each position: how often it is asked for (2: twice or more). */
  readonly #uses: readonly number[];
  readonly #vectorBits: number;
  readonly #laneNumbers = new Map<number, V128>();

  constructor(loops: OpenLoops) {
    this.#loops = loops;
    this.loads = new Loads(loops, this);
    const { analysis, schedule } = loops;
    const loopBits = schedule.order.map((loop) => loop.axes.reduce((bits, axis) => bits | (1 << axis), 0));
    this.#vectorBits = loopBits[schedule.vector] ?? 0;
    this.#levels = analysis.depends.map((bits) => loopBits.findLastIndex((loop) => (bits & loop) !== 0) + 1);
    this.#uses = countUses(loops);
  }

  levelOf(position: number): number {
    return this.#levels[position]!;
  }
  isVector(position: number): boolean {
    const { analysis, mode, schedule } = this.#loops;
    if (mode === 0 || (analysis.depends[position]! & this.#vectorBits) === 0) return false;
    // With the reduction along the vectorised loop nothing after it is a vector.
    return !analysis.late[position] || schedule.vector < schedule.domainLoops;
  }

  /** The value as one element, wanted at `level`. */
  scalar(position: number, level: number): Expression {
    return this.#values(position, level)[0]!;
  }

  /** The lanes of the value, the `at`-th vector of this turn. */
  vector(position: number, at: number, level: number): V128 {
    if (this.isVector(position)) return this.#values(position, level)[at] as V128;
    const op = this.#op(position);
    if (op.op === 'const') return constantLanes(this.#loops.scope, op.dtype, op.value);
    const own = this.levelOf(position);
    const { splats, scope } = this.#loops.frame(own);
    const known = splats.get(position);
    if (known) return known;
    const kept = keep(scope, splat(op.dtype, this.scalar(position, own)));
    splats.set(position, kept);
    return kept;
  }

  #op(position: number): Op {
    return this.#loops.analysis.ops[position]!;
  }

  #values(position: number, level: number): readonly Expression[] {
    const op = this.#op(position);
    const vector = this.isVector(position);
    if (op.op === 'accumulator') return this.accumulators;
    if (op.op === 'const' && !vector) return [constantElement(op.dtype, op.value)];
    if (op.op === 'scalar') return [this.#scalarParameter(op.slot)];
    const own = this.levelOf(position);
    const { values, scope } = this.#loops.frame(own);
    const known = values.get(position);
    if (known) return known;
    const computed = vector
      ? Array.from({ length: this.#loops.mode }, (_, at) => this.#computeVector(op, at, own))
      : [this.#computeScalar(op, own)];
    if (own === level && this.#uses[position]! <= 1) {
      // The vectors are asked for one by one: without this each of them would compute all of them again.
      if (computed.length > 1) values.set(position, computed);
      return computed;
    }
    const kept = computed.map((value) => keep(scope, value));
    values.set(position, kept);
    return kept;
  }
  #scalarParameter(slot: number): Local {
    const { kernel } = this.#loops.nest;
    const type = kernel.scalars[slot] === 'float32' ? 'f32' : 'i32';
    return this.#loops.scope.builder.parameter(1 + kernel.reads.length + slot, type);
  }

  #computeScalar(op: Op, level: number): Expression {
    if (op.op === 'axis') {
      const at = this.#loops.levelOf(op.axis);
      return at < 0 ? i32.const(0) : this.#loops.index(at);
    }
    if (op.op === 'load') return this.loads.scalar(op, level);
    if (!isAlu(op)) throw new TypeError(`no code for ${op.op}`);
    const values = op.args.map((argument) => this.scalar(argument, level));
    return scalarOperation(this.#loops.context, this.#loops.at(level), op.op, op.dtype, this.#from(op), values);
  }

  #computeVector(op: Op, at: number, level: number): V128 {
    if (op.op === 'axis') {
      const index = i32x4.splat(this.#loops.index(this.#loops.schedule.vector));
      return i32x4.add(index, this.#lanes(at));
    }
    if (op.op === 'load') return this.loads.vector(op, at, level);
    if (!isAlu(op)) throw new TypeError(`no vector code for ${op.op}`);
    const signed = this.#signedOf(op);
    if (signed !== null) return f32x4.abs(this.vector(signed, at, level));
    const values = op.args.map((argument): Argument => {
      const source = this.#op(argument);
      return {
        vector: this.vector(argument, at, level),
        uniform: () => (this.isVector(argument) ? null : this.scalar(argument, level)),
        constant: source.op === 'const' ? source.value : null,
        range: this.#loops.analysis.ranges[argument] ?? null,
      };
    });
    return vectorOperation(this.#loops.context, this.#loops.at(level), op.op, op.dtype, this.#from(op), values);
  }
  /** The x of max(x, -x), which is one instruction; null for anything else. */
  #signedOf({ op, dtype, args: [x, other] }: AluOp): number | null {
    const negative = this.#op(other ?? x!);
    if (op !== 'max' || dtype !== 'float32' || negative.op !== 'mul' || negative.args[0] !== x) return null;
    const factor = this.#op(negative.args[1]!);
    return factor.op === 'const' && factor.value === -1 ? x! : null;
  }
  /** The dtype of the arguments (of the last ones, for `where`). */
  #from(op: AluOp): DType {
    return this.#op(op.args[op.op === 'where' ? 1 : 0]!).dtype;
  }
  /** The numbers of the lanes of the `at`-th vector, in a local. */
  #lanes(at: number): V128 {
    const known = this.#laneNumbers.get(at);
    if (known) return known;
    const { scope } = this.#loops;
    const lanes = scope.local('v128');
    const first = scope.lanes * at;
    let numbers = v128.words([first, first + 1, first + 2, first + 3]);
    for (let lane = 4; lane < scope.lanes; lane++) numbers = i32x4.replace(numbers, lane, i32.const(first + lane));
    scope.prologue.push(lanes.set(numbers));
    this.#laneNumbers.set(at, lanes);
    return lanes;
  }
}

/** How often each value is asked for: one that is asked for once stays in line, any other gets a local. */
function countUses({ analysis, nest }: OpenLoops): number[] {
  const uses = analysis.ops.map(() => 0);
  analysis.ops.forEach((op, position) => {
    if (!analysis.needed[position] || !isAlu(op)) return;
    for (const argument of op.args) uses[argument] = uses[argument]! + 1;
  });
  if (nest.beside) uses[nest.beside.position] = 2;
  for (const op of analysis.ops) {
    if (op.op !== 'load') continue;
    // Terms of an index may be wanted by several loads: never in line.
    for (const term of (analysis.forms[op.index] as Affine).terms.keys()) if (term < 0) uses[-1 - term] = 2;
  }
  return uses;
}

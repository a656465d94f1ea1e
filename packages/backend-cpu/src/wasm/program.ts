/**
 * A Program as one WebAssembly module with one entry, `run(table, scratch, first, end)`: kernels of equal key are one function,
 * `run` calls them in order with addresses from a small table in memory. Groups run block by block of their outer
 * positions, so that what their steps exchange stays in the cache.
 * It owns the layout (which buffer lies where) and the order of calls; kernels come from `emit.ts` and `kernels/`.
 * (Over 400 lines: steps, groups and what threads share are called with the same addresses.)
 */
import type { Group, Kernel, Program, Step } from '@nn/core';
import { isWindowGradient } from '../kernels/window-gradient.ts';
import { sizeOf, stridesOf } from '../shape.ts';
import { bytesPerElement } from '../storage.ts';
import { addWork, phaseParameters } from '../threads/protocol.ts';
import type { Expression, FunctionBuilder, FunctionReference, I32, Local, Statement } from './assembler.ts';
import { emitNest, estimate, type KernelCode } from './emit.ts';
import { type Beside, type Fused, fuseSteps } from './fuse.ts';
import { callVoid, f32, i32, memory, select, when, whileLoop } from './instructions.ts';
import { ModuleContext, type Target } from './module-context.ts';
import { emitSpecial } from './special.ts';

/** Where the memory of a slot comes from. */
export type Place =
  | { readonly kind: 'table'; readonly index: number }
  | { readonly kind: 'scratch'; readonly offset: number };

export interface CompiledProgram {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Words in the table: one for each slot of inputs and outputs, then the scalars. */
  readonly tableWords: number;
  readonly scalarsAt: number;
  readonly scratchBytes: number;
  /** Bytes that each thread needs for itself; the region of the first thread is the start of scratch. */
  readonly ownBytes: number;
  /** For each input and each output: its word in the table. */
  readonly inputs: readonly number[];
  readonly outputs: readonly { readonly index: number; readonly bytes: number }[];
  readonly kernels: number;
  /** Whether some phases may be shared by threads: the module exports `work`. */
  readonly shares: boolean;
  /** For each step, what runs it. */
  readonly paths: readonly string[];
}

const align = (bytes: number): number => Math.ceil(bytes / 64) * 64;

/** Bytes of local rows that one block of a group may keep: half of a small first-level cache. */
const blockBudget = 16384;

export function compileProgram(program: Program, target: Target): CompiledProgram {
  return new ProgramCompiler(program, target).compile();
}

/** Phases below this many nanoseconds (about) are not worth the attention of other threads. */
const worthSharing = 40_000;

/** The code of a step that the step before it has done as well. */
const withTheOneBefore: KernelCode = { phases: [], scratch: 0, own: 0, path: 'loops' };

/** Where a phase finds things when any thread may call it. */
interface Stub {
  readonly builder: FunctionBuilder;
  readonly table: I32;
  readonly scratch: I32;
  readonly own: I32;
  readonly begin: I32;
  readonly end: I32;
}

interface Unit {
  readonly from: number;
  readonly to: number;
  readonly group: Group | null;
}

class ProgramCompiler {
  readonly #program: Program;
  readonly #context: ModuleContext;
  readonly #codes = new Map<string, KernelCode>();
  /** Kernels by number, equal ones by one: their keys are long, and an unrolled loop has thousands of steps. */
  readonly #numbers = new Map<Kernel | string, number>();
  readonly #places = new Map<number, Place>();
  readonly #localRows = new Map<number, { readonly offset: number; readonly rowBytes: number }>();
  #tableWords = 0;
  #scalarsAt = 0;
  #slotScratch = 0;
  #kernelScratch = 0;
  #own = 0;
  readonly #shared: FunctionReference[] = [];

  constructor(program: Program, target: Target) {
    this.#program = program;
    this.#context = new ModuleContext(target);
  }

  compile(): CompiledProgram {
    const program = this.#program;
    const units = this.#units();
    const codes = this.#codesOf(units);
    this.#layout(units);
    const { module } = this.#context;
    // `first` and `end` choose steps: everything, or one at a time to measure it.
    module.function('run', ['i32', 'i32', 'i32', 'i32'], [], (builder) => {
      const table = builder.parameter(0, 'i32');
      const scratch = builder.parameter(1, 'i32');
      const first = builder.parameter(2, 'i32');
      const end = builder.parameter(3, 'i32');
      for (const unit of units) {
        const at = i32.const(unit.from);
        const code = unit.group
          ? this.#runGroup(unit, codes, table, scratch, builder)
          : this.#runStep(unit.from, codes, table, scratch);
        builder.emit(when(i32.and(i32.leU(first, at), i32.gtU(end, at)), code));
      }
    });
    if (this.#shared.length > 0) addWork(module, this.#shared);
    const bytesOf = (buffer: number): number => {
      const { dtype, shape } = program.buffers[buffer] as Program['buffers'][number];
      return bytesPerElement[dtype] * sizeOf(shape);
    };
    const indexOf = (buffer: number): number => {
      const place = this.#places.get((program.buffers[buffer] as { slot: number }).slot);
      return place?.kind === 'table' ? place.index : -1;
    };
    return {
      bytes: module.bytes(),
      tableWords: this.#tableWords,
      scalarsAt: this.#scalarsAt,
      scratchBytes: this.#own + this.#slotScratch + this.#kernelScratch,
      ownBytes: this.#own,
      inputs: Array.from({ length: program.inputs }, (_, at) => indexOf(at)),
      outputs: program.outputs.map((buffer) => ({
        index: indexOf(buffer),
        bytes: Math.max(bytesOf(buffer), this.#slotBytes.get((program.buffers[buffer] as { slot: number }).slot) ?? 0),
      })),
      kernels: this.#codes.size,
      shares: this.#shared.length > 0,
      paths: codes.map((code) => code.path),
    };
  }

  /** Groups whose steps can all be walked by outer position; everything else step by step. */
  #units(): Unit[] {
    const units: Unit[] = [];
    const { steps, groups } = this.#program;
    const starting = new Map(groups.map((group) => [group.first, group]));
    for (let at = 0; at < steps.length; ) {
      const found = starting.get(at);
      const plain =
        found &&
        steps
          .slice(at, found.last + 1)
          .every(({ kernel, into }) => !kernel.hint && into === undefined && !isWindowGradient(kernel));
      const group = found && plain ? this.#widened(found) : null;
      if (group) {
        units.push({ from: at, to: group.last, group });
        this.#fuse(group);
        at = group.last + 1;
      } else {
        units.push({ from: at, to: at, group: null });
        at += 1;
      }
    }
    return units;
  }

  /** Pairs of steps that run as one, by the place of the first. */
  readonly #fused = new Map<number, Fused>();
  #fuse({ first, last, outer }: Group): void {
    const { steps } = this.#program;
    for (let at = first; at < last; at++) {
      const [one, two] = [steps[at], steps[at + 1]] as [Step, Step];
      const fused = fuseSteps(one, two, outer);
      // Elements are written while others are still read: neither result may lie where something is read.
      const reads = fused?.step.reads.filter(({ buffer }) => buffer !== one.write) ?? [];
      const clear = [one.write, two.write].every((write) => !this.#aliased({ ...two, write, reads }));
      if (fused && clear && !this.#sameSlot(one.write, two.write)) this.#fused.set(at++, fused);
    }
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
      const rowBytes = group.local.reduce((sum, buffer) => {
        const { dtype, shape } = this.#program.buffers[buffer] as Program['buffers'][number];
        return sum + bytesPerElement[dtype] * sizeOf(shape.slice(outer));
      }, 0);
      if (rowBytes > 8 * blockBudget) return null;
      if (cost(outer) < 1.2 * apart) return { ...group, outer };
    }
    return null;
  }
  readonly #estimates = new Map<string, number>();
  #estimate(kernel: Kernel, outerAxes: number | null): number {
    const key = `${outerAxes}|${this.#number(kernel)}`;
    const known = this.#estimates.get(key);
    if (known !== undefined) return known;
    const made = estimate({ kernel, outStrides: stridesOf(kernel.domain), outerAxes });
    this.#estimates.set(key, made);
    return made;
  }

  #codesOf(units: readonly Unit[]): KernelCode[] {
    return units.flatMap((unit) =>
      this.#program.steps.slice(unit.from, unit.to + 1).map((step, place) => {
        const fused = this.#fused.get(unit.from + place);
        if (fused) return this.#code(fused.step, unit.group, fused.beside);
        return this.#fused.has(unit.from + place - 1) ? withTheOneBefore : this.#code(step, unit.group);
      }),
    );
  }

  #code(step: Step, group: Group | null, beside?: Beside): KernelCode {
    const { kernel, into } = step;
    const layout = into ? into.shape : kernel.domain;
    const outStrides = stridesOf(layout);
    const aliased = this.#aliased(step);
    const key = `${this.#number(kernel)}|${into ? into.shape.join() : ''}|${group ? group.outer : ''}|${aliased ? 'a' : ''}`;
    const known = this.#codes.get(key);
    if (known) return known;
    const made = this.#emit(kernel, outStrides, group ? group.outer : null, aliased, beside);
    this.#codes.set(key, made);
    this.#kernelScratch = Math.max(this.#kernelScratch, align(made.scratch));
    this.#own = Math.max(this.#own, align(made.own));
    return made;
  }
  #number(kernel: Kernel): number {
    const known = this.#numbers.get(kernel);
    if (known !== undefined) return known;
    const number = this.#numbers.get(kernel.key) ?? this.#numbers.size;
    this.#numbers.set(kernel.key, number);
    this.#numbers.set(kernel, number);
    return number;
  }
  /** Whether some read shares memory with what is written. */
  #aliased(step: Step): boolean {
    return step.reads.some((read) => this.#sameSlot(read.buffer, step.write));
  }
  #sameSlot(a: number, b: number): boolean {
    const { buffers } = this.#program;
    return buffers[a]?.slot === buffers[b]?.slot;
  }
  #emit(
    kernel: Kernel,
    outStrides: readonly number[],
    outerAxes: number | null,
    aliased: boolean,
    beside?: Beside,
  ): KernelCode {
    const special = outerAxes === null ? emitSpecial(this.#context, { kernel, outStrides, aliased }) : null;
    if (special) return special;
    const phases = [emitNest(this.#context, { kernel, outStrides, outerAxes, ...(beside && { beside }) })];
    return { phases, scratch: 0, own: 0, path: 'loops' };
  }

  readonly #slotBytes = new Map<number, number>();

  #layout(units: readonly Unit[]): void {
    const { buffers, inputs, outputs, scalars, steps } = this.#program;
    const locals = new Set<number>();
    let rowScratch = 0;
    for (const { group, from } of units) {
      if (!group) continue;
      const rows = this.#rowsPerBlock({ from, group });
      let offset = 0;
      for (const buffer of group.local) {
        const { dtype, shape } = buffers[buffer] as Program['buffers'][number];
        const rowBytes = bytesPerElement[dtype] * sizeOf(shape.slice(group.outer));
        locals.add(buffer);
        this.#localRows.set(buffer, { offset, rowBytes });
        offset += align(rows * rowBytes);
      }
      rowScratch = Math.max(rowScratch, offset);
    }
    const written = new Set([...steps.map((step) => step.write), ...Array.from({ length: inputs }, (_, at) => at)]);
    buffers.forEach(({ dtype, shape, slot }, buffer) => {
      if (locals.has(buffer) || !written.has(buffer)) return;
      const bytes = bytesPerElement[dtype] * sizeOf(shape);
      this.#slotBytes.set(slot, Math.max(this.#slotBytes.get(slot) ?? 0, bytes));
    });
    const outside = [...Array.from({ length: inputs }, (_, at) => at), ...outputs];
    for (const buffer of outside) {
      const { slot } = buffers[buffer] as { slot: number };
      if (!this.#places.has(slot)) this.#places.set(slot, { kind: 'table', index: this.#tableWords++ });
    }
    this.#scalarsAt = this.#tableWords;
    this.#tableWords += scalars.length;
    // A thread's own memory holds a kernel's packed blocks, or a group's local rows: never both.
    this.#own = Math.max(this.#own, rowScratch);
    let offset = this.#own + this.#kernelScratch;
    for (const [slot, bytes] of this.#slotBytes) {
      if (this.#places.has(slot)) continue;
      this.#places.set(slot, { kind: 'scratch', offset });
      offset += align(bytes + 64);
    }
    this.#slotScratch = offset - this.#kernelScratch - this.#own;
  }

  #rowsPerBlock({ group, from }: { group: Group; from: number }): number {
    const { buffers, steps } = this.#program;
    const { domain } = (steps[from] as Step).kernel;
    const outer = sizeOf(domain.slice(0, group.outer));
    let rowBytes = 0;
    for (const buffer of group.local) {
      const { dtype, shape } = buffers[buffer] as Program['buffers'][number];
      rowBytes += bytesPerElement[dtype] * sizeOf(shape.slice(group.outer));
    }
    const rows = Math.max(1, Math.floor(blockBudget / Math.max(rowBytes, 4)));
    // Multiples of 16 keep vectors whole where a row is one element.
    return Math.min(outer, rows >= 16 ? rows - (rows % 16) : rows);
  }

  #slotAddress(buffer: number, table: I32, scratch: I32): I32 {
    const { slot } = this.#program.buffers[buffer] as { slot: number };
    const place = this.#places.get(slot) as Place;
    if (place.kind === 'table') return i32.load(table, 4 * place.index);
    return i32.add(scratch, i32.const(place.offset));
  }

  #scalar(index: number, table: I32): Expression {
    const offset = 4 * (this.#scalarsAt + index);
    return this.#program.scalars[index] === 'float32' ? f32.load(table, offset) : i32.load(table, offset);
  }

  /** The arguments of a kernel's function before scratch, begin and end. `block`: where rows of local buffers lie. */
  #arguments(step: Step, table: I32, scratch: I32, block: { position: I32; own: I32 } | null): Expression[] {
    const address = (buffer: number): I32 => {
      const row = this.#localRows.get(buffer);
      if (!row || !block) return this.#slotAddress(buffer, table, scratch);
      // Rows of this block only: the address that position 0 would have.
      return i32.sub(i32.add(block.own, i32.const(row.offset)), i32.mul(block.position, i32.const(row.rowBytes)));
    };
    const { buffers } = this.#program;
    let out = address(step.write);
    if (step.into) {
      const strides = stridesOf(step.into.shape);
      const bytes = bytesPerElement[step.kernel.dtype];
      let constant = 0;
      step.into.start.forEach((start, axis) => {
        const factor = (strides[axis] as number) * bytes;
        if (typeof start === 'number') constant += start * factor;
        else out = i32.add(out, i32.mul(this.#scalar(start.scalar, table) as I32, i32.const(factor)));
      });
      if (constant !== 0) out = i32.add(out, i32.const(constant));
    }
    const reads = step.reads.map(({ buffer, offset }) => {
      const base = address(buffer);
      const bytes = bytesPerElement[(buffers[buffer] as Program['buffers'][number]).dtype];
      return offset === 0 ? base : i32.add(base, i32.const(offset * bytes));
    });
    return [out, ...reads, ...step.scalars.map((index) => this.#scalar(index, table))];
  }

  #runStep(at: number, codes: readonly KernelCode[], table: I32, scratch: I32): Statement[] {
    const step = this.#program.steps[at] as Step;
    const code = codes[at] as KernelCode;
    const statements: Statement[] = [];
    const { buffers } = this.#program;
    const base = step.into?.base ?? null;
    if (base !== null) {
      const from = buffers[base] as Program['buffers'][number];
      const to = buffers[step.write] as Program['buffers'][number];
      if (from.slot !== to.slot) {
        const bytes = bytesPerElement[from.dtype] * sizeOf(from.shape);
        const target = this.#slotAddress(step.write, table, scratch);
        statements.push(memory.copy(target, this.#slotAddress(base, table, scratch), i32.const(bytes)));
      }
    }
    const values = this.#arguments(step, table, scratch, null);
    const shared = i32.add(scratch, i32.const(this.#own));
    for (const phase of code.phases) {
      const pieces = this.#pieces(phase.units, phase.grain);
      if (pieces === 1) {
        statements.push(callVoid(phase.reference, ...values, shared, scratch, i32.const(0), i32.const(phase.units)));
        continue;
      }
      statements.push(
        this.#inParallel(table, scratch, phase.units, pieces, (stub) => [
          callVoid(
            phase.reference,
            ...this.#arguments(step, stub.table, stub.scratch, null),
            i32.add(stub.scratch, i32.const(this.#own)),
            stub.own,
            stub.begin,
            stub.end,
          ),
        ]),
      );
    }
    return statements;
  }

  /** How many pieces threads should share; 1: not worth waking them. */
  #pieces(units: number, grain: number): number {
    const { threads } = this.#context.target;
    return threads === 1 || units * grain < worthSharing ? 1 : Math.min(units, threads * 3);
  }

  /** A phase as a function of its own that any thread can call, and the call that hands it to all of them. */
  #inParallel(table: I32, scratch: I32, units: number, pieces: number, build: (stub: Stub) => Statement[]): Statement {
    const stub = this.#context.module.function(null, phaseParameters, [], (builder) => {
      const [first, second, third, fourth, fifth] = [0, 1, 2, 3, 4].map((at) => builder.parameter(at, 'i32')) as [
        Local<'i32'>,
        Local<'i32'>,
        Local<'i32'>,
        Local<'i32'>,
        Local<'i32'>,
      ];
      builder.emit(...build({ builder, table: first, scratch: second, own: third, begin: fourth, end: fifth }));
    });
    const index = this.#shared.push(stub) - 1;
    const words = [i32.const(index), table, scratch, scratch, i32.const(units), i32.const(pieces)];
    return callVoid(this.#context.parallel(), ...words);
  }

  #runGroup(unit: Unit, codes: readonly KernelCode[], table: I32, scratch: I32, builder: FunctionBuilder): Statement[] {
    const group = unit.group as Group;
    const { domain } = (this.#program.steps[unit.from] as Step).kernel;
    const outer = sizeOf(domain.slice(0, group.outer));
    const members = codes.slice(unit.from, unit.to + 1).flatMap(({ phases }) => phases);
    const grain = members.reduce((sum, phase) => sum + (phase.grain * phase.units) / outer, 0);
    const pieces = this.#pieces(outer, grain);
    if (pieces === 1) {
      const whole = { builder, table, scratch, own: scratch, begin: i32.const(0), end: i32.const(outer) };
      return this.#groupRows(unit, codes, whole);
    }
    return [this.#inParallel(table, scratch, outer, pieces, (stub) => this.#groupRows(unit, codes, stub))];
  }

  /** The steps of a group for the outer positions from `begin` to `end`, block by block. */
  #groupRows(unit: Unit, codes: readonly KernelCode[], at: Stub): Statement[] {
    const rows = i32.const(this.#rowsPerBlock({ from: unit.from, group: unit.group as Group }));
    const position = at.builder.local('i32');
    const end = at.builder.local('i32');
    const next = i32.add(position, rows);
    const body: Statement[] = [end.set(select(next, at.end, i32.ltU(next, at.end)))];
    for (let step = unit.from; step <= unit.to; step++) {
      const members = this.#fused.get(step)?.step ?? (this.#program.steps[step] as Step);
      const values = this.#arguments(members, at.table, at.scratch, {
        position,
        own: at.own,
      });
      for (const { reference } of (codes[step] as KernelCode).phases) {
        body.push(callVoid(reference, ...values, at.scratch, at.own, position, end));
      }
    }
    body.push(position.set(end));
    return [position.set(at.begin), whileLoop(i32.ltU(position, at.end), body)];
  }
}

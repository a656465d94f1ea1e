/**
 * The calls that run a program's units: of each kernel's phases, with addresses from the table. What is worth it is handed to
 * all threads: its call becomes a function of its own, a stub, that computes some of the units wherever it runs.
 */
import type { Group, Program, Step } from '@nn/core';
import { stridesOf } from '../../shape.ts';
import { bytesPerElement } from '../../storage.ts';
import type { Expression, FunctionBuilder, FunctionReference, I32, Local, Statement } from '../code/assembler.ts';
import { callVoid, i32, memory, select, whileLoop } from '../code/instructions.ts';
import type { ModuleContext } from '../code/module-context.ts';
import { phaseParameters } from '../threads/protocol.ts';
import type { KernelCodes } from './codes.ts';
import type { Layout } from './layout.ts';
import { bytesOf, positionsOf, rowsPerBlock, sameSlot } from './rows.ts';
import type { Unit, Units } from './units.ts';

/** Phases below this many nanoseconds (about) are not worth the attention of other threads. */
const worthSharing = 40_000;

/** Where a phase finds things, and which units it computes. */
interface Site {
  readonly builder: FunctionBuilder;
  readonly table: I32;
  readonly scratch: I32;
  readonly own: I32;
  readonly begin: I32;
  readonly end: I32;
}

export class Calls {
  /** What any thread may run, by the number that it is asked for with. */
  readonly shared: FunctionReference[] = [];
  readonly #context: ModuleContext;
  readonly #program: Program;
  readonly #units: Units;
  readonly #codes: KernelCodes;
  readonly #layout: Layout;

  constructor(context: ModuleContext, program: Program, units: Units, codes: KernelCodes, layout: Layout) {
    this.#context = context;
    this.#program = program;
    this.#units = units;
    this.#codes = codes;
    this.#layout = layout;
  }

  run({ from, group }: Unit, builder: FunctionBuilder, table: I32, scratch: I32): Statement[] {
    return group ? this.#runGroup(group, builder, table, scratch) : this.#runStep(from, builder, table, scratch);
  }

  #runStep(at: number, builder: FunctionBuilder, table: I32, scratch: I32): Statement[] {
    const step = this.#program.steps[at]!;
    const statements = this.#copyBase(step, table, scratch);
    for (const { reference, units, grain } of this.#codes.steps[at]?.phases ?? []) {
      const call = (site: Site): Statement[] => {
        const shared = i32.add(site.scratch, i32.const(this.#layout.ownBytes));
        return [callVoid(reference, ...this.#arguments(step, site, null), shared, site.own, site.begin, site.end)];
      };
      statements.push(...this.#shareable(builder, table, scratch, units, grain, call));
    }
    return statements;
  }

  /** A step that writes a box of another buffer: everything else is copied first, unless it is there already. */
  #copyBase({ into, write }: Step, table: I32, scratch: I32): Statement[] {
    const base = into?.base ?? null;
    if (base === null || sameSlot(this.#program, base, write)) return [];
    const [target, source] = [write, base].map((buffer) => this.#layout.address(buffer, table, scratch)) as [I32, I32];
    return [memory.copy(target, source, i32.const(bytesOf(this.#program, base)))];
  }

  #runGroup(group: Group, builder: FunctionBuilder, table: I32, scratch: I32): Statement[] {
    const positions = positionsOf(this.#program, group);
    const phases = this.#codes.steps.slice(group.first, group.last + 1).flatMap((code) => code.phases);
    const grain = phases.reduce((sum, phase) => sum + (phase.grain * phase.units) / positions, 0);
    return this.#shareable(builder, table, scratch, positions, grain, (site) => this.#groupRows(group, site));
  }

  /** The steps of a group for the outer positions from `begin` to `end`, block by block. */
  #groupRows(group: Group, site: Site): Statement[] {
    const rows = i32.const(rowsPerBlock(this.#program, group));
    const position = site.builder.local('i32');
    const end = site.builder.local('i32');
    const next = i32.add(position, rows);
    const body: Statement[] = [end.set(select(next, site.end, i32.ltU(next, site.end)))];
    for (let at = group.first; at <= group.last; at++) {
      const step = this.#units.fusedAt(at)?.step ?? this.#program.steps[at]!;
      const values = this.#arguments(step, site, position);
      for (const { reference } of this.#codes.steps[at]?.phases ?? []) {
        body.push(callVoid(reference, ...values, site.scratch, site.own, position, end));
      }
    }
    body.push(position.set(end));
    return [position.set(site.begin), whileLoop(i32.ltU(position, site.end), body)];
  }

  /** The code for all units right here, or, where that is worth waking them, for all threads. */
  #shareable(
    builder: FunctionBuilder,
    table: I32,
    scratch: I32,
    units: number,
    grain: number,
    build: (site: Site) => Statement[],
  ): Statement[] {
    const { threads } = this.#context.target;
    const pieces = threads === 1 || units * grain < worthSharing ? 1 : Math.min(units, threads * 3);
    if (pieces === 1) {
      return build({ builder, table, scratch, own: scratch, begin: i32.const(0), end: i32.const(units) });
    }
    const stub = this.#context.module.function(null, phaseParameters, [], (inside) => {
      const [ownTable, ownScratch, own, begin, end] = inside.words(5);
      inside.emit(...build({ builder: inside, table: ownTable, scratch: ownScratch, own, begin, end }));
    });
    const index = this.shared.push(stub) - 1;
    const words = [i32.const(index), table, scratch, scratch, i32.const(units), i32.const(pieces)];
    return [callVoid(this.#context.parallel(), ...words)];
  }

  /** The arguments of a kernel's function before scratch, begin and end. `position`: where the block of a group starts. */
  #arguments(step: Step, { table, scratch, own }: Site, position: Local<'i32'> | null): Expression[] {
    const { buffers } = this.#program;
    const address = (buffer: number): I32 =>
      (position && this.#layout.localAddress(buffer, own, position)) ?? this.#layout.address(buffer, table, scratch);
    const reads = step.reads.map(({ buffer, offset, move = 0 }) => {
      const bytes = bytesPerElement(buffers[buffer]!.dtype);
      return this.#layout.moved(address(buffer), offset * bytes, move * bytes, table);
    });
    const scalars = step.scalars.map((index) => this.#layout.scalar(index, table));
    return [this.#boxStart(step, address(step.write), table), ...reads, ...scalars];
  }

  /** The address of the first element that the step writes: of the output, or of a box in it. */
  #boxStart({ into, piece, kernel }: Step, address: I32, table: I32): I32 {
    if (piece) {
      const bytes = bytesPerElement(kernel.dtype);
      return this.#layout.moved(address, piece.offset * bytes, piece.move * bytes, table);
    }
    if (!into) return address;
    const strides = stridesOf(into.shape);
    let out = address;
    let constant = 0;
    into.start.forEach((start, axis) => {
      const factor = strides[axis]! * bytesPerElement(kernel.dtype);
      if (typeof start === 'number') constant += start * factor;
      else out = i32.add(out, i32.mul(this.#layout.scalar(start.scalar, table) as I32, i32.const(factor)));
    });
    return constant === 0 ? out : i32.add(out, i32.const(constant));
  }
}

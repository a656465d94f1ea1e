/**
 * A Program as one WebAssembly module with one entry, `run(table, scratch, first, end)`: kernels of equal key are one
 * function, `run` calls them in order with addresses from a small table in memory.
 * The stages are in `program/`: which steps go together (`units.ts`), the functions of kernels (`codes.ts`), where everything
 * lies (`layout.ts`), and the calls (`calls.ts`).
 */
import type { Loop, Program } from '@nn/core';
import type { I32, Statement } from '../code/assembler.ts';
import { i32, when } from '../code/instructions.ts';
import { ModuleContext, type Target } from '../code/module-context.ts';
import { addWork } from '../threads/protocol.ts';
import { Calls } from './calls.ts';
import { KernelCodes } from './codes.ts';
import { KernelNumbers } from './kernel-numbers.ts';
import { Layout } from './layout.ts';
import { type Unit, Units } from './units.ts';

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
  /** Whether functions of the library are called. */
  readonly usesLibrary: boolean;
  /** Whether some phases may be shared by threads: the module exports `work`. */
  readonly shares: boolean;
  /** The steps at which something starts: those between run with the one before them. */
  readonly starts: readonly number[];
  /** For each step, what runs it. */
  readonly paths: readonly string[];
}

/** Units outside of loops one by one, those of a loop together. */
function byLoop(
  units: readonly Unit[],
  loops: readonly Loop[],
): { readonly loop: Loop | null; readonly members: readonly Unit[] }[] {
  const found: { loop: Loop | null; members: Unit[] }[] = [];
  for (const unit of units) {
    const loop = loops.find(({ first, last }) => first <= unit.from && unit.from <= last) ?? null;
    const before = found.at(-1);
    if (loop !== null && before?.loop === loop) before.members.push(unit);
    else found.push({ loop, members: [unit] });
  }
  return found;
}

export function compileProgram(program: Program, target: Target): CompiledProgram {
  const context = new ModuleContext(target);
  const { module } = context;
  const numbers = new KernelNumbers();
  const units = new Units(program, numbers);
  const codes = new KernelCodes(context, program, numbers, units);
  const layout = new Layout(program, units.all, codes.own, codes.scratch);
  const calls = new Calls(context, program, units, codes, layout);
  // `first` and `end` choose steps: everything, or one at a time to measure it.
  module.function('run', ['i32', 'i32', 'i32', 'i32'], [], (builder) => {
    const [table, scratch, first, end] = builder.words(4);
    const chosen = (at: number): I32 => i32.and(i32.leU(first, i32.const(at)), i32.gtU(end, i32.const(at)));
    const run = (unit: Unit): Statement[] => calls.run(unit, builder, table, scratch);
    for (const { loop, members } of byLoop(units.all, program.loops ?? [])) {
      const [{ from }] = members as [Unit];
      const statements = members.flatMap(run);
      builder.emit(
        when(chosen(from), loop === null ? statements : layout.turns(builder, table, loop.count, statements)),
      );
    }
  });
  const shares = calls.shared.length > 0;
  if (shares) addWork(module, calls.shared);
  return {
    bytes: module.bytes(),
    tableWords: layout.tableWords,
    scalarsAt: layout.scalarsAt,
    scratchBytes: layout.scratchBytes,
    ownBytes: layout.ownBytes,
    inputs: Array.from({ length: program.inputs }, (_, at) => layout.wordOf(at)),
    outputs: program.outputs.map((buffer) => ({ index: layout.wordOf(buffer), bytes: layout.blockBytes(buffer) })),
    kernels: codes.count,
    usesLibrary: context.usesLibrary,
    shares,
    starts: byLoop(units.all, program.loops ?? []).map(({ members }) => members[0]!.from),
    paths: units.all.flatMap(({ from, to }) =>
      codes.steps.slice(from, to + 1).map(({ path }, place) => (place === 0 ? path : `${path}, with step ${from}`)),
    ),
  };
}

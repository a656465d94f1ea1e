/**
 * A Program as one WebAssembly module with one entry, `run(table, scratch, first, end)`: kernels of equal key are one
 * function, `run` calls them in order with addresses from a small table in memory.
 * The stages are in `program/`: which steps go together (`units.ts`), the functions of kernels (`codes.ts`), where everything
 * lies (`layout.ts`), and the calls (`calls.ts`).
 */
import type { Program } from '@nn/core';
import { i32, when } from '../code/instructions.ts';
import { ModuleContext, type Target } from '../code/module-context.ts';
import { addWork } from '../threads/protocol.ts';
import { Calls } from './calls.ts';
import { KernelCodes } from './codes.ts';
import { KernelNumbers } from './kernel-numbers.ts';
import { Layout } from './layout.ts';
import { Units } from './units.ts';

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
    for (const unit of units.all) {
      const at = i32.const(unit.from);
      const chosen = i32.and(i32.leU(first, at), i32.gtU(end, at));
      builder.emit(when(chosen, calls.run(unit, builder, table, scratch)));
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
    starts: units.all.map(({ from }) => from),
    paths: units.all.flatMap(({ from, to }) =>
      codes.steps.slice(from, to + 1).map(({ path }, place) => (place === 0 ? path : `${path}, with step ${from}`)),
    ),
  };
}

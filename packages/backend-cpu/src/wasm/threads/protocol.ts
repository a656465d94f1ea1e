/**
 * The control words through which threads share one region of work, in shared memory, and the code that claims pieces.
 *
 * The caller gives NEXT the new sequence number, which closes the region before; writes what is to be done, sets FINISHED
 * to 0 and NEXT to (sequence, 0), raises SEQUENCE, wakes sleepers and then helps. Everyone claims pieces by raising NEXT
 * with a compare-and-exchange that also compares the sequence number: a thread that comes late, with an old sequence
 * number, can claim nothing, whatever words it has read. A claimed piece keeps its region open until FINISHED counts it,
 * so words read before a claim succeeded belong to it.
 */
import type { FunctionReference, ModuleBuilder } from '../code/assembler.ts';
import { callIndirect, i32, i64, loopForever, when } from '../code/instructions.ts';

/** Byte offsets; words that different threads write are on cache lines of their own. */
export const control = {
  sequence: 0,
  sleepers: 64,
  next: 128,
  finished: 192,
  /** What is to be done: written by the caller only. */
  program: 256,
  phase: 260,
  table: 264,
  scratch: 268,
  units: 272,
  pieces: 276,
  /** The module of the program in shared memory. */
  moduleAddress: 280,
  /** Memory of the first worker for itself, and from one worker to the next. */
  ownAddress: 284,
  ownBytes: 288,
  /** The number of workers that are running. */
  ready: 320,
  /** The number of workers that an error ended in the middle of a piece. */
  failed: 324,
  size: 384,
} as const;

/** Byte offsets in a module that workers take from shared memory: its number, the length of its bytes, the bytes. */
export const shared = { id: 0, length: 4, bytes: 8 } as const;

/** The parameters of a phase as the threads call it: table, scratch, own memory, begin, end. */
export const phaseParameters: readonly 'i32'[] = ['i32', 'i32', 'i32', 'i32', 'i32'];

/** Exports `work(control, sequence, own)`: claims pieces of the region until there are none, and computes them. */
export function addWork(module: ModuleBuilder, phases: readonly FunctionReference[]): void {
  phases.forEach((phase) => {
    module.tableEntry(phase);
  });
  const type = module.typeIndex(phaseParameters, []);
  module.function('work', ['i32', 'i32', 'i32'], [], (builder) => {
    const at = builder.parameter(0, 'i32');
    const sequence = builder.parameter(1, 'i32');
    const own = builder.parameter(2, 'i32');
    const next = builder.local('i64');
    const piece = builder.local('i32');
    const units = i32.load(at, control.units);
    const pieces = i32.load(at, control.pieces);
    const border = (index: typeof piece, by: number) =>
      i32.wrap(
        i64.divU(
          i64.mul(i64.extendU(by === 0 ? index : i32.add(index, i32.const(by))), i64.extendU(units)),
          i64.extendU(pieces),
        ),
      );
    const nextAt = i32.add(at, i32.const(control.next));
    builder.emit(
      loopForever((leave, again) => [
        next.set(i64.atomicLoad(nextAt)),
        piece.set(i32.wrap(next)),
        when(i32.ne(i32.wrap(i64.shrU(next, i64.const(32))), sequence), [leave(1)]),
        when(i32.geU(piece, pieces), [leave(1)]),
        when(i64.eq(i64.atomicCompareExchange(nextAt, next, i64.add(next, i64.const(1))), next), [
          callIndirect(
            type,
            i32.load(at, control.phase),
            i32.load(at, control.table),
            i32.load(at, control.scratch),
            own,
            border(piece, 0),
            border(piece, 1),
          ),
          i32.atomicAddVoid(i32.add(at, i32.const(control.finished)), i32.const(1)),
        ]),
        again(0),
      ]),
    );
  });
}

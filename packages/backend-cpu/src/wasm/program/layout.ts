/**
 * Where things lie when a program runs. A table in memory has the addresses of inputs and outputs, one word for each slot,
 * and the scalars. Scratch is one region: first what each thread needs for itself (the first thread's part of it), then what
 * kernels share, then the slots of intermediates. Local buffers of a group have rows of one block only, in a thread's own part.
 */
import type { Program } from '@nn/core';
import { align } from '../../storage.ts';
import type { Expression, FunctionBuilder, I32, Statement } from '../code/assembler.ts';
import { f32, i32, whileLoop } from '../code/instructions.ts';
import { bytesOf, rowBytesOf, rowsPerBlock } from './rows.ts';
import type { Unit } from './units.ts';

/** Where the memory of a slot comes from. */
type Place = { readonly kind: 'table'; readonly index: number } | { readonly kind: 'scratch'; readonly offset: number };

export class Layout {
  readonly tableWords: number;
  readonly scalarsAt: number;
  /** Bytes that each thread needs for itself: a kernel's packed blocks, or a group's local rows, never both. */
  readonly ownBytes: number;
  readonly scratchBytes: number;
  /** The word that tells all threads which turn of a loop runs. */
  readonly #turnAt: number;
  readonly #program: Program;
  readonly #places = new Map<number, Place>();
  readonly #slotBytes = new Map<number, number>();
  readonly #localRows = new Map<number, { readonly offset: number; readonly rowBytes: number }>();

  /** `own` and `shared`: bytes that kernels need. */
  constructor(program: Program, units: readonly Unit[], own: number, shared: number) {
    this.#program = program;
    this.ownBytes = Math.max(own, this.#placeLocals(units));
    this.#measureSlots();
    this.#turnAt = this.#placeOutside();
    this.scalarsAt = this.#turnAt + (program.loops === undefined ? 0 : 1);
    this.tableWords = this.scalarsAt + program.scalars.length;
    this.scratchBytes = this.#placeIntermediates(this.ownBytes + shared);
  }

  /** Bytes of the rows of local buffers. */
  #placeLocals(units: readonly Unit[]): number {
    let most = 0;
    for (const { group } of units) {
      if (!group) continue;
      const rows = rowsPerBlock(this.#program, group);
      let offset = 0;
      for (const buffer of group.local) {
        const rowBytes = rowBytesOf(this.#program, group, buffer);
        this.#localRows.set(buffer, { offset, rowBytes });
        offset += align(rows * rowBytes);
      }
      most = Math.max(most, offset);
    }
    return most;
  }

  /** A slot is as large as the largest buffer that it ever holds. */
  #measureSlots(): void {
    const { buffers, inputs, steps } = this.#program;
    const written = new Set(steps.map((step) => step.write));
    buffers.forEach(({ slot }, buffer) => {
      if (this.#localRows.has(buffer) || (buffer >= inputs && !written.has(buffer))) return;
      this.#slotBytes.set(slot, Math.max(this.#slotBytes.get(slot) ?? 0, bytesOf(this.#program, buffer)));
    });
  }

  /** Inputs and outputs; returns the number of words that they take in the table. */
  #placeOutside(): number {
    const { inputs, outputs } = this.#program;
    let words = 0;
    for (const buffer of [...Array.from({ length: inputs }, (_, at) => at), ...outputs]) {
      const slot = this.#slot(buffer);
      if (!this.#places.has(slot)) this.#places.set(slot, { kind: 'table', index: words++ });
    }
    return words;
  }

  /** All other slots, from `offset` on; returns the end of scratch. */
  #placeIntermediates(offset: number): number {
    let end = offset;
    for (const [slot, bytes] of this.#slotBytes) {
      if (this.#places.has(slot)) continue;
      this.#places.set(slot, { kind: 'scratch', offset: end });
      end += align(bytes + 64);
    }
    return end;
  }

  #slot(buffer: number): number {
    return (this.#program.buffers[buffer] as { slot: number }).slot;
  }
  /** The word of an input or an output in the table. */
  wordOf(buffer: number): number {
    const place = this.#places.get(this.#slot(buffer));
    return place?.kind === 'table' ? place.index : -1;
  }
  /** Bytes of the block that an output needs: its slot may hold more before. */
  blockBytes(buffer: number): number {
    return Math.max(bytesOf(this.#program, buffer), this.#slotBytes.get(this.#slot(buffer)) ?? 0);
  }

  /** The address of a buffer that lies in a slot. */
  address(buffer: number, table: I32, scratch: I32): I32 {
    const place = this.#places.get(this.#slot(buffer))!;
    if (place.kind === 'table') return i32.load(table, 4 * place.index);
    return i32.add(scratch, i32.const(place.offset));
  }
  /** The address that position 0 of a local buffer would have, where its block starts at `position`; null for others. */
  localAddress(buffer: number, own: I32, position: I32): I32 | null {
    const row = this.#localRows.get(buffer);
    if (!row) return null;
    return i32.sub(i32.add(own, i32.const(row.offset)), i32.mul(position, i32.const(row.rowBytes)));
  }
  /** An address `bytes` behind another, and `move` bytes more with each turn of the loop that runs. */
  moved(address: I32, bytes: number, move: number, table: I32): I32 {
    const start = bytes === 0 ? address : i32.add(address, i32.const(bytes));
    return move === 0 ? start : i32.add(start, i32.mul(i32.load(table, 4 * this.#turnAt), i32.const(move)));
  }

  /** `statements`, `count` times. */
  turns(builder: FunctionBuilder, table: I32, count: number, statements: readonly Statement[]): Statement[] {
    const turn = builder.local('i32');
    const at = i32.add(table, i32.const(4 * this.#turnAt));
    return [
      turn.set(i32.const(0)),
      whileLoop(i32.ltU(turn, i32.const(count)), [
        i32.store(at, turn),
        ...statements,
        turn.set(i32.add(turn, i32.const(1))),
      ]),
    ];
  }

  scalar(index: number, table: I32): Expression {
    const offset = 4 * (this.scalarsAt + index);
    return this.#program.scalars[index] === 'float32' ? f32.load(table, offset) : i32.load(table, offset);
  }
}

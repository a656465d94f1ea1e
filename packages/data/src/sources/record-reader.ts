/** Records by their number, by way of the index: one run is read for each, and those that were read last are kept. */
import { FormatError } from '@nn/core';
import { blockAt } from '../pipeline/order.ts';
import type { ByteRange } from './byte-range.ts';
import { carriageReturn, lineFeed, quote, type RecordIndex, type RecordRules } from './record-index.ts';

/** Where records no longer stand where the index says. */
function changed(): FormatError {
  return new FormatError(
    'RecordReader/changed',
    'the file has become another one since its index was made: leave out an index that was saved, and open the file anew.',
  );
}

/** The records of one run, found as far as they are asked for. Runs hold whole records. */
class Run {
  readonly bytes: Uint8Array;
  readonly #rules: RecordRules;
  /** Of each record found so far: where it begins, where it ends without the end of its line, and its line. */
  readonly #bounds: number[] = [];
  #at = 0;
  #line: number;

  constructor(bytes: Uint8Array, rules: RecordRules, line: number) {
    this.bytes = bytes;
    this.#rules = rules;
    this.#line = line;
  }

  record(number: number): { readonly bytes: Uint8Array; readonly line: number } {
    while (this.#bounds.length <= 3 * number && this.#at < this.bytes.length) this.#find();
    const [from, to, line] = this.#bounds.slice(3 * number);
    if (line === undefined) throw changed();
    return { bytes: this.bytes.subarray(from, to), line };
  }

  #find(): void {
    const { bytes } = this;
    const { quotes, skipBlank } = this.#rules;
    const [from, line] = [this.#at, this.#line];
    let isQuoted = false;
    let to = from;
    let at = from;
    for (; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === quote && quotes) isQuoted = !isQuoted;
      if (byte !== lineFeed && byte !== carriageReturn) continue;
      to = at;
      if (byte === carriageReturn && bytes[at + 1] === lineFeed) at++;
      this.#line++;
      if (!isQuoted) break;
    }
    if (at >= bytes.length) to = bytes.length;
    this.#at = at + 1;
    if (to > from || !skipBlank) this.#bounds.push(from, to, line);
  }
}

/** Records by their number. Runs that were read last are kept: those of neighbours, or of one batch. */
export class RecordReader {
  readonly index: RecordIndex;
  readonly #range: ByteRange;
  readonly #kept = new Map<number, Promise<Run>>();

  constructor(range: ByteRange, index: RecordIndex) {
    this.#range = range;
    this.index = index;
  }

  get length(): number {
    return this.index.firsts.at(-1)!;
  }

  /** The bytes of a record and the line on which it begins. */
  async record(number: number): Promise<{ readonly bytes: Uint8Array; readonly line: number }> {
    const run = blockAt(this.index.firsts, number);
    const held = await this.#run(run);
    return held.record(number - this.index.firsts[run]!);
  }

  #run(run: number): Promise<Run> {
    let found = this.#kept.get(run);
    if (found) {
      this.#kept.delete(run); // and behind all others again
    } else {
      found = this.#read(run);
      // What failed is read again when it is asked for again: a connection may be back.
      found.catch(() => this.#kept.delete(run));
      if (this.#kept.size >= 64) this.#kept.delete(this.#kept.keys().next().value!);
    }
    this.#kept.set(run, found);
    return found;
  }

  async #read(run: number): Promise<Run> {
    const { offsets, lines } = this.index;
    const bytes = await this.#range.read(offsets[run]!, offsets[run + 1]!);
    // All runs but the last end with a line: another text of the same size seldom does.
    const last = bytes.at(-1);
    if (run + 2 < offsets.length && last !== lineFeed && last !== carriageReturn) throw changed();
    return new Run(bytes, this.index, lines[run]!);
  }
}

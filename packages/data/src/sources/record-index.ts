/**
 * Where the records of a text begin: found in one pass over its bytes, kept for runs of some kilobytes, so that a record of a file of
 * gigabytes is one short read away and the index takes half a percent of its size. What records mean is known to
 * `text-lines.ts` and `csv-rows.ts`.
 */
import { type AbortSignalLike, FormatError } from '@nn/core';
import type { ByteRange } from './byte-range.ts';

/** How records end: with lines, or with lines outside of quotes, as in CSV. Blank lines may be no records. */
export interface RecordRules {
  readonly quotes: boolean;
  readonly skipBlank: boolean;
}

/** Runs of records. `offsets` and `firsts` end with the number of bytes and of records. */
export interface RecordIndex extends RecordRules {
  readonly size: number;
  /** The first byte of each run. */
  readonly offsets: Float64Array;
  /** The number of its first record. */
  readonly firsts: Float64Array;
  /** The line on which it begins, from 1. */
  readonly lines: Float64Array;
  /** All of it as bytes, to save beside the file: the three lists are views of them. */
  readonly bytes: Uint8Array;
}

/** The bytes that matter. */
export const lineFeed = 10;
export const carriageReturn = 13;
export const quote = 34;

export interface IndexOptions {
  /** The first byte of the first record. */
  readonly start?: number;
  readonly signal?: AbortSignalLike | undefined;
  /** The least bytes of a run: a read of 4 kB takes hardly longer than one of a few bytes. */
  readonly runBytes?: number;
  /** Bytes that are looked through at once. */
  readonly pieceBytes?: number;
}

/** Numbers that grow. */
class Numbers {
  #values = new Float64Array(1024);
  #length = 0;
  push(value: number): void {
    if (this.#length === this.#values.length) {
      const grown = new Float64Array(2 * this.#length);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#length++] = value;
  }
  all(): Float64Array {
    return this.#values.subarray(0, this.#length);
  }
}

/** Goes over all bytes once. `reader` begins messages: who reads, and what. */
export async function indexRecords(
  reader: string,
  range: ByteRange,
  rules: RecordRules,
  options: IndexOptions = {},
): Promise<RecordIndex> {
  const { size } = range;
  const { start = 0, signal, runBytes = 4096, pieceBytes = 2 ** 20 } = options;
  const [offsets, firsts, lines] = [new Numbers(), new Numbers(), new Numbers()];
  const scan = new Scan(rules);
  let run = Number.NEGATIVE_INFINITY;
  let ended = start; // where the last record ended
  const begin = (at: number): void => {
    if (at - run < runBytes) return;
    offsets.push(at);
    firsts.push(scan.records);
    lines.push(scan.line);
    run = at;
  };
  begin(start);
  for (let at = start; at < size; at += pieceBytes) {
    signal?.throwIfAborted();
    const piece = await range.read(at, Math.min(at + pieceBytes, size));
    scan.piece(piece, (end) => {
      ended = at + end;
      if (ended < size) begin(ended);
    });
  }
  if (scan.isQuoted) {
    throw new FormatError(reader, `a quote is opened and never closed; the file is no CSV, or cut off.`);
  }
  if (ended < size) scan.end();
  offsets.push(size);
  firsts.push(scan.records);
  lines.push(scan.line);
  return packed(size, rules, [offsets.all(), firsts.all(), lines.all()]);
}

/** The walk over bytes: a line feed, a carriage return, or both, ends a line. It may stop anywhere and go on with the next piece. */
class Scan {
  readonly #rules: RecordRules;
  records = 0;
  line = 1;
  isQuoted = false;
  /** Whether something stood on the line so far, and whether the last byte was a carriage return that may have a line feed. */
  #isBlank = true;
  #isReturn = false;

  constructor(rules: RecordRules) {
    this.#rules = rules;
  }

  /** `ended` hears where records, or blank lines, end: the place of the byte behind. */
  piece(bytes: Uint8Array, ended: (end: number) => void): void {
    const { quotes } = this.#rules;
    let at = 0;
    if (this.#isReturn) {
      this.#isReturn = false;
      if (bytes[0] === lineFeed) at = 1;
      this.#endLine();
      if (!this.isQuoted) ended(at);
    }
    // What stands between is skipped by the engine's own search.
    let [nextFeed, nextReturn, nextQuote] = [-1, -1, -1];
    const find = (byte: number, known: number): number => {
      if (known >= at) return known;
      const found = bytes.indexOf(byte, at);
      return found < 0 ? bytes.length : found;
    };
    for (;;) {
      nextFeed = find(lineFeed, nextFeed);
      nextReturn = find(carriageReturn, nextReturn);
      nextQuote = quotes ? find(quote, nextQuote) : bytes.length;
      const next = Math.min(nextFeed, nextReturn, nextQuote);
      if (next > at) this.#isBlank = false;
      if (next === bytes.length) return;
      at = next + 1;
      if (next === nextQuote) {
        this.isQuoted = !this.isQuoted;
        this.#isBlank = false;
        continue;
      }
      if (next === nextReturn && at === bytes.length) {
        this.#isReturn = true;
        return;
      }
      if (next === nextReturn && bytes[at] === lineFeed) at++;
      this.#endLine();
      if (!this.isQuoted) ended(at);
    }
  }

  /** The end of the file, after a last line without an end. */
  end(): void {
    if (this.#isReturn || !this.#isBlank || !this.#rules.skipBlank) this.#endLine();
  }

  #endLine(): void {
    this.line++;
    if (this.isQuoted) return;
    if (!this.#isBlank || !this.#rules.skipBlank) this.records++;
    this.#isBlank = true;
  }
}

const magic = 'nnrecord';

/**
 * The index as bytes: 24 for each run. In Node they are memory that threads share, so that workers get it without a copy; pages keep it in
 * memory of their own, which can be put into a Blob or a database.
 */
function packed(size: number, { quotes, skipBlank }: RecordRules, lists: readonly Float64Array[]): RecordIndex {
  const count = lists[0]!.length;
  const length = 8 * (3 + 3 * count);
  const isNode = typeof process !== 'undefined' && process.getBuiltinModule !== undefined;
  const bytes = new Uint8Array(isNode ? new SharedArrayBuffer(length) : new ArrayBuffer(length));
  for (let i = 0; i < 8; i++) bytes[i] = magic.charCodeAt(i);
  const numbers = new Float64Array(bytes.buffer, 8);
  numbers[0] = Number(quotes) + 2 * Number(skipBlank);
  numbers[1] = count;
  const [offsets, firsts, lines] = lists.map((list, i) => {
    numbers.set(list, 2 + i * count);
    return numbers.subarray(2 + i * count, 2 + (i + 1) * count);
  }) as [Float64Array, Float64Array, Float64Array];
  return { quotes, skipBlank, size, offsets, firsts, lines, bytes };
}

/**
 * Reads an index back, where its memory allows it without a copy, so that workers can share one. Throws a `FormatError` where it
 * is none, or of another file.
 */
export function decodeIndex(reader: string, bytes: Uint8Array, size: number, rules: RecordRules): RecordIndex {
  const fail = (what: string): never => {
    throw new FormatError(reader, `the index ${what}; leave it out to make it anew.`);
  };
  const isIndex =
    bytes.length >= 24 && String.fromCharCode(...bytes.subarray(0, 8)) === magic && bytes.length % 8 === 0;
  if (!isIndex) return fail('is none');
  const isAligned = bytes.byteOffset % 8 === 0;
  const numbers = isAligned
    ? new Float64Array(bytes.buffer, bytes.byteOffset + 8, bytes.length / 8 - 1)
    : new Float64Array(bytes.slice(8).buffer);
  const [kind, count] = [numbers[0]!, numbers[1]!];
  if (numbers.length !== 2 + 3 * count || count < 2) return fail('is damaged');
  const offsets = numbers.subarray(2, 2 + count);
  const firsts = numbers.subarray(2 + count, 2 + 2 * count);
  const lines = numbers.subarray(2 + 2 * count);
  const rises = (values: Float64Array): boolean => values.every((value, i) => i === 0 || value >= values[i - 1]!);
  if (![offsets, firsts, lines].every(rises) || firsts[0] !== 0) return fail('is damaged');
  const own = offsets.at(-1)!;
  if (own !== size) return fail(`belongs to a file of ${own} bytes, this one has ${size}`);
  if (kind !== Number(rules.quotes) + 2 * Number(rules.skipBlank)) return fail('was made with other options');
  return { ...rules, size, offsets, firsts, lines, bytes };
}

/** The rules that a saved index was made by; those of no index are refused by `decodeIndex`. */
export function rulesOf(bytes: Uint8Array): RecordRules {
  const kind = bytes.length >= 16 ? new Float64Array(bytes.slice(8, 16).buffer)[0]! : 0;
  return { quotes: kind % 2 === 1, skipBlank: kind >= 2 };
}

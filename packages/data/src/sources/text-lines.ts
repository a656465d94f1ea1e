/** Files of one sample a line, as text or JSON, by the number of the line, and packed or sent ones as streams. */
import {
  type AbortSignalLike,
  checkChoices,
  checkOptions,
  decodeUtf8,
  excerpt,
  FormatError,
  ValueError,
} from '@nn/core';
import { checkNumber } from '../check-whole.ts';
import type { Source, StreamSource } from '../pipeline/source.ts';
import { isGzip } from '../readers/gunzip.ts';
import { type ByteRange, checkRange, endedBy } from './byte-range.ts';
import { longNumbers, withLongTexts } from './json-numbers.ts';
import { decodeIndex, indexRecords } from './record-index.ts';
import { RecordReader } from './record-reader.ts';

export interface LinesOptions {
  /** What to call the file in messages. */
  readonly name?: string;
  /** Leaves out lines without a character; those of JSON are always left out. */
  readonly skipBlank?: boolean;
  /**
   * What `index` of an earlier run was: saves the pass over the file. It is not copied, so workers can share one in a
   * `SharedArrayBuffer`; leave its bytes as they are.
   */
  readonly index?: Uint8Array;
  /** Ends the pass over the file: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignalLike;
}

export interface JsonLinesOptions extends Omit<LinesOptions, 'skipBlank'> {
  /**
   * What becomes of a whole number that has more digits than a number keeps (above 2^53), as identifiers have: `'error'`, where not given,
   * names line and field; `'text'` gives it as text, to be a category or a `BigInt`; `'round'` as the nearest number, as `JSON.parse` does.
   */
  readonly integers?: 'error' | 'text' | 'round';
}

/** Lines by their number. */
export interface IndexedSource<T> extends Source<T> {
  get(index: number): Promise<T>;
  /**
   * Where the records begin, to save beside the file or to give to workers. It is not a copy: leave its bytes as they are. In Node it is
   * shared memory, which threads get without a copy.
   */
  readonly index: Uint8Array;
}

const known = ['name', 'skipBlank', 'index', 'signal'];

/**
 * The lines of a text in UTF-8 as samples, each read when it is asked for: one pass finds where they begin, and about half a percent of
 * the file's size stays in memory. Lines end with LF, CR LF or CR. Rejects with a `FormatError` for what is packed or no UTF-8.
 *
 * @example
 * import { byteRange, dataPipeline, textLines } from '@nn/data';
 * const lines = await textLines(byteRange(new Blob(['plum\nfig\napple\n'])));
 * console.log(lines.length, await lines.get(2)); // => 3 apple
 * const batches = dataPipeline(lines).map((line) => ({ inputs: line.length })).batch(3);
 * console.log(await (await batches.peek()).inputs.array()); // => [ 4, 3, 5 ]
 */
export async function textLines(range: ByteRange, options: LinesOptions = {}): Promise<IndexedSource<string>> {
  checkOptions('textLines', options, known);
  return linesOf('textLines', range, options, (text) => text);
}

/**
 * The values of a file of JSON lines as samples, as `textLines` reads lines. `get` rejects with a `FormatError` that names the line
 * where it is no JSON, and the field where a whole number has more digits than a number keeps (`integers`), or a number is beyond 1.8e308.
 *
 * @example
 * import { byteRange, jsonLines } from '@nn/data';
 * const rows = await jsonLines<{ age: number }>(byteRange(new Blob(['{"age":4}\n{"age":7}\n'])));
 * console.log((await rows.get(1)).age); // => 7
 */
export async function jsonLines<T = unknown>(
  range: ByteRange,
  options: JsonLinesOptions = {},
): Promise<IndexedSource<T>> {
  checkOptions('jsonLines', options, [...known, 'integers']);
  const { name = 'JSON lines', integers = 'error', ...others } = options;
  checkChoices('jsonLines', { integers }, { integers: ['error', 'text', 'round'] });
  return linesOf('jsonLines', range, { ...others, name, skipBlank: true }, (text, line) => {
    let value: T;
    try {
      value = JSON.parse(text) as T;
    } catch {
      throw new FormatError('jsonLines', `${name}, line ${line}: ${excerpt(text, 40)} is not JSON.`, { line });
    }
    const long = longNumbers(text, integers === 'round');
    const wrong = integers === 'text' ? long.find(({ isWhole }) => !isWhole) : long[0];
    if (wrong === undefined) return long.length > 0 ? (JSON.parse(withLongTexts(text, long)) as T) : value;
    const { digits, isWhole, path } = wrong;
    const what =
      isWhole && integers === 'error'
        ? "which has more digits than a number keeps; integers: 'text' gives such as text, 'round' as the nearest number."
        : 'beyond 1.8e308, the largest number that there is: write it as text, or null for what is missing.';
    throw new FormatError(
      'jsonLines',
      `${name}, line ${line}: ${path === '' ? 'the value' : `'${excerpt(path, 60)}'`} is ${excerpt(digits, 40)}, ${what}`,
      { line, path },
    );
  });
}

async function linesOf<T>(
  operation: string,
  range: ByteRange,
  { name = 'text', skipBlank = false, index: saved, signal }: LinesOptions,
  read: (text: string, line: number) => T,
): Promise<IndexedSource<T>> {
  checkRange(operation, range);
  const opening = endedBy(range, signal);
  const start = await beginningOf(`${operation}: ${name}`, opening);
  const rules = { quotes: false, skipBlank };
  const index = saved
    ? decodeIndex(`${operation}: ${name}`, saved, range.size, rules)
    : await indexRecords(`${operation}: ${name}`, opening, rules, { start, signal });
  const reader = new RecordReader(range, index);
  return {
    length: reader.length,
    async get(number) {
      checkNumber(operation, number, reader.length);
      const { bytes, line } = await reader.record(number);
      return read(textOf(`${operation}: ${name}`, bytes, line), line);
    },
    get index() {
      return index.bytes;
    },
  };
}

/** Where the text begins: after the mark that says that it is UTF-8. Throws for what cannot be read by lines. */
export async function beginningOf(reader: string, range: ByteRange): Promise<number> {
  const head = await range.read(0, Math.min(3, range.size));
  if (isGzip(head)) {
    throw new FormatError(
      reader,
      `the file is packed by gzip, which can only be read from its beginning: unpack it, or use lineStream.`,
    );
  }
  if ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff)) {
    throw new FormatError(reader, `the text is UTF-16; save the file as UTF-8.`);
  }
  return head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 3 : 0;
}

export function textOf(reader: string, bytes: Uint8Array, line: number): string {
  const text = decodeUtf8(bytes);
  if (text !== undefined) return text;
  throw new FormatError(`${reader}, line ${line}`, 'the bytes are not UTF-8 text.', { line });
}

/** What is needed of a `ReadableStream`. */
export interface ByteReadable {
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
    cancel(): Promise<void>;
  };
}

/** Bytes that come piece by piece, as the body of a `Response`, `blob.stream()` and Node's `createReadStream` give them. */
export type ByteStream = ByteReadable | AsyncIterable<Uint8Array>;

/**
 * The lines of files that cannot be read in parts, packed by gzip or not, as a stream: each file is a shard, which `open` opens anew.
 * Rejects with a `FormatError` where bytes are no UTF-8 or the packing is damaged.
 *
 * @example
 * import { dataPipeline, lineStream } from '@nn/data';
 * const files = ['a\nb\n', 'c\nd\n'];
 * const lines = lineStream(files.length, (shard) => new Blob([files[shard] ?? '']).stream());
 * const batches = dataPipeline(lines).map((line) => ({ inputs: line.charCodeAt(0) })).batch(3);
 * const read = [];
 * for await (const { inputs } of batches) read.push(await inputs.array());
 * console.log(read); // => [ [ 97, 98, 99 ], [ 100 ] ]
 */
export function lineStream(
  shards: number,
  open: (shard: number) => ByteStream | Promise<ByteStream>,
): StreamSource<string> {
  if (!Number.isInteger(shards) || shards < 0 || typeof open !== 'function') {
    throw new ValueError(
      'lineStream',
      `takes the number of files and a function that opens one of them, got ${String(shards)} and a ${typeof open}.`,
      { shards },
    );
  }
  return {
    shards,
    async *open(shard, skip) {
      let number = 0;
      for await (const line of splitLines(shard, await unpacked(shard, await open(shard)))) {
        if (number++ >= skip) yield line;
      }
    },
  };
}

async function* splitLines(shard: number, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  const decode = (piece?: Uint8Array): string => {
    try {
      return decoder.decode(piece, { stream: piece !== undefined });
    } catch {
      throw new FormatError('lineStream', `shard ${shard}: the bytes are not UTF-8 text.`, { shard });
    }
  };
  for await (const piece of bytes) {
    const lines = (rest + decode(piece)).split(/\r\n|\n|\r(?!\n|$)/);
    rest = lines.pop()!;
    yield* lines;
  }
  rest += decode();
  if (rest !== '') yield rest.replace(/\r$/, '');
}

/** The bytes as they come, unpacked where the first two say that they are packed. */
async function unpacked(shard: number, stream: ByteStream): Promise<AsyncIterable<Uint8Array>> {
  const pieces = piecesOf(stream);
  // A piece may be of one byte, or none.
  const read: Uint8Array[] = [];
  let head: readonly number[] = [];
  for (let next = await pieces.next(); !next.done; next = await pieces.next()) {
    read.push(next.value);
    head = [...head, ...next.value.subarray(0, 2)];
    if (head.length >= 2) break;
  }
  const whole = async function* (): AsyncGenerator<Uint8Array, void> {
    yield* read;
    yield* pieces;
  };
  if (!isGzip(Uint8Array.from(head))) return whole();
  const packed = whole();
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const { value, done } = await packed.next();
      if (done) controller.close();
      else controller.enqueue(new Uint8Array(value));
    },
    async cancel() {
      await packed.return(undefined);
    },
  });
  return undamaged(shard, piecesOf(source.pipeThrough(new DecompressionStream('gzip'))));
}

/** The unpacked pieces; what is wrong with the packing is told with the shard. */
async function* undamaged(shard: number, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  try {
    yield* pieces;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new FormatError('lineStream', `shard ${shard}: the gzip data is damaged or truncated: ${reason}.`, { shard });
  }
}

/** Not every browser can iterate a stream. */
async function* piecesOf(stream: ByteStream): AsyncGenerator<Uint8Array, void> {
  if (!('getReader' in stream)) {
    yield* stream;
    return;
  }
  const reader = stream.getReader();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done || value === undefined) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/**
 * The rows of a Parquet file by their number: row groups are read when one of their rows is asked for, and a few are kept. The format is
 * hyparquet's, which is loaded when a file is opened, its decompressors when the file needs them.
 */
import { checkOptions, excerpt, FormatError, isNNError, ValueError } from '@nn/core';
import type { CompressionCodec } from 'hyparquet';
import { checkNumber, checkWhole } from '../check-whole.ts';
import { blockAt } from '../pipeline/order.ts';
import type { Source } from '../pipeline/source.ts';
import { Budget } from '../readers/budget.ts';
import type { Table } from '../readers/csv.ts';
import { optionalPackage } from '../readers/optional-package.ts';
import { type ByteRange, checkRange } from '../sources/byte-range.ts';
import type { RawRow } from '../tables/raw.ts';
import { checkDecimals, columnPlace, plainValue, tableOf, unfit } from '../tables/table-of.ts';
import { type Unpack, unpackerOf } from './codecs.ts';
import { checkedFooter, type FileColumn, type Footer, footerBytes } from './footer.ts';
import { checkedPages } from './pages.ts';

export interface ParquetOptions {
  /** What to call the file in messages. */
  readonly name?: string;
  /** The columns to read; all where not given. Others are not even fetched. */
  readonly columns?: readonly string[];
  /** Row groups that are kept in memory, 9 where not given: as many as `shuffle: 'blocks'` mixes, and one. */
  readonly keep?: number;
  /**
   * Bytes that the columns of one row group may become, where that is more than 32 times what they take in the file; 2^28 where not given.
   * Counted are the unpacked pages and 8 bytes for each value.
   */
  readonly maxBytes?: number;
}

/** The rows of a Parquet file. */
export interface ParquetRows extends Source<RawRow> {
  get(index: number): Promise<RawRow>;
  readonly columns: readonly string[];
  /** The first row of each row group. */
  readonly blocks: Float64Array;
  /** The rows from `start` up to `end` as a table: to fit an encoding, to look at. */
  table(start: number, end: number): Promise<Table>;
}

/** Values of one column of a row group. */
type Values = ArrayLike<unknown>;

/**
 * The rows of a Parquet file as samples, as `encodeRows` takes them: numbers, booleans, texts (dates in ISO 8601), null where a value is
 * missing. Shuffle by `'blocks'`: rows in any order would read a row group for each. Needs the package hyparquet, and
 * hyparquet-compressors for Brotli and Zstandard where Node has none. Every row group is checked before it is decoded. Rejects with a
 * `FormatError` for what is no Parquet or damaged, and for columns of lists, records or bytes that are not left out.
 *
 * @example
 * import { byteRange } from '@nn/data';
 * import { parquetRows } from '@nn/data/parquet';
 * import { parquetWriteBuffer } from 'hyparquet-writer';
 * const columnData = [{ name: 'size', data: [1.5, 9] }, { name: 'kind', data: ['plum', 'apple'] }];
 * const rows = await parquetRows(byteRange(parquetWriteBuffer({ columnData })));
 * console.log(rows.length, await rows.get(1)); // => 2 { size: 9, kind: 'apple' }
 */
export async function parquetRows(range: ByteRange, options: ParquetOptions = {}): Promise<ParquetRows> {
  checkOptions('parquetRows', options, ['name', 'columns', 'keep', 'maxBytes']);
  checkRange('parquetRows', range);
  const { name = 'Parquet data', keep = 9, maxBytes = 2 ** 28 } = options;
  const reader = `parquetRows: ${name}`;
  checkWhole('parquetRows', { keep });
  if (!(maxBytes >= 0))
    throw new ValueError('parquetRows', `maxBytes ${maxBytes} is not a number of bytes.`, { maxBytes });
  const hyparquet = await optionalPackage('parquetRows', 'hyparquet', () => import('hyparquet'));
  if (range.size < 12) throw new FormatError(reader, `${range.size} bytes are too few for Parquet.`);
  const damaged = (error: unknown, where = ''): FormatError => {
    if (isNNError(error) && error.message.startsWith(reader)) return error as FormatError;
    // What hyparquet says of parts that it misses are names of its own.
    const isOfCode = error instanceof TypeError || error instanceof RangeError;
    const reason = isOfCode ? 'a part is missing or too short' : excerpt(String(Object(error).message ?? error), 200);
    return new FormatError(reader, `this is no Parquet, or damaged: ${where}${reason.replace(/\.$/, '')}.`);
  };
  const bytes = await footerBytes(range).catch((error: unknown) => {
    throw damaged(error);
  });
  let footer: Footer;
  try {
    footer = checkedFooter(hyparquet.parquetMetadata(bytes), range.size);
  } catch (error) {
    throw damaged(error);
  }
  const all = footer.columns.map((column) => column.name);
  const columns = options.columns ?? all;
  const chosen = columns.map((column) => footer.columns[columnPlace('parquetRows', name, all, column)]!);
  const codecs = new Set(footer.groups.flatMap(({ chunks }) => chosen.map(({ place }) => chunks[place]!.codec)));
  const unpackers = new Map<string, Unpack>();
  for (const codec of codecs) {
    const unpack = await unpackerOf(codec, () =>
      optionalPackage('parquetRows', 'hyparquet-compressors', () => import('hyparquet-compressors')),
    );
    if (!unpack) throw damaged(new Error(`pages are packed by ${codec}, which is not read`));
    unpackers.set(codec, unpack);
  }
  const starts = new Float64Array(footer.groups.length + 1);
  footer.groups.forEach(({ rows }, group) => {
    starts[group + 1] = starts[group]! + rows;
  });
  const length = starts.at(-1)!;

  /** The values of the chosen columns in the first `rows` rows of a row group. */
  const read = async (group: number, rows: number): Promise<readonly Values[]> => {
    const { rows: total, chunks } = footer.groups[group]!;
    const inFile = chosen.reduce((sum, { place }) => sum + chunks[place]!.size, 0);
    const refusal = (limit: number): FormatError =>
      new FormatError(
        reader,
        `row group ${group + 1} becomes more than ${limit} bytes: raise maxBytes, or leave columns out by naming columns.`,
        { rowGroup: group, limit },
      );
    const budget = new Budget(maxBytes, inFile, refusal);
    budget.take(8 * rows * chosen.length);
    const values: Values[] = [];
    for (const column of chosen) {
      if (column.nested) throw unfit(reader, column.name, column.nested);
      const chunk = chunks[column.place]!;
      const packed = new Uint8Array(await range.read(chunk.start, chunk.start + chunk.size));
      try {
        const pages = await checkedPages(packed, column, { rows, total }, unpackers.get(chunk.codec)!, budget);
        const decoded = await decode(hyparquet, packed, column, chunk.codec, rows, pages);
        if (column.isDecimal) checkDecimals(reader, column.name, decoded);
        values.push(decoded);
      } catch (error) {
        throw damaged(error, `row group ${group + 1}, column '${excerpt(column.name, 60)}': `);
      }
    }
    return values;
  };
  const kept = new Map<number, Promise<readonly Values[]>>();
  const groupOf = (group: number): Promise<readonly Values[]> => {
    let values = kept.get(group);
    if (!values) {
      values = read(group, footer.groups[group]!.rows);
      // What failed is read again when it is asked for again: a connection may be back.
      values.catch(() => kept.delete(group));
    }
    kept.delete(group); // and behind all others again
    if (kept.size >= keep) kept.delete(kept.keys().next().value!);
    kept.set(group, values);
    return values;
  };
  return {
    length,
    columns,
    blocks: starts.slice(0, -1),
    async get(index) {
      checkNumber('parquetRows', index, length);
      const group = blockAt(starts, index);
      const values = await groupOf(group);
      const row = index - starts[group]!;
      return Object.fromEntries(columns.map((column, i) => [column, plainValue(reader, column, values[i]![row])]));
    },
    async table(start, end) {
      const last = Math.min(end, length);
      const parts: unknown[][] = columns.map(() => []);
      for (let group = 0; group < footer.groups.length; group++) {
        const from = Math.max(start, starts[group]!);
        const to = Math.min(last, starts[group + 1]!);
        if (from >= to) continue;
        const values = await read(group, to - starts[group]!);
        values.forEach((each, i) => {
          for (let row = from; row < to; row++) parts[i]!.push(each[row - starts[group]!]);
        });
      }
      const lines = Int32Array.from({ length: Math.max(0, last - start) }, (_, i) => start + i + 1);
      return tableOf('parquetRows', name, Object.fromEntries(columns.map((column, i) => [column, parts[i]!])), lines);
    },
  };
}

/** Text that is none is an error, where the decoder would put marks; a mark of the order of bytes is a letter of it. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const parsers = {
  stringFromBytes(bytes: Uint8Array | undefined): string | undefined {
    if (bytes === undefined) return undefined;
    try {
      return utf8.decode(bytes);
    } catch {
      throw new Error('it holds bytes that are no text in UTF-8; leave it out by naming columns');
    }
  },
};

/** The values of one column by hyparquet, which is shown a file of this column alone, its pages unpacked. */
async function decode(
  { parquetRead }: typeof import('hyparquet'),
  { buffer, length }: Uint8Array<ArrayBuffer>,
  { element }: FileColumn,
  codec: string,
  rows: number,
  pages: ReadonlyMap<number, Uint8Array>,
): Promise<Values> {
  const meta = {
    type: element.type!,
    encodings: [],
    path_in_schema: [element.name],
    codec: codec as CompressionCodec,
    num_values: BigInt(rows),
    total_uncompressed_size: BigInt(length),
    total_compressed_size: BigInt(length),
    data_page_offset: 0n,
  };
  const unpacked = ({ byteOffset }: Uint8Array): Uint8Array => {
    const page = pages.get(byteOffset);
    if (page) return page;
    throw new Error('its pages are not those that were checked');
  };
  const parts: Values[] = [];
  await parquetRead({
    file: { byteLength: length, slice: () => buffer },
    metadata: {
      version: 1,
      schema: [{ name: 'schema', num_children: 1 }, element],
      num_rows: BigInt(rows),
      row_groups: [
        { columns: [{ file_offset: 0n, meta_data: meta }], total_byte_size: BigInt(length), num_rows: BigInt(rows) },
      ],
      metadata_length: 0,
    },
    compressors: { [codec]: unpacked },
    parsers,
    onChunk: ({ columnData }) => void parts.push(columnData),
  });
  const found = parts.reduce((sum, part) => sum + part.length, 0);
  if (found < rows) throw new Error(`it has ${found} of ${rows} values`);
  const values = joined(parts);
  // An index that leads behind the dictionary gives nothing, where a missing value gives null.
  if (Array.isArray(values) && values.includes(undefined)) throw new Error('a value is not in its dictionary');
  return values;
}

/** One array of them, of numbers where all are. */
function joined(parts: readonly Values[]): Values {
  if (parts.length === 1) return parts[0]!;
  const [first] = parts;
  if (first instanceof Float64Array && parts.every((part) => part instanceof Float64Array)) {
    const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part as Float64Array, at);
      at += part.length;
    }
    return all;
  }
  const all: unknown[] = [];
  for (const part of parts) for (let i = 0; i < part.length; i++) all.push(part[i]);
  return all;
}

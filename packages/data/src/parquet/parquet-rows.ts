/**
 * The rows of a Parquet file by their number: row groups are read when one of their rows is asked for, and a few are kept. The format is
 * hyparquet's, which is loaded when a file is opened, its decompressors when the file needs them.
 */
import { checkOptions, excerpt, FormatError, ValueError } from '@nn/core';
import type { Compressors } from 'hyparquet';
import { blockAt } from '../pipeline/order.ts';
import type { Source } from '../pipeline/source.ts';
import type { Table } from '../readers/csv.ts';
import { lz4Block } from '../readers/lz4.ts';
import type { ByteRange } from '../sources/byte-range.ts';
import { checkNumber } from '../sources/text-lines.ts';
import type { RawRow } from '../tables/raw.ts';
import { plainValue, tableOf } from '../tables/table-of.ts';

export interface ParquetOptions {
  /** What to call the file in messages. */
  readonly name?: string;
  /** The columns to read; all where not given. Others are not even fetched. */
  readonly columns?: readonly string[];
  /** Row groups that are kept in memory, 9 where not given: as many as `shuffle: 'blocks'` mixes, and one. */
  readonly keep?: number;
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

/** In place of the package's, which refuses pages of nulls alone: they are packed bytes of nothing. */
const own: Compressors = { LZ4_RAW: lz4Block };

type Rows = readonly Readonly<Record<string, unknown>>[];

/**
 * The rows of a Parquet file as samples, as `encodeRows` takes them: numbers, booleans, texts (dates in ISO 8601), null where a value is
 * missing. Shuffle by `'blocks'`: rows in any order would read a row group for each. Needs the package hyparquet, and
 * hyparquet-compressors for other packings than Snappy. Rejects with a `FormatError` for what is no Parquet, and for columns of
 * lists, records or bytes that are not left out.
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
  checkOptions('parquetRows', options, ['name', 'columns', 'keep']);
  const { name = 'Parquet data', keep = 9 } = options;
  const reader = `parquetRows: ${name}`;
  if (!Number.isInteger(keep) || keep < 1) {
    throw new ValueError('parquetRows', `keep ${keep} is not a whole number, 1 or more.`, { keep });
  }
  const { parquetMetadataAsync, parquetReadObjects } = await library('hyparquet', () => import('hyparquet'));
  const file = {
    byteLength: range.size,
    async slice(start: number, end: number = range.size): Promise<ArrayBuffer> {
      return new Uint8Array(await range.read(start, end)).buffer;
    },
  };
  if (range.size < 12) throw new FormatError(reader, `${range.size} bytes are too few for Parquet.`);
  const failed = (error: unknown): never => {
    throw new FormatError(reader, `this is no Parquet, or damaged: ${error instanceof Error ? error.message : error}`);
  };
  const metadata = await parquetMetadataAsync(file).catch(failed);
  const known = metadata.schema.slice(1).map((element) => element.name);
  const top = metadata.row_groups[0]?.columns.map(({ meta_data: column }) => column?.path_in_schema[0] ?? '') ?? known;
  const all = [...new Set(top)];
  const columns = options.columns ?? all;
  const absent = columns.find((column) => !all.includes(column));
  if (absent !== undefined) {
    throw new ValueError('parquetRows', `${name} has no column '${excerpt(absent, 60)}'; it has ${all.join(', ')}.`, {
      column: absent,
    });
  }
  const codecs = metadata.row_groups.flatMap((group) => group.columns.map(({ meta_data: column }) => column?.codec));
  const isPacked = codecs.some((codec) => codec !== undefined && codec !== 'UNCOMPRESSED' && codec !== 'SNAPPY');
  const packing: { readonly compressors?: Compressors } = isPacked
    ? {
        compressors: {
          ...(await library('hyparquet-compressors', () => import('hyparquet-compressors'))).compressors,
          ...own,
        },
      }
    : {};
  const starts = new Float64Array(metadata.row_groups.length + 1);
  metadata.row_groups.forEach(({ num_rows: rows }, group) => {
    starts[group + 1] = starts[group]! + Number(rows);
  });
  const length = starts.at(-1)!;
  const kept = new Map<number, Promise<Rows>>();
  const read = (rowStart: number, rowEnd: number): Promise<Rows> =>
    parquetReadObjects({ file, metadata, columns: [...columns], rowStart, rowEnd, ...packing }).catch(failed);
  const groupOf = (group: number): Promise<Rows> => {
    let rows = kept.get(group);
    if (!rows) {
      rows = read(starts[group]!, starts[group + 1]!);
      // What failed is read again when it is asked for again: a connection may be back.
      rows.catch(() => kept.delete(group));
    }
    kept.delete(group); // and behind all others again
    if (kept.size >= keep) kept.delete(kept.keys().next().value!);
    kept.set(group, rows);
    return rows;
  };
  return {
    length,
    columns,
    blocks: starts.slice(0, -1),
    async get(index) {
      checkNumber('parquetRows', index, length);
      const group = blockAt(starts, index);
      const row = (await groupOf(group))[index - starts[group]!]!;
      return Object.fromEntries(columns.map((column) => [column, plainValue(reader, column, row[column])]));
    },
    async table(start, end) {
      const last = Math.min(end, length);
      const rows = start < last ? await read(start, last) : [];
      const values = columns.map((column) => [column, rows.map((row) => row[column])] as const);
      const lines = Int32Array.from({ length: rows.length }, (_, i) => start + i + 1);
      return tableOf('parquetRows', name, Object.fromEntries(values), lines);
    },
  };
}

/** The module of a package that users install themselves. */
async function library<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw new ValueError('parquetRows', `the package ${name} cannot be loaded: npm install ${name}. ${String(error)}`, {
      package: name,
    });
  }
}

/** Arrow's files and streams (IPC, also called Feather 2) as tables. The format is flechette's, which is loaded when it is needed. */
import { checkOptions, excerpt, FormatError, ValueError } from '@nn/core';
import type { Table } from '../readers/csv.ts';
import { type ByteSource, bytesOf } from '../readers/gunzip.ts';
import { lz4Frame } from '../readers/lz4.ts';
import { tableOf } from '../tables/table-of.ts';

type Flechette = typeof import('@uwdata/flechette');

export interface ArrowOptions {
  /** What to call the data in messages. */
  readonly name?: string;
  /** The columns to read; all where not given. */
  readonly columns?: readonly string[];
}

/**
 * Reads an Arrow file or stream into a table, as `parseCsv` makes one: numbers, booleans, categories (dictionaries are resolved, dates
 * in ISO 8601). Needs the package @uwdata/flechette. Rejects with a `FormatError` for what is no Arrow, and for columns of
 * lists, records or bytes that are not left out.
 *
 * @example
 * import { tableFromArrays, tableToIPC } from '@uwdata/flechette';
 * import { readArrow } from '@nn/data/arrow';
 * const bytes = tableToIPC(tableFromArrays({ size: [1.5, 9], kind: ['plum', null] }), {});
 * const { columns } = await readArrow(bytes ?? new Uint8Array());
 * console.log(columns.map(({ name, kind }) => `${name} ${kind}`)); // => [ 'size number', 'kind category' ]
 */
export async function readArrow(source: ByteSource, options: ArrowOptions = {}): Promise<Table> {
  checkOptions('readArrow', options, ['name', 'columns']);
  const { name = 'Arrow data' } = options;
  const bytes = await bytesOf(source);
  if (bytes.length === 0) throw new FormatError(`readArrow: ${name}`, 'there are no bytes.');
  const loaded = await import('@uwdata/flechette').catch((error: unknown) => {
    throw new ValueError(
      'readArrow',
      `the package @uwdata/flechette cannot be loaded: npm install @uwdata/flechette. ${String(error)}`,
      { package: '@uwdata/flechette' },
    );
  });
  // Node finds its CommonJS, whose names some loaders leave behind `default`.
  const flechette = 'tableFromIPC' in loaded ? loaded : (loaded as { default: Flechette }).default;
  const undamaged = <T>(read: () => T): T => {
    try {
      return read();
    } catch (error) {
      if (error === noZstd) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new FormatError(`readArrow: ${name}`, `this is no Arrow, or damaged: ${excerpt(reason, 200)}`);
    }
  };
  const parse = () => undamaged(() => flechette.tableFromIPC(bytes, { useDate: true, useBigInt: true }));
  registerCodecs(flechette);
  let table: ReturnType<typeof parse>;
  try {
    table = parse();
  } catch (error) {
    if (error !== noZstd) throw error;
    await loadZstd(flechette);
    table = parse();
  }
  const all = table.names.map(String);
  const absent = options.columns?.find((column) => !all.includes(column));
  if (absent !== undefined) {
    throw new ValueError('readArrow', `${name} has no column '${excerpt(absent, 60)}'; it has ${all.join(', ')}.`, {
      column: absent,
    });
  }
  const columns: Record<string, readonly unknown[]> = Object.create(null);
  for (const column of options.columns ?? all) {
    columns[column] = undamaged(() => Array.from(table.getChild(column).toArray()));
  }
  const lines = undamaged(() => new Int32Array(table.numRows)).map((_, i) => i + 1);
  return tableOf('readArrow', name, columns, lines);
}

/** What stands for Zstandard until a file needs it. */
const noZstd = new Error('Zstandard is not loaded.');

/** LZ4, which writers use where nothing else is said, and Zstandard to be loaded; a page's own codecs stay. */
function registerCodecs({ CompressionType, getCompressionCodec, setCompressionCodec }: Flechette): void {
  const { LZ4_FRAME, ZSTD } = CompressionType;
  if (getCompressionCodec(LZ4_FRAME) === null) setCompressionCodec(LZ4_FRAME, { encode: readsAlone, decode: lz4Frame });
  if (getCompressionCodec(ZSTD) !== null) return;
  const decode = (): never => {
    throw noZstd;
  };
  setCompressionCodec(ZSTD, { encode: readsAlone, decode });
}

async function loadZstd({ CompressionType, setCompressionCodec }: Flechette): Promise<void> {
  const { compressors } = await import('hyparquet-compressors').catch((error: unknown) => {
    throw new ValueError(
      'readArrow',
      `the data is packed by Zstandard, and the package hyparquet-compressors cannot be loaded: npm install hyparquet-compressors. ${String(error)}`,
      { package: 'hyparquet-compressors' },
    );
  });
  // a copy, because numbers of eight bytes must stand at a multiple of eight
  const decode = (packed: Uint8Array, length: number): Uint8Array => compressors.ZSTD!(packed, length).slice();
  setCompressionCodec(CompressionType.ZSTD, { encode: readsAlone, decode });
}

/** Writing packed Arrow with the codecs of a reader would give what is not packed. */
function readsAlone(): never {
  throw new ValueError(
    'readArrow',
    'its codecs unpack alone: give one that packs to setCompressionCodec of @uwdata/flechette.',
  );
}

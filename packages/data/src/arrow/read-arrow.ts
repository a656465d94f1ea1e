/** Arrow's files and streams (IPC, also called Feather 2) as tables. The format is flechette's, which is loaded when it is needed. */
import { checkOptions, excerpt, FormatError, isNNError, ValueError } from '@nn/core';
import { Budget } from '../readers/budget.ts';
import type { Table } from '../readers/csv.ts';
import { type ByteSource, bytesOf } from '../readers/gunzip.ts';
import { lz4Frame } from '../readers/lz4.ts';
import { optionalPackage } from '../readers/optional-package.ts';
import { zstandard } from '../readers/zstandard.ts';
import { checkDecimals, columnPlace, tableOf, unfit } from '../tables/table-of.ts';
import { checkedArrow } from './check.ts';
import { type Field, isDecimal } from './layout.ts';

type Flechette = typeof import('@uwdata/flechette');

export interface ArrowOptions {
  /** What to call the data in messages. */
  readonly name?: string;
  /** The columns to read; all where not given. */
  readonly columns?: readonly string[];
  /**
   * Bytes that the data may become, where that is more than 32 times the file; 2^28 where not given. Counted are the unpacked buffers and
   * 8 bytes for each value.
   */
  readonly maxBytes?: number;
}

/**
 * Reads an Arrow file or stream into a table, as `parseCsv` makes one: numbers, booleans, categories (dictionaries are resolved, dates
 * in ISO 8601). Needs the package @uwdata/flechette. All of it is checked before it is decoded. Rejects with a `FormatError` for what is no
 * Arrow or damaged, and for columns of lists, records or bytes that are not left out.
 *
 * @example
 * import { tableFromArrays, tableToIPC } from '@uwdata/flechette';
 * import { readArrow } from '@nn/data/arrow';
 * const bytes = tableToIPC(tableFromArrays({ size: [1.5, 9], kind: ['plum', null] }), {});
 * const { columns } = await readArrow(bytes ?? new Uint8Array());
 * console.log(columns.map(({ name, kind }) => `${name} ${kind}`)); // => [ 'size number', 'kind category' ]
 */
export async function readArrow(source: ByteSource, options: ArrowOptions = {}): Promise<Table> {
  checkOptions('readArrow', options, ['name', 'columns', 'maxBytes']);
  const { name = 'Arrow data', maxBytes = 2 ** 28 } = options;
  if (!(maxBytes >= 0))
    throw new ValueError('readArrow', `maxBytes ${maxBytes} is not a number of bytes.`, { maxBytes });
  const given = await bytesOf(source);
  // Numbers of eight bytes must stand at a multiple of eight.
  const bytes = given.byteOffset % 8 === 0 ? given : given.slice();
  if (bytes.length === 0) throw new FormatError(`readArrow: ${name}`, 'there are no bytes.');
  const loaded = await optionalPackage('readArrow', '@uwdata/flechette', () => import('@uwdata/flechette'));
  // Node finds its CommonJS, whose names some loaders leave behind `default`.
  const flechette = 'tableFromIPC' in loaded ? loaded : (loaded as { default: Flechette }).default;
  const undamaged = <T>(read: () => T): T => {
    try {
      return read();
    } catch (error) {
      if (error === noZstd || (isNNError(error) && error.message.startsWith('readArrow'))) throw error;
      // What is said of a place behind the end of the bytes is a sentence of the engine's.
      const reason =
        error instanceof RangeError ? 'it is cut off, or leads out of itself' : String(Object(error).message);
      throw new FormatError(`readArrow: ${name}`, `this is no Arrow, or damaged: ${excerpt(reason, 200)}.`);
    }
  };
  const check = (): readonly Field[] => {
    const refusal = (limit: number): FormatError =>
      new FormatError(`readArrow: ${name}`, `the data becomes more than ${limit} bytes: raise maxBytes.`, { limit });
    const budget = new Budget(maxBytes, bytes.length, refusal);
    const buffers = new Map<number, Uint8Array>();
    unpackedOf.set(bytes.buffer, buffers);
    const unpack = (codec: number, packed: Uint8Array, length: number): Uint8Array => {
      const known = codec as Parameters<typeof flechette.getCompressionCodec>[0];
      const decoder = flechette.getCompressionCodec(known);
      if (!decoder) throw new Error(`buffers are packed by codec ${codec}, which is not known`);
      const buffer = decoder.decode(packed, length);
      if (buffer.length !== length) throw new Error(`a buffer unpacks to ${buffer.length} bytes, not ${length}`);
      buffers.set(packed.byteOffset, buffer);
      return buffer;
    };
    return checkedArrow(bytes, unpack, budget);
  };
  registerCodecs(flechette);
  let fields: readonly Field[];
  try {
    fields = undamaged(check);
  } catch (error) {
    if (error !== noZstd) throw error;
    await loadZstd(flechette);
    fields = undamaged(check);
  }
  const table = undamaged(() => flechette.tableFromIPC(bytes, { useDate: true, useBigInt: true }));
  unpackedOf.delete(bytes.buffer);
  const all = fields.map((field) => field.name);
  const columns: Record<string, readonly unknown[]> = Object.create(null);
  for (const column of options.columns ?? all) {
    const place = columnPlace('readArrow', name, all, column);
    const field = fields[place]!;
    if (field.unfit) throw unfit(`readArrow: ${name}`, column, field.unfit);
    const values = undamaged(() => Array.from(table.getChildAt(place).toArray()));
    if (isDecimal(field)) checkDecimals(`readArrow: ${name}`, column, values);
    columns[column] = values;
  }
  const lines = undamaged(() => new Int32Array(table.numRows)).map((_, i) => i + 1);
  return tableOf('readArrow', name, columns, lines);
}

/** What stands for Zstandard until a file needs it. */
const noZstd = new Error('Zstandard is not loaded.');

/** The buffers of files that were unpacked to be looked through, by the places of their packed bytes: flechette asks for them again. */
const unpackedOf = new WeakMap<ArrayBufferLike, Map<number, Uint8Array>>();

function once(decode: (packed: Uint8Array, length: number) => Uint8Array) {
  return (packed: Uint8Array, length: number): Uint8Array =>
    unpackedOf.get(packed.buffer)?.get(packed.byteOffset) ?? decode(packed, length);
}

/** LZ4, which writers use where nothing else is said, and Zstandard to be loaded; a page's own codecs stay. */
function registerCodecs({ CompressionType, getCompressionCodec, setCompressionCodec }: Flechette): void {
  const { LZ4_FRAME, ZSTD } = CompressionType;
  if (getCompressionCodec(LZ4_FRAME) === null) {
    setCompressionCodec(LZ4_FRAME, { encode: readsAlone, decode: once(lz4Frame) });
  }
  if (getCompressionCodec(ZSTD) !== null) return;
  const decode = (): never => {
    throw noZstd;
  };
  setCompressionCodec(ZSTD, { encode: readsAlone, decode });
}

async function loadZstd({ CompressionType, setCompressionCodec }: Flechette): Promise<void> {
  const unpack = await zstandard(() =>
    optionalPackage(
      'readArrow',
      'hyparquet-compressors',
      () => import('hyparquet-compressors'),
      'the data is packed by Zstandard, and ',
    ),
  );
  // a copy, because numbers of eight bytes must stand at a multiple of eight
  const decode = (packed: Uint8Array, length: number): Uint8Array => unpack(packed, length).slice();
  setCompressionCodec(CompressionType.ZSTD, { encode: readsAlone, decode: once(decode) });
}

/** Writing packed Arrow with the codecs of a reader would give what is not packed. */
function readsAlone(): never {
  throw new ValueError(
    'readArrow',
    'its codecs unpack alone: give one that packs to setCompressionCodec of @uwdata/flechette.',
  );
}

/** Parquet that is damaged, or made to do harm: refused where it is wrong, before it takes time or memory. */
import { FormatError } from '@nn/core';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { Budget } from '../readers/budget.ts';
import { byteRange } from '../sources/byte-range.ts';
import { unpackerOf } from './codecs.ts';
import { checkAlp, checkDeltas, checkDeltaTexts, checkRuns, checkTexts, readLengths } from './encodings.ts';
import { parquetRows } from './index.ts';
import { checkedPages } from './pages.ts';
import { snappy } from './snappy.ts';
import { readStruct } from './thrift.ts';

/** Numbers as thrift and Parquet write them, seven bits in a byte. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}
const at = (...bytes: readonly number[]) => ({ bytes: Uint8Array.from(bytes), at: 0 });
/** A struct of numbers, truths and structs, whose fields are counted from 1; undefined leaves one out. */
type Fields = readonly (number | boolean | Fields | undefined)[];
function struct(fields: Fields): number[] {
  let last = 0;
  const bytes = fields.flatMap((value, index) => {
    if (value === undefined) return [];
    const delta = (index + 1 - last) << 4;
    last = index + 1;
    if (typeof value === 'boolean') return [delta | (value ? 1 : 2)];
    if (typeof value === 'number') return [delta | 5, ...varint(value < 0 ? -2 * value - 1 : 2 * value)];
    return [delta | 12, ...struct(value)];
  });
  return [...bytes, 0];
}

describe('thrift', () => {
  it('keeps numbers, truths and structs, and goes over the rest', () => {
    const bytes = [0x15, 8, 0x18, 2, 65, 66, 0x19, 0x25, 1, 2, 0x17, 0, 0, 0, 0, 0, 0, 0, 0, 0x11, 0x1c, 0x15, 5, 0, 0];
    const cursor = at(...bytes, 99);
    const fields = readStruct(cursor);
    expect([cursor.at, fields.get(1), fields.get(5)]).toEqual([bytes.length, 4, true]);
    expect(fields.get(6)).toEqual(new Map([[1, -3]]));
  });

  it.each([
    ['the bytes end in the middle', [0x15]],
    ['a number has more than 32 bits', [0x15, 255, 255, 255, 255, 255, 1, 0]],
    ['a number has more than 32 bits', [0x15, 255, 255, 255, 255, 127, 0]],
    ['a number has more than 64 bits', [0x16, ...new Array(11).fill(128), 0]],
    ['4294967295 bytes are more than the 1 that are left', [0x18, 255, 255, 255, 255, 15, 0]],
    ['a list of 268435455 is longer than what is left', [0x19, 0xf5, 255, 255, 255, 127, 0]],
    ['there is no type 11', [0x1b, 0]],
    ['structs are nested more than 32 deep', new Array(100).fill(0x1c)],
    ['lists are nested more than 32 deep', [0x19, ...new Array(100).fill(0x19)]],
  ])('%s', (message, bytes) => {
    expect(() => readStruct(at(...bytes))).toThrow(message);
  });
});

describe('encodings', () => {
  it('counts what is in runs, and goes behind them', () => {
    // three times 1, then eight packed bits of which five count
    const cursor = at(6, 1, 3, 0b10101, 7);
    expect([checkRuns(cursor, 1, 8), cursor.at]).toEqual([6, 4]);
    expect(checkRuns(at(2, 0, 0, 12, 5, 0), 9, 7)).toBe(6);
  });

  it.each([
    ['a run of 1073741824 is longer than the 8 values that are left', () => checkRuns(at(...varint(2 ** 31)), 1, 8)],
    [
      'a run of 4294967288 is longer than the 8 values that are left',
      () => checkRuns(at(...varint(2 ** 30 - 1)), 0, 8),
    ],
    ['the packed bits end in the middle', () => checkRuns(at(5, 1), 1, 16)],
    ['the bytes end in the middle', () => checkRuns(at(0, 0, 0, 0), 1, 8)],
    ['numbers of 25 bits are no indices', () => checkRuns(at(2, 0), 25, 1)],
    ['blocks of 128 in 0 parts are none', () => checkDeltas(at(128, 1, 0, 2, 0), 2)],
    ['9 numbers are announced, 2 expected', () => checkDeltas(at(128, 1, 4, 9, 0), 2)],
    ['a difference of 65 bits is none', () => checkDeltas(at(128, 1, 4, 2, 0, 0, 65, 0, 0, 0), 2)],
    ['the differences end in the middle', () => checkDeltas(at(128, 1, 4, 9, 0, 0, 8, 0, 0, 0, 1), 9)],
    ['a length is negative', () => readLengths(at(128, 1, 4, 1, 1), 1)],
    ['a text shares 4 bytes with one of 0', () => checkDeltaTexts(at(128, 1, 4, 1, 8, 128, 1, 4, 1, 0), 1, true, 99)],
    ['5 bytes are more than the 0 that are left', () => checkTexts(at(5, 0, 0, 0), 1, 99)],
    ['a value of 40 bytes is longer than 32', () => checkTexts(at(40, 0, 0, 0, ...new Array(40).fill(0)), 1, 32)],
    ['vectors of other than 3 values', () => checkAlp(at(0, 0, 3, 4, 0, 0, 0), 3, true)],
    [
      '9 exceptions among 3 values',
      () => checkAlp(at(0, 0, 3, 3, 0, 0, 0, 4, 0, 0, 0, 1, 1, 9, 0, 0, 0, 0, 0, 0), 3, false),
    ],
  ])('%s', (message, check) => {
    expect(check).toThrow(message);
  });

  it('counts texts that each repeat the one before', () => {
    // lengths 100 and then 99 of them with one more: 100 + 100 bytes of 101
    const lengths = (first: number, second: number) => {
      const delta = second - first;
      return [128, 1, 4, 2, ...varint(2 * first), ...varint(delta < 0 ? -2 * delta - 1 : 2 * delta), 0, 0, 0, 0];
    };
    const cursor = at(...lengths(0, 99), ...lengths(100, 1), ...new Array(101).fill(65));
    expect([checkDeltaTexts(cursor, 2, true, 1e6), cursor.at]).toEqual([200, cursor.bytes.length]);
  });
});

describe('packed pages', () => {
  it.each([
    ['literals and copies', [7, 4, 65, 66, 0b10010, 2, 0], 'ABABABA'],
    ['a long literal', [61, 60 << 2, 60, ...new Array(61).fill(67)], 'C'.repeat(61)],
    ['a copy that reaches into itself', [9, 0, 65, 0b10001, 1], 'A'.repeat(9)],
  ])('Snappy: %s', (_, bytes, text) => {
    expect(new TextDecoder().decode(snappy(Uint8Array.from(bytes), text.length))).toBe(text);
  });

  it.each([
    ['a literal of a negative length', [4, 63 << 2, 255, 255, 255, 255, 65]],
    ['a copy from before the beginning', [4, 0, 65, 2, 9, 0]],
    ['a copy of nothing', [4, 0, 65, 2, 0, 0]],
    ['more than there should be', [4, 4 << 2, 65, 66, 67, 68, 69]],
    ['less than there should be', [4, 0, 65]],
    ['another length', [5, 4 << 2, 65, 66, 67, 68, 69]],
  ])('Snappy refuses %s', (_, bytes) => {
    expect(() => snappy(Uint8Array.from(bytes), 4)).toThrow();
  });

  it('LZ4 of Hadoop is blocks behind their lengths', async () => {
    const unpack = (await unpackerOf('LZ4', () => Promise.reject(new Error('none'))))!;
    const blocks = [0, 0, 0, 2, 0, 0, 0, 3, 0x20, 65, 66, 0, 0, 0, 1, 0, 0, 0, 2, 0x10, 67];
    expect(await unpack(Uint8Array.from(blocks), 3)).toEqual(Uint8Array.of(65, 66, 67));
    expect(await unpack(Uint8Array.of(0x20, 65, 66), 2)).toEqual(Uint8Array.of(65, 66));
    await expect((async () => unpack(Uint8Array.from(blocks), 4))()).rejects.toThrow();
  });

  it('Zstandard without a size in its frame is counted', async () => {
    const load = () => import('hyparquet-compressors');
    const unpack = (await unpackerOf('ZSTD', load))!;
    // one block of bytes as they are, one of a byte repeated
    const frame = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0xff, 24, 0, 0, 65, 66, 67, 35, 0, 0, 68);
    const size = async (length: number) => (await unpack(frame, length)).length;
    expect(await size(7)).toBe(7);
    await expect(size(6)).rejects.toThrow();
    await expect(size(8)).rejects.toThrow();
  });
});

describe('pages', () => {
  const column = { name: 'x', type: 'INT32', typeLength: 0, isOptional: false, isDecimal: false };
  const budget = (limit: number) => new Budget(limit, 0, (most) => new Error(`more than ${most} are too many`));
  const check = (bytes: readonly number[], rows: number, given: Partial<typeof column> = {}, limit = 1e6) =>
    checkedPages(
      Uint8Array.from(bytes),
      { ...column, ...given },
      { rows, total: rows },
      (packed) => packed,
      budget(limit),
    );
  const page = (size: number, packed: number | undefined, head: Fields) => struct([0, size, packed, undefined, head]);

  it('are found by the places of their bytes', async () => {
    const head = page(8, 8, [2, 0, 3, 3]);
    const bytes = [...head, ...new Array(8).fill(1), ...head, ...new Array(8).fill(2)];
    const pages = await check(bytes, 4);
    expect([...pages].map(([place, { length }]) => [place, length])).toEqual([
      [head.length, 8],
      [2 * head.length + 8, 8],
    ]);
  });

  it.each([
    ['page 1: its packed size is not told', [...page(8, undefined, [2, 0, 3, 3]), 1, 1, 1, 1, 1, 1, 1, 1]],
    ['page 1: its packed size is -9', [...page(8, -9, [2, 0, 3, 3]), 1, 1, 1, 1, 1, 1, 1, 1]],
    ['page 1: 900 bytes are more than the 8 that are left', [...page(8, 900, [2, 0, 3, 3]), 1, 1, 1, 1, 1, 1, 1, 1]],
    ['page 1: 8 bytes are more than the 4 that are left', [...page(4, 4, [2, 0, 3, 3]), 1, 1, 1, 1, 0, 0, 0, 0]],
    ['page 1: its number of values is -2', [...page(8, 8, [-2, 0, 3, 3]), 1, 1, 1, 1, 1, 1, 1, 1]],
    ['page 1: with it there are 3 values for 2 rows', [...page(12, 12, [3, 0, 3, 3]), ...new Array(12).fill(0)]],
    ['page 1: there is no dictionary', [...page(2, 2, [2, 8, 3, 3]), 0, 0]],
    ['page 1: the encoding 6 is not one of such values', [...page(2, 2, [2, 6, 3, 3]), 0, 0]],
    ['page 1: there are no pages of kind 7', [...struct([7, 2, 2]), 0, 0]],
    ['it ends after 0 of 2 values', []],
    ['it ends after 1 of 2 values', [...page(4, 4, [1, 0, 3, 3]), 0, 0, 0, 0]],
  ])('%s', async (message, bytes) => {
    await expect(check(bytes, 2)).rejects.toThrow(message);
  });

  it('levels stay in the page, and say how many values there are', async () => {
    const optional = { isOptional: true };
    await check([...page(14, 14, [3, 0, 3, 3]), 2, 0, 0, 0, 3, 0b101, 1, 0, 0, 0, 2, 0, 0, 0], 3, optional);
    await expect(
      check([...page(14, 14, [3, 0, 3, 3]), 99, 0, 0, 0, 3, 5, 1, 0, 0, 0, 2, 0, 0, 0], 3, optional),
    ).rejects.toThrow('page 1: the levels leave the page');
    await expect(
      check([...page(14, 14, [3, 0, 3, 3]), 2, 0, 0, 0, 3, 7, 1, 0, 0, 0, 2, 0, 0, 0], 3, optional),
    ).rejects.toThrow('page 1: 12 bytes are more than the 8 that are left');
    const second = (nulls: number, levels: number) =>
      struct([3, 10, 10, undefined, undefined, undefined, undefined, [3, nulls, 3, 0, levels, 0, false]]);
    const body = [3, 0b101, 1, 0, 0, 0, 2, 0, 0, 0];
    await check([...second(1, 2), ...body], 3, optional);
    await expect(check([...second(0, 2), ...body], 3, optional)).rejects.toThrow(
      'page 1: 1 of 3 values are missing, not 0',
    );
    await expect(check([...second(1, 11), ...body], 3, optional)).rejects.toThrow('page 1: the levels leave the page');
  });

  it('are not unpacked beyond a limit', async () => {
    await expect(check([...page(2_000_000, 8, [2, 0, 3, 3]), ...new Array(8).fill(1)], 2)).rejects.toThrow(
      'more than 1000000 are too many',
    );
  });
});

describe('files', () => {
  const write = (rows: number, codec: 'UNCOMPRESSED' | 'SNAPPY' = 'UNCOMPRESSED') =>
    new Uint8Array(
      parquetWriteBuffer({
        codec,
        columnData: [
          { name: 'kind', data: Array.from({ length: rows }, () => 'plum'), type: 'STRING' },
          { name: 'size', data: Array.from({ length: rows }, (_, i) => i), type: 'INT32' },
        ],
      }),
    );
  const readAll = async (bytes: Uint8Array, options = {}) => {
    const rows = await parquetRows(byteRange(bytes), { name: 'a.parquet', ...options });
    return rows.get(rows.length - 1);
  };

  it('say which row group and column is damaged', async () => {
    const bytes = write(5);
    expect(await readAll(bytes)).toEqual({ kind: 'plum', size: 4 });
    const head = bytes.indexOf(0x15); // the kind of the first page
    bytes[head + 1] = 14;
    const error = await readAll(bytes).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(FormatError);
    expect(String(error)).toContain(
      "parquetRows: a.parquet: this is no Parquet, or damaged: row group 1, column 'kind': page 1: there are no pages of kind 7.",
    );
  });

  it('become no more than the limit', async () => {
    const bytes = write(20_000);
    expect(bytes.length).toBeLessThan(100_000);
    await expect(readAll(bytes, { columns: ['kind'], maxBytes: 100_000 })).rejects.toThrow(
      'parquetRows: a.parquet: row group 2 becomes more than 100000 bytes: raise maxBytes, or leave columns out by naming columns.',
    );
    expect(await readAll(bytes, { columns: ['kind'], maxBytes: 1e6 })).toEqual({ kind: 'plum' });
  });

  it('hold text, not bytes that would become marks', async () => {
    const bytes = write(3);
    bytes[bytes.findIndex((_, i) => String.fromCharCode(...bytes.subarray(i, i + 4)) === 'plum')] = 0xff;
    await expect(readAll(bytes)).rejects.toThrow(
      "column 'kind': it holds bytes that are no text in UTF-8; leave it out by naming columns.",
    );
  });

  it('end as they began', async () => {
    const bytes = write(3);
    await expect(readAll(bytes.subarray(0, bytes.length - 1))).rejects.toThrow('it does not end with PAR1.');
    const long = bytes.slice();
    new DataView(long.buffer).setUint32(long.length - 8, 1_000_000, true);
    await expect(readAll(long)).rejects.toThrow('a footer of 1000000 bytes is longer than the file.');
  });
});

/** Parquet and Arrow files that pyarrow wrote, in the codecs, encodings and versions that writers use: values as pyarrow reads them. */
import { FormatError } from '@nn/core';
import { CompressionType, tableFromArrays, tableToIPC } from '@uwdata/flechette';
import { describe, expect, it } from 'vitest';
import fixture from '../../fixtures/columnar.json' with { type: 'json' };
import { readArrow } from '../arrow/index.ts';
import type { Column } from '../readers/csv.ts';
import { lz4Block, lz4Frame } from '../readers/lz4.ts';
import { byteRange } from '../sources/byte-range.ts';
import { parquetRows } from './index.ts';

const bytesOf = (text: string): Uint8Array => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/** A column with null where a value is missing, and booleans as such. */
function plain({ kind, values }: Column): unknown[] {
  return Array.from(values as ArrayLike<number | string | null>, (value) => {
    if (typeof value === 'number' && Number.isNaN(value)) return null;
    return kind === 'boolean' ? value === 1 : value;
  });
}

const named = (columns: readonly Column[]) => Object.fromEntries(columns.map((column) => [column.name, plain(column)]));
const { expected } = fixture;
const names = Object.keys(expected) as (keyof typeof expected)[];
const rowsExpected = Array.from({ length: expected.double.length }, (_, i) =>
  Object.fromEntries(names.map((name) => [name, expected[name][i] ?? null])),
);

describe('Parquet of pyarrow', () => {
  it.each(Object.entries(fixture.parquet))('%s', async (_, text) => {
    const rows = await parquetRows(byteRange(bytesOf(text)));
    expect(rows.length).toBe(rowsExpected.length);
    expect([...rows.columns]).toEqual(names);
    const { columns } = await rows.table(0, rows.length);
    expect(named(columns)).toEqual(expected);
    for (const [i, row] of rowsExpected.entries()) expect(await rows.get(i)).toEqual(row);
  });
});

describe('Arrow of pyarrow', () => {
  it.each(Object.entries(fixture.arrow))('%s', async (_, text) => {
    const { columns } = await readArrow(bytesOf(text));
    expect(named(columns)).toEqual(expected);
  });

  it('packs nothing: a writer that asks for it is told so', async () => {
    await readArrow(bytesOf(fixture.packed.lz4));
    expect(() => tableToIPC(tableFromArrays({ size: [1] }), { codec: CompressionType.LZ4_FRAME })).toThrow(
      'readArrow: its codecs unpack alone: give one that packs to setCompressionCodec of @uwdata/flechette.',
    );
  });

  it.each(Object.entries(fixture.packed))('%s buffers', async (_, text) => {
    const { columns } = await readArrow(bytesOf(text));
    expect(named(columns)).toEqual(expected);
  });
});

describe('LZ4 of pyarrow', () => {
  it.each(fixture.lz4)('$times times $piece', ({ piece, times, block, frame }) => {
    const whole = piece.repeat(times);
    const size = new TextEncoder().encode(whole).length;
    // as texts, which are compared faster than arrays
    const text = (bytes: Uint8Array): string => new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    expect(text(lz4Block(bytesOf(block), size)) === whole).toBe(true);
    expect(text(lz4Frame(bytesOf(frame), size)) === whole).toBe(true);
    for (const length of [size - 1, size + 1].filter((n) => n >= 0)) {
      expect(() => lz4Block(bytesOf(block), length)).toThrow('lz4: the compressed bytes are damaged.');
      expect(() => lz4Frame(bytesOf(frame), length)).toThrow('lz4: the compressed bytes are damaged.');
    }
  });

  it('of which a byte is wrong or the end is missing gives other bytes or a FormatError', () => {
    const { piece, times, frame } = fixture.lz4[4]!;
    const [good, length] = [bytesOf(frame), piece.length * times];
    for (let at = 0; at < good.length; at++) {
      for (const bad of [good.subarray(0, at), good.with(at, good[at]! ^ 255), good.with(at, 0)]) {
        try {
          expect(lz4Frame(bad, length).length).toBe(length);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }
    }
  });

  it('in an Arrow file that is damaged is told as such', async () => {
    const bytes = bytesOf(fixture.packed.lz4);
    const start = bytes.findIndex((_, at) => new DataView(bytes.buffer).getUint32(at, true) === 0x184d2204);
    await expect(readArrow(bytes.with(start + 8, 77))).rejects.toThrow(
      'readArrow: Arrow data: this is no Arrow, or damaged: lz4: the compressed bytes are damaged.',
    );
  });
});

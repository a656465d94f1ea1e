/** Parquet and Arrow: what their own writers wrote comes back, row by row and as tables. */
import { cpu } from '@nn/backend-cpu';
import { FormatError, setDefaultBackend } from '@nn/core';
import { decimal, tableFromArrays, tableToIPC } from '@uwdata/flechette';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { beforeAll, describe, expect, it } from 'vitest';
import { readArrow } from '../arrow/index.ts';
import { dataPipeline } from '../pipeline/pipeline.ts';
import { byteRange } from '../sources/byte-range.ts';
import { parquetRows } from './index.ts';

beforeAll(() => setDefaultBackend(cpu()));

const count = 250;
const indices = Array.from({ length: count }, (_, i) => i);
const values = {
  size: indices.map((i) => (i % 9 === 4 ? null : i / 8)),
  count: indices.map((i) => i - 100),
  long: indices.map((i) => BigInt(i) * 1_000_000_007n),
  kind: indices.map((i) => (i % 7 === 3 ? null : ['plum', 'apple', 'grüße'][i % 3]!)),
  ripe: indices.map((i) => i % 2 === 0),
  day: indices.map((i) => new Date(86_400_000 * i)),
};

const written = (codec: 'SNAPPY' | 'UNCOMPRESSED' = 'SNAPPY') =>
  byteRange(
    parquetWriteBuffer({
      codec,
      rowGroupSize: 40,
      columnData: [
        { name: 'size', data: values.size, type: 'DOUBLE' },
        { name: 'count', data: values.count, type: 'INT32' },
        { name: 'long', data: values.long, type: 'INT64' },
        { name: 'kind', data: values.kind, type: 'STRING' },
        { name: 'ripe', data: values.ripe, type: 'BOOLEAN' },
        { name: 'day', data: values.day, type: 'TIMESTAMP' },
      ],
    }),
  );

const expectedRow = (i: number) => ({
  size: values.size[i],
  count: values.count[i],
  long: Number(values.long[i]),
  kind: values.kind[i],
  ripe: values.ripe[i],
  day: values.day[i]!.toISOString(),
});

/** As a table has it. */
const expectedColumns = {
  size: Float64Array.from(values.size, (x) => x ?? Number.NaN),
  count: Float64Array.from(values.count),
  long: Float64Array.from(values.long, Number),
  kind: values.kind,
  ripe: Float64Array.from(values.ripe, Number),
  day: values.day.map((day) => day.toISOString()),
};

describe('parquetRows', () => {
  it.each(['SNAPPY', 'UNCOMPRESSED'] as const)('gives rows and tables, %s', async (codec) => {
    const rows = await parquetRows(written(codec));
    expect([rows.length, [...rows.blocks]]).toEqual([count, [0, 40, 80, 120, 160, 200, 240]]);
    for (const i of [0, 4, 39, 40, 241, 249]) expect(await rows.get(i)).toEqual(expectedRow(i));
    const { columns, lines } = await rows.table(0, 1000);
    expect(Object.fromEntries(columns.map((column) => [column.name, column.values]))).toEqual(expectedColumns);
    expect(lines).toEqual(Int32Array.from(indices, (i) => i + 1));
    const part = await rows.table(38, 42);
    expect([...part.lines]).toEqual([39, 40, 41, 42]);
    expect(part.columns[1]?.values).toEqual(Float64Array.of(-62, -61, -60, -59));
  });

  it('reads each row group once where blocks are shuffled, and only the columns that were asked for', async () => {
    const whole = written();
    let bytes = 0;
    const range = {
      size: whole.size,
      read(start: number, end: number) {
        bytes += end - start;
        return whole.read(start, end);
      },
    };
    const rows = await parquetRows(range, { columns: ['count'], keep: 3 });
    const opened = bytes;
    const batches = dataPipeline(rows)
      .map(({ count: x }) => ({ x: Number(x) }))
      .batch(16, { shuffle: 'blocks', window: 2, seed: 1, dtypes: { x: 'int32' } });
    const seen: number[] = [];
    for await (const { x } of batches) seen.push(...((await x.array()) as number[]));
    expect([...seen].sort((a, b) => a - b)).toEqual(values.count);
    expect(seen).not.toEqual(values.count);
    expect(bytes - opened).toBeLessThan(whole.size / 2);
  });

  it('rounds no identifiers that are stored as decimals', async () => {
    const decimals = (unscaled: bigint[], scale: number) =>
      byteRange(
        parquetWriteBuffer({
          columnData: [{ name: 'id', data: unscaled }],
          schema: [
            { name: 'root', num_children: 1 },
            { name: 'id', type: 'INT64', repetition_type: 'REQUIRED', converted_type: 'DECIMAL', scale, precision: 18 },
          ],
        }),
      );
    const exact = await parquetRows(decimals([9007199254740991n, -9007199254740991n], 0));
    expect([await exact.get(0), await exact.get(1)]).toEqual([{ id: 2 ** 53 - 1 }, { id: 1 - 2 ** 53 }]);
    const close = await parquetRows(decimals([123456789012345678n, 123456789012345679n], 0));
    await expect(close.get(1)).rejects.toThrow(
      "parquetRows: Parquet data: column 'id' holds 123456789012345680, which has more digits than a number keeps; leave the column out by naming columns.",
    );
    await expect(close.table(0, 2)).rejects.toThrow(FormatError);
    const money = await parquetRows(decimals([123456789012345678n], 4));
    expect(await money.get(0)).toEqual({ id: 12345678901234.5678 });
  });

  it('says what it cannot read', async () => {
    await expect(parquetRows(byteRange(new Uint8Array(100)), { name: 'a.parquet' })).rejects.toThrow(
      'parquetRows: a.parquet: this is no Parquet, or damaged: ',
    );
    await expect(parquetRows(written(), { columns: ['sort'] })).rejects.toThrow(
      "parquetRows: Parquet data has no column 'sort'; it has size, count, long, kind, ripe, day.",
    );
    const nested = parquetWriteBuffer({
      columnData: [
        { name: 'far', data: [2n ** 60n], type: 'INT64' },
        { name: 'list', data: [{ a: [1, 2] }], type: 'JSON' },
      ],
    });
    const rows = await parquetRows(byteRange(nested), { columns: ['far'] });
    await expect(rows.get(0)).rejects.toThrow(
      "parquetRows: Parquet data: column 'far' holds 1152921504606846976, which has more digits than a number keeps; leave the column out by naming columns.",
    );
    await expect((await parquetRows(byteRange(nested), { columns: ['list'] })).get(0)).rejects.toThrow(
      "column 'list' holds records, which are no numbers or categories; leave it out by naming columns.",
    );
    await expect(rows.get(1)).rejects.toThrow('parquetRows: there is no sample 1 among 1.');
  });
});

describe('readArrow', () => {
  it.each(['file', 'stream'] as const)('gives the table of a %s', async (format) => {
    const bytes = tableToIPC(tableFromArrays(values), { format })!;
    const { columns, lines } = await readArrow(bytes);
    expect(Object.fromEntries(columns.map((column) => [column.name, column.values]))).toEqual(expectedColumns);
    expect(lines.length).toBe(count);
    const some = await readArrow(new Blob([new Uint8Array(bytes)]), { columns: ['ripe'] });
    expect(some.columns.map(({ name, kind }) => [name, kind])).toEqual([['ripe', 'boolean']]);
  });

  it('rounds no identifiers that are stored as decimals', async () => {
    const ids = (values: bigint[]) =>
      tableToIPC(tableFromArrays({ id: values }, { types: { id: decimal(38, 0) } }), {})!;
    expect((await readArrow(ids([9007199254740991n]))).columns[0]?.values).toEqual(Float64Array.of(2 ** 53 - 1));
    await expect(readArrow(ids([1n, 123456789012345678n]))).rejects.toThrow(
      "readArrow: Arrow data: column 'id' holds 123456789012345680, which has more digits than a number keeps; leave the column out by naming columns.",
    );
  });

  it('says what it cannot read', async () => {
    await expect(readArrow(new Uint8Array(0))).rejects.toThrow('readArrow: Arrow data: there are no bytes.');
    await expect(readArrow(new Uint8Array(40).fill(7), { name: 'a.arrow' })).rejects.toThrow(
      'readArrow: a.arrow: this is no Arrow, or damaged: ',
    );
    const bytes = tableToIPC(tableFromArrays({ list: [[1, 2], [3]] }), {})!;
    await expect(readArrow(bytes)).rejects.toThrow("readArrow: Arrow data: column 'list' holds ");
    await expect(readArrow(bytes, { columns: ['x'] })).rejects.toThrow(
      "readArrow: Arrow data has no column 'x'; it has list.",
    );
  });
});

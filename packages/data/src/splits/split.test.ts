import { describe, expect, it } from 'vitest';
import type { Table } from '../readers/csv.ts';
import { parseCsv } from '../readers/csv.ts';
import { Dataset } from '../samples/dataset.ts';
import { takeRows } from '../tables/table.ts';
import { splitTable, trainTestSplit } from './split.ts';

/** 100 samples numbered in `id`; classes 0, 1, 2 with 60, 30 and 10 of them. */
const dataset = new Dataset({
  id: { data: Int32Array.from({ length: 100 }, (_, i) => i), shape: [100] },
  targets: { data: Int32Array.from({ length: 100 }, (_, i) => (i % 10 < 6 ? 0 : i % 10 < 9 ? 1 : 2)), shape: [100] },
});

function counts(values: Int32Array): number[] {
  return [0, 1, 2].map((type) => values.filter((value) => value === type).length);
}

describe('trainTestSplit', () => {
  it('draws which of equally near classes get a place that is left over', () => {
    // 30 classes of two samples, a fifth for testing: 12 classes have one there, and each class sometimes.
    const classes = Int32Array.from({ length: 60 }, (_, i) => i % 30);
    const many = new Dataset({ targets: { data: classes, shape: [60] } });
    const tested = new Int32Array(30);
    for (let seed = 0; seed < 60; seed++) {
      const { test } = trainTestSplit(many, { stratifyBy: 'targets', seed });
      const own = test.fields.targets.data;
      expect([own.length, new Set(own).size]).toEqual([12, 12]);
      for (const each of own) tested[each]!++;
    }
    // 60 draws with the chance 0.4 have the mean 24 and the deviation 3.8.
    expect(tested.every((times) => times > 5 && times < 43)).toBe(true);
  });

  it('puts each sample into one part', () => {
    const { train, test } = trainTestSplit(dataset, { testFraction: 0.3, seed: 2 });
    expect([train.size, test.size]).toEqual([70, 30]);
    const every = [...train.fields.id.data, ...test.fields.id.data].sort((a, b) => a - b);
    expect(every).toEqual([...dataset.fields.id.data]);
  });

  it('is decided by its seed', () => {
    const ids = (seed: number): Int32Array => trainTestSplit(dataset, { seed }).test.fields.id.data;
    expect(ids(1)).toEqual(ids(1));
    expect(ids(1)).not.toEqual(ids(2));
  });

  it('gives each class its share when stratified', () => {
    const { train, test } = trainTestSplit(dataset, { testSize: 20, stratifyBy: 'targets', seed: 3 });
    expect(counts(test.fields.targets.data)).toEqual([12, 6, 2]);
    expect(counts(train.fields.targets.data)).toEqual([48, 24, 8]);
  });

  it('rounds shares so that the sizes come out exactly', () => {
    // 7 of 100: shares 4.2, 2.1 and 0.7, so the third class gets the one that is left.
    const { test } = trainTestSplit(dataset, { testSize: 7, stratifyBy: 'targets' });
    expect(counts(test.fields.targets.data)).toEqual([4, 2, 1]);
  });

  it('refuses empty parts and fields that are no classes', () => {
    expect(() => trainTestSplit(dataset, { testSize: 0 })).toThrow('0 of 100 samples for testing');
    expect(() => trainTestSplit(dataset, { testFraction: 1 })).toThrow('100 of 100 samples for testing');
    expect(() => trainTestSplit(dataset, { stratifyBy: 'color' })).toThrow("stratifyBy 'color' must name");
  });
});

describe('splitTable', () => {
  const table = parseCsv(
    `x,kind\n${Array.from({ length: 30 }, (_, i) => `${i},${i % 3 === 0 ? 'rare' : i % 5 === 0 ? '' : 'often'}`).join('\n')}`,
  );

  it('gives every row to one part, in the order of the table, by its seed', () => {
    const { train, test } = splitTable(table, { testFraction: 0.3, seed: 7 });
    expect([train.lines.length, test.lines.length, train.name]).toEqual([21, 9, table.name]);
    expect([...train.lines, ...test.lines].sort((a, b) => a - b)).toEqual([...table.lines]);
    for (const part of [train, test]) expect([...part.lines]).toEqual([...part.lines].sort((a, b) => a - b));
    expect(splitTable(table, { testFraction: 0.3, seed: 7 }).test.lines).toEqual(test.lines);
    expect(splitTable(table, { testFraction: 0.3, seed: 8 }).test.lines).not.toEqual(test.lines);
  });

  it('gives each category, and what is missing, its share', () => {
    const { test } = splitTable(table, { testSize: 15, stratifyBy: 'kind' });
    const count = (part: Table, kind: string | null): number =>
      [...(part.columns[1]?.values ?? [])].filter((value) => value === kind).length;
    for (const kind of ['rare', 'often', null]) expect(count(test, kind)).toBe(count(table, kind) / 2);
  });

  it('names the columns there are, and refuses empty parts', () => {
    expect(() => splitTable(table, { stratifyBy: 'constructor' })).toThrow(
      "splitTable: CSV data has no column 'constructor'; it has x, kind.",
    );
    expect(() => splitTable(table, { testSize: 30 })).toThrow(
      'splitTable: 30 of 30 samples for testing leave a part empty',
    );
    expect(() => splitTable(table, { testSize: 0.25 })).toThrow(
      'splitTable: testSize 0.25 is a number of samples; for a share of them set testFraction: 0.25.',
    );
    expect(() => takeRows(table, [30])).toThrow('takeRows: CSV data has no row 30 among 30.');
  });
});

import { describe, expect, it } from 'vitest';
import cases from '../../fixtures/folds.json' with { type: 'json' };
import { parseCsv } from '../readers/csv.ts';
import { Dataset } from '../samples/dataset.ts';
import { type FoldOptions, kFolds, timeSeriesFolds } from './folds.ts';
import { trainTestSplit } from './split.ts';

function datasetOf({ classes, groups }: { classes: readonly number[]; groups: readonly number[] }) {
  return new Dataset({
    classes: { data: Int32Array.from(classes), shape: [classes.length] },
    groups: { data: Int32Array.from(groups), shape: [groups.length] },
  });
}

/** The deviation of the classes' shares between folds, mean over the classes. */
function unevenness(tests: readonly (readonly number[])[], classes: readonly number[]): number {
  const kinds = [...new Set(classes)];
  const total = (kind: number): number => classes.filter((value) => value === kind).length;
  const deviations = kinds.map((kind) => {
    const shares = tests.map((test) => test.filter((i) => classes[i] === kind).length / total(kind));
    return Math.sqrt(shares.reduce((sum, share) => sum + (share - 1 / tests.length) ** 2, 0) / tests.length);
  });
  return deviations.reduce((a, b) => a + b) / kinds.length;
}

describe('folds of scikit-learn', () => {
  it.each(cases.folds.map((item) => [`${item.splitter} ${item.classes.length}/${item.folds}`, item] as const))(
    '%s',
    (_, item) => {
      const by: Record<string, FoldOptions> = {
        KFold: {},
        StratifiedKFold: { stratifyBy: 'classes' },
        StratifiedGroupKFold: { stratifyBy: 'classes', groupBy: 'groups' },
      };
      const found = kFolds(datasetOf(item), { folds: item.folds, ...by[item.splitter], onWarning: () => {} });
      if (item.splitter === 'StratifiedGroupKFold') {
        // Which of equal groups and folds comes first hangs on rounding there, so the balance is compared, not the folds.
        expect(
          unevenness(
            found.map(({ test }) => [...test]),
            item.classes,
          ),
        ).toBeLessThanOrEqual(unevenness(item.tests, item.classes) + 0.02);
      } else {
        expect(found.map(({ test }) => [...test])).toEqual(item.tests);
      }
      for (const { train, test } of found) {
        const every = [...train, ...test].sort((a, b) => a - b);
        expect(every).toEqual(item.classes.map((_class, i) => i));
      }
    },
  );

  it.each(cases.groups.map((item) => [item.groups.length, item] as const))('GroupKFold of %s', (_, item) => {
    const found = kFolds(datasetOf(item), { folds: item.folds, groupBy: 'groups' });
    expect(found.map(({ test }) => test.length).sort((a, b) => b - a)).toEqual(item.sizes);
  });

  it.each(cases.series.map((item) => [JSON.stringify(item.options), item] as const))(
    'TimeSeriesSplit %s',
    (_, item) => {
      const data = datasetOf({ classes: new Array(item.size).fill(0), groups: new Array(item.size).fill(0) });
      const found = timeSeriesFolds(data, item.options);
      expect(found.map(({ train, test }) => [[...train], [...test]])).toEqual(item.parts);
    },
  );
});

describe('kFolds', () => {
  const groups = Array.from({ length: 90 }, (_, i) => (i * i) % 17);
  const data = datasetOf({ classes: groups.map((group, i) => (group + i) % 3), groups });

  it('never parts a group, drawn or not', () => {
    for (const options of [
      {},
      { shuffle: true, seed: 3 },
      { stratifyBy: 'classes' },
      { stratifyBy: 'classes', shuffle: true },
    ]) {
      for (const { train, test } of kFolds(data, { folds: 4, groupBy: 'groups', ...options })) {
        const inTrain = new Set(Array.from(train, (i) => groups[i]));
        expect(Array.from(test, (i) => groups[i]).filter((group) => inTrain.has(group))).toEqual([]);
        expect(test.length).toBeGreaterThan(0);
      }
    }
  });

  it('is decided by its seed, and keeps shares when drawn', () => {
    const tests = (seed: number) =>
      kFolds(data, { folds: 3, shuffle: true, seed, stratifyBy: 'classes' }).map(({ test }) => [...test]);
    expect(tests(1)).toEqual(tests(1));
    expect(tests(1)).not.toEqual(tests(2));
    for (const test of tests(1)) expect(test.length).toBe(30);
    const counts = (kind: number) =>
      tests(5).map((test) => test.filter((i) => data.fields.classes.data[i] === kind).length);
    for (const kind of [0, 1, 2]) expect(Math.max(...counts(kind)) - Math.min(...counts(kind))).toBeLessThanOrEqual(1);
    expect(kFolds(data, { folds: 3, shuffle: true }).map(({ test }) => [...test])).not.toEqual(
      kFolds(data, { folds: 3 }).map(({ test }) => [...test]),
    );
  });

  it('takes the columns of a table', () => {
    const table = parseCsv(
      `who,kind\n${Array.from({ length: 12 }, (_, i) => `p${i % 4},${i % 2 ? 'a' : 'b'}`).join('\n')}\n`,
    );
    const folds = kFolds(table, { folds: 4, groupBy: 'who' });
    expect(folds.map(({ test }) => new Set(Array.from(test, (i) => i % 4)).size)).toEqual([1, 1, 1, 1]);
    expect(() => kFolds(table, { groupBy: 'name' })).toThrow("kFolds: CSV data has no column 'name'");
    const holes = parseCsv('who,kind\na,1\n,2\nb,3\n');
    expect(() => kFolds(holes, { folds: 2, groupBy: 'who' })).toThrow(
      "kFolds: groupBy 'who' is missing in row 1, so its group is not known; drop such rows with dropMissing.",
    );
  });

  it('says what cannot be done', () => {
    expect(() => kFolds(data, { folds: 1 })).toThrow('kFolds: 1 folds of 90 samples leave one empty');
    expect(() => kFolds(data, { folds: 18, groupBy: 'groups' })).toThrow(/kFolds: 18 folds of \d+ groups/);
    expect(() => kFolds(data, { seed: 1 })).toThrow('kFolds: a seed decides nothing without shuffle: true');
    const rare = datasetOf({ classes: [0, 0, 0, 0, 1, 1], groups: [0, 1, 2, 3, 4, 5] });
    expect(() => kFolds(rare, { folds: 5, stratifyBy: 'classes' })).toThrow(
      "kFolds: the largest class of 'classes' has 4 samples, too few for 5 folds; take fewer folds.",
    );
    const told: string[] = [];
    kFolds(rare, { folds: 3, stratifyBy: 'classes', onWarning: (message) => told.push(message) });
    expect(told).toEqual([
      "kFolds: the smallest class of 'classes' has 2 samples, so some of the 3 folds will have none of it.",
    ]);
    expect(() => timeSeriesFolds(rare, { folds: 2, testSize: 3 })).toThrow(
      'timeSeriesFolds: 2 folds of 3 samples and a gap of 0 leave nothing of 6 samples to train the first fold with',
    );
    expect(() => timeSeriesFolds(rare, { folds: 6 })).toThrow('6 folds of 1 samples and a gap of 0 leave nothing of 6');
    expect(() => timeSeriesFolds(rare, { gap: -1 })).toThrow(
      'timeSeriesFolds: gap -1 is not a whole number, 0 or more.',
    );
  });
});

describe('trainTestSplit by groups', () => {
  const groups = Array.from({ length: 100 }, (_, i) => Math.floor(i / 4));
  const data = datasetOf({ classes: groups.map((group) => group % 2), groups });

  it('keeps groups whole and comes as near to the size as they allow', () => {
    for (let seed = 0; seed < 20; seed++) {
      const { train, test } = trainTestSplit(data, { testSize: 21, groupBy: 'groups', seed });
      expect(test.size).toBe(20);
      const inTrain = new Set(train.fields.groups.data);
      expect(test.fields.groups.data.some((group) => inTrain.has(group))).toBe(false);
    }
    const uneven = datasetOf({ classes: [0, 0, 0, 0, 0], groups: [0, 0, 0, 1, 1] });
    for (let seed = 0; seed < 8; seed++) {
      expect(trainTestSplit(uneven, { testSize: 1, groupBy: 'groups', seed }).test.size).toBe(2);
      expect(trainTestSplit(uneven, { testSize: 4, groupBy: 'groups', seed }).train.size).toBeGreaterThan(0);
    }
  });

  it('sends those who want equal shares, too, to kFolds', () => {
    expect(() => trainTestSplit(data, { stratifyBy: 'classes', groupBy: 'groups' })).toThrow(
      'trainTestSplit: stratifyBy and groupBy together need the balance of several parts: take the first of kFolds(',
    );
    const one = datasetOf({ classes: [0, 1], groups: [7, 7] });
    expect(() => trainTestSplit(one, { testSize: 1, groupBy: 'groups' })).toThrow('groupBy finds 1 group');
  });
});

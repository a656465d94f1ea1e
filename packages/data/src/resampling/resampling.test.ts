/** Resampling against imbalanced-learn: fixtures of scripts/golden/resampling.py. What is drawn is checked as a property. */
import { describe, expect, it } from 'vitest';
import golden from '../../fixtures/resampling.json' with { type: 'json' };
import { Dataset, dense } from '../samples/dataset.ts';
import { editedNearestNeighbors, removeTomekLinks } from './cleaning.ts';
import { randomOversample, randomUndersample } from './random.ts';
import { smoteNc } from './smote-nc.ts';
import { adasyn, borderlineSmote, smote } from './synthetic.ts';

type Near = Readonly<Record<string, readonly number[]>>;

function datasetOf({ inputs, targets }: { inputs: readonly (readonly number[])[]; targets: readonly number[] }) {
  const id = { data: Int32Array.from(targets, (_, i) => i), shape: [targets.length] };
  return new Dataset({ inputs: dense(inputs), targets: dense(targets, 'int32'), id });
}

function countsOf(targets: Int32Array): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const target of targets) counts[target] = (counts[target] ?? 0) + 1;
  return counts;
}

/** How far along the line from a to b the point stands, or NaN where it does not. */
function along(point: readonly number[], a: readonly number[], b: readonly number[]): number {
  const way = b.map((value, i) => value - a[i]!);
  const length = way.reduce((sum, value) => sum + value ** 2, 0);
  const share = way.reduce((sum, value, i) => sum + value * (point[i]! - a[i]!), 0) / length;
  const off = Math.max(...way.map((value, i) => Math.abs(a[i]! + share * value - point[i]!)));
  return off < 1e-9 && share >= -1e-9 && share <= 1 + 1e-9 ? share : Number.NaN;
}

/** The samples from which a line to one of its ends goes through the point, with the place on it. */
function starts(
  point: readonly number[],
  inputs: readonly (readonly number[])[],
  near: Near,
): [from: number, share: number][] {
  return Object.entries(near).flatMap(([from, ends]) =>
    ends
      .map((end): [number, number] => [Number(from), along(point, inputs[Number(from)]!, inputs[end]!)])
      .filter(([, share]) => !Number.isNaN(share)),
  );
}

function made(result: ReturnType<typeof smote>, from: number): { point: number[]; target: number }[] {
  const { inputs, targets } = result.fields;
  const width = inputs.shape[1]!;
  return Array.from({ length: result.size - from }, (_, i) => ({
    point: [...inputs.data.subarray((from + i) * width, (from + i + 1) * width)],
    target: targets.data[from + i]!,
  }));
}

describe.each(golden.cases.map((item) => [Object.values(item.counts.under).length, item] as const))(
  'of %i classes',
  (_, item) => {
    const data = datasetOf(item);
    const near: Near = item.near;

    it('draws as many as imbalanced-learn', () => {
      expect(countsOf(randomOversample(data).fields.targets.data)).toEqual(item.counts.over);
      expect(countsOf(randomUndersample(data).fields.targets.data)).toEqual(item.counts.under);
      if (item.counts.overHalf) {
        expect(countsOf(randomOversample(data, { ratio: 0.5 }).fields.targets.data)).toEqual(item.counts.overHalf);
        expect(countsOf(randomUndersample(data, { ratio: 0.5 }).fields.targets.data)).toEqual(item.counts.underHalf);
      }
    });

    it('repeats and keeps whole samples', () => {
      const over = randomOversample(data, { seed: 4 });
      expect([...over.fields.id.data.subarray(0, data.size)]).toEqual([...data.fields.id.data]);
      over.fields.id.data.forEach((id, i) => {
        expect(over.fields.targets.data[i]).toBe(item.targets[id]);
      });
      const under = randomUndersample(data, { seed: 4 }).fields.id.data;
      expect([...under]).toEqual([...new Set(under)].sort((a, b) => a - b));
      expect(randomUndersample(data, { seed: 4 }).fields.id.data).toEqual(under);
      expect(randomUndersample(data, { seed: 5 }).fields.id.data).not.toEqual(under);
    });

    it('smote: every new sample stands between one of its class and one of its five nearest', () => {
      const result = smote(data, { seed: 2 });
      expect(countsOf(result.fields.targets.data)).toEqual(item.counts.smote);
      expect([...result.fields.inputs.data.subarray(0, data.fields.inputs.data.length)]).toEqual([
        ...data.fields.inputs.data,
      ]);
      const shares: number[] = [];
      for (const { point, target } of made(result, data.size)) {
        const found = starts(point, item.inputs, near).filter(([from]) => item.targets[from] === target);
        expect(found.length).toBeGreaterThan(0);
        shares.push(found[0]![1]);
      }
      expect(Math.max(...shares) - Math.min(...shares)).toBeGreaterThan(0.5);
      expect(smote(data, { seed: 2 }).fields.inputs.data).toEqual(result.fields.inputs.data);
      expect(smote(data, { seed: 3 }).fields.inputs.data).not.toEqual(result.fields.inputs.data);
    });

    it('borderlineSmote: lines start from those in danger', () => {
      const danger: Readonly<Record<string, readonly number[]>> = item.danger;
      const result = borderlineSmote(data, { seed: 3 });
      expect(countsOf(result.fields.targets.data)).toEqual(item.counts.borderline);
      for (const { point, target } of made(result, data.size)) {
        expect(starts(point, item.inputs, near).some(([from]) => danger[target]!.includes(from))).toBe(true);
      }
    });

    it('borderlineSmote, variant 2: every second line leads half of the way to one of the nearest of other classes', () => {
      const danger: Readonly<Record<string, readonly number[]>> = item.danger;
      const away: Near = item.away;
      const result = borderlineSmote(data, { seed: 3, variant: 2 });
      // imbalanced-learn makes floor(f (n + 1)) + floor((1 - f) n) for a drawn f: n, or one fewer
      const counts = countsOf(result.fields.targets.data);
      expect(counts).toEqual(item.counts.borderline);
      for (const [kind, count] of Object.entries<number>(item.counts.borderlineTwo)) {
        expect(counts[kind]! - count).toBeOneOf([0, 1]);
      }
      const turns: Record<number, number> = {};
      for (const { point, target } of made(result, data.size)) {
        const turn = turns[target] ?? 0;
        turns[target] = turn + 1;
        const found = starts(point, item.inputs, turn % 2 === 0 ? near : away);
        const most = turn % 2 === 0 ? 1 : 0.5;
        expect(found.some(([from, share]) => danger[target]!.includes(from) && share <= most + 1e-9)).toBe(true);
      }
    });

    it('fills up to a part of the largest class, as imbalanced-learn does', () => {
      const { smoteHalf, borderlineHalf, adasynHalf } = item.counts;
      if (smoteHalf === undefined) return;
      const half = { ratio: 0.5, seed: 1 };
      expect(countsOf(smote(data, half).fields.targets.data)).toEqual(smoteHalf);
      expect(countsOf(borderlineSmote(data, half).fields.targets.data)).toEqual(borderlineHalf);
      expect(countsOf(borderlineSmote(data, { ...half, variant: 2 }).fields.targets.data)).toEqual(borderlineHalf);
      expect(countsOf(adasyn(data, half).fields.targets.data)).toEqual(adasynHalf);
    });

    it('adasyn: as many start from each as its neighbors say', () => {
      const result = adasyn(data, { seed: 1 });
      expect(countsOf(result.fields.targets.data)).toEqual(item.counts.adasyn);
      const points = made(result, data.size);
      const expected = Object.entries(item.starts)
        .sort(([a], [b]) => item.targets[Number(a)]! - item.targets[Number(b)]! || Number(a) - Number(b))
        .flatMap(([row, times]) => new Array<number>(times).fill(Number(row)));
      expect(points.length).toBe(expected.length);
      points.forEach(({ point }, i) => {
        expect(starts(point, item.inputs, near).map(([from]) => from)).toContain(expected[i]);
      });
    });

    it('keeps the rows that imbalanced-learn keeps', () => {
      const rows = (kept: typeof data) => [...kept.fields.id.data];
      expect(rows(removeTomekLinks(data))).toEqual(item.kept.tomek);
      expect(rows(removeTomekLinks(data, { from: 'all' }))).toEqual(item.kept.tomekAll);
      expect(rows(editedNearestNeighbors(data))).toEqual(item.kept.edited);
      expect(rows(editedNearestNeighbors(data, { agree: 'most' }))).toEqual(item.kept.editedMost);
      expect(rows(editedNearestNeighbors(data, { from: 'all', neighbors: 5 }))).toEqual(item.kept.editedAll);
    });
  },
);

describe('smoteNc', () => {
  const item = golden.categories;
  const data = datasetOf(item);
  const near: Near = item.near;

  it('numbers stand on a line, categories are the most frequent of the neighbors', () => {
    const result = smoteNc(data, { categorical: [1, 3], seed: 5 });
    expect(countsOf(result.fields.targets.data)).toEqual(item.counts);
    const numbers = item.inputs.map((row) => [row[0]!, row[2]!]);
    for (const { point } of made(result, data.size)) {
      const fits = starts([point[0]!, point[2]!], numbers, near).some(([from]) =>
        [1, 3].every((i) => {
          const codes = near[from]!.map((row) => item.inputs[row]![i]!);
          const times = (code: number) => codes.filter((value) => value === code).length;
          const most = Math.max(...codes.map(times));
          return point[i] === Math.min(...codes.filter((code) => times(code) === most));
        }),
      );
      expect(fits).toBe(true);
    }
  });

  it('says which elements cannot be categories', () => {
    expect(() => smoteNc(data, { categorical: [4] })).toThrow(
      'smoteNc: categorical names element 4; a sample has the elements 0 to 3.',
    );
    expect(() => smoteNc(data, { categorical: [0, 1, 2, 3] })).toThrow('smoteNc: all 4 elements are categorical');
  });
});

describe('resampling refuses', () => {
  const data = datasetOf({ inputs: [[0], [1], [2], [9]], targets: [0, 0, 0, 1] });

  it.each([
    [() => smote(data), 'smote: class 1 has 1 sample, which has no neighbor; use randomOversample for it.'],
    [
      () => randomOversample(data, { counts: { 0: 2 } }),
      'randomOversample: class 0 has 3 samples, counts wants 2; oversampling only adds.',
    ],
    [
      () => removeTomekLinks(data, { from: 'majority' as 'larger' }),
      "removeTomekLinks: from is 'majority': choose larger",
    ],
    [
      () => editedNearestNeighbors(data, { agree: 'mode' as 'most' }),
      "editedNearestNeighbors: agree is 'mode': choose all or most.",
    ],
    [() => smote(data, { seed: 1.5 }), 'smote: seed 1.5 is not an integer of 32 bits'],
    [() => randomOversample(data, { seed: Number.NaN }), 'randomOversample: seed NaN is not an integer of 32 bits'],
    [() => randomUndersample(data, { counts: { 2: 1 } }), 'randomUndersample: counts names class 2; there are 0, 1.'],
    [() => randomUndersample(data, { ratio: 2 }), 'randomUndersample: ratio 2 is not above 0 and at most 1.'],
    [
      () => removeTomekLinks(data.take([0, 1])),
      'removeTomekLinks: there is 1 class; two are needed to be out of balance.',
    ],
    [
      () => adasyn(data.with({ inputs: dense([[0], [Number.NaN], [1], [2]]) })),
      'adasyn: sample 1, element 0 is NaN; fill or drop missing values first.',
    ],
    [
      () => smote(data, { targets: 'inputs' }),
      "smote: targets 'inputs' must name a field of whole numbers, one a sample; there are inputs, targets, id.",
    ],
    [
      () =>
        borderlineSmote(datasetOf({ inputs: [[0], [1], [2], [3], [90], [91]], targets: [0, 0, 0, 0, 1, 1] }), {
          neighbors: 1,
          dangerNeighbors: 1,
        }),
      'borderlineSmote: no sample of class 1 stands at a border, half but not all of its 1 nearest of other classes; use smote.',
    ],
  ])('%s', (call, message) => {
    expect(call).toThrow(message);
  });
});

/** What several updates, windows and saved states add up to, where adding alone would be wrong. */
import { cpu } from '@nn/backend-cpu';
import { compile, concat, ones, setDefaultBackend, type Tensor, tensor, zeros } from '@nn/core';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  AUROC,
  BLEU,
  ExplainedVariance,
  Max,
  Mean,
  PearsonCorrelation,
  pearsonCorrelation,
  R2Score,
  r2Score,
  read,
  Values,
} from './index.ts';

beforeAll(() => setDefaultBackend(cpu()));

describe('moments', () => {
  it('of updates with other means are those of all samples together', async () => {
    const batches = [
      [tensor([1, 2, 4]), tensor([1, 3, 4])],
      [tensor([101, 105]), tensor([100, 106])],
      [tensor([-50, 20, 7, 8]), tensor([-49, 22, 7, 5])],
    ] as [Tensor, Tensor][];
    const [r2, pearson] = [new R2Score(), new PearsonCorrelation()];
    for (const batch of batches) {
      r2.update(...batch);
      pearson.update(...batch);
    }
    const values = await read({ r2, pearson });
    const all = [0, 1].map((k) => concat(batches.map((batch) => batch[k]!))) as [Tensor, Tensor];
    expect(values.r2.epoch).toBeCloseTo(await r2Score(...all).item(), 5);
    expect(values.pearson.epoch).toBeCloseTo(await pearsonCorrelation(...all).item(), 5);
  });

  it('of a constant target are no variance, whatever rounding leaves of it', async () => {
    const metric = new ExplainedVariance();
    for (const n of [3, 7, 11, 13]) {
      const predictions = Float32Array.from({ length: n }, (_, k) => Math.sin(k));
      metric.update(tensor(predictions), zeros([n]).add(0.1));
      const { metric: value } = await read({ metric });
      expect([value.window, value.epoch]).toEqual([0, 0]);
    }
  });
});

describe('BLEU', () => {
  const of = async (prediction: string, references: readonly string[]): Promise<number> => {
    const bleu = new BLEU({ order: 1, tokenize: 'words' });
    bleu.update([prediction], [references]);
    return (await read({ bleu })).bleu.epoch;
  };

  it('takes the shorter of two references that are as close', async () => {
    expect(await of('a b c', ['a b c d', 'a b'])).toBe(1);
    expect(await of('a b c', ['a b', 'a b c d'])).toBe(1);
  });

  it('has no reward for a translation that is longer than its reference', async () => {
    expect(await of('a b c', ['a b'])).toBeCloseTo(2 / 3, 12);
  });
});

describe('sums', () => {
  it('are replaced by a saved state, not added to it', async () => {
    const [a, b] = [new Mean(), new Mean()];
    a.update(tensor([1, 3]));
    b.update(tensor([10]));
    expect((await read({ a, b })).a.epoch).toBe(2);
    a.loadHostState(b.hostState());
    expect((await read({ a })).a.epoch).toBe(10);
  });

  it('are refused where float32 could no longer count them', async () => {
    for (const [elements, most] of [
      [2048, 2 ** 14],
      [512, 2 ** 15],
    ] as const) {
      const metric = new Mean();
      const update = compile((x: Tensor) => {
        metric.update(x);
        return x.sum();
      });
      const x = ones([elements]);
      for (let k = 0; k < most; k++) await update(x);
      const more = async (): Promise<unknown> => await update(x);
      await expect(more()).rejects.toThrow('float32 sums cannot count so many updates: await read(...) more often.');
      expect((await metric.read()).epoch).toBe(1);
    }
  });
});

describe('of several processes', () => {
  it('samples of each are counted, however many the others have', async () => {
    const ranks = [1, 2].map(() => ({
      values: new Values({ window: 8 }),
      mean: new Mean(),
      errors: new BLEU({ order: 1, tokenize: 'words' }),
    }));
    type Lists = readonly ArrayLike<number>[];
    const told: Promise<Lists>[] = [];
    const tell: ((own: Lists) => void)[] = [];
    for (const rank of [0, 1]) told[rank] = new Promise((resolve) => (tell[rank] = resolve));
    const readings = ranks.map(async (metrics, rank) => {
      for (let k = 0; k < 3; k++) metrics.values.update(tensor(-1));
      metrics.mean.update(tensor([4 * rank]));
      if (rank === 0) metrics.errors.update(['a b'], [['a c']]);
      await metrics.values.read(); // leaves its rows where they are
      metrics.values.reset();
      for (let k = 0; k <= rank; k++) metrics.values.update(tensor(10 * rank + k));
      return read(metrics, {
        gather: (own) => {
          tell[rank]?.(own);
          return Promise.all(told);
        },
      });
    });
    for (const { values, mean, errors } of await Promise.all(readings)) {
      expect(values.epoch).toEqual([0, 10, 11]);
      expect([mean.epoch, errors.epoch]).toEqual([2, 0.5]);
    }
  });
});

describe('states', () => {
  /** Of each kind: sums, rows, binned curves, text. */
  const make = () => ({
    mean: new Mean(),
    values: new Values(),
    area: new AUROC({ from: 'probabilities' }),
    bleu: new BLEU({ order: 1, tokenize: 'words' }),
  });
  type Metrics = ReturnType<typeof make>;
  const update = ({ mean, values, area, bleu }: Metrics, k: number): void => {
    mean.update(tensor([k, k + 1]));
    values.update(tensor(k));
    area.update(tensor([0.1 * k, 0.9]), tensor([k % 2, 1]));
    bleu.update(['a b'], [[k % 2 === 0 ? 'a b' : 'a c']]);
  };

  it('are taken with updates that nobody read, and windows go on', async () => {
    const [whole, saved, loaded] = [make(), make(), make()];
    for (const metrics of [whole, saved]) {
      update(metrics, 1);
      await read(metrics);
      update(metrics, 2);
      update(metrics, 3);
    }
    const states = await Promise.all(Object.values(saved).map((metric) => metric.readState()));
    const copies = JSON.parse(JSON.stringify(states)) as unknown[];
    for (const [at, metric] of Object.values(loaded).entries()) metric.loadHostState(copies[at]);
    expect(Object.values(loaded).map((metric) => metric.hostState())).toEqual(copies);
    for (const metrics of [whole, saved, loaded]) update(metrics, 4);
    const expected = await read(whole);
    expect(await read(saved)).toEqual(expected);
    expect(await read(loaded)).toEqual(expected);
    expect(expected.values).toEqual({ window: [2, 3, 4], epoch: [1, 2, 3, 4] });
  });

  it('belong to the window that a read ends while they are on their way', async () => {
    const metrics = make();
    update(metrics, 1);
    const states = Promise.all(Object.values(metrics).map((metric) => metric.readState()));
    update(metrics, 2);
    const { mean, values } = await read(metrics);
    expect([mean.window, mean.epoch, values.window]).toEqual([2, 2, [1, 2]]);
    await states;
    expect((await read(metrics)).mean.epoch).toBe(2);
    // and what a read has taken is in a state that is asked for meanwhile
    update(metrics, 3);
    const reading = read(metrics);
    const state = await metrics.values.readState();
    await reading;
    expect(state).toEqual(metrics.values.hostState());
  });

  it('merge windows of others into the past', async () => {
    const [a, b] = [make(), make()];
    update(a, 2);
    update(b, 4);
    for (const metric of Object.values(a)) await metric.readState();
    for (const metric of Object.values(b)) await metric.readState();
    a.mean.merge(b.mean);
    a.values.merge(b.values);
    a.bleu.merge(b.bleu);
    expect(await read({ mean: a.mean, values: a.values })).toEqual({
      mean: { window: 2.5, epoch: 3.5 },
      values: { window: [2], epoch: [4, 2] },
    });
    expect(() => a.values.loadHostState({ columns: 1, totals: [1, 2], open: 9 })).toThrow(
      'Values: takes its own state, of [0, 1] numbers, got {"columns":1,"totals":[1,2],"open":9}: load it into one of the same options.',
    );
    expect(() => a.mean.loadHostState({ columns: 1, totals: [], open: [1] })).toThrow(
      'Mean: takes its own state, of [2, 1] numbers',
    );
    const bounded = new Values({ capacity: 2 });
    bounded.update(tensor(1));
    await bounded.read();
    expect(() => bounded.merge(a.values)).toThrow('Values: keeps every sample, and 3 are above its capacity of 2');
    expect((await bounded.read()).epoch).toEqual([1]);
    const error: unknown = Reflect.get(a.mean, 'merge');
    if (typeof error !== 'function') throw new Error('no merge');
    expect(() => error.call(a.mean, new Max())).toThrow('Mean: takes its own state, of [2, 1] numbers, got "Max"');
  });
});

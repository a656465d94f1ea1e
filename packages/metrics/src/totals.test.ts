/** What several updates, windows and saved states add up to, where adding alone would be wrong. */
import { cpu } from '@nn/backend-cpu';
import { compile, concat, setDefaultBackend, type Tensor, tensor, zeros } from '@nn/core';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  BLEU,
  ExplainedVariance,
  Mean,
  PearsonCorrelation,
  pearsonCorrelation,
  R2Score,
  r2Score,
  read,
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
    const metric = new Mean();
    const update = compile((x: Tensor) => {
      metric.update(x);
      return x.sum();
    });
    const x = zeros([1025]);
    const count = async (): Promise<void> => {
      for (let k = 0; k <= 2 ** 14; k++) await update(x);
    };
    await expect(count()).rejects.toThrow(
      'elements in 16385 updates since the last read are more than float32 sums can count: await read(...) at least every 16384 updates.',
    );
  });
});

import { cpu } from '@nn/backend-cpu';
import { autocast, castParameters, parameter, setDefaultBackend, type Tensor, tensor } from '@nn/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { Adam, GradScaler, readLoss, SGD } from './index.ts';

beforeAll(() => setDefaultBackend(cpu()));

describe('GradScaler', () => {
  test('grows and backs off as PyTorch does, and skips steps that are not finite', async () => {
    const w = parameter([1]);
    const optimizer = new SGD([w], { learningRate: 0.125 });
    const scaler = new GradScaler({ initialScale: 4, growthInterval: 2 });
    const states: number[][] = [];
    for (const factor of [1, Number.POSITIVE_INFINITY, 1, 1, 1, Number.NaN]) {
      await scaler.step(optimizer, w.mul(factor).sum());
      const state = [scaler.scale, scaler.growthTracker, scaler.skippedSteps, w];
      states.push([...(await Promise.all(state.map((x) => x.sum().item()))), optimizer.stepCount]);
    }
    // _amp_update_scale_: scale, growth tracker; then skipped steps, the weight, counted steps
    expect(states).toEqual([
      [4, 1, 0, 0.875, 1],
      [2, 0, 1, 0.875, 1],
      [2, 1, 1, 0.75, 2],
      [4, 0, 1, 0.625, 3],
      [4, 1, 1, 0.5, 4],
      [2, 0, 2, 0.5, 4],
    ]);
  });

  test('saves gradients that float16 would lose, and Adam starts as if nothing had been skipped', async () => {
    const [x, small] = [tensor([[1]]), 1e-9];
    const weights = (): ReturnType<typeof parameter> => parameter([[1]]);
    const loss = (w: Tensor): Tensor =>
      autocast('float16', () =>
        x
          .matmul(w)
          .relu()
          .matmul(tensor([[1]]))
          .sum()
          .mul(small),
      );
    const [lost, scaled] = [weights(), weights()];
    await new Adam([lost], { learningRate: 0.5 }).step(loss(lost));
    expect(await lost.item()).toBe(1);
    const optimizer = new Adam([scaled], { learningRate: 0.5 });
    const scaler = new GradScaler({ initialScale: 2 ** 50 });
    while (optimizer.stepCount === 0) await scaler.step(optimizer, loss(scaled));
    expect(await scaler.skippedSteps.item()).toBeGreaterThan(0);
    expect(await scaled.item()).toBeCloseTo(1 - 0.5 * (small / (small + 1e-8)), 3);
  });

  test.each(['before', 'after'] as const)(
    'skips are no fault to readLoss, watched %s the first scaled step, until the scale is no reason',
    async (when) => {
      const w = parameter([1]);
      const optimizer = new SGD([w], { learningRate: 0.125 });
      const scaler = new GradScaler({ initialScale: 4 });
      const step = async (factor: number): Promise<number> => {
        const loss = w.mul(factor).sum();
        await scaler.step(optimizer, loss);
        return readLoss(optimizer, loss);
      };
      if (when === 'before') expect(await readLoss(optimizer, w.sum())).toBe(1);
      expect(await step(1)).toBe(1);
      // 4 and 2 may be too much; w stays
      expect([await step(Number.POSITIVE_INFINITY), await step(Number.NaN)]).toEqual([Infinity, Number.NaN]);
      expect(await step(1)).toBe(0.875);
      expect(await scaler.scale.item()).toBe(1);
      await expect(step(Number.POSITIVE_INFINITY)).rejects.toThrow(
        'SGD: the loss of step 3 is not finite though it is scaled by no more than 1: GradScaler leaves each such step out, and the parameters stay as they are.',
      );
      expect(await step(1)).toBe(0.75);
      // a step that the scaler has no part in
      const loss = w.mul(Number.NaN).sum();
      await optimizer.step(loss);
      await expect(readLoss(optimizer, w.sum())).rejects.toThrow(
        'SGD: the loss of step 4 is not finite, so neither are the parameters from then on',
      );
    },
  );

  test('a loss that is finite is given where its scaled gradients are not', async () => {
    const w = parameter([1]);
    const optimizer = new SGD([w], { learningRate: 0.5 });
    const scaler = new GradScaler({ initialScale: 2 ** 127 });
    await readLoss(optimizer, w.sum());
    const loss = w.mul(1e3).square().sum();
    await scaler.step(optimizer, loss);
    expect([await readLoss(optimizer, loss), await w.item(), await scaler.skippedSteps.item()]).toEqual([1e6, 1, 1]);
  });

  test('options are checked', () => {
    expect(() => new GradScaler({ growthFactor: 1 })).toThrow(
      'GradScaler: growthFactor is 1: it must be a number above 1.',
    );
    expect(() => new GradScaler({ backoffFactor: 2 })).toThrow('backoffFactor is 2: it must be between 0 and 1.');
    expect(() => new GradScaler({ growthInterval: 0.5 })).toThrow(
      'growthInterval is 0.5: it must be a whole number from 1.',
    );
    for (const initialScale of [0, 2 ** 130, 2 ** -160, Number.NaN]) {
      expect(() => new GradScaler({ initialScale })).toThrow(
        `GradScaler: initialScale is ${initialScale}: it must be a number above 0 that float32 has.`,
      );
    }
  });
});

describe('parameters that are stored as half floats', () => {
  test('add up updates in float32', async () => {
    const [kept, lost] = [{ w: parameter([1]) }, { w: parameter([1]) }];
    castParameters([kept, lost], 'bfloat16');
    const optimizers = [
      new SGD(kept, { learningRate: 0.001 }),
      new SGD(lost, { learningRate: 0.001, masterWeights: false }),
    ] as const;
    for (let step = 0; step < 20; step++) {
      await optimizers[0].step(kept.w.sum());
      await optimizers[1].step(lost.w.sum());
    }
    expect([await kept.w.mul(1).item(), await lost.w.mul(1).item()]).toEqual([0.98046875, 1]);
    expect(kept.w.dtype).toBe('bfloat16');
    // what somebody gives the parameter in between counts
    kept.w.assign(tensor([4]));
    await optimizers[0].step(kept.w.sum());
    await optimizers[0].step(kept.w.sum());
    expect(await kept.w.mul(1).item()).toBe(4);
    for (let step = 0; step < 10; step++) await optimizers[0].step(kept.w.sum());
    expect(await kept.w.mul(1).item()).toBe(3.984375);
  });

  test('errors', () => {
    expect(() => new SGD([parameter([1])], { masterWeights: 1 as never })).toThrow(
      'SGD: masterWeights must be true or false, got 1.',
    );
  });
});

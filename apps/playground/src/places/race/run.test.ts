import { cpu } from '@nn/backend-cpu';
import { parameter, setDefaultBackend, tensor } from '@nn/core';
import { SGD } from '@nn/optim';
import { expect, it } from 'vitest';
import { optimizers } from '../../model/spec.ts';
import { type RaceSettings, raceGrid } from './protocol.ts';
import { heights, paths } from './run.ts';
import { surfaceNames, surfaces } from './surfaces.ts';

setDefaultBackend(cpu());

const rates = (rate: number): RaceSettings['rates'] => ({
  sgd: rate,
  momentum: rate,
  nesterov: rate,
  rmsprop: rate,
  adam: rate,
  adamw: rate,
});

it('plain descent in the valley goes its formula: x - rate * x / 10, y - rate * 2 y', async () => {
  const [sgd, ...others] = await paths({ surface: 'valley', start: [-9, 3], rates: rates(0.3), steps: 5 });
  expect([sgd?.optimizer, ...others.map(({ optimizer }) => optimizer)]).toEqual(optimizers);
  let [x, y] = [-9, 3];
  for (let step = 0; step <= 5; step++) {
    const [px, py, loss] = sgd?.places.subarray(3 * step, 3 * step + 3) ?? [];
    expect(px).toBeCloseTo(x, 4);
    expect(py).toBeCloseTo(y, 4);
    expect(loss).toBeCloseTo((x * x) / 20 + y * y, 3);
    [x, y] = [x - (0.3 * x) / 10, y - 0.3 * 2 * y];
  }
});

it('the lowest places are where their formulas say', async () => {
  const at = async (name: (typeof surfaceNames)[number], x: number, y: number): Promise<number> =>
    surfaces[name]
      .loss(tensor([x]), tensor([y]))
      .sum()
      .item();
  expect(await at('valley', 0, 0)).toBe(0);
  expect(await at('rosenbrock', 1, 1)).toBeCloseTo(0, 6);
  expect(await at('beale', 3, 0.5)).toBeCloseTo(0, 6);
  expect(await at('himmelblau', 3, 2)).toBeCloseTo(0, 6);
  expect(await at('himmelblau', -2.805118, 3.131312)).toBeCloseTo(0, 4);
  expect(await at('ripples', 0, 0)).toBeCloseTo(0, 6);
  expect(await at('saddle', 0, 2)).toBeCloseTo(0, 6);
  for (const name of surfaceNames) {
    const found = await heights(name);
    expect(found).toHaveLength(raceGrid ** 2);
    expect(Math.min(...found), name).toBeGreaterThanOrEqual(-1e-4);
    const { bounds, start } = surfaces[name];
    expect(start[0] > bounds[0] && start[0] < bounds[1] && start[1] > bounds[2] && start[1] < bounds[3]).toBe(true);
  }
});

it('momentum overtakes plain descent in the valley, and a path ends where its numbers do', async () => {
  const found = await paths({ surface: 'valley', start: [-9, 3], rates: { ...rates(0.3), sgd: 1e30 }, steps: 40 });
  const last = (name: string): number => found.find(({ optimizer }) => optimizer === name)?.places.at(-1) ?? 0;
  const slow = await paths({ surface: 'valley', start: [-9, 3], rates: rates(0.3), steps: 40 });
  expect(last('momentum')).toBeLessThan(slow[0]?.places.at(-1) ?? 0);
  expect(found[0]?.places.length).toBeLessThan(3 * 41);
  expect([...(found[0]?.places ?? [])].every(Number.isFinite)).toBe(true);
});

it('is the optimizers of the packages that run', async () => {
  const x = parameter([0.5]);
  const optimizer = new SGD({ x }, { learningRate: 0.05, momentum: 0.9 });
  for (let step = 0; step < 4; step++) await optimizer.step(surfaces.ripples.loss(x, tensor([0])).sum());
  const found = await paths({ surface: 'ripples', start: [0.5, 0], rates: rates(0.05), steps: 4 });
  expect(found[1]?.places.at(-3)).toBeCloseTo((await x.data())[0] as number, 5);
});

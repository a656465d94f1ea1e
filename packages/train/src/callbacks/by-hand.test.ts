/** Callbacks that get events one by one, as a loop of one's own gives them: what they count, and from where. */
import { cpu } from '@nn/backend-cpu';
import { parameter, setDefaultBackend } from '@nn/core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Callback } from '../events.ts';
import { EarlyStopping, earlyStopping } from './early-stopping.ts';
import { SpikeDetector, spikeDetection, timer } from './spikes.ts';

beforeAll(() => setDefaultBackend(cpu()));

/** Hands events to a callback and notes what it asks for. */
function drive<V extends object>(callback: Pick<Callback<V>, 'handle'>) {
  const asked: string[] = [];
  const training = {
    stop: () => void asked.push('stop'),
    warn: (_: string, message: string) => void asked.push(message),
    higherIsBetter: () => false,
  };
  const send = async (event: object): Promise<void> => {
    // The one cast: the fields that these callbacks read are there.
    await callback.handle(event as never, training as never);
  };
  return { asked, send };
}

describe('early stopping', () => {
  it('never takes NaN for the best value, not even the first', () => {
    const stopping = new EarlyStopping({ patience: 3 });
    expect(stopping.update(Number.NaN)).toBe(false);
    expect([stopping.best, stopping.isBest]).toEqual([null, false]);
    stopping.update(5);
    expect([stopping.best, stopping.isBest]).toEqual([5, true]);
  });

  it('counts values after the epochs that it was told to let pass', async () => {
    const callback = earlyStopping({ monitor: 'loss', startFromEpoch: 1, patience: 2 });
    const { asked, send } = drive(callback);
    await send({ type: 'start', epoch: 1 });
    for (const [at, loss] of [0.1, 0.5, 0.6, 0.7].entries()) {
      await send({ type: 'epoch', epoch: at + 1, values: { loss } });
      expect(callback.hostState?.()).toMatchObject({ stopping: { best: at === 0 ? null : 0.5 } });
    }
    expect(asked).toEqual(['stop']);
  });

  it('gives the best weights back at the end, and leaves those of a training that was aborted', async () => {
    for (const [why, expected] of [
      ['done', [1, 2]],
      ['aborted', [3, 6]],
    ] as const) {
      const model = { weight: parameter([1, 2]) };
      const { send } = drive(earlyStopping({ monitor: 'loss', restoreBest: model, patience: 5 }));
      await send({ type: 'start', epoch: 1 });
      await send({ type: 'epoch', epoch: 1, values: { loss: 0.5 } });
      model.weight.assign(model.weight.mul(3));
      await send({ type: 'epoch', epoch: 2, values: { loss: 0.6 } });
      await send({ type: 'stopped', epoch: 2, why });
      expect(await model.weight.array(), why).toEqual(expected);
    }
  });
});

describe('losses that jump', () => {
  it('have the mean and variance of all losses until there are as many as the window', () => {
    const detector = new SpikeDetector({ window: 100 });
    for (const loss of [1, 2, 4]) detector.update(loss);
    const { mean, variance } = detector.hostState() as { mean: number; variance: number };
    expect(mean).toBeCloseTo(7 / 3, 14);
    expect(variance).toBeCloseTo(14 / 9, 14);
  });

  it('are told with their own step, wherever in a read they stand', async () => {
    const { asked, send } = drive(spikeDetection({ window: 4 }));
    const calm = (count: number): number[] => Array.from({ length: count }, (_, k) => 1 + (k % 3) / 100);
    await send({ type: 'read', step: 30, losses: calm(30) });
    await send({ type: 'read', step: 40, losses: [...calm(3), 9, ...calm(6)] });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toContain('the loss of step 34 is 9');
  });
});

it('a timer counts the seconds of all runs, and none between them', async () => {
  let clock = 100;
  const callback = timer({ seconds: 25, now: () => clock });
  const { asked, send } = drive(callback);
  const run = async (seconds: number): Promise<void> => {
    await send({ type: 'start' });
    clock += seconds;
    await send({ type: 'step' });
    await send({ type: 'stopped' });
    clock += 1000;
  };
  await run(10);
  await run(10);
  expect([callback.hostState?.(), asked]).toEqual([{ elapsed: 20 }, []]);
  await run(5);
  expect(asked).toEqual(['stop']);
  // taken up once more, it has no time for a step
  await send({ type: 'start' });
  expect(asked).toEqual(['stop', 'stop']);
});

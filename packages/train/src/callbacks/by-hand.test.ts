/** Callbacks that get events one by one, as a loop of one's own gives them: what they count, and from where. */
import { cpu } from '@nn/backend-cpu';
import { parameter, setDefaultBackend } from '@nn/core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Callback } from '../events.ts';
import { EarlyStopping, earlyStopping } from './early-stopping.ts';
import { SpikeDetector, spikeDetection } from './spikes.ts';
import { timer } from './timer.ts';

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

  it('are none where losses that were all the same differ in their last digits', () => {
    const detector = new SpikeDetector({ window: 20 });
    const losses = Array.from({ length: 200 }, (_, k) => Math.LN2 + (k > 50 && k % 3 === 0 ? 6e-8 : 0));
    expect(losses.filter((loss) => detector.update(loss))).toEqual([]);
    expect(detector.update(0.71)).toBe(true);
  });

  it('that stay are where the losses are from then on, and told once', async () => {
    const { asked, send } = drive(spikeDetection({ window: 20 }));
    const about = (mean: number, count: number): number[] =>
      Array.from({ length: count }, (_, k) => mean + (k % 5) / 50);
    await send({ type: 'read', step: 150, losses: [...about(0.3, 50), ...about(0.9, 100)] });
    expect(asked).toEqual([expect.stringContaining('the loss of step 51 is 0.9')]);
    await send({ type: 'read', step: 160, losses: [...about(0.9, 5), 2, ...about(0.9, 4)] });
    expect(asked[1]).toContain('the loss of step 156 is 2, those before were about 0.9');
  });

  it('teach nothing where they are not finite, and go on from their state', () => {
    const [a, b] = [new SpikeDetector({ window: 10 }), new SpikeDetector({ window: 10 })];
    const losses = [
      Number.NaN,
      ...Array.from({ length: 30 }, (_, k) => (k < 20 ? 1 : 5)),
      Number.POSITIVE_INFINITY,
      5,
      9,
    ];
    const told = losses.map((loss) => a.update(loss));
    expect(told.flatMap((isSpike, k) => (isSpike ? [k] : []))).toEqual([0, 21, 22, 23, 24, 31, 33]);
    for (const loss of losses.slice(0, 23)) b.update(loss);
    const c = new SpikeDetector({ window: 10 });
    c.loadHostState(JSON.parse(JSON.stringify(b.hostState())));
    expect(losses.slice(23).map((loss) => c.update(loss))).toEqual(told.slice(23));
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

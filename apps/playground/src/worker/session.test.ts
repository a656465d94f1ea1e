import { describe, expect, it } from 'vitest';
import { defaults, type Spec, withTask } from '../model/spec.ts';
import { look } from './look.ts';
import { Session } from './session.ts';
import { walk } from './walk.ts';

async function trained(spec: Spec, steps: number): Promise<Session> {
  const session = await Session.make(spec, {});
  for (let i = 0; i < steps; i++) await session.trainStep();
  return session;
}

describe('a session', () => {
  it('learns moons to 95 % on samples it has not seen', async () => {
    const session = await trained(defaults, 400);
    const frame = await look(session, false);
    expect(frame.testAccuracy).toBeGreaterThanOrEqual(0.95);
    expect(frame.step).toBe(400);
  });

  it('is not changed by being looked at', async () => {
    const spec: Spec = { ...defaults, layers: [{ ...defaults.layers[0]!, dropout: 0.2, norm: 'batch' }] };
    const quiet = await trained(spec, 6);
    const watched = await Session.make(spec, {});
    for (let i = 0; i < 6; i++) {
      await watched.trainStep();
      await look(watched, true);
      await walk(watched, i);
    }
    const [a, b] = [await look(quiet, false), await look(watched, false)];
    expect(b.trainLoss).toBe(a.trainLoss);
    expect(b.blocks[0]?.weights).toEqual(a.blocks[0]?.weights);
  });

  it('learns digits', async () => {
    const session = await trained({ ...withTask(defaults, 'digits'), samples: 600 }, 120);
    const frame = await look(session, false);
    expect(frame.testAccuracy).toBeGreaterThan(0.8);
    expect(frame.blocks[0]?.mapShape).toEqual([14, 14]);
  });

  it('goes on from a checkpoint bit for bit', async () => {
    const spec: Spec = { ...defaults, layers: [{ ...defaults.layers[0]!, dropout: 0.2 }], schedule: 'cosine' };
    const first = await trained(spec, 10);
    await look(first, false);
    const bytes = await first.save('checkpoint');
    for (let i = 0; i < 5; i++) await first.trainStep();
    const second = await (await Session.make(withTask(defaults, 'xor'), {})).load(bytes);
    expect(second.spec).toEqual(spec);
    expect(second.step).toBe(10);
    expect(second.history.map(({ step }) => step)).toEqual([10]);
    for (let i = 0; i < 5; i++) await second.trainStep();
    const [a, b] = [await look(first, false), await look(second, false)];
    expect([b.step, b.trainLoss]).toEqual([a.step, a.trainLoss]);
    expect(b.blocks[0]?.weights).toEqual(a.blocks[0]?.weights);
  });

  it('stays as it is when a file is damaged or does not fit', async () => {
    const session = await trained(defaults, 3);
    const before = await look(session, false);
    const model = await session.save('model');
    await expect(session.load(model.subarray(0, 100))).rejects.toThrow(/safetensors/);
    const other = await trained({ ...defaults, layers: [] }, 1);
    const strange = (await other.save('model')).slice();
    // a model from elsewhere: it does not say which network it is of
    const text = new TextDecoder('latin1').decode(strange).replace('nn.playground', 'xx.playground');
    await expect(session.load(Uint8Array.from(text, (letter) => letter.charCodeAt(0)))).rejects.toThrow(/0\.weight/);
    expect((await look(session, false)).trainLoss).toBe(before.trainLoss);
    await session.trainStep();
    expect(session.step).toBe(4);
  });

  it('takes up a new rate, batch size, loss and optimizer in mid-training', async () => {
    const session = await trained(defaults, 5);
    const before = (await look(session, false)).blocks[0]?.weights;
    await session.retune({ ...defaults, learningRate: 0, batchSize: 8, penalty: 'l1', loss: 'meanSquaredError' });
    for (let i = 0; i < 5; i++) await session.trainStep();
    expect((await look(session, false)).blocks[0]?.weights).toEqual(before);
    await session.retune({ ...defaults, optimizer: 'sgd', learningRate: 0.5, layers: [] });
    await session.trainStep();
    expect(session.step).toBe(11);
    expect(session.spec.layers).toEqual(defaults.layers);
    expect((await look(session, false)).blocks[0]?.weights).not.toEqual(before);
  });

  it('goes on bit for bit when it is set anew or changes its device in the middle of an epoch', async () => {
    const quiet = await trained(defaults, 30);
    const changed = await trained(defaults, 7);
    await changed.retune(defaults);
    for (let i = 0; i < 13; i++) await changed.trainStep();
    await changed.swap(defaults);
    for (let i = 0; i < 10; i++) await changed.trainStep();
    const [a, b] = [await look(quiet, false), await look(changed, false)];
    expect([b.step, b.epoch, b.progress, b.trainLoss]).toEqual([a.step, a.epoch, a.progress, a.trainLoss]);
    expect(b.blocks[0]?.weights).toEqual(a.blocks[0]?.weights);
  });

  it('goes on with more points, where it was, and keeps what it has where they are too few', async () => {
    const points = Array.from(
      { length: 12 },
      (_, i) => ({ x: Math.cos(i), y: Math.sin(i) / 2, target: i % 2 ? 1 : 0 }) as const,
    );
    const spec: Spec = { ...withTask(defaults, 'drawn'), points, batchSize: 4 };
    const session = await trained(spec, 20);
    await look(session, false);
    const before = (await look(session, false)).blocks[0]?.weights;
    await session.takePoints({ ...spec, points: [...points, { x: 0.9, y: 0.9, target: 1 }] });
    const { problem } = session;
    expect(problem.train.size + problem.test.size).toBe(13);
    const frame = await look(session, false);
    expect([frame.step, frame.blocks[0]?.weights]).toEqual([20, before]);
    await session.trainStep();
    expect(session.step).toBe(21);
    await expect(session.takePoints({ ...spec, points: points.slice(0, 2) })).rejects.toThrow('Draw at least 4 points');
    expect(session.spec.points).toHaveLength(13);
    await session.trainStep();
    expect((await look(session, false)).blocks[0]?.weights).not.toEqual(before);
  });

  it('takes a weight that is put by hand, and trains on from it', async () => {
    const session = await trained(defaults, 3);
    const before = await look(session, false);
    await session.edit(1, 2, 3, 7.5);
    await session.edit(0, 1, -1, -2);
    const after = await look(session, false);
    const row = defaults.layers[0]?.kind === 'dense' ? defaults.layers[0].units : 0;
    const weights = (before.blocks[1]?.weights ?? new Float32Array()).slice();
    weights[2 * row + 3] = 7.5;
    expect(after.blocks[1]?.weights).toEqual(weights);
    expect(after.blocks[0]?.biases[1]).toBe(-2);
    expect(after.blocks[0]?.weights).toEqual(before.blocks[0]?.weights);
    expect(after.trainLoss).not.toBe(before.trainLoss);
    await session.trainStep();
    expect((await look(session, false)).blocks[1]?.weights[2 * row + 3]).toBeCloseTo(7.5, 0);
    await expect(session.edit(0, 0, 2, 1)).rejects.toThrow('Layer 1 has no weight 3 of unit 1.');
    await expect(session.edit(9, 0, 0, 1)).rejects.toThrow('Layer 10 has no weight');
    await expect(session.edit(0, 0, 0, Number.NaN)).rejects.toThrow('no weight');
  });

  it('learns circles without a hidden layer from squares, and its plane is that of the coordinates', async () => {
    const spec: Spec = { ...withTask(defaults, 'circles'), features: ['xSquared', 'ySquared'], layers: [] };
    const session = await trained({ ...spec, learningRate: 0.1 }, 200);
    const frame = await look(session, false);
    expect(frame.testAccuracy).toBeGreaterThan(0.95);
    const { inputNames, shownNames, train, inputShape } = session.describe();
    expect([inputNames, shownNames, train.width, inputShape]).toEqual([['x²', 'y²'], ['x', 'y'], 2, [2]]);
    // the answer depends on the squares alone: it is the same on both sides
    const maps = frame.blocks[0]?.maps ?? new Float32Array();
    const { bounds } = frame.view;
    const at = (x: number, y: number): number => {
      const cell = (value: number, low: number, high: number): number =>
        Math.floor(((value - low) / (high - low)) * 48);
      return maps[(47 - cell(y, bounds[2], bounds[3])) * 48 + cell(x, bounds[0], bounds[1])] ?? 0;
    };
    expect(at(0.02, 0.02) > 0).toBe(at(-0.05, 0.05) > 0);
    expect(at(0.02, 0.02) > 0).not.toBe(at(1, 0) > 0);
    expect(at(1, 0) > 0).toBe(at(-1, 0) > 0);
  });

  it('goes back to earlier moments and forth again, and trains on from there bit for bit', async () => {
    const spec: Spec = { ...defaults, layers: [{ ...defaults.layers[0]!, dropout: 0.2 }] };
    const session = await trained(spec, 0);
    const seen = new Map<number, number>();
    for (let i = 0; i <= 12; i++) {
      if (i > 0) await session.trainStep();
      await session.keep();
      seen.set(session.step, (await look(session, false)).trainLoss);
    }
    expect(session.timeline.steps).toEqual(Array.from({ length: 13 }, (_, i) => i));
    for (const step of [3, 12, 0, 7]) {
      await session.rewind(step);
      const frame = await look(session, false);
      expect([frame.step, frame.trainLoss]).toEqual([step, seen.get(step)]);
    }
    // nothing is lost until it trains on; then the same steps come again
    expect(session.history).toHaveLength(13);
    for (const step of [8, 9]) {
      await session.trainStep();
      expect([session.step, (await look(session, false)).trainLoss]).toEqual([step, seen.get(step)]);
    }
    expect(session.history.map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(session.timeline.steps.at(-1)).toBe(7);
  });

  it('goes back over a change of the optimizer, which goes back with it', async () => {
    const session = await trained(defaults, 4);
    await session.keep();
    const before = await look(session, false);
    await session.retune({ ...defaults, optimizer: 'sgd', batchSize: 8 });
    for (let i = 0; i < 3; i++) await session.trainStep();
    await session.keep();
    await session.rewind(5);
    expect([session.spec.optimizer, session.spec.batchSize, session.step]).toEqual(['adam', 32, 4]);
    expect((await look(session, false)).trainLoss).toBe(before.trainLoss);
    await session.trainStep();
    expect(session.step).toBe(5);
  });

  it('knows how many steps an epoch has left', async () => {
    const session = await trained({ ...defaults, samples: 100, testFraction: 0.3, batchSize: 32 }, 0);
    const left: number[] = [];
    for (let i = 0; i < 5; i++) {
      left.push(session.stepsOfEpoch);
      await session.trainStep();
    }
    expect(left).toEqual([3, 2, 1, 3, 2]);
  });

  it('says when its numbers end, and can be set anew then', async () => {
    const wild: Spec = { ...withTask(defaults, 'plane'), layers: [], optimizer: 'sgd', learningRate: 1e30 };
    const session = await Session.make(wild, {});
    const steps = async (): Promise<void> => {
      for (let i = 0; i < 200; i++) await session.trainStep();
    };
    await expect(steps()).rejects.toThrow(/^Training stopped: the loss is .* Try a smaller learning rate\.$/);
    await session.retune({ ...wild, learningRate: 0.1 });
    await expect(session.trainStep()).resolves.toBeUndefined();
  });
});

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
  }, 60_000);

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

import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, setSeed, type Tensor, tensor } from '@nn/core';
import { DataLoader, dataPipeline, moons } from '@nn/data';
import { crossEntropy, Dropout, Linear, relu, Sequential } from '@nn/layers';
import { Accuracy, AUROC, read } from '@nn/metrics';
import { AdamW, readLoss, SGD } from '@nn/optim';
import { encodeCheckpoint, loadCheckpoint } from '@nn/serialize';
import { beforeAll, describe, expect, expectTypeOf, test } from 'vitest';
import { earlyStopping } from './callbacks/early-stopping.ts';
import { RollBack } from './divergence.ts';
import type { Callback, Monitored, TrainingEvent } from './events.ts';
import type { TrainingOptions } from './options.ts';
import { predict } from './predict.ts';
import { Training } from './training.ts';
import { validate } from './validate.ts';
import { weightedLoss } from './weights.ts';

beforeAll(() => setDefaultBackend(cpu()));

/** Two moons and a small network with dropout, so that random numbers are part of the run. */
function setUp(options: { readonly batchSize?: number; readonly dropout?: number; readonly samples?: number } = {}) {
  const { batchSize = 16, dropout = 0.1, samples = 100 } = options;
  setSeed(3);
  const model = new Sequential(new Linear(2, 8), relu, new Dropout(dropout), new Linear(8, 2));
  const optimizer = new AdamW(model, { learningRate: 0.02 });
  const data = new DataLoader(moons(samples, { seed: 1 }), { batchSize, shuffle: true, seed: 1 });
  const held = new DataLoader(moons(60, { seed: 2 }), { batchSize: 25 });
  const accuracy = new Accuracy();
  type Sample = { readonly inputs: Tensor; readonly targets: Tensor };
  const step = ({ inputs, targets }: Sample): Tensor => {
    const logits = model.forward(inputs);
    accuracy.update(logits, targets);
    return crossEntropy(logits, targets);
  };
  return { model, optimizer, data, held, metrics: { accuracy }, step };
}

type Setting = ReturnType<typeof setUp>;
type More = Partial<TrainingOptions<Parameters<Setting['step']>[0], Setting['metrics']>>;

function training({ held: _, ...setting }: Setting, more: More = {}) {
  return new Training({ ...setting, epochs: 3, readEvery: 4, ...more });
}

async function weightsOf({ model }: Pick<Setting, 'model'>): Promise<number[]> {
  const [first, , , last] = model.layers as readonly Linear[];
  return [...(await first!.weight.data()), ...(await last!.weight.data())];
}

async function eventsOf<V>(run: AsyncIterable<TrainingEvent<V>>): Promise<TrainingEvent<V>[]> {
  const events = [];
  for await (const event of run) events.push(event);
  return events;
}

describe('Training', () => {
  test('makes the same steps as a loop written by hand, and reads the same values', async () => {
    const byHand = setUp();
    const losses: number[] = [];
    const epochs = [];
    for (let epoch = 0; epoch < 3; epoch++) {
      let [sum, samples] = [0, 0];
      for (const batch of byHand.data) {
        const loss = byHand.step(batch);
        await byHand.optimizer.step(loss);
        losses.push(await readLoss(byHand.optimizer, loss));
        sum += losses.at(-1)! * batch.count;
        samples += batch.count;
      }
      const { accuracy } = await read(byHand.metrics);
      epochs.push({ loss: sum / samples, accuracy: accuracy.epoch });
      byHand.metrics.accuracy.reset();
    }

    const setting = setUp();
    const seen: number[] = [];
    const { why, step, epoch, history } = await training(setting, {
      callbacks: [(event) => void (event.type === 'read' && seen.push(...event.losses))],
    }).run();
    expect([why, step, epoch]).toEqual(['done', 21, 3]);
    expect(seen).toEqual(losses);
    expect(history.map(({ values }) => values)).toEqual(epochs);
    expect(await weightsOf(setting)).toEqual(await weightsOf(byHand));
  });

  test('takes up a loader that another loop left, in the middle of its epoch or after its last batch', async () => {
    for (const [left, steps] of [
      [3, 4 + 7],
      [7, 7 + 7],
    ] as const) {
      const setting = setUp();
      let walked = 0;
      for (const _ of setting.data) if (++walked === left) break;
      expect((await training(setting, { epochs: 2 }).run()).step).toBe(steps);
    }
    const empty = new DataLoader(moons(3, { seed: 1 }), { batchSize: 4, dropLast: true });
    await expect(training(setUp(), { data: empty }).run()).rejects.toThrow(
      'Training: the data gave no batch in epoch 1: it is empty, or a generator,',
    );
  });

  test('makes the same steps compiled', async () => {
    const plain = setUp();
    const a = await training(plain).run();
    const compiled = setUp();
    const b = await training(compiled, { compile: true }).run();
    expect(b.history.at(-1)?.values.loss).toBeCloseTo(a.history.at(-1)!.values.loss, 5);
    expect(b.step).toBe(a.step);
    const [x, y] = [await weightsOf(plain), await weightsOf(compiled)];
    x.forEach((value, at) => void expect(y[at]).toBeCloseTo(value, 4));
  });

  test('a compiled step that uses what is not a tensor is told so', async () => {
    const setting = setUp();
    const run = new Training({
      model: setting.model,
      optimizer: setting.optimizer,
      data: setting.data,
      step: (batch) => setting.step(batch).mul(batch.count),
      epochs: 1,
      compile: true,
    });
    await expect(run.run()).rejects.toThrow(
      'Training: a compiled step cannot use batch.count: it sees the tensors of a batch alone; leave compile out, or make a tensor of it.',
    );
  });

  test('sends events in order, each read with its window', async () => {
    const setting = setUp();
    const run = training(setting, { epochs: 1, validation: { data: setting.held } });
    const events = await eventsOf(run);
    expect(events.map(({ type, step }) => `${type} ${step}`)).toEqual([
      ...['start 0', 'step 1', 'step 2', 'step 3', 'step 4', 'read 4', 'rest 4', 'step 5', 'step 6', 'step 7'],
      ...['read 7', 'epoch 7', 'validating 7', 'validated 7', 'rest 7', 'stopped 7'],
    ]);
    expect(events[0]).toEqual({ type: 'start', epoch: 1, step: 0, epochs: 1, stepsPerEpoch: 7, steps: 7 });
    const reads = events.filter((event) => event.type === 'read');
    expect(reads.map(({ losses }) => losses.length)).toEqual([4, 3]);
    expect(events.at(-1)).toMatchObject({ why: 'done' });
  });

  test('validation leaves the sums of the epoch alone, wherever it comes', async () => {
    const a = await training(setUp()).run();
    const often = setUp();
    const validated: number[] = [];
    const b = await training(often, {
      validation: { data: often.held, every: 3 },
      callbacks: [(event) => void (event.type === 'validated' && validated.push(event.values['validation.accuracy']))],
    }).run();
    expect(b.history).toMatchObject(a.history.map(({ values }) => ({ values })));
    // of several in an epoch the last
    expect(b.history.map(({ values }) => values['validation.accuracy'])).toEqual([1, 3, 6].map((at) => validated[at]));
    expect(validated.length).toBe(7);
    const own = await validate(often.held, often.step, { metrics: often.metrics });
    expect(validated.at(-1)).toBe(own.accuracy);
  });

  test('steps between validations: one more after the last step, once, and rows have the last of their epoch', async () => {
    const validatedAt = async (more: More): Promise<readonly [at: number[], rows: number[]]> => {
      const setting = setUp();
      const at: number[] = [];
      const { history } = await training(setting, {
        callbacks: [(event) => void (event.type === 'validated' && at.push(event.step))],
        ...more,
        validation: { data: setting.held, every: 5, ...more.validation },
      }).run();
      return [at, history.filter(({ values }) => values['validation.accuracy'] !== undefined).map(({ step }) => step)];
    };
    const { held, data } = setUp();
    expect(await validatedAt({})).toEqual([
      [5, 10, 15, 20, 21],
      [7, 14, 21],
    ]);
    expect(await validatedAt({ validation: { data: held, every: 30 } })).toEqual([[21], [21]]);
    expect(await validatedAt({ validation: { data: held, every: 3 } })).toEqual([
      [3, 6, 9, 12, 15, 18, 21],
      [7, 14, 21],
    ]);
    expect(await validatedAt({ steps: 21 })).toEqual([
      [5, 10, 15, 20, 21],
      [7, 14, 21],
    ]);
    expect(await validatedAt({ steps: 12 })).toEqual([[5, 10, 12], [7]]);
    // whose length nobody knows
    expect(await validatedAt({ data: { [Symbol.iterator]: () => data[Symbol.iterator]() }, epochs: 2 })).toEqual([
      [5, 10, 14],
      [7, 14],
    ]);
  });

  test('best weights are those of the last step where it is the best', async () => {
    const setting = setUp({ dropout: 0 });
    const { model, held } = setting;
    const restored = earlyStopping({ monitor: 'validation.loss', patience: 99, restoreBest: model });
    const last: number[][] = [];
    const note: Callback['handle'] = async ({ type }) => void (type === 'rest' && last.push(await weightsOf(setting)));
    await training(setting, { validation: { data: held, every: 20 }, callbacks: [restored, note] }).run();
    expect(last.length).toBeGreaterThan(2);
    expect(await weightsOf(setting)).toEqual(last.at(-1));
  });

  test('a validation that is asked for at the end of an epoch comes there', async () => {
    const setting = setUp();
    const heard: string[] = [];
    const ask: Callback['handle'] = ({ type, step, epoch }, run) => {
      heard.push(`${type} ${step}`);
      if (type === 'epoch' && epoch > 1) run.validate();
    };
    const { history } = await training(setting, {
      validation: { data: setting.held, every: 21 },
      steps: 20,
      callbacks: [{ handle: ask, hears: ['epoch', 'validated', 'rest'] }],
    }).run();
    expect(heard.filter((told) => !/rest (4|8|12|16)$/.test(told))).toEqual([
      ...['epoch 7', 'rest 7', 'epoch 14', 'validated 14', 'rest 14', 'validated 20', 'rest 20'],
    ]);
    expect(history.map(({ values }) => 'validation.loss' in values)).toEqual([false, true]);
  });

  test('several batches make the step of one large one', async () => {
    const [large, small] = [setUp({ batchSize: 40, dropout: 0 }), setUp({ batchSize: 8, dropout: 0 })];
    await training(large, { epochs: 2 }).run();
    const { step } = await training(small, { epochs: 2, accumulate: 5 }).run();
    expect(step).toBe(6);
    const [a, b] = [await weightsOf(large), await weightsOf(small)];
    a.forEach((value, at) => void expect(b[at]).toBeCloseTo(value, 5));
  });

  test.each([false, true])(
    'several weighted batches too, whatever weighs their samples (compile: %s)',
    async (compile) => {
      const run = async (batchSize: number, more: More) => {
        const own = setUp({ batchSize, dropout: 0, samples: 95 });
        const step = ({ inputs, targets }: Parameters<Setting['step']>[0]): Tensor =>
          crossEntropy(own.model.forward(inputs), targets, { reduction: 'none' });
        const { history } = await training(own, { ...more, step, compile, epochs: 2 }).run();
        return [...(await weightsOf(own)), ...history.map(({ values }) => values.loss)];
      };
      for (const more of [
        { classWeights: [1, 9] },
        // samples count by where they lie, those on the left not at all
        {
          classWeights: [2, 1],
          sampleWeights: ({ inputs }) => inputs.slice([0, 0], [inputs.shape[0]!, 1]).sum(1).relu(),
        },
      ] satisfies More[]) {
        const [large, small] = [await run(40, more), await run(8, { ...more, accumulate: 5 })];
        large.forEach((value, at) => void expect(small[at]).toBeCloseTo(value, 4));
      }
    },
  );

  test('the signal ends it after a step, and run goes on to the same end', async () => {
    const whole = setUp();
    await training(whole).run();
    const left = setUp();
    const controller = new AbortController();
    const run = training(left, {
      callbacks: [({ type, step }) => void (type === 'step' && step === 10 && controller.abort())],
      signal: controller.signal,
    });
    expect(await run.run()).toMatchObject({ why: 'aborted', step: 10, epoch: 1 });
    const again = training(left);
    again.loadHostState(run.hostState());
    expect(await again.run()).toMatchObject({ why: 'done', step: 21, epoch: 3 });
    expect(await weightsOf(left)).toEqual(await weightsOf(whole));
  });

  test('the signal ends it while it waits for data that does not come, at rest, and run goes on', async () => {
    const { held: _, ...setting } = setUp();
    const controller = new AbortController();
    let hangs = true;
    const data = {
      async *[Symbol.asyncIterator]() {
        for (const batch of setting.data) {
          yield batch;
          if (!hangs || setting.data.position < 48) continue;
          setTimeout(() => controller.abort(new Error('enough')), 5);
          await new Promise(() => undefined);
        }
      },
    };
    const types: string[] = [];
    const note = ({ type }: { readonly type: string }): void => void types.push(type);
    const run = new Training({ ...setting, data, epochs: 2, signal: controller.signal, callbacks: [note] });
    expect(await run.run()).toMatchObject({ why: 'aborted', step: 3, epoch: 0 });
    expect(types.slice(-3)).toEqual(['read', 'rest', 'stopped']);
    hangs = false;
    const again = new Training({ ...setting, data, epochs: 2 });
    again.loadHostState(run.hostState());
    expect(await again.run()).toMatchObject({ why: 'done', step: 14, epoch: 2 });
  });

  test('a loop that is left by break goes on later', async () => {
    const whole = setUp();
    const { history } = await training(whole).run();
    const left = setUp();
    const stopped: string[] = [];
    const run = training(left, { callbacks: [(event) => void (event.type === 'stopped' && stopped.push(event.why))] });
    for await (const { type, step } of run) if (type === 'rest' && step === 8) break;
    expect([stopped, run.stepCount]).toEqual([['aborted'], 8]);
    const outcome = await run.run();
    expect(outcome.history).toEqual(history);
    expect(await weightsOf(left)).toEqual(await weightsOf(whole));
  });

  test('a second walk over a training that runs is refused, and the first goes on', async () => {
    const run = training(setUp());
    let reads = 0;
    for await (const { type } of run) {
      if (type !== 'read' || ++reads > 1) continue;
      await expect(eventsOf(run)).rejects.toThrow('it runs already');
    }
    expect([reads, run.epochs]).toEqual([8, 3]);
  });

  test('a checkpoint at any rest goes on to the same values, bit for bit', async () => {
    const whole = setUp();
    const saved: Uint8Array[] = [];
    const first = training(whole, {
      callbacks: [
        { handle: async ({ type }) => void (type === 'rest' && saved.push(await encodeCheckpoint(first.parts))) },
      ],
    });
    const { history } = await first.run();
    const weights = await weightsOf(whole);
    expect(saved.length).toBe(8);
    for (const bytes of saved) {
      const other = setUp();
      const run = training(other);
      setSeed(77);
      await loadCheckpoint(bytes, run.parts);
      expect((await run.run()).history).toEqual(history);
      expect(await weightsOf(other)).toEqual(weights);
    }
  });

  test('a rest after a smaller last group is one of the next epoch for the data, and goes on to the same values', async () => {
    // 13 batches: the last step of an epoch, the 7th, has asked for a batch that is not there
    const setting = { samples: 200 };
    const more: More = { accumulate: 2, readEvery: 7, epochs: 3 };
    const whole = setUp(setting);
    const saved: Uint8Array[] = [];
    const first = training(whole, {
      ...more,
      callbacks: [
        { handle: async ({ type }) => void (type === 'rest' && saved.push(await encodeCheckpoint(first.parts))) },
      ],
    });
    const { history } = await first.run();
    const weights = await weightsOf(whole);
    expect([saved.length, history.length]).toEqual([6, 3]);
    for (const bytes of saved) {
      const other = setUp(setting);
      const run = training(other, more);
      await loadCheckpoint(bytes, run.parts);
      expect((await run.run()).history).toEqual(history);
      expect(await weightsOf(other)).toEqual(weights);
    }
    // one that is stopped there has the end of that epoch before it
    const left = setUp(setting);
    const types: string[] = [];
    const run = training(left, {
      ...more,
      callbacks: [
        ({ type, step }, controls) => {
          types.push(`${type} ${step}`);
          if (types.length === 10) controls.stop();
        },
      ],
    });
    expect(await run.run()).toMatchObject({ step: 7, epoch: 0 });
    expect(types.slice(8)).toEqual(['read 7', 'rest 7', 'stopped 7']);
    expect((await run.run()).history).toEqual(history);
    expect(await weightsOf(left)).toEqual(weights);
  });

  test.each([1, 3])('no batch is lost where the signal ends the waiting for %i', async (accumulate) => {
    /** Batches of which the fifth waits until the gate opens. */
    const late = (gate: Promise<void>, reached = (): void => undefined) =>
      dataPipeline(moons(100, { seed: 1 }))
        .map(async (sample, { position }) => {
          if (position === 64) {
            reached();
            await gate;
          }
          return sample;
        })
        .batch(16, { shuffle: true, seed: 1, prefetch: 0 });
    const whole = setUp({ dropout: 0 });
    const more: More = { accumulate, epochs: 2 };
    const expected = await training(whole, { ...more, data: late(Promise.resolve()) }).run();
    const left = setUp({ dropout: 0 });
    const controller = new AbortController();
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const data = late(gate, () => setTimeout(() => controller.abort(), 5));
    const run = training(left, { ...more, data, signal: controller.signal });
    expect(await run.run()).toMatchObject({ why: 'aborted', step: accumulate === 1 ? 4 : 1 });
    const saved = await encodeCheckpoint(run.parts);
    // the batch that nobody waits for any longer
    open();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const other = setUp({ dropout: 0 });
    const again = training(other, { ...more, data: late(gate) });
    await loadCheckpoint(saved, again.parts);
    for (const [setting, next] of [
      [left, training(left, { ...more, data })],
      [other, again],
    ] as const) {
      if (setting === left) next.loadHostState(run.hostState());
      expect((await next.run()).history).toEqual(expected.history);
      expect(await weightsOf(setting)).toEqual(await weightsOf(whole));
    }
  });

  test('a checkpoint goes on with the data of the validation, whose order and random numbers follow from its epochs', async () => {
    const shuffled = (setting: Setting): More => ({
      validation: {
        data: new DataLoader(moons(60, { seed: 2 }), { batchSize: 7, shuffle: true, seed: 4 }),
        // what a batch counts depends on which samples are in it
        step: (batch) => setting.step(batch).square(),
        every: 5,
      },
    });
    const whole = setUp();
    const saved: Uint8Array[] = [];
    const first = training(whole, {
      ...shuffled(whole),
      callbacks: [
        { handle: async ({ type }) => void (type === 'rest' && saved.push(await encodeCheckpoint(first.parts))) },
      ],
    });
    const expected = await eventsOf(first);
    const last = expected.filter(({ type }) => type === 'validated').at(-1);
    for (const bytes of saved.slice(2, 6)) {
      const other = setUp();
      const run = training(other, shuffled(other));
      await loadCheckpoint(bytes, run.parts);
      expect((await eventsOf(run)).filter(({ type }) => type === 'validated').at(-1)).toEqual(last);
    }
  });

  test('a validation that the signal ended is done anew, over all of its data', async () => {
    const values: number[] = [];
    for (const endsAt of [0, 2]) {
      const setting = setUp();
      let controller = new AbortController();
      let seen = 0;
      const run = training(setting, {
        epochs: 1,
        validation: {
          data: setting.held,
          step: (batch) => {
            if (++seen === endsAt) controller.abort();
            return setting.step(batch);
          },
        },
        signal: {
          get aborted() {
            return controller.signal.aborted;
          },
          get reason() {
            return controller.signal.reason;
          },
          throwIfAborted: () => controller.signal.throwIfAborted(),
          addEventListener: (type, listener) => controller.signal.addEventListener(type, listener),
          removeEventListener: (type, listener) => controller.signal.removeEventListener(type, listener),
        },
      });
      expect((await run.run()).why).toBe(endsAt === 0 ? 'done' : 'aborted');
      controller = new AbortController();
      const { history } = await run.run();
      values.push((history[0]!.values as Record<string, number>)['validation.loss']!);
      expect(seen).toBe(endsAt + 3);
    }
    expect(values[1]).toBe(values[0]);
  });

  test('evaluates and predicts all of the data, also where a loop has left it in the middle', async () => {
    const setting = setUp();
    const run = training(setting);
    const expected = await run.evaluate(setting.held);
    for (const _ of setting.held) break;
    expect(await run.evaluate(setting.held)).toEqual(expected);
    for (const _ of setting.held) break;
    let rows = 0;
    for await (const { shape } of predict(setting.held, ({ inputs }) => setting.model.forward(inputs)))
      rows += shape[0]!;
    expect(rows).toBe(60);
  });

  test('refuses to evaluate between its steps, which count in the same metrics; at an event it may', async () => {
    const expected = (await training(setUp()).run()).history;
    const setting = setUp();
    const found: unknown[] = [];
    const run: Training<Parameters<Setting['step']>[0], Setting['metrics']> = training(setting, {
      callbacks: [
        async ({ type }) => {
          if (type === 'read') found.push(await run.evaluate(setting.held));
        },
      ],
    });
    const end = run.run();
    await Promise.resolve();
    const refusal = () => run.evaluate(setting.held);
    let refused: unknown = null;
    for (let turn = 0; turn < 1000 && refused === null; turn++) {
      await Promise.resolve();
      try {
        if (found.length === 0) await refusal();
      } catch (error) {
        refused = error;
      }
    }
    expect(String(refused)).toContain(
      'Training.evaluate: it runs already: wait for its end, or evaluate in a callback.',
    );
    expect((await end).history).toEqual(expected);
    expect(found.length).toBeGreaterThan(3);
    for await (const { type } of training(setting, { epochs: 1 }))
      if (type === 'epoch') await run.evaluate(setting.held);
    expect(await run.evaluate(setting.held)).toHaveProperty('accuracy');
  });

  test('pauses between steps', async () => {
    const setting = setUp();
    const run: Training<Parameters<Setting['step']>[0], Setting['metrics']> = training(setting, {
      callbacks: [({ type, step }) => void (type === 'step' && step === 2 && run.pause())],
    });
    const end = run.run();
    while (!run.isPaused) await new Promise((resolve) => setTimeout(resolve, 1));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(run.stepCount).toBe(2);
    run.resume();
    expect(await end).toMatchObject({ why: 'done', step: 21 });
  });

  test('names the first step whose loss is not finite', async () => {
    const setting = setUp();
    const why: unknown[] = [];
    let steps = 0;
    const run = training(setting, {
      step: (batch) => (++steps === 6 ? setting.step(batch).div(0) : setting.step(batch)),
      callbacks: [(event) => void (event.type === 'stopped' && why.push(event.why, event.step))],
    });
    await expect(run.run()).rejects.toThrow(
      'Training: the loss of step 6 is Infinity: look at that batch, lower the learning rate or clip the gradients, and go on from a checkpoint;',
    );
    expect(why).toEqual(['diverged', 7]);
  });

  test('names that step, and goes back, where a metric refuses such predictions', async () => {
    for (const rollBack of [undefined, new RollBack({ every: 3 })]) {
      const { model, optimizer, data, step } = setUp();
      const auroc = new AUROC({ from: 'logits' });
      let made = 0;
      const run = new Training({
        model,
        optimizer,
        data,
        epochs: 2,
        readEvery: 2,
        metrics: { auroc },
        ...(rollBack && { rollBack }),
        step: (batch) => {
          const factor = ++made === 6 ? Number.NaN : 1;
          auroc.update(model.forward(batch.inputs).mul(factor), batch.targets);
          return step(batch).mul(factor);
        },
      });
      if (rollBack) expect((await run.run()).why).toBe('done');
      else await expect(run.run()).rejects.toThrow('Training: the loss of step 6 is NaN');
    }
  });

  test('keeps the losses that nobody was told of where a metric fails on its own', async () => {
    const setting = setUp();
    const auroc = new AUROC({ from: 'logits' });
    const run = new Training({
      ...{ model: setting.model, optimizer: setting.optimizer, data: setting.data, epochs: 2, metrics: { auroc } },
      step: (batch) => {
        auroc.update(setting.model.forward(batch.inputs).mul(Number.NaN), batch.targets);
        return setting.step(batch);
      },
    });
    await expect(run.run()).rejects.toThrow('AUROC');
    expect(() => run.hostState()).toThrow('the last losses were not read');
  });

  test('goes back where a loss is not finite, with lower learning rates, and on to the end', async () => {
    const setting = setUp();
    const optimizer = new SGD(setting.model, { learningRate: (step) => 0.1 + step / 1000 });
    const poison = new Set([11, 12]);
    let made = 0;
    const warned: string[] = [];
    const rates: number[] = [];
    const run = training(setting, {
      optimizer,
      epochs: 4,
      step: (batch) => {
        made++;
        return poison.delete(made) ? setting.step(batch).mul(Number.NaN) : setting.step(batch);
      },
      rollBack: new RollBack({ factor: 0.25, every: 4 }),
      callbacks: [
        (event) => {
          if (event.type === 'warning') warned.push(event.message);
          if (event.type === 'epoch') rates.push(event.learningRates[0]!);
        },
      ],
    });
    const { why, step, history } = await run.run();
    expect([why, step, history.length]).toEqual(['done', 28, 4]);
    expect(warned).toEqual([
      'the loss of step 11 is NaN: back to step 8, with the learning rates times 0.25 (time 1 of 3).',
    ]);
    expect(rates[1]).toBeCloseTo(0.25 * (0.1 + 14 / 1000), 9);
    expect((await weightsOf(setting)).every(Number.isFinite)).toBe(true);
    // a resumed run lowers the schedule again
    const again = setUp();
    const other = new SGD(again.model, { learningRate: (step) => 0.1 + step / 1000 });
    const resumed = training(again, { optimizer: other, epochs: 5, rollBack: new RollBack({ factor: 0.25 }) });
    await loadCheckpoint(await encodeCheckpoint(run.parts), resumed.parts);
    await resumed.run();
    expect(other.learningRate).toBeCloseTo(0.25 * (0.1 + 35 / 1000), 9);
  });

  test('rolls plain rates back too, and ends where it diverges again and again', async () => {
    const setting = setUp();
    const optimizer = new SGD(setting.model, { learningRate: 0.1 });
    const seen: number[] = [];
    const run = training(setting, {
      optimizer,
      step: (batch) => setting.step(batch).mul(optimizer.stepCount >= 5 ? Number.NaN : 1),
      rollBack: new RollBack({ most: 2, every: 1 }),
      callbacks: [(event) => void (event.type === 'warning' && seen.push(optimizer.learningRate))],
    });
    await expect(run.run()).rejects.toThrow(/the loss of step 6 is NaN.* After going back 2 times it came again\.$/);
    expect(seen).toEqual([0.05, 0.025]);
    await expect(new RollBack().back({})).rejects.toThrow('RollBack: nothing was kept: call keep(parts) first.');
    expect(() => new RollBack({ factor: 2 })).toThrow('RollBack: factor is 2, most 3, every 200');
  });

  test('weighs classes and samples, compiled or not', async () => {
    const weights = [1, 3];
    const byHand = setUp({ dropout: 0 });
    for (let epoch = 0; epoch < 3; epoch++) {
      for (const { inputs, targets } of byHand.data) {
        await byHand.optimizer.step(crossEntropy(byHand.model.forward(inputs), targets, { weight: weights }));
      }
    }
    for (const compiled of [false, true]) {
      const setting = setUp({ dropout: 0 });
      const run = training(setting, {
        classWeights: weights,
        compile: compiled,
        step: ({ inputs, targets }) => crossEntropy(setting.model.forward(inputs), targets, { reduction: 'none' }),
        validation: { data: setting.held },
      });
      const { history } = await run.run();
      const [a, b] = [await weightsOf(setting), await weightsOf(byHand)];
      a.forEach((value, at) => void expect(value).toBeCloseTo(b[at]!, 5));
      const plain = await validate(setting.held, ({ inputs, targets }) =>
        crossEntropy(setting.model.forward(inputs), targets),
      );
      expect(history.at(-1)!.values['validation.loss']).toBeCloseTo(plain.loss, 6);
    }
    const scalars = setUp();
    await expect(training(scalars, { classWeights: weights }).run()).rejects.toThrow(
      "Training: with classWeights or sampleWeights the step returns the loss of each sample, [N], not a tensor []: crossEntropy(logits, targets, { reduction: 'none' }).",
    );
    const padded = tensor([1, 4, Number.NaN]);
    const mask = tensor([true, true, false]);
    expect(await weightedLoss(padded, { mask, weights: tensor([3, 1, 9]) }).item()).toBe(7 / 4);
    expect(() => weightedLoss(padded, { weights: tensor([1]) })).toThrow(
      'weightedLoss: the losses are a tensor [3], the weights a tensor [1]: give a tensor with one number for each sample, [N].',
    );
    expect(() => weightedLoss(padded, { weights: [1, 2, 3] as unknown as Tensor })).toThrow(
      'weightedLoss: the losses are a tensor [3], the weights 1,2,3: give a tensor with one number for each sample, [N].',
    );
  });

  test.each([false, true])('refuses weights of other classes than there are (compiled: %s)', async (compile) => {
    const setting = setUp({ dropout: 0 });
    const each = ({ inputs, targets }: { inputs: Tensor; targets: Tensor }): Tensor =>
      crossEntropy(setting.model.forward(inputs), targets, { reduction: 'none' });
    for (const classWeights of [[1], [1, 2, 3]]) {
      await expect(training(setting, { classWeights, compile, step: each }).run()).rejects.toThrow(
        `Training: there are ${classWeights.length} classWeights, but the losses are over 2 classes: give one weight for each class.`,
      );
    }
    // losses that do not tell over how many classes they are: what the targets are, tells
    const own = training(setting, { classWeights: [1], compile, step: (batch) => each(batch).mul(1) });
    await expect(own.run()).rejects.toThrow(
      'Training: index 1 is outside of 1 classWeights, one for each class: indices go from 0 to 0.',
    );
    expect(setting.optimizer.stepCount).toBe(0);
  });

  test('a weighted loss is NaN where a computed class has no weight, unless the mask hides it', async () => {
    const losses = tensor([1, 4]);
    const targets = tensor([0, 2], { dtype: 'int32' });
    const weightsOfTwo = { classWeights: [1, 3] };
    expect(() => weightedLoss(losses, { ...weightsOfTwo, targets })).toThrow(
      'weightedLoss: index 2 is outside of 2 classWeights, one for each class: indices go from 0 to 1.',
    );
    expect(await weightedLoss(losses, { ...weightsOfTwo, targets: targets.add(0) }).item()).toBe(Number.NaN);
    const mask = tensor([true, false]);
    expect(await weightedLoss(losses, { ...weightsOfTwo, targets: tensor([1, -100]), mask }).item()).toBe(1);
  });

  test('steps of the user: two optimizers in turn', async () => {
    setSeed(1);
    const [left, right] = [new Linear(2, 1), new Linear(2, 1)];
    const [a, b] = [new SGD(left, { learningRate: 0.1 }), new SGD(right, { learningRate: 0.1 })];
    const run = new Training({
      model: { left, right },
      parts: { a, b },
      data: [tensor([[1, 2]]), tensor([[2, 1]])],
      step: async (x) => {
        await a.step(left.forward(x).square().mean());
        const loss = right.forward(x).sub(left.forward(x).stopGradient()).square().mean();
        await b.step(loss);
        return loss;
      },
      epochs: 20,
    });
    const { history } = await run.run();
    expect([a.stepCount, b.stepCount]).toEqual([40, 40]);
    expect(history.at(-1)!.values.loss).toBeLessThan(history[0]!.values.loss / 10);
    expect(Object.keys(run.parts)).toEqual(['model', 'a', 'b', 'metrics', 'callbacks', 'training']);
    await expect(async () => run.evaluate([tensor([[1, 2]])])).rejects.toThrow(
      'Training.evaluate: the step makes updates itself: give validation.step, or use validate(data, step).',
    );
  });

  test('ends after steps', async () => {
    expect(await training(setUp(), { steps: 9 }).run()).toMatchObject({ why: 'done', step: 9, epoch: 1 });
  });

  test('an epoch whose last step is the last of all is through: told, validated, in the history', async () => {
    const setting = setUp(); // seven batches in an epoch
    const validation = { data: setting.held };
    const { held: _, ...parts } = setting;
    const events = await eventsOf(new Training({ ...parts, validation, steps: 14 }));
    const count = (type: string): number => events.filter((event) => event.type === type).length;
    expect([count('step'), count('epoch'), count('validated')]).toEqual([14, 2, 2]);
    const { held, ...others } = setUp();
    const partly = new Training({ ...others, validation: { data: held }, steps: 15 });
    expect((await partly.run()).history.map(({ step }) => step)).toEqual([7, 14]);
  });

  test('a callback may stop it, ask for a validation and warn', async () => {
    const setting = setUp();
    const seen: string[] = [];
    const run = training(setting, {
      validation: { data: setting.held },
      callbacks: [
        ({ type, step }, controls) => {
          if (type === 'step' && step === 2) controls.validate();
          if (type === 'step' && step === 5) controls.warn('spike', 'the loss jumped');
          if (type === 'step' && step === 6) controls.stop();
        },
        (event) => void (event.type !== 'step' && seen.push(`${event.type} ${event.step}`)),
      ],
    });
    expect((await run.run()).why).toBe('callback');
    expect(seen).toEqual(
      [
        'start 0',
        'read 3',
        'validating 3',
        'validated 3',
        'rest 3',
        'read 4',
        'rest 4',
        'warning 5',
        'read 6',
        'rest 6',
        'stopped 6',
      ].map((text) => text.replace(' 3', ' 2')),
    );
  });

  /** 100 small steps that nothing has to be waited for, once they are compiled; `before` is called before each batch. */
  function quick(
    callbacks: readonly (Callback | Callback['handle'])[],
    before: (batch: number, run: Training<{ readonly x: Tensor }>) => void = () => undefined,
  ) {
    const model = new Linear(2, 1);
    const batch = { x: tensor([[1, 2]]) };
    const data = {
      length: 100,
      *[Symbol.iterator]() {
        for (let k = 1; k <= 100; k++) {
          before(k, run);
          yield batch;
        }
      },
    };
    const run: Training<{ readonly x: Tensor }> = new Training({
      model,
      optimizer: new SGD(model, { learningRate: 1e-3 }),
      data,
      step: ({ x }: { readonly x: Tensor }) => model.forward(x).square().mean(),
      compile: true,
      epochs: 1,
      readEvery: 40,
      callbacks,
    });
    return run;
  }

  test('tells callbacks of what they hear, and of each step who wants each', async () => {
    const [some, reads, all, samples]: number[][] = [[], [], [], []];
    const shows: Callback = { hears: ['some steps'], handle: ({ step }) => void some!.push(step) };
    const watches: Callback = {
      hears: ['read'],
      handle: (event) => {
        reads!.push(event.step);
        if (event.type === 'read') samples!.push(event.samples);
      },
    };
    await quick([shows, watches]).run();
    expect([reads, samples]).toEqual([
      [40, 80, 100],
      [40, 40, 20],
    ]);
    expect(some!.length).toBeLessThan(100);
    for (const step of [40, 80, 100]) expect(some).toContain(step);
    some!.forEach((step, at) => {
      const before = at === 0 ? 0 : some![at - 1]!;
      expect([step > before, step - before <= 16]).toEqual([true, true]);
    });
    await quick([shows, ({ type, step }) => void (type === 'step' && all!.push(step))]).run();
    expect(all).toEqual(Array.from({ length: 100 }, (_, k) => k + 1));
  });

  test('stands at the very step at which it is asked to, also where nobody hears of steps', async () => {
    const stopped = await quick([], (batch, run) => void (batch === 37 && run.stop())).run();
    expect([stopped.why, stopped.step]).toEqual(['callback', 37]);
    const paused = quick([], (batch, run) => void (batch === 59 && run.pause()));
    const end = paused.run();
    while (!paused.isPaused) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(paused.stepCount).toBe(59);
    paused.resume();
    expect((await end).step).toBe(100);
  });

  test('says what is wrong with its options and data', async () => {
    const setting = setUp();
    const { model, optimizer, data, step } = setting;
    const common = { model, optimizer, data, step };
    expect(() => new Training(common)).toThrow('Training: give epochs or steps: it would never end.');
    expect(() => new Training({ ...common, epochs: 0.5 })).toThrow(
      'Training: epochs is 0.5: it is a whole number, 1 or more.',
    );
    expect(() => training(setting, { validation: { data } })).toThrow(
      'Training: validation.data is the data itself: give a loader of its own.',
    );
    const wrong = { ...common, epochs: 1, epoch: 2 };
    expect(() => new Training(wrong)).toThrow('Training: no option epoch: model, data,');
    expect(() => training(setting).validate()).toThrow('Training.validate: no validation data: give validation.');
    expect(() => training(setting).higherIsBetter('validation.loss')).toThrow(
      "Training: there is no value 'validation.loss' (give validation to have it): loss, accuracy.",
    );
    // the cast: an option that was forgotten
    expect(() => training(setting).higherIsBetter(undefined as never)).toThrow("there is no value 'undefined': loss,");
    expect(() => training(setting).higherIsBetter('recall')).toThrow(
      "Training: there is no value 'recall': loss, accuracy.",
    );
    const once = (function* () {
      yield* data;
    })();
    await expect(training(setting, { data: once }).run()).rejects.toThrow(
      'Training: the data gave no batch in epoch 2: it is empty, or a generator, which ends once; give what can be walked again.',
    );
    const rows = training(setting, { step: ({ inputs }) => model.forward(inputs) });
    await expect(rows.run()).rejects.toThrow(
      'Training: the step returned a tensor [16, 2]: return the loss, one number',
    );
  });

  test('a failing step is told to callbacks and thrown', async () => {
    const why: unknown[] = [];
    const run = training(setUp(), {
      step: () => {
        throw new RangeError('mine');
      },
      callbacks: [(event) => void (event.type === 'stopped' && why.push(event.why, event.error))],
    });
    await expect(run.run()).rejects.toThrow('mine');
    expect(why).toEqual(['error', new RangeError('mine')]);
  });

  test('knows the names that a monitor may have', () => {
    const setting = setUp();
    const watch = <const Name extends string>(_: Name): Callback<Monitored<Name>> => ({ handle: () => undefined });
    training(setting, { callbacks: [watch('loss'), watch('accuracy'), watch('validation.accuracy')] });
    // @ts-expect-error there is no such metric
    training(setting, { callbacks: [watch('recall')] });
    // @ts-expect-error nor in the validation
    training(setting, { callbacks: [watch('validation.recall')] });
    training(setting, {
      callbacks: [
        (event) => {
          if (event.type === 'epoch') expectTypeOf(event.values.accuracy).toBeNumber();
          if (event.type === 'read') expectTypeOf(event.values.accuracy.window).toBeNumber();
          if (event.type === 'validated') expectTypeOf(event.values['validation.loss']).toBeNumber();
        },
      ],
    });
  });
});

describe('predict', () => {
  test('gives the outputs without padding, in evaluation mode, and takes the next batch while one is looked at', async () => {
    const { model } = setUp({ dropout: 0.5 });
    const data = new DataLoader(moons(25, { seed: 1 }), { batchSize: 10, padTo: { samples: 10 } });
    const shapes = [];
    const all: number[] = [];
    for await (const { data: rows, shape } of predict(data, ({ inputs }) => model.forward(inputs))) {
      shapes.push(shape);
      all.push(...rows);
    }
    expect(shapes).toEqual([
      [10, 2],
      [10, 2],
      [5, 2],
    ]);
    const again = [];
    for await (const { data: rows } of predict(data, ({ inputs }) => model.forward(inputs))) again.push(...rows);
    expect(again).toEqual(all);
  });

  test('ends on a signal, as validate does, also while data does not come', async () => {
    const { model, data, step } = setUp();
    const never: AsyncIterable<ReturnType<typeof data.peek>> = {
      async *[Symbol.asyncIterator]() {
        yield data.peek();
        await new Promise(() => undefined);
      },
    };
    for (const source of [never, data]) {
      const controller = new AbortController();
      const { signal } = controller;
      const outputs = predict(source, ({ inputs }) => model.forward(inputs), { signal });
      const next = outputs.next();
      const validated = validate(source, step, { signal });
      controller.abort(new Error('enough'));
      for (const each of [next, validated]) await expect(each).rejects.toThrow('enough');
      await expect(validate(source, step, { signal })).rejects.toThrow('enough');
    }
  });

  test('validate refuses data that gives nothing', async () => {
    const { step } = setUp();
    await expect(validate([], step)).rejects.toThrow(
      'validate: the data gave no batch: it is empty, or a generator, which ends once; give what can be walked again.',
    );
  });

  test('validate and predict refuse what is no step, no metrics and no output', async () => {
    const { held, step, metrics } = setUp();
    for (const [forward, what] of [
      [() => undefined, 'undefined'],
      [({ inputs }: { inputs: Tensor }) => inputs.sum(), 'a tensor []'],
    ] as const) {
      await expect(predict(held, forward as never).next()).rejects.toThrow(
        `predict: forward gave ${what}: return one tensor, [samples, ...].`,
      );
    }
    await expect(predict(held, undefined as never).next()).rejects.toThrow('predict: forward must be a function of a');
    await expect(validate(held, undefined as never)).rejects.toThrow('validate: step must be a function of a batch.');
    await expect(validate(held, step, { metrics: [metrics.accuracy] as never })).rejects.toThrow(
      'validate: metrics must be metrics by name, { accuracy: new Accuracy() }.',
    );
    await expect(validate(held, step, { metrics: { loss: metrics.accuracy } as never })).rejects.toThrow(
      "validate: 'loss' is what the step returns: rename that metric.",
    );
  });

  test('validate leaves alone what metrics have counted, read or not', async () => {
    const { held, step, metrics } = setUp({ dropout: 0 });
    const own = await validate(held, step, { metrics });
    const half = new DataLoader(moons(30, { seed: 5 }), { batchSize: 10 });
    for (const batch of half) step(batch);
    expect(await validate(held, step, { metrics })).toEqual(own);
    const { accuracy } = await read(metrics);
    metrics.accuracy.reset();
    for (const batch of half) step(batch);
    expect(accuracy).toEqual((await read(metrics)).accuracy);
    expect(accuracy.window).toBe(accuracy.epoch);
  });
});

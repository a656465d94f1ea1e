import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpu } from '@nn/backend-cpu';
import { freeze, setDefaultBackend, setSeed, type Tensor, tensor } from '@nn/core';
import { Linear } from '@nn/layers';
import { Accuracy, ConfusionMatrix, Mean } from '@nn/metrics';
import { ReduceLROnPlateau, SGD, WeightAverage } from '@nn/optim';
import { encodeCheckpoint, loadCheckpoint } from '@nn/serialize';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { reduceOnPlateau, unfreezeAt, weightAverage } from '../callbacks/averages-and-rates.ts';
import { SpikeDetector, spikeDetection } from '../callbacks/spikes.ts';
import { timer } from '../callbacks/timer.ts';
import type { Callback, TrainingEvent } from '../events.ts';
import { lossWatch } from '../health/loss-watch.ts';
import { Training } from '../training.ts';
import { AppendFile } from './append-file.ts';
import { checkpoint, resume } from './checkpoint.ts';
import { htmlReport } from './html-report.ts';
import { csv, jsonLines, tensorBoard } from './logs.ts';

beforeAll(() => setDefaultBackend(cpu()));
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nn-logs-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

type Values = { readonly loss: number; readonly score: number };

/** Two steps an epoch whose losses are the data, and a validation; the weight of the model moves by 1 in each step. */
function scripted(
  losses: readonly number[],
  callbacks: readonly Callback<Values>[],
  epochs = 2,
  validation: { readonly every?: number } = {},
  signal?: AbortSignal,
) {
  const model = new Linear(1, 1, { bias: false });
  const optimizer = new SGD(model, { learningRate: 1 });
  const score = new Mean();
  const matrix = new ConfusionMatrix({ classes: 2 });
  const training = new Training({
    model,
    optimizer,
    data: losses.map((loss) => tensor(loss)),
    metrics: { score, matrix },
    step: (loss: Tensor) => {
      score.update(loss.mul(10));
      matrix.update(tensor([[0, 1]]), tensor([1]));
      // the weight's part is 0, and its gradient 1
      return loss.add(model.weight.sum().sub(model.weight.stopGradient().sum()));
    },
    validation: { data: [tensor(0)], step: () => model.weight.sum(), ...validation },
    epochs,
    ...(signal && { signal }),
    callbacks,
  });
  return { model, optimizer, training };
}

describe('logs', () => {
  test('JSON lines say everything, in order', async () => {
    const path = join(folder, 'a/b/run.jsonl');
    setSeed(1);
    let now = 0;
    await scripted(
      [1, 2],
      [jsonLines({ path, losses: true, config: { seed: 1 }, clock: () => now++ })],
      1,
    ).training.run();
    const lines = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ type, time, step }) => [type, time, step])).toEqual([
      ['start', 0, 0],
      ['read', 1, 2],
      ['epoch', 2, 2],
      ['validated', 3, 2],
      ['stopped', 4, 2],
    ]);
    expect(lines[0].config).toEqual({ seed: 1 });
    expect(lines[1]).toMatchObject({
      losses: [1, 2],
      learningRates: [1],
      values: { score: { window: 15, epoch: 15 } },
    });
    expect(lines[2].values).toEqual({
      loss: 1.5,
      score: 15,
      matrix: [
        [0, 0],
        [0, 2],
      ],
    });
    expect(lines[3].values['validation.score']).toBe('NaN');
    expect(lines[4].why).toBe('done');
  });

  test('CSV has a row for each epoch, of numbers', async () => {
    const path = join(folder, 'run.csv');
    await scripted([1, 2], [csv({ path })]).training.run();
    const [head, first, second, end] = readFileSync(path, 'utf8').split('\n');
    expect(head).toBe('epoch,step,score,loss,validation.score,validation.loss');
    expect(first).toMatch(/^1,2,15,1\.5,NaN,-?[\d.]+$/);
    expect([second?.split(',').slice(0, 4), end]).toEqual([['2', '4', '15', '1.5'], '']);
  });

  test('CSV keeps its columns: cells without a value are empty, and validations in mid-epoch count', async () => {
    const path = join(folder, 'run.csv');
    const { training } = scripted([1, 2, 3, 4], [csv({ path })], 2, { every: 3 });
    await training.run();
    const [head, ...rows] = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(head).toBe('epoch,step,score,loss,validation.score,validation.loss');
    expect(rows.map((row) => row.split(',').slice(0, 5).join())).toEqual(['1,4,25,2.5,NaN', '2,8,25,2.5,NaN']);
    // validated after the steps 3 and 6 and the last, and the weight falls by 1 in each
    const [first = 0, second = 0] = rows.map((row) => Number(row.split(',')[5]));
    expect(first - second).toBeCloseTo(5, 4);
    const short = scripted([1], [csv({ path })], 3, { every: 2 });
    await short.training.run();
    const cells = readFileSync(path, 'utf8').trimEnd().split('\n').slice(1);
    expect(cells.map((row) => row.replace(/-?\d\.\d{3,}$/, 'w'))).toEqual([
      '1,1,10,1,,',
      '2,2,10,1,NaN,w',
      '3,3,10,1,NaN,w',
    ]);
  });

  test('CSV appends to a file with the same columns only', async () => {
    const path = join(folder, 'run.csv');
    writeFileSync(path, 'epoch,step,other\n1,2,3\n');
    await expect(scripted([1], [csv({ path, append: true })], 1).training.run()).rejects.toThrow(
      `csv: ${path} has the columns epoch,step,other, this training epoch,step,score,loss,validation.score,validation.loss: give it a file of its own.`,
    );
    expect(readFileSync(path, 'utf8')).toBe('epoch,step,other\n1,2,3\n');
  });

  test('a row whose validation was ended is written by the run that goes on in another process', async () => {
    const path = join(folder, 'run.csv');
    const controller = new AbortController();
    const end: Callback<Values> = { handle: ({ type }) => void (type === 'validating' && controller.abort()) };
    const first = scripted([1, 2], [csv({ path }), end], 1, {}, controller.signal);
    expect((await first.training.run()).why).toBe('aborted');
    expect(readFileSync(path, 'utf8')).toBe('');
    const second = scripted([1, 2], [csv({ path }), { handle: () => undefined }], 1);
    await loadCheckpoint(await encodeCheckpoint(first.training.parts), second.training.parts);
    await second.training.run();
    expect(readFileSync(path, 'utf8')).toMatch(/^epoch,step,.*\n1,2,15,1\.5,NaN,-?\d[\d.]*\n$/);
  });

  test('a run that is resumed at its first step has one start in its logs', async () => {
    const path = join(folder, 'run.jsonl');
    const hyperparameters = { learningRate: 1 };
    const files = async (isResumed: boolean) => {
      const logs = [
        jsonLines({ path, clock: null }),
        tensorBoard({ folder, clock: () => 0, config: {}, hyperparameters }),
      ];
      const save = checkpoint<'loss'>({ folder, atStart: true });
      const { training } = scripted([1, 2], [...logs, save], 1);
      if (isResumed) expect(await resume(training, folder)).toBe(true);
      const leave: Callback<Values>['handle'] = () => {
        throw new Error('killed');
      };
      if (isResumed) await training.run();
      else
        await expect(scripted([1, 2], [...logs, save, { handle: leave }], 1).training.run()).rejects.toThrow('killed');
      return logs.map(({ file }) => readFileSync(file.path, 'latin1'));
    };
    await files(false);
    const [lines = '', events = ''] = await files(true);
    expect(lines.match(/"type":"start"/g)).toHaveLength(1);
    expect(events.match(/_hparams_\/session_start_info/g)).toHaveLength(1);
  });

  test('runs replace a file, or append to it when asked', async () => {
    const path = join(folder, 'run.csv');
    for (let run = 0; run < 2; run++) await scripted([1], [csv({ path })], 1).training.run();
    expect(readFileSync(path, 'utf8').trimEnd().split('\n').length).toBe(2);
    await scripted([1], [csv({ path, append: true })], 1).training.run();
    expect(readFileSync(path, 'utf8').trimEnd().split('\n').length).toBe(3);
  });

  test('a resumed log cuts what came after the checkpoint, and refuses a file that is too short', () => {
    const path = join(folder, 'log');
    const file = new AppendFile(path);
    file.append('kept ä');
    const state = file.hostState();
    file.append('lost');
    const again = new AppendFile(path);
    again.loadHostState(state);
    expect(again.open()).toBe(false);
    expect(readFileSync(path, 'utf8')).toBe('kept ä');
    truncateSync(path, 2);
    const late = new AppendFile(path);
    late.loadHostState(state);
    expect(() => late.open()).toThrow(
      `log: ${path} has 2 bytes, the run that is resumed had written 7: it is another file, or was cut.`,
    );
    expect(() => late.loadHostState({ length: 'x' })).toThrow('log: the saved state has no length of a file');
  });

  test('TensorBoard gets each loss, the values, rates, histograms and entries of the user', async () => {
    const log = tensorBoard({ folder, clock: () => 1, histograms: 1, config: { seed: 1 } });
    await scripted([1, 2], [log], 1).training.run();
    log.write(7, { kind: 'scalar', tag: 'mine', value: 1 });
    const text = readFileSync(log.file.path, 'latin1');
    const tags = [
      'brain.Event:2',
      'config',
      'loss',
      'score',
      'learning_rate/0',
      'epoch/loss',
      'weight',
      'validation.loss',
    ];
    for (const tag of [...tags, 'mine']) expect(text).toContain(tag);
    expect(text.split('loss').length - 1).toBe(4);
  });
});

describe('weightAverage', () => {
  test('is in the model while it is validated, and not after', async () => {
    const seen: number[] = [];
    const average = { current: null as WeightAverage | null };
    const { model, training } = scripted(
      [1, 2],
      [
        { handle: async (event) => void (event.type === 'validated' && seen.push(event.values['validation.loss'])) },
        { handle: (event, controls) => callback(controls.model).handle(event, controls) },
      ],
    );
    const callback = (own: object): Callback => {
      average.current ??= new WeightAverage(own, { average: 'equal' });
      return weightAverage(average.current);
    };
    const start = await model.weight.item();
    await training.run();
    // after steps 1 to n the weight is start - n: the mean of n of them is start - (n + 1) / 2
    expect(seen[0]).toBeCloseTo(start - 1.5, 5);
    expect(seen[1]).toBeCloseTo(start - 2.5, 5);
    expect(await model.weight.item()).toBeCloseTo(start - 4, 5);
  });

  test('by epochs averages their ends', async () => {
    const seen: number[] = [];
    let average: WeightAverage | null = null;
    const { model, training } = scripted(
      [1, 2],
      [
        { handle: async (event) => void (event.type === 'validated' && seen.push(event.values['validation.loss'])) },
        {
          handle: (event, controls) => {
            average ??= new WeightAverage(controls.model, { average: 'equal' });
            return weightAverage(average, { every: 'epoch', from: 3 }).handle(event, controls);
          },
        },
      ],
      3,
    );
    const start = await model.weight.item();
    await training.run();
    expect(seen[0]).toBeCloseTo(start - 2, 5);
    expect(seen[2]).toBeCloseTo(start - 5, 5);
  });
});

test('reduceOnPlateau lowers the rate and says so', async () => {
  const warnings: string[] = [];
  const model = new Linear(1, 1, { bias: false });
  const optimizer = new SGD(model, { learningRate: 1 });
  const training = new Training({
    model,
    optimizer,
    data: [tensor([[1]])],
    step: (x) => model.forward(x).mul(0).sum(),
    epochs: 4,
    callbacks: [
      reduceOnPlateau(new ReduceLROnPlateau(optimizer, { patience: 1, factor: 0.5 }), { monitor: 'loss' }),
      (event) => void (event.type === 'warning' && warnings.push(`${event.what}: ${event.message}`)),
    ],
  });
  await training.run();
  expect(optimizer.learningRate).toBe(0.5);
  expect(warnings).toEqual(['plateau: loss no longer improves: the learning rate is now 0.5.']);
});

test('reduceOnPlateau refuses a plateau that waits for the wrong direction', async () => {
  const model = new Linear(1, 1);
  const optimizer = new SGD(model, { learningRate: 1 });
  const run = (monitor: 'loss' | 'accuracy', mode: 'min' | 'max') => {
    const plateau = new ReduceLROnPlateau(optimizer, { mode });
    const accuracy = new Accuracy();
    return new Training({
      model,
      optimizer,
      data: [tensor([[1]])],
      metrics: { accuracy },
      step: (x) => {
        const y = model.forward(x).sum();
        accuracy.update(tensor([[1, 0]]), tensor([0], { dtype: 'int32' }));
        return y;
      },
      epochs: 1,
      callbacks: [reduceOnPlateau(plateau, { monitor })],
    }).run();
  };
  await expect(run('accuracy', 'min')).rejects.toThrow(
    "reduceOnPlateau: 'accuracy' is better when it rises, but the plateau has mode 'min': new ReduceLROnPlateau(optimizer, { mode: 'max' }).",
  );
  await expect(run('loss', 'max')).rejects.toThrow("'loss' is better when it falls, but the plateau has mode 'max'");
  expect([(await run('accuracy', 'max')).why, (await run('loss', 'min')).why]).toEqual(['done', 'done']);
});

test('callbacks that served one training owe nothing to it in the next', async () => {
  const warnings: string[] = [];
  const model = { body: new Linear(1, 1), head: new Linear(1, 1) };
  let clock = 0;
  const callbacks = [
    unfreezeAt(2, model.body),
    spikeDetection({ window: 10 }),
    lossWatch({ window: 5, patience: 1 }),
    timer({ seconds: 100, now: () => clock }),
  ];
  const run = (scale: number) => {
    freeze(model.body);
    const size = tensor([[1]]);
    return new Training({
      model,
      optimizer: new SGD(model, { learningRate: 1e-6 }),
      data: Array.from({ length: 10 }, (_, i) => size.mul(scale * (1 + 1 / (i + 1)))),
      step: (x) => model.head.forward(model.body.forward(x)).mul(0).sum().add(x.sum()),
      epochs: 2,
      readEvery: 3,
      callbacks: [
        ...callbacks,
        (event) => {
          clock += event.type === 'step' ? 3 : 0;
          if (event.type === 'warning') warnings.push(event.what);
        },
      ],
    }).run();
  };
  expect(await run(1)).toMatchObject({ why: 'done', step: 20 });
  const first = warnings.splice(0);
  expect(await run(1000)).toMatchObject({ why: 'done', step: 20 });
  expect(warnings).toEqual(first);
  expect(model.body.weight.trainable).toBe(true);
});

test('unfreezeAt lets parameters learn from their epoch on', async () => {
  const model = { body: new Linear(1, 1), head: new Linear(1, 1) };
  freeze(model.body);
  const seen: boolean[] = [];
  await new Training({
    model,
    optimizer: new SGD(model, { learningRate: 0.1 }),
    data: [tensor([[1]])],
    step: (x) => model.head.forward(model.body.forward(x)).square().mean(),
    epochs: 3,
    callbacks: [
      ({ type }) => void (type === 'step' && seen.push(model.body.weight.trainable)),
      unfreezeAt(3, model.body),
    ],
  }).run();
  expect(seen).toEqual([false, false, true]);
});

describe('spikes and time', () => {
  test('a spike is told with its step, and does not move the mean', async () => {
    const warnings: TrainingEvent<object>[] = [];
    const losses = [...Array.from({ length: 20 }, (_, at) => 1 + (at % 2) / 10), 50, 1];
    await scripted(
      losses,
      [spikeDetection({ window: 20 }), { handle: (event) => void (event.type === 'warning' && warnings.push(event)) }],
      1,
    ).training.run();
    expect(warnings).toEqual([
      expect.objectContaining({
        what: 'spike',
        message: expect.stringMatching(/^the loss of step 21 is 50, those before were about 1\.05: look at its batch/),
      }),
    ]);
    const detector = new SpikeDetector();
    for (const loss of losses.slice(0, 20)) detector.update(loss);
    // the mean and variance of all so far, as long as they are fewer than the window
    expect(detector.mean).toBeCloseTo(1.05, 12);
    expect(detector.hostState()).toMatchObject({ count: 20, variance: expect.closeTo(0.0025, 12) });
    expect(() => detector.loadHostState({})).toThrow('SpikeDetector: the saved state has no count, mean and variance');
    expect(() => new SpikeDetector({ window: 1 })).toThrow('SpikeDetector: deviations is 6 and window 1');
  });

  test('a timer ends the training, time before a resume included', async () => {
    let now = 0;
    const clock = timer({ seconds: 5, now: () => now });
    const tick: Callback = { handle: ({ type }) => void (type === 'step' && now++) };
    const { training } = scripted([1, 1], [tick, clock], 100);
    expect(await training.run()).toMatchObject({ why: 'callback', step: 5 });
    expect(clock.hostState?.()).toEqual({ elapsed: 5 });
    const later = timer({ seconds: 7, now: () => now });
    later.loadHostState?.({ elapsed: 5 });
    expect(await scripted([1, 1], [tick, later], 100).training.run()).toMatchObject({ step: 2 });
  });
});

test('what cannot be written is told with its path', async () => {
  writeFileSync(join(folder, 'file'), '');
  const inside = join(folder, 'file', 'run.csv');
  const refused = (callback: Callback<Values>): Promise<unknown> =>
    scripted([1, 2, 3, 4], [callback])
      .training.run()
      .then(
        () => 'nothing',
        (error: Error) => error.message,
      );
  expect(await refused(csv({ path: inside }))).toContain(`log: ${inside} cannot be written: E`);
  expect(await refused(checkpoint({ folder: inside }))).toContain(`checkpoint: ${inside} cannot be written: E`);
  expect(await refused(htmlReport({ path: inside }))).toContain(`htmlReport: ${inside} cannot be written: E`);
  if (existsSync('/dev/full')) {
    const log = csv({ path: '/dev/full' });
    expect(await refused(log)).toContain('log: /dev/full cannot be written: ENOSPC');
  }
});

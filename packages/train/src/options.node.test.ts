/** Options that do not exist, and choices that are none, are errors: in JavaScript they would mean something else in silence. */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, tensor } from '@nn/core';
import { moons } from '@nn/data';
import { Linear } from '@nn/layers';
import { Accuracy } from '@nn/metrics';
import { ReduceLROnPlateau, SGD, WeightAverage } from '@nn/optim';
import { beforeAll, expect, test } from 'vitest';
import * as browser from './browser/index.ts';
import * as train from './index.ts';
import * as node from './node/index.ts';

beforeAll(() => setDefaultBackend(cpu()));

const model = new Linear(2, 2);
const optimizer = new SGD(model, { learningRate: 1 });
const data = [tensor([[1, 2]])];
const step = (): never => {
  throw new Error('a step ran');
};

/** By name: the arguments, of which the last is the options. */
const cases: Readonly<Record<string, readonly unknown[]>> = {
  ActivationStatistics: [{}],
  ActivationWatch: [{ layer: model }, {}],
  DeferredWeights: [[1, 2], {}],
  EarlyStopping: [{}],
  LiveChart: [{ tagName: 'DIV' }, {}],
  LossWatch: [{}],
  RollBack: [{}],
  RunReport: [{}],
  SpikeDetector: [{}],
  Throughput: [{}],
  activationStatistics: [{ layer: model }, {}],
  checkStart: [{ model, data }],
  checkpoint: [{ folder: 'nowhere' }],
  crossValidate: [[1, 2], { trial: step }],
  csv: [{ path: 'nowhere' }],
  dashboard: [{}],
  earlyStopping: [{ monitor: 'loss' }],
  findBatchSize: [{ step, parts: { model } }],
  findLearningRate: [{ model, optimizer, data, step }],
  gradientStatistics: [optimizer, {}],
  htmlReport: [{ path: 'nowhere' }],
  jsonLines: [{ path: 'nowhere' }],
  lineChart: [[], { title: 'T' }],
  liveChart: [{ tagName: 'DIV' }, {}],
  lossWatch: [{}],
  predict: [data, step, {}],
  progress: [{}],
  range: [0, 1, {}],
  recordTerminal: [{}],
  reduceOnPlateau: [new ReduceLROnPlateau(optimizer, {}), { monitor: 'loss' }],
  search: [{ space: {}, strategy: 'grid', trial: step }],
  spikeDetection: [{}],
  startChecks: [{}],
  tensorBoard: [{ folder: 'nowhere' }],
  throughput: [{}],
  timer: [{ seconds: 1 }],
  trainInWorker: [{}, {}, {}],
  validate: [data, step, {}],
  weightAverage: [new WeightAverage(model, { decay: 0.9 }), {}],
  weightedLoss: [tensor([1]), {}],
};

test.each(Object.entries(cases))('%s refuses an option that it does not know', async (name, given) => {
  const of: unknown = Reflect.get({ ...train, ...browser, ...node }, name);
  if (typeof of !== 'function') throw new Error(`there is no ${name}`);
  const options = given.map((value, at) => (at === given.length - 1 ? { ...Object(value), nonsense: 1 } : value));
  const work = async (): Promise<void> => {
    const made: unknown = /^[A-Z]/.test(name) ? Reflect.construct(of, options) : of(...options);
    if (name === 'predict') await Object(made).next();
    else await made;
  };
  await expect(work()).rejects.toThrow(/: no option nonsense: /);
});

test('saves on a page have a name and known options, and need a page', async () => {
  expect(() => browser.checkpoint({ name: 'a', evry: 1 } as { name: string })).toThrow(
    'checkpoint: no option evry: name',
  );
  expect(() => browser.checkpoint({ name: '' })).toThrow('checkpoint: the name of the run is "": give a text.');
  const parts = { parts: { model } };
  await expect(browser.resume(parts, 'a')).rejects.toThrow('there is no IndexedDB to save a run in (this is no page)');
});

test('a training refuses options that it does not know, also inside of others', () => {
  const make = (more: object) => () => new train.Training({ model, optimizer, data, step, epochs: 1, ...more });
  expect(make({ epoch: 2 })).toThrow('Training: no option epoch: model, data, metrics, epochs, ');
  expect(make({ validation: { data: [], evry: 5 } })).toThrow(
    'Training.validation: no option evry: data, step, every.',
  );
  expect(make({ readEvery: { step: 5 } })).toThrow('Training.readEvery: no option step: steps, milliseconds.');
  expect(make({ readEvery: { milliseconds: -1 } })).toThrow(
    'Training: readEvery.milliseconds is -1: it is a number above 0.',
  );
  expect(make({ callbacks: [{ hears: ['epochs'], handle: step }] })).toThrow(
    "Training: a callback hears 'epochs', which is none of start, step, read, epoch, validating, validated, rest, warning, stopped, some steps.",
  );
});

test('a choice that is none is refused, and a budget that the strategy does not use', async () => {
  const refused = async (
    name: 'range' | 'search' | 'weightAverage',
    ...given: readonly unknown[]
  ): Promise<unknown> => {
    const of: unknown = Reflect.get(train, name);
    if (typeof of !== 'function') throw new Error(`there is no ${name}`);
    return (async () => of(...given))().then(
      () => 'nothing',
      (error: Error) => error.message,
    );
  };
  const space = { x: train.range(0, 1) };
  expect(await refused('search', { space, strategy: 'bayes', trials: 2, trial: () => 1 })).toBe(
    "search: strategy is 'bayes': choose grid or random or halving or asha.",
  );
  expect(
    await refused('search', { space, strategy: 'random', trials: 2, budget: { least: 1, most: 3 }, trial: () => 1 }),
  ).toBe("search: strategy 'random' takes no budget: take 'halving' or 'asha'.");
  expect(await refused('search', { space, strategy: 'halving', trials: 2, trial: () => 1 })).toBe(
    "search: strategy 'halving' needs a budget, { least, most }: give one, or take 'random'.",
  );
  expect(await refused('range', 1, 2, { scale: 'ln' })).toBe("range: scale is 'ln': choose linear or log.");
  expect(await refused('weightAverage', new WeightAverage(model, { decay: 0.9 }), { every: 'epochs' })).toBe(
    "weightAverage: every is 'epochs': choose step or epoch.",
  );
});

test('a training tells what is of another kind, or has a name that nothing reads, before it begins', () => {
  const given = { model, optimizer, data, step, epochs: 1 };
  const refused = (more: object): string => {
    try {
      Reflect.construct(train.Training, [{ ...given, ...more }]);
      return 'nothing';
    } catch (error) {
      return (error as Error).message;
    }
  };
  const callbacks = 'Training: callbacks must be a list of functions or objects with handle: [progress()].';
  const metrics = 'Training: metrics must be metrics by name, { accuracy: new Accuracy() }.';
  expect(refused({ model: undefined })).toBe('Training: model must be a layer, or an object of layers.');
  expect(refused({ step: undefined })).toBe('Training: step must be a function of a batch.');
  expect(refused({ optimizer: SGD })).toBe('Training: optimizer must be one of @nn/optim, new Adam(model, ...).');
  expect(refused({ signal: true })).toBe('Training: signal must be an AbortSignal.');
  for (const wrong of [train.progress(), [false], [undefined], [new train.EarlyStopping()]]) {
    expect(refused({ callbacks: wrong })).toBe(callbacks);
  }
  for (const wrong of [['accuracy'], [new Accuracy()], { accuracy: Accuracy }]) {
    expect(refused({ metrics: wrong })).toBe(metrics);
  }
  for (const wrong of [undefined, 5, moons(10)]) {
    expect(refused({ data: wrong })).toContain('Training: data holds no batches: give new DataLoader');
    expect(refused({ validation: { data: wrong } })).toContain('Training: validation.data holds no batches');
  }
  expect(refused({ validation: { data: [...data], evry: 3 } })).toBe(
    'Training.validation: no option evry: data, step, every.',
  );
  expect(refused({ readEvery: { step: 5 } })).toBe('Training.readEvery: no option step: steps, milliseconds.');
  expect(refused({ readEvery: { milliseconds: Number.NaN } })).toBe(
    'Training: readEvery.milliseconds is NaN: it is a number above 0.',
  );
  expect(refused({ classWeights: { 0: 1, 1: 4 } })).toBe(
    'Training: classWeights are a list, a number from 0 for each class: [1, 4], not { 0: 1, 1: 4 }.',
  );
  expect(refused({})).toBe('nothing');
});

test.each(['validate', 'predict'] as const)('%s says that samples are no batches', async (name) => {
  // the cast: what JavaScript lets through
  const samples = moons(10) as never;
  const work = async (): Promise<unknown> =>
    name === 'validate' ? train.validate(samples, step) : train.predict(samples, step).next();
  await expect(work()).rejects.toThrow(`${name}: data holds no batches:`);
});

test('what makes a callback, and was not called, is told from a callback', async () => {
  const ran = async (callback: unknown): Promise<string> => {
    const given = {
      model,
      optimizer,
      data,
      step: () => model.forward(data[0]!).mean(),
      epochs: 1,
      callbacks: [callback],
    };
    const training: unknown = Reflect.construct(train.Training, [given]);
    return Object(training)
      .run()
      .then(
        () => 'nothing',
        (error: Error) => error.message,
      );
  };
  const makers = Object.entries({ ...train, ...node }).filter(([name]) =>
    /^(progress|dashboard|earlyStopping|weightAverage|reduceOnPlateau|unfreezeAt|spikeDetection|timer|startChecks|lossWatch|gradientStatistics|activationStatistics|throughput|checkpoint|jsonLines|csv|tensorBoard|htmlReport)$/.test(
      name,
    ),
  );
  expect(makers).toHaveLength(18);
  for (const [name, make] of makers) {
    expect(await ran(make)).toBe(`Training: callbacks holds a maker of callbacks: call it, ${name}(...).`);
  }
  const own = () => ({ handle: () => undefined });
  expect(await ran(own)).toBe('Training: callbacks holds a maker of callbacks: call it, own(...).');
  // what a callback itself throws stays what it is
  const fails = () => new train.EarlyStopping({ patience: -1 });
  expect(await ran(fails)).toMatch(/^EarlyStopping: /);
  expect(await ran(() => undefined)).toBe('nothing');
});

test('a path that is missing is an error where it was left out', async () => {
  const refused = async (work: () => unknown): Promise<string> =>
    (async () => work())().then(
      () => 'nothing',
      (error: Error) => error.message,
    );
  const made: Readonly<Record<string, (...given: never) => unknown>> = {
    ...{ checkpoint: node.checkpoint, csv: node.csv, htmlReport: node.htmlReport },
    ...{ jsonLines: node.jsonLines, resume: node.resume, tensorBoard: node.tensorBoard },
  };
  const given = (name: string, options: unknown) => () => Reflect.apply(made[name]!, undefined, [options]);
  expect(await refused(given('jsonLines', {}))).toBe(
    "jsonLines: path is undefined: give a path, as in jsonLines({ path: 'runs/1.jsonl' }).",
  );
  expect(await refused(given('csv', { path: '' }))).toBe(
    "csv: path is '': give a path, as in csv({ path: 'runs/1.csv' }).",
  );
  expect(await refused(given('tensorBoard', {}))).toMatch(/^tensorBoard: folder is undefined: give a path/);
  expect(await refused(given('htmlReport', {}))).toMatch(/^htmlReport: path is undefined: give a path/);
  expect(await refused(given('htmlReport', undefined))).toMatch(/^htmlReport: path is undefined: give a path/);
  expect(await refused(given('checkpoint', { folder: 3 }))).toMatch(/^checkpoint: folder is 3: give a path/);
  expect(await refused(given('resume', {}))).toMatch(/^resume: folder is undefined: give a path/);
});

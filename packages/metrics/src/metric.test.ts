/** What all metrics share: riding along in the step's program, windows and epochs, merging, saving, and errors. */
import { cpu } from '@nn/backend-cpu';
import { recording } from '@nn/conformance';
import { compile, evaluate, setDefaultBackend, setSeed, type Tensor, tensor, uniform } from '@nn/core';
import { crossEntropy, Linear } from '@nn/layers';
import { SGD } from '@nn/optim';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  Accuracy,
  AUROC,
  BLEU,
  CalibrationError,
  ChrF,
  ConfusionMatrix,
  DistinctNgrams,
  EditDistance,
  F1Score,
  FBetaScore,
  HitRate,
  Last,
  LogAUROC,
  LogLoss,
  Max,
  Mean,
  MeanSquaredError,
  Min,
  NDCG,
  Precision,
  peakSignalToNoise,
  permutationInvariantSiSnr,
  R2Score,
  Running,
  read,
  SignalToDistortion,
  SpearmanCorrelation,
  Specificity,
  StructuralSimilarity,
  Sum,
  specificity,
  TopKAccuracy,
  totalVariation,
  Values,
} from './index.ts';

beforeEach(() => {
  setDefaultBackend(cpu());
  setSeed(3);
});

const labels = (values: number[]): Tensor => tensor(Int32Array.from(values));
const data = (): readonly [Tensor, Tensor] => [uniform([12, 4]), labels([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2])];

function everything(): {
  readonly loss: Mean;
  readonly accuracy: Accuracy;
  readonly f1: F1Score;
  readonly matrix: ConfusionMatrix;
  readonly losses: Values;
} {
  return {
    loss: new Mean({ name: 'loss', higherIsBetter: false }),
    accuracy: new Accuracy(),
    f1: new F1Score(),
    matrix: new ConfusionMatrix(),
    losses: new Values({ window: 32 }),
  };
}

function stepOf(metrics: ReturnType<typeof everything> | null, model: Linear): (x: Tensor, y: Tensor) => Tensor {
  const optimizer = new SGD(model, { learningRate: 0.5 });
  return (x, y) => {
    const logits = model.forward(x);
    const loss = crossEntropy(logits, y);
    metrics?.loss.update(loss);
    metrics?.accuracy.update(logits, y);
    metrics?.f1.update(logits, y);
    metrics?.matrix.update(logits, y);
    metrics?.losses.update(loss);
    void optimizer.step(loss);
    return loss;
  };
}

describe('in the step', () => {
  test('five metrics add no run and no download; a read is no run, and a download for each', async () => {
    const device = recording();
    setDefaultBackend(device);
    const metrics = everything();
    const step = stepOf(metrics, new Linear(4, 3));
    const [x, y] = data();
    for (let k = 0; k < 3; k++) await step(x, y).item();
    const before = { ...device.counts };
    for (let k = 0; k < 4; k++) {
      step(x, y);
      await null;
    }
    await device.idle();
    expect(device.counts.run - before.run).toBe(4);
    expect(device.counts.download - before.download).toBe(0);
    const readings = await read(metrics);
    expect(device.counts.run - before.run).toBe(4);
    expect(device.counts.download - before.download).toBe(5);
    expect(readings.losses.window).toHaveLength(7);
    const mean = readings.losses.window.reduce((a, b) => a + b) / 7;
    expect(readings.loss.window).toBeCloseTo(mean, 6);
  });

  test('a compiled step gives the same as a plain one, is not traced again after a read, and trains the same', async () => {
    const run = async (isCompiled: boolean): Promise<unknown[]> => {
      setSeed(3);
      const [metrics, model] = [everything(), new Linear(4, 3)];
      const [x, y] = data();
      const body = stepOf(metrics, model);
      let traced = 0;
      const counted = (a: Tensor, b: Tensor): Tensor => {
        traced++;
        return body(a, b);
      };
      const step = isCompiled ? compile(counted) : counted;
      const seen: unknown[] = [];
      for (let k = 0; k < 20; k++) {
        await step(x, y);
        if (k % 6 === 5) seen.push(await read(metrics));
      }
      seen.push(await read(metrics), await model.weight.array());
      if (isCompiled) expect(traced).toBeLessThanOrEqual(3);
      return seen;
    };
    const plain = await run(false);
    expect(await run(true)).toEqual(plain);
    // and without metrics the parameters are the same bits
    setSeed(3);
    const model = new Linear(4, 3);
    const [x, y] = data();
    const step = stepOf(null, model);
    for (let k = 0; k < 20; k++) await step(x, y);
    expect(await model.weight.array()).toEqual(plain.at(-1));
  });

  test('in validation, where no step follows, each batch is one program', async () => {
    const device = recording();
    setDefaultBackend(device);
    const model = new Linear(4, 3);
    const [accuracy, f1] = [new Accuracy(), new F1Score()];
    const [x, y] = data();
    await x.data();
    const before = device.counts.run;
    evaluate(() => {
      for (let k = 0; k < 10; k++) {
        const logits = model.forward(x);
        accuracy.update(logits, y);
        f1.update(logits, y);
      }
    });
    const { accuracy: reading } = await read({ accuracy, f1 });
    expect(device.counts.run - before).toBe(10);
    expect(device.counts.compile).toBeLessThanOrEqual(5);
    expect(reading.epoch).toBeGreaterThan(0);
  });
});

describe('a reading', () => {
  test('has the window since the last read and the epoch since the last reset', async () => {
    const mean = new Mean();
    mean.update(tensor([1, 2]));
    expect(await mean.read()).toEqual({ window: 1.5, epoch: 1.5 });
    mean.update(tensor([6]));
    expect(await mean.read()).toEqual({ window: 6, epoch: 3 });
    expect(await mean.read()).toEqual({ window: Number.NaN, epoch: 3 });
    mean.reset();
    mean.update(tensor([8]));
    expect(await mean.read()).toEqual({ window: 8, epoch: 8 });
  });

  test('before anything was seen has no value, of whatever kind the metric is', async () => {
    const all = { ...everything(), area: new AUROC(), exact: new AUROC({ exact: true }), bleu: new BLEU() };
    const readings = Object.entries(await read(all)).map(([name, { epoch }]) => [name, epoch]);
    expect(Object.fromEntries(readings)).toEqual({
      ...{ loss: Number.NaN, accuracy: Number.NaN, f1: Number.NaN, matrix: [], losses: [] },
      ...{ area: Number.NaN, exact: Number.NaN, bleu: expect.any(Number) },
    });
  });

  test('is the same under two names', async () => {
    const mean = new Mean();
    mean.update(tensor([1, 2]));
    const { a, b } = await read({ a: mean, b: mean });
    expect([a, b]).toEqual([
      { window: 1.5, epoch: 1.5 },
      { window: 1.5, epoch: 1.5 },
    ]);
  });

  test('takes updates that come while it waits into the next window', async () => {
    const sum = new Sum();
    sum.update(tensor([1]));
    const first = sum.read();
    sum.update(tensor([10]));
    expect((await first).window).toBe(1);
    expect(await sum.read()).toEqual({ window: 10, epoch: 11 });
  });

  test('counts exactly past 2^24', async () => {
    const sum = new Sum();
    const big = tensor(2 ** 24);
    for (let k = 0; k < 3; k++) {
      sum.update(big);
      await sum.read();
      sum.update(tensor(1));
      await sum.read();
    }
    expect((await sum.read()).epoch).toBe(3 * 2 ** 24 + 3);
  });

  test('of extremes, the last and a running mean is right over windows', async () => {
    const [max, min, last, running] = [new Max(), new Min(), new Last(), new Running({ window: 3 })];
    const all = { max, min, last, running };
    for (const value of [5, -7, 1, 2]) {
      for (const metric of Object.values(all)) metric.update(tensor(value));
      if (value === -7) await read(all);
    }
    const readings = await read(all);
    expect(readings.max).toEqual({ window: 2, epoch: 5 });
    expect(readings.min).toEqual({ window: 1, epoch: -7 });
    expect(readings.last).toEqual({ window: 2, epoch: 2 });
    expect(readings.running.epoch).toBeCloseTo((-7 + 1 + 2) / 3, 6);
    expect(Object.values(await read({ max: new Max(), last: new Last() }))).toEqual([
      { window: Number.NaN, epoch: Number.NaN },
      { window: Number.NaN, epoch: Number.NaN },
    ]);
  });

  test('leaves out what a mask leaves out, whatever it holds', async () => {
    const [mean, accuracy] = [new Mean(), new Accuracy()];
    const mask = tensor([true, true, false]);
    mean.update(tensor([1, 3, Number.NaN]), { mask });
    accuracy.update(
      tensor([
        [1, 0],
        [1, 0],
        [1, 0],
      ]),
      labels([0, 1, 99]),
      { mask },
    );
    const scores = tensor([0.9, 0.2, Number.NaN]);
    const soft = new F1Score({ from: 'probabilities', soft: true });
    const calibration = new CalibrationError({ from: 'probabilities', bins: 2 });
    for (const metric of [soft, calibration]) metric.update(scores, labels([1, 0, 99]), { mask });
    expect((await soft.read()).epoch).toBeCloseTo(1.8 / 2.1, 6);
    expect((await calibration.read()).epoch).toBeCloseTo(0.15, 6);
    expect((await mean.read()).epoch).toBe(2);
    expect((await accuracy.read()).epoch).toBe(0.5);
  });

  test('says which classes occurred nowhere', async () => {
    const f1 = new F1Score({ classes: 4, average: 'none' });
    f1.update(labels([0, 1, 1]), labels([0, 1, 0]));
    const { epoch } = await f1.read();
    expect(epoch.map((value) => value.toFixed(3))).toEqual(['0.667', '0.667', 'NaN', 'NaN']);
    expect(f1.absentClasses).toEqual([2, 3]);
    // of a class that is nowhere, all are rightly not taken for it
    const options = { classes: 3, average: 'none' } as const;
    const rates = new Specificity(options);
    rates.update(labels([0, 1, 1]), labels([0, 1, 0]));
    const values = (await rates.read()).epoch;
    expect(values.map((value) => value.toFixed(3))).toEqual(['1.000', '0.500', 'NaN']);
    expect(await specificity(labels([0, 1, 1]), labels([0, 1, 0]), options).array()).toEqual(values);
  });
});

describe('merging and saving', () => {
  const parts = [
    [labels([0, 1, 2, 2]), labels([0, 1, 1, 2])],
    [labels([1, 1, 0, 2]), labels([0, 1, 0, 2])],
  ] as const;

  test('two halves merged are the whole', async () => {
    const [whole, left, right] = [1, 2, 3].map(() => new F1Score({ classes: 3 })) as [F1Score, F1Score, F1Score];
    for (const [k, [predicted, actual]] of parts.entries()) {
      whole.update(predicted, actual);
      (k === 0 ? left : right).update(predicted, actual);
    }
    await right.read();
    await left.read();
    left.merge(right);
    expect((await left.read()).epoch).toBe((await whole.read()).epoch);
  });

  test('state goes through JSON into a metric that was just made', async () => {
    const metrics = everything();
    const step = stepOf(metrics, new Linear(4, 3));
    const [x, y] = data();
    for (let k = 0; k < 3; k++) await step(x, y);
    const readings = await read(metrics);
    const states = Object.entries(metrics).map(([name, metric]) => [name, metric.hostState()] as const);
    const again = everything();
    const parsed: Record<string, unknown> = JSON.parse(JSON.stringify(Object.fromEntries(states)));
    for (const [name, metric] of Object.entries(again)) metric.loadHostState(parsed[name]);
    const restored = await read(again);
    expect(Object.values(restored).map(({ epoch }) => epoch)).toEqual(
      Object.values(readings).map(({ epoch }) => epoch),
    );
  });

  test('refuses to lose what was not read, and what belongs to another metric', async () => {
    const [f1, other] = [new F1Score({ classes: 3 }), new F1Score({ classes: 3 })];
    f1.update(...parts[0]);
    other.update(...parts[1]);
    expect(() => f1.hostState()).toThrow('F1Score: updates were not read yet: await read(...) first.');
    await f1.read();
    expect(() => f1.merge(other)).toThrow('F1Score: updates were not read yet: await read(...) first.');
    expect(() => f1.loadHostState({})).toThrow(
      'F1Score: takes its own state, of [4, 3] numbers, got {}: load it into one of the same options.',
    );
    const narrow = new F1Score({ classes: 2 });
    narrow.update(labels([0]), labels([1]));
    await narrow.read();
    expect(() => narrow.merge(f1)).toThrow(
      'F1Score: takes its own state, of [4, 2] numbers, got {"columns":3,"totals":[',
    );
  });
});

describe('errors', () => {
  // JavaScript: options that must be given and are not
  const nothing = undefined as unknown as { range: number; beta: number };
  const cases: readonly (readonly [string, () => void])[] = [
    [
      'peakSignalToNoise: range is undefined: say how far apart values can be, 1 or 255.',
      () => peakSignalToNoise(uniform([1, 1, 2, 2]), uniform([1, 1, 2, 2]), nothing),
    ],
    ['StructuralSimilarity: takes options by name, { range }, got undefined.', () => new StructuralSimilarity(nothing)],
    ['FBetaScore: beta is undefined: it must be above 0.', () => new FBetaScore(nothing)],
    [
      "Precision: the predictions are scores: say from: 'logits' or from: 'probabilities'.",
      () => new Precision().update(tensor([0.5]), tensor([1])),
    ],
    [
      "F1Score: labels do not tell how many there are: set classes, or task: 'binary'.",
      () => new F1Score().update(labels([1]), labels([1])),
    ],
    [
      "Accuracy: predictions and targets are both [2, 2]: set task to 'binary' (each element is a question) or 'multilabel' (each column is).",
      () =>
        new Accuracy({ from: 'logits' }).update(
          tensor([
            [1, 2],
            [3, 4],
          ]),
          tensor([
            [1, 0],
            [0, 1],
          ]),
        ),
    ],
    [
      'Accuracy: predictions [2, 3] with 3 classes on axis 1 are for targets [2], got [3]: set axis, or give one score for each target.',
      () =>
        new Accuracy().update(
          tensor([
            [1, 2, 3],
            [3, 2, 1],
          ]),
          labels([1, 2, 0]),
        ),
    ],
    [
      'Accuracy: predictions [2, 1] with 1 classes on axis 1 are for targets [2], got [2]: set axis, or give one score for each target.',
      () => new Accuracy().update(tensor([[1], [2]]), labels([1, 0])),
    ],
    [
      "F1Score: average 'binary' is of one score per sample, there are 3 classes",
      () => void new F1Score({ average: 'binary' }).update(tensor([[1, 2, 3]]), labels([1])),
    ],
    [
      'Accuracy: predictions [1, 3] with 0 classes on axis 2 are for targets [1, 3], got [1]: set axis, or give one',
      () => new Accuracy({ axis: 2 }).update(tensor([[1, 2, 3]]), labels([1])),
    ],
    [
      'Accuracy: [1, 3] has 3 classes, the options say classes: undefined, task: multilabel.',
      () => new Accuracy({ task: 'multilabel' }).update(tensor([[1, 2, 3]]), labels([1])),
    ],
    [
      'Accuracy: [2] has 2 classes, the options say classes: 3, task: undefined.',
      () => new Accuracy({ classes: 3, from: 'logits' }).update(tensor([1, 2]), labels([1, 2])),
    ],
    [
      "Accuracy: predictions and targets are both [2]: set task to 'binary' (each element is a question) or 'multilabel'",
      () => new Accuracy({ task: 'multiclass', from: 'logits' }).update(tensor([1, 2]), labels([1, 0])),
    ],
    [
      'Accuracy: threshold is 2: a probability is from 0 to 1.',
      () => new Accuracy({ threshold: 2, from: 'logits' }).update(tensor([1, 2]), labels([1, 0])),
    ],
    [
      'LogLoss: takes scores, the predictions are labels.',
      () => new LogLoss({ classes: 2 }).update(labels([1]), labels([1])),
    ],
    [
      'AUROC: takes scores, the predictions are labels.',
      () => new AUROC({ classes: 2 }).update(labels([1]), labels([1])),
    ],
    ["F1Score: average is 'makro': choose binary or micro", () => Reflect.construct(F1Score, [{ average: 'makro' }])],
    ["AUROC: average is 'micro': choose macro", () => Reflect.construct(AUROC, [{ average: 'micro' }])],
    ["BLEU: tokenize is '13b': choose 13a", () => Reflect.construct(BLEU, [{ tokenize: '13b' }])],
    ["NDCG: gain is 'exp': choose linear or exponential.", () => Reflect.construct(NDCG, [{ gain: 'exp' }])],
    [
      "EditDistance: of is 'word': choose characters or words.",
      () => Reflect.construct(EditDistance, [{ of: 'word' }]),
    ],
    ['LogAUROC: between is 0 to 0.1: two rates in (0, 1], the lower first.', () => new LogAUROC({ between: [0, 0.1] })],
    ['LogAUROC: between is 0.1 to 0.001: two rates', () => new LogAUROC({ between: [0.1, 0.001] })],
    ['LogAUROC: between is 0.1 to 2: two rates', () => new LogAUROC({ between: [0.1, 2] })],
    ['AUROC: thresholds is 1: it must be a whole number from 2.', () => new AUROC({ thresholds: 1 })],
    ['CalibrationError: bins is 0: it must be a whole number from 1.', () => new CalibrationError({ bins: 0 })],
    ['HitRate: k is 0.5: it must be a whole number from 1.', () => new HitRate({ k: 0.5 })],
    ['BLEU: order is 0: it must be a whole number from 1.', () => new BLEU({ order: 0 })],
    ['DistinctNgrams: n is 0: it must be a whole number from 1.', () => new DistinctNgrams({ n: 0 })],
    ['ChrF: characters is 0: it must be a whole number from 1.', () => new ChrF({ characters: 0 })],
    ['ChrF: words is -1: it must be a whole number from 0.', () => new ChrF({ words: -1 })],
    ['ChrF: beta is 0: it must be above 0.', () => new ChrF({ beta: 0 })],
    ['SignalToDistortion: no option fliter: filter.', () => Reflect.construct(SignalToDistortion, [{ fliter: 1 }])],
    [
      'totalVariation: no option weigths: weights, mask.',
      () => totalVariation(uniform([1, 1, 2, 2]), { weigths: tensor([1]) } as object),
    ],
    [
      'permutationInvariantSiSnr: no option weigths: weights, mask.',
      () => permutationInvariantSiSnr(uniform([1, 2, 4]), uniform([1, 2, 4]), { weigths: tensor([1]) } as object),
    ],
    ['Mean: no option nam: name', () => Reflect.construct(Mean, [{ nam: 'loss' }])],
    ['F1Score: no option avarage', () => Reflect.construct(F1Score, [{ avarage: 'macro' }])],
    [
      'Mean: mask [3] for samples [2]: give one for each, or each of the first axes.',
      () => new Mean().update(tensor([1, 2]), { mask: tensor([true, true, false]) }),
    ],
    ['Last: takes one number per update, got [2]: reduce it first.', () => new Last().update(tensor([1, 2]))],
  ];
  test.each(cases)('%s', (message, work) => {
    expect(work).toThrow(message);
  });

  test('predicted labels that are no class are one, too, of one question per sample as of several', async () => {
    for (const task of ['binary', 'multilabel'] as const) {
      const [accuracy, f1] = [new Accuracy({ task }), new F1Score({ task })];
      const [predictions, targets] = [labels([1, 2]).reshape([1, 2]), labels([1, 0]).reshape([1, 2])];
      for (const metric of [accuracy, f1]) {
        metric.update(predictions, targets);
        await expect(metric.read()).rejects.toThrow('some targets or predicted labels are not from 0 to');
      }
    }
  });

  test('names in an update that nothing would read are errors, and nothing was counted', async () => {
    const [x, y] = [uniform([12, 3]), labels([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2])];
    const given = { wieghts: uniform([12]) } as object;
    const one = uniform([12]);
    const each: readonly [string, (options: object) => void][] = [
      ['Accuracy', (options) => new Accuracy().update(x, y, options)],
      ['TopKAccuracy', (options) => new TopKAccuracy({ k: 2 }).update(x, y, options)],
      ['F1Score', (options) => new F1Score().update(x, y, options)],
      ['ConfusionMatrix', (options) => new ConfusionMatrix().update(x, y, options)],
      ['LogLoss', (options) => new LogLoss({ from: 'logits' }).update(x, y, options)],
      ['AUROC', (options) => new AUROC({ from: 'logits' }).update(x, y, options)],
      ['CalibrationError', (options) => new CalibrationError({ from: 'logits' }).update(x, y, options)],
      ['MeanSquaredError', (options) => new MeanSquaredError().update(one, one, options)],
      ['R2Score', (options) => new R2Score().update(one, one, options)],
      ['SpearmanCorrelation', (options) => new SpearmanCorrelation({ window: 12 }).update(one, one, options)],
      ['NDCG', (options) => new NDCG({ window: 12 }).update(one, one, one, options)],
      ['Mean', (options) => new Mean().update(one, options)],
      ['Sum', (options) => new Sum().update(one, options)],
      ['Max', (options) => new Max().update(one, options)],
    ];
    for (const [name, update] of each) {
      expect(() => update(given)).toThrow(`${name}: no option wieghts: weights, mask.`);
      expect(() => update({ weights: uniform([12]) })).not.toThrow(/no option/);
    }
    // options of the metric are those of its constructor: an update would have changed them for one batch
    const threshold = new Accuracy({ from: 'probabilities' });
    expect(() => threshold.update(one, y, { threshold: 0.9 } as object)).toThrow('Accuracy: no option threshold');
    expect(threshold.isOnDevice).toBe(false);
  });

  test('an update that cannot run is an error of the read', async () => {
    const device = recording();
    setDefaultBackend({
      ...device,
      compile: () => {
        throw new Error('no room');
      },
    });
    const mean = new Mean();
    for (let k = 0; k < 3; k++) mean.update(tensor([k]));
    await expect(mean.read()).rejects.toThrow('no room');
  });

  test('targets that are no class are an error of the read', async () => {
    const message = 'some targets or predicted labels are n';
    const [f1, accuracy, matrix] = [new F1Score(), new Accuracy(), new ConfusionMatrix()];
    for (const metric of [f1, accuracy, matrix])
      metric.update(
        tensor([
          [1, 0],
          [0, 1],
        ]),
        labels([0, 2]),
      );
    await expect(f1.read()).rejects.toThrow(message);
    await expect(accuracy.read()).rejects.toThrow(message);
    await expect(matrix.read()).rejects.toThrow(
      'ConfusionMatrix: some targets or predicted labels are not from 0 to 1, or probabilities from 0 to 1',
    );
    const ignoring = new F1Score({ ignoreIndex: 2 });
    ignoring.update(
      tensor([
        [1, 0],
        [0, 1],
      ]),
      labels([0, 2]),
    );
    expect((await ignoring.read()).epoch).toBe(1);
  });

  test('a full window is an error before anything is lost, also in a replay', async () => {
    const values = new Values({ window: 4 });
    const step = compile((x: Tensor) => {
      values.update(x);
      return x;
    });
    for (let k = 0; k < 4; k++) await step(tensor(k));
    await expect(step(tensor(4))).rejects.toThrow(
      'Values: keeps every sample, and 5 are above its window of 4: await read(...) more often, or set window.',
    );
    expect((await values.read()).window).toEqual([0, 1, 2, 3]);
    await step(tensor(9));
    expect((await values.read()).window).toEqual([9]);
    const bounded = new Values({ capacity: 1 });
    bounded.update(tensor(1));
    expect(() => bounded.update(tensor(1))).toThrow('are above its capacity of 1');
  });
});

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, setSeed, type Tensor, tensor } from '@nn/core';
import { type Batch, type DataArray, DataLoader, moons } from '@nn/data';
import { crossEntropy, Linear } from '@nn/layers';
import { Mean } from '@nn/metrics';
import { AdamW, ReduceLROnPlateau, WeightAverage } from '@nn/optim';
import { encodeCheckpoint, loadCheckpoint } from '@nn/serialize';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BestWeights } from '../best-weights.ts';
import type { Callback } from '../events.ts';
import { checkpoint, resume } from '../node/checkpoint.ts';
import { jsonLines } from '../node/index.ts';
import { recordTerminal as screen } from '../recorded-terminal.ts';
import { Training } from '../training.ts';
import { reduceOnPlateau, unfreezeAt, weightAverage } from './averages-and-rates.ts';
import { EarlyStopping, earlyStopping } from './early-stopping.ts';
import { progress } from './progress.ts';
import { timer } from './timer.ts';

beforeAll(() => setDefaultBackend(cpu()));
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nn-train-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

type Sample = Batch<{ readonly inputs: DataArray; readonly targets: DataArray }>;

/** A training whose validation metric is what the test says, epoch by epoch. */
function scripted(
  values: readonly number[],
  callbacks: (model: Linear) => readonly Callback<{ loss: number; score: number }>[],
) {
  setSeed(1);
  const model = new Linear(2, 2);
  const score = new Mean();
  const data = new DataLoader(moons(40, { seed: 1 }), { batchSize: 20, shuffle: true, seed: 1 });
  const step = ({ inputs, targets }: Sample): Tensor => crossEntropy(model.forward(inputs), targets);
  const training: Training<Sample, { score: Mean }> = new Training({
    model,
    optimizer: new AdamW(model, { learningRate: 0.05 }),
    data,
    step,
    metrics: { score },
    epochs: values.length,
    validation: {
      data: [data.peek()],
      step: () => {
        score.update(tensor(values[training.epochs]!));
        return tensor(0);
      },
    },
    callbacks: callbacks(model),
  });
  return { training, model, weights: async () => [...(await model.weight.data())] };
}

describe('callbacks that watch a value', () => {
  test('warn of NaN, once for all that watch it', async () => {
    const { training } = scripted([0.5, Number.NaN, 0.6], () => [
      checkpoint({ folder, best: 'validation.score', higherIsBetter: true }),
      earlyStopping({ monitor: 'validation.score', patience: 5, higherIsBetter: true }),
    ]);
    const warnings: string[] = [];
    for await (const event of training) if (event.type === 'warning') warnings.push(event.message);
    expect(warnings).toEqual([
      "'validation.score' is NaN in epoch 2, which is never better: look for samples that are not finite, and for metrics that counted nothing.",
    ]);
  });

  test('owe nothing to the training before in which they were, too', async () => {
    const stopping = earlyStopping({ monitor: 'validation.score', patience: 1, higherIsBetter: true });
    const saving = checkpoint({ folder, best: 'validation.score', higherIsBetter: true });
    await scripted([0.9, 0.8, 0.7], () => [stopping, saving]).training.run();
    rmSync(join(folder, 'best.safetensors'));
    const second = scripted([0.1, 0.2, 0.3], () => [stopping, saving]).training;
    expect((await second.run()).epoch).toBe(3);
    expect(existsSync(join(folder, 'best.safetensors'))).toBe(true);
  });
});

describe('EarlyStopping', () => {
  test('counts values that are no better, by more than minDelta', () => {
    const stopping = new EarlyStopping({ patience: 2, minDelta: 0.1 });
    expect([1, 0.95, 0.85, 0.8, Number.NaN].map((value) => stopping.update(value))).toEqual([
      false,
      false,
      false,
      false,
      true,
    ]);
    expect([stopping.best, stopping.waited, stopping.isBest]).toEqual([0.85, 2, false]);
    const rising = new EarlyStopping({ higherIsBetter: true, baseline: 0.5 });
    expect([rising.update(0.4), rising.update(0.6)]).toEqual([true, false]);
  });

  test('goes on from its state, and refuses that of others', () => {
    const [a, b] = [new EarlyStopping({ patience: 3 }), new EarlyStopping({ patience: 3 })];
    for (const value of [3, 4, 5]) a.update(value);
    b.loadHostState(a.hostState());
    expect([b.best, b.update(9)]).toEqual([3, true]);
    expect(() => b.loadHostState({})).toThrow(
      'EarlyStopping: the saved state has no best value and count: it is of something else.',
    );
    expect(() => new EarlyStopping({ patience: -1 })).toThrow(
      'EarlyStopping: patience is -1: it is a whole number, 0 or more.',
    );
  });

  test('as a callback stops, and gives the best weights back', async () => {
    let atBest: number[] = [];
    const { training, model, weights } = scripted([0.1, 0.5, 0.4, 0.3, 0.9], (own) => [
      earlyStopping({ monitor: 'validation.score', patience: 2, higherIsBetter: true, restoreBest: own }),
      {
        handle: async (event) => {
          if (event.type === 'validated' && event.epoch === 2) atBest = [...(await own.weight.data())];
        },
      },
    ]);
    expect(await training.run()).toMatchObject({ why: 'callback', epoch: 4 });
    expect(await weights()).toEqual(atBest);
    expect(model.weight.trainable).toBe(true);
  });

  test('a run that it has ended is over when it is taken up, unless it may wait longer', async () => {
    const run = (patience: number) =>
      scripted([0.1, 0.5, 0.4, 0.3, 0.2, 0.1], (own) => [
        earlyStopping({ monitor: 'validation.score', patience, higherIsBetter: true, restoreBest: own }),
        jsonLines({ path: join(folder, 'run.jsonl'), clock: null }),
        checkpoint({ folder }),
      ]);
    const first = run(2);
    expect(await first.training.run()).toMatchObject({ why: 'callback', epoch: 4, step: 8 });
    const lines = readFileSync(join(folder, 'run.jsonl'), 'utf8');
    const second = run(2);
    await resume(second.training, folder);
    expect(await second.training.run()).toMatchObject({ why: 'callback', epoch: 4, step: 8 });
    expect(await second.weights()).toEqual(await first.weights());
    expect(readFileSync(join(folder, 'run.jsonl'), 'utf8')).toBe(lines);
    // who calls run once more in the same process wants more
    expect(await second.training.run()).toMatchObject({ why: 'callback', epoch: 5 });
    const third = run(4);
    await resume(third.training, folder);
    expect(await third.training.run()).toMatchObject({ epoch: 6 });
  });

  test('asks the metric what is better, and says when it does not know', async () => {
    const { training } = scripted([1], () => [earlyStopping({ monitor: 'validation.score' })]);
    await expect(training.run()).rejects.toThrow(
      "Training: 'validation.score' is watched, and its metric does not say what is better: give higherIsBetter.",
    );
  });
});

test('BestWeights refuses to restore what was not kept', async () => {
  await expect(new BestWeights(new Linear(1, 1)).restore()).rejects.toThrow(
    'BestWeights: nothing was kept: call keep() first.',
  );
});

test('BestWeights of a loop by hand are there again after its checkpoint is loaded', async () => {
  const make = () => {
    const model = new Linear(1, 1);
    return { model, best: new BestWeights(model) };
  };
  const [before, after] = [make(), make()];
  await before.best.keep();
  const kept = await before.model.weight.array();
  before.model.weight.assign(before.model.weight.add(1));
  await loadCheckpoint(await encodeCheckpoint(before), after);
  expect(await after.model.weight.array()).not.toEqual(kept);
  await after.best.restore();
  expect(await after.model.weight.array()).toEqual(kept);
  expect(() => after.best.loadHostState({})).toThrow(
    'BestWeights: the saved state does not say whether anything was kept.',
  );
});

test('a value that will never be there is told before the first step', async () => {
  const model = new Linear(1, 1);
  const optimizer = new AdamW(model, { learningRate: 0.1 });
  const none = "Training: there is no value 'validation.loss' (give validation to have it): loss.";
  for (const callback of [
    earlyStopping({ monitor: 'validation.loss' }),
    earlyStopping({ monitor: 'validation.loss', higherIsBetter: false }),
    checkpoint({ folder, best: 'validation.loss' }),
    reduceOnPlateau(new ReduceLROnPlateau(optimizer), { monitor: 'validation.loss' }),
  ]) {
    let steps = 0;
    const step = (x: Tensor): Tensor => {
      steps++;
      return model.forward(x).square().mean();
    };
    const training = new Training({ model, optimizer, data: [tensor([[1]])], step, epochs: 1, callbacks: [callback] });
    await expect(training.run()).rejects.toThrow(none);
    expect(steps).toBe(0);
  }
});

test('callbacks refuse numbers that would make them do nothing', () => {
  const model = new Linear(1, 1);
  const wrong = { seconds: '1h', startFromEpoch: Number.NaN } as const;
  // the casts: what JavaScript lets through
  expect(() => timer({ seconds: wrong.seconds as never })).toThrow('timer: seconds is 1h: it is a number above 0.');
  expect(() => weightAverage(model as never)).toThrow(
    'weightAverage: give the average: weightAverage(new WeightAverage(',
  );
  expect(() => weightAverage(new WeightAverage(model), { from: Number.NaN })).toThrow(
    'weightAverage: from is NaN: it is a number of steps, 0 or more.',
  );
  expect(() => reduceOnPlateau(new AdamW(model) as never, { monitor: 'loss' })).toThrow(
    'reduceOnPlateau: give the plateau: reduceOnPlateau(new ReduceLROnPlateau(optimizer), { monitor }).',
  );
  expect(() => new EarlyStopping({ baseline: Number.NaN })).toThrow(
    'EarlyStopping: baseline is NaN: it is a finite number.',
  );
  expect(() => new EarlyStopping().update(tensor(1) as never)).toThrow(
    'EarlyStopping: update takes a number, got object: await loss.item().',
  );
  expect(() => unfreezeAt('2' as never, model)).toThrow('unfreezeAt: epoch is 2: it is a whole number');
  expect(() => unfreezeAt(0.5, model)).toThrow('unfreezeAt: epoch is 0.5: it is a whole number, counted from 1.');
  expect(() => earlyStopping({ monitor: 'loss', ...{ startFromEpoch: wrong.startFromEpoch } })).toThrow(
    'earlyStopping: startFromEpoch is NaN: it is 0 or more.',
  );
});

describe('checkpoint', () => {
  const values = [0.1, 0.8, 0.3, 0.9, 0.2];
  const make = () =>
    scripted(values, (model) => [
      earlyStopping({ monitor: 'validation.score', patience: 9, higherIsBetter: true, restoreBest: model }),
      checkpoint({ folder, keep: 2, best: 'validation.score', higherIsBetter: true }),
    ]);

  test('a run that ends while it saves leaves no file that the next one does not know', async () => {
    const obstacle: Callback = {
      handle: ({ type, epoch }) => {
        if (type !== 'epoch' || epoch !== 3) return;
        // nothing can be put in the place of a folder
        rmSync(join(folder, 'checkpoint.safetensors'));
        mkdirSync(join(folder, 'checkpoint.safetensors', 'in-the-way'), { recursive: true });
      },
    };
    const { training } = scripted([1, 2, 3, 4], () => [obstacle, checkpoint({ folder, keep: 1 })]);
    await expect(training.run()).rejects.toThrow();
    expect(readdirSync(folder).filter((file) => file.startsWith('step-'))).toEqual(['step-6.safetensors']);
  });

  test('a run that is left after any epoch ends with the same parameters, history and files', async () => {
    const whole = make();
    const { history } = await whole.training.run();
    const weights = await whole.weights();
    const files = readdirSync(folder).sort();
    expect(files).toEqual(['best.safetensors', 'checkpoint.safetensors', 'step-10.safetensors', 'step-8.safetensors']);
    const best = readFileSync(join(folder, 'best.safetensors'));
    for (let stop = 1; stop < values.length; stop++) {
      rmSync(folder, { recursive: true });
      const left = make();
      for await (const event of left.training) if (event.type === 'rest' && left.training.epochs === stop) break;
      const again = make();
      expect(await resume(again.training, folder)).toBe(true);
      expect(again.training.epochs).toBe(stop);
      expect((await again.training.run()).history).toEqual(history);
      expect(await again.weights()).toEqual(weights);
      expect(readdirSync(folder).sort()).toEqual(files);
      expect(readFileSync(join(folder, 'best.safetensors')).equals(best)).toBe(true);
    }
  });

  test('is not taken for absent where its file was given in the place of its folder', async () => {
    const file = join(folder, 'checkpoint.safetensors');
    writeFileSync(file, '');
    await expect(resume(make().training, file)).rejects.toThrow(
      `resume: ${file} is a file: give the folder that holds checkpoint.safetensors.`,
    );
  });

  test('does not replace the best model by a worse one after a resume', async () => {
    const first = make();
    for await (const event of first.training) if (event.type === 'rest' && first.training.epochs === 2) break;
    const best = readFileSync(join(folder, 'best.safetensors'));
    const again = make();
    await resume(again.training, folder);
    for await (const event of again.training) if (event.type === 'rest' && again.training.epochs === 3) break;
    expect(readFileSync(join(folder, 'best.safetensors')).equals(best)).toBe(true);
  });

  test('saves by steps, with notes, and tells where there is nothing to resume', async () => {
    const run = scripted([1, 1], () => [checkpoint({ folder, every: 1, notes: { run: 7 } })]);
    expect(await resume(run.training, folder)).toBe(false);
    await run.training.run();
    const { notes } = await loadCheckpoint(join(folder, 'checkpoint.safetensors'), {}, { random: false });
    expect(notes).toEqual({ run: 7 });
    expect(existsSync(join(folder, 'best.safetensors'))).toBe(false);
    expect(() => checkpoint({ folder, keep: -1 })).toThrow(
      'checkpoint: every is 1 and keep -1: whole numbers, every from 1.',
    );
  });
});

describe('progress', () => {
  const run = async (terminal: ReturnType<typeof screen>['terminal']): Promise<void> => {
    const { training } = scripted([0.25, 0.5], () => [progress({ terminal })]);
    await training.run();
  };

  test('prints tenths and epochs where there is no terminal', async () => {
    const { terminal, text } = screen({ isTTY: false });
    await run(terminal);
    const lines = text().trimEnd().split('\n');
    expect(lines[0]).toMatch(/^ {3}20 % {2}epoch 1\/2/);
    expect(lines).toContainEqual(
      expect.stringMatching(
        /^ {2}epoch 2\/2 {2}loss 0\.\d+ {2}validation\.loss 0 {2}validation\.score 0\.5 {2}\d+\.\d s$/,
      ),
    );
  });

  test('draws a bar in a terminal and takes it away', async () => {
    const { terminal, text } = screen();
    await run(terminal);
    expect(text()).toContain('━');
    expect(text().endsWith('\u001b[?25h')).toBe(true);
  });

  test('says nothing in CI', async () => {
    const { CI } = process.env;
    process.env.CI = '1';
    try {
      expect(
        progress().handle({ type: 'start', epoch: 1, step: 0, epochs: 1, stepsPerEpoch: 1, steps: 1 }, {} as never),
      ).toBeUndefined();
    } finally {
      if (CI === undefined) delete process.env.CI;
      else process.env.CI = CI;
    }
  });
});

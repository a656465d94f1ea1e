/** The program as users run it: in a process of its own, from source, without a terminal. */
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend } from '@nn/core';
import { digits, encodeIdx } from '@nn/data';
import { Dropout, Linear, relu, Sequential } from '@nn/layers';
import { loadPipeline, parseSafetensors } from '@nn/serialize';
import { imageInfo } from '@nn/vision';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { percent } from './format.ts';
import { resultOf, startProgram } from './program-tests.ts';
import { taskNames } from './task-list.ts';

/** Whether the long ones run as well: when asked for, with NN_TASKS=1. */
const isWhole = Boolean(process.env.NN_TASKS);
const folder = mkdtempSync(join(tmpdir(), 'nn-demo-'));
const data = join(folder, 'data');
const settings = ['--data', 'data', '--epochs', '12', '--batch-size', '20', '--seed', '3'];

const start = (args: readonly string[], onOutput?: (text: string, child: ChildProcess) => void) =>
  startProgram(args, folder, onOutput);

function writeDigits(part: string, count: number, seed: number): void {
  const { inputs, targets } = digits(count, { seed }).fields;
  writeFileSync(join(data, `${part}-images-idx3-ubyte`), encodeIdx({ data: inputs.data, shape: [count, 28, 28] }));
  writeFileSync(
    join(data, `${part}-labels-idx1-ubyte`),
    encodeIdx({ data: Uint8Array.from(targets.data), shape: [count] }),
  );
}

beforeAll(() => {
  mkdirSync(data);
  writeDigits('train', 200, 1);
  writeDigits('t10k', 50, 2);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the command line', () => {
  test('--help prints the options and ends well', async () => {
    const { code, out, error } = await start(['--help']);
    expect([code, error]).toEqual([0, '']);
    expect(out).toContain('--learning-rate X');
  });

  test.each([
    [['--epoch', '2'], 'There is no option --epoch: do you mean --epochs?\n'],
    [['--data', 'nowhere'], `--data ${join(folder, 'nowhere')}: there is no such folder.\n`],
    [
      ['--evaluate', '--output', 'none'],
      `--evaluate: there is no checkpoint at ${join(folder, 'none/checkpoint.safetensors')}: a run that ends before it is done leaves one.\n`,
    ],
    [
      ['--resume', '--output', 'none'],
      `--resume: there is no checkpoint at ${join(folder, 'none/checkpoint.safetensors')}: a run that ends before it is done leaves one.\n`,
    ],
    [
      ['--output', 'data/train-images-idx3-ubyte'],
      `--output ${join(folder, 'data/train-images-idx3-ubyte')}: there is a file of this name: name a folder.\n`,
    ],
    [
      ['--output', 'data/train-images-idx3-ubyte/inside'],
      `--output ${join(folder, 'data/train-images-idx3-ubyte/inside')}: there is a file of this name: name a folder.\n`,
    ],
  ])(
    '%j is one clear line and exit code 1',
    async (args, message) => {
      const { code, out, error } = await start(args);
      expect({ code, out, error }).toEqual({ code: 1, out: '', error: message });
    },
    60_000,
  );
});

test('a damaged file is one clear line before any training', async () => {
  const damaged = join(folder, 'damaged');
  mkdirSync(damaged);
  for (const name of readdirSync(data))
    writeFileSync(join(damaged, name), readFileSync(join(data, name)).subarray(0, 40));
  const { code, out, error } = await start(['--data', 'damaged']);
  expect([code, out]).toEqual([1, '']);
  expect(error).toMatch(/^readIdx: .*train-images-idx3-ubyte: .* it is truncated\.\n$/);
});

describe('a whole run', () => {
  test('trains both networks and prints plain lines; stopped by Ctrl-C and resumed it ends with the same bits', async () => {
    const whole = await start([...settings, '--output', 'whole']);
    expect([whole.code, whole.error]).toEqual([0, '']);
    expect(whole.out).not.toContain('\u001b');
    for (const text of ['Two moons', 'loss per epoch', 'Test accuracy', 'Each row is a digit', ' 100 %  epoch 12/12']) {
      expect(whole.out).toContain(text);
    }

    let isSent = false;
    const stopped = await start([...settings, '--output', 'parts'], (text, child) => {
      if (isSent || !/ Digits[\s\S]* 10 %/.test(text)) return;
      isSent = true;
      child.kill('SIGINT');
    });
    expect([stopped.code, stopped.error]).toEqual([130, '']);
    expect(stopped.out).toMatch(/Stopped after \d+ of 120 steps/);
    expect(stopped.out).toContain('Go on with: npm start -- --resume --output');
    expect(existsSync(join(folder, 'parts/digits.safetensors'))).toBe(false);

    // its checkpoint is tested as it is, and stays
    const tested = await start(['--evaluate', '--output', 'parts']);
    expect([tested.code, tested.error]).toEqual([0, '']);
    expect(tested.out).toMatch(/Tested as it was after \d+ of 120 steps/);
    expect(tested.out).toContain('Test accuracy');
    expect(tested.out).not.toMatch(/Two moons|Trained in/);
    rmSync(join(folder, 'parts/digits.safetensors'));

    // what goes on is killed without a word, and goes on again from what was saved on the way
    let isKilled = false;
    const killed = await start(['--resume', '--output', 'parts'], (text, child) => {
      if (isKilled || !/ 60 %/.test(text)) return;
      isKilled = true;
      child.kill('SIGKILL');
    });
    expect([killed.code, killed.error]).toEqual([null, '']);
    expect(killed.out).toMatch(/Resumed after \d+ of 120 steps/);
    expect(existsSync(join(folder, 'parts/digits.safetensors'))).toBe(false);

    const resumed = await start(['--resume', '--output', 'parts']);
    expect([resumed.code, resumed.error]).toEqual([0, '']);
    expect(resumed.out).toMatch(/Resumed after \d+ of 120 steps/);
    expect(resumed.out).not.toContain('Two moons');
    for (const name of ['moons.safetensors', 'digits.safetensors']) {
      expect(readFileSync(join(folder, 'parts', name)).equals(readFileSync(join(folder, 'whole', name)))).toBe(true);
    }
    expect(existsSync(join(folder, 'parts/checkpoint.safetensors'))).toBe(false);

    const { tensors } = parseSafetensors(new Uint8Array(readFileSync(join(folder, 'whole/digits.safetensors'))));
    expect(existsSync(join(folder, 'whole/checkpoint.safetensors'))).toBe(false);
    expect([...tensors.keys()]).toContain('conv1.weight');
    expect([...tensors.keys()]).toContain('norm1.running_mean');

    // a run that starts anew does not lose the checkpoint of one that was interrupted
    writeFileSync(join(folder, 'parts/checkpoint.safetensors'), 'of another run');
    const anew = await start(['--task', 'moons', '--epochs', '3', '--output', 'parts']);
    expect(anew.out).toContain('The checkpoint of an earlier run');
    expect(readFileSync(join(folder, 'parts/checkpoint-before.safetensors'), 'utf8')).toBe('of another run');
  });
});

describe('tables and series', () => {
  test('--list names the tasks', async () => {
    const { code, out } = await start(['--list']);
    const names = out.split('\n').flatMap((line) => line.trim().split(/ +/)[0] || []);
    expect([code, names]).toEqual([0, taskNames]);
  });

  test('titanic trains on what it draws, and its file takes a raw row in another process', async () => {
    const { code, out, error } = await start(['--task', 'titanic', '--epochs', '12', '--json', '--output', 'table']);
    expect([code, error]).toEqual([0, '']);
    const { task, seed, data, figures, baselines } = resultOf(out);
    expect([task, seed, data]).toEqual(['titanic', 1, 'drawn passengers']);
    expect(figures.auroc).toBeGreaterThan(0.75);
    expect(figures.accuracy).toBeGreaterThan(baselines.nobody!);
    expect(out).toContain('Missing: age');
    setDefaultBackend(cpu());
    const pipeline = await loadPipeline(
      join(folder, 'table/titanic.safetensors'),
      ({ inputSize }) => new Sequential(new Linear(inputSize, 16), relu, new Dropout(0.2), new Linear(16, 1)),
    );
    const row = { pclass: '3', sex: 'female', age: null, sibsp: 0, parch: 1, fare: '9.50', embarked: 'S' };
    const { probabilities } = await pipeline.predict(row);
    expect(out).toContain(`survives with a probability of ${percent(probabilities?.['1'] ?? 0)}`);
  });

  test('forecast lets two series go on, better than "as one season ago"', async () => {
    const { code, out, error } = await start(['--task', 'forecast', '--epochs', '3', '--json', '--output', 'series']);
    expect([code, error]).toEqual([0, '']);
    const { figures, baselines } = resultOf(out);
    expect(Object.keys(figures)).toHaveLength(4);
    expect(figures['temperature linear MASE']).toBeLessThan(baselines['temperature seasonal naive MASE']!);
    expect(figures['airline LSTM MASE']).toBeLessThan(baselines['airline seasonal naive MASE']!);
    expect(out).toContain('what came (.)');
  });

  test('rare sets fourteen ways side by side, all above chance and some far', async () => {
    const { code, out, error } = await start(['--task', 'rare', '--epochs', '2', '--json', '--output', 'rare']);
    expect([code, error]).toEqual([0, '']);
    const { data, figures, baselines } = resultOf(out);
    expect([data, Object.keys(figures).length]).toEqual(['drawn cases', 14]);
    expect(Math.min(...Object.values<number>(figures))).toBeGreaterThan(baselines.chance ?? 1);
    expect(figures.SMOTE).toBeGreaterThan(6 * (baselines.chance ?? 1));
    expect(out).toMatch(/SMOTE +0\.\d{3} +0\.\d{3}-0\.\d{3}/);
  });

  test('a folder without the file, and one with a broken file, are one clear line', async () => {
    const empty = await start(['--task', 'titanic', '--data', 'data']);
    expect([empty.code, empty.error]).toEqual([1, `--data ${data}: there is no titanic.csv.\n`]);
    writeFileSync(join(data, 'airline-passengers.csv'), 'Month,Passengers\n1949-01,\n');
    const broken = await start(['--task', 'forecast', '--data', 'data']);
    expect([broken.code, broken.error]).toEqual([
      1,
      `--data ${data}: the last column of airline-passengers.csv must be numbers, none of them missing.\n`,
    ]);
  });
});

describe('pictures', () => {
  const run = async (task: string, epochs: string) => {
    const { code, out, error } = await start(['--task', task, '--epochs', epochs, '--json', '--output', 'pictures']);
    expect([code, error]).toEqual([0, '']);
    return resultOf(out);
  };
  const sizeOf = (name: string) => imageInfo(new Uint8Array(readFileSync(join(folder, 'pictures', name))));

  test.runIf(isWhole)(
    'photos compares pictures as they are with pictures seen differently',
    async () => {
      const { data, figures, baselines } = await run('photos', '1');
      expect([data, baselines]).toEqual(['drawn beetles', { 'most frequent class': 0.5 }]);
      for (const kind of ['as they are', 'seen differently']) expect(figures[kind]).toBeGreaterThanOrEqual(0.3);
      expect(sizeOf('photos.png')).toMatchObject({ width: 8 * 66 - 2, height: 2 * 66 - 2 });
    },
    120_000,
  );

  test.runIf(isWhole)(
    'segment finds more than the ground',
    async () => {
      const { figures, baselines } = await run('segment', '2');
      expect(figures['IoU ground']).toBeGreaterThan(0.5);
      expect(figures['mean IoU']).toBeGreaterThan(baselines['mean IoU, all ground']!);
      expect(sizeOf('segment.png')).toMatchObject({ width: 8 * 34 - 2, height: 3 * 34 - 2 });
    },
    120_000,
  );

  test.runIf(isWhole)(
    'generate knows digits better than the means of their pixels',
    async () => {
      const { figures, baselines } = await run('generate', '3');
      expect(figures['nats, upper bound']).toBeLessThan(baselines['nats of pixel means']!);
      expect(sizeOf('digits-made.png')).toMatchObject({ width: 10 * 30 - 2, height: 8 * 30 - 2 });
    },
    120_000,
  );

  test.runIf(isWhole)(
    'transfer gains from what was learned before',
    async () => {
      const { figures, baselines } = await run('transfer', '1');
      expect(figures['5 to 9, body frozen']).toBeGreaterThan(baselines['5 to 9, from nothing']!);
      expect(figures.gain).toBeCloseTo(figures['5 to 9, body frozen']! - baselines['5 to 9, from nothing']!, 3);
    },
    120_000,
  );
});

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { helpText, parseOptions } from './options.ts';
import { resumedSettings } from './output-folder.ts';
import { loadTask, taskNames, tasks } from './task-list.ts';

const places = { from: '/home/someone', output: '/project/output' };
const parse = (...argv: string[]) => parseOptions(argv, places);

describe('parseOptions', () => {
  test('has a default for everything that decides no training', () => {
    expect(parse()).toEqual({
      settings: {},
      backend: 'cpu',
      resume: false,
      evaluate: false,
      dashboard: false,
      report: false,
      watch: false,
      play: false,
      output: '/project/output',
      json: false,
      list: false,
      help: false,
    });
  });

  test('reads every option, with its value behind a space or an equals sign', () => {
    const { settings, ...rest } = parse(
      ...['--task', 'digits', '--data=digits', '--backend', 'gpu', '--epochs', '7', '--batch-size=25'],
      ...[
        '--learning-rate',
        '1e-3',
        '--seed',
        '5',
        '--output',
        '../out',
        '--resume',
        '--dashboard',
        '--report',
        '--json',
        '--list',
      ],
    );
    expect(settings).toEqual({
      task: 'digits',
      data: '/home/someone/digits',
      epochs: 7,
      batchSize: 25,
      learningRate: 0.001,
      seed: 5,
    });
    expect(rest).toEqual({
      backend: 'gpu',
      resume: true,
      evaluate: false,
      dashboard: true,
      report: true,
      watch: false,
      play: false,
      output: '/home/out',
      json: true,
      list: true,
      help: false,
    });
  });

  test('reads what is for agents', () => {
    const { settings, watch, play } = parse('--task', 'connect4', '--steps', '500', '--watch', '--play');
    expect([settings, watch, play]).toEqual([{ task: 'connect4', steps: 500 }, true, true]);
  });

  test.each([
    [
      ['--task', 'snake', '--batch-size', '3'],
      '--batch-size is not for snake, which acts and has no data set: leave it out.',
    ],
    [['--task', 'cartpole', '--report'], '--report is not for cartpole, which acts and has no data set: leave it out.'],
    [['--task', 'moons', '--steps', '3'], '--steps is for agents: choose one of them, as in --task cartpole.'],
    [['--play'], '--play is for agents: choose one of them, as in --task cartpole.'],
  ])('%j would do nothing, and is a mistake', (argv, message) => {
    expect(() => parse(...argv)).toThrow(message);
  });

  test('takes -h for --help', () => {
    expect(parse('-h').help).toBe(true);
    expect(parse('--data=a=b').settings.data).toBe(resolve('/home/someone/a=b'));
  });

  test.each([
    [['digits'], "'digits' is not an option: options begin with --, as in --task digits; see --help."],
    [['--epoch', '3'], 'There is no option --epoch: do you mean --epochs?'],
    [['--tsak', 'moons'], 'There is no option --tsak: do you mean --task?'],
    [['--frobnicate'], 'There is no option --frobnicate; see --help.'],
    [['--epochs'], '--epochs needs a value: --epochs N.'],
    [['--epochs', '--seed', '1'], '--epochs needs a value: --epochs N.'],
    [['--data='], '--data needs a value: --data FOLDER.'],
    [['--output', ''], '--output needs a value: --output FOLDER.'],
    [['--output', ' '], '--output needs a value: --output FOLDER.'],
    [['--outptu', 'models'], 'There is no option --outptu: do you mean --output?'],
    [['--resume=yes'], "--resume takes no value, 'yes' was given."],
    [
      ['--resume', '--evaluate'],
      '--evaluate tests a checkpoint as it is, and --resume trains on: leave one of them out.',
    ],
    [['--task', 'cats'], `--task cats: must be ${taskNames.join(', ')} or all.`],
    [['--backend', 'tpu'], '--backend tpu: must be cpu, native or gpu.'],
    [['--epochs', '0'], '--epochs 0: must be a whole number from 1 to 1000000.'],
    [['--epochs', '1.5'], '--epochs 1.5: must be a whole number from 1 to 1000000.'],
    [['--batch-size', 'all'], '--batch-size all: must be a whole number from 1 to 1000000.'],
    [['--learning-rate', '-1'], '--learning-rate -1: must be a number above 0, as 0.01.'],
    [['--learning-rate', '0'], '--learning-rate 0: must be a number above 0, as 0.01.'],
    [['--learning-rate', 'NaN'], '--learning-rate NaN: must be a number above 0, as 0.01.'],
    [['--seed', '4294967296'], '--seed 4294967296: must be a whole number from 0 to 2147483647.'],
    [
      ['--task', 'moons', '--data', 'x'],
      '--data: moons draws what it learns from; leave it out, or choose another task.',
    ],
    [['--task', 'all', '--data', 'x'], '--data holds the files of one task: choose it, as in --task titanic.'],
  ])('tells what is wrong with %j', (argv, message) => {
    expect(() => parse(...argv)).toThrow(message);
  });
});

test('the help names every option and fits on a screen of 110 columns', () => {
  const help = helpText();
  for (const name of [
    'task',
    'data',
    'backend',
    'epochs',
    'batch-size',
    'learning-rate',
    'seed',
    'resume',
    'evaluate',
    'dashboard',
    'report',
    'output',
  ]) {
    expect(help).toContain(`--${name}`);
  }
  expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110);
});

describe('the list of tasks', () => {
  test.each(taskNames)('%s is told on one line, has its file, and stands in the README', async (name) => {
    expect(`  ${name.padEnd(14)} ${tasks[name].shows}`.length).toBeLessThanOrEqual(120);
    expect(await loadTask(name)).toBeTypeOf('function');
    const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');
    expect(readme.includes(`\`--task ${name}\``), 'its paragraph begins with it').toBe(true);
  });

  test('agents take steps, and what is always drawn takes no files', () => {
    const of = (kind: string) => taskNames.filter((name) => tasks[name].learnsFrom === kind);
    for (const name of of('acting')) expect(parse('--task', name, '--steps', '5').settings.steps).toBe(5);
    for (const name of of('drawings'))
      expect(() => parse('--task', name, '--data', 'x')).toThrow(`--data: ${name} draws`);
    for (const name of of('files')) expect(parse('--task', name, '--data', 'x').settings.task).toBe(name);
  });
});

describe('resumedSettings', () => {
  const notes = { task: 'moons', settings: { task: 'all', seed: 1, epochs: 9 } } as const;

  test('takes the settings of the interrupted run', () => {
    expect(resumedSettings({}, notes)).toEqual({ task: 'all', seed: 1, epochs: 9 });
    expect(resumedSettings({ epochs: 9 }, notes)).toEqual({ task: 'all', seed: 1, epochs: 9 });
  });

  test('refuses others', () => {
    expect(() => resumedSettings({ epochs: 10 }, notes)).toThrow(
      '--epochs 10: the interrupted run had 9: leave it out, or start anew without --resume.',
    );
    expect(() => resumedSettings({ batchSize: 10 }, notes)).toThrow(
      '--batch-size 10: the interrupted run had the default: leave it out, or start anew without --resume.',
    );
  });
});

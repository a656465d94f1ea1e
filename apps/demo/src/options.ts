/**
 * The command line: one table of options, from which values are read, mistakes are told and the help is written.
 * What the options mean is up to the tasks; defaults that differ by task are theirs, too.
 */
import { resolve } from 'node:path';
import { Failure } from './failure.ts';
import { type Task, type TaskName, taskNames, tasks } from './task-list.ts';

/** Of a name from the command line. */
const taskOf = (name: string | undefined): Task | undefined =>
  taskNames.includes(name as TaskName) ? tasks[name as TaskName] : undefined;

/** What decides the course of a training; a checkpoint carries it. */
export interface Settings {
  /** 'start': moons, then digits. */
  readonly task: TaskName | 'start' | 'all';
  readonly seed: number;
  /** The folder with the files of the task, absolute; generated data where not given. */
  readonly data?: string;
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly learningRate?: number;
  /** Of agents: steps of their environments, positions of their games. */
  readonly steps?: number;
}

export const defaultSettings: Settings = { task: 'start', seed: 1 };

export interface Options {
  /** Those that were given. */
  readonly settings: Partial<Settings>;
  readonly backend: 'cpu' | 'gpu' | 'native';
  /** Threads that train together, each with its part of every batch; this process alone where not given. */
  readonly workers?: number;
  readonly resume: boolean;
  /** Tests what a checkpoint holds, without training on. */
  readonly evaluate: boolean;
  /** A screen with curves in place of a bar. */
  readonly dashboard: boolean;
  /** An HTML report beside each model. */
  readonly report: boolean;
  /** Shows what was learned as it acts. */
  readonly watch: boolean;
  /** Lets the user play, against it or as it did. */
  readonly play: boolean;
  /** The folder for models and checkpoints, absolute. */
  readonly output: string;
  /** What was reached as a line of JSON at the end of each task. */
  readonly json: boolean;
  /** The tasks, and nothing else. */
  readonly list: boolean;
  readonly help: boolean;
}

interface Option {
  readonly name: string;
  /** What stands for its value in the help; an option without one is a switch. */
  readonly value?: string;
  readonly help: string;
  /** Reads the value, or says what it should be. */
  read?(text: string, places: Places): unknown;
}

/** The folders that relative paths start from. */
export interface Places {
  /** Where the user stands. */
  readonly from: string;
  /** The default for --output. */
  readonly output: string;
}

const table: readonly Option[] = [
  {
    name: 'task',
    value: 'NAME',
    help: 'one of those of --list, or all (default: moons, then digits)',
    read: (text) => oneOf(text, [...taskNames, 'all']),
  },
  {
    name: 'data',
    value: 'FOLDER',
    help: 'a folder with the files of the task (default: generated data); see apps/demo/README.md',
    read: (text, { from }) => resolve(from, text),
  },
  {
    name: 'backend',
    value: 'NAME',
    help: 'cpu, native or gpu (default: cpu)',
    read: (text) => oneOf(text, ['cpu', 'native', 'gpu']),
  },
  {
    name: 'workers',
    value: 'N',
    help: 'threads that train digits together, as the processes of mpirun do (default: 1)',
    read: (text) => wholeNumber(text, 1, 64),
  },
  {
    name: 'epochs',
    value: 'N',
    help: 'passes over the data (default: by task, 2000 for moons, 3 for digits)',
    read: (text) => wholeNumber(text, 1, 1_000_000),
  },
  {
    name: 'batch-size',
    value: 'N',
    help: 'samples in a step (default: all for moons, 50 for digits, 32 for others)',
    read: (text) => wholeNumber(text, 1, 1_000_000),
  },
  {
    name: 'learning-rate',
    value: 'X',
    help: 'for digits the peak of a cycle (default: by task, 8 for moons, 0.01 for digits)',
    read: positiveNumber,
  },
  {
    name: 'steps',
    value: 'N',
    help: 'of an agent (default: by task, 100000 for cartpole, 15000 for tictactoe)',
    read: (text) => wholeNumber(text, 1, 100_000_000),
  },
  {
    name: 'seed',
    value: 'N',
    help: 'of data, initial weights and order (default: 1)',
    read: (text) => wholeNumber(text, 0, 2 ** 31 - 1),
  },
  {
    name: 'resume',
    help: 'go on from the checkpoint of a run that ended before it was done',
  },
  { name: 'evaluate', help: 'test what that checkpoint holds, as at the end of its run, without training on' },
  { name: 'dashboard', help: 'curves, values and speed on the whole screen in place of a bar' },
  { name: 'watch', help: 'for agents: show an episode, or a game, of what was learned' },
  { name: 'play', help: 'for agents: play yourself on the keyboard; board games against the network' },
  { name: 'report', help: 'also write curves, values and examples as an HTML file beside the model' },
  {
    name: 'output',
    value: 'FOLDER',
    help: 'for models and checkpoints (default: apps/demo/output)',
    read: (text, { from }) => resolve(from, text),
  },
  { name: 'json', help: 'also print what was reached as a line of JSON' },
  { name: 'list', help: 'the tasks, a line each' },
  { name: 'help', help: 'this text' },
];

/** The options of a command line. Throws a `Failure` for anything that is not in the table. */
export function parseOptions(argv: readonly string[], places: Places): Options {
  const given: Record<string, unknown> = {};
  for (let at = 0; at < argv.length; at++) {
    const argument = argv[at] as string;
    if (argument === '-h') {
      given.help = true;
      continue;
    }
    if (!argument.startsWith('--')) {
      throw new Failure(`'${argument}' is not an option: options begin with --, as in --task digits; see --help.`);
    }
    const [name = '', ...rest] = argument.slice(2).split('=');
    const option = table.find((candidate) => candidate.name === name) ?? unknownOption(name);
    if (!option.read) {
      if (rest.length > 0) throw new Failure(`--${name} takes no value, '${rest.join('=')}' was given.`);
      given[name] = true;
      continue;
    }
    const text = rest.length > 0 ? rest.join('=') : argv[++at];
    if (text === undefined || text.trim() === '' || (rest.length === 0 && text.startsWith('--'))) {
      throw new Failure(`--${name} needs a value: --${name} ${option.value}.`);
    }
    try {
      given[camelCase(name)] = option.read(text, places);
    } catch (error) {
      throw new Failure(`--${name} ${text}: ${(error as Error).message}`);
    }
  }
  // The one cast: the table reads each value as the type that its name has in these interfaces.
  const { backend, workers, resume, evaluate, dashboard, report, watch, play, output, json, list, help, ...settings } =
    given as Partial<Omit<Options, 'settings'> & Settings>;
  if (taskOf(settings.task)?.learnsFrom === 'drawings' && settings.data !== undefined) {
    throw new Failure(`--data: ${settings.task} draws what it learns from; leave it out, or choose another task.`);
  }
  if (settings.task === 'all' && settings.data !== undefined) {
    throw new Failure('--data holds the files of one task: choose it, as in --task titanic.');
  }
  if (resume && evaluate) {
    throw new Failure('--evaluate tests a checkpoint as it is, and --resume trains on: leave one of them out.');
  }
  checkTask(settings, { dashboard, report, watch, play });
  return {
    settings,
    watch: watch ?? false,
    play: play ?? false,
    backend: backend ?? 'cpu',
    ...(workers !== undefined && { workers }),
    resume: resume ?? false,
    evaluate: evaluate ?? false,
    dashboard: dashboard ?? false,
    report: report ?? false,
    output: output ?? places.output,
    json: json ?? false,
    list: list ?? false,
    help: help ?? false,
  };
}

/** Options that a task has no use for are mistakes: they would do nothing. */
function checkTask(settings: Partial<Settings>, switches: Readonly<Record<string, boolean | undefined>>): void {
  const { task } = settings;
  const isGame = taskOf(task)?.learnsFrom === 'acting';
  const names = isGame ? ['data', 'epochs', 'batchSize', 'dashboard', 'report'] : ['steps', 'watch', 'play'];
  const name = names.find((each) => ({ ...settings, ...switches })[each as keyof Settings] !== undefined);
  if (name === undefined || (!isGame && task === 'all')) return;
  const option = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new Failure(
    isGame
      ? `${option} is not for ${task}, which acts and has no data set: leave it out.`
      : `${option} is for agents: choose one of them, as in --task cartpole.`,
  );
}

/** The text of --list. */
export function listText(): string {
  return taskNames.map((name) => `  ${name.padEnd(14)} ${tasks[name].shows}`).join('\n');
}

/** The text of --help. */
export function helpText(): string {
  const lines = table.map(({ name, value = '', help }) => `  ${`--${name} ${value}`.padEnd(20)} ${help}`);
  return [
    'Trains networks in the terminal: points, digits, tables, series, language, pictures, agents; see --list.',
    '',
    'usage: npm start -- [options]',
    '',
    ...lines,
    '',
    'Moons and digits keep a checkpoint. Ctrl-C saves once more and stops; a second Ctrl-C stops at once.',
    'Colours follow NO_COLOR.',
    '',
    'examples:',
    '  npm start -- --task digits --data ../shared/data/mnist10k',
    '  npm start -- --task titanic --data ../shared/data/tabular --json',
    '  npm start -- --task moons --learning-rate 2 --seed 7',
    '  npm start -- --task snake --watch',
    '  npm start -- --task connect4 --play',
    '  npm start -- --resume',
    '  npm start -- --evaluate --output FOLDER',
  ].join('\n');
}

function unknownOption(name: string): never {
  const near = table.find((option) => isNear(option.name, name))?.name;
  throw new Failure(`There is no option --${name}${near ? `: do you mean --${near}?` : '; see --help.'}`);
}

/** One begins with the other, or a letter is missing, added, changed or swapped with its neighbour. */
function isNear(a: string, b: string): boolean {
  if (b.length >= 2 && (a.startsWith(b) || b.startsWith(a))) return true;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const [left, right] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  const isSwap = left.length === 2 && right === `${left[1]}${left[0]}`;
  return (left.length <= 1 && right.length <= 1) || isSwap;
}

function oneOf(text: string, names: readonly string[]): string {
  if (names.includes(text)) return text;
  throw new Error(`must be ${names.slice(0, -1).join(', ')} or ${names.at(-1)}.`);
}

function wholeNumber(text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new Error(`must be a whole number from ${least} to ${most}.`);
}

function positiveNumber(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value > 0 && value <= 1e6) return value;
  throw new Error('must be a number above 0, as 0.01.');
}

function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

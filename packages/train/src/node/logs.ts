/**
 * Logs as files: JSON lines, CSV, TensorBoard. Each is a callback, and appends as events come, so a kill loses nothing that
 * was told; after `resume` the file goes on from the checkpoint. Owns what stands in the files.
 */
import { join } from 'node:path';
import { checkOptions, namedParameters, ValueError } from '@nn/core';
import type { Json } from '@nn/serialize';
import type { Callback, Controls, TrainingEvent } from '../events.ts';
import { encodeEvent, encodeFileStart, type Hyperparameters, type Summary } from '../logs/event-encoder.ts';
import { AppendFile } from './append-file.ts';
import { checkPath } from './paths.ts';

export interface LogOptions {
  /** The file; folders are made. */
  readonly path: string;
  /** Keeps what another run wrote there, and goes on after it; else a run that is not resumed replaces it. Default false. */
  readonly append?: boolean;
  /** Seconds since 1970, written into each entry; null leaves time out, so that equal runs make equal files. */
  readonly clock?: (() => number) | null;
}

const now = (): number => Date.now() / 1000;

export interface JsonLinesOptions extends LogOptions {
  /** Settings, versions, the seed: in the first line. */
  readonly config?: Json;
  /** Also the loss of each step, exactly. Default false. */
  readonly losses?: boolean;
}

/**
 * A line of JSON for the start, each read, epoch, validation and warning, and the end. Numbers that JSON cannot hold are
 * strings: "NaN".
 *
 * @example
 * import { mkdtempSync, readFileSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { tensor } from '@nn/core';
 * import { Linear } from '@nn/layers';
 * import { SGD } from '@nn/optim';
 * import { Training } from '@nn/train';
 * import { jsonLines } from '@nn/train/node';
 * const path = `${mkdtempSync(`${tmpdir()}/`)}/run.jsonl`;
 * const model = new Linear(1, 1);
 * const training = new Training({
 *   model,
 *   optimizer: new SGD(model, { learningRate: 0.1 }),
 *   data: [tensor([[1]])],
 *   step: (x) => model.forward(x).square().mean(),
 *   epochs: 1,
 *   callbacks: [jsonLines({ path, config: { seed: 1 }, clock: null })],
 * });
 * await training.run();
 * const lines = readFileSync(path, 'utf8').trim().split('\n');
 * console.log(lines[0], lines.length); // => {"type":"start","step":0,"epoch":1,"config":{"seed":1}} 4
 */
export function jsonLines(options: JsonLinesOptions): LogCallback {
  checkOptions('jsonLines', options, ['path', 'append', 'clock', 'config', 'losses']);
  const { append, clock = now, config = null, losses = false } = options;
  const path = checkPath('jsonLines', 'path', options.path, "jsonLines({ path: 'runs/1.jsonl' })");
  const file = new AppendFile(path, append);
  const write = (event: TrainingEvent<object>, more: object): void => {
    const { type, step, epoch } = event;
    const line = { type, ...(clock && { time: clock() }), step, epoch, ...more };
    file.append(`${JSON.stringify(line, exactly)}\n`);
  };
  return {
    file,
    isOutput: true,
    hears: ['start', 'read', 'epoch', 'validated', 'warning', 'stopped'],
    handle: (event) => {
      if (event.type === 'start') {
        // a run that is resumed at its first step has its line already
        const { isBegun } = file;
        file.open();
        if (!isBegun) write(event, { config });
      } else if (event.type === 'read') {
        const { values, learningRates } = event;
        write(event, { ...(losses && { losses: event.losses }), values, learningRates });
      } else if (event.type === 'epoch' || event.type === 'validated') {
        write(event, { values: event.values });
      } else if (event.type === 'warning') {
        write(event, { what: event.what, message: event.message });
      } else if (event.type === 'stopped') {
        write(event, { why: event.why, ...(event.error !== undefined && { error: String(event.error) }) });
      }
    },
  };
}

/** A log: its file is found by checkpoints. */
export interface LogCallback extends Callback {
  readonly file: AppendFile;
}

const exactly = (_: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;

/** What is known of the epoch that is under way, for its row. */
interface Row {
  /** Null before its 'epoch' event. */
  readonly ended: Readonly<Record<string, number>> | null;
  readonly validated: Readonly<Record<string, number>>;
}

const emptyRow: Row = { ended: null, validated: {} };

/**
 * A row for each epoch: epoch, step, and every value that is a number, and the same of the validation where there is one: of
 * several in an epoch the last. A cell is empty where an epoch had none. Throws ValueError where `append` finds other columns
 * in the file.
 *
 * @example
 * import { csv } from '@nn/train/node';
 * console.log(csv({ path: 'runs/1.csv' }).file.path); // => runs/1.csv
 */
export function csv(options: Pick<LogOptions, 'path' | 'append'>): LogCallback {
  checkOptions('csv', options, ['path', 'append']);
  const { append } = options;
  const path = checkPath('csv', 'path', options.path, "csv({ path: 'runs/1.csv' })");
  const file = new AppendFile(path, append);
  let row = emptyRow;
  let isChecked = false;
  const write = (ended: Readonly<Record<string, number>>, isValidated: boolean): void => {
    const own = Object.keys(ended);
    const held = isValidated ? own.slice(2).map((name) => `validation.${name}`) : [];
    const columns = [...own, ...held];
    const values = { ...row.validated, ...ended };
    const head = columns.map(quoted).join(',');
    if (file.length === 0) file.append(`${head}\n`);
    else if (!isChecked && file.firstLine !== head) {
      throw new ValueError(
        'csv',
        `${path} has the columns ${file.firstLine}, this training ${head}: give it a file of its own.`,
        { path },
      );
    }
    file.append(`${columns.map((name) => values[name] ?? '').join(',')}\n`);
    isChecked = true;
  };
  return {
    file,
    isOutput: true,
    hears: ['start', 'epoch', 'validated', 'rest'],
    handle: (event, { validationData }) => {
      if (event.type === 'start') file.open();
      if (event.type === 'epoch') {
        const { epoch, step } = event;
        row = { ...row, ended: { epoch, step, ...numbersOf(event.values) } };
      }
      if (event.type === 'validated') row = { ...row, validated: numbersOf(event.values) };
      if (event.type !== 'rest' || row.ended === null) return;
      write(row.ended, validationData !== null);
      row = emptyRow;
    },
    // an epoch may have ended and its validation not: then the row is written by the process that resumes
    hostState: () => ({ length: file.hostState().length, ...row }),
    loadHostState: (state) => {
      const { ended = null, validated = {} } = Object(state) as Partial<Row>;
      file.loadHostState(state);
      row = { ended, validated };
    },
  };
}

const numbersOf = (values: object): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => typeof value === 'number'));

/** A name as a cell: quoted where it must be (RFC 4180). */
const quoted = (name: string): string => (/[",\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name);

export interface TensorBoardOptions {
  /** The folder that TensorBoard is started with, or one inside of it: one for each run. */
  readonly folder: string;
  /** Seconds since 1970. */
  readonly clock?: () => number;
  /** Epochs between two histograms of all parameters; none where not given. */
  readonly histograms?: number;
  /** Shown as text: settings, versions. */
  readonly config?: Json;
  /** For the dashboard that compares runs by their settings. */
  readonly hyperparameters?: Hyperparameters;
  /** The tags that it compares. Default 'epoch/loss'. */
  readonly compare?: readonly string[];
}

/** A log that takes entries of your own, too. */
export interface TensorBoardCallback extends LogCallback {
  write(step: number, summary: Summary): void;
}

/**
 * An event file for TensorBoard: the loss of every step, the other values at each read, those of epochs and validations,
 * learning rates, and histograms of parameters. `write` adds images, text and numbers of your own.
 *
 * @example
 * import { mkdtempSync, statSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { tensorBoard } from '@nn/train/node';
 * const log = tensorBoard({ folder: mkdtempSync(`${tmpdir()}/`), clock: () => 0 });
 * log.write(1, { kind: 'scalar', tag: 'mine', value: 0.5 });
 * console.log(statSync(log.file.path).size); // => 82
 */
export function tensorBoard(options: TensorBoardOptions): TensorBoardCallback {
  checkOptions('tensorBoard', options, ['folder', 'clock', 'histograms', 'config', 'hyperparameters', 'compare']);
  const folder = checkPath('tensorBoard', 'folder', options.folder, "tensorBoard({ folder: 'runs/1' })");
  const { clock = now, histograms, config = null, hyperparameters, compare = ['epoch/loss'] } = options;
  const file = new AppendFile(join(folder, 'events.out.tfevents.0.nn'));
  let isOpen = false;
  // what is told once: not again by a run that is resumed at its first step
  let isNew = false;
  const open = (): void => {
    isNew ||= !file.isBegun;
    if (file.open()) file.append(encodeFileStart(clock()));
    isOpen = true;
  };
  const write = (step: number, summary: Summary): void => {
    if (!isOpen) open();
    file.append(encodeEvent(clock(), step, summary));
  };
  const scalars = (step: number, values: object): void => {
    for (const [tag, value] of Object.entries(values)) {
      if (typeof value === 'number') write(step, { kind: 'scalar', tag, value });
    }
  };
  const handle = async (event: TrainingEvent<object>, training: Controls): Promise<void> => {
    const { step } = event;
    if (event.type === 'start') {
      open();
      if (!isNew) return;
      isNew = false;
      if (config !== null) write(0, { kind: 'text', tag: 'config', text: JSON.stringify(config, null, 2) });
      if (hyperparameters !== undefined) {
        write(0, { kind: 'experiment', hyperparameters, metrics: compare });
        write(0, { kind: 'session start', hyperparameters, seconds: clock() });
      }
    } else if (event.type === 'read') {
      const perStep = event.losses.length;
      event.losses.forEach((value, at) => void write(step - perStep + 1 + at, { kind: 'scalar', tag: 'loss', value }));
      for (const [tag, { window }] of Object.entries(event.values))
        if (tag !== 'loss') scalars(step, { [tag]: window });
      event.learningRates.forEach(
        (value, at) => void write(step, { kind: 'scalar', tag: `learning_rate/${at}`, value }),
      );
    } else if (event.type === 'epoch') {
      scalars(step, Object.fromEntries(Object.entries(event.values).map(([tag, value]) => [`epoch/${tag}`, value])));
      if (histograms === undefined || event.epoch % histograms !== 0) return;
      for (const [tag, member] of namedParameters(training.model)) {
        write(step, { kind: 'histogram', tag, values: Float64Array.from(await member.data()) });
      }
    } else if (event.type === 'validated') {
      scalars(step, event.values);
    } else if (event.type === 'stopped' && event.why !== 'aborted' && hyperparameters !== undefined) {
      // a run that was aborted may go on: its session has not ended
      const isSuccess = event.why === 'done' || event.why === 'callback';
      write(step, { kind: 'session end', isSuccess, seconds: clock() });
    }
  };
  return { file, isOutput: true, hears: ['start', 'read', 'epoch', 'validated', 'stopped'], handle, write };
}

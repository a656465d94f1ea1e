/**
 * A training run as one safetensors file: the parameters of model and optimizer as tensors; step counts, schedules,
 * random state and positions in data as JSON in the metadata. A resumed run goes on bit for bit.
 * Finding host state is `host-state.ts`, pairing parameters `parameters.ts`, the disk `files.ts`.
 */
import type { AbortSignalLike, Parameter } from '@nn/core';
import {
  checkOptions,
  excerpt,
  FormatError,
  isStateful,
  namedParameters,
  randomState,
  setRandomState,
  untilAborted,
  ValueError,
} from '@nn/core';
import type { Json } from './exact-json.ts';
import { isJson, parseExactly, stringifyExactly } from './exact-json.ts';
import type { WriteOptions } from './files.ts';
import { readBytes, writeInOrder } from './files.ts';
import type { States } from './host-state.ts';
import { findStateful, restoreStates, takeStates } from './host-state.ts';
import { openOptionNames } from './open-weights.ts';
import { applyValues, pairParameters, readPairs, readValues, refuseMismatch } from './parameters.ts';
import type { ParseOptions, Safetensors } from './safetensors.ts';
import { encodeSafetensors, parseSafetensors } from './safetensors.ts';
import type { DownloadOptions } from './sources/download-options.ts';
import type { Source } from './sources/reader.ts';
import { entriesOf } from './weights.ts';

/** What belongs to a run, by name: models, optimizers, loaders, anything with parameters or host state. */
export type CheckpointParts = Readonly<Record<string, object>>;

export interface SaveCheckpointOptions extends WriteOptions {
  /** Facts of your own to store beside the run, as epoch or settings; `loadCheckpoint` gives them back. */
  readonly notes?: Json;
}

export interface LoadCheckpointOptions extends ParseOptions, DownloadOptions {
  /** Whether core's random state is restored, too; true where not given. */
  readonly random?: boolean;
  /** Ends the loading before anything was changed: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignalLike;
}

/** The JSON in the metadata under `key`. */
interface RunRecord {
  readonly version: 1;
  readonly parts: readonly string[];
  readonly states: Readonly<Record<string, Json>>;
  readonly random: ReturnType<typeof randomState>;
  readonly notes: Json;
}

const key = 'nn.checkpoint';

/**
 * The run as the bytes of a checkpoint. All is of one moment, that of the call: the state on the host is taken at once, and
 * the parameters' values are asked for before anything else can run.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { encodeCheckpoint, parseSafetensors } from '@nn/serialize';
 * const bytes = await encodeCheckpoint({ model: { weight: parameter([1, 2]) } });
 * console.log([...parseSafetensors(bytes).tensors.keys()]); // => [ 'model.weight' ]
 */
export async function encodeCheckpoint(
  parts: CheckpointParts,
  options: SaveCheckpointOptions = {},
): Promise<Uint8Array> {
  checkOptions('saveCheckpoint', options, ['notes', 'signal']);
  checkParts(parts);
  options.signal?.throwIfAborted();
  const { parameters, states } = collect(parts);
  const notes = options.notes ?? null;
  if (!isJson(notes)) {
    throw new ValueError(
      'saveCheckpoint',
      'notes hold something that JSON cannot keep, as undefined, an instance of a class, or what holds itself.',
    );
  }
  const random = randomState();
  // both are asked for before anything else can run
  const asked = Promise.all([takeStates(states), readValues(parameters)]);
  const [saved, values] = await untilAborted(asked, options.signal);
  const record: RunRecord = { version: 1, parts: Object.keys(parts), states: saved, random, notes };
  return encodeSafetensors(values, { [key]: stringifyExactly(record) });
}

/**
 * Writes a run to a file, atomically: a crash while writing leaves the checkpoint that was there. Of several calls that
 * were not awaited the last one wins. In a browser use `encodeCheckpoint`.
 *
 * @example
 * import { mkdtempSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { DataLoader, moons } from '@nn/data';
 * import { Linear } from '@nn/layers';
 * import { Adam } from '@nn/optim';
 * import { loadCheckpoint, saveCheckpoint } from '@nn/serialize';
 * const model = new Linear(2, 1);
 * const run = { model, optimizer: new Adam(model, { learningRate: 0.01 }), loader: new DataLoader(moons(100)) };
 * const path = `${mkdtempSync(`${tmpdir()}/`)}/run.safetensors`;
 * await saveCheckpoint(path, run, { notes: { best: 0.25 } });
 * console.log((await loadCheckpoint(path, run)).notes); // => { best: 0.25 }
 */
export async function saveCheckpoint(
  path: string,
  parts: CheckpointParts,
  options: SaveCheckpointOptions = {},
): Promise<void> {
  await writeInOrder(path, encodeCheckpoint(parts, options), options.signal);
}

/**
 * Brings a run back to the moment of a checkpoint. The parts must be built as they were (the same model, the same kind of
 * optimizer); parts of the file that are not asked for are left out. All or nothing: whatever does not fit is a
 * `FormatError` that lists all such names, and leaves every part as it was.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { encodeCheckpoint, loadCheckpoint } from '@nn/serialize';
 * const bytes = await encodeCheckpoint({ model: { weight: parameter([1, 2]) } }, { notes: { epoch: 3 } });
 * const model = { weight: parameter([0, 0]) };
 * const { notes } = await loadCheckpoint(bytes, { model });
 * console.log(await model.weight.array(), notes); // => [ 1, 2 ] { epoch: 3 }
 */
export async function loadCheckpoint(
  source: Source,
  parts: CheckpointParts,
  options: LoadCheckpointOptions = {},
): Promise<{ readonly notes: Json }> {
  checkOptions('loadCheckpoint', options, ['random', ...openOptionNames]);
  checkParts(parts);
  const { signal, maxHeaderBytes, maxTensors } = options;
  const bytes = await readBytes('loadCheckpoint', source, signal, options);
  const file = parseSafetensors(bytes, {
    ...(maxHeaderBytes && { maxHeaderBytes }),
    ...(maxTensors && { maxTensors }),
  });
  const record = readRecord(file);
  const wanted = Object.keys(parts);
  const absent = wanted.filter((part) => !record.parts.includes(part));
  if (absent.length > 0) {
    throw new FormatError(
      'loadCheckpoint/part',
      `the file has no part '${absent.join("', '")}'; it has ${record.parts.join(', ')}.`,
      { absent, parts: record.parts },
    );
  }
  const isWanted = (name: string): boolean => wanted.some((part) => name === part || name.startsWith(`${part}.`));
  const { parameters, states } = collect(parts);
  const pairing = pairParameters(parameters, entriesOf(file), (name) => (isWanted(name) ? name : null));
  const match = await readPairs(pairing, { signal });
  const stored = Object.keys(record.states).filter(isWanted);
  await refuseMismatch('loadCheckpoint', match, {
    missingStates: [...states.keys()].filter((name) => !stored.includes(name)),
    unexpectedStates: stored.filter((name) => !states.has(name)),
  });
  const before = await takeStates(states);
  // States can still refuse what they are given, and then all go back; after them nothing can fail.
  restoreStates(states, record.states, before);
  if (options.random ?? true) setRandomState(record.random);
  applyValues(match.values);
  return { notes: record.notes };
}

/** For what has a state of its own and was given in the place of the parts. */
function checkParts(parts: CheckpointParts): void {
  if (isStateful(parts)) {
    throw new ValueError(
      'checkpoint',
      `the parts are objects by name, { model, optimizer }, and not ${excerpt(String(parts))}, whose own state would be lost: of a Training give training.parts.`,
    );
  }
}

/**
 * All parameters and states by name, 'part.path'. An optimizer also reaches the parameters of its model; each counts
 * once, under its model's name, so parts without state of their own come first.
 */
function collect(parts: CheckpointParts): { parameters: Map<string, Parameter>; states: States } {
  const dotted = Object.keys(parts).find((part) => part.includes('.'));
  if (dotted !== undefined) {
    throw new ValueError(
      'checkpoint',
      `the part '${dotted}' has a dot in its name, which separates names; choose another.`,
    );
  }
  const states = findStateful(parts);
  const order = Object.entries(parts).sort(([a], [b]) => Number(states.has(a)) - Number(states.has(b)));
  const parameters = new Map<string, Parameter>();
  const seen = new Set<Parameter>();
  for (const [part, value] of order) {
    for (const [path, parameter] of namedParameters(value)) {
      if (seen.has(parameter)) continue;
      seen.add(parameter);
      parameters.set(path === '' ? part : `${part}.${path}`, parameter);
    }
  }
  return { parameters, states };
}

function readRecord(file: Safetensors): RunRecord {
  const text = file.metadata.get(key);
  if (text === undefined) {
    throw new FormatError(
      'loadCheckpoint/no-checkpoint',
      'the file is safetensors, but no checkpoint; load a model alone with loadModel.',
    );
  }
  let record: unknown;
  try {
    record = parseExactly(text);
  } catch {
    throw new FormatError('loadCheckpoint/metadata', `the metadata '${key}' is not JSON; the file is damaged.`);
  }
  const { version, parts, states, random } = Object(record) as Partial<Record<keyof RunRecord, unknown>>;
  if (version !== 1) {
    throw new FormatError(
      'loadCheckpoint/version',
      `the file has version ${JSON.stringify(version)}, this package reads version 1.`,
      {
        version,
      },
    );
  }
  const isRecord = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);
  // As core keeps them: any other number would be changed, or refused, by what draws from it.
  const isInt32 = (value: unknown): boolean => typeof value === 'number' && value === (value | 0);
  const isNames = Array.isArray(parts) && parts.every((part) => typeof part === 'string');
  const { seed, counter } = Object(random) as Partial<Record<'seed' | 'counter', unknown>>;
  if (!isNames || !isRecord(states) || !isInt32(seed) || !isInt32(counter)) {
    throw new FormatError(
      'loadCheckpoint/metadata',
      `the metadata '${key}' lacks parts, states or random, or they are not what this package writes; the file is damaged.`,
    );
  }
  return record as RunRecord; // The one cast: the lines above looked at each field that is used.
}

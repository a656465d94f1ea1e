/**
 * The folder for models and the checkpoint of the run that is under way. What a checkpoint notes besides the training is here:
 * the task it belongs to and the settings, so that `--resume` needs no other option. The checkpoint itself is @nn/train's.
 */
import { constants, existsSync } from 'node:fs';
import { access, mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Json, loadCheckpoint } from '@nn/serialize';
import { Failure } from './failure.ts';
import type { Settings } from './options.ts';
import { type TaskName, taskNames } from './task-list.ts';

export const checkpointName = 'checkpoint.safetensors';

/** What a run notes beside its training. */
export interface RunNotes {
  readonly task: TaskName;
  readonly settings: Settings;
}

/** The notes as a checkpoint keeps them. */
export function runNotes({ task, settings }: RunNotes): Json {
  return { task, settings: { ...settings } };
}

/** The notes of the checkpoint in the output folder. Throws a `Failure` where there is none, or it is not of this program. */
export async function readRun(output: string, option: '--resume' | '--evaluate'): Promise<RunNotes> {
  const path = join(output, checkpointName);
  if (!existsSync(path)) {
    throw new Failure(`${option}: there is no checkpoint at ${path}: a run that ends before it is done leaves one.`);
  }
  const { notes } = await loadCheckpoint(path, {}, { random: false });
  if (!isRunNotes(notes)) throw new Failure(`${option}: ${path} is a checkpoint of another program.`);
  return notes;
}

/** Puts the checkpoint of another run aside, which the first save of this one would replace; the answer is where it is now. */
export async function keepOtherRun(output: string): Promise<string | undefined> {
  const path = join(output, checkpointName);
  if (!existsSync(path)) return undefined;
  const aside = join(output, 'checkpoint-before.safetensors');
  await rename(path, aside);
  return aside;
}

/** Makes the folder for models and checkpoints. Throws a `Failure` where nothing can be written there. */
export async function openOutput(output: string): Promise<void> {
  try {
    await makeFolder(output);
    await access(output, constants.W_OK);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' || code === 'ENOTDIR') {
      throw new Failure(`--output ${output}: there is a file of this name: name a folder.`);
    }
    throw new Failure(`--output ${output}: nothing can be written there: ${message}.`);
  }
}

/**
 * The folder and those that it stands in. Node's own `recursive` never ends where a folder that exists refuses new ones
 * with ENOENT, as those of the system under /proc do.
 */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const found = await stat(path).catch(() => null);
    if (found?.isDirectory()) return;
    const parent = dirname(path);
    if (code !== 'ENOENT' || parent === path || (await stat(parent).catch(() => null)) !== null) throw error;
    await makeFolder(parent);
    await mkdir(path);
  }
}

export async function removeRun(output: string): Promise<void> {
  await rm(join(output, checkpointName), { force: true });
}

/** The settings of the resumed run. Throws a `Failure` where an option on the command line asks for others. */
export function resumedSettings(given: Partial<Settings>, { settings }: RunNotes): Settings {
  for (const name of ['task', 'data', 'epochs', 'batchSize', 'learningRate', 'seed'] as const) {
    if (given[name] === undefined || given[name] === settings[name]) continue;
    const option = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new Failure(
      `${option} ${given[name]}: the interrupted run had ${settings[name] ?? 'the default'}: leave it out, or start anew without --resume.`,
    );
  }
  return settings;
}

function isRunNotes(notes: unknown): notes is RunNotes {
  const { task, settings } = Object(notes) as Partial<Record<keyof RunNotes, unknown>>;
  const { seed } = Object(settings) as Partial<Record<keyof Settings, unknown>>;
  return taskNames.some((name) => name === task) && typeof seed === 'number';
}

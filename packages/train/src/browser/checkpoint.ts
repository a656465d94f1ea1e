/**
 * Saving a run on a page, or in a Web Worker, while it goes on, and taking it up again after the page was closed, reloaded or
 * killed. When it is saved is callbacks/saving.ts, where its files lie storage.ts.
 */
import { ValueError } from '@nn/core';
import { encodeCheckpoint, encodeModel, loadCheckpoint } from '@nn/serialize';
import {
  bestFile,
  CheckpointCallback,
  checkpointFile,
  type RunStorage,
  type SavingOptions,
} from '../callbacks/saving.ts';
import type { Callback, Controls, Monitored } from '../events.ts';
import { changeFiles, readFile, removeFiles } from './storage.ts';

export interface CheckpointOptions<Name extends string> extends SavingOptions<Name> {
  /** Of the run, among those of all pages of this origin: two trainings at once have two names. */
  readonly name: string;
}

/**
 * Saves the run in the IndexedDB of the page's origin; `resume(training, name)` goes on from there. It has what `checkpoint` of
 * `@nn/train/node` has, with a name in place of the folder. A save is one transaction: a page that ends at any moment leaves the
 * last one whole. Works in a Web Worker as well. ValueError where there is no IndexedDB, or no room in it.
 *
 * @example
 * import type { Controls } from '@nn/train';
 * import { checkpoint, resume } from '@nn/train/browser';
 * const callbacks = [checkpoint({ name: 'digits', every: 50, best: 'loss' })];
 * // `callbacks` in the options of the training; then, before it runs:
 * const goOn = (training: Controls): Promise<boolean> => resume(training, 'digits');
 * console.log(callbacks.length, goOn.length); // => 1 1
 */
export function checkpoint<const Name extends string = 'loss'>(
  options: CheckpointOptions<Name>,
): Callback<Monitored<Name>> {
  const callback = new CheckpointCallback<Monitored<Name>>(storageOf(options?.name), options, 'name');
  nameOf('checkpoint', options.name);
  return callback;
}

function storageOf(run: string): RunStorage {
  return {
    // an empty change: what keeps a page from saving is known before the first step
    open: () => changeFiles(run, new Map()),
    async saveRun(parts, notes, copy, old) {
      const bytes = await encodeCheckpoint(parts, { notes });
      const files = new Map([[checkpointFile, bytes]]);
      if (copy !== null) files.set(copy, bytes);
      await changeFiles(run, files, old);
    },
    saveBest: async (model) => changeFiles(run, new Map([[bestFile, await encodeModel(model)]])),
  };
}

/**
 * Brings a training to where the run of this name was; false, and nothing is changed, where none was saved. Build the training
 * as it was, with the same callbacks: their state is part of it.
 */
export async function resume(training: Pick<Controls, 'parts'>, name: string): Promise<boolean> {
  const bytes = await readFile(nameOf('resume', name), checkpointFile);
  if (bytes === null) return false;
  await loadCheckpoint(bytes, training.parts);
  return true;
}

/**
 * The bytes of what was saved of a run: `best.safetensors` for `loadModel`, `checkpoint.safetensors` or a kept
 * `step-120.safetensors` for `loadCheckpoint`; null where it is not there.
 */
export async function readSave(name: string, file: string = bestFile): Promise<Uint8Array<ArrayBuffer> | null> {
  return readFile(nameOf('readSave', name), file);
}

/** Removes all that was saved of a run. */
export async function removeSaves(name: string): Promise<void> {
  await removeFiles(nameOf('removeSaves', name));
}

function nameOf(operation: string, name: unknown): string {
  if (typeof name === 'string' && name !== '') return name;
  throw new ValueError(operation, `the name of the run is ${JSON.stringify(name) ?? typeof name}: give a text.`, {
    name,
  });
}

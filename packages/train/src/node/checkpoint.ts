/**
 * Saving a run into a folder while it goes on, and taking it up again after anything, a kill included. When it is saved is
 * callbacks/saving.ts.
 */
import { existsSync, statSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ValueError } from '@nn/core';
import { loadCheckpoint, saveCheckpoint, saveModel } from '@nn/serialize';
import {
  bestFile,
  CheckpointCallback,
  checkpointFile,
  type RunStorage,
  type SavingOptions,
} from '../callbacks/saving.ts';
import type { Callback, Controls, Monitored } from '../events.ts';
import { checkPath, writing } from './paths.ts';

export interface CheckpointOptions<Name extends string> extends SavingOptions<Name> {
  /** Made if it is not there. The run is `checkpoint.safetensors` in it. */
  readonly folder: string;
}

/**
 * Saves the run into a folder; `resume(training, folder)` goes on from there. Files are replaced as a whole: a kill at any
 * moment leaves the old one or the new one. Also the best value is part of the checkpoint, so a resumed run never replaces
 * the best model by a worse one.
 *
 * @example
 * import { existsSync, mkdtempSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { tensor } from '@nn/core';
 * import { Linear } from '@nn/layers';
 * import { SGD } from '@nn/optim';
 * import { Training } from '@nn/train';
 * import { checkpoint, resume } from '@nn/train/node';
 * const folder = mkdtempSync(`${tmpdir()}/`);
 * const make = (epochs: number) => {
 *   const model = new Linear(1, 1);
 *   return new Training({
 *     model,
 *     optimizer: new SGD(model, { learningRate: 0.1 }),
 *     data: [tensor([[1]])],
 *     step: (x) => model.forward(x).square().mean(),
 *     epochs,
 *     callbacks: [checkpoint({ folder, best: 'loss' })],
 *   });
 * };
 * await make(2).run();
 * const training = make(5);
 * console.log(await resume(training, folder), existsSync(`${folder}/best.safetensors`)); // => true true
 * console.log((await training.run()).history.length); // => 5
 */
export function checkpoint<const Name extends string = 'loss'>(
  options: CheckpointOptions<Name>,
): Callback<Monitored<Name>> {
  const callback = new CheckpointCallback<Monitored<Name>>(storageOf(options?.folder), options, 'folder');
  checkPath('checkpoint', 'folder', options.folder, "checkpoint({ folder: 'runs/1' })");
  return callback;
}

function storageOf(folder: string): RunStorage {
  return {
    open: async () => void (await writing('checkpoint', folder, () => mkdir(folder, { recursive: true }))),
    async saveRun(parts, notes, copy, old) {
      if (copy !== null) await saveCheckpoint(join(folder, copy), parts, { notes });
      // before the run's own file no longer names them: a kill in between would leave them for ever
      for (const file of old) await rm(join(folder, file), { force: true });
      await saveCheckpoint(join(folder, checkpointFile), parts, { notes });
    },
    saveBest: (model) => saveModel(join(folder, bestFile), model),
  };
}

/**
 * Brings a training to where the checkpoint in the folder was; false, and nothing is changed, where there is none. Build the
 * training as it was, with the same callbacks: their state is part of it.
 */
export async function resume(training: Pick<Controls, 'parts'>, folder: string): Promise<boolean> {
  const path = join(checkPath('resume', 'folder', folder, "resume(training, 'runs/1')"), checkpointFile);
  if (!existsSync(path)) {
    // a training that begins anew would replace the checkpoint that was meant
    if (statSync(folder, { throwIfNoEntry: false })?.isFile()) {
      throw new ValueError('resume', `${folder} is a file: give the folder that holds ${checkpointFile}.`, { folder });
    }
    return false;
  }
  await loadCheckpoint(path, training.parts);
  return true;
}

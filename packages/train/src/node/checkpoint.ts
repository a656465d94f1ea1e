/**
 * Saving a run while it goes on, and taking it up again after anything, a kill included. Every save is of a 'rest', where
 * all state is on the host, so a resumed run makes the same steps, and reads the same values, as one that was not ended.
 */
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checkOptions, FormatError, ValueError } from '@nn/core';
import { type Json, loadCheckpoint, saveCheckpoint, saveModel } from '@nn/serialize';
import { directionOf, numberIn, watched } from '../callbacks/monitor.ts';
import type { Callback, Controls, Heard, Monitored, TrainingEvent } from '../events.ts';

const fileName = 'checkpoint.safetensors';

export interface CheckpointOptions<Name extends string> {
  /** Made if it is not there. The run is `checkpoint.safetensors` in it. */
  readonly folder: string;
  /** Steps between two saves, at the read that follows; at the end of each epoch where not given. */
  readonly every?: number;
  /** Saves no more often than this. Default 0. */
  readonly seconds?: number;
  /** Also saves before the first step, so that there is something to resume from the beginning. Default false. */
  readonly atStart?: boolean;
  /** Also keeps so many of the last saves as `step-120.safetensors`. Default 0. */
  readonly keep?: number;
  /** Saves the model as `best.safetensors` whenever this value is the best so far: 'validation.accuracy'. */
  readonly best?: Name;
  /** Facts of your own in the checkpoint; `loadCheckpoint` gives them back. */
  readonly notes?: Json;
  /** For a metric that does not know. */
  readonly higherIsBetter?: boolean;
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
  return new CheckpointCallback<Monitored<Name>>(options);
}

class CheckpointCallback<V extends object> implements Callback<V> {
  readonly isOutput: boolean = true;
  readonly hears: readonly Heard[] = ['start', 'epoch', 'validated', 'rest', 'stopped'];
  readonly handle: Callback<V>['handle'];
  readonly #options: CheckpointOptions<string>;
  #best: number | null = null;
  #kept: string[] = [];
  /** Step of the last save, and when it was. */
  #savedStep = -1;
  #savedAt = Number.NEGATIVE_INFINITY;
  /** Whether an epoch has ended since the last save. */
  #isEpochOver = false;

  constructor(options: CheckpointOptions<string>) {
    checkOptions('checkpoint', options, [
      ...['folder', 'every', 'seconds', 'atStart', 'keep', 'best', 'notes', 'higherIsBetter'],
    ]);
    this.#options = options;
    const { every = 1, keep = 0 } = options;
    if (!Number.isInteger(every) || every < 1 || !Number.isInteger(keep) || keep < 0) {
      throw new ValueError('checkpoint', `every is ${every} and keep ${keep}: whole numbers, every from 1.`, {
        every,
        keep,
      });
    }
    this.handle = (event, training) => this.#handle(event, training);
  }

  async #handle(event: TrainingEvent<object>, training: Controls): Promise<void> {
    const { folder, every, seconds = 0, best, higherIsBetter } = this.#options;
    if (event.type === 'start') {
      await mkdir(folder, { recursive: true });
      if (best !== undefined) directionOf(training, best, higherIsBetter);
      this.#savedStep = event.step;
      if (this.#options.atStart) await this.#save(event.step, training);
      return;
    }
    const value = best === undefined ? undefined : watched(event, best);
    if (
      best !== undefined &&
      value !== undefined &&
      this.#isBetter(value, directionOf(training, best, higherIsBetter))
    ) {
      this.#best = value;
      await saveModel(join(folder, 'best.safetensors'), training.model);
    }
    if (event.type === 'epoch') this.#isEpochOver = true;
    if (event.type !== 'rest' && event.type !== 'stopped') return;
    if (event.type === 'stopped') {
      // what failed has no state to save
      if (event.why === 'diverged' || event.why === 'error' || event.step === this.#savedStep) return;
    } else {
      const isDue = every === undefined ? this.#isEpochOver : event.step - this.#savedStep >= every;
      if (!isDue || performance.now() - this.#savedAt < 1000 * seconds) return;
    }
    await this.#save(event.step, training);
    [this.#savedStep, this.#savedAt, this.#isEpochOver] = [event.step, performance.now(), false];
  }

  async #save(step: number, { parts }: Controls): Promise<void> {
    const { folder, keep = 0, notes = null } = this.#options;
    const name = `step-${step}.safetensors`;
    if (keep > 0) this.#kept = [...this.#kept.filter((known) => known !== name), name];
    const old = this.#kept.splice(0, Math.max(0, this.#kept.length - keep));
    if (keep > 0) await saveCheckpoint(join(folder, name), parts, { notes });
    // before the run's own file no longer names them: a kill in between would leave them for ever
    for (const file of old) await rm(join(folder, file), { force: true });
    await saveCheckpoint(join(folder, fileName), parts, { notes });
  }

  #isBetter(value: number, higherIsBetter: boolean): boolean {
    if (this.#best === null) return !Number.isNaN(value);
    return higherIsBetter ? value > this.#best : value < this.#best;
  }

  hostState(): unknown {
    return { best: this.#best, kept: [...this.#kept] };
  }

  loadHostState(state: unknown): void {
    const { kept } = Object(state) as { kept?: unknown };
    if (
      !Array.isArray(kept) ||
      !kept.every((name) => typeof name === 'string' && /^step-\d+\.safetensors$/.test(name))
    ) {
      throw new FormatError('checkpoint', 'the saved state does not name the files that were kept.');
    }
    this.#best = numberIn('checkpoint', state, 'best');
    this.#kept = [...kept];
  }
}

/**
 * Brings a training to where the checkpoint in the folder was; false, and nothing is changed, where there is none. Build the
 * training as it was, with the same callbacks: their state is part of it.
 */
export async function resume(training: Pick<Controls, 'parts'>, folder: string): Promise<boolean> {
  const path = join(folder, fileName);
  if (!existsSync(path)) return false;
  await loadCheckpoint(path, training.parts);
  return true;
}

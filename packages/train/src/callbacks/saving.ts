/**
 * When a run is saved while it goes on, and under which names. Every save is of a 'rest', where all state is on the host, so a
 * resumed run makes the same steps, and reads the same values, as one that was not ended. Where the files lie is said by the
 * entries: a folder in Node, the page's storage in a browser.
 */
import { checkOptions, FormatError, type Model, ValueError } from '@nn/core';
import type { CheckpointParts, Json } from '@nn/serialize';
import type { Callback, Controls, Heard, TrainingEvent } from '../events.ts';
import { directionOf, numberIn, watched } from './monitor.ts';

export const checkpointFile = 'checkpoint.safetensors';
export const bestFile = 'best.safetensors';

/** What `checkpoint` does the same in Node and on a page. */
export interface SavingOptions<Name extends string> {
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

/** Where files lie. Whatever ends a save leaves each file as it was, or as it is to be. */
export interface RunStorage {
  /** Before anything is saved. */
  open(): Promise<void>;
  /** The run as `checkpointFile`, and as the copy, if one is named; the old copies are removed before the run no longer names them. */
  saveRun(parts: CheckpointParts, notes: Json, copy: string | null, old: readonly string[]): Promise<void>;
  saveBest(model: Model): Promise<void>;
}

export class CheckpointCallback<V extends object> implements Callback<V> {
  readonly isOutput: boolean = true;
  readonly hears: readonly Heard[] = ['start', 'epoch', 'validated', 'rest', 'stopped'];
  readonly handle: Callback<V>['handle'];
  readonly #storage: RunStorage;
  readonly #options: SavingOptions<string>;
  #best: number | null = null;
  #kept: string[] = [];
  /** Step of the last save, and when it was. */
  #savedStep = -1;
  #savedAt = Number.NEGATIVE_INFINITY;
  /** Whether an epoch has ended since the last save. */
  #isEpochOver = false;

  /** `placed` is the option that says where the storage is. */
  constructor(storage: RunStorage, options: SavingOptions<string>, placed: string) {
    checkOptions('checkpoint', options, [
      ...[placed, 'every', 'seconds', 'atStart', 'keep', 'best', 'notes', 'higherIsBetter'],
    ]);
    [this.#storage, this.#options] = [storage, options];
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
    const { every, seconds = 0, best, higherIsBetter } = this.#options;
    if (event.type === 'start') {
      await this.#storage.open();
      if (best !== undefined) directionOf(training, best, higherIsBetter);
      // a run that begins anew owes nothing to the one before
      if (event.step === 0) [this.#best, this.#kept] = [null, []];
      this.#savedStep = event.step;
      if (this.#options.atStart) await this.#save(event.step, training);
      return;
    }
    const value = best === undefined ? undefined : watched(event, best, training);
    if (
      best !== undefined &&
      value !== undefined &&
      this.#isBetter(value, directionOf(training, best, higherIsBetter))
    ) {
      this.#best = value;
      await this.#storage.saveBest(training.model);
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
    const { keep = 0, notes = null } = this.#options;
    const copy = keep > 0 ? `step-${step}.safetensors` : null;
    if (copy !== null) this.#kept = [...this.#kept.filter((known) => known !== copy), copy];
    const old = this.#kept.splice(0, Math.max(0, this.#kept.length - keep));
    await this.#storage.saveRun(parts, notes, copy, old);
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

/**
 * The loop that both tasks share: epochs and batches, sums of the epoch, progress, the checkpoint that is saved on the way,
 * and the way out by Ctrl-C. It knows no network: a step is the task's. A run that is stopped, even by kill -9, and resumed
 * makes the same steps as one that is not.
 */
import type { Batch, DataArray, DataLoader } from '@nn/data';
import type { CheckpointParts, Json } from '@nn/serialize';
import { Progress } from '@nn/train';
import { restoreRun, saveRun } from './checkpointing.ts';
import { type Context, shownPath } from './context.ts';
import { Failure } from './failure.ts';
import { count } from './format.ts';
import type { TaskName } from './options.ts';

/** Samples with classes. */
export type Fields = { readonly inputs: DataArray; readonly targets: DataArray<Int32Array> };

export interface StepResult {
  /** The mean over the batch. */
  readonly loss: number;
  /** How many samples were told right. */
  readonly correct: number;
}

/** Means over the part of the epoch that is done. */
export interface EpochMeans {
  readonly loss: number;
  /** A share, from 0 to 1. */
  readonly accuracy: number;
}

export interface Plan {
  readonly task: TaskName;
  readonly epochs: number;
  readonly loader: DataLoader<Fields>;
  /** What a checkpoint holds besides the loader. */
  readonly parts: CheckpointParts;
  step(batch: Batch<Fields>): Promise<StepResult>;
  /** Called when `epoch` (from 1) is over. */
  endEpoch(epoch: number, means: EpochMeans): Promise<void> | void;
  /** Drawn over the progress bar. */
  picture?(epoch: number, means: EpochMeans): Promise<readonly string[]>;
  /** The task's own notes in a checkpoint, and what takes them back. */
  notes?(): Json;
  restore?(notes: Json): void;
}

interface Sums {
  loss: number;
  correct: number;
  samples: number;
}

/** Milliseconds between two checkpoints at the ends of epochs, and inside of long ones. */
const betweenSaves = { epochs: 1000, steps: 60_000 };

/**
 * Trains to the end, or until Ctrl-C: then the run is saved and the answer is false. It is saved at the start, too, after
 * epochs, and each minute, so that a run which is ended without a word loses no more than that.
 */
export async function train(plan: Plan, context: Context): Promise<boolean> {
  const { loader, epochs } = plan;
  const { terminal, interrupt } = context;
  const sums: Sums = { loss: 0, correct: 0, samples: 0 };
  const stepsDone = (): number => loader.epoch * loader.length + Math.ceil(loader.position / loader.batchSize);
  const stepsOfAll = (): string => `${count(stepsDone())} of ${count(epochs * loader.length)} steps`;
  if (context.resumed) {
    await resume(plan, context, sums);
    terminal.text(`  Resumed after ${stepsOfAll()}.`);
  }
  let savedAt = Number.NEGATIVE_INFINITY;
  const keep = async (least: number): Promise<void> => {
    if (performance.now() - savedAt < least) return;
    await save(plan, context, sums);
    savedAt = performance.now();
  };
  if (!context.resumed) await keep(0);
  const { signal } = interrupt;
  const progress = new Progress(terminal, epochs * loader.length, stepsDone());
  while (!signal.aborted && loader.epoch < epochs) {
    const epoch = loader.epoch + 1;
    for (const batch of loader) {
      const { loss, correct } = await plan.step(batch);
      sums.loss += loss * batch.count;
      sums.correct += correct;
      sums.samples += batch.count;
      const means = meansOf(sums);
      const picture = plan.picture && (() => plan.picture?.(epoch, means) ?? Promise.resolve([]));
      await progress.update(stepsDone(), facts(epoch, epochs, means), picture);
      if (signal.aborted) break;
      await keep(betweenSaves.steps);
    }
    if (signal.aborted) break;
    await plan.endEpoch(epoch, meansOf(sums));
    Object.assign(sums, { loss: 0, correct: 0, samples: 0 });
    await keep(loader.epoch < epochs ? betweenSaves.epochs : 0);
  }
  terminal.clear();
  if (!signal.aborted) return true;
  terminal.text(`  ${terminal.paint(`Stopped after ${stepsOfAll()}. Saving ...`, 'yellow')}`);
  const path = await save(plan, context, sums);
  terminal.text(`  Saved ${shownPath(path, context)}. Go on with: npm start -- --resume${context.outputOption}`);
  return false;
}

function facts(epoch: number, epochs: number, { loss, accuracy }: EpochMeans): string {
  const all = count(epochs);
  return `epoch ${count(epoch).padStart(all.length)}/${all}  loss ${loss.toFixed(4)}  accuracy ${(100 * accuracy).toFixed(1)} %`;
}

function meansOf({ loss, correct, samples }: Sums): EpochMeans {
  return samples === 0 ? { loss: 0, accuracy: 0 } : { loss: loss / samples, accuracy: correct / samples };
}

function save({ task, parts, loader, notes }: Plan, { settings, output }: Context, sums: Sums): Promise<string> {
  const progress = { sums: { ...sums }, task: notes?.() ?? null };
  return saveRun(output, { ...parts, loader }, { task, settings, progress });
}

async function resume(plan: Plan, context: Context, sums: Sums): Promise<void> {
  const { output, resumed } = context;
  await restoreRun(output, { ...plan.parts, loader: plan.loader });
  const { sums: saved, task } = Object(resumed?.progress) as { sums?: Partial<Sums>; task?: Json };
  const { loss, correct, samples } = saved ?? {};
  if (typeof loss !== 'number' || typeof correct !== 'number' || typeof samples !== 'number') {
    throw new Failure('--resume: the checkpoint lacks the sums of its epoch; start anew without --resume.');
  }
  Object.assign(sums, { loss, correct, samples });
  plan.restore?.(task ?? null);
}

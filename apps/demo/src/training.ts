/**
 * The loop that both tasks share: epochs and batches, sums of the epoch, progress, and the way out by Ctrl-C. It knows no
 * network: a step is the task's. A run that is stopped and resumed makes the same steps as one that is not.
 */
import type { Batch, DataArray, DataLoader } from '@nn/data';
import type { CheckpointParts, Json } from '@nn/serialize';
import { restoreRun, saveRun } from './checkpointing.ts';
import { type Context, shownPath } from './context.ts';
import { Failure } from './failure.ts';
import { count } from './format.ts';
import type { TaskName } from './options.ts';
import { Progress } from './progress.ts';

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

/** Trains to the end, or until Ctrl-C: then the run is saved and the answer is false. */
export async function train(plan: Plan, context: Context): Promise<boolean> {
  const { loader, epochs } = plan;
  const { terminal, interrupt } = context;
  const sums: Sums = { loss: 0, correct: 0, samples: 0 };
  const stepsDone = (): number => loader.epoch * loader.length + Math.ceil(loader.position / loader.batchSize);
  const stepsOfAll = (): string => `${count(stepsDone())} of ${count(epochs * loader.length)} steps`;
  if (context.resumed) {
    await resume(plan, context, sums);
    terminal.line(`  Resumed after ${stepsOfAll()}.`);
  }
  const progress = new Progress(terminal, epochs * loader.length, stepsDone());
  let isStopped = interrupt.isRequested;
  while (!isStopped && loader.epoch < epochs) {
    const epoch = loader.epoch + 1;
    for (const batch of loader) {
      const { loss, correct } = await plan.step(batch);
      sums.loss += loss * batch.count;
      sums.correct += correct;
      sums.samples += batch.count;
      const means = meansOf(sums);
      const picture = plan.picture && (() => plan.picture?.(epoch, means) ?? Promise.resolve([]));
      await progress.update(stepsDone(), facts(epoch, epochs, means), picture);
      isStopped = interrupt.isRequested;
      if (isStopped) break;
    }
    if (isStopped) break;
    await plan.endEpoch(epoch, meansOf(sums));
    Object.assign(sums, { loss: 0, correct: 0, samples: 0 });
  }
  terminal.clear();
  if (isStopped) await save(plan, context, sums, stepsOfAll());
  return !isStopped;
}

function facts(epoch: number, epochs: number, { loss, accuracy }: EpochMeans): string {
  const all = count(epochs);
  return `epoch ${count(epoch).padStart(all.length)}/${all}  loss ${loss.toFixed(4)}  accuracy ${(100 * accuracy).toFixed(1)} %`;
}

function meansOf({ loss, correct, samples }: Sums): EpochMeans {
  return samples === 0 ? { loss: 0, accuracy: 0 } : { loss: loss / samples, accuracy: correct / samples };
}

async function save(plan: Plan, context: Context, sums: Sums, steps: string): Promise<void> {
  const { terminal, settings, output } = context;
  terminal.line(terminal.paint(`  Stopped after ${steps}. Saving ...`, 'yellow'));
  const path = await saveRun(
    output,
    { ...plan.parts, loader: plan.loader },
    { task: plan.task, settings, progress: { sums: { ...sums }, task: plan.notes?.() ?? null } },
  );
  terminal.line(`  Saved ${shownPath(path, context)}. Go on with: npm start -- --resume${context.outputOption}`);
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

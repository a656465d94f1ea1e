/**
 * The values of a model on data that it does not learn from, and its outputs for data, both streamed: no more than one
 * window of losses, sums of metrics and two batches are in memory, however long the data is. For any loop.
 */
import {
  type AbortSignalLike,
  checkOptions,
  evaluate,
  noGradient,
  type Tensor,
  type TensorData,
  untilAborted,
  ValueError,
} from '@nn/core';
import type { Metric } from '@nn/metrics';
import { type Batches, countOf, requireBatches, untilSignal } from './batches.ts';
import type { Metrics, ValuesOf } from './events.ts';
import { LossLog } from './loss-log.ts';
import { meanOfRanks, type Ranks } from './ranks.ts';
import { readWindow, valuesOfEpoch } from './readings.ts';
import { scalar } from './weights.ts';

/** Batches between two reads: sums of float32 stay exact, and 64 losses are one small download. */
const readEvery = 64;

export interface ValidateOptions<M extends Metrics> {
  /** Updated by the step. What they had counted is there again afterwards, read or not. */
  readonly metrics?: M;
  /**
   * Ends it, also while it waits for data: the promise rejects with the signal's reason. In a group it ends all of them, at their
   * next read.
   */
  readonly signal?: AbortSignalLike | undefined;
  /** The processes that look at the data together, each at its part of every batch: the values are those of all. */
  readonly group?: Ranks | undefined;
}

/**
 * The mean loss, and the value of each metric, over all batches, in evaluation mode and without gradients. `step` is the one
 * of the training: it updates the metrics and returns the loss, a scalar. Means are weighted by `batch.count`. A loader that
 * was left in the middle of its epoch begins that epoch again.
 * Throws ValueError where the data gives no batch.
 *
 * @example
 * import { type Tensor, tensor } from '@nn/core';
 * import { Accuracy } from '@nn/metrics';
 * import { validate } from '@nn/train';
 * const accuracy = new Accuracy();
 * const batches = [[0, 1], [1, 1]].map((targets) => ({ logits: tensor([[3, 0], [0, 3]]), targets: tensor(targets) }));
 * const step = ({ logits, targets }: { logits: Tensor; targets: Tensor }) => {
 *   accuracy.update(logits, targets);
 *   return logits.mean();
 * };
 * console.log(await validate(batches, step, { metrics: { accuracy } })); // => { accuracy: 0.75, loss: 1.5 }
 */
export async function validate<B, M extends Metrics = Readonly<Record<never, never>>>(
  data: Batches<B>,
  step: (batch: B) => Tensor,
  options: ValidateOptions<M> = {},
): Promise<ValuesOf<M>> {
  checkOptions('validate', options, ['metrics', 'signal', 'group']);
  requireBatches('validate', 'data', data);
  rewind(data);
  const { signal } = options;
  const group = options.group?.size === 1 ? undefined : options.group;
  // the cast: no metrics are a record of none
  const metrics = options.metrics ?? ({} as M);
  const before = await statesOf(metrics);
  const losses = new LossLog(readEvery);
  for (const [metric] of before) metric.reset();
  let isEmpty = true;
  const collect = async (): Promise<void> => {
    if (group !== undefined) await checkSignals(group, signal);
    await readWindow(metrics, losses, group);
  };
  try {
    for await (const batch of untilSignal(data, group === undefined ? signal : undefined)) {
      isEmpty = false;
      losses.record(scalar(noGradient(() => evaluate(() => step(batch)))));
      losses.count(countOf(batch));
      losses.endStep();
      if (losses.waiting === readEvery) await collect();
    }
    if (isEmpty) {
      throw new ValueError(
        'validate',
        'the data gave no batch: it is empty, or a generator, which ends once; give what can be walked again.',
      );
    }
    if (losses.waiting > 0) await collect();
    const values = await valuesOfEpoch(metrics, losses, group);
    return group === undefined ? values : { ...values, loss: await meanOfRanks(group, losses) };
  } finally {
    for (const [metric, state] of before) {
      metric.reset();
      metric.loadHostState(state);
    }
  }
}

/** Throws on all ranks where the signal of one is aborted. */
async function checkSignals(group: Ranks, signal: AbortSignalLike | undefined): Promise<void> {
  const isAborted = signal?.aborted === true;
  const rank = (await group.allGather(Int32Array.of(isAborted ? 1 : 0))).indexOf(1);
  if (isAborted) signal.throwIfAborted();
  if (rank >= 0) throw new ValueError('validate', `the signal of rank ${rank} of ${group.size} ended it.`, { rank });
}

/** A loader that a loop left in the middle of its epoch (`break`, an abort) would go on there, and the rest would stand for all. */
function rewind(data: object & { readonly rewind?: unknown }): void {
  if (typeof data.rewind === 'function') data.rewind();
}

/** What metrics have counted, those on the device too; their windows go on when it is given back. */
export function statesOf(metrics: Metrics): Promise<(readonly [Metric<unknown>, unknown])[]> {
  return Promise.all(Object.values(metrics).map(async (metric) => [metric, await metric.readState()] as const));
}

/** The output for one batch. */
export interface Prediction<B> {
  readonly batch: B;
  /** Row by row, without padding. */
  readonly data: TensorData;
  /** [samples, ...] */
  readonly shape: readonly number[];
}

export interface PredictOptions {
  /** Ends it, also while it waits for data or the device: the loop throws the signal's reason. */
  readonly signal?: AbortSignalLike | undefined;
}

/**
 * The outputs of `forward` batch by batch, in evaluation mode and without gradients: while one is looked at the next is
 * computed. Rows of padding (past `batch.count`) are left out; a loader that was left in the middle begins its epoch again.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { predict } from '@nn/train';
 * const batches = [tensor([1, 2]), tensor([3])];
 * const outputs = [];
 * for await (const { data } of predict(batches, (x) => x.mul(10))) outputs.push(...data);
 * console.log(outputs); // => [ 10, 20, 30 ]
 */
export async function* predict<B>(
  data: Batches<B>,
  forward: (batch: B) => Tensor,
  options: PredictOptions = {},
): AsyncGenerator<Prediction<B>, void> {
  checkOptions('predict', options, ['signal']);
  requireBatches('predict', 'data', data);
  rewind(data);
  let next: Promise<Prediction<B>> | null = null;
  for await (const batch of untilSignal(data, options.signal)) {
    const before = next;
    next = predictionOf(batch, forward);
    next.catch(() => undefined); // told when it is waited for, which may be never
    if (before !== null) yield await untilAborted(before, options.signal);
  }
  if (next !== null) yield await untilAborted(next, options.signal);
}

async function predictionOf<B>(batch: B, forward: (batch: B) => Tensor): Promise<Prediction<B>> {
  const output = noGradient(() => evaluate(() => forward(batch)));
  const { count } = Object(batch) as { count?: unknown };
  const [rows = 0, ...row] = output.shape;
  const kept = typeof count === 'number' && count < rows ? count : rows;
  const numbers = await output.data();
  const width = row.reduce((product, size) => product * size, 1);
  return { batch, data: numbers.subarray(0, kept * width), shape: [kept, ...row] };
}

/**
 * The values of a model on data that it does not learn from, streamed: no more than one window of losses, sums of metrics
 * and a batch are in memory, however long the data is. For any loop.
 */
import { type AbortSignalLike, checkOptions, evaluate, noGradient, type Tensor, ValueError } from '@nn/core';
import { type Batches, countOf, requireBatches, requireStep, rewind, untilSignal } from './batches.ts';
import type { Metrics, ValuesOf } from './events.ts';
import { LossLog } from './loss-log.ts';
import { requireMetrics, statesOf } from './metric-states.ts';
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
 * Throws ValueError where the data gives no batch, and for a metric that is called 'loss'.
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
  // the cast: no metrics are a record of none
  const metrics = options.metrics ?? ({} as M);
  requireStep('validate', 'step', step);
  requireMetrics('validate', metrics);
  rewind(data);
  const { signal } = options;
  const group = options.group?.size === 1 ? undefined : options.group;
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
    for (const [metric, state] of before) metric.loadHostState(state);
  }
}

/** Throws on all ranks where the signal of one is aborted. */
async function checkSignals(group: Ranks, signal: AbortSignalLike | undefined): Promise<void> {
  const isAborted = signal?.aborted === true;
  const rank = (await group.allGather(Int32Array.of(isAborted ? 1 : 0))).indexOf(1);
  if (isAborted) signal.throwIfAborted();
  if (rank >= 0) throw new ValueError('validate', `the signal of rank ${rank} of ${group.size} ended it.`, { rank });
}

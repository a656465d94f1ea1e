/** The outputs of a model for data, streamed: no more than two batches are in memory, however long the data is. For any loop. */
import {
  type AbortSignalLike,
  checkOptions,
  evaluate,
  isTensor,
  noGradient,
  type Tensor,
  type TensorData,
  untilAborted,
  ValueError,
} from '@nn/core';
import { type Batches, requireBatches, requireStep, rewind, untilSignal } from './batches.ts';
import { whatIs } from './weights.ts';

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
 * Throws ValueError where `forward` gives no tensor [samples, ...].
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
  requireStep('predict', 'forward', forward);
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
  if (!isTensor(output) || output.rank === 0) {
    throw new ValueError('predict', `forward gave ${whatIs(output)}: return one tensor, [samples, ...].`);
  }
  const { count } = Object(batch) as { count?: unknown };
  const [rows = 0, ...row] = output.shape;
  const kept = typeof count === 'number' && count < rows ? count : rows;
  const numbers = await output.data();
  const width = row.reduce((product, size) => product * size, 1);
  return { batch, data: numbers.subarray(0, kept * width), shape: [kept, ...row] };
}

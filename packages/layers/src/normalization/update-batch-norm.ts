/** Running statistics computed anew, for weights that no batch has been through. */
import {
  isTraining,
  type Model,
  noGradient,
  ones,
  type Parameter,
  setTraining,
  type Tensor,
  tensor,
  ValueError,
  walkTree,
  zeros,
} from '@nn/core';
import type { Layer } from '../layer.ts';
import { BatchNorm } from './normalization.ts';

/**
 * Computes the running statistics of all batch normalisations anew, as plain means over the batches: after weights were averaged
 * (SWA) or loaded without them. The model is called in training, without gradients. PyTorch's `optim.swa_utils.update_bn`.
 *
 * What is frozen stays. Batches may come from a loader; `forward` says how the model is called with one. If it fails, the
 * statistics are what they were. Throws ValueError where there is no batch. Returns how many layers it has updated.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { BatchNorm1d, Sequential, updateBatchNorm } from '@nn/layers';
 * const norm = new BatchNorm1d(1);
 * await updateBatchNorm(new Sequential(norm), [tensor([[1], [3]]), tensor([[5], [7]])]);
 * console.log(await norm.runningMean?.array(), await norm.runningVar?.array()); // => [4] [2]
 */
export async function updateBatchNorm(model: Layer, batches: Iterable<Tensor> | AsyncIterable<Tensor>): Promise<number>;
export async function updateBatchNorm<Batch>(
  model: Model,
  batches: Iterable<Batch> | AsyncIterable<Batch>,
  forward: (batch: Batch) => unknown,
): Promise<number>;
export async function updateBatchNorm<Batch>(
  model: Model,
  batches: Iterable<Batch> | AsyncIterable<Batch>,
  forward?: (batch: Batch) => unknown,
): Promise<number> {
  const norms = normsOf(model);
  const call = forward ?? ((batch: Batch): unknown => forwardOf(model)(batch));
  const state = norms.flatMap(statisticsOf);
  const before = await Promise.all(state.map(async (member) => ({ member, values: await member.data() })));
  const momenta = norms.map((norm) => norm.momentum);
  const mode = isTraining();
  let count = 0;
  try {
    for (const norm of norms) {
      norm.momentum = null;
      norm.runningMean?.assign(zeros([norm.channels]));
      norm.runningVar?.assign(ones([norm.channels]));
      norm.numBatchesTracked?.assign(zeros([], { dtype: 'int32' }));
    }
    for await (const batch of batches) {
      setTraining(true);
      try {
        noGradient(() => void call(batch));
      } finally {
        setTraining(mode);
      }
      count++;
      await Promise.all(state.map((member) => member.data()));
    }
    if (count === 0)
      throw new ValueError('updateBatchNorm', 'there were no batches: a loader can be walked through once a call.');
  } catch (error) {
    for (const { member, values } of before) member.assign(tensor(values, { shape: member.shape }));
    throw error;
  } finally {
    for (const [i, norm] of norms.entries()) norm.momentum = momenta[i] ?? null;
  }
  return norms.length;
}

/** The batch normalisations that keep statistics, and may change them. */
function normsOf(model: Model): BatchNorm[] {
  const found = new Set<BatchNorm>();
  walkTree(model, (value) => {
    // a lazy one is inside of its layer
    const norm = 'layer' in value ? value.layer : value;
    for (const candidate of [value, norm]) if (candidate instanceof BatchNorm) found.add(candidate);
    return true;
  });
  return [...found].filter(({ runningMean }) => runningMean !== null && !runningMean.frozen);
}

function statisticsOf({ runningMean, runningVar, numBatchesTracked }: BatchNorm): Parameter[] {
  return [runningMean, runningVar, numBatchesTracked].filter((member) => member !== null);
}

function forwardOf(model: Model): (batch: unknown) => unknown {
  if ('forward' in model && typeof model.forward === 'function') {
    const { forward } = model;
    return (batch) => Reflect.apply(forward, model, [batch]);
  }
  throw new ValueError('updateBatchNorm', 'the model has no forward: say how it is called, as the third argument.');
}

/**
 * A training that several processes make together, each with its part of every batch: what is asked of their group, and how the
 * losses and metrics of all become those of the training. The step of the optimizer itself is `dataParallel` of
 * `@nn/distributed`.
 */
import { type Tensor, tensor, ValueError } from '@nn/core';
import { HostMetric, type ReadOptions } from '@nn/metrics';
import { countOf } from './batches.ts';
import type { Metrics, StepsOptimizer } from './events.ts';
import type { LossLog } from './loss-log.ts';
import type { Stepper } from './step.ts';

/** The processes or threads that train together: a `Group` of `@nn/distributed`. */
export interface Ranks {
  /** Which one this is, from 0. */
  readonly rank: number;
  readonly size: number;
  /** The numbers of all ranks one after the other, as many of each. */
  allGather<V extends Float32Array | Float64Array | Int32Array>(values: V): Promise<V>;
}

/** An optimizer whose steps are those of all ranks: `dataParallel(optimizer, group)`. */
interface RanksOptimizer extends StepsOptimizer {
  /** Resolves with the mean loss over the samples of all ranks. */
  stepOf(count: number, loss: Tensor): Promise<number>;
  /** The samples of all ranks in the last step. */
  readonly samples: number;
  readonly group: Ranks;
}

/** Throws ValueError for what would not be the same on all ranks. */
export function checkRanks(
  group: Ranks,
  optimizer: object,
  metrics: Metrics,
  { compile, readsByClock }: { readonly compile: boolean; readonly readsByClock: boolean },
): RanksOptimizer {
  if (!('stepOf' in optimizer) || (optimizer as Partial<RanksOptimizer>).group !== group) {
    throw new ValueError('Training', 'the optimizer is not of the group: give await dataParallel(optimizer, group).');
  }
  if (compile)
    throw new ValueError(
      'Training',
      'a step of several ranks waits for them and cannot be compiled: leave compile out.',
    );
  if (readsByClock) {
    throw new ValueError(
      'Training',
      'ranks read after the same steps: give readEvery as a number of steps, without milliseconds.',
    );
  }
  const onHost = Object.entries(metrics).find(([, metric]) => metric instanceof HostMetric);
  if (onHost !== undefined) {
    throw new ValueError(
      'Training',
      `the metric ${onHost[0]} counts on the host of each rank: read it by hand and merge those of all.`,
      { metric: onHost[0] },
    );
  }
  // the cast: both were looked for above
  return optimizer as RanksOptimizer;
}

/** Steps on the mean over the samples of all ranks, which is what is recorded. */
export function ranksSteps<B>(step: (batch: B) => Tensor, optimizer: RanksOptimizer, log: LossLog): Stepper<B> {
  return async (group) => {
    const counts = group.map(countOf);
    const own = counts.reduce((sum, count) => sum + count, 0);
    let mean = Number.NaN;
    for (const [at, batch] of group.entries()) {
      const loss = step(batch);
      const share = own === 0 ? 1 / group.length : counts[at]! / own;
      const part = share === 1 ? loss : loss.mul(share);
      if (at < group.length - 1) await optimizer.accumulate(part);
      else mean = await optimizer.stepOf(own, part);
    }
    log.record(tensor(mean));
    log.count(optimizer.samples);
    return optimizer.samples;
  };
}

/** What `read` needs to tell the values of all ranks. */
export function readingOf(group: Ranks | undefined): ReadOptions {
  return group === undefined || group.size === 1 ? {} : { gather: (own) => gather(group, own) };
}

/** The numbers of all ranks, which may have more or fewer. */
async function gather(group: Ranks, own: Float32Array): Promise<Float32Array[]> {
  const lengths = await group.allGather(Int32Array.of(own.length));
  const most = Math.max(...lengths);
  const padded = new Float32Array(most);
  padded.set(own);
  const all = await group.allGather(padded);
  return Array.from(lengths, (length, rank) => all.subarray(rank * most, rank * most + length));
}

/** The mean of all ranks' losses, each weighted by its samples. */
export async function meanOfRanks(group: Ranks, log: LossLog): Promise<number> {
  const all = await group.allGather(Float64Array.of(...log.sums));
  let [total, samples] = [0, 0];
  for (let at = 0; at < all.length; at += 2) {
    total += all[at]!;
    samples += all[at + 1]!;
  }
  return total / samples;
}

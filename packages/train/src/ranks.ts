/**
 * A training that several processes make together, each with its part of every batch: what is asked of their group and of its
 * optimizer, and how the losses of all become those of the training. What ranks say to each other is `dataParallel` of
 * `@nn/distributed`, which only those who train so have in their page.
 */
import { type Tensor, ValueError } from '@nn/core';
import type { ReadOptions } from '@nn/metrics';
import { countOf, sumOf } from './batches.ts';
import { compiledWork, type Work } from './compiled-step.ts';
import type { Ending, StepsOptimizer } from './events.ts';
import type { LossLog } from './loss-log.ts';
import type { Stepper } from './step.ts';

/** What travels between ranks. */
type Numbers = Float32Array | Float64Array | Int32Array;

/** The processes or threads that train together: a `Group` of `@nn/distributed`. */
export interface Ranks {
  /** Which one this is, from 0. */
  readonly rank: number;
  readonly size: number;
  /** The numbers of all ranks one after the other, as many of each. */
  allGather<V extends Numbers>(values: V): Promise<V>;
  /** The lists of numbers of each rank: as many lists on each, which may be longer or shorter. */
  allGatherLists(lists: readonly ArrayLike<number>[]): Promise<readonly (readonly ArrayLike<number>[])[]>;
  /** The sums over all ranks, in place; with `fixed` the same bits on each. */
  allReduce<V extends Numbers>(values: V, reduction: 'sum', options: { readonly fixed: boolean }): Promise<V>;
  /** The values of the rank `root` on all, in place. */
  broadcast<V extends Numbers>(values: V, root: number): Promise<V>;
}

/** What a compiled program made of a loss. */
interface Computed {
  readonly loss: Tensor;
}

/** An optimizer whose steps are those of all ranks: `dataParallel(optimizer, group)`. */
export interface RanksOptimizer extends StepsOptimizer {
  /** Resolves with the mean loss over the samples of all ranks, by what those of each weigh. */
  stepOf(count: { readonly samples: number; readonly weight: number }, loss: Tensor | Computed): Promise<number>;
  accumulate(loss: Tensor | Computed): Promise<void>;
  compileGradients<A extends readonly unknown[]>(lossOf: (...batch: A) => Tensor): (...batch: A) => Promise<Computed>;
  /** Lets all ranks know with the next step that this one wants to stop; then `isRaised` is true on all. */
  raise(): void;
  readonly isRaised: boolean;
  /** The samples of all ranks in the last step. */
  readonly samples: number;
  readonly group: Ranks;
  /** Gives all ranks the mean of their running statistics. */
  averageBuffers(model: object): Promise<void>;
  agreement<Wish extends string>(wishes: readonly Wish[]): Agreement<Wish>;
}

/** What ranks agree on: whether to stop, and how each one's random numbers go on in a run that another process takes up. */
export interface Agreement<Wish extends string = Ending> {
  /** What all do; null while they go on. */
  readonly ending: Wish | null;
  /** All ranks say what they want; the strongest wish counts. */
  meet(wish: Wish | null): Promise<void>;
  hostState(): unknown;
  loadHostState(state: unknown): void;
}

/** Why a rank may want that all stop, the strongest last. */
export const wishes: readonly Ending[] = ['callback', 'aborted'];

/** Throws ValueError for what would not be the same on all ranks. */
export function checkRanks(group: Ranks, optimizer: object, readsByClock: boolean): RanksOptimizer {
  const { agreement, group: own } = optimizer as Partial<RanksOptimizer>;
  if (agreement === undefined || own !== group) {
    throw new ValueError('Training', 'the optimizer is not of the group: give await dataParallel(optimizer, group).');
  }
  if (readsByClock) {
    throw new ValueError('Training', 'ranks read after the same steps: give readEvery without milliseconds.');
  }
  // the cast: of what has a group, `DataParallel` alone makes agreements
  return optimizer as RanksOptimizer;
}

/** Steps on the mean over the samples of all ranks, or by their weights where `weightOf` tells them; that mean is what is recorded. */
export function ranksSteps<B>(
  step: (batch: B) => Tensor,
  optimizer: RanksOptimizer,
  log: LossLog,
  isCompiled: boolean,
  weightOf: ((batch: B) => Tensor) | null,
): Stepper<B> {
  const lossOf = (batch: B, share: number | Tensor): Tensor => {
    const loss = step(batch);
    return share === 1 ? loss : loss.mul(share);
  };
  const run: Work<B, Computed | Promise<Computed> | Tensor> = isCompiled
    ? compiledWork<B, Tensor, Computed>(lossOf, (work) => optimizer.compileGradients(work))
    : lossOf;
  return async (group) => {
    const counts = group.map(countOf);
    const weights = weightOf ? await Promise.all(group.map((batch) => weightOf(batch).item())) : counts;
    const [samples, weight] = [sumOf(counts), sumOf(weights)];
    let mean = Number.NaN;
    for (const [at, batch] of group.entries()) {
      const share = weight === 0 ? 1 / group.length : weights[at]! / weight;
      const isLast = at === group.length - 1;
      // what is computed, or the loss itself
      const found = await run(batch, share, isLast);
      if (isLast) mean = await optimizer.stepOf({ samples, weight }, found);
      else await optimizer.accumulate(found);
    }
    log.note(mean);
    return log.count(optimizer.samples);
  };
}

/** What `read` needs to tell the values of all ranks. */
export function readingOf(group: Ranks | undefined): ReadOptions {
  return group === undefined || group.size === 1 ? {} : { gather: (own) => group.allGatherLists(own) };
}

/** The mean of all ranks' losses, each weighted by its samples. */
export async function meanOfRanks(group: Ranks, log: LossLog): Promise<number> {
  const [total, samples] = await group.allReduce(Float64Array.of(...log.sums), 'sum', { fixed: true });
  return total! / samples!;
}

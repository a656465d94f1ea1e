/**
 * A training that several processes make together, each with its part of every batch: what is asked of their group, and how the
 * losses and metrics of all become those of the training. The step of the optimizer itself is `dataParallel` of
 * `@nn/distributed`.
 */
import {
  namedParameters,
  type Parameter,
  randomState,
  replace,
  setRandomState,
  type Tensor,
  tensor,
  ValueError,
} from '@nn/core';
import type { ReadOptions } from '@nn/metrics';
import { countOf } from './batches.ts';
import { compiledWork } from './compiled-step.ts';
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
  /** Resolves with the mean loss over the samples of all ranks. */
  stepOf(count: number, loss: Tensor | Computed): Promise<number>;
  accumulate(loss: Tensor | Computed): Promise<void>;
  compileGradients<A extends readonly unknown[]>(lossOf: (...batch: A) => Tensor): (...batch: A) => Promise<Computed>;
  /** Lets all ranks know with the next step that this one wants to stop; then `isRaised` is true on all. */
  raise(): void;
  readonly isRaised: boolean;
  /** The samples of all ranks in the last step. */
  readonly samples: number;
  readonly group: Ranks;
}

/** Throws ValueError for what would not be the same on all ranks. */
export function checkRanks(group: Ranks, optimizer: object, readsByClock: boolean): RanksOptimizer {
  const isOfGroup = ['stepOf', 'accumulate', 'compileGradients'].every((name) => name in optimizer);
  if (!isOfGroup || (optimizer as Partial<RanksOptimizer>).group !== group) {
    throw new ValueError('Training', 'the optimizer is not of the group: give await dataParallel(optimizer, group).');
  }
  if (readsByClock) {
    throw new ValueError(
      'Training',
      'ranks read after the same steps: give readEvery as a number of steps, without milliseconds.',
    );
  }
  // the cast: both were looked for above
  return optimizer as RanksOptimizer;
}

/** Steps on the mean over the samples of all ranks, which is what is recorded. */
export function ranksSteps<B>(
  step: (batch: B) => Tensor,
  optimizer: RanksOptimizer,
  log: LossLog,
  isCompiled: boolean,
): Stepper<B> {
  const lossOf = (batch: B, share: number): Tensor => {
    const loss = step(batch);
    return share === 1 ? loss : loss.mul(share);
  };
  const run: (batch: B, share: number, isLast: boolean) => Computed | Promise<Computed> | Tensor = isCompiled
    ? compiledWork<B, Tensor, Computed>(lossOf, (work) => optimizer.compileGradients(work))
    : lossOf;
  return async (group) => {
    const counts = group.map(countOf);
    const own = counts.reduce((sum, count) => sum + count, 0);
    let mean = Number.NaN;
    for (const [at, batch] of group.entries()) {
      const share = own === 0 ? 1 / group.length : counts[at]! / own;
      const isLast = at === group.length - 1;
      const made = run(batch, share, isLast);
      // a promise of what is computed, or the loss itself
      const found = made instanceof Promise ? await made : made;
      if (isLast) mean = await optimizer.stepOf(own, found);
      else await optimizer.accumulate(found);
    }
    log.note(mean);
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

/**
 * Gives all ranks the mean of their buffers (the running statistics of BatchNorm), so that they validate and save one model.
 * Counters, which are whole numbers, stay each rank's own.
 */
export async function averageBuffers(group: Ranks, model: object): Promise<void> {
  const buffers = [...namedParameters(model).values()].filter(({ isBuffer, dtype }) => isBuffer && dtype === 'float32');
  if (group.size === 1 || buffers.length === 0) return;
  const values = await Promise.all(buffers.map((buffer) => buffer.data('float32')));
  // in double precision, so that equal values have themselves as their mean
  const sums = new Float64Array(values.reduce((size, { length }) => size + length, 0));
  let start = 0;
  for (const part of values) {
    sums.set(part, start);
    start += part.length;
  }
  await group.allReduce(sums, 'sum', { fixed: true });
  start = 0;
  const updates = buffers.map((buffer, at): readonly [Parameter, Tensor] => {
    const mean = Float32Array.from(values[at]!, (_, place) => sums[start + place]! / group.size);
    start += mean.length;
    const { shape, backend } = buffer;
    return [buffer, tensor(mean, { shape: [...shape], borrow: true, ...(backend && { backend }) })];
  });
  await replace(updates);
}

const wishes: readonly (Ending | null)[] = [null, 'callback', 'aborted'];

/**
 * What ranks have to agree on beside their numbers: whether to stop, and how each one's random numbers go on in a run that
 * another process takes up.
 */
export class Agreement {
  readonly #group: Ranks;
  /** Seed and counter of each rank's random numbers, as of the last meeting. */
  #random: readonly (readonly number[])[] = [];
  #isLoaded = false;
  /** Why all stop; null while they go on. */
  ending: Ending | null = null;

  constructor(group: Ranks) {
    this.#group = group;
  }

  /** All ranks say what they want; the strongest wish counts. */
  async meet(wish: Ending | null): Promise<void> {
    if (this.#isLoaded) this.#restore();
    const { seed, counter } = randomState();
    const all = await this.#group.allGather(Int32Array.of(wishes.indexOf(wish), seed, counter));
    const rows = Array.from({ length: this.#group.size }, (_, rank) => all.subarray(3 * rank, 3 * rank + 3));
    this.ending = wishes[Math.max(...rows.map(([own]) => own!))] ?? null;
    this.#random = rows.map(([, ...random]) => [...random]);
  }

  /** Each rank goes on with its own numbers; one that was not there before with those of rank 0, from a seed of its own. */
  #restore(): void {
    this.#isLoaded = false;
    const { rank } = this.#group;
    const [seed, counter] = this.#random[rank] ?? this.#random[0]!;
    setRandomState({ seed: (seed! + (this.#random[rank] === undefined ? rank : 0)) | 0, counter: counter! });
  }

  hostState(): unknown {
    return this.#random;
  }

  loadHostState(state: unknown): void {
    const isRandom = (row: unknown): row is number[] =>
      Array.isArray(row) && row.length === 2 && row.every((word) => (word | 0) === word);
    if (!Array.isArray(state) || state.length === 0 || !state.every(isRandom)) return;
    this.#random = state;
    this.#isLoaded = true;
  }
}

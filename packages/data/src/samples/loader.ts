/**
 * Batches of a dataset as tensors, in a seeded order, with a position that a checkpoint can carry.
 * The order of an epoch is a pure function of seed and epoch, so the position is a few numbers and no list; other orders
 * than the dataset's and a shuffled one are a sampler's (`sampling/`).
 * Gathering, normalising and padding are in `batches.ts`.
 */
import type { AbortSignalLike, Backend, Stateful, Tensor } from '@nn/core';
import { checkChoices, checkOptions, randomState, ValueError } from '@nn/core';
import { checkWhole } from '../check-whole.ts';
import { type BatchInfo, BatchTensors } from './batch-tensors.ts';
import type { Padding } from './batches.ts';
import { checkNames, checkPadding, gatherBatch } from './batches.ts';
import { checkDataset, type Dataset, everyIndex, type Fields } from './dataset.ts';
import type { Normalization } from './normalization.ts';
import { checkSeed, isSeed, shuffledOrder } from './random.ts';
import type { EpochPlan, Sampler } from './sampler.ts';

export interface DataLoaderOptions<F extends Fields = Fields> {
  /** Samples in a batch; 32 where not given. */
  readonly batchSize?: number;
  /** A new order each epoch, decided by `seed` and the epoch's number. */
  readonly shuffle?: boolean;
  /** What chooses the samples of an epoch instead, as `weightedSampler` or `lengthSampler` makes it. */
  readonly sampler?: Sampler;
  /**
   * The part of each batch that this process gets, for `count` processes that train one model: batches are cut as for one
   * process, then each into `count` runs of rows. The position is that of all, so that another count can go on.
   */
  readonly slice?: { readonly index: number; readonly count: number };
  /** That of `setSeed` where not given, as it is when the loader is made. */
  readonly seed?: number;
  /** Leaves out a last batch that is smaller than the others. */
  readonly dropLast?: boolean;
  /** Buckets, so that few shapes are compiled; see `Padding`. */
  readonly padTo?: Padding;
  /** What to normalise, by field. */
  readonly normalize?: { readonly [Name in keyof F]?: Normalization };
  /** Where the tensors go; the default backend where not given. */
  readonly backend?: Backend;
  /**
   * Once it is aborted a loop throws the signal's reason in place of its next batch. The position stays, for a checkpoint and
   * for a loader that goes on.
   */
  readonly signal?: AbortSignalLike;
}

/** One tensor for each field, [rows, ...sample], and what `BatchInfo` tells. */
export type Batch<F extends Fields = Fields> = { readonly [Name in keyof F]: Tensor } & BatchInfo;

const known = [
  ...['batchSize', 'shuffle', 'seed', 'dropLast', 'padTo', 'normalize', 'backend', 'sampler', 'slice', 'signal'],
];

/** The position of a loader, as a checkpoint stores it. */
interface LoaderState {
  readonly seed: number;
  readonly shuffle: boolean;
  readonly size: number;
  readonly epoch: number;
  readonly position: number;
  /** The batches of this epoch that were handed out: a sampler's may be empty, so the position alone does not tell. */
  readonly batch: number;
  /** The sampler's signature; null without one. */
  readonly sampler: string | null;
}

/**
 * Walks a dataset in batches; each `for` loop goes to the end of the epoch.
 *
 * Float32 and int32 fields keep their dtype, doubles and bytes (images) become float32. A loop that is left early (`break`, an
 * error) can be taken up: the next loop goes on after the last batch, and so does a run resumed from a checkpoint, in
 * the same order. `rewind()` starts the epoch again. The position counts a batch as soon as it is handed out.
 *
 * @example
 * import { DataLoader, moons } from '@nn/data';
 * const loader = new DataLoader(moons(80), { batchSize: 50, shuffle: true, seed: 1 });
 * const shapes = [];
 * for (const { inputs, targets } of loader) shapes.push([inputs.shape, targets.shape]);
 * console.log(shapes, loader.epoch); // => [ [ [ 50, 2 ], [ 50 ] ], [ [ 30, 2 ], [ 30 ] ] ] 1
 */
export class DataLoader<F extends Fields = Fields> implements Stateful, Iterable<Batch<F>> {
  static readonly name: string = 'DataLoader';

  readonly dataset: Dataset<F>;
  readonly batchSize: number;
  readonly shuffle: boolean;
  private readonly options: DataLoaderOptions<F>;
  private seed: number;
  private currentEpoch = 0;
  private currentPosition = 0;
  private currentBatch = 0;
  /** What was planned last; of `key`, the seed and the epoch. */
  private planned: { readonly key: string; readonly plan: EpochPlan } | undefined;
  private readonly tensors: BatchTensors;
  /** The loop that may go on; an older one that is asked again throws. */
  private running: object | undefined;

  constructor(dataset: Dataset<F>, options: DataLoaderOptions<F> = {}) {
    checkDataset('DataLoader', dataset);
    checkOptions('DataLoader', options, known);
    const { batchSize = 32, shuffle = false } = options;
    checkWhole('DataLoader', { batchSize }, 1, ' of samples');
    checkChoice('DataLoader', dataset.size, options);
    checkChoices('DataLoader', options, { shuffle: [true, false] });
    checkNames('DataLoader', 'normalize', dataset, options.normalize);
    checkNames('DataLoader', 'padTo.values', dataset, options.padTo?.values);
    this.dataset = dataset;
    this.batchSize = batchSize;
    this.shuffle = shuffle;
    this.seed = checkSeed('DataLoader', options.seed ?? randomState().seed);
    this.options = options;
    this.tensors = new BatchTensors('DataLoader', options.backend);
  }

  /** The number of batches in an epoch; in the present one, where a sampler's epochs differ. */
  get length(): number {
    const { order, ends } = this.plan();
    return ends ? ends.length : Math.ceil(this.endOf(order) / this.batchSize);
  }

  /** The number of finished epochs. */
  get epoch(): number {
    return this.currentEpoch;
  }

  /** The number of samples of this epoch that were handed out. */
  get position(): number {
    return this.currentPosition;
  }

  /** Starts the epoch again; with a number, that epoch. */
  rewind(epoch: number = this.currentEpoch): void {
    checkWhole('DataLoader.rewind', { epoch }, 0);
    this.currentEpoch = epoch;
    this.currentPosition = 0;
    this.currentBatch = 0;
    this.running = undefined;
  }

  /** The first batch of the dataset in its own order, to look at or to find shapes; the position stays. */
  peek(): Batch<F> {
    const count = Math.min(this.batchSize, this.dataset.size);
    return this.gather(everyIndex(count), count);
  }

  *[Symbol.iterator](): Iterator<Batch<F>> {
    const loop = {};
    this.running = loop;
    const { order, ends } = this.plan();
    const end = this.endOf(order);
    while (ends ? this.currentBatch < ends.length : this.currentPosition < end) {
      this.options.signal?.throwIfAborted();
      const start = this.currentPosition;
      const stop = ends ? ends[this.currentBatch]! : Math.min(start + this.batchSize, end);
      const [from, to] = boundsOfSlice(stop - start, this.options.slice);
      const batch = this.gather(order.slice(start + from, start + to), stop - start);
      this.currentPosition = stop;
      this.currentBatch++;
      yield batch;
      if (this.running !== loop) {
        throw new ValueError(
          'DataLoader',
          'this loop was overtaken by another loop, a rewind or a restored state; give each loop a loader of its own.',
        );
      }
    }
    this.currentEpoch++;
    this.currentPosition = 0;
    this.currentBatch = 0;
    this.running = undefined;
  }

  hostState(): LoaderState {
    return {
      seed: this.seed,
      shuffle: this.shuffle,
      size: this.dataset.size,
      epoch: this.currentEpoch,
      position: this.currentPosition,
      batch: this.currentBatch,
      sampler: this.options.sampler?.signature ?? null,
    };
  }

  /** Takes the seed and the position from a checkpoint. Throws a `ValueError`, and changes nothing, where it belongs to other data. */
  loadHostState(state: unknown): void {
    if (!isLoaderState(state)) {
      throw new ValueError('DataLoader', 'the state to restore is not that of a loader.', { state });
    }
    if (state.size !== this.dataset.size) {
      throw new ValueError(
        'DataLoader',
        `the state to restore belongs to ${state.size} samples, this dataset has ${this.dataset.size}.`,
        { expected: state.size, actual: this.dataset.size },
      );
    }
    if (state.shuffle !== this.shuffle) {
      throw new ValueError(
        'DataLoader',
        `the state to restore has shuffle ${state.shuffle}, this loader has ${this.shuffle}; they must be equal.`,
        { expected: state.shuffle, actual: this.shuffle },
      );
    }
    const signature = this.options.sampler?.signature ?? null;
    if (state.sampler !== signature) {
      throw new ValueError(
        'DataLoader',
        `the state to restore belongs to ${state.sampler === null ? 'no sampler' : `the sampler ${state.sampler}`}, this loader has ${signature ?? 'none'}; with other weights or lengths it would go on in another order.`,
        { expected: state.sampler, actual: signature },
      );
    }
    const { order, ends } = this.planOf(state.seed, state.epoch);
    const most = ends ? ends.length : order.length;
    // Where a sampler ends batches itself, the place in the order follows from the number of batches.
    const isPlace = ends
      ? state.batch <= most && state.position === (state.batch === 0 ? 0 : ends[state.batch - 1])
      : state.position <= most;
    if (!isPlace) {
      throw new ValueError(
        'DataLoader',
        `the state to restore stands after sample ${state.position}, batch ${state.batch}, where this loader's epoch has no end of a batch; has its batchSize changed?`,
        { position: state.position, batch: state.batch },
      );
    }
    this.seed = state.seed;
    this.currentEpoch = state.epoch;
    this.currentPosition = state.position;
    this.currentBatch = state.batch;
    this.running = undefined;
  }

  /** Where an epoch in this order ends, in samples. */
  private endOf({ length }: Int32Array): number {
    return this.options.dropLast ? length - (length % this.batchSize) : length;
  }

  private plan(): EpochPlan {
    return this.planOf(this.seed, this.currentEpoch);
  }

  private planOf(seed: number, epoch: number): EpochPlan {
    const key = `${seed} ${epoch}`;
    if (this.planned?.key !== key) this.planned = { key, plan: this.makePlan(seed, epoch) };
    return this.planned.plan;
  }

  private makePlan(seed: number, epoch: number): EpochPlan {
    const { size } = this.dataset;
    const { sampler } = this.options;
    if (sampler) return sampler.plan(seed, epoch, this.batchSize);
    if (this.shuffle) return { order: shuffledOrder(size, seed, epoch) };
    return { order: everyIndex(size) };
  }

  private gather(indices: Int32Array, globalCount: number): Batch<F> {
    const { padTo } = this.options;
    const normalize: Record<string, Normalization> = Object.create(null);
    for (const [name, normalization] of Object.entries(this.options.normalize ?? {})) {
      if (normalization) normalize[name] = normalization;
    }
    const arrays = gatherBatch(this.dataset, indices, { normalize, ...(padTo && { padding: padTo }) });
    // The one cast: a tensor was made for each name of F.
    return this.tensors.make(arrays, globalCount) as Batch<F>;
  }
}

/** The rows of a batch that one of several processes gets: runs that differ by one row at most. */
export function boundsOfSlice(rows: number, slice: DataLoaderOptions['slice']): readonly [from: number, to: number] {
  const { index, count } = slice ?? { index: 0, count: 1 };
  return [Math.floor((rows * index) / count), Math.floor((rows * (index + 1)) / count)];
}

/** Throws unless the options that choose among `size` samples fit them and each other. */
export function checkChoice(
  operation: string,
  size: number,
  {
    sampler,
    shuffle,
    dropLast,
    slice,
    padTo,
  }: Pick<DataLoaderOptions, 'sampler' | 'dropLast' | 'slice' | 'padTo'> & { shuffle?: unknown },
): void {
  if (sampler) {
    if (typeof sampler.plan !== 'function' || typeof sampler.signature !== 'string') {
      throw new ValueError(operation, 'sampler must be a Sampler, as weightedSampler(weights) makes it.', {
        sampler,
      });
    }
    if (shuffle) {
      throw new ValueError(operation, 'shuffle and sampler both decide the order; leave shuffle out.', { shuffle });
    }
    if (sampler.size !== size) {
      throw new ValueError(operation, `the sampler was made for ${sampler.size} samples, the dataset has ${size}.`, {
        expected: sampler.size,
        actual: size,
      });
    }
    if (dropLast && sampler.endsBatches) {
      throw new ValueError(
        operation,
        `the sampler ${sampler.signature} makes batches of its own sizes, so there is no smaller last one; leave dropLast out.`,
        { dropLast },
      );
    }
  }
  if (padTo) checkPadding(`${operation}: padTo`, padTo);
  if (!slice) return;
  checkOptions(`${operation}: slice`, slice, ['index', 'count']);
  const { index, count } = slice;
  if (!Number.isInteger(count) || count < 1 || !Number.isInteger(index) || index < 0 || index >= count) {
    throw new ValueError(operation, `slice ${index} of ${count} does not exist; index runs from 0 to count - 1.`, {
      index,
      count,
    });
  }
}

function isLoaderState(state: unknown): state is LoaderState {
  if (typeof state !== 'object' || state === null) return false;
  const { seed, shuffle, size, epoch, position, batch, sampler } = state as Partial<Record<keyof LoaderState, unknown>>;
  const whole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
  return (
    isSeed(seed) &&
    typeof shuffle === 'boolean' &&
    whole(size) &&
    whole(epoch) &&
    whole(position) &&
    whole(batch) &&
    (sampler === null ? position <= size : typeof sampler === 'string')
  );
}

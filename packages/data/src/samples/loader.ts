/**
 * Batches of a dataset as tensors, in a seeded order, with a position that a checkpoint can carry.
 * The order of an epoch is a pure function of seed and epoch, so the position is three numbers and no list.
 * Gathering, normalising and padding are in `batches.ts`.
 */
import type { Backend, Shape, Stateful, Tensor } from '@nn/core';
import { checkOptions, randomState, realmTag, tensor, ValueError } from '@nn/core';
import type { Padding } from './batches.ts';
import { gatherBatch } from './batches.ts';
import type { Elements } from './dataset.ts';
import { checkDataset, type Dataset, elementCount, type Fields } from './dataset.ts';
import type { Normalization } from './normalization.ts';
import { checkSeed, isSeed, shuffledOrder } from './random.ts';

export interface DataLoaderOptions<F extends Fields = Fields> {
  /** Samples in a batch; 32 where not given. */
  readonly batchSize?: number;
  /** A new order each epoch, decided by `seed` and the epoch's number. */
  readonly shuffle?: boolean;
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
}

/** What every batch tells beside its fields. */
export interface BatchInfo {
  /** The number of samples that are not padding. */
  readonly count: number;
  /** 1 for samples, 0 for padded rows: float32 [rows]. */
  readonly mask: Tensor;
  /** For each field of sequences, the steps that are not padding: int32 [rows]. */
  readonly lengths: Readonly<Record<string, Tensor>>;
  /** Where in the dataset the samples stand. */
  readonly indices: Int32Array;
}

/** One tensor for each field, [rows, ...sample], and what `BatchInfo` tells. */
export type Batch<F extends Fields = Fields> = { readonly [Name in keyof F]: Tensor } & BatchInfo;

/** The position of a loader, as a checkpoint stores it. */
interface LoaderState {
  readonly seed: number;
  readonly shuffle: boolean;
  readonly size: number;
  readonly epoch: number;
  readonly position: number;
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
  readonly dataset: Dataset<F>;
  readonly batchSize: number;
  readonly shuffle: boolean;
  private readonly options: DataLoaderOptions<F>;
  private seed: number;
  private currentEpoch = 0;
  private currentPosition = 0;
  /** Fields whose lost digits were told. */
  private readonly warned = new Set<string>();
  /** The loop that may go on; an older one that is asked again throws. */
  private running: object | undefined;

  constructor(dataset: Dataset<F>, options: DataLoaderOptions<F> = {}) {
    checkDataset('DataLoader', dataset);
    const known = ['batchSize', 'shuffle', 'seed', 'dropLast', 'padTo', 'normalize', 'backend'];
    checkOptions('DataLoader', options, known);
    const { batchSize = 32, shuffle = false } = options;
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new ValueError(`DataLoader: batchSize ${batchSize} is not a whole number of samples, 1 or more.`, {
        batchSize,
      });
    }
    for (const name of Object.keys(options.normalize ?? {})) {
      if (!Object.hasOwn(dataset.fields, name)) {
        throw new ValueError(
          `DataLoader: normalize names '${name}', the dataset has ${Object.keys(dataset.fields).join(', ')}.`,
          { name },
        );
      }
    }
    this.dataset = dataset;
    this.batchSize = batchSize;
    this.shuffle = shuffle;
    this.seed = checkSeed('DataLoader', options.seed ?? randomState().seed);
    this.options = options;
  }

  /** The number of batches in an epoch. */
  get length(): number {
    return Math.ceil(this.end / this.batchSize);
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
    if (!Number.isInteger(epoch) || epoch < 0) {
      throw new ValueError(`DataLoader.rewind: epoch ${epoch} is not a whole number, 0 or more.`, { epoch });
    }
    this.currentEpoch = epoch;
    this.currentPosition = 0;
    this.running = undefined;
  }

  /** The first batch of the dataset in its own order, to look at or to find shapes; the position stays. */
  peek(): Batch<F> {
    const count = Math.min(this.batchSize, this.dataset.size);
    return this.gather(Int32Array.from({ length: count }, (_, i) => i));
  }

  *[Symbol.iterator](): Iterator<Batch<F>> {
    const loop = {};
    this.running = loop;
    const order = this.order();
    while (this.currentPosition < this.end) {
      const start = this.currentPosition;
      const stop = Math.min(start + this.batchSize, this.end);
      const batch = this.gather(order.slice(start, stop));
      this.currentPosition = stop;
      yield batch;
      if (this.running !== loop) {
        throw new ValueError(
          'DataLoader: this loop was overtaken by another loop, a rewind or a restored state; give each loop a loader of its own.',
        );
      }
    }
    this.currentEpoch++;
    this.currentPosition = 0;
    this.running = undefined;
  }

  hostState(): { seed: number; shuffle: boolean; size: number; epoch: number; position: number } {
    return {
      seed: this.seed,
      shuffle: this.shuffle,
      size: this.dataset.size,
      epoch: this.currentEpoch,
      position: this.currentPosition,
    };
  }

  /** Takes the seed and the position from a checkpoint. Throws a `ValueError`, and changes nothing, where it belongs to other data. */
  loadHostState(state: unknown): void {
    if (!isLoaderState(state)) {
      throw new ValueError('DataLoader: the state to restore is not that of a loader.', { state });
    }
    if (state.size !== this.dataset.size) {
      throw new ValueError(
        `DataLoader: the state to restore belongs to ${state.size} samples, this dataset has ${this.dataset.size}.`,
        { expected: state.size, actual: this.dataset.size },
      );
    }
    if (state.shuffle !== this.shuffle) {
      throw new ValueError(
        `DataLoader: the state to restore has shuffle ${state.shuffle}, this loader has ${this.shuffle}; they must be equal.`,
        { expected: state.shuffle, actual: this.shuffle },
      );
    }
    this.seed = state.seed;
    this.currentEpoch = state.epoch;
    this.currentPosition = state.position;
    this.running = undefined;
  }

  /** Where the epoch ends, in samples. */
  private get end(): number {
    const { size } = this.dataset;
    return this.options.dropLast ? size - (size % this.batchSize) : size;
  }

  private order(): Int32Array {
    const { size } = this.dataset;
    if (this.shuffle) return shuffledOrder(size, this.seed, this.currentEpoch);
    return Int32Array.from({ length: size }, (_, i) => i);
  }

  /** Warns once where samples that differ as doubles are equal as float32, as times in milliseconds are. */
  private checkDigits(name: string, data: Elements, shape: Shape): void {
    const width = elementCount(shape, 1);
    for (let i = width; i < data.length; i++) {
      const [a, b] = [data[i - width]!, data[i]!];
      // Differences of the last bits are noise of arithmetic, not digits.
      if (Math.fround(a) !== Math.fround(b) || Math.abs(a - b) <= Math.abs(a) * 2 ** -44) continue;
      this.warned.add(name);
      console.warn(
        `DataLoader: '${name}' holds ${a} and ${b}, which are one number as float32: normalise them first, as normalize: { ${name}: fitNormalization(train.fields.${name}) }.`,
      );
      return;
    }
  }

  private gather(indices: Int32Array): Batch<F> {
    const { padTo, backend } = this.options;
    const normalize: Record<string, Normalization> = Object.create(null);
    for (const [name, normalization] of Object.entries(this.options.normalize ?? {})) {
      if (normalization) normalize[name] = normalization;
    }
    const arrays = gatherBatch(this.dataset, indices, { normalize, ...(padTo && { padding: padTo }) });
    const place = backend ? { backend, borrow: true } : { borrow: true };
    const fields: Record<string, Tensor> = Object.create(null);
    for (const [name, { data, shape }] of Object.entries(arrays.arrays)) {
      const kind = realmTag(data);
      if (kind === 'Float64Array' && !this.warned.has(name)) this.checkDigits(name, data, shape);
      const numbers = kind === 'Float32Array' || kind === 'Int32Array' ? data : Float32Array.from(data);
      fields[name] = tensor(numbers, { shape, ...place });
    }
    const lengths: Record<string, Tensor> = Object.create(null);
    for (const [name, data] of Object.entries(arrays.lengths)) {
      lengths[name] = tensor(data, { shape: [data.length], ...place });
    }
    const info: BatchInfo = {
      count: arrays.count,
      mask: tensor(arrays.mask, { shape: [arrays.mask.length], ...place }),
      lengths,
      indices: arrays.indices,
    };
    // The one cast: the loop above made a tensor for each name of F.
    return { ...fields, ...info } as Batch<F>;
  }
}

function isLoaderState(state: unknown): state is LoaderState {
  if (typeof state !== 'object' || state === null) return false;
  const { seed, shuffle, size, epoch, position } = state as Partial<Record<keyof LoaderState, unknown>>;
  const whole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
  return (
    isSeed(seed) && typeof shuffle === 'boolean' && whole(size) && whole(epoch) && whole(position) && position <= size
  );
}

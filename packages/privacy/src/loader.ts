/**
 * Batches as the proof of DP-SGD wants them: every sample is in each batch by a coin of its own, so sizes differ, and some
 * are empty. They are padded to one of a few sizes, so that few programs serve all. Owns which samples come; the accounting
 * takes the rate from here.
 */
import { type Backend, checkOptions, randomState, type Stateful, type Tensor, tensor, ValueError } from '@nn/core';
import { type BatchInfo, type Dataset, type Fields, gatherBatch, type Normalization } from '@nn/data';
import { CryptographicNumbers, numbersOf, type RandomSource } from './cryptographic.ts';

export interface PoissonLoaderOptions {
  /** How many samples a batch has on average: each is in it with chance batchSize / dataset.size. Default 32. */
  readonly batchSize?: number;
  /**
   * Rows of a batch, the rest being padding. Where more samples are drawn the batch has a step more of rows, sqrt(batchSize) in
   * multiples of 8, or several; none is left out. Default batchSize + sqrt(batchSize), in multiples of 8: one batch in six has more, and
   * two or three sizes are in use. A larger one pads more and compiles less.
   */
  readonly capacity?: number;
  /** Steps that sequences are padded to; required where a field holds sequences. */
  readonly length?: number;
  /** Of the coins, where they are `seeded`. Default: the seed of `setSeed`. */
  readonly seed?: number;
  /** Default 'seeded'. What is to be private in earnest needs 'cryptographic'. */
  readonly random?: RandomSource;
  /** For fields of numbers, as `DataLoader` takes them. */
  readonly normalize?: Readonly<Record<string, Normalization>>;
  readonly backend?: Backend;
}

/** A batch: the tensors of the fields, [capacity, ...] each, and what `DataLoader` tells beside them. */
export type PrivateBatch<F extends Fields = Fields> = { readonly [Name in keyof F]: Tensor } & BatchInfo;

/** Which loader drew a batch. */
const origins = new WeakMap<object, PoissonLoader>();
const stream = 0x1a000000;

/**
 * Draws Poisson batches: each of the samples with the same chance, on its own, batch after batch. An epoch, one `for` loop,
 * is ceil(size / batchSize) batches, in which a sample may come often or not at all.
 *
 * `PrivateOptimizer` takes batches of this loader only. Throws ValueError for sizes that do not fit. (Abadi et al. 2016.)
 *
 * @example
 * import { moons } from '@nn/data';
 * import { PoissonLoader } from '@nn/privacy';
 * const loader = new PoissonLoader(moons(1000), { batchSize: 50, seed: 1 });
 * const counts = [];
 * for (const { inputs, count } of loader) counts.push([inputs.shape[0], count > 20 && count < 80]);
 * console.log(loader.sampleRate, counts.length, counts[0]); // => 0.05 20 [ 64, true ]
 */
export class PoissonLoader<F extends Fields = Fields> implements Stateful, Iterable<PrivateBatch<F>> {
  static readonly name: string = 'PoissonLoader';

  readonly batchSize: number;
  readonly capacity: number;
  /** The chance of each sample to be in a batch. */
  readonly sampleRate: number;
  readonly random: RandomSource;
  /** Rows that a batch gets more, where it must. */
  readonly #step: number;
  readonly #dataset: Dataset<F>;
  readonly #options: PoissonLoaderOptions;
  readonly #seed: number;
  readonly #secret = new CryptographicNumbers();
  #drawn = 0;

  constructor(dataset: Dataset<F>, options: PoissonLoaderOptions = {}) {
    const known = ['batchSize', 'capacity', 'length', 'seed', 'random', 'normalize', 'backend'];
    checkOptions('PoissonLoader', options, known);
    const { batchSize = 32, random = 'seeded', seed = randomState().seed } = options;
    if (!(batchSize > 0 && batchSize <= dataset.size)) {
      throw new ValueError(
        'PoissonLoader',
        `batchSize is ${batchSize}: it must be above 0 and at most ${dataset.size}, the samples.`,
        { batchSize, size: dataset.size },
      );
    }
    const step = Math.ceil(Math.sqrt(batchSize) / 8) * 8;
    const usual = Math.min(dataset.size, Math.ceil((batchSize + Math.sqrt(batchSize)) / 8) * 8);
    const { capacity = usual } = options;
    if (!(Number.isInteger(capacity) && capacity >= 1)) {
      throw new ValueError('PoissonLoader', `capacity is ${capacity}: it must be a whole number from 1.`, { capacity });
    }
    if (random !== 'seeded' && random !== 'cryptographic') {
      throw new ValueError('PoissonLoader', `random is '${random}': it must be 'seeded' or 'cryptographic'.`, {
        random,
      });
    }
    const sequences = Object.entries(dataset.fields).find(([, field]) => 'offsets' in field);
    if (sequences !== undefined && options.length === undefined) {
      throw new ValueError(
        'PoissonLoader',
        `'${sequences[0]}' holds sequences, whose longest would tell who is in a batch: give the length that all are padded to.`,
        { field: sequences[0] },
      );
    }
    this.batchSize = batchSize;
    this.capacity = capacity;
    this.#step = step;
    this.sampleRate = batchSize / dataset.size;
    this.random = random;
    this.#dataset = dataset;
    this.#options = options;
    this.#seed = seed;
  }

  /** Batches of an epoch. */
  get length(): number {
    return Math.ceil(this.#dataset.size / this.batchSize);
  }

  /** The number of samples that batches are drawn from. */
  get size(): number {
    return this.#dataset.size;
  }

  *[Symbol.iterator](): Iterator<PrivateBatch<F>> {
    for (let batch = 0; batch < this.length; batch++) yield this.draw();
  }

  /** The next batch, for loops that count steps and not epochs. */
  draw(): PrivateBatch<F> {
    const indices = this.#choose();
    const { length, normalize, backend } = this.#options;
    let rows = this.capacity;
    while (rows < indices.length) rows += this.#step;
    const gathered = gatherBatch(this.#dataset, indices, {
      padding: { samples: rows, ...(length !== undefined && { length }) },
      ...(normalize && { normalize }),
    });
    const place = backend === undefined ? {} : { backend };
    const fields: Record<string, Tensor> = {};
    for (const [name, { data, shape }] of Object.entries(gathered.arrays)) {
      const isKept = data instanceof Float32Array || data instanceof Int32Array;
      fields[name] = tensor(isKept ? data : Float32Array.from(data), { shape, ...place });
    }
    const lengths = Object.entries(gathered.lengths).map(([name, data]) => [name, tensor(data, place)] as const);
    const batch = {
      ...fields,
      count: gathered.count,
      globalCount: gathered.count,
      mask: tensor(gathered.mask, place),
      lengths: Object.fromEntries(lengths),
      indices,
    } as PrivateBatch<F>; // the cast: a tensor was made for each name of F
    origins.set(batch, this);
    return batch;
  }

  hostState(): { readonly drawn: number } {
    return { drawn: this.#drawn };
  }

  loadHostState(state: unknown): void {
    const drawn = typeof state === 'object' && state !== null && 'drawn' in state ? state.drawn : undefined;
    if (typeof drawn !== 'number' || !Number.isInteger(drawn) || drawn < 0) {
      throw new ValueError('PoissonLoader', 'the state to restore is not that of a loader of Poisson batches.', {
        state,
      });
    }
    this.#drawn = drawn;
  }

  /** A coin for each sample, by the gaps between chosen ones, which are geometric: floor(ln u / ln(1 - rate)). */
  #choose(): Int32Array {
    const numbers =
      this.random === 'cryptographic' ? this.#secret : numbersOf('seeded', this.#seed, stream + this.#drawn);
    this.#drawn++;
    const scale = Math.log1p(-this.sampleRate); // with rate 1, minus infinity, and every gap is 0
    const chosen: number[] = [];
    for (let index = -1; ; ) {
      index += 1 + Math.floor(Math.log(1 - numbers.fraction()) / scale);
      if (!(index < this.#dataset.size)) return Int32Array.from(chosen);
      chosen.push(index);
    }
  }
}

export function isPoissonLoader(value: unknown): value is PoissonLoader {
  return value instanceof PoissonLoader;
}

/** The loader that drew a batch, which from now on counts as used; throws ValueError for other batches, and used ones. */
export function takeBatch(operation: string, batch: object): PoissonLoader {
  const loader = originOf(operation, batch);
  origins.delete(batch);
  used.add(batch);
  return loader;
}

const used = new WeakSet<object>();

export function originOf(operation: string, batch: object): PoissonLoader {
  const loader = origins.get(batch);
  if (loader !== undefined) return loader;
  throw new ValueError(
    operation,
    used.has(batch)
      ? 'the batch was used in a step before, and the accounting holds for fresh ones: draw the next.'
      : 'the batch was not drawn by a PoissonLoader, so no epsilon can be proved for it: loop over new PoissonLoader(dataset, { batchSize }) and pass its batches as they are.',
  );
}

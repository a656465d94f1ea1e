/**
 * Batches of a pipeline: the place in the epoch, what is fetched ahead, and the rows that become a batch. Like a `DataLoader` it
 * goes on where a loop or a checkpoint left off; unlike it, it waits for its samples. What it is told is `batch-options.ts`, the order
 * `order.ts`, chunks come from `feeds.ts`, tensors from `samples/batch-tensors.ts`.
 */
import { randomState, type Stateful, type Tensor, untilAborted, ValueError } from '@nn/core';
import { checkWhole } from '../check-whole.ts';
import { type BatchInfo, BatchTensors } from '../samples/batch-tensors.ts';
import { checkNames, gatherBatch } from '../samples/batches.ts';
import { Dataset, everyIndex } from '../samples/dataset.ts';
import { boundsOfSlice } from '../samples/loader.ts';
import type { Normalization } from '../samples/normalization.ts';
import { checkSeed } from '../samples/random.ts';
import { type BatchOptions, checkBatchOptions, isPlain } from './batch-options.ts';
import { runChunk, type Work } from './chunk.ts';
import type { CollateOptions } from './collate.ts';
import { beginning, type Cursor, type Feed, indexedFeed, type Span, streamFeed } from './feeds.ts';
import { type EpochOrder, orderOf } from './order.ts';
import { Packer, packedBatch, packedFields, stepsOf } from './packing.ts';
import { RowBuffer } from './rows.ts';
import { isStream, type Sample } from './source.ts';
import { isPipelineState, type PipelineState } from './state.ts';
import { type WorkerOptions, WorkerPool } from './workers.ts';

/** A tensor for each field of a sample, and what `BatchInfo` tells; packed ones also have `segments` and `positions`. */
export type PipelineBatch<S extends Sample = Sample> = { readonly [Name in keyof S]: Tensor } & BatchInfo & {
    readonly segments?: Tensor;
    readonly positions?: Tensor;
  };

/** Milliseconds that workers stay when a loop was left: more than they take to start. */
const grace = 1000;

/** Ends the workers of pipelines that nobody holds any more. */
const forgotten = /* @__PURE__ */ new FinalizationRegistry<WorkerPool>((pool) => pool.close());

/** Batches that are waited for: `for await` walks to the end of the epoch. `DataPipeline.batch` makes it. */
export class BatchPipeline<S extends Sample = Sample> implements Stateful, AsyncIterable<PipelineBatch<S>> {
  static readonly name: string = 'BatchPipeline';

  readonly batchSize: number;
  readonly #work: Work;
  readonly #options: BatchOptions<S>;
  readonly #collate: CollateOptions;
  readonly #tensors: BatchTensors;
  /** Whether a batch has as many rows as positions. */
  readonly #isPlain: boolean;
  #pool: WorkerPool | null = null;
  /** Set while nothing is asked of the workers and they are about to end. */
  #ending: ReturnType<typeof setTimeout> | undefined;
  #seed: number;
  #epoch = 0;
  #batch = 0;
  #cursor: Cursor = beginning;
  #planned: { readonly key: string; readonly order: EpochOrder } | undefined;
  /** The loop that may go on; an older one that is asked again throws. */
  #running: object | undefined;

  constructor(work: Work, batchSize: number, options: BatchOptions<S> = {}) {
    checkBatchOptions(work, batchSize, options);
    const { dtypes = {}, sequences = [] } = options;
    this.batchSize = batchSize;
    this.#work = work;
    this.#options = options;
    this.#isPlain = isPlain(work, options);
    this.#collate = { dtypes: withoutUndefined(dtypes), sequences };
    this.#tensors = new BatchTensors('DataPipeline.batch', options.backend);
    this.#seed = checkSeed('DataPipeline.batch', options.seed ?? randomState().seed);
  }

  /** The number of batches in an epoch; null where it cannot be known: streams, filter, pack. */
  get length(): number | null {
    if (!this.#isPlain) return null;
    const order = this.#order();
    return order.ends ? order.ends.length : Math.ceil(this.#endOf(order) / this.batchSize);
  }

  /** The number of finished epochs. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The number of samples of this epoch behind it; filtered ones count. */
  get position(): number {
    return this.#cursor.position;
  }

  /** Starts the epoch again; with a number, that epoch. */
  rewind(epoch: number = this.#epoch): void {
    checkWhole('BatchPipeline.rewind', { epoch }, 0);
    this.#go(epoch, 0, beginning);
  }

  /** The first batch of the epoch, to look at or to find shapes; the position stays. Throws where there is none. */
  async peek(): Promise<PipelineBatch<S>> {
    const feed = this.#feed(beginning, 0, 0);
    try {
      const next = await this.#next(new RowBuffer(feed), beginning, 0);
      if (next) return next.batch;
      throw new ValueError('BatchPipeline.peek', 'the pipeline gives no sample.');
    } finally {
      await feed.close();
    }
  }

  /** Ends the workers; a further loop starts others. They also end with the process. */
  close(): void {
    clearTimeout(this.#ending);
    forgotten.unregister(this);
    this.#pool?.close();
    this.#pool = null;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<PipelineBatch<S>, void> {
    const loop = {};
    this.#running = loop;
    const { signal, prefetch = 2 } = this.#options;
    const feed = this.#feed(this.#cursor, this.#batch, prefetch);
    const rows = new RowBuffer(feed);
    let isOver = false;
    try {
      for (;;) {
        signal?.throwIfAborted();
        const next = await untilAborted(this.#next(rows, this.#cursor, this.#batch), signal);
        this.#checkLoop(loop);
        isOver = next === null;
        if (next === null) break;
        this.#cursor = next.end;
        this.#batch++;
        yield next.batch;
        this.#checkLoop(loop);
      }
    } finally {
      // One that was overtaken has left the workers to another.
      if (this.#running === loop && !isOver) this.#leave();
      const closing = feed.close();
      // What waits for ever cannot be closed, and an abort must not wait for it.
      if (signal?.aborted) closing.catch(() => undefined);
      else await closing;
    }
    this.#go(this.#epoch + 1, 0, beginning);
  }

  hostState(): PipelineState {
    const { shuffle = false, window = 0, sampler } = this.#options;
    const { source } = this.#work;
    return {
      seed: this.#seed,
      shuffle: String(shuffle),
      window,
      size: isStream(source) ? null : source.length,
      shards: isStream(source) ? source.shards : null,
      sampler: sampler?.signature ?? null,
      epoch: this.#epoch,
      batch: this.#batch,
      ...this.#cursor,
    };
  }

  /** Takes the seed and the place from a checkpoint. Throws a `ValueError`, and changes nothing, where it belongs to other data. */
  loadHostState(state: unknown): void {
    if (!isPipelineState(state)) {
      throw new ValueError('BatchPipeline', 'the state to restore is not that of a pipeline.', { state });
    }
    const own = this.hostState();
    for (const name of ['size', 'shards', 'shuffle', 'window', 'sampler'] as const) {
      if (state[name] === own[name]) continue;
      throw new ValueError(
        'BatchPipeline',
        `the state to restore has the ${name} ${state[name]}, this pipeline has ${own[name]}; they must be equal.`,
        { expected: state[name], actual: own[name] },
      );
    }
    const { seed, epoch, batch, position, shard, record, within } = state;
    if (own.size !== null) {
      const order = this.#order(seed, epoch);
      const isPlace = order.ends
        ? batch <= order.ends.length && position === (batch === 0 ? 0 : order.ends[batch - 1])
        : position <= order.length;
      if (!isPlace) {
        throw new ValueError(
          'BatchPipeline',
          `the state to restore stands after sample ${position}, batch ${batch}, where this pipeline's epoch has no end of a batch.`,
          { position, batch },
        );
      }
    }
    this.#seed = seed;
    this.#go(epoch, batch, { position, shard, record, within });
  }

  #go(epoch: number, batch: number, cursor: Cursor): void {
    this.#epoch = epoch;
    this.#batch = batch;
    this.#cursor = cursor;
    this.#running = undefined;
  }

  #checkLoop(loop: object): void {
    if (this.#running === loop) return;
    throw new ValueError(
      'BatchPipeline',
      'this loop was overtaken by another loop, a rewind or a restored state; give each loop batches of its own.',
    );
  }

  #order(seed = this.#seed, epoch = this.#epoch): EpochOrder {
    const { source } = this.#work;
    if (isStream(source)) throw new ValueError('BatchPipeline', 'a stream has no order.');
    const key = `${seed} ${epoch}`;
    if (this.#planned?.key !== key) {
      const { shuffle = false, window = 8, sampler } = this.#options;
      this.#planned = { key, order: orderOf(source, { shuffle, window, sampler }, seed, epoch, this.batchSize) };
    }
    return this.#planned.order;
  }

  /** Where an epoch in this order ends, in samples. */
  #endOf({ length }: EpochOrder): number {
    return this.#options.dropLast && this.#isPlain ? length - (length % this.batchSize) : length;
  }

  #feed(from: Cursor, batch: number, ahead: number): Feed {
    const { shuffle = false, window = 10_000, workers } = this.#options;
    const pool = workers ? this.#workers(workers) : null;
    const run = pool ? pool.run.bind(pool) : runChunk.bind(null, this.#work);
    const common = { seed: this.#seed, epoch: this.#epoch, ahead, collate: this.#collate, run };
    const { source } = this.#work;
    if (isStream(source)) {
      return streamFeed(source, { ...common, from, window, chunkSize: this.batchSize, shuffle: shuffle !== false });
    }
    const order = this.#order();
    return indexedFeed(order, this.#spans(order, from.position, batch), common);
  }

  /** Ends the workers soon: a loop that goes on in no time, as one over some steps at a time, need not wait for others. */
  #leave(): void {
    if (this.#pool === null) return;
    this.#ending = setTimeout(() => this.close(), grace);
    // Node's: it keeps no process alive.
    (this.#ending as { unref?(): void }).unref?.();
  }

  #workers(options: WorkerOptions): WorkerPool {
    clearTimeout(this.#ending);
    if (this.#pool === null) {
      this.#pool = new WorkerPool(this.#work, options);
      forgotten.register(this, this.#pool, this);
    }
    return this.#pool;
  }

  /** The positions of each batch, or of chunks of that size where rows may be left out. */
  *#spans(order: EpochOrder, from: number, batch: number): Generator<Span, void> {
    const end = this.#endOf(order);
    for (let position = from, number = batch; order.ends ? number < order.ends.length : position < end; number++) {
      const stop = this.#stopOf(order, position, number);
      const [first, last] = boundsOfSlice(stop - position, this.#options.slice);
      yield { from: position + first, to: position + last };
      position = stop;
    }
  }

  #stopOf(order: EpochOrder, position: number, batch: number): number {
    return order.ends ? order.ends[batch]! : Math.min(position + this.batchSize, this.#endOf(order));
  }

  /** The next batch and the place behind it; null at the end of the epoch. */
  async #next(
    rows: RowBuffer,
    from: Cursor,
    batch: number,
  ): Promise<{ readonly batch: PipelineBatch<S>; readonly end: Cursor } | null> {
    if (this.#options.pack) return this.#nextPacked(rows, this.#options.pack.length);
    if (!this.#isPlain) {
      await rows.fill(this.batchSize);
      const count = Math.min(rows.count, this.batchSize);
      if (count === 0 || (this.#options.dropLast && count < this.batchSize)) return null;
      return this.#gathered(rows, count, count);
    }
    const order = this.#order();
    if (order.ends ? batch >= order.ends.length : from.position >= this.#endOf(order)) return null;
    const stop = this.#stopOf(order, from.position, batch);
    const [first, last] = boundsOfSlice(stop - from.position, this.#options.slice);
    await rows.fill(last - first);
    const whole = stop - from.position;
    const made = last > first ? this.#gathered(rows, last - first, whole) : await this.#empty(whole);
    return { batch: made.batch, end: { ...beginning, position: stop } };
  }

  #gathered(rows: RowBuffer, count: number, globalCount: number) {
    const { columns, indices, end } = rows.take(count);
    const { padTo } = this.#options;
    const samples = new Dataset(columns);
    checkNames('DataPipeline.batch', 'normalize', samples, this.#options.normalize);
    checkNames('DataPipeline.batch', 'padTo.values', samples, padTo?.values);
    const arrays = gatherBatch(samples, everyIndex(count), {
      normalize: this.#normalize(),
      ...(padTo && { padding: padTo }),
    });
    // The one cast: the columns are the fields of S, which collate saw in every sample.
    const batch = this.#tensors.make({ ...arrays, indices }, globalCount) as PipelineBatch<S>;
    return { batch, end };
  }

  /** A batch without rows, as a sampler may draw one: its shapes are those of another sample. */
  async #empty(globalCount: number) {
    const request = { seed: this.#seed, epoch: this.#epoch, positions: [0], indices: [0], collate: this.#collate };
    const { columns } = await runChunk(this.#work, request);
    const arrays = gatherBatch(new Dataset(columns ?? {}), new Int32Array(0), { normalize: this.#normalize() });
    return { batch: this.#tensors.make(arrays, globalCount) as PipelineBatch<S> };
  }

  async #nextPacked(rows: RowBuffer, length: number) {
    const packer = new Packer(this.batchSize, length);
    for (let row = 0; ; row++) {
      if (rows.count <= row) await rows.fill(row + this.batchSize);
      if (rows.count <= row) break; // the end of the epoch
      const { columns, at, index } = rows.look(row);
      if (!packer.add(stepsOf(columns, at), index)) break;
    }
    const count = packer.rows.length;
    if (count === 0 || (this.#options.dropLast && rows.count === count && rows.isOver)) return null;
    const { columns, indices, end } = rows.take(count);
    const taken = packedFields.find((name) => Object.hasOwn(columns, name));
    if (taken)
      throw new ValueError('DataPipeline.batch', `pack adds the field '${taken}', which samples have already.`);
    const { padTo, normalize } = this.#options;
    if (normalize)
      throw new ValueError('DataPipeline.batch', 'pack and normalize do not go together; normalise in map().');
    checkNames('DataPipeline.batch', 'padTo.values', { fields: columns }, padTo?.values);
    const arrays = packedBatch(columns, packer, this.batchSize, padTo?.values ?? {}, indices);
    return { batch: this.#tensors.make(arrays, arrays.count) as PipelineBatch<S>, end };
  }

  #normalize(): Record<string, Normalization> {
    return withoutUndefined(this.#options.normalize ?? {});
  }
}

/** The entries that are given, in an object without a prototype, for fields may have any name. */
function withoutUndefined<T>(record: Readonly<Record<string, T | undefined>>): Record<string, T> {
  const given: Record<string, T> = Object.create(null);
  for (const [name, value] of Object.entries(record)) if (value !== undefined) given[name] = value;
  return given;
}

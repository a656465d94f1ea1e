/** Data as the loop sees it: batches in any iterable, how many samples each has, and several as one step. */
import { type AbortSignalLike, isStateful, type Stateful, untilAborted, ValueError } from '@nn/core';

/** Batches: a `DataLoader`, an array, an object with an iterator. For several epochs it must be possible to walk it again. */
export type Batches<B> = Iterable<B> | AsyncIterable<B>;

/** Throws a ValueError that names the option unless it can be walked over. */
export function requireBatches(operation: string, option: string, data: unknown): void {
  const { [Symbol.iterator]: each, [Symbol.asyncIterator]: later } = Object(data) as Partial<
    Iterable<unknown> & AsyncIterable<unknown>
  >;
  if (each !== undefined || later !== undefined) return;
  throw new ValueError(
    operation,
    `${option} holds no batches: give new DataLoader(samples, { batchSize: 32 }), or a list of batches.`,
  );
}

/** Throws ValueError unless it is a function of a batch, which untyped code may forget. */
export function requireStep(operation: string, name: string, step: unknown): void {
  if (typeof step !== 'function') throw new ValueError(operation, `${name} must be a function of a batch.`);
}

/** How many samples a batch tells that it has; 1 where it tells nothing, so that all batches count the same. */
export function countOf(batch: unknown): number {
  const { count } = Object(batch) as { count?: unknown };
  return typeof count === 'number' && count >= 0 ? count : 1;
}

/** What numbers are together: the samples of a step of several batches. */
export function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

/** The number of batches in an epoch, where the data tells. */
export function lengthOf(data: object): number | null {
  const { length } = data as { length?: unknown };
  return typeof length === 'number' && Number.isInteger(length) ? length : null;
}

/** A loader that a loop left in the middle of its epoch (`break`, an abort) would go on there, and the rest would stand for all. */
export function rewind(data: object & { readonly rewind?: unknown }): void {
  if (typeof data.rewind === 'function') data.rewind();
}

/** The same batches. Once the signal is aborted, asking for one and waiting for one end with its reason. */
export function untilSignal<B>(data: Batches<B>, signal: AbortSignalLike | undefined): Batches<B> {
  return signal === undefined ? data : watched(data, signal);
}

async function* watched<B>(data: Batches<B>, signal: AbortSignalLike): AsyncGenerator<B, void> {
  const walk = new BatchWalk(data, signal);
  try {
    for (;;) {
      const group = await walk.next(1);
      if (group.length === 0) return;
      yield group[0]!;
    }
  } finally {
    walk.end();
  }
}

/**
 * A walk over batches in groups, which waits only where the data does. Once the signal is aborted, asking for a group and
 * waiting for one end with its reason, and data with a place goes back to where it was before that group.
 */
export class BatchWalk<B> {
  readonly #iterator: Iterator<B> | AsyncIterator<B>;
  readonly #signal: AbortSignalLike | undefined;
  /** The data, where it can go back and a group can be left unfinished. */
  readonly #placed: Stateful | null;
  /** Where it was before the group under way; null after it. */
  #before: unknown = null;
  /** Filled anew for each group, so that small steps leave no garbage. */
  readonly #group: B[] = [];
  #found = 0;
  /** Whether the data has told its end. */
  isOver = false;

  constructor(data: Batches<B>, signal?: AbortSignalLike) {
    this.#signal = signal;
    this.#placed = signal !== undefined && isStateful(data) ? data : null;
    this.#iterator = Symbol.asyncIterator in data ? data[Symbol.asyncIterator]() : data[Symbol.iterator]();
  }

  /** The next `size` batches; fewer at the end, none after it. The list is the same each time. */
  next(size: number): readonly B[] | Promise<readonly B[]> {
    this.#found = 0;
    if (this.#placed !== null) this.#before = this.#placed.hostState();
    while (this.#found < size && !this.isOver) {
      this.#signal?.throwIfAborted();
      const found = this.#iterator.next();
      if (isThenable(found) || isThenable(found.value)) return this.#wait(size, found);
      this.#add(found);
    }
    return this.#taken();
  }

  async #wait(size: number, first: IteratorResult<B> | Promise<IteratorResult<B>>): Promise<readonly B[]> {
    for (let asked = first; ; asked = this.#iterator.next()) {
      const found = await untilAborted(Promise.resolve(asked), this.#signal);
      this.#add(found.done ? found : { value: await found.value });
      if (this.#found === size || this.isOver) return this.#taken();
      this.#signal?.throwIfAborted();
    }
  }

  #add(found: IteratorResult<B>): void {
    if (found.done) this.isOver = true;
    else this.#group[this.#found++] = found.value;
  }

  #taken(): readonly B[] {
    if (this.#group.length > this.#found) this.#group.length = this.#found;
    this.#before = null;
    return this.#group;
  }

  /** Lets go of the data where it was left. Not waited for: a generator that hangs at its next batch would end never. */
  end(): void {
    if (this.isOver) return;
    Promise.resolve(this.#iterator.return?.()).catch(() => undefined);
    if (this.#before !== null) this.#placed?.loadHostState(this.#before);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

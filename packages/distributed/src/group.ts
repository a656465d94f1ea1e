/**
 * Processes, or threads, that compute one thing together: what they can say to each other. Owns the checks, the order of calls
 * and what follows after a failure; how numbers travel is that of each kind (shared/, mpi/, alone.ts).
 */
import { ValueError } from '@nn/core';
import { GroupError } from './group-error.ts';

/** What travels between ranks. */
export type Numbers = Float32Array | Float64Array | Int32Array;

/** What becomes of the values of all ranks. */
export type Reduction = 'sum' | 'max' | 'min';

export interface GroupOptions {
  /** How long a call waits for the other ranks before it names who is missing; 300,000 where not given. In milliseconds. */
  readonly timeout?: number;
}

/** How the numbers of a call travel: what a kind of group has to give. All ranks call the same with as many numbers. */
export interface Transport {
  /** In words, for people: 'MPI (Open MPI 4.1.4)'. */
  readonly name: string;
  readonly rank: number;
  readonly size: number;
  /** The reduction of all ranks' values in place of one's own; `fixed`: the same bits on every rank. */
  allReduce(values: Numbers, reduction: Reduction, fixed: boolean): Promise<void> | void;
  broadcast(values: Numbers, root: number): Promise<void> | void;
  /** The values of all ranks one after the other into `all`. */
  allGather(values: Numbers, all: Numbers): Promise<void> | void;
  /** Part r of one's values goes to rank r; `received` gets the parts of all ranks for this one, in their order. */
  allToAll(values: Numbers, received: Numbers): Promise<void> | void;
  /** The sums of one's own part into `part`, which is the one from `bounds[rank]` to `bounds[rank + 1]`. */
  reduceScatter(values: Numbers, part: Numbers, bounds: readonly number[]): Promise<void> | void;
  barrier(): Promise<void> | void;
  /** Tells all others, which throw `reason` from their next or present call. */
  abort(reason: string): void;
  close(): Promise<void> | void;
}

/** The part of `length` numbers that belongs to a rank: from the first to before the second. */
export function partOf(length: number, rank: number, size: number): readonly [number, number] {
  return [Math.floor((length * rank) / size), Math.floor((length * (rank + 1)) / size)];
}

/**
 * The ranks that train one model together, as each of them sees it. All ranks make the same calls in the same order with arrays
 * of the same kind and length; a call ends when all have made it. Calls made at once run one after the other. After an error of
 * one call all others throw it, too.
 *
 * @example
 * import { alone } from '@nn/distributed';
 * const group = alone();
 * const sums = await group.allReduce(Float32Array.of(1, 2));
 * console.log(group.rank, group.size, sums); // => 0 1 Float32Array(2) [ 1, 2 ]
 */
export class Group {
  static readonly name: string = 'Group';

  readonly #transport: Transport;
  #last: Promise<unknown> = Promise.resolve();
  #failure: unknown = null;
  #isClosed = false;

  /** @internal `mpi`, `workers` and `alone` make groups. */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** How the ranks speak, in words: 'alone', 'workers', 'MPI (Open MPI 4.1.4)'. */
  get name(): string {
    return this.#transport.name;
  }

  /** Which one this is, from 0. */
  get rank(): number {
    return this.#transport.rank;
  }

  /** How many there are. */
  get size(): number {
    return this.#transport.size;
  }

  /**
   * Sum, largest or smallest of all ranks' values, element by element, in place; resolves with the same array. With `fixed` the
   * order of the sum does not depend on the rank, so that all have the same bits.
   */
  allReduce<V extends Numbers>(
    values: V,
    reduction: Reduction = 'sum',
    { fixed = false }: { readonly fixed?: boolean } = {},
  ): Promise<V> {
    if (reduction !== 'sum' && reduction !== 'max' && reduction !== 'min') {
      throw new ValueError('allReduce', `'${reduction}' is no reduction: 'sum', 'max' or 'min'.`, { reduction });
    }
    return this.#call('allReduce', values, () => this.#transport.allReduce(values, reduction, fixed), values);
  }

  /** The values of the rank `root` in place of one's own; resolves with the same array. */
  broadcast<V extends Numbers>(values: V, root = 0): Promise<V> {
    if (!Number.isInteger(root) || root < 0 || root >= this.size) {
      throw new ValueError('broadcast', `there is no rank ${root}: ranks are 0 to ${this.size - 1}.`, { root });
    }
    return this.#call('broadcast', values, () => this.#transport.broadcast(values, root), values);
  }

  /** The values of all ranks in a new array, in the order of ranks: `size` times as many. */
  allGather<V extends Numbers>(values: V): Promise<V> {
    check('allGather', values);
    const all = emptyLike(values, values.length * this.size);
    return this.#call('allGather', values, () => this.#transport.allGather(values, all), all);
  }

  /** The values of each rank in an array of their own, in the order of ranks, which may have more or fewer. */
  async allGatherEach<V extends Numbers>(values: V): Promise<V[]> {
    check('allGatherEach', values);
    const lengths = await this.allGather(Int32Array.of(values.length));
    const most = Math.max(...lengths);
    const padded = emptyLike(values, most);
    padded.set(values);
    const all = await this.allGather(padded);
    // the cast: a part of an array is one of its kind
    return Array.from(lengths, (length, rank) => all.subarray(rank * most, rank * most + length) as V);
  }

  /** The lists of numbers of each rank, in the order of ranks: as many lists on each, which may be longer or shorter. */
  async allGatherLists(lists: readonly ArrayLike<number>[]): Promise<Float64Array[][]> {
    const lengths = lists.map(({ length }) => length);
    // the lengths stand before the numbers
    const packed = new Float64Array(lengths.reduce((total, length) => total + length, lists.length));
    packed.set(lengths);
    let at = lists.length;
    for (const list of lists) {
      packed.set(list, at);
      at += list.length;
    }
    const all = await this.allGatherEach(packed);
    return all.map((numbers) => {
      let end = lists.length;
      return lists.map((_, list) => {
        end += numbers[list]!;
        return numbers.subarray(end - numbers[list]!, end);
      });
    });
  }

  /** A rank's own part (`partOf`) of the sums over all ranks, in a new array. */
  reduceScatter<V extends Numbers>(values: V): Promise<V> {
    check('reduceScatter', values);
    const bounds = Array.from({ length: this.size + 1 }, (_, rank) => partOf(values.length, rank, this.size)[0]);
    const part = emptyLike(values, bounds[this.rank + 1]! - bounds[this.rank]!);
    return this.#call('reduceScatter', values, () => this.#transport.reduceScatter(values, part, bounds), part);
  }

  /**
   * Sends part r of the values, of `size` parts of the same length, to rank r; resolves with the parts that all ranks had for
   * this one, in their order.
   */
  allToAll<V extends Numbers>(values: V): Promise<V> {
    check('allToAll', values);
    if (values.length % this.size !== 0) {
      throw new ValueError('allToAll', `${values.length} numbers are not ${this.size} parts of the same length.`);
    }
    const received = emptyLike(values, values.length);
    return this.#call('allToAll', values, () => this.#transport.allToAll(values, received), received);
  }

  /** Waits until all ranks are here. */
  barrier(): Promise<void> {
    return this.#call('barrier', null, () => this.#transport.barrier(), undefined);
  }

  /** Ends the work of all ranks: their calls throw a GroupError with the reason, or, with MPI, their processes end. */
  abort(reason: unknown): void {
    const words = reason instanceof Error ? reason.message : String(reason);
    this.#failure ??= new GroupError('abort', `rank ${this.rank} ended the work: ${words}`, { rank: this.rank });
    this.#transport.abort(`rank ${this.rank} ended the work: ${words}`);
  }

  /** Leaves the group when all are here. Without it the other ranks may wait until their time is over. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    try {
      if (this.#failure === null) await this.#call('close', null, () => this.#transport.barrier(), undefined);
    } finally {
      this.#isClosed = true;
      await this.#transport.close();
    }
  }

  #call<R>(operation: string, values: Numbers | null, work: () => Promise<void> | void, result: R): Promise<R> {
    if (values !== null) check(operation, values);
    const done = this.#last.then(async () => {
      if (this.#isClosed) throw new GroupError(operation, 'the group is closed: make calls before close().');
      if (this.#failure !== null) throw this.#failure;
      try {
        await work();
      } catch (error) {
        this.#failure ??= error;
        throw error;
      }
      return result;
    });
    this.#last = done.catch(() => undefined);
    return done;
  }
}

function check(operation: string, values: unknown): void {
  if (values instanceof Float32Array || values instanceof Float64Array || values instanceof Int32Array) return;
  throw new ValueError(
    operation,
    'takes a Float32Array, Float64Array or Int32Array: the numbers of a tensor are `await tensor.data()`.',
  );
}

function emptyLike<V extends Numbers>(values: V, length: number): V {
  // the cast: a new array of the same kind
  return new (values.constructor as new (length: number) => V)(length);
}

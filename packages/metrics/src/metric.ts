/**
 * What a metric is, and reading many at once: a reading has two values, that of the window (since the last read) and
 * that of the epoch (since the last reset). Owns the protocol between `read` and the kinds of metrics:
 * sum-metric.ts (sums on the device), row-metric.ts (every sample kept), host-metric.ts (text).
 */
import { type Backend, concat, FormatError, type Stateful, type Tensor, ValueError } from '@nn/core';

/** What `read` answers for a metric. */
export interface Reading<Value> {
  /** Of the updates since the last read. */
  readonly window: Value;
  /** Of all updates since the last reset. */
  readonly epoch: Value;
}

/** The readings of metrics by name. */
export type Readings<Metrics extends Readonly<Record<string, Metric<unknown>>>> = {
  readonly [Name in keyof Metrics]: Metrics[Name] extends Metric<infer Value> ? Reading<Value> : never;
};

/**
 * The base of all metrics: sums that grow with each `update` and become a value when they are read.
 *
 * A metric is `Stateful`, so it can be a part of a checkpoint, at any time: `readState`, which checkpoints ask for, brings to
 * the host what is on the device, and the window goes on. `hostState` alone refuses what is on the device, rather than lose it.
 */
export abstract class Metric<Value = number> implements Stateful {
  /** For logs: 'accuracy', 'f1'. */
  readonly name: string;
  /** The direction for early stopping and best checkpoints; null where neither is better. */
  readonly higherIsBetter: boolean | null;

  constructor(name: string, higherIsBetter: boolean | null) {
    this.name = name;
    this.higherIsBetter = higherIsBetter;
  }

  /** Whether there are updates that no read has collected. */
  abstract get isUnread(): boolean;

  /** @internal What the device holds since the last read, of any shape, cleared on the device at once; null if nothing does. */
  abstract collect(): Tensor | null;

  /** @internal What the host alone holds since the last read, cleared, for other processes; null if nothing does. */
  handOver(): Float32Array | null {
    return null;
  }

  /** @internal Adds what was collected to the window, which goes on. */
  abstract absorb(collected: ArrayLike<number>): void;

  /** @internal Ends the window: adds it to the totals and answers both values. */
  abstract close(): Reading<Value>;

  /** @internal Whether there are updates that the host has not seen. */
  abstract get isOnDevice(): boolean;

  /** @internal What is on its way to the host, and belongs to this window. */
  onItsWay: Promise<unknown> | null = null;

  /** Begins a new epoch: forgets everything. */
  abstract reset(): void;

  /**
   * Adds what the same metric has read elsewhere: in another worker, on another rank, on another part of the data. Give
   * it `hostState()` there and `loadHostState` here. Throws ValueError while the other has updates that nobody read.
   */
  merge(other: this): void {
    if (other.constructor !== this.constructor) {
      throw new ValueError(String(this), `merge takes another ${this.constructor.name}, got ${other}.`);
    }
    if (other.isOnDevice) {
      throw new ValueError(
        String(this),
        'merge would lose updates of the other that were not read: await read(...) there first.',
      );
    }
    this.mergeState(other.hostState(), false);
  }

  /** What is on the host, as JSON. Throws ValueError while there are updates on the device: `readState` brings them. */
  hostState(): unknown {
    if (this.isOnDevice) {
      throw new ValueError(String(this), 'updates since the last read cannot be saved: await read(...) first.');
    }
    return this.saved();
  }

  /** All updates so far as JSON, those on the device too; the window goes on. */
  async readState(): Promise<unknown> {
    // a read that is under way has taken what the device held
    if (this.onItsWay !== null) await this.onItsWay;
    const collected = this.collect();
    if (collected !== null) await this.await(collected.data().then((sums) => this.absorb(sums)));
    return this.saved();
  }

  /** @internal Notes that something is on its way, until it is there or has failed. */
  await<T>(work: Promise<T>): Promise<T> {
    const over = (): void => {
      if (this.onItsWay === done) this.onItsWay = null;
    };
    const done: Promise<void> = work.then(over, over);
    this.onItsWay = done;
    return work;
  }

  /** Takes over what `hostState` gave. Throws FormatError for the state of another metric. */
  loadHostState(state: unknown): void {
    this.mergeState(state, true);
  }

  /** The totals as JSON. */
  protected abstract saved(): unknown;

  /** Adds what `saved` gave, to nothing where `replace`. Checks it first, so that an error leaves all as it was. */
  protected abstract mergeState(state: unknown, replace: boolean): void;

  /** The values of this metric alone. With several, `read({ a, b })` takes all in one download. */
  async read(): Promise<Reading<Value>> {
    return (await read<{ metric: Metric<Value> }>({ metric: this })).metric as Reading<Value>;
  }

  toString(): string {
    return this.constructor.name;
  }
}

/** Where a reading is of several processes together. */
export interface ReadOptions {
  /** Gives the numbers that all processes have in this place, in the same order on each; lengths may differ. */
  readonly gather?: (own: Float32Array) => Promise<readonly Float32Array[]>;
}

/**
 * Reads many metrics in one download: their sums since the last read go into totals on the host and are zero on the
 * device again, in one program. Updates that come while it waits belong to the next window.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { Accuracy, Mean, read } from '@nn/metrics';
 * const [accuracy, loss] = [new Accuracy(), new Mean()];
 * accuracy.update(tensor([[2, 1], [0, 3]]), tensor([0, 0]));
 * loss.update(tensor(0.5));
 * const readings = await read({ accuracy, loss });
 * console.log(readings.accuracy.epoch, readings.loss.window); // => 0.5 0.5
 */
export async function read<Metrics extends Readonly<Record<string, Metric<unknown>>>>(
  metrics: Metrics,
  { gather }: ReadOptions = {},
): Promise<Readings<Metrics>> {
  const entries = Object.entries(metrics);
  const twice = entries.find(([name, metric], at) => entries.findIndex(([, other]) => other === metric) !== at && name);
  if (twice) throw new ValueError('read', `'${twice[0]}' is given under two names: read each metric once.`);
  // what a checkpoint has on its way belongs to the window that ends here
  for (const [, metric] of entries) if (metric.onItsWay !== null) await metric.onItsWay;
  const collected = entries.map(([, metric]) => metric.collect());
  // what lives on one device is one download; there is seldom more than one device
  const home = collected.find((sums) => sums !== null && sums.backend !== null)?.backend ?? null;
  const places = collected.map((sums) => sums?.backend ?? home);
  const download = Promise.all(
    [...new Set(places)].map(async (place) => {
      const parts = collected.filter((sums, at): sums is Tensor => sums !== null && places[at] === place);
      if (parts.length === 0) return [place, new Float32Array(0)] as const;
      return [place, await joined(parts).data()] as const;
    }),
  );
  for (const [, metric] of entries) metric.await(download);
  const downloads = new Map(await download);
  const starts = new Map<Backend | null, number>();
  const own = collected.map((sums, at) => {
    const size = sums?.size ?? 0;
    const place = places[at] ?? null;
    const start = starts.get(place) ?? 0;
    starts.set(place, start + size);
    const counted = gather === undefined ? null : entries[at]![1].handOver();
    return counted ?? downloads.get(place)?.subarray(start, start + size) ?? [];
  });
  for (const parts of gather === undefined ? [own] : await gathered(own, gather)) {
    for (const [at, [, metric]] of entries.entries()) metric.absorb(parts[at] ?? []);
  }
  const readings = entries.map(([name, metric]) => [name, metric.close()] as const);
  // the cast: an entry for each name, with the reading of its metric
  return Object.fromEntries(readings) as Readings<Metrics>;
}

/** One tensor of all; alone it is read as it lies. */
function joined(parts: readonly Tensor[]): Tensor {
  const [first] = parts as readonly [Tensor, ...Tensor[]];
  if (parts.length === 1) return first;
  return concat(
    parts.map((part) => part.reshape([part.size])),
    0,
  );
}

/** What each process collected, by metric: their lengths travel first. */
async function gathered(
  own: readonly ArrayLike<number>[],
  gather: NonNullable<ReadOptions['gather']>,
): Promise<ArrayLike<number>[][]> {
  const lengths = await gather(Float32Array.from(own, ({ length }) => length));
  const numbers = await gather(Float32Array.from(own.flatMap((part) => Array.from(part))));
  return numbers.map((all, rank) => {
    let start = 0;
    return Array.from(lengths[rank]!, (length) => {
      start += length;
      return all.subarray(start - length, start);
    });
  });
}

/** A field of saved state that holds numbers, or a FormatError that names the metric. */
export function numbersIn(metric: object, state: unknown, field: string): number[] {
  const value: unknown = Object(state)[field];
  if (Array.isArray(value) && value.every((item) => typeof item === 'number')) return value;
  throw new FormatError(String(metric), `the saved state has no list of numbers '${field}': it is of something else.`);
}

/** Reading many metrics at once: what they hold on a device comes in one download. Owns no state. */
import { concat, type Tensor } from '@nn/core';
import type { Metric, Reading } from './metric.ts';

/** The readings of metrics by name. */
export type Readings<Metrics extends Readonly<Record<string, Metric<unknown>>>> = {
  readonly [Name in keyof Metrics]: Metrics[Name] extends Metric<infer Value> ? Reading<Value> : never;
};

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
  const all = [...new Set(Object.values(metrics))];
  const readings = await bring(all, () => new Map(all.map((metric) => [metric, metric.close()])), gather);
  // the cast: an entry for each name, with the reading of its metric
  return Object.fromEntries(
    Object.entries(metrics).map(([name, metric]) => [name, readings.get(metric)]),
  ) as Readings<Metrics>;
}

/** Brings to the host what metrics hold on devices, and answers what is then asked for. */
export async function bring<T>(
  metrics: readonly Metric<unknown>[],
  finish: () => T,
  gather?: ReadOptions['gather'],
): Promise<T> {
  // what another read or a checkpoint has on its way comes first
  for (const metric of metrics) if (metric.onItsWay !== null) await metric.onItsWay;
  const work = downloaded(metrics.map((metric) => metric.collect())).then(async (collected) => {
    const own = metrics.map((metric, at) => metric.handOver(collected[at] ?? [], gather !== undefined));
    for (const handed of gather === undefined ? [own] : await gathered(own, gather)) {
      metrics.forEach((metric, at) => {
        metric.absorb(handed[at]!);
      });
    }
    return finish();
  });
  const over = work.catch(() => {});
  for (const metric of metrics) metric.onItsWay = over;
  try {
    return await work;
  } finally {
    for (const metric of metrics) if (metric.onItsWay === over) metric.onItsWay = null;
  }
}

/** The numbers of each tensor: one download for all that live on one device, and there is seldom more than one. */
async function downloaded(tensors: readonly (Tensor | null)[]): Promise<ArrayLike<number>[]> {
  const numbers: ArrayLike<number>[] = [];
  const home = tensors.find((sums) => sums?.backend)?.backend;
  const places = tensors.map((sums) => sums && (sums.backend ?? home));
  const load = async (place: (typeof places)[number]): Promise<void> => {
    const parts = tensors.flatMap((sums, at) => (sums !== null && places[at] === place ? [{ at, sums }] : []));
    const flat = parts.map(({ sums }) => sums.reshape([sums.size]));
    // alone it is read as it lies
    const data = await (parts.length === 1 ? parts[0]!.sums : concat(flat)).data();
    let start = 0;
    for (const { at, sums } of parts) {
      numbers[at] = data.subarray(start, start + sums.size);
      start += sums.size;
    }
  };
  await Promise.all([...new Set(places.filter((place) => place !== null))].map(load));
  return numbers;
}

/** What each process has handed over, by metric: the lengths stand before the numbers. */
async function gathered(
  own: readonly ArrayLike<number>[],
  gather: NonNullable<ReadOptions['gather']>,
): Promise<ArrayLike<number>[][]> {
  const lists = own.map((numbers) => Array.from(numbers));
  const processes = await gather(Float32Array.from([...lists.map(({ length }) => length), ...lists.flat()]));
  return processes.map((numbers) => {
    let start = own.length;
    return lists.map((_, at) => {
      start += numbers[at]!;
      return numbers.subarray(start - numbers[at]!, start);
    });
  });
}

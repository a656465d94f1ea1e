/** Reading many metrics at once: what they hold on devices is asked for together, and waited for once. Owns no state. */
import { checkOptions } from '@nn/core';
import type { Metric, Reading } from './metric.ts';

/** The readings of metrics by name. */
export type Readings<Metrics extends Readonly<Record<string, Metric<unknown>>>> = {
  readonly [Name in keyof Metrics]: Metrics[Name] extends Metric<infer Value> ? Reading<Value> : never;
};

/** Where a reading is of several processes together. */
export interface ReadOptions {
  /**
   * Takes this process's lists of numbers, and gives those of all processes in the same order on each: as many lists, which may be
   * longer or shorter. Over ranks of `@nn/distributed` it is `(lists) => group.allGatherLists(lists)`.
   */
  readonly gather?: (own: readonly ArrayLike<number>[]) => Promise<readonly (readonly ArrayLike<number>[])[]>;
}

/**
 * Reads many metrics and waits once: their sums since the last read, read where they lie on the device, go into totals on
 * the host. Updates that come while it waits belong to the next window. Throws ValueError for an unknown option.
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
  options: ReadOptions = {},
): Promise<Readings<Metrics>> {
  checkOptions('read', options, ['gather']);
  const all = [...new Set(Object.values(metrics))];
  const closed = await bring(all, () => all.map((metric) => metric.close()), options.gather);
  const readings: Record<string, Reading<unknown>> = {};
  for (const name of Object.keys(metrics)) readings[name] = closed[all.indexOf(metrics[name]!)]!;
  // the cast: for each name the reading of its metric
  return readings as Readings<Metrics>;
}

/** Brings to the host what metrics hold on devices, and answers what is then asked for. */
export function bring<T>(
  metrics: readonly Metric<unknown>[],
  finish: () => T,
  gather?: ReadOptions['gather'],
): Promise<T> {
  const work = arrival(metrics, finish, gather);
  const over = work.catch(() => {});
  for (const metric of metrics) metric.onItsWay = over;
  return work;
}

async function arrival<T>(
  metrics: readonly Metric<unknown>[],
  finish: () => T,
  gather: ReadOptions['gather'],
): Promise<T> {
  const collected = metrics.map((metric) => metric.collect(!!gather));
  const before = metrics.map((metric) => metric.onItsWay);
  const own = await Promise.all(collected);
  // what another read or a checkpoint has on its way was collected before, and is added before
  for (const earlier of before) if (earlier !== null) await earlier;
  for (const handed of gather ? await gather(own) : [own]) {
    handed.forEach((numbers, at) => {
      metrics[at]!.absorb(numbers);
    });
  }
  return finish();
}

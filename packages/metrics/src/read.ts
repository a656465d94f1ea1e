/** Reading many metrics at once: what they hold on devices is asked for together, and waited for once. Owns no state. */
import { checkOptions, whenAll } from '@nn/core';
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
  options?: ReadOptions,
): Promise<Readings<Metrics>> {
  return readings(metrics, options);
}

/**
 * What `read` gives: itself where nothing has to be waited for, as on a CPU beside compiled steps, else the promise of it. For loops
 * whose steps take microseconds.
 */
export function readings<Metrics extends Readonly<Record<string, Metric<unknown>>>>(
  metrics: Metrics,
  options: ReadOptions = {},
): Readings<Metrics> | Promise<Readings<Metrics>> {
  checkOptions('read', options, ['gather']);
  const all = [...new Set(Object.values(metrics))];
  const close = (): Readings<Metrics> => {
    const closed = all.map((metric) => metric.close());
    const found: Record<string, Reading<unknown>> = {};
    for (const name of Object.keys(metrics)) found[name] = closed[all.indexOf(metrics[name]!)]!;
    // the cast: for each name the reading of its metric
    return found as Readings<Metrics>;
  };
  return bring(all, close, options.gather);
}

/** Brings to the host what metrics hold on devices, and answers what is then asked for: a promise only where it must wait. */
export function bring<T>(
  metrics: readonly Metric<unknown>[],
  finish: () => T,
  gather?: ReadOptions['gather'],
): T | Promise<T> {
  let over: Promise<unknown> | null = null;
  const take = (lists: readonly (readonly ArrayLike<number>[])[]): T => {
    for (const numbers of lists) for (const [at, metric] of metrics.entries()) metric.absorb(numbers[at]!);
    for (const metric of metrics) if (metric.onItsWay === over) metric.onItsWay = null;
    return finish();
  };
  const collected = metrics.map((metric) => metric.collect(!!gather));
  // what another read or a checkpoint has on its way was collected before, and is added before
  const before = metrics.map(({ onItsWay }) => onItsWay);
  const work = whenAll(collected, (own) => whenAll(before, () => (gather ? gather(own).then(take) : take([own]))));
  if (work instanceof Promise) {
    over = work.catch(() => {});
    for (const metric of metrics) metric.onItsWay = over;
  }
  return work;
}

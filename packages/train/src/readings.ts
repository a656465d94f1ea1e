/**
 * From what the device holds to the values that events tell: of a window, an epoch, a validation. Owns the one place where
 * names that the compiler knows are given to values that were read by name.
 */
import { whenAll } from '@nn/core';
import { readings } from '@nn/metrics';
import type { Metrics, ReadEvent, Validated, ValuesOf } from './events.ts';
import type { LossLog } from './loss-log.ts';
import { type Ranks, readingOf } from './ranks.ts';

/** A record of values by name. */
export function named<V>(entries: Iterable<readonly [string, unknown]>): V {
  // the cast: the names are those of the type, which `Object.fromEntries` does not know
  return Object.fromEntries(entries) as V;
}

/** What a read tells. */
type Read<M extends Metrics> = Pick<ReadEvent<ValuesOf<M>>, 'losses' | 'samples' | 'values'>;

/** Losses and metrics since the last read, asked for together: the loss of each step, and the values of events. */
export function readWindow<M extends Metrics>(metrics: M, log: LossLog, group?: Ranks): Read<M> | Promise<Read<M>> {
  return whenAll([readings<Metrics>(metrics, readingOf(group)), log.read()], ([own, read]) => {
    const { losses, samples, window, epoch } = log.settle(read);
    // the cast: the names of the metrics, and the loss
    const values = Object.assign(own, { loss: { window, epoch } }) as ReadEvent<ValuesOf<M>>['values'];
    return { losses, samples, values };
  });
}

/** The values since the epoch began: all was read before. */
export async function valuesOfEpoch<M extends Metrics>(metrics: M, log: LossLog, group?: Ranks): Promise<ValuesOf<M>> {
  const { values } = await readWindow<Metrics>(metrics, log, group);
  return named(Object.entries(values).map(([name, { epoch }]) => [name, epoch]));
}

/** The same values with the names that a validation gives them. */
export function validatedValues<V extends object>(values: V): Validated<V> {
  return named(Object.entries(values).map(([name, value]) => [`validation.${name}`, value]));
}

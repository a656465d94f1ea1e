/** What callbacks that watch one value have in common: when it is there, and what is better. */
import { FormatError, ValueError } from '@nn/core';
import type { Controls, TrainingEvent } from '../events.ts';

/**
 * The value of a monitor, where this event has it: of the validation in its event, others at the end of an epoch. Warns of NaN,
 * which is never the best.
 */
export function watched(
  event: TrainingEvent<object>,
  monitor: string,
  training: Pick<Controls, 'warn'>,
): number | undefined {
  if (event.type !== (monitor.startsWith('validation.') ? 'validated' : 'epoch')) return undefined;
  const value = Object.entries(event.values).find(([name]) => name === monitor)?.[1];
  if (Number.isNaN(value)) {
    const advice = 'look for samples that are not finite, and for metrics that counted nothing';
    training.warn('monitor', `'${monitor}' is NaN in epoch ${event.epoch}, which is never better: ${advice}.`);
  }
  if (typeof value === 'number') return value;
  throw new ValueError(
    'Training',
    `'${monitor}' is watched, but is ${value === undefined ? 'not there' : 'no number'}.`,
    {
      monitor,
    },
  );
}

/** Whether higher values are better, asked of the metric. Throws a ValueError that names the option where it does not know. */
export function directionOf(training: Controls, monitor: string, given: boolean | undefined): boolean {
  // asked in any case: it throws where there is no such value
  const told = training.higherIsBetter(monitor);
  const known = given ?? told;
  if (known !== null) return known;
  throw new ValueError(
    'Training',
    `'${monitor}' is watched, and its metric does not say what is better: give higherIsBetter.`,
    {
      monitor,
    },
  );
}

/** A number of saved state, or null. Throws FormatError for anything else. */
export function numberIn(of: string, state: unknown, field: string): number | null {
  const value = (Object(state) as Record<string, unknown>)[field];
  if (value === null || typeof value === 'number') return value;
  throw new FormatError(of, `the saved state has no '${field}': it is of something else.`);
}

/** What callbacks that watch one value have in common: when it is there, and what is better. */
import { FormatError, type Model, namedParameters, type Parameter, ValueError } from '@nn/core';
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

/** Throws ValueError for what is no name, which would be told only when the training has begun. */
export function checkMonitor(operation: string, monitor: unknown): void {
  if (typeof monitor === 'string') return;
  throw new ValueError(operation, `monitor is ${String(monitor)}: name what is watched, 'validation.loss'.`, {
    monitor,
  });
}

/** Throws ValueError where a training's model has none of the parameters: they are of another model, which nobody trains. */
export function checkOfModel(operation: string, training: Pick<Controls, 'model'>, given: Iterable<Parameter>): void {
  // the cast: a training's model is one
  const members = new Set(namedParameters(training.model as Model).values());
  // a loop by hand may have no model to tell of
  if (members.size === 0) return;
  for (const parameter of given) if (members.has(parameter)) return;
  throw new ValueError(
    operation,
    "it was given parameters, and none is of the training's model: give both the same model, or a part of it.",
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

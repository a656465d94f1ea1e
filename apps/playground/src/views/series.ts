/** The curves of a run and of the one that it is compared with, over one axis of steps. */
import type { Measurement } from '../worker/protocol.ts';

export type Read = (measurement: Measurement) => number | null;
type Values = (number | null)[];

/** Steps, training and test of the run, training and test of the other one; null where a run has no measurement. */
export function seriesOf(
  run: readonly Measurement[],
  other: readonly Measurement[],
  train: Read,
  test: Read,
): [number[], Values, Values, Values, Values] {
  if (other.length === 0) {
    const none: Values = run.map(() => null);
    return [run.map(({ step }) => step), run.map(train), run.map(test), none, none];
  }
  const steps = [...new Set([...run, ...other].map(({ step }) => step))].sort((a, b) => a - b);
  const column = (of: readonly Measurement[], read: Read): Values => {
    const known = new Map(of.map((measurement) => [measurement.step, read(measurement)]));
    return steps.map((step) => known.get(step) ?? null);
  };
  return [steps, column(run, train), column(run, test), column(other, train), column(other, test)];
}

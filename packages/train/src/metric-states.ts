/**
 * What metrics have counted, set aside while other data counts in them, and given back: for whoever looks at a model in the
 * middle of a training.
 */
import type { Metric } from '@nn/metrics';
import type { Metrics } from './events.ts';

/** Metrics, each with what it had counted. */
type States = readonly (readonly [Metric<unknown>, unknown])[];

/** What metrics have counted, those on the device too; their windows go on when it is given back. */
export function statesOf(metrics: Metrics): Promise<States> {
  return Promise.all(Object.values(metrics).map(async (metric) => [metric, await metric.readState()] as const));
}

/** Gives metrics back what they had counted; what they counted since is forgotten. */
export function restoreStates(states: States): void {
  for (const [metric, state] of states) {
    metric.reset();
    metric.loadHostState(state);
  }
}

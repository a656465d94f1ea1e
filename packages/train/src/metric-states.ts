/** Metrics by name: their check, and what they have counted, set aside while other data counts in them. */
import { ValueError } from '@nn/core';
import type { Metric } from '@nn/metrics';
import type { Metrics } from './events.ts';

/** What metrics have counted, those on the device too; their windows go on when `loadHostState` gets it back. */
export function statesOf(metrics: Metrics): Promise<(readonly [Metric<unknown>, unknown])[]> {
  return Promise.all(Object.values(metrics).map(async (metric) => [metric, await metric.readState()] as const));
}

/** Throws ValueError unless these are metrics by name, none of them called as the loss is. */
export function requireMetrics(operation: string, metrics: Metrics): void {
  const isRight =
    !Array.isArray(metrics) && Object.values(metrics).every((metric) => typeof Object(metric).readState === 'function');
  if (!isRight) {
    throw new ValueError(operation, 'metrics must be metrics by name, { accuracy: new Accuracy() }.');
  }
  if ('loss' in metrics) throw new ValueError(operation, "'loss' is what the step returns: rename that metric.");
}

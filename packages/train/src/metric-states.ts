/** What metrics have counted, set aside while other data counts in them: for whoever looks at a model while it trains. */
import type { Metric } from '@nn/metrics';
import type { Metrics } from './events.ts';

/** What metrics have counted, those on the device too; their windows go on when `loadHostState` gets it back. */
export function statesOf(metrics: Metrics): Promise<(readonly [Metric<unknown>, unknown])[]> {
  return Promise.all(Object.values(metrics).map(async (metric) => [metric, await metric.readState()] as const));
}

/** What of a series is learned, and how a forecast of it becomes one of the series: one plan for each. */
import { type DataArray, seasonalFeatures } from '@nn/data';

export interface Plan {
  readonly key: 'airline' | 'temperature';
  readonly period: number;
  readonly length: number;
  readonly horizon: number;
  /** The moments at the end that no training sees. */
  readonly test: number;
  readonly epochs: number;
  readonly hidden: number;
  /** From values to what is learned, and back: t is the moment, `past` gives what came before. */
  encode(past: (at: number) => number, t: number): number;
  decode(learned: number, past: (at: number) => number, t: number): number;
}

/** Growth over a year, as a logarithm: it has no trend and no season left. */
export const passengersPlan: Plan = {
  ...{ key: 'airline', period: 12, length: 24, horizon: 12, test: 24, epochs: 150, hidden: 16 },
  encode: (past, t) => 10 * Math.log(past(t) / past(t - 12)),
  decode: (learned, past, t) => past(t - 12) * Math.exp(learned / 10),
};
/** The weather itself; the season comes in as two more inputs. */
export const temperaturesPlan: Plan = {
  ...{ key: 'temperature', period: 365, length: 28, horizon: 7, test: 365, epochs: 12, hidden: 24 },
  encode: (past, t) => (past(t) - 11) / 4,
  decode: (learned) => 11 + 4 * learned,
};

/** What is learned, with the season as a point on a circle: float32 [moments, 3]; moments without a past are left out. */
export function encoded(plan: Plan, values: readonly number[]): DataArray<Float32Array> {
  const first = plan.key === 'airline' ? plan.period : 0;
  const times = Array.from({ length: values.length - first }, (_, i) => first + i);
  const season = seasonalFeatures(times, { period: plan.period });
  const data = new Float32Array(times.length * 3);
  times.forEach((t, i) => {
    data.set([plan.encode((at) => values[at]!, t), season.data[2 * i]!, season.data[2 * i + 1]!], 3 * i);
  });
  return { data, shape: [times.length, 3] };
}

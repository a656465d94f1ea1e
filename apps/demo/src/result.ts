/** What a task reached, as one line of JSON for programs: `--json`. */
import type { TaskName } from './task-list.ts';

export interface Result {
  readonly task: TaskName;
  readonly seed: number;
  /** What it learned from. */
  readonly data: string;
  readonly figures: Readonly<Record<string, number>>;
  /** The same of rules that need no network. */
  readonly baselines: Readonly<Record<string, number>>;
  readonly seconds: number;
}

/** Numbers with five digits: more are noise. */
export function lineOfResult({ task, seed, data, figures, baselines, seconds }: Result): string {
  const short = (value: unknown): unknown => (typeof value === 'number' ? Number(value.toPrecision(5)) : value);
  return JSON.stringify({ task, seed, data, figures, baselines, seconds }, (_, value: unknown) => short(value));
}

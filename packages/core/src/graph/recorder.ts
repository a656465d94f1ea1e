/**
 * What a compiled function must repeat each time it runs, besides its Program: host counters that advance and numbers
 * that are read anew. Owns only the record; `compile` plays it back.
 */

import type { DType } from '../backend.ts';
import { type Node, type NumberSource, scalar } from './node.ts';

export type HostEvent =
  | { readonly kind: 'advance'; readonly run: () => void }
  | { readonly kind: 'number'; readonly node: Node; readonly source: NumberSource | null };

export interface Recorder {
  readonly events: HostEvent[];
  /** Whether the function runs on placeholders, to be replayed with other values. */
  readonly isReplayed: boolean;
}

let current: Recorder | null = null;

export function currentRecorder(): Recorder | null {
  return current;
}

/** Runs `work` with its host events written to `recorder`. */
export function recordWith<T>(recorder: Recorder, work: () => T): T {
  const outer = current;
  current = recorder;
  try {
    return work();
  } finally {
    current = outer;
  }
}

/** A number as a 0-d node. A source is read now, and again each time a compiled function runs. */
export function lift(value: number | NumberSource, dtype: DType): Node {
  const source = typeof value === 'number' ? null : value;
  const node = scalar(source === null ? (value as number) : source.read(), dtype);
  current?.events.push({ kind: 'number', node, source });
  return node;
}

/** Repeats `run` each time the function being compiled runs; it is not run now. */
export function recordAdvance(run: () => void): void {
  current?.events.push({ kind: 'advance', run });
}

/**
 * What a compiled function must repeat each time it runs, besides its Program: host counters that advance, numbers that
 * are read anew, and looks at arguments. Owns only the record; `compile` plays it back, and takes it back where the function
 * or its program fails: state on the host moves only with success.
 */

import type { DType } from '../backend.ts';
import type { Counter } from './counter.ts';
import { type Node, type NumberSource, scalar } from './node.ts';
import type { Variable } from './variable.ts';

export type HostEvent =
  | {
      readonly kind: 'advance';
      readonly run: () => void;
      /** Takes one run back. */
      readonly undo: () => void;
      /** Whose state it is, where that is the same from call to call. */
      readonly subject: object | null;
    }
  | { readonly kind: 'growth'; readonly counter: Counter; readonly by: number; readonly undo: () => void }
  | { readonly kind: 'number'; readonly node: Node; readonly source: NumberSource | null };

/** Throws where arguments whose values are on the host are not what they must be, as the indices of a gather. */
export type ArgumentCheck = (given: readonly { readonly node: Node }[]) => void;

/** What a compiled function relies on, besides its arguments: it is traced anew once this no longer `holds`. */
export interface Condition {
  readonly holds: boolean;
}

export interface Recorder {
  readonly events: HostEvent[];
  /** What must still hold for the record to be played back. */
  readonly conditions: Map<object, Condition>;
  /** Of the parameters that the function asked whether they were frozen. */
  readonly frozen: Map<Variable, boolean>;
  /** The variables whose computed values the function read: memory alone does not tell which, where two share it. */
  readonly read: Set<Variable>;
  /** Looks at arguments, each kind once. */
  readonly checks: Map<string, ArgumentCheck>;
  /** The numbers that were read since something advanced last: who asks for one again has the same. */
  readonly numbers: Map<NumberSource, Node>;
  /** Whether the function runs on placeholders, to be replayed with other values. */
  readonly isReplayed: boolean;
}

export function recorder(isReplayed: boolean): Recorder {
  return {
    events: [],
    conditions: new Map(),
    frozen: new Map(),
    read: new Set(),
    checks: new Map(),
    numbers: new Map(),
    isReplayed,
  };
}

let current: Recorder | null = null;

export function currentRecorder(): Recorder | null {
  return current;
}

/** Runs `work` with its host events written to `recorder`. If it throws, what it advanced is taken back. */
export function recordWith<T>(recorder: Recorder, work: () => T): T {
  const outer = current;
  current = recorder;
  try {
    return work();
  } catch (error) {
    takeBack(recorder.events.splice(0));
    throw error;
  } finally {
    current = outer;
  }
}

/** Takes back what the events advanced, the last first. */
export function takeBack(events: readonly (HostEvent | { readonly undo: (() => void) | null })[]): void {
  for (const event of events.toReversed()) if ('undo' in event) event.undo?.();
}

/**
 * A number as a 0-d node. A source is read now, and again each time a compiled function runs: once a run for all who ask for it
 * before something advances.
 */
export function lift(value: number | NumberSource, dtype: DType): Node {
  const source = typeof value === 'number' ? null : value;
  const known = source === null ? undefined : current?.numbers.get(source);
  if (known?.dtype === dtype) return known;
  const node = scalar(source === null ? (value as number) : source.read(), dtype);
  if (current === null) return node;
  current.events.push({ kind: 'number', node, source });
  if (source !== null) current.numbers.set(source, node);
  return node;
}

/**
 * Says that `run` was just done: it is repeated each time the function being compiled runs, and `undo` takes it back where
 * that fails. Returns what strikes it out again, for callers that take it back themselves.
 */
export function recordAdvance(run: () => void, undo: () => void, subject: object | null = null): () => void {
  if (current === null) return () => undefined;
  const { events, numbers } = current;
  const event: HostEvent = { kind: 'advance', run, undo, subject };
  events.push(event);
  numbers.clear();
  return () => {
    const at = events.indexOf(event);
    if (at >= 0) events.splice(at, 1);
  };
}

/** Says that the counter just grew: it grows each time the function being compiled runs. */
export function recordGrowth(counter: Counter, by: number): void {
  if (current === null) return;
  current.events.push({ kind: 'growth', counter, by, undo: () => counter.move(-by) });
  current.numbers.clear();
}

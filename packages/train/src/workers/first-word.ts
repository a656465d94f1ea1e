/**
 * Waiting for the first word of a worker: one whose module serves nothing never says any, and a page is not told of it. Owns the
 * clock; what is said is run.ts and trials.ts.
 */
import { ValueError } from '@nn/core';

/** Parts in which the time is counted: one in which this side slept, as a laptop that is shut does, is one part, however long. */
const parts = 10;

/** Calls `silent` after so many milliseconds, unless what is returned is called before. Keeps no process of Node's alive. */
export function awaitFirstWord(patience: number, silent: () => void): () => void {
  let left = parts;
  const timer = setInterval(() => {
    left--;
    if (left > 0) return;
    clearInterval(timer);
    silent();
  }, patience / parts);
  (timer as { unref?(): void }).unref?.();
  return () => clearInterval(timer);
}

/** Throws ValueError for what is no time to wait. */
export function checkPatience(operation: string, patience: number): number {
  if (patience > 0 && Number.isFinite(patience)) return patience;
  throw new ValueError(operation, `patience is ${patience}: give milliseconds, above 0.`, { patience });
}

/** The error for a worker that said nothing; `serve` is what its module should call. */
export function silence(operation: string, patience: number, serve: string): ValueError {
  return new ValueError(
    operation,
    `a worker said nothing for ${patience} milliseconds: does its module call ${serve}? One that takes longer to load needs more patience.`,
    { patience },
  );
}

/**
 * Waiting for the first word of a worker: one whose module serves nothing never says any, and a page is not told of it. Owns the
 * clock; what is said is run.ts and trials.ts.
 */
import { ValueError } from '@nn/core';

/** Parts in which the time is counted: one in which this side slept, as a laptop that is shut does, is one part, however long. */
const parts = 10;

/** Calls `over` after so many milliseconds, unless what is returned is called before. Keeps no process of Node's alive. */
export function countDown(milliseconds: number, over: () => void): () => void {
  let left = parts;
  const timer = setInterval(() => {
    left--;
    if (left > 0) return;
    clearInterval(timer);
    over();
  }, milliseconds / parts);
  (timer as { unref?(): void }).unref?.();
  return () => clearInterval(timer);
}

/** Throws ValueError for what is no time to wait. */
export function checkPatience(operation: string, patience: number): number {
  return checkTime(operation, patience, 'patience');
}

/** The same of a limit that is called otherwise. */
export function checkTime(operation: string, milliseconds: number, name = 'timeout'): number {
  if (milliseconds > 0 && Number.isFinite(milliseconds)) return milliseconds;
  throw new ValueError(operation, `${name} is ${milliseconds}: give milliseconds, above 0.`, { [name]: milliseconds });
}

/** The error for a worker in Node that ended by itself and had said nothing; null where something went wrong in it. */
export function emptyEnd(operation: string, exitCode: number | undefined, serve: string): ValueError | null {
  if (exitCode !== 0) return null; // a module that waits for nothing ends with 0
  return new ValueError(operation, `a worker ended and had said nothing: does its module call ${serve}?`);
}

/** The error for a worker that said nothing; `serve` is what its module should call. */
export function silence(operation: string, patience: number, serve: string): ValueError {
  return new ValueError(
    operation,
    `a worker said nothing for ${patience} milliseconds: does its module call ${serve}? One that takes longer to load needs more patience.`,
    { patience },
  );
}

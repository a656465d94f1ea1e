/**
 * Long work on the host lets the event loop live: timers, signals and the page run in between. Owns nothing but the pause.
 */
import type { AbortSignalLike } from '@nn/core';

/** How long the host works before it rests, in milliseconds. */
const SLICE = 20;

/** Gives a function that rests when enough time has passed since the last rest, and throws the reason of an aborted signal. */
export function breathing(signal?: AbortSignalLike): () => Promise<void> | undefined {
  let last = performance.now();
  return () => {
    signal?.throwIfAborted();
    if (performance.now() - last < SLICE) return undefined;
    return new Promise((resolve) => {
      setTimeout(() => {
        last = performance.now();
        resolve();
      }, 0);
    });
  };
}

/**
 * Ctrl-C: the first asks the training to stop after its step, the second ends the process at once. SIGTERM is treated
 * in the same way. What happens on the way out (a checkpoint) is the caller's.
 */
import { constants } from 'node:os';
import process from 'node:process';
import { type AbortSignalLike, excerpt, ValueError } from '@nn/core';

export interface Interrupt {
  /** Aborted when the training should stop. */
  readonly signal: AbortSignalLike;
  /** The exit code of a process that a signal ended: 128 and the number of the signal. */
  readonly exitCode: number;
}

/** Listens from now on. `atOnce` is called before the second signal ends the process. Throws ValueError for what cannot be called. */
export function watchInterrupts(atOnce: () => void): Interrupt {
  if (typeof atOnce !== 'function') {
    throw new ValueError(
      'watchInterrupts',
      `got ${excerpt(JSON.stringify(atOnce) ?? String(atOnce), 60)}: give the function to call before the process ends, () => {} where there is none.`,
    );
  }
  const controller = new AbortController();
  const state = { signal: controller.signal, exitCode: 0 };
  const on = (signal: 'SIGINT' | 'SIGTERM'): void => {
    process.on(signal, () => {
      const exitCode = 128 + constants.signals[signal];
      if (state.signal.aborted) {
        atOnce();
        process.exit(exitCode);
      }
      state.exitCode = exitCode;
      controller.abort();
    });
  };
  on('SIGINT');
  on('SIGTERM');
  return state;
}

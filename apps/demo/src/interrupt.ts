/**
 * Ctrl-C: the first asks the training to stop after its step, the second ends the process at once. SIGTERM is treated
 * in the same way. What happens on the way out (a checkpoint) is the caller's.
 */
import { constants } from 'node:os';
import process from 'node:process';

export interface Interrupt {
  /** Whether the training should stop. */
  readonly isRequested: boolean;
  /** The exit code of a process that a signal ended: 128 and the number of the signal. */
  readonly exitCode: number;
}

/** Listens from now on. `atOnce` is called before the second signal ends the process. */
export function watchInterrupts(atOnce: () => void): Interrupt {
  const state = { isRequested: false, exitCode: 0 };
  const on = (signal: 'SIGINT' | 'SIGTERM'): void => {
    process.on(signal, () => {
      const exitCode = 128 + constants.signals[signal];
      if (state.isRequested) {
        atOnce();
        process.exit(exitCode);
      }
      state.isRequested = true;
      state.exitCode = exitCode;
    });
  };
  on('SIGINT');
  on('SIGTERM');
  return state;
}

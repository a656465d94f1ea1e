/** A training that ends by the clock. */
import { checkOptions, FormatError, ValueError } from '@nn/core';
import type { Callback } from '../events.ts';

export interface TimerOptions {
  /** Of work in all. */
  readonly seconds: number;
  /** The clock, in seconds. */
  readonly now?: () => number;
}

/**
 * Ends the training after so many seconds of work, those before a resume included.
 *
 * @example
 * import { timer } from '@nn/train';
 * console.log(timer({ seconds: 3600 }).hostState?.()); // => { elapsed: 0 }
 */
export function timer(options: TimerOptions): Callback {
  checkOptions('timer', options, ['seconds', 'now']);
  const { seconds, now = () => performance.now() / 1000 } = options;
  if (!(typeof seconds === 'number' && seconds > 0)) {
    throw new ValueError('timer', `seconds is ${seconds}: it is a number above 0.`, { seconds });
  }
  let [before, startedAt] = [0, now()];
  let [isRunning, isLoaded] = [false, false];
  const elapsed = (): number => before + (isRunning ? now() - startedAt : 0);
  return {
    hears: ['start', 'step', 'stopped'],
    handle: ({ type, step }, training) => {
      if (type === 'start') {
        // a run that begins anew owes nothing to the one before
        if (step === 0 && !isLoaded) before = 0;
        [startedAt, isRunning, isLoaded] = [now(), true, false];
      }
      if (type !== 'stopped' && elapsed() >= seconds) training.stop();
      if (type === 'stopped') [before, isRunning] = [elapsed(), false];
    },
    hostState: () => ({ elapsed: elapsed() }),
    loadHostState: (state) => {
      const { elapsed: saved } = Object(state) as { elapsed?: unknown };
      if (typeof saved !== 'number')
        throw new FormatError('timer', 'the saved state has no time: it is of something else.');
      [before, isRunning, isLoaded] = [saved, false, true];
    },
  };
}

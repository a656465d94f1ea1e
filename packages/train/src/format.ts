/** Durations, numbers and ends of trainings as people read them. */
import type { Ending } from './events.ts';

/**
 * Seconds as people read them: whole, rounded up, with minutes where there are some.
 *
 * @example
 * import { duration } from '@nn/train';
 * console.log(duration(61)); // => 1 min 01 s
 */
export function duration(seconds: number): string {
  const whole = Math.max(1, Math.ceil(seconds));
  if (whole < 60) return `${whole} s`;
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}

/** How a training ended, in words. */
export function endingOf(why: Ending): string {
  return why === 'callback' ? 'stopped by a callback' : why;
}

/** Four digits that matter, and powers of ten only where a number would be long. */
export function figure(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  return size < 1e-3 || size >= 1e6 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}

/** The same of counts, where millions are nothing unusual: `1.53M`. */
export function countFigure(value: number): string {
  return value < 1e6 ? figure(value) : `${figure(value / 1e6)}M`;
}

/** What schedules are told: what is wrong is an error where a schedule is made, not a rate of NaN steps later. Owns these checks. */
import { checkOptions, ValueError } from '@nn/core';

/** Throws ValueError unless the base is a rate, all options are known, and those that are numbers are finite. */
export function checkSchedule(schedule: string, base: number, options: object, known: readonly string[]): void {
  if (!Number.isFinite(base)) {
    const message = `the base is ${shown(base)}: it is the rate to start from, ${schedule}(0.1, { ... }).`;
    throw new ValueError(schedule, message, { base });
  }
  checkOptions(schedule, options, known);
  for (const [name, value] of Object.entries(options)) {
    if (typeof value === 'number') requireFinite(schedule, name, value);
  }
}

/** Throws ValueError unless `value` is a number, and finite. */
export function requireFinite(schedule: string, name: string, value: number): void {
  if (Number.isFinite(value)) return;
  throw new ValueError(schedule, `${name} is ${shown(value)}: it must be a finite number.`, { [name]: value });
}

/** Throws ValueError unless `steps` is above 0. */
export function requireSteps(schedule: string, what: string, steps: number): void {
  if (!(steps > 0)) throw new ValueError(schedule, `${what} is ${steps}: it must be above 0.`, { [what]: steps });
}

/** Throws ValueError unless all are functions of the step. */
export function requireSchedules(schedule: string, schedules: readonly unknown[]): void {
  const at = schedules.findIndex((one) => typeof one !== 'function');
  if (at < 0) return;
  throw new ValueError(schedule, `schedule ${at} is ${shown(schedules[at])}: give functions of the step, () => 0.1.`);
}

function shown(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' ? 'an object' : String(value);
}

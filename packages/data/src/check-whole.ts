/** The checks that most options of this package need, and most sources. */
import { ValueError } from '@nn/core';

/**
 * Throws a `ValueError` for the first of these options that is no whole number, or is below `least`. `unit` says in the
 * message what is counted, as ' of samples'.
 */
export function checkWhole(
  operation: string,
  options: Readonly<Record<string, number>>,
  least: number = 1,
  unit: string = '',
): void {
  for (const [name, value] of Object.entries(options)) {
    if (Number.isInteger(value) && value >= least) continue;
    throw new ValueError(operation, `${name} ${value} is not a whole number${unit}, ${least} or more.`, {
      [name]: value,
    });
  }
}

/** Throws a `ValueError` unless there is a sample of this number. */
export function checkNumber(operation: string, number: number, length: number): void {
  if (Number.isInteger(number) && number >= 0 && number < length) return;
  throw new ValueError(operation, `there is no sample ${number} among ${length}.`, { index: number });
}

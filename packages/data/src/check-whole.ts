/** The check that most options of this package need. */
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

/** Numbers of the places: a dash for what is not known yet. */
import { short } from '../views/format.ts';

export const number = (value: number | null | undefined, digits = 2): string =>
  value === null || value === undefined || !Number.isFinite(value) ? '–' : short(value, digits);

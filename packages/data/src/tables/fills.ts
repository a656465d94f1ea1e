/**
 * What stands in for the missing values of a column, found from the values that are there. Which columns have something missing, and
 * what is done about it, is said in `fit.ts`.
 */
import { checkChoices, ValueError } from '@nn/core';
import { listed, quoted } from '../messages.ts';
import { dateForms, farthest, parseDate } from './dates.ts';

/** What stands in for a missing value; 'error': nothing does. A text stands for a category or a date, a number for a number. */
export type Fill = 'error' | 'mean' | 'median' | 'mostFrequent' | { readonly value: number | string };

const fills: readonly Fill[] = ['error', 'mean', 'median', 'mostFrequent'];

/** Throws unless it is a fill: in JavaScript a bare number comes, too. */
export function checkFill(place: string, fill: Fill): void {
  if (typeof fill === 'string') {
    checkChoices(place, { fill }, { fill: fills });
    return;
  }
  const { value } = Object(fill) as { value?: unknown };
  if (typeof value === 'number' || typeof value === 'string') return;
  throw new ValueError(place, `fill must be one of ${listed(fills as string[])}, or an object, as { value: 0 }.`, {
    fill,
  });
}

/** The number for a column of numbers, NaN where they are missing; null where there is none. */
export function fillNumber(name: string, values: Float64Array, fill: Fill): number | null {
  if (fill === 'error') return null;
  if (typeof fill === 'object') {
    if (typeof fill.value === 'number' && Number.isFinite(fill.value)) return fill.value;
    throw new ValueError('fitTable', `column ${quoted(name)} has numbers, its fill is ${fill.value}; give a number.`, {
      column: name,
    });
  }
  const present = values.filter((value) => !Number.isNaN(value)).sort();
  const { length } = present;
  if (length === 0) return refuseFill(name, fill);
  if (fill === 'median') return (present[(length - 1) >> 1]! + present[length >> 1]!) / 2;
  if (fill === 'mean') return values.reduce((sum, value) => (Number.isNaN(value) ? sum : sum + value), 0) / length;
  const counts = new Map<number, number>();
  for (const value of present) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].reduce((best, each) => (each[1] > best[1] ? each : best))[0];
}

/** The same for moments in milliseconds since 1970; a date that is given may be text. */
export function fillDate(name: string, moments: Float64Array, fill: Fill): number | null {
  if (typeof fill === 'string') return fillNumber(name, moments, fill);
  const moment = typeof fill.value === 'string' ? parseDate(fill.value) : fill.value;
  if (moment !== undefined && Math.abs(moment) <= farthest) return moment;
  throw new ValueError(
    'fitTable',
    `column ${quoted(name)} has dates, its fill is ${quoted(String(fill.value))}; give one ${dateForms}, or milliseconds since 1970.`,
    { column: name },
  );
}

/** The category that stands in: one of those that there are, by how often each was counted. */
export function fillCategory(
  name: string,
  counts: ReadonlyMap<string, number>,
  categories: readonly string[],
  fill: Fill,
): string | null {
  if (fill === 'error') return null;
  if (typeof fill === 'object') {
    // Columns of numbers may be encoded by categories, too: 3 is the category '3'.
    const value = String(fill.value);
    if (categories.includes(value)) return value;
    throw new ValueError(
      'fitTable',
      `column ${quoted(name)} has the categories ${listed(categories)}, its fill is ${value}; give one of them.`,
      { column: name },
    );
  }
  if (fill !== 'mostFrequent') {
    throw new ValueError(
      'fitTable',
      `column ${quoted(name)} has categories, which have no ${fill}; fill with 'mostFrequent' or { value }.`,
      { column: name },
    );
  }
  let frequent: string | null = null;
  for (const category of [...categories].sort()) {
    if ((counts.get(category) ?? 0) > (frequent === null ? 0 : counts.get(frequent)!)) frequent = category;
  }
  return frequent ?? refuseFill(name, fill);
}

/** Where no value is there, none can be found that stands in for it. */
function refuseFill(name: string, fill: string): never {
  throw new ValueError(
    'fitTable/no-value',
    `column ${quoted(name)} has no value in these rows, so it has no ${fill === 'mostFrequent' ? 'most frequent one' : fill} to fill with; leave it out by naming the inputs, or say fill: { value }.`,
    { column: name },
  );
}

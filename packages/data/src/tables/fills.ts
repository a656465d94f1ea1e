/**
 * What stands in for the missing values of a column, found from the values that are there. Which columns have something missing, and
 * what is done about it, is said in `fit.ts`.
 */
import { checkChoices, ValueError } from '@nn/core';
import { listed, quoted } from '../messages.ts';
import { dateForms, farthest, parseDate } from './dates.ts';

/**
 * What stands in for a missing value; 'error': nothing does. `value`: a text for a category or a date, a number for a number.
 * `category`: a category of its own, of this name, which no value has.
 */
export type Fill =
  | 'error'
  | 'mean'
  | 'median'
  | 'mostFrequent'
  | { readonly value: number | string }
  | { readonly category: string };

const fills: readonly Fill[] = ['error', 'mean', 'median', 'mostFrequent'];

/** Throws unless it is a fill: in JavaScript a bare number comes, too. */
export function checkFill(place: string, fill: Fill): void {
  if (typeof fill === 'string') {
    checkChoices(place, { fill }, { fill: fills });
    return;
  }
  const { value, category, ...others } = Object(fill) as { value?: unknown; category?: unknown };
  const isValue = typeof value === 'number' || typeof value === 'string';
  const isOne = isValue ? category === undefined : value === undefined && typeof category === 'string';
  if (isOne && Object.keys(others).length === 0) return;
  throw new ValueError(
    place,
    `fill must be one of ${listed(fills as string[])}, or an object, as { value: 0 } or { category: 'missing' }.`,
    { fill },
  );
}

/** The value that is given for a column of numbers or of dates. */
function givenValue(name: string, what: string, fill: Extract<Fill, object>): number | string {
  if ('value' in fill) return fill.value;
  throw new ValueError('fitTable', `column ${quoted(name)} has ${what}, not categories; fill it with { value }.`, {
    column: name,
  });
}

/** The number for a column of numbers, NaN where they are missing; null where there is none. */
export function fillNumber(name: string, values: Float64Array, fill: Fill): number | null {
  if (fill === 'error') return null;
  if (typeof fill === 'object') {
    const value = givenValue(name, 'numbers', fill);
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    throw new ValueError('fitTable', `column ${quoted(name)} has numbers, its fill is ${value}; give a number.`, {
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
  const value = givenValue(name, 'dates', fill);
  const moment = typeof value === 'string' ? parseDate(value) : value;
  if (moment !== undefined && Math.abs(moment) <= farthest) return moment;
  throw new ValueError(
    'fitTable',
    `column ${quoted(name)} has dates, its fill is ${quoted(String(value))}; give one ${dateForms}, or milliseconds since 1970.`,
    { column: name },
  );
}

/**
 * The category of its own that stands for missing values, as a list of one or none. It is there where nothing is missing, too,
 * for in other rows something may be.
 */
export function ownCategory(name: string, counts: ReadonlyMap<string, number>, fill: Fill): string[] {
  if (typeof fill === 'string' || !('category' in fill)) return [];
  const { category } = fill;
  if (!counts.has(category)) return [category];
  throw new ValueError(
    'fitTable',
    `column ${quoted(name)} has values ${quoted(category)}; name the category of missing values otherwise, or give them that one: { value: ${quoted(category)} }.`,
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
    const value = 'category' in fill ? fill.category : String(fill.value);
    if (categories.includes(value)) return value;
    throw new ValueError(
      'fitTable',
      'category' in fill
        ? `column ${quoted(name)} is filled with the category ${quoted(value)}, which order leaves out.`
        : `column ${quoted(name)} has the categories ${listed(categories)}, its fill is ${value}; give one of them, or { category: ${quoted(value)} } to make one of its own.`,
      { column: name },
    );
  }
  if (fill !== 'mostFrequent') {
    throw new ValueError(
      'fitTable',
      `column ${quoted(name)} has categories, which have no ${fill}; fill with 'mostFrequent', { value } or { category }.`,
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

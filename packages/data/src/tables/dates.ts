/**
 * Moments as numbers: what a date says that a network can use. Parts that return (month, weekday, hour) are points on a circle,
 * so that December lies beside January. All in UTC, for the same text must be the same numbers everywhere.
 */

/** 'year' and 'days' (since 1970, with the time of day) are numbers; the others a sine and a cosine. */
export type DatePart = 'year' | 'days' | 'month' | 'weekday' | 'dayOfMonth' | 'dayOfYear' | 'hour';

const millisecondsOfDay = 86_400_000;

/** The turns of a circle, from 0 to 1, that have passed at a moment. */
const turns: Readonly<Record<Exclude<DatePart, 'year' | 'days'>, (date: Date) => number>> = {
  month: (date) => date.getUTCMonth() / 12,
  weekday: (date) => date.getUTCDay() / 7,
  dayOfMonth: (date) => (date.getUTCDate() - 1) / 31,
  dayOfYear: (date) =>
    (utc(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()) - utc(date.getUTCFullYear(), 0, 1)) /
    millisecondsOfDay /
    366,
  hour: (date) => (date.getUTCHours() + date.getUTCMinutes() / 60 + date.getUTCSeconds() / 3600) / 24,
};

/** The beginning of a day. `Date.UTC` takes the years 0 to 99 for those of the last century. */
function utc(year: number, month: number, day: number): number {
  return new Date(0).setUTCFullYear(year, month, day);
}

export const dateParts: readonly DatePart[] = ['year', 'days', 'month', 'weekday', 'dayOfMonth', 'dayOfYear', 'hour'];

/** The names of the elements of a part. */
export function namesOfPart(part: DatePart): readonly string[] {
  return part === 'year' || part === 'days' ? [part] : [`${part} sine`, `${part} cosine`];
}

export function numbersOfPart(part: DatePart, milliseconds: number): readonly number[] {
  if (part === 'days') return [milliseconds / millisecondsOfDay];
  const date = new Date(milliseconds);
  if (part === 'year') return [date.getUTCFullYear()];
  const angle = 2 * Math.PI * turns[part](date);
  return [Math.sin(angle), Math.cos(angle)];
}

/** The milliseconds from 1970 up to which a `Date` reaches, in both directions. */
export const farthest = 8.64e15;

/** How dates are written, for messages. */
export const dateForms = 'as 2024-05-31 or 2024-05-31T12:30:00Z';

/**
 * Year, month, day; hour, minute, second and its digits; zone. ISO 8601 and RFC 3339, and the zones of PostgreSQL (+02)
 * and Ruby (' +0200').
 */
const form =
  /^(\d{4})([-/])(\d{2})(?:\2(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?(?: ?([Zz]|UTC|[+-]\d{2}(?::?\d{2})?))?)?)?$/;

/**
 * Milliseconds since 1970 of a date as ISO 8601 writes it, year first: 2024-05, 2024-05-31, 2024/05/31,
 * 2024-05-31 12:30:00, with a zone as Z, +02:00 or +02; without one it is UTC. Digits of a second behind the third are
 * left out, as pandas and Python write six or nine. Undefined for anything else, for days that no calendar has, and where day and
 * month could be confused (5/6/2024).
 */
export function parseDate(text: string): number | undefined {
  const found = form.exec(text.trim());
  if (!found) return undefined;
  const [, year, , month, day = '01', hour = '00', minute = '00', second = '00', fraction = '0', zone = 'Z'] = found;
  const midnight = utc(+year!, +month! - 1, +day);
  const date = new Date(midnight);
  // The calendar carries 2024-02-30 over into March.
  const isDay = date.getUTCMonth() === +month! - 1 && date.getUTCDate() === +day;
  if (!isDay || +hour > 23 || +minute > 59 || +second > 59) return undefined;
  const time = midnight + ((+hour * 60 + +minute) * 60 + +second) * 1000 + +fraction.slice(0, 3).padEnd(3, '0');
  if (/[zZ]|UTC/.test(zone)) return time;
  const [hours, rest] = [+zone.slice(1, 3), +zone.slice(3).replace(':', '')];
  if (hours > 23 || rest > 59) return undefined;
  const minutes = hours * 60 + rest;
  return time - (zone.startsWith('-') ? -1 : 1) * minutes * 60_000;
}

/**
 * A table of the columns that other formats give (Parquet, Arrow): their values as numbers, booleans or categories. What has no such form
 * (lists, records, bytes) is refused by name.
 */
import { excerpt, FormatError, ValueError } from '@nn/core';
import type { Column, Table } from '../readers/csv.ts';

/** `operation` begins messages, `lines` are the numbers of the rows, from 1. */
export function tableOf(
  operation: string,
  name: string,
  columns: Readonly<Record<string, readonly unknown[]>>,
  lines: Int32Array,
): Table {
  return {
    name,
    lines,
    columns: Object.entries(columns).map(([column, values]) => columnOf(`${operation}: ${name}`, column, values)),
  };
}

/** Which of the columns of a file has this name. Throws where none has, and where two have. */
export function columnPlace(operation: string, name: string, all: readonly string[], column: string): number {
  const place = all.indexOf(column);
  const shown = excerpt(column, 60);
  if (place < 0) {
    throw new ValueError(operation, `${name} has no column '${shown}'; it has ${all.join(', ')}.`, { column });
  }
  if (all.indexOf(column, place + 1) < 0) return place;
  throw new FormatError(`${operation}: ${name}`, `it has two columns '${shown}'; leave them out by naming columns.`, {
    column,
  });
}

function columnOf(reader: string, name: string, values: readonly unknown[]): Column {
  const plain = values.map((value) => plainValue(reader, name, value));
  const given = plain.filter((value) => value !== null);
  const kind = given.every((value) => typeof value === 'number')
    ? 'number'
    : given.every((value) => typeof value === 'boolean')
      ? 'boolean'
      : 'category';
  if (kind === 'category') return { name, kind, values: plain.map((value) => (value === null ? null : String(value))) };
  return { name, kind, values: Float64Array.from(plain, (value) => (value === null ? Number.NaN : Number(value))) };
}

/** A value as rows have it: 64-bit integers as numbers where they fit, null where it is missing. */
export function plainValue(reader: string, column: string, value: unknown): string | number | boolean | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean') return value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (typeof value === 'bigint') {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
    throw tooLong(reader, column, value);
  }
  const what = ArrayBuffer.isView(value) ? 'bytes or lists of numbers' : Array.isArray(value) ? 'lists' : 'records';
  throw unfit(reader, column, what);
}

/**
 * Throws for decimals of more digits before the point than a number keeps, as databases store identifiers: near 2^53
 * two of them would become one. Decimals come as numbers already, so those that were rounded are told by their size.
 */
export function checkDecimals(reader: string, column: string, values: ArrayLike<unknown>): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER) throw tooLong(reader, column, value);
  }
}

function tooLong(reader: string, column: string, value: number | bigint): FormatError {
  return new FormatError(
    reader,
    `column '${excerpt(column, 60)}' holds ${BigInt(value)}, which has more digits than a number keeps; leave the column out by naming columns.`,
    { column },
  );
}

/** The error for a column whose values are no numbers and no categories. */
export function unfit(reader: string, column: string, what: string): FormatError {
  return new FormatError(
    reader,
    `column '${excerpt(column, 60)}' holds ${what}, which are no numbers or categories; leave it out by naming columns.`,
    { column },
  );
}

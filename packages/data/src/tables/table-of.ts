/**
 * A table of the columns that other formats give (Parquet, Arrow): their values as numbers, booleans or categories. What has no such form
 * (lists, records, bytes) is refused by name.
 */
import { excerpt, FormatError } from '@nn/core';
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
    throw new FormatError(
      reader,
      `column '${excerpt(column, 60)}' holds ${value}, which has more digits than a number keeps; leave the column out by naming columns.`,
      { column },
    );
  }
  const what = ArrayBuffer.isView(value) ? 'bytes or lists of numbers' : Array.isArray(value) ? 'lists' : 'records';
  throw unfit(reader, column, what);
}

/** The error for a column whose values are no numbers and no categories. */
export function unfit(reader: string, column: string, what: string): FormatError {
  return new FormatError(
    reader,
    `column '${excerpt(column, 60)}' holds ${what}, which are no numbers or categories; leave it out by naming columns.`,
    { column },
  );
}

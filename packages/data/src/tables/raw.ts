/**
 * A fitted encoding in another process than the one that fitted it: read back from JSON, and applied to rows as a form or
 * a request gives them. What comes from outside is checked whole before it is used.
 */
import { FormatError, realmTag, ValueError } from '@nn/core';
import { listed, quoted } from '../messages.ts';
import type { Column, Table } from '../readers/csv.ts';
import type { DataArray } from '../samples/dataset.ts';
import { farthest } from './dates.ts';
import { type ColumnEncoding, checkEncoding, type TableEncoding, wrongPart } from './encoding.ts';
import { encodeTable, numberOfText } from './table.ts';

/** One row by column; null where a value is missing. Numbers, true and false may be text, as a form or a CSV gives them. */
export type RawRow = Readonly<Record<string, string | number | boolean | Date | null>>;

/**
 * Rows that are no table as inputs float64 [rows, elements], just as `encodeTable` makes them. Columns that the encoding does not
 * know are left out. Throws a `ValueError` for a row without a column that it needs (null says that a value is
 * missing), and as `encodeTable`.
 *
 * @example
 * import { encodeRows, fitTable, parseCsv, parseTableEncoding } from '@nn/data';
 * const fitted = fitTable(parseCsv('size,kind\n1,plum\n9,apple\n'), { targets: 'kind', scale: 'minMax' });
 * const text = JSON.stringify(fitted); // kept with the model; in another process:
 * console.log(encodeRows([{ size: 5 }], parseTableEncoding(text)).data); // => Float64Array(1) [ 0.5 ]
 */
export function encodeRows(rows: readonly RawRow[], encoding: TableEncoding): DataArray<Float64Array> {
  checkEncoding('encodeRows', encoding);
  if (!Array.isArray(rows)) {
    throw new ValueError(
      'encodeRows',
      `takes a list of rows, got ${rows === null ? 'null' : `one ${typeof rows}`}: encodeRows([row], encoding).`,
    );
  }
  const columns = encoding.inputs.map((column) => rawColumn(rows, column));
  const lines = Int32Array.from(rows, (_, i) => i + 1);
  const table: Table = { name: 'encodeRows', columns, lines };
  return encodeTable(table, { inputs: encoding.inputs, targets: [] }).fields.inputs;
}

/** What a value of a row may be beside a Date and null. */
const plain: ReadonlySet<string> = new Set(['string', 'number', 'boolean', 'bigint']);

function rawColumn(rows: readonly RawRow[], { name, kind }: ColumnEncoding): Column {
  const values = rows.map((row, i) => {
    if (Array.isArray(row)) {
      throw new ValueError(
        'encodeRows',
        `row ${i} is a list: a row has a value for each column, ${quoted(name)} first.`,
      );
    }
    if (typeof row !== 'object' || row === null) {
      throw new ValueError(
        'encodeRows',
        `row ${i} is ${String(row)}: a row is an object with a value for each column.`,
      );
    }
    const value = Object.hasOwn(row, name) ? row[name] : undefined;
    if (value === undefined) {
      throw new ValueError(
        'encodeRows',
        `row ${i} has no ${quoted(name)}; it has ${listed(Object.keys(row).filter((key) => row[key] !== undefined))}. Give null where the value is missing.`,
        { row: i, column: name },
      );
    }
    if (typeof value === 'object' ? value !== null && realmTag(value) !== 'Date' : !plain.has(typeof value)) {
      throw new ValueError(
        'encodeRows',
        `row ${i}, ${quoted(name)} is ${Array.isArray(value) ? 'a list' : `of type ${typeof value}`}: give a text, a number, true or false, a Date, or null where the value is missing.`,
        { row: i, column: name },
      );
    }
    if (kind === 'date' && typeof value === 'number' && Math.abs(value) <= farthest) return textOf(new Date(value));
    if (kind !== 'number') return textOf(value);
    if (value === null || value === '') return Number.NaN;
    const number = typeof value === 'string' ? numberOfText(value) : value;
    if ((typeof number !== 'number' && typeof number !== 'boolean') || !Number.isFinite(Number(number))) {
      throw new ValueError(
        'encodeRows',
        `row ${i}, ${quoted(name)} is ${quoted(String(value))}, which is no number. Give null where the value is missing.`,
        { row: i, column: name },
      );
    }
    return Number(number);
  });
  // Each kind of encoding takes one kind of value, so the lists are of one kind.
  return kind === 'number'
    ? { name, kind: 'number', values: Float64Array.from(values, Number) }
    : { name, kind: 'category', values: values.map((value) => (value === null ? null : String(value))) };
}

function textOf(value: string | number | boolean | Date | null): string | null {
  if (value === null || value === '' || (typeof value === 'number' && Number.isNaN(value))) return null;
  if (typeof value !== 'object') return String(value);
  return Number.isNaN(value.getTime()) ? null : value.toISOString();
}

/**
 * Reads an encoding back from its JSON. Throws a `FormatError` that says where it is not one.
 *
 * @example
 * import { parseTableEncoding } from '@nn/data';
 * console.log(parseTableEncoding('{"inputs":[{"name":"x","kind":"number","fill":null}],"targets":[]}').inputs.length); // => 1
 */
export function parseTableEncoding(text: string): TableEncoding {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new FormatError('parseTableEncoding', 'this is not JSON; pass the text that JSON.stringify(encoding) gave.');
  }
  const wrong = wrongPart(value);
  if (wrong !== undefined) throw new FormatError('parseTableEncoding', wrong);
  return value as TableEncoding; // The one cast: every part was looked at above.
}

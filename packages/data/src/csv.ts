/**
 * CSV by RFC 4180: text to records, records to typed columns. Errors name line and column.
 * It does not turn columns into samples; that is `table.ts`. Written here because the libraries at hand guess
 * separators, keep going after errors and do not say in which column they found them.
 */
import { FormatError, ValueError } from '@nn/core';
import type { ByteSource } from './gunzip.ts';
import { bytesOf } from './gunzip.ts';

export type ColumnKind = 'number' | 'boolean' | 'category';

/** A column: numbers with NaN for missing (booleans are 0 and 1), or text with null for missing. */
export type Column =
  | { readonly name: string; readonly kind: 'number' | 'boolean'; readonly values: Float64Array }
  | { readonly name: string; readonly kind: 'category'; readonly values: readonly (string | null)[] };

export interface Table {
  /** What to call the data in messages. */
  readonly name: string;
  readonly columns: readonly Column[];
  /** The line of the file on which each row begins, from 1. */
  readonly lines: Int32Array;
}

export interface CsvOptions {
  /** What to call the data in messages, as a file's name. */
  readonly name?: string;
  /** One character; ',' where not given. */
  readonly separator?: string;
  /** Whether the first record names the columns; true where not given. Otherwise they are column1, column2, ... */
  readonly header?: boolean;
  /** The columns to read, in this order; all where not given. */
  readonly columns?: readonly string[];
  /** Kinds that are not to be inferred, by column. */
  readonly kinds?: Readonly<Record<string, ColumnKind>>;
  /** What stands for a missing value; '', NA, NaN and null where not given. */
  readonly missing?: readonly string[];
  /** Drop spaces around fields. RFC 4180 says that they belong to the field, so not by itself. */
  readonly trim?: boolean;
}

/** The records of a CSV text, and the line on which each begins. */
export interface CsvRecords {
  readonly records: readonly (readonly string[])[];
  readonly lines: readonly number[];
}

const quote = 34;
const lineFeed = 10;
const carriageReturn = 13;

/**
 * Reads a CSV file as UTF-8; otherwise as `parseCsv`.
 *
 * @example
 * import { readCsv } from '@nn/data';
 * const table = await readCsv(new Blob(['x,y\n1,2\n']));
 * console.log(table.columns.length, table.lines.length); // => 2 1
 */
export async function readCsv(source: ByteSource, options: CsvOptions = {}): Promise<Table> {
  const bytes = await bytesOf(source);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new FormatError(
      `readCsv: ${options.name ?? 'CSV data'}: the bytes are not UTF-8 text; save the file as UTF-8.`,
    );
  }
  return parseCsv(text, options);
}

/**
 * Reads CSV text into typed columns. A column is of numbers or booleans where all its values that are not missing are;
 * otherwise its values are categories. Throws a `FormatError` with line and column. Source: RFC 4180 (2005).
 *
 * @example
 * import { parseCsv } from '@nn/data';
 * const table = parseCsv('city,height\n"Bern, CH",540\nOslo,\n');
 * console.log(table.columns.map((column) => `${column.name}: ${column.kind}`)); // => [ 'city: category', 'height: number' ]
 */
export function parseCsv(text: string, options: CsvOptions = {}): Table {
  const { name = 'CSV data', header = true } = options;
  const { records, lines } = parseCsvRecords(text, options);
  const first = records[0];
  if (first === undefined) throw new FormatError(`parseCsv: ${name} is empty.`, { name });
  const names = header ? first : first.map((_, i) => `column${i + 1}`);
  const positions = new Map<string, number>();
  names.forEach((column, i) => {
    const before = positions.get(column);
    if (before !== undefined) {
      throw new FormatError(
        `parseCsv: ${name}, line ${lines[0]}: columns ${before + 1} and ${i + 1} are both named '${column}'; rename one.`,
        { line: lines[0], column: i + 1 },
      );
    }
    positions.set(column, i);
  });
  const rows = header ? records.slice(1) : records;
  const rowLines = Int32Array.from(header ? lines.slice(1) : lines);
  rows.forEach((row, i) => {
    if (row.length !== names.length) {
      throw new FormatError(
        `parseCsv: ${name}, line ${rowLines[i]}: ${row.length} columns, ${names.length} are expected${row.length < names.length ? ` ('${names[row.length]}' is the first that is missing)` : ''}.`,
        { line: rowLines[i], column: Math.min(row.length, names.length) + 1 },
      );
    }
  });
  const wanted = options.columns ?? names;
  for (const column of [...wanted, ...Object.keys(options.kinds ?? {})]) {
    if (!positions.has(column)) {
      throw new ValueError(`parseCsv: ${name} has no column '${column}'; it has ${names.join(', ')}.`, { column });
    }
  }
  const missing = new Set(options.missing ?? ['', 'NA', 'NaN', 'null']);
  const columns = wanted.map((column) => {
    const position = positions.get(column) as number;
    const values = rows.map((row) => row[position] as string);
    return makeColumn(column, values, missing, options.kinds?.[column], (i, what) => {
      throw new FormatError(`parseCsv: ${name}, line ${rowLines[i]}, column ${position + 1} ('${column}'): ${what}`, {
        line: rowLines[i],
        column: position + 1,
      });
    });
  });
  return { name, columns, lines: rowLines };
}

const numberForm = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const booleanForm = /^(true|false)$/i;

function makeColumn(
  name: string,
  texts: readonly string[],
  missing: ReadonlySet<string>,
  forced: ColumnKind | undefined,
  fail: (row: number, what: string) => never,
): Column {
  const isMissing = (text: string): boolean => missing.has(text.trim());
  const present = texts.filter((text) => !isMissing(text));
  const every = (form: RegExp): boolean => present.every((text) => form.test(text.trim()));
  let kind = forced;
  if (kind === undefined) {
    if (every(numberForm)) kind = 'number';
    else kind = every(booleanForm) ? 'boolean' : 'category';
  }
  if (kind === 'category') {
    return { name, kind, values: texts.map((text) => (isMissing(text) ? null : text)) };
  }
  const values = new Float64Array(texts.length);
  for (let i = 0; i < texts.length; i++) {
    const text = (texts[i] as string).trim();
    if (isMissing(text)) values[i] = Number.NaN;
    else if (kind === 'number')
      values[i] = numberForm.test(text) ? Number(text) : fail(i, `'${text}' is not a number.`);
    else if (booleanForm.test(text)) values[i] = text.toLowerCase() === 'true' ? 1 : 0;
    else fail(i, `'${text}' is neither true nor false.`);
  }
  return { name, kind, values };
}

/**
 * The records of a CSV text as they stand: fields in quotes may hold separators, line ends and doubled quotes; lines
 * end with CR LF, LF or CR. A byte order mark is skipped, and so are blank lines where records have several columns.
 *
 * @example
 * import { parseCsvRecords } from '@nn/data';
 * console.log(parseCsvRecords('a,"say ""hi"""\r\n1,2').records); // => [ [ 'a', 'say "hi"' ], [ '1', '2' ] ]
 */
export function parseCsvRecords(text: string, options: CsvOptions = {}): CsvRecords {
  const { name = 'CSV data', separator = ',', trim = false } = options;
  if (separator.length !== 1 || separator === '"' || separator === '\n' || separator === '\r') {
    throw new ValueError(`parseCsv: separator '${separator}' is not one character other than a quote or a line end.`, {
      separator,
    });
  }
  const split = separator.charCodeAt(0);
  const records: string[][] = [];
  const lines: number[] = [];
  let line = 1;
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  const fail = (column: number, what: string): never => {
    throw new FormatError(`parseCsv: ${name}, line ${line}, column ${column}: ${what}`, { line, column });
  };

  while (at < text.length) {
    const record: string[] = [];
    const firstLine = line;
    for (let more = true; more; ) {
      const start = at;
      if (text.charCodeAt(at) === quote) {
        const openLine = line;
        let field = '';
        let from = ++at;
        for (;;) {
          const end = text.indexOf('"', at);
          if (end < 0) {
            line = openLine;
            fail(record.length + 1, 'a quote is opened and never closed.');
          }
          for (let i = at; i < end; i++) if (isLineEnd(text, i)) line++;
          at = end + 1;
          field += text.slice(from, end);
          if (text.charCodeAt(at) !== quote) break;
          from = at++; // A doubled quote stands for one: the next piece begins with it.
        }
        const next = text.charCodeAt(at);
        if (at < text.length && next !== split && next !== lineFeed && next !== carriageReturn) {
          fail(
            record.length + 1,
            `'${text[at]}' follows a closing quote; a separator or a line end must (quotes inside a field are doubled).`,
          );
        }
        record.push(field);
      } else {
        let code = text.charCodeAt(at);
        while (at < text.length && code !== split && code !== lineFeed && code !== carriageReturn) {
          if (code === quote)
            fail(
              record.length + 1,
              'a quote inside a field that does not begin with one; put the whole field in quotes.',
            );
          code = text.charCodeAt(++at);
        }
        const field = text.slice(start, at);
        record.push(trim ? field.trim() : field);
      }
      more = text.charCodeAt(at) === split;
      if (more) at++;
    }
    if (text.charCodeAt(at) === carriageReturn && text.charCodeAt(at + 1) === lineFeed) at++;
    at++;
    line++;
    records.push(record);
    lines.push(firstLine);
  }
  const several = records.some((record) => record.length > 1);
  if (!several) return { records, lines };
  const kept = records.map((record) => record.length > 1 || record[0] !== '');
  return { records: records.filter((_, i) => kept[i]), lines: lines.filter((_, i) => kept[i]) };
}

/** Whether a line ends at i; CR LF counts once, at its LF. */
function isLineEnd(text: string, i: number): boolean {
  const code = text.charCodeAt(i);
  return code === lineFeed || (code === carriageReturn && text.charCodeAt(i + 1) !== lineFeed);
}

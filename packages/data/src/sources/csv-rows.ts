/**
 * Rows of a CSV file that is not held in memory: by their number, and in chunks as tables. What columns hold is told or seen in the first
 * megabyte; a value further down that is something else is an error, never another meaning.
 */
import { type AbortSignalLike, checkOptions, FormatError, ValueError } from '@nn/core';
import { checkNumber } from '../check-whole.ts';
import { quoted } from '../messages.ts';
import type { Column, ColumnKind, CsvOptions, Table } from '../readers/csv.ts';
import { parseBeginning } from '../readers/csv.ts';
import { fieldText, scanRecords } from '../readers/csv-scan.ts';
import { canBe, classify, type Decimal, isBlankMark, numberOf } from '../readers/csv-values.ts';
import type { RawRow } from '../tables/raw.ts';
import { type ByteRange, checkRange, endedBy } from './byte-range.ts';
import { decodeIndex, indexRecords, type RecordIndex, rulesOf } from './record-index.ts';
import { RecordReader } from './record-reader.ts';
import { beginningOf, type IndexedSource, textOf } from './text-lines.ts';

export interface CsvRowsOptions extends CsvOptions {
  /**
   * What `index` of an earlier run was: saves the pass over the file. It is not copied, so workers can share one in a
   * `SharedArrayBuffer`; leave its bytes as they are.
   */
  readonly index?: Uint8Array;
  /** Ends the pass over the file: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignalLike;
}

/** The rows of a CSV file. */
export interface CsvRows extends IndexedSource<RawRow> {
  /** What was read or told of the columns. */
  readonly columns: readonly { readonly name: string; readonly kind: ColumnKind }[];
  /** The rows from `start` up to `end` as a table, as `parseCsv` makes it: to fit an encoding, to look at. */
  table(start: number, end: number): Promise<Table>;
  /** All rows in tables of so many, one after the other. */
  tables(rows: number): AsyncIterable<Table>;
}

const known = [
  ...['name', 'separator', 'header', 'columns', 'kinds', 'missing', 'decimal', 'trim', 'maxColumns', 'onWarning'],
  ...['index', 'signal'],
];
const sampleBytes = 2 ** 20;

interface Wanted {
  readonly name: string;
  readonly kind: ColumnKind;
  /** Where it stands in the file. */
  readonly at: number;
  readonly decimal: Decimal;
}

interface Layout {
  readonly name: string;
  readonly separator: string;
  readonly fields: number;
  readonly columns: readonly Wanted[];
  readonly missing: ReadonlySet<string>;
  readonly blanksCount: boolean;
  readonly trim: boolean;
  /** Columns that were said to be numbers: they are rounded where they have more digits than a number keeps. */
  readonly saidNumbers: ReadonlySet<string>;
}

/**
 * The rows of a CSV file as samples, each read when it is asked for: numbers, booleans, texts, and null where a value is missing, as
 * `encodeRows` takes them. One pass finds where they begin. Separator, header, kinds and decimal marks are inferred from the first
 * megabyte, as by `parseCsv`, with its warnings; a value further down that does not fit is a `FormatError` with line and column.
 *
 * @example
 * import { byteRange, csvRows, fitTable } from '@nn/data';
 * const rows = await csvRows(byteRange(new Blob(['size,kind\n1,plum\n9,apple\n'])));
 * console.log(rows.length, await rows.get(1)); // => 2 { size: 9, kind: 'apple' }
 * const encoding = fitTable(await rows.table(0, 2), { targets: 'kind' });
 * console.log(encoding.inputs[0]?.name); // => size
 */
export async function csvRows(range: ByteRange, options: CsvRowsOptions = {}): Promise<CsvRows> {
  checkOptions('csvRows', options, known);
  checkRange('csvRows', range);
  const { name = 'CSV data', signal } = options;
  const reader = `csvRows: ${name}`;
  const opening = endedBy(range, signal);
  const mark = await beginningOf(reader, opening);
  // The line by which spreadsheets tell each other the separator.
  const head = textOf(
    reader,
    (await opening.read(mark, Math.min(mark + 8, range.size))).filter((byte) => byte < 128),
    1,
  );
  const told = /^sep=([^"])\r?\n/.exec(head);
  const start = mark + (told?.[0].length ?? 0);
  const separator = options.separator ?? told?.[1];
  const rules = options.index ? rulesOf(options.index) : { quotes: true, skipBlank: true };
  let index = options.index
    ? decodeIndex(reader, options.index, range.size, { ...rules, quotes: true })
    : await indexRecords(reader, opening, rules, { start, signal });
  const sample = await sampleOf(reader, opening, index);
  const given = { ...options, ...(separator !== undefined && { separator }) };
  const { index: _, signal: __, ...csv } = given;
  const parsed = parseBeginning(sample, { ...csv, name });
  const { header } = parsed.table.reading;
  const layout = layoutOf(sample, parsed, { ...csv, name });
  // Where there is one column, a blank line is a row without a value.
  if (layout.fields === 1 && rules.skipBlank) {
    index = await indexRecords(reader, opening, { quotes: true, skipBlank: false }, { start, signal });
  }
  return rowsOf(new RecordReader(range, index), layout, Number(header));
}

/** Whole records from the beginning. */
async function sampleOf(reader: string, range: ByteRange, { offsets }: RecordIndex): Promise<string> {
  const start = offsets[0]!;
  const runs = offsets.findIndex((offset) => offset - start >= sampleBytes);
  const bytes = await range.read(start, offsets.at(runs < 0 ? -1 : runs)!);
  return textOf(reader, bytes, 1);
}

function layoutOf(
  sample: string,
  { table, decimals }: ReturnType<typeof parseBeginning>,
  { name = '', missing, trim = false, kinds = {} }: CsvOptions,
): Layout {
  const { separator, header } = table.reading;
  const first: string[] = [];
  scanRecords(
    sample,
    { name, separator, start: 0, skipBlank: true },
    {
      field: (from, end, kind) => void first.push(fieldText(sample, from, end, kind, trim)),
      record: () => false,
    },
  );
  const places = new Map(first.map((own, i) => [header ? own : `column${i + 1}`, i]));
  return {
    ...{ name, separator, trim, fields: first.length },
    columns: table.columns.map((column, i) => ({
      ...{ name: column.name, kind: column.kind, decimal: decimals[i]! },
      at: places.get(column.name)!,
    })),
    missing: new Set(missing ?? ['', 'NA', 'NaN', 'null']),
    blanksCount: missing === undefined,
    saidNumbers: new Set(
      Object.keys(kinds).filter((column) => Object.hasOwn(kinds, column) && kinds[column] === 'number'),
    ),
  };
}

type Cell = string | number | boolean | null;

function rowsOf(reader: RecordReader, layout: Layout, skip: number): CsvRows {
  const length = reader.length - skip;
  const { columns, name } = layout;
  const cells = async (number: number): Promise<{ readonly values: readonly Cell[]; readonly line: number }> => {
    checkNumber('csvRows', number, length);
    const { bytes, line } = await reader.record(number + skip);
    return { values: cellsOf(textOf(`csvRows: ${name}`, bytes, line), line, layout), line };
  };
  const table = async (start: number, end: number): Promise<Table> => {
    if (!Number.isInteger(start) || start < 0 || !Number.isInteger(end) || end < start) {
      throw new ValueError('csvRows', `table(${start}, ${end}): takes the first row and the one behind the last.`, {
        start,
        end,
      });
    }
    const last = Math.min(end, length);
    const rows: (readonly Cell[])[] = [];
    const lines: number[] = [];
    for (let number = start; number < last; number++) {
      const { values, line } = await cells(number);
      rows.push(values);
      lines.push(line);
    }
    return { name, columns: columns.map((column, i) => columnOf(column, rows, i)), lines: Int32Array.from(lines) };
  };
  return {
    length,
    columns: columns.map((column) => ({ name: column.name, kind: column.kind })),
    async get(number) {
      const { values } = await cells(number);
      return Object.fromEntries(columns.map((column, i) => [column.name, values[i]!]));
    },
    table,
    async *tables(rows) {
      if (!Number.isInteger(rows) || rows < 1) {
        throw new ValueError('csvRows', `tables(${rows}): takes a whole number of rows, 1 or more.`, { rows });
      }
      for (let start = 0; start < length; start += rows) yield table(start, start + rows);
    },
    get index() {
      return reader.index.bytes;
    },
  };
}

/** The values of one record. */
function cellsOf(text: string, line: number, layout: Layout): Cell[] {
  const { name, separator, trim, fields, columns } = layout;
  const texts: string[] = [];
  const place = { name, separator, start: 0, skipBlank: false, line } as const;
  scanRecords(text === '' ? '\n' : text, place, {
    field: (from, end, kind) => void texts.push(fieldText(text, from, end, kind, trim)),
    record: () => true,
  });
  if (texts.length !== fields) {
    throw new FormatError('csvRows', `${name}, line ${line}: ${texts.length} columns, ${fields} are expected.`, {
      line,
    });
  }
  return columns.map((column) => cellOf(texts[column.at]!, column, line, layout));
}

function cellOf(text: string, { name: column, kind, at, decimal }: Wanted, line: number, layout: Layout): Cell {
  const { name, missing, blanksCount, saidNumbers } = layout;
  const trimmed = text.trim();
  if (missing.has(trimmed)) return null;
  if (kind === 'category') return text;
  const can = classify(trimmed);
  if (kind === 'boolean' && can & canBe.boolean) return trimmed.toLowerCase() === 'true';
  if (kind === 'number' && can & (decimal === '.' ? canBe.point : canBe.comma)) {
    if ((can & canBe.long) === 0 || saidNumbers.has(column)) return numberOf(trimmed, decimal);
    throw new FormatError(
      'csvRows',
      `${name}, line ${line}, column ${at + 1} (${quoted(column)}): ${quoted(trimmed)} has more digits than a number keeps; if it names something, say kinds: { ${JSON.stringify(column)}: 'category' }, else 'number', which rounds it.`,
      { line, column: at + 1 },
    );
  }
  if (blanksCount && isBlankMark(trimmed)) return null;
  const isOther = kind === 'number' && (can & (canBe.point | canBe.comma)) !== 0;
  const [what, fix] = isOther
    ? [
        `no number with a decimal ${decimal === '.' ? 'point' : 'comma'}`,
        `pass decimal: '${decimal === '.' ? ',' : '.'}'`,
      ]
    : [`no ${kind}`, 'name it in missing'];
  throw new FormatError(
    'csvRows',
    `${name}, line ${line}, column ${at + 1} (${quoted(column)}): ${quoted(trimmed)} is ${what}, as the first rows are: ${fix}, or say kinds: { ${JSON.stringify(column)}: 'category' }.`,
    { line, column: at + 1 },
  );
}

function columnOf({ name, kind }: Wanted, rows: readonly (readonly Cell[])[], at: number): Column {
  const values = rows.map((row) => row[at]!);
  if (kind === 'category')
    return { name, kind, values: values.map((value) => (value === null ? null : String(value))) };
  return { name, kind, values: Float64Array.from(values, (value) => (value === null ? Number.NaN : Number(value))) };
}

/**
 * CSV by RFC 4180: text to records, records to typed columns. Errors name line and column. The text is walked twice: once to see what
 * the columns hold (`csv-survey.ts`), once to fill them (`csv-fill.ts`), so memory is the text and the columns; this file decides between.
 * It does not turn columns into samples; that is `tables/table.ts`; records alone are `csv-records.ts`. Written here because
 * the libraries at hand keep going after errors and do not say in which column they found them.
 */
import { type AbortSignalLike, checkOptions, excerpt, FormatError, ValueError } from '@nn/core';
import { listed, quoted } from '../messages.ts';
import { type DataWarning, warningOf } from '../warning.ts';
import { fillColumns } from './csv-fill.ts';
import type { Decision } from './csv-infer.ts';
import { decide, looksLikeData, tableDecimal } from './csv-infer.ts';
import { checkCsvOptions } from './csv-options.ts';
import { checkText } from './csv-scan.ts';
import { beginning, type Survey, surveyOf, withFirstRow } from './csv-survey.ts';
import type { Decimal } from './csv-values.ts';
import type { ByteSource } from './gunzip.ts';
import { bytesOf, isGzip, unpack } from './gunzip.ts';
import { decodeText } from './text.ts';

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
  /** How the file was read, for a table that comes from one. */
  readonly reading?: CsvReading;
}

/** What a reader decided about a file. */
export interface CsvReading {
  readonly separator: string;
  /** Whether the first record named the columns. */
  readonly header: boolean;
  /** The encoding of the bytes, where there were bytes. */
  readonly encoding?: string;
  /** What may have been decided wrongly. */
  readonly warnings: readonly DataWarning[];
}

export interface CsvOptions {
  /** What to call the data in messages, as a file's name. */
  readonly name?: string;
  /**
   * One character. Where not given, `parseCsv` takes the first of , ; tab | that parts the first 50 records into equally
   * many fields (a line `sep=;` at the top decides, too), and `parseCsvRecords` takes ','.
   */
  readonly separator?: string;
  /**
   * Whether the first record names the columns; true where not given. Otherwise they are column1, column2, ...
   * 'infer': it does unless numbers stand in it over columns of numbers.
   */
  readonly header?: boolean | 'infer';
  /** The columns to read, in this order; all where not given. */
  readonly columns?: readonly string[];
  /** Kinds that are not to be inferred, by column. */
  readonly kinds?: Readonly<Record<string, ColumnKind>>;
  /** What stands for a missing value; '', NA, NaN and null where not given, and marks like n/a among numbers, with a warning. */
  readonly missing?: readonly string[];
  /** The decimal mark of all columns; the other mark, spaces and apostrophes may part thousands. Inferred by column where not given. */
  readonly decimal?: Decimal;
  /** Drop spaces around fields. RFC 4180 says that they belong to the field, so not by itself. */
  readonly trim?: boolean;
  /** The most columns that a file may have; 100,000 where not given. */
  readonly maxColumns?: number;
  /** Takes what may have been decided wrongly, a sentence each, and its kind and facts; `console.warn` where not given. */
  readonly onWarning?: (message: string, warning: DataWarning) => void;
}

export interface CsvFileOptions extends CsvOptions {
  /**
   * The encoding by its name on the web, as 'gb18030' (also GBK and GB2312), 'windows-1252', 'shift_jis'. Where not given: UTF-8, or UTF-16
   * where a byte order mark says so. 'infer' takes Chinese and Western files, too, with a warning.
   */
  readonly encoding?: string;
  /** The most bytes of text, unpacked; 2^29 where not given, about what an engine holds as one text. */
  readonly maxBytes?: number;
  /** Ends the reading: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignalLike;
}

const textOptions = ['name', 'separator', 'header', 'columns', 'kinds', 'missing', 'decimal', 'trim'];
const known = [...textOptions, 'maxColumns', 'onWarning', 'encoding', 'maxBytes', 'signal'];

/**
 * Reads a CSV file, plain or gzip, in UTF-8 or the encoding that is given; otherwise as `parseCsv`. Throws a
 * `FormatError` for bytes that are no text in it, and says what they are where they can be told (a spreadsheet, a page).
 *
 * @example
 * import { readCsv } from '@nn/data';
 * const table = await readCsv(new Blob(['x;y\n1,5;2\n']), { onWarning: () => {} });
 * console.log(table.columns[0]?.values, table.reading?.separator); // => Float64Array(1) [ 1.5 ] ;
 */
export async function readCsv(source: ByteSource, options: CsvFileOptions = {}): Promise<Table> {
  checkOptions('readCsv', options, known);
  const { name = 'CSV data', encoding, maxBytes = 2 ** 29, signal } = options;
  const packed = await bytesOf(source, signal);
  const bytes = isGzip(packed) ? await unpack(packed, maxBytes, 'readCsv', name, signal) : packed;
  if (bytes.length > maxBytes) {
    throw new FormatError('readCsv/size', `${name} has ${bytes.length} bytes, maxBytes is ${maxBytes}.`, {
      name,
      length: bytes.length,
      maxBytes,
    });
  }
  const decoded = decodeText('readCsv', name, bytes, encoding);
  signal?.throwIfAborted();
  const { table } = parse(decoded.text, options, decoded.warnings);
  return { ...table, reading: { ...table.reading, encoding: decoded.encoding } };
}

/**
 * Reads CSV text into typed columns. A column is of numbers or booleans where all its values that are not missing are;
 * otherwise its values are categories. Decimal commas, thousands marks and marks like n/a are read where a column leaves no
 * doubt; `reading` tells what was decided, and what is doubtful is warned about. Throws a `FormatError` with line and
 * column. Source: RFC 4180 (2005).
 *
 * @example
 * import { parseCsv } from '@nn/data';
 * const table = parseCsv('city,height\n"Bern, CH",540\nOslo,\n');
 * console.log(table.columns.map((column) => `${column.name}: ${column.kind}`)); // => [ 'city: category', 'height: number' ]
 */
export function parseCsv(text: string, options: CsvOptions = {}): Table {
  checkText('parseCsv', text);
  if (/^\S{1,999}\.(csv|tsv|txt|gz)$/i.test(text)) {
    throw new ValueError(
      'parseCsv',
      `takes the text of a file, got what looks like its path: readCsv(await readFile('${excerpt(text)}')).`,
    );
  }
  checkOptions('parseCsv', options, known);
  return parse(text, options, []).table;
}

type Warn = (warning: DataWarning) => void;

/** A table, and how numbers are written in it. */
interface Parsed {
  readonly table: Table & { readonly reading: CsvReading };
  /** By column: the mark that its numbers have, or, where they have none, those of the other columns. */
  readonly decimals: readonly Decimal[];
}

/** `parseCsv` of the beginning of a text, for readers of what follows. */
export function parseBeginning(text: string, options: CsvOptions): Parsed {
  checkOptions('parseCsv', options, known);
  return parse(text, options, []);
}

function parse(text: string, options: CsvOptions, said: readonly DataWarning[]): Parsed {
  checkCsvOptions(options);
  const { name = 'CSV data', trim = false, onWarning = (message: string) => console.warn(message) } = options;
  const warnings = [...said];
  const warn = (warning: DataWarning): void => {
    warnings.push(warning);
  };
  const place = beginning(text, name, options.separator, trim);
  const marks = {
    texts: new Set(options.missing ?? ['', 'NA', 'NaN', 'null']),
    blanksCount: options.missing === undefined,
  };
  const found = surveyOf(text, place, marks, options);
  const header = hasHeader(found, options, warn);
  const names = header ? found.first : found.first.map((_, i) => `column${i + 1}`);
  const positions = positionsOf(names, name, found.firstLine);
  const survey = header ? found : withFirstRow(found, marks);
  const wanted = options.columns ?? names;
  for (const asked of [...wanted, ...Object.keys(options.kinds ?? {})]) {
    if (!positions.has(asked)) {
      throw new ValueError('parseCsv', `${name} has no column ${quoted(asked)}; it has ${listed(names)}.`, {
        column: asked,
      });
    }
  }
  const places = wanted.map((asked) => positions.get(asked)!);
  const { decisions, decimals } = decisionsOf(survey, names, places, place.separator, options, warn);
  const { rows } = survey;
  const { columns, lines } = fillColumns(text, place, { names, decisions, rows, header, missing: marks.texts, trim });
  for (const warning of warnings) onWarning(`parseCsv: ${name}: ${warning.message}`, warning);
  return {
    table: {
      name,
      columns: places.map((at) => columns[at] as Column),
      lines,
      reading: { separator: place.separator, header, warnings },
    },
    decimals,
  };
}

/** Whether the first record names the columns. */
function hasHeader({ first, head, facts, rows }: Survey, options: CsvOptions, warn: Warn): boolean {
  const isData = looksLikeData(head, facts);
  const header = options.header === 'infer' ? !isData : (options.header ?? true);
  if (header && isData && rows > 0) {
    const cells = listed(first.slice(0, 4));
    warn(
      warningOf(
        'parseCsv/data-as-names',
        `the first line looks like data (${cells}) and was taken for the columns' names: pass header: false.`,
        { cells },
      ),
    );
  }
  if (options.header === 'infer' && !header) {
    warn(
      warningOf(
        'parseCsv/no-names',
        'the first line holds numbers, so it was taken for data, and the columns are called column1, column2, ...',
      ),
    );
  }
  if (first.length === 1 && options.separator === undefined && /[;\t|]/.test(first[0]!)) {
    warn(
      warningOf('parseCsv/one-column', `the file was read as one column, ${quoted(first[0]!)}: name the separator.`, {
        column: first[0],
      }),
    );
  }
  return header;
}

/** How the columns at these places are read, null for all others; and the decimal mark of each. */
function decisionsOf(
  { facts, rows }: Survey,
  names: readonly string[],
  places: readonly number[],
  separator: string,
  { decimal, kinds = {} }: CsvOptions,
  warn: Warn,
): { readonly decisions: readonly (Decision | null)[]; readonly decimals: readonly Decimal[] } {
  const chosen = new Set(places);
  const others = decimal ?? tableDecimal(facts.filter((_, i) => chosen.has(i)));
  const decisions = facts.map((each, i): Decision | null => {
    if (!chosen.has(i)) return null;
    const own = names[i]!;
    const forced = Object.hasOwn(kinds, own) ? kinds[own] : undefined;
    const inferred = decide(own, each, { decimal, others, separator, rows }, (warning) => {
      if (forced === undefined) warn(warning);
    });
    return forced === undefined ? inferred : { kind: forced, decimal: decimal ?? inferred.decimal, blanks: false };
  });
  const decimals = places.map((at) => {
    const own = decisions[at]?.decimal ?? '.';
    return facts[at]!.depends ? own : (others ?? own);
  });
  return { decisions, decimals };
}

function positionsOf(names: readonly string[], name: string, line: number): Map<string, number> {
  const positions = new Map<string, number>();
  names.forEach((column, i) => {
    const before = positions.get(column);
    if (before !== undefined) {
      throw new FormatError(
        'parseCsv/same-names',
        `${name}, line ${line}: columns ${before + 1} and ${i + 1} are both named ${quoted(column)}; rename one, or pass header: false where the line is data.`,
        { name, line, column: i + 1, before: before + 1, columnName: column },
      );
    }
    positions.set(column, i);
  });
  return positions;
}

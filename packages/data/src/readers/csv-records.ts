/**
 * The records of a CSV text as lists of texts, for files that are no table. Columns with types are `csv.ts`.
 * Kept are the places where records begin, 8 bytes each; the fields of a record are found again when somebody asks for it.
 */
import { checkOptions } from '@nn/core';
import type { CsvOptions } from './csv.ts';
import { checkSeparator, checkText, fieldText, type Scan, type ScanOptions, scanRecords } from './csv-scan.ts';

/** The records of a CSV text: a list that is walked, or asked for one of them. */
export class CsvRecords implements Iterable<string[]> {
  /** The line on which each record begins, from 1. */
  readonly lines: Int32Array;
  readonly #starts: Int32Array;
  readonly #text: string;
  readonly #place: ScanOptions;
  readonly #trim: boolean;

  constructor(text: string, place: ScanOptions, trim: boolean, count: number) {
    this.#text = text;
    this.#place = place;
    this.#trim = trim;
    this.lines = new Int32Array(count);
    this.#starts = new Int32Array(count);
    let i = 0;
    scanRecords(text, place, {
      field: () => undefined,
      record: (line, start) => {
        this.lines[i] = line;
        this.#starts[i++] = start;
        return true;
      },
    });
  }

  /** The number of records. */
  get length(): number {
    return this.lines.length;
  }

  /** The fields of record `index`, a list of its own; undefined past the end. Negative numbers count from there. */
  at(index: number): string[] | undefined {
    const start = this.#starts.at(index);
    return start === undefined ? undefined : this.#fieldsAt(start);
  }

  *[Symbol.iterator](): Generator<string[], void> {
    for (const start of this.#starts) yield this.#fieldsAt(start);
  }

  #fieldsAt(start: number): string[] {
    const fields: string[] = [];
    // the record was read before, so nothing is wrong with it, and which line it is on does not matter
    const from = { ...this.#place, start, line: 1, skipBlank: false };
    scanRecords(this.#text, from, {
      field: (begin, end, kind) => fields.push(fieldText(this.#text, begin, end, kind, this.#trim)),
      record: () => false,
    });
    return fields;
  }
}

/**
 * The records of a CSV text as they stand: fields in quotes may hold separators, line ends and doubled quotes; lines
 * end with CR LF, LF or CR. A byte order mark is skipped, and so are blank lines, but where every record is of one field:
 * there they are empty ones. Memory: the text and 8 bytes a record, whatever stands in it. Throws a `FormatError` with line
 * and column.
 *
 * @example
 * import { parseCsvRecords } from '@nn/data';
 * const records = parseCsvRecords('a,"say ""hi"""\r\n1,2');
 * console.log([...records]); // => [ [ 'a', 'say "hi"' ], [ '1', '2' ] ]
 * console.log(records.length, records.at(-1), records.lines); // => 2 [ '1', '2' ] Int32Array(2) [ 1, 2 ]
 */
export function parseCsvRecords(
  text: string,
  options: Pick<CsvOptions, 'name' | 'separator' | 'trim'> = {},
): CsvRecords {
  checkOptions('parseCsvRecords', options, ['name', 'separator', 'trim']);
  checkText('parseCsvRecords', text);
  const { name = 'CSV data', separator = ',', trim = false } = options;
  const skipping: ScanOptions = {
    name,
    separator: checkSeparator(separator),
    start: text.charCodeAt(0) === 0xfeff ? 1 : 0,
    skipBlank: trim ? 'spaces' : true,
  };
  const { records, mostFields } = count(text, skipping);
  if (mostFields !== 1) return new CsvRecords(text, skipping, trim, records);
  const place: ScanOptions = { ...skipping, skipBlank: false };
  return new CsvRecords(text, place, trim, count(text, place).records);
}

function count(text: string, place: ScanOptions): { records: number; mostFields: number } {
  let [records, mostFields, fields] = [0, 0, 0];
  const scan: Scan = {
    field: () => {
      fields++;
    },
    record: () => {
      records++;
      mostFields = Math.max(mostFields, fields);
      fields = 0;
      return true;
    },
  };
  scanRecords(text, place, scan);
  return { records, mostFields };
}

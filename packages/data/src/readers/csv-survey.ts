/**
 * The first walk over CSV text: where its records begin, the first of them, what each column holds, the number of rows. It decides
 * nothing: that is `csv-infer.ts` and `csv.ts`.
 */
import { FormatError } from '@nn/core';
import { quoted } from '../messages.ts';
import type { CsvOptions } from './csv.ts';
import { ColumnFacts, inferSeparator } from './csv-infer.ts';
import { checkSeparator, fieldText, type ScanOptions, scanRecords } from './csv-scan.ts';

/** What stands for a missing value, and whether marks like n/a do among numbers. */
export interface MissingMarks {
  readonly texts: ReadonlySet<string>;
  readonly blanksCount: boolean;
}

/** What was seen. The first record may name the columns or be a row. */
export interface Survey {
  readonly first: readonly string[];
  /** Its line. */
  readonly firstLine: number;
  /** What its fields could be, and what those below it are. */
  readonly head: readonly ColumnFacts[];
  readonly facts: readonly ColumnFacts[];
  /** The records below it. */
  readonly rows: number;
}

/** Where the records begin, what separates their fields, and whether blank lines are records. */
export function beginning(text: string, name: string, separator: string | undefined, trim: boolean): ScanOptions {
  const mark = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  // The line by which spreadsheets tell each other.
  const told = /^sep=(.)\r?\n/.exec(text.slice(mark, mark + 8));
  const start = told === null || told[1] === '"' ? mark : mark + told[0].length;
  const own = separator === undefined && start > mark ? told?.[1] : separator;
  const chosen = own === undefined ? inferSeparator(text, name, start) : checkSeparator(own);
  const blank = trim ? 'spaces' : true;
  // Where records have several fields, a blank line is none; where they have one, it is a record of an empty field, unless
  // the whole text is blank: then it has no records.
  let fields = 0;
  scanRecords(
    text,
    { name, separator: chosen, start, skipBlank: blank },
    { field: () => fields++, record: () => false },
  );
  return { name, separator: chosen, start, skipBlank: fields !== 1 && blank };
}

/** Walks over the text. Throws a `FormatError` where it is empty, or a record has other fields than the first one. */
export function surveyOf(text: string, place: ScanOptions, marks: MissingMarks, options: CsvOptions): Survey {
  const { name } = place;
  const { trim = false, maxColumns = 100_000 } = options;
  const first: string[] = [];
  const head: ColumnFacts[] = [];
  const facts: ColumnFacts[] = [];
  let firstLine = 0;
  let rows = 0;
  let isFirst = true;
  let column = 0;
  scanRecords(text, place, {
    field(from, end, kind, line) {
      column++;
      if (isFirst) {
        if (column > maxColumns) {
          throw new FormatError(
            'parseCsv/column-count',
            `${name} has more than ${maxColumns} columns in its first line; raise maxColumns, or name the separator.`,
            { name, maxColumns },
          );
        }
        first.push(fieldText(text, from, end, kind, trim));
      } else if (column <= first.length) {
        note(facts[column - 1]!, fieldText(text, from, end, kind, trim), line, marks);
      }
    },
    record(line) {
      const fields = column;
      column = 0;
      if (isFirst) {
        isFirst = false;
        firstLine = line;
        for (const value of first) {
          facts.push(new ColumnFacts());
          const each = new ColumnFacts();
          note(each, value, line, marks);
          head.push(each);
        }
        return true;
      }
      if (fields !== first.length) {
        const names = options.header === false ? [] : first;
        throw new FormatError(
          'parseCsv/columns',
          `${name}, line ${line}: ${fields} columns, ${first.length} are expected${fields < names.length ? ` (${quoted(names[fields]!)} is the first that is missing)` : ''}.`,
          { name, line, column: Math.min(fields, first.length) + 1, columns: fields, expected: first.length },
        );
      }
      rows++;
      return true;
    },
  });
  if (isFirst) throw new FormatError('parseCsv/empty', `${name} is empty.`, { name });
  return { first, firstLine, head, facts, rows };
}

/** The same where the first record is a row like the others. */
export function withFirstRow(survey: Survey, marks: MissingMarks): Survey {
  const { first, firstLine, facts, rows } = survey;
  for (const [i, value] of first.entries()) note(facts[i]!, value, firstLine, marks);
  return { ...survey, rows: rows + 1 };
}

function note(facts: ColumnFacts, value: string, line: number, { texts, blanksCount }: MissingMarks): void {
  const trimmed = value.trim();
  if (!texts.has(trimmed)) facts.add(trimmed, line, blanksCount);
}

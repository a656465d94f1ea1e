/**
 * What a file holds, as text for a terminal: a title, a table, lists. Commands of other packages print theirs by it, so that
 * all of them look alike. Names come from files of others: what would move a cursor is shown, not sent.
 */
import { excerpt } from '@nn/core';

/** What is known of a file, ready to be laid out. */
export interface Inspection {
  /** The first line: which file, which format, how much of what. */
  readonly title: string;
  readonly columns: readonly string[];
  /** Numbers stand to the right, with commas between thousands. */
  readonly rows: readonly (readonly (string | number)[])[];
  /** The last row of the table, below a rule. */
  readonly totals: readonly (string | number)[];
  /** Lists below the table; those without lines are left out. */
  readonly sections: readonly { readonly title: string; readonly lines: readonly string[] }[];
}

/** No line of a terminal is longer. */
const longest = 200;

/**
 * A table and lists as text, as `npx @nn/serialize inspect` prints them.
 *
 * @example
 * import { inspectionText } from '@nn/serialize';
 * const rows = [['weight', 1200], ['bias', 3]];
 * const text = inspectionText({ title: 'a.bin', columns: ['tensor', 'bytes'], rows, totals: ['total', 1203], sections: [] });
 * console.log(text.split('\n')[4]); // => weight  1,200
 */
export function inspectionText({ title, columns, rows, totals, sections }: Inspection): string {
  const cells = [columns, ...rows, totals].map((row) => row.map(cellText));
  const widths = columns.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  const isNumber = columns.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'));
  const lines = cells.map((row) =>
    row
      .map((cell, column) => (isNumber[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  const rule = '-'.repeat(widths.reduce((sum, width) => sum + width, 2 * (columns.length - 1)));
  const table = [lines[0], rule, ...lines.slice(1, -1), rule, lines.at(-1)];
  const lists = sections
    .filter((section) => section.lines.length > 0)
    .flatMap((section) => ['', section.title, ...section.lines.map((line) => `  ${visible(line)}`)]);
  return [visible(title), '', ...table, ...lists].join('\n');
}

function cellText(cell: string | number): string {
  return typeof cell === 'number' ? String(cell).replace(/\B(?=(\d{3})+$)/g, ',') : visible(cell);
}

/** Text of others, without what a terminal would obey. */
function visible(text: string): string {
  return excerpt(text, longest).replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

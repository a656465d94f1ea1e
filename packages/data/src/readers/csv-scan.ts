/**
 * One walk over CSV text by RFC 4180: it finds fields and records and stores none of them, so a reader may walk twice
 * and holds no more than what it keeps. What fields mean is `csv-values.ts`, tables are `csv.ts`.
 */
import { FormatError, realmTag, ValueError } from '@nn/core';

export interface ScanOptions {
  /** What to call the data in messages. */
  readonly name: string;
  readonly separator: string;
  /** Where the text begins: after a byte order mark, after `sep=;`. */
  readonly start: number;
  /** The line of `start`, where it is known. */
  readonly line?: number;
  /** Whether blank lines are no records; 'spaces' where lines of spaces are blank, too. */
  readonly skipBlank: boolean | 'spaces';
}

/** What a walk tells. Positions are those of the text between the quotes, or of the whole field where there are none. */
export interface Scan {
  /** A field of the record that began on `line`. */
  field(start: number, end: number, kind: FieldKind, line: number): void;
  /** After the last field of that record, which began at `start`; the walk ends where it returns false. */
  record(line: number, start: number): boolean;
}

/** 0: a field as it stands; 1: it was in quotes; 2: in quotes, and quotes in it are doubled. */
export type FieldKind = 0 | 1 | 2;

const quote = 34;
const lineFeed = 10;
const carriageReturn = 13;

/** Throws a `ValueError` for what is no text, as the bytes of a file. */
export function checkText(operation: string, text: unknown): void {
  if (typeof text === 'string') return;
  throw new ValueError(operation, `takes text, got ${realmTag(text)}: readCsv takes the bytes of a file.`);
}

/** Walks over the text. Throws a `FormatError` with line and column where quotes are wrong. */
export function scanRecords(text: string, place: ScanOptions, scan: Scan): void {
  const { name, separator, start, skipBlank } = place;
  const split = separator.charCodeAt(0);
  let line = place.line ?? lineAt(text, start);
  let at = start;
  const where = (column: number): string => `${name}, line ${line}, column ${column}`;
  while (at < text.length) {
    if (skipBlank) {
      let end = at;
      if (skipBlank === 'spaces') while (isSpace(text.charCodeAt(end)) && text.charCodeAt(end) !== split) end++;
      if (isLineEnd(text, end) || text.charCodeAt(end) === carriageReturn || end >= text.length) {
        at = text.charCodeAt(end) === carriageReturn && text.charCodeAt(end + 1) === lineFeed ? end + 2 : end + 1;
        line++;
        continue;
      }
    }
    const firstLine = line;
    const first = at;
    let column = 0;
    for (let more = true; more; ) {
      column++;
      const begin = at;
      if (text.charCodeAt(at) === quote) {
        const openLine = line;
        let kind: 1 | 2 = 1;
        let end: number;
        at++;
        for (;;) {
          end = text.indexOf('"', at);
          if (end < 0) {
            line = openLine;
            throw new FormatError('parseCsv/open-quote', `${where(column)}: a quote is opened and never closed.`, {
              name,
              line,
              column,
            });
          }
          for (let i = at; i < end; i++) if (isLineEnd(text, i)) line++;
          at = end + 1;
          if (text.charCodeAt(at) !== quote) break;
          kind = 2;
          at++;
        }
        const next = text.charCodeAt(at);
        if (at < text.length && next !== split && next !== lineFeed && next !== carriageReturn) {
          throw new FormatError(
            'parseCsv/after-quote',
            `${where(column)}: '${text[at]}' follows a closing quote; a separator or a line end must (quotes inside a field are doubled).`,
            { name, line, column, character: text[at] },
          );
        }
        scan.field(begin + 1, end, kind, firstLine);
      } else {
        let code = text.charCodeAt(at);
        while (at < text.length && code !== split && code !== lineFeed && code !== carriageReturn) {
          if (code === quote) {
            throw new FormatError(
              'parseCsv/inner-quote',
              `${where(column)}: a quote inside a field that does not begin with one; put the whole field in quotes.`,
              { name, line, column },
            );
          }
          code = text.charCodeAt(++at);
        }
        scan.field(begin, at, 0, firstLine);
      }
      more = text.charCodeAt(at) === split;
      if (more) at++;
    }
    if (text.charCodeAt(at) === carriageReturn && text.charCodeAt(at + 1) === lineFeed) at++;
    at++;
    line++;
    if (!scan.record(firstLine, first)) return;
  }
}

/** The text of a field that a walk told. */
export function fieldText(text: string, start: number, end: number, kind: FieldKind, trim: boolean): string {
  const field = text.slice(start, end);
  if (kind === 2) return field.replaceAll('""', '"');
  return trim && kind === 0 ? field.trim() : field;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** The line on which `position` stands, from 1. */
function lineAt(text: string, position: number): number {
  let line = 1;
  for (let i = 0; i < position; i++) if (isLineEnd(text, i)) line++;
  return line;
}

/** Whether a line ends at i; CR LF counts once, at its LF. */
function isLineEnd(text: string, i: number): boolean {
  const code = text.charCodeAt(i);
  return code === lineFeed || (code === carriageReturn && text.charCodeAt(i + 1) !== lineFeed);
}

/** Throws ValueError unless `separator` can be one. */
export function checkSeparator(separator: string): string {
  if (separator.length !== 1 || separator === '"' || separator === '\n' || separator === '\r') {
    throw new ValueError(
      'parseCsv',
      `separator '${separator}' is not one character other than a quote or a line end.`,
      {
        separator,
      },
    );
  }
  return separator;
}

/**
 * The second walk over CSV text: values into columns whose kinds are decided. What kinds they have is `csv-infer.ts`, from what the
 * first walk saw (`csv-survey.ts`).
 */
import { FormatError } from '@nn/core';
import { quoted } from '../messages.ts';
import type { Column } from './csv.ts';
import type { Decision } from './csv-infer.ts';
import { fieldText, type ScanOptions, scanRecords } from './csv-scan.ts';
import { canBe, classify, isBlankMark, numberOf } from './csv-values.ts';

/** What the second walk is to make. */
export interface FillPlan {
  readonly names: readonly string[];
  /** null for a column that is not wanted. */
  readonly decisions: readonly (Decision | null)[];
  readonly rows: number;
  /** Whether the first record is no row. */
  readonly header: boolean;
  readonly missing: ReadonlySet<string>;
  readonly trim: boolean;
}

/** The values of the columns that have a decision, and the line of each row. Throws a `FormatError` for a value that does not fit. */
export function fillColumns(
  text: string,
  place: ScanOptions,
  plan: FillPlan,
): { readonly columns: readonly (Column | null)[]; readonly lines: Int32Array } {
  const { names, decisions, rows, missing, trim } = plan;
  const lines = new Int32Array(rows);
  const numbers = decisions.map((each) => (each && each.kind !== 'category' ? new Float64Array(rows) : null));
  // grown by push: an engine keeps a list of many million places that is made at once as a slow and large map
  const texts = decisions.map((each): (string | null)[] | null => (each?.kind === 'category' ? [] : null));
  /** Values that occur again are one string. */
  const kept = new Map<string, string>();
  let row = plan.header ? -1 : 0;
  let column = 0;
  let wrong: { column: number; what: string } | null = null;
  scanRecords(text, place, {
    field(from, end, kind) {
      const i = column++;
      const decision = decisions[i];
      if (!decision || row < 0) return;
      const value = fieldText(text, from, end, kind, trim);
      const trimmed = value.trim();
      const isMissing = missing.has(trimmed) || (decision.blanks && isBlankMark(trimmed));
      const list = texts[i];
      if (list) {
        if (isMissing) {
          list.push(null);
          return;
        }
        let same = kept.get(value);
        if (same === undefined) {
          same = value;
          if (kept.size < 10_000 && value.length < 200) kept.set(value, value);
        }
        list.push(same);
        return;
      }
      (numbers[i] as Float64Array)[row] = isMissing
        ? Number.NaN
        : numberFrom(trimmed, decision, (what) => {
            wrong ??= { column: i, what };
          });
    },
    record(line) {
      column = 0;
      if (wrong) {
        const at = wrong.column;
        throw new FormatError(
          'parseCsv/value',
          `${place.name}, line ${line}, column ${at + 1} (${quoted(names[at]!)}): ${wrong.what}`,
          { name: place.name, line, column: at + 1 },
        );
      }
      if (row >= 0) lines[row] = line;
      row++;
      return true;
    },
  });
  const columns = names.map((name, i): Column | null => {
    const decision = decisions[i];
    if (!decision) return null;
    if (decision.kind === 'category') return { name, kind: 'category', values: texts[i] ?? [] };
    return { name, kind: decision.kind, values: numbers[i] ?? new Float64Array(rows) };
  });
  return { columns, lines };
}

/** The number that a field of numbers or booleans stands for. */
function numberFrom(text: string, { kind, decimal }: Decision, wrong: (what: string) => void): number {
  const can = classify(text);
  if (kind === 'boolean') {
    if (!(can & canBe.boolean)) wrong(`${quoted(text)} is neither true nor false.`);
    return text.toLowerCase() === 'true' ? 1 : 0;
  }
  if (can & (decimal === '.' ? canBe.point : canBe.comma)) return numberOf(text, decimal);
  wrong(`${quoted(text)} is not a number.`);
  return Number.NaN;
}

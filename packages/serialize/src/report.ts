/**
 * What a file has and a model has not, and the other way round: as an error whose message puts the two side by side, each
 * name with the shapes on both sides and the nearest name on the other.
 */
import type { Parameter } from '@nn/core';
import { excerpt, FormatError } from '@nn/core';
import { nearestName } from './names.ts';
import { type Pairing, shapeText } from './parameters.ts';
import type { WeightsEntry } from './weights.ts';

/** A line of the comparison; what one side lacks is null. */
interface Row {
  readonly name: string;
  readonly here: string | null;
  readonly file: string | null;
  readonly nearest: string | null;
}

/** Both sides, for shapes and for names that are near. */
export interface Sides {
  readonly expected: ReadonlyMap<string, Parameter>;
  readonly stored: ReadonlyMap<string, WeightsEntry>;
  /** What else could be the matter, as a sentence. */
  readonly hint?: string;
}

/** How many names are compared with all others: each takes some milliseconds in a model of thousands. */
const comparedRows = 40;
const shownRows = 12;

type Mismatch = Pick<Pairing, 'missing' | 'unexpected' | 'mismatched' | 'differences'>;

interface ReportOptions {
  readonly strict?: boolean;
  readonly skipMismatched?: boolean;
  /** States of objects on the host, by the objects' names, that are on one side alone. */
  readonly missingStates?: readonly string[];
  readonly unexpectedStates?: readonly string[];
}

/** Throws a `FormatError` that lists what does not fit; names on one side alone only where `strict`. */
export function reportMismatch(operation: string, match: Mismatch, options: ReportOptions = {}, sides?: Sides): void {
  const { strict = true, skipMismatched = false, missingStates = [], unexpectedStates = [] } = options;
  const { missing, unexpected, mismatched, differences } = match;
  const parts: string[] = [];
  const states = (names: readonly string[]): string[] => names.map((name) => `the state of ${name}`);
  const [lacks, has] = [
    [...missing, ...states(missingStates)],
    [...unexpected, ...states(unexpectedStates)],
  ];
  if (strict && lacks.length > 0) parts.push(`missing in the file: ${list(lacks)}`);
  if (strict && has.length > 0) parts.push(`unexpected in the file: ${list(has)}`);
  if (!skipMismatched && mismatched.length > 0) parts.push(`different: ${list(mismatched)}`);
  if (parts.length === 0) return;
  const rows = sides ? rowsOf(match, sides) : [];
  const hint = sides?.hint === undefined ? '' : ` ${sides.hint}`;
  throw new FormatError(
    `${operation}/mismatch`,
    `the file does not fit, and nothing was changed; ${parts.join('; ')}.${hint}${table(rows)}`,
    {
      missing,
      unexpected,
      mismatched,
      differences,
      missingStates,
      unexpectedStates,
      rows,
    },
  );
}

function rowsOf({ missing, unexpected, differences }: Mismatch, { expected, stored }: Sides): Row[] {
  const rows: Row[] = differences.map(({ name, file, here }) => ({ name, here, file, nearest: null }));
  for (const [at, name] of missing.entries()) {
    const nearest = at < comparedRows ? (nearestName(name, unexpected) ?? null) : null;
    rows.push({ name, here: shapeText(expected.get(name)?.shape ?? []), file: null, nearest });
  }
  for (const [at, name] of unexpected.entries()) {
    const nearest = at < comparedRows ? (nearestName(name, missing) ?? null) : null;
    rows.push({ name, here: null, file: shapeText(stored.get(name)?.shape ?? []), nearest });
  }
  return rows;
}

function table(rows: readonly Row[]): string {
  if (rows.length === 0) return '';
  const cells = [
    ['name', 'here', 'in the file', 'nearest name'],
    ...rows
      .slice(0, shownRows)
      .map(({ name, here, file, nearest }) => [
        excerpt(name, 60),
        here ?? '-',
        file ?? '-',
        excerpt(nearest ?? '', 60),
      ]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((row) => row[column]!.length)));
  const lines = cells.map(
    (row) =>
      `\n  ${row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()}`,
  );
  if (rows.length > shownRows) lines.push(`\n  and ${rows.length - shownRows} more: error.data.rows`);
  return lines.join('');
}

function list(names: readonly string[]): string {
  const shown = names
    .slice(0, 8)
    .map((name) => excerpt(name, 200))
    .join(', ');
  return names.length > 8 ? `${shown} and ${names.length - 8} more` : shown;
}

/**
 * What a file has and a model has not, and the other way round: as an error whose message puts the two side by side, each
 * name with the shapes on both sides and the nearest name on the other.
 */
import { excerpt, FormatError } from '@nn/core';
import { nearestName } from './nearest-name.ts';
import type { MatchOptions, Mismatch, Pairing, Sides } from './parameters.ts';

/** A line of the comparison; what one side lacks is null. */
interface Row {
  readonly name: string;
  readonly here: string | null;
  readonly file: string | null;
  readonly nearest: string | null;
}

/** How many names are compared with all others: each takes some milliseconds in a model of thousands. */
const comparedRows = 40;
const shownRows = 12;

type Compared = Pick<Pairing, 'missing' | 'unexpected' | 'mismatched'>;

/** The error for what does not fit. */
export function mismatchError(
  operation: string,
  match: Compared,
  options: MatchOptions,
  sides: Sides | undefined,
): FormatError {
  const { strict = true, skipMismatched = false, missingStates = [], unexpectedStates = [] } = options;
  const { missing, unexpected, mismatched } = match;
  const parts: string[] = [];
  const states = (names: readonly string[]): string[] => names.map((name) => `the state of ${name}`);
  const [lacks, has] = [
    [...missing, ...states(missingStates)],
    [...unexpected, ...states(unexpectedStates)],
  ];
  if (strict && lacks.length > 0) parts.push(`missing in the file: ${list(lacks)}`);
  if (strict && has.length > 0) parts.push(`unexpected in the file: ${list(has)}`);
  if (!skipMismatched && mismatched.length > 0) parts.push(`different: ${list(mismatched.map(sentence))}`);
  const rows = sides ? rowsOf(match, sides) : [];
  const hint = sides?.hint === undefined ? '' : ` ${sides.hint}`;
  return new FormatError(
    `${operation}/mismatch`,
    `the file does not fit, and nothing was changed; ${parts.join('; ')}.${hint}${table(rows)}`,
    {
      missing,
      unexpected,
      mismatched,
      missingStates,
      unexpectedStates,
      rows,
    },
  );
}

/** What does not fit, in words. */
function sentence(mismatch: Mismatch): string {
  const name = `'${excerpt(mismatch.name)}'`;
  switch (mismatch.reason) {
    case 'shape':
      return `${name} has the shape ${shapeText(mismatch.file)} in the file, ${shapeText(mismatch.here)} here`;
    case 'dtype':
      return `${name} is ${mismatch.file} in the file, ${mismatch.here} here`;
    case 'values':
      return mismatch.words;
    case 'twice':
      return `${name} is given twice, the second time by '${excerpt(mismatch.other)}'`;
    case 'tied':
      return `${name} and '${excerpt(mismatch.other)}' are one parameter here, and two different tensors in the file`;
  }
}

function shapeText(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

function rowsOf({ missing, unexpected, mismatched }: Compared, { expected, stored }: Sides): Row[] {
  const rows = mismatched.flatMap((mismatch): Row[] => {
    if (mismatch.reason !== 'shape' && mismatch.reason !== 'dtype') return [];
    const [here, file] = [mismatch.here, mismatch.file].map((side) =>
      typeof side === 'string' ? side : shapeText(side),
    ) as [string, string];
    return [{ name: mismatch.name, here, file, nearest: null }];
  });
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

/** The mean of the target in each category of a column. Which rows they are taken from, and for which, is `fit.ts`. */
import { ValueError } from '@nn/core';
import { quoted } from '../messages.ts';
import type { Column, Table } from '../readers/csv.ts';
import type { ColumnEncoding, TargetEncoding } from './encoding.ts';
import { categoryAt, checkSizes, columnFinder, fittedAs } from './table.ts';

/**
 * (sum of the category's targets + m mean) / (count + m) with m = smoothing and the mean over all rows: few rows say little. Of two
 * classes the first counts 0, the second 1, as the encoding of the target has them: a part of the rows may hold one of them only.
 * Source: Micci-Barreca (2001).
 */
export function fitMeans(
  table: Table,
  column: Column,
  targets: readonly ColumnEncoding[],
  smoothing = 10,
): TargetEncoding {
  const { name } = column;
  const classes = targets[0]?.kind === 'index' ? targets[0].categories : undefined;
  if (targets.length > 1 || (classes && classes.length > 2)) {
    throw new ValueError(
      'fitTable',
      `column ${quoted(name)} is target-encoded, for which there must be one target of numbers or of two classes.`,
      { column: name },
    );
  }
  if (!(smoothing >= 0 && Number.isFinite(smoothing))) {
    throw new ValueError(
      'fitTable',
      `column ${quoted(name)}: smoothing ${smoothing} is not a number of rows, 0 or more.`,
      { column: name },
    );
  }
  const target = columnFinder('fitTable', table)(targets[0]!.name);
  if (target.kind === 'number') checkSizes(table, target.name, target.values);
  const value = (row: number): number => {
    if (target.kind !== 'category') return target.values[row]!;
    const own = target.values[row];
    return own === null ? Number.NaN : classes!.indexOf(own!);
  };
  const sums = new Map<string, { sum: number; count: number }>();
  let [total, rows] = [0, 0];
  for (let row = 0; row < table.lines.length; row++) {
    if (Number.isNaN(value(row))) continue;
    total += value(row);
    rows++;
    const category = categoryAt(column, row);
    if (category === null) continue;
    const entry = sums.get(category) ?? { sum: 0, count: 0 };
    entry.sum += value(row);
    entry.count++;
    sums.set(category, entry);
  }
  const mean = rows === 0 ? 0 : total / rows;
  const categories = [...sums.keys()].sort();
  return {
    name,
    kind: 'target',
    categories,
    values: categories.map((category) => {
      const { sum, count } = sums.get(category)!;
      return (sum + smoothing * mean) / (count + smoothing);
    }),
    otherwise: mean,
    ...fittedAs(column),
  };
}

/** Before the training: weights that make target and group independent, features without what tells the group. */
import { ShapeError } from '@nn/core';
import { type Attributes, checkLength, groupsOf } from '../groups.ts';

/**
 * Weights P(g) P(y) / P(g, y): with them every group has the same share of each target. (Kamiran and Calders 2012.)
 *
 * @example
 * import { reweigh } from '@nn/fairness';
 * const weights = reweigh([1, 0, 1, 1], ['a', 'a', 'b', 'b']);
 * console.log([...weights].map((weight) => weight.toFixed(2)).join(' ')); // => 1.50 0.50 0.75 0.75
 */
export function reweigh(targets: ArrayLike<number | string>, groups: Attributes): Float64Array {
  const size = targets.length;
  const byGroup = groupsOf('reweigh', groups, size);
  const byTarget = groupsOf('reweigh', targets, size);
  const weights = new Float64Array(size);
  for (const members of byGroup.values()) {
    const counts = new Map<string, number>();
    for (const i of members) counts.set(String(targets[i]), (counts.get(String(targets[i])) ?? 0) + 1);
    for (const i of members) {
      const target = String(targets[i]);
      weights[i] = (members.length * byTarget.get(target)!.length) / (size * counts.get(target)!);
    }
  }
  return weights;
}

/** Takes from features what is linear in the sensitive ones; made by `fitCorrelationRemover`. */
export interface CorrelationRemover {
  /** [features][sensitive], the least-squares coefficients. */
  readonly coefficients: readonly (readonly number[])[];
  /** Of the sensitive ones, in the data it was fitted to. */
  readonly means: readonly number[];
  transform(features: readonly ArrayLike<number>[], sensitive: readonly ArrayLike<number>[]): Float64Array[];
}

/**
 * Fits, for each feature, a line over the centred sensitive ones, to be taken away: x - alpha (s - mean) B. With `alpha` 1 no
 * correlation is left, with 0 all of it. Rows are samples. (Fairlearn's `CorrelationRemover`.)
 *
 * @example
 * import { fitCorrelationRemover } from '@nn/fairness';
 * const [features, sensitive] = [[[1], [2], [4], [5]], [[0], [0], [1], [1]]];
 * const remover = fitCorrelationRemover(features, sensitive);
 * console.log(remover.transform(features, sensitive).map(([x]) => x?.toFixed(1)).join(' ')); // => 2.5 3.5 2.5 3.5
 */
export function fitCorrelationRemover(
  features: readonly ArrayLike<number>[],
  sensitive: readonly ArrayLike<number>[],
  alpha = 1,
): CorrelationRemover {
  checkLength('fitCorrelationRemover', 'sensitive', sensitive, features.length);
  const [width, count] = [features[0]?.length ?? 0, sensitive[0]?.length ?? 0];
  const means = Array.from(
    { length: count },
    (_, k) => sensitive.reduce((sum, row) => sum + row[k]!, 0) / sensitive.length,
  );
  const centred = sensitive.map((row) => means.map((mean, k) => row[k]! - mean));
  // the normal equations S^T S B = S^T X
  const gram = means.map((_, a) => means.map((_, b) => centred.reduce((sum, row) => sum + row[a]! * row[b]!, 0)));
  const coefficients = Array.from({ length: width }, (_, j) =>
    solve(
      gram,
      means.map((_, a) => centred.reduce((sum, row, i) => sum + row[a]! * features[i]![j]!, 0)),
    ),
  );
  return {
    coefficients,
    means,
    transform: (rows, marks) => {
      checkLength('transform', 'sensitive', marks, rows.length);
      return rows.map((row, i) => {
        if (row.length !== width || marks[i]!.length !== count) {
          throw new ShapeError(
            'transform',
            `row ${i} has ${row.length} features and ${marks[i]!.length} sensitive ones, fitted were ${width} and ${count}.`,
          );
        }
        return Float64Array.from(row, (x, j) => {
          const along = coefficients[j]!.reduce((sum, b, k) => sum + b * (marks[i]![k]! - means[k]!), 0);
          return x - alpha * along;
        });
      });
    },
  };
}

/** Gauss with pivots; a column that says nothing new gets the coefficient 0. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  const size = rows.length;
  const scale = Math.max(1e-300, ...matrix.map((row, i) => Math.abs(row[i]!)));
  const pivots: (number | null)[] = [];
  let top = 0;
  for (let column = 0; column < size; column++) {
    let best = top;
    for (let i = top; i < size; i++) if (Math.abs(rows[i]![column]!) > Math.abs(rows[best]![column]!)) best = i;
    if (top >= size || Math.abs(rows[best]![column]!) < 1e-12 * scale) {
      pivots.push(null);
      continue;
    }
    [rows[top], rows[best]] = [rows[best]!, rows[top]!];
    for (let i = 0; i < size; i++) {
      if (i === top) continue;
      const factor = rows[i]![column]! / rows[top]![column]!;
      for (let k = column; k <= size; k++) rows[i]![k] = rows[i]![k]! - factor * rows[top]![k]!;
    }
    pivots.push(top++);
  }
  return pivots.map((at, column) => (at === null ? 0 : rows[at]![size]! / rows[at]![column]!));
}

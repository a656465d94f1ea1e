/** Correlations of ranks: they need every sample, which is bounded. Ties have their mean rank (Spearman) or tau-b (Kendall). */
import { checkOptions, ones, stack, type Tensor, ValueError } from '@nn/core';
import { checkWeighting, requireSameShape, type Weighting, weightsOf } from '../inputs.ts';
import { RowMetric, type RowOptions } from '../row-metric.ts';

const known = ['capacity', 'window'];

/** Rows [1 or 0, prediction, target]. */
abstract class RankMetric extends RowMetric<
  readonly [predictions: Tensor, targets: Tensor, weighting?: Pick<Weighting, 'mask'>],
  number
> {
  constructor(name: string, options: RowOptions) {
    checkOptions(new.target.name, options, known);
    super(name, true, 3, options);
  }

  protected override measure(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Tensor {
    const operation = String(this);
    if (weighting.weights !== undefined) {
      throw new ValueError(operation, 'ranks have no weights: give a mask, or leave samples out.');
    }
    requireSameShape(operation, predictions, targets);
    const n = [targets.size];
    const kept = weightsOf(operation, targets.shape, checkWeighting(this, weighting)) ?? ones(targets.shape);
    return stack([kept.reshape(n), predictions.cast('float32').reshape(n), targets.cast('float32').reshape(n)], 1);
  }

  protected override compute(rows: Float32Array): number {
    const column = (k: number): number[] => Array.from({ length: rows.length / 3 }, (_, row) => rows[3 * row + k]!);
    return this.correlate(column(1), column(2));
  }

  protected abstract correlate(x: readonly number[], y: readonly number[]): number;
}

/** From 1; equal values share the mean of their ranks. */
function ranksOf(values: readonly number[]): number[] {
  const order = [...values.keys()].sort((a, b) => values[a]! - values[b]!);
  const ranks = new Array<number>(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    for (let at = start; at < end; at++) ranks[order[at]!] = (start + end + 1) / 2;
    start = end;
  }
  return ranks;
}

/**
 * The correlation of the ranks of predictions and targets, over all updates. Keeps every sample.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { SpearmanCorrelation } from '@nn/metrics';
 * const metric = new SpearmanCorrelation();
 * metric.update(tensor([1, 10, 100]), tensor([1, 2, 3]));
 * console.log((await metric.read()).epoch); // => 1
 */
export class SpearmanCorrelation extends RankMetric {
  static override readonly name: string = 'SpearmanCorrelation';

  constructor(options: RowOptions = {}) {
    super('spearman_correlation', options);
  }

  protected override correlate(x: readonly number[], y: readonly number[]): number {
    const [a, b] = [ranksOf(x), ranksOf(y)];
    const mean = (x.length + 1) / 2;
    const sum = (p: readonly number[], q: readonly number[]): number =>
      p.reduce((total, value, k) => total + (value - mean) * (q[k]! - mean), 0);
    return sum(a, b) / Math.sqrt(sum(a, a) * sum(b, b));
  }
}

/**
 * Kendall's tau-b of predictions and targets, over all updates: pairs in the same order less those in opposite order.
 * Keeps every sample; n log n. (Knight 1966.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { KendallCorrelation } from '@nn/metrics';
 * const metric = new KendallCorrelation();
 * metric.update(tensor([1, 2, 3]), tensor([1, 3, 2]));
 * console.log((await metric.read()).epoch.toFixed(4)); // => 0.3333
 */
export class KendallCorrelation extends RankMetric {
  static override readonly name: string = 'KendallCorrelation';

  constructor(options: RowOptions = {}) {
    super('kendall_correlation', options);
  }

  protected override correlate(x: readonly number[], y: readonly number[]): number {
    const order = [...x.keys()].sort((a, b) => x[a]! - x[b]! || y[a]! - y[b]!);
    const sortedX = order.map((k) => x[k]!);
    const sortedY = order.map((k) => y[k]!);
    const pairs = (x.length * (x.length - 1)) / 2;
    const tiedX = tiedPairs(sortedX.length, (a, b) => sortedX[a] === sortedX[b]);
    const tiedBoth = tiedPairs(sortedX.length, (a, b) => sortedX[a] === sortedX[b] && sortedY[a] === sortedY[b]);
    const swaps = sortBySwaps(sortedY);
    const tiedY = tiedPairs(sortedY.length, (a, b) => sortedY[a] === sortedY[b]);
    return (pairs - tiedX - tiedY + tiedBoth - 2 * swaps) / Math.sqrt((pairs - tiedX) * (pairs - tiedY));
  }
}

/** Pairs inside of runs of equal neighbours. */
function tiedPairs(length: number, same: (a: number, b: number) => boolean): number {
  let [pairs, run] = [0, 0];
  for (let at = 1; at < length; at++) {
    run = same(at - 1, at) ? run + 1 : 0;
    pairs += run;
  }
  return pairs;
}

/** Sorts in place by merging, and counts the pairs that were in the wrong order. */
function sortBySwaps(values: number[]): number {
  let swaps = 0;
  let [from, to] = [values, new Array<number>(values.length)];
  for (let width = 1; width < values.length; width *= 2) {
    for (let start = 0; start < values.length; start += 2 * width) {
      const middle = Math.min(start + width, values.length);
      const end = Math.min(start + 2 * width, values.length);
      let [left, right] = [start, middle];
      for (let at = start; at < end; at++) {
        if (left < middle && (right >= end || from[left]! <= from[right]!)) {
          to[at] = from[left++]!;
        } else {
          swaps += middle - left;
          to[at] = from[right++]!;
        }
      }
    }
    [from, to] = [to, from];
  }
  if (from !== values) for (let at = 0; at < values.length; at++) values[at] = from[at]!;
  return swaps;
}

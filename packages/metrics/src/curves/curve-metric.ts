/**
 * The two ways to a curve: binned, counts per threshold on the device (the default), or exact, every sample kept and
 * bounded. Owns both and the choice; what is read off the curve is curve.ts, areas.ts and points.ts.
 */
import { arange, checkOptions, stack, type Tensor, where, zeros } from '@nn/core';
import { answersOf, markedWeights, type PredictionOptions, scoresOf } from '../classification/labels.ts';
import { marksOf } from '../classification/marks.ts';
import { requireShares, weightsOfShares } from '../classification/shares.ts';
import { type Batch, checkWeighting, checkWhole, type Weighting } from '../inputs.ts';
import type { Kept } from '../metric.ts';
import { RowMetric, type RowOptions } from '../row-metric.ts';
import { curveOf, type OutcomeCurve, type Point } from './curve.ts';

export interface CurveOptions extends Omit<PredictionOptions, 'threshold'> {
  /** How many thresholds from 0 to 1, both a hair beyond. Default 200, as in Keras. */
  readonly thresholds?: number;
  /** Keeps every sample in place of bins: the exact value. `true`, or the bounds. Default false. */
  readonly exact?: boolean | RowOptions;
}

const curveOptions = ['from', 'task', 'classes', 'axis', 'ignoreIndex', 'thresholds', 'exact'];

/** A metric read off the curves of outcomes over thresholds, one for each class. */
export abstract class CurveMetric<Value> extends RowMetric<Batch, Value> {
  /** Whether every sample is kept. */
  protected readonly isExact: boolean;
  readonly #options: PredictionOptions;
  readonly #bins: number;

  constructor(name: string, options: CurveOptions, higherIsBetter: boolean | null, more: readonly string[] = []) {
    checkOptions(new.target.name, options, [...curveOptions, ...more]);
    const { thresholds = 200, exact = false } = options;
    super(name, higherIsBetter, exact === false ? 0 : 4, typeof exact === 'boolean' ? {} : exact);
    checkWhole(String(this), 'thresholds', thresholds, 2);
    this.isExact = exact !== false;
    this.#options = options;
    this.#bins = thresholds - 1;
  }

  /** The value of the curves of all classes; one for binary predictions, none before the first exact sample. */
  protected abstract valueFrom(curves: readonly OutcomeCurve[]): Value;

  /** Rows [weight, class, score, truth]; or positives and then negatives per bin, with a column for each class. */
  protected override measure(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Tensor {
    const operation = String(this);
    const answers = answersOf(
      operation,
      predictions,
      targets,
      { ...this.#options, ...checkWeighting(this, weighting) },
      true,
    );
    scoresOf(operation, answers);
    const { columns, predicted, actual, shape } = marksOf(answers, false, true);
    const weights = weightsOfShares(predicted, markedWeights(answers));
    const column = arange(columns).reshape([columns, 1]);
    const flat = [predicted.size];
    if (this.isExact) {
      const parts = [weights, column, predicted, actual];
      return stack(
        parts.map((part) => part.cast('float32').expand(shape).reshape(flat)),
        1,
      );
    }
    const bins = this.#bins;
    // as many thresholds are below the score as its bin says: a score on a threshold is not above it
    const bin = predicted.mul(bins).ceil().clamp(1, bins).sub(1);
    const place = bin
      .add(where(actual, 0, bins))
      .cast('int32')
      .mul(columns)
      .add(column);
    return zeros([2 * bins * columns])
      .scatterAdd(place.reshape(flat), weights.reshape(flat))
      .reshape([2 * bins, columns]);
  }

  protected override compute(kept: Kept, columns: number): Value {
    const points = this.isExact ? pointsOfRows(kept) : pointsOfBins(kept, this.#bins, columns);
    requireShares(
      this,
      points.flat(2).every((number) => number < Number.POSITIVE_INFINITY),
    );
    // nothing is positive at the strictest threshold
    const strictest = this.isExact ? Number.POSITIVE_INFINITY : 1 + 1e-7;
    return this.valueFrom(points.map((own) => curveOf([[strictest, 0, 0], ...own])));
  }
}

/** By class, from the highest threshold. Keras' thresholds: equal steps, the lowest below 0, where everything is positive. */
function pointsOfBins(counts: Kept, bins: number, columns: number): Point[][] {
  return Array.from({ length: columns }, (_, c) =>
    Array.from({ length: bins }, (_, at) => {
      const bin = bins - 1 - at;
      return [bin === 0 ? -1e-7 : bin / bins, counts[bin * columns + c]!, counts[(bins + bin) * columns + c]!];
    }),
  );
}

/** By class, from the highest score. */
function pointsOfRows(rows: Kept): Point[][] {
  const points: Point[][] = [];
  for (let at = 0; at < rows.length; at += 4) {
    const [weight = 0, column = 0, score = 0, truth = 0] = rows.subarray(at, at + 4);
    while (points.length <= column) points.push([]);
    points[column]?.push([score, weight * truth, weight * (1 - truth)]);
  }
  return points.map((own) => own.sort(([a], [b]) => b - a));
}

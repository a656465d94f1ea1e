/**
 * The two ways to a curve: binned, counts per threshold on the device (the default), or exact, every sample kept and
 * bounded. Owns both and the choice; what is read off the curve is curve.ts and metrics.ts.
 */
import { arange, checkOptions, ones, stack, type Tensor, ValueError, where, zeros } from '@nn/core';
import { marksOf, type PredictionOptions, predictionOptions } from '../classification/labels.ts';
import type { Weighting } from '../inputs.ts';
import { Metric, type Reading } from '../metric.ts';
import { rowsOf } from '../quantity.ts';
import { RowMetric, type RowOptions } from '../row-metric.ts';
import { SumMetric } from '../sum-metric.ts';
import { binnedCurve, exactCurve, type OutcomeCurve } from './curve.ts';

export interface CurveOptions extends Omit<PredictionOptions, 'threshold'> {
  /** How many thresholds from 0 to 1, both a hair beyond. Default 200, as in Keras. */
  readonly thresholds?: number;
  /** Keeps every sample in place of bins: the exact value. `true`, or the bounds. Default false. */
  readonly exact?: boolean | RowOptions;
}

export const curveOptions: readonly string[] = [
  ...predictionOptions.filter((name) => name !== 'threshold'),
  'thresholds',
  'exact',
];

type Batch = readonly [predictions: Tensor, targets: Tensor, weighting?: Weighting];

/** Probabilities and truths [columns, n], and where they are neither. */
function scored(operation: string, predictions: Tensor, targets: Tensor, options: PredictionOptions & Weighting) {
  if (options.from === 'labels' || predictions.dtype !== 'float32') {
    throw new ValueError(operation, 'a curve needs scores, the predictions are labels.');
  }
  if (options.from === undefined) {
    throw new ValueError(operation, "the predictions are scores: say from: 'logits' or from: 'probabilities'.");
  }
  const { predicted, actual, weights, isOutside, shape } = marksOf(
    operation,
    predictions,
    targets,
    { ...options, soft: true },
    false,
  );
  // a probability, up to the rounding of a softmax; NaN is none
  const isProbability = predicted.greaterEqual(0).logicalAnd(predicted.lessEqual(1 + 1e-5));
  const isWrong = isOutside.expand(shape).logicalOr(isProbability.logicalNot());
  const w = (weights ?? ones([1])).expand(shape);
  return { predicted, actual, weights: w, isWrong: isWrong.logicalAnd(w.notEqual(0)), shape };
}

function wrongScores(metric: object): ValueError {
  return new ValueError(
    String(metric),
    'some predictions are no probabilities from 0 to 1, or some targets no labels: check from, or set ignoreIndex.',
  );
}

/** Keras' thresholds: equal steps, the ends beyond 0 and 1, so that all and nothing are positive there. */
function thresholdsOf(count: number): number[] {
  return Array.from({ length: count }, (_, k) => (k === 0 ? -1e-7 : k === count - 1 ? 1 + 1e-7 : k / (count - 1)));
}

/** Rows: positives per bin, negatives per bin, and one for what is wrong. A column for each class. */
class BinnedCurves extends SumMetric<Batch, OutcomeCurve[]> {
  readonly #options: PredictionOptions;
  readonly #bins: number;

  constructor(name: string, options: PredictionOptions, thresholds: number) {
    super(name, null);
    this.#options = options;
    this.#bins = thresholds - 1;
  }

  protected override measure(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Tensor {
    const options = { ...this.#options, ...weighting };
    const { predicted, actual, weights, isWrong, shape } = scored(this.name, predictions, targets, options);
    const [columns = 1] = shape;
    const bins = this.#bins;
    // as many thresholds are below the score as its bin says: a score on a threshold is not above it
    const bin = predicted.mul(bins).ceil().clamp(1, bins).sub(1);
    const row = where(isWrong, 2 * bins, bin.add(where(actual, 0, bins))).cast('int32');
    const place = row.mul(columns).add(arange(columns).reshape([columns, 1]));
    const size = (2 * bins + 1) * columns;
    const flat = [place.size];
    return zeros([size])
      .scatterAdd(place.reshape(flat), weights.reshape(flat))
      .reshape([2 * bins + 1, columns]);
  }

  protected override compute(totals: Float64Array, columns: number): OutcomeCurve[] {
    const rows = rowsOf(totals, columns).map(({ values }) => values);
    if (rows.at(-1)?.some((count) => count !== 0)) throw wrongScores(this);
    const thresholds = thresholdsOf(this.#bins + 1);
    const column = (from: number, c: number): number[] =>
      rows.slice(from, from + this.#bins).map((row) => row[c] as number);
    return Array.from({ length: columns }, (_, c) => binnedCurve(column(0, c), column(this.#bins, c), thresholds));
  }

  override toString(): string {
    return this.name;
  }
}

/** Rows [weight, class, score, truth]; a wrong one has the truth -1. */
class ExactCurves extends RowMetric<Batch, OutcomeCurve[]> {
  readonly #options: PredictionOptions;

  constructor(name: string, options: PredictionOptions, bounds: RowOptions) {
    super(name, null, 4, bounds);
    this.#options = options;
  }

  protected override measure(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Tensor {
    const options = { ...this.#options, ...weighting };
    const { predicted, actual, weights, isWrong, shape } = scored(this.name, predictions, targets, options);
    const [columns = 1] = shape;
    const truth = where(isWrong, -1, actual.cast('float32'));
    const flat = [truth.size];
    const number = arange(columns).cast('float32').reshape([columns, 1]).expand(shape);
    return stack([weights.reshape(flat), number.reshape(flat), predicted.reshape(flat), truth.reshape(flat)], 1);
  }

  protected override compute(rows: Float32Array): OutcomeCurve[] {
    const columns: { weight: number; score: number; isPositive: boolean }[][] = [];
    for (let at = 0; at < rows.length; at += 4) {
      const [weight, column, score, truth] = rows.subarray(at, at + 4) as unknown as [number, number, number, number];
      if (truth < 0) throw wrongScores(this);
      while (columns.length <= column) columns.push([]);
      columns[column]?.push({ weight, score, isPositive: truth === 1 });
    }
    return columns.map(exactCurve);
  }

  override toString(): string {
    return this.name;
  }
}

/** A metric of curves, one per class; `curvesValue` reads it off them. */
export abstract class CurveMetric<Value> extends Metric<Value> {
  readonly #make: () => BinnedCurves | ExactCurves;
  readonly #curves: BinnedCurves | ExactCurves;

  constructor(name: string, options: CurveOptions, higherIsBetter: boolean | null, more: readonly string[] = []) {
    super(name, higherIsBetter);
    checkOptions(new.target.name, options, [...curveOptions, ...more]);
    const { thresholds = 200, exact = false, ...all } = options;
    if (!Number.isInteger(thresholds) || thresholds < 2) {
      throw new ValueError(String(this), `thresholds is ${thresholds}: it must be a whole number from 2.`, {
        thresholds,
      });
    }
    const rest = Object.fromEntries(Object.entries(all).filter(([option]) => !more.includes(option)));
    const bounds = exact === true ? {} : exact;
    const label = new.target.name;
    this.#make = () =>
      bounds === false ? new BinnedCurves(label, rest, thresholds) : new ExactCurves(label, rest, bounds);
    this.#curves = this.#make();
  }

  /** The value of the curves of all classes; one for binary predictions, none before the first exact sample. */
  protected abstract valueFrom(curves: readonly OutcomeCurve[]): Value;

  /** Adds a batch. See `SumMetric.update`: before the step, or inside of `compile`. */
  update(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): void {
    this.#curves.update(predictions, targets, weighting);
  }

  override get isUnread(): boolean {
    return this.#curves.isUnread;
  }

  /** @internal */
  override collect(): Tensor | null {
    return this.#curves.collect();
  }

  /** @internal */
  override absorb(collected: ArrayLike<number>): void {
    this.#curves.absorb(collected);
  }

  /** @internal */
  override get isOnDevice(): boolean {
    return this.#curves.isOnDevice;
  }

  /** @internal */
  override close(): Reading<Value> {
    const { window, epoch } = this.#curves.close();
    return { window: this.valueFrom(window), epoch: this.valueFrom(epoch) };
  }

  override reset(): void {
    this.#curves.reset();
  }

  override readState(): Promise<unknown> {
    const state = this.#curves.readState();
    this.onItsWay = this.#curves.onItsWay;
    return state;
  }

  protected override saved(): unknown {
    return this.#curves.hostState();
  }

  protected override mergeState(state: unknown, replace: boolean): void {
    if (replace) {
      this.#curves.loadHostState(state);
      return;
    }
    const [mine, other] = [this.#curves, this.#make()];
    other.loadHostState(state);
    if (mine instanceof BinnedCurves && other instanceof BinnedCurves) mine.merge(other);
    if (mine instanceof ExactCurves && other instanceof ExactCurves) mine.merge(other);
  }
}

/**
 * Counts per class (hits, predictions, occurrences), and the scores that are arithmetic on them. A formula is written
 * once and serves the function of tensors (with gradients, where `soft`) and the metric (float64 on the host).
 */
import { checkOptions, type Tensor, ValueError, where } from '@nn/core';
import { sumsOf, type Weighting } from '../inputs.ts';
import { type Numbers, type Quantity, ratio, rowsOf } from '../quantity.ts';
import { SumMetric } from '../sum-metric.ts';
import { type MarkOptions, type Marks, marksOf, predictionOptions } from './labels.ts';

/** How the scores of classes become one. */
export type Average = 'binary' | 'micro' | 'macro' | 'weighted' | 'none';

export interface ScoreOptions<A extends Average = Average> extends MarkOptions {
  /**
   * 'binary': of the positive class alone, the default for one score per sample. 'macro': the plain mean over the classes
   * that occur in predictions or targets, the default otherwise. 'weighted': weighted by occurrences. 'micro': of the
   * counts of all classes together. 'none': one score for each class, NaN for those that occur nowhere.
   */
  readonly average?: A;
}

const scoreOptions = [...predictionOptions, 'soft', 'average'];

/** Per class, weighted: [columns] each. */
export interface Counts<Q> {
  /** Predicted and actual. */
  readonly hits: Q;
  readonly predicted: Q;
  readonly actual: Q;
  /** Everything. */
  readonly total: Q;
}

export type Formula = <Q extends Quantity<Q>>(counts: Counts<Q>) => Q;

/** The rows hits, predicted, actual, total of marks: [4, columns]. Targets outside of the classes make the total infinite. */
export function countMarks({ predicted, actual, weights, isOutside, shape }: Marks): Tensor {
  const share = predicted.cast('float32');
  const hits = where(actual, share, 0);
  const valid = where(isOutside, Number.POSITIVE_INFINITY, 1).expand(shape);
  if (weights === null) return sumsOf([hits, share, actual.cast('float32'), valid], shape);
  const total = where(weights.equal(0), 0, valid.mul(weights));
  return sumsOf([hits.mul(weights), share.mul(weights), where(actual, weights, 0), total], shape);
}

const named = <Q>(rows: readonly Q[]): Counts<Q> => {
  const [hits, predicted, actual, total] = rows as readonly [Q, Q, Q, Q];
  return { hits, predicted, actual, total };
};

/** Counts of both classes, or of all, as tensors. */
export function countsOf(
  operation: string,
  predictions: Tensor,
  targets: Tensor,
  options: MarkOptions & Weighting,
): Counts<Tensor> {
  const rows = countMarks(marksOf(operation, predictions, targets, options, true));
  return { hits: rows.at(0), predicted: rows.at(1), actual: rows.at(2), total: rows.at(3) };
}

/** Throws ValueError where targets were no class. */
export function requireLabels(metric: object, counts: Counts<Numbers>, columns: number): void {
  if (counts.total.values.every(Number.isFinite)) return;
  throw new ValueError(
    String(metric),
    `some targets or predicted labels are not from 0 to ${Math.max(columns, 2) - 1}: check the classes, or set ignoreIndex.`,
    { columns },
  );
}

/** 1 for the classes that occur in predictions or targets. */
const present = <Q extends Quantity<Q>>({ predicted, actual }: Counts<Q>): Q =>
  predicted.add(actual).equal(0).mul(-1).add(1);

/** One value per class to one value. 'none' gives NaN for absent classes. */
export function averaged<Q extends Quantity<Q>>(formula: Formula, counts: Counts<Q>, average: Average): Q {
  if (average === 'micro') {
    const { hits, predicted, actual, total } = counts;
    return formula({ hits: hits.sum(), predicted: predicted.sum(), actual: actual.sum(), total: total.sum() });
  }
  const scores = formula(counts);
  if (average === 'binary') return scores.sum();
  const occurs = present(counts);
  if (average === 'none') return scores.div(occurs);
  const weights = average === 'weighted' ? counts.actual : occurs;
  return ratio(scores.mul(weights).sum(), weights.sum());
}

/** The average that is meant where none is given. */
function averageFor(operation: string, columns: number, bothClasses: boolean, average: Average | undefined): Average {
  if (average === 'binary' && columns > 1) {
    throw new ValueError(
      operation,
      `average 'binary' is of one score per sample, there are ${columns} classes: choose 'macro', 'micro', 'weighted' or 'none'.`,
      { average, columns },
    );
  }
  return average ?? (columns > 1 || bothClasses ? 'macro' : 'binary');
}

/** A score as a function of tensors: 0-d, or [classes] with average 'none'. */
export function scoreOf(
  operation: string,
  formula: Formula,
  predictions: Tensor,
  targets: Tensor,
  options: ScoreOptions & Weighting,
): Tensor {
  checkOptions(operation, options, [...scoreOptions, 'weights', 'mask', 'beta']);
  const bothClasses = options.average !== undefined && options.average !== 'binary';
  const marks = marksOf(operation, predictions, targets, options, bothClasses);
  const rows = countMarks(marks);
  const counts = named([0, 1, 2, 3].map((row) => rows.at(row)));
  return averaged(formula, counts, averageFor(operation, marks.columns, bothClasses, options.average));
}

/** Counts of all that was seen; subclasses say what value they make. */
export abstract class CountMetric<Value> extends SumMetric<
  readonly [predictions: Tensor, targets: Tensor, weighting?: Weighting],
  Value
> {
  protected readonly options: MarkOptions;
  readonly #bothClasses: boolean;
  #absent: readonly number[] = [];

  constructor(name: string, options: MarkOptions, bothClasses: boolean, higherIsBetter: boolean | null = true) {
    super(name, higherIsBetter);
    this.options = options;
    this.#bothClasses = bothClasses;
  }

  /** The classes that occurred in no prediction and no target of the epoch, at the last read: macro averages leave them out. */
  get absentClasses(): readonly number[] {
    return this.#absent;
  }

  protected abstract valueFrom(counts: Counts<Numbers>, columns: number): Value;

  protected override measure(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Tensor {
    const options = { ...this.options, ...weighting };
    return countMarks(marksOf(this.constructor.name, predictions, targets, options, this.#bothClasses));
  }

  protected override compute(totals: Float64Array, columns: number): Value {
    const counts = named(rowsOf(totals, columns));
    requireLabels(this, counts, columns);
    this.#absent = counts.actual.values.flatMap((count, c) =>
      count + (counts.predicted.values[c] ?? 0) > 0 ? [] : [c],
    );
    return this.valueFrom(counts, columns);
  }
}

/** What a score answers: a number, or one for each class. */
export type Score<A extends Average> = A extends 'none' ? number[] : number;

/** A score with a formula per class and an average. */
export class ScoreMetric<A extends Average> extends CountMetric<Score<A>> {
  static override readonly name: string = 'ScoreMetric';

  readonly #formula: Formula;
  readonly #average: A | undefined;

  constructor(
    name: string,
    formula: Formula,
    options: ScoreOptions<A>,
    more: readonly string[] = [],
    higherIsBetter = true,
  ) {
    checkOptions(new.target.name, options, [...scoreOptions, ...more]);
    super(name, options, options.average !== undefined && options.average !== 'binary', higherIsBetter);
    this.#formula = formula;
    this.#average = options.average;
  }

  protected override measure(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Tensor {
    const rows = super.measure(predictions, targets, weighting);
    averageFor(this.constructor.name, rows.shape[1] ?? 1, false, this.#average);
    return rows;
  }

  protected override valueFrom(counts: Counts<Numbers>, columns: number): Score<A> {
    const average = averageFor(this.constructor.name, columns, false, this.#average);
    const { values } = averaged(this.#formula, counts, average);
    // the cast: 'none' is the one average with a value for each class
    return (average === 'none' ? [...values] : (values[0] ?? Number.NaN)) as Score<A>;
  }
}

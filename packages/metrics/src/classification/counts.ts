/**
 * Counts per class (hits, predictions, occurrences, all), and the scores that are a quotient of two mixtures of them. A
 * score is a table of factors, which the function of tensors (with gradients, where `soft`) and the metric (float64 on the
 * host) read alike.
 */
import { checkChoices, checkOptions, type Tensor, ValueError, where } from '@nn/core';
import { sumsOf, type Weighting } from '../inputs.ts';
import { SumMetric } from '../sum-metric.ts';
import {
  answersOf,
  type Batch,
  type MarkOptions,
  type Marks,
  marksOf,
  predictionOptions,
  requireLabels,
} from './labels.ts';

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
const averages = { average: ['binary', 'micro', 'macro', 'weighted', 'none'] } as const;

/** Factors of hits, predicted, actual and total. */
type Mixture = readonly [hits: number, predicted: number, actual: number, total: number];

/** A score of a class: one mixture of its counts over another; 0 where that is 0, as scikit-learn's zero_division = 0. */
export type Formula = readonly [part: Mixture, whole: Mixture];

/** Per class, weighted: predicted and actual, predicted, actual, everything. Infinite where a target is no class. */
export type Counts<Row> = readonly [hits: Row, predicted: Row, actual: Row, total: Row];

/** The counts of marks: [4, columns]. */
export function countMarks({ predicted, actual, weights, shape }: Marks): Tensor {
  // what a mask leaves out may be NaN
  const share = where(weights.equal(0), 0, predicted.cast('float32')).mul(weights);
  return sumsOf([where(actual, share, 0), share, actual.cast('float32').mul(weights), weights], shape);
}

/** The average that is meant where none is given. */
function averageFor(operation: string, columns: number, average: Average | undefined): Average {
  if (average === 'binary' && columns > 1) {
    throw new ValueError(
      operation,
      `average 'binary' is of one score per sample, there are ${columns} classes: choose 'macro', 'micro', 'weighted' or 'none'.`,
      { average, columns },
    );
  }
  return average ?? (columns > 1 ? 'macro' : 'binary');
}

/** Whether one question per sample is one of both of its classes. */
const asksForBoth = (average: Average | undefined): boolean => average !== undefined && average !== 'binary';

/** A score as a function of tensors: 0-d, or [classes] with average 'none'. NaN where a target is no class. */
export function scoreOf(
  operation: string,
  [part, whole]: Formula,
  predictions: Tensor,
  targets: Tensor,
  options: ScoreOptions & Weighting,
): Tensor {
  checkOptions(operation, options, [...scoreOptions, 'weights', 'mask', 'beta']);
  checkChoices(operation, options, averages);
  const { soft = false } = options;
  const answers = answersOf(operation, predictions, targets, options, soft);
  const counts = countMarks(marksOf(answers, asksForBoth(options.average), soft));
  const average = averageFor(operation, counts.shape[1] as number, options.average);
  const rows = average === 'micro' ? counts.sum(1, { keepAxes: true }) : counts;
  const mix = (factors: Mixture): Tensor =>
    factors.map((factor, row) => rows.at(row).mul(factor)).reduce((sum, term) => sum.add(term));
  const quotient = (of: Tensor, by: Tensor): Tensor => of.div(by.add(by.equal(0)));
  const scores = quotient(mix(part), mix(whole));
  if (average === 'micro' || average === 'binary') return scores.sum();
  const occurs = rows.at(1).add(rows.at(2)).greater(0).cast('float32');
  if (average === 'none') return scores.mul(occurs.div(occurs));
  const weights = average === 'weighted' ? rows.at(2) : occurs;
  return quotient(scores.mul(weights).sum(), weights.sum());
}

/** Counts of all that was seen; subclasses say what value they make. */
export abstract class CountMetric<Value> extends SumMetric<Batch, Value> {
  readonly #options: MarkOptions;
  readonly #bothClasses: boolean;
  #absent: readonly number[] = [];

  constructor(name: string, options: MarkOptions, bothClasses: boolean, higherIsBetter: boolean | null = true) {
    super(name, higherIsBetter);
    this.#options = options;
    this.#bothClasses = bothClasses;
  }

  /** The classes that occurred in no prediction and no target of the epoch, at the last read: macro averages leave them out. */
  get absentClasses(): readonly number[] {
    return this.#absent;
  }

  protected abstract valueFrom(counts: Counts<number[]>): Value;

  protected override measure(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Tensor {
    const { soft } = this.#options;
    const options = { ...this.#options, ...weighting };
    return countMarks(
      marksOf(answersOf(this.constructor.name, predictions, targets, options, soft), this.#bothClasses, soft),
    );
  }

  protected override compute(totals: Float64Array, columns: number): Value {
    requireLabels(this, totals.every(Number.isFinite), Math.max(columns, 2) - 1);
    const row = (at: number): number[] => [...totals.subarray(at * columns, (at + 1) * columns)];
    const counts = [row(0), row(1), row(2), row(3)] as const;
    this.#absent = counts[2].flatMap((count, c) => (count + counts[1][c]! > 0 ? [] : [c]));
    return this.valueFrom(counts);
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
    checkChoices(new.target.name, options, averages);
    super(name, options, asksForBoth(options.average), higherIsBetter);
    this.#formula = formula;
    this.#average = options.average;
  }

  protected override measure(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Tensor {
    const counts = super.measure(predictions, targets, weighting);
    averageFor(this.constructor.name, counts.shape[1]!, this.#average);
    return counts;
  }

  protected override valueFrom(rows: Counts<number[]>): Score<A> {
    const average = averageFor(this.constructor.name, rows[0].length, this.#average);
    const sum = (list: readonly number[]): number => list.reduce((total, value) => total + value, 0);
    const counts = average === 'micro' ? rows.map((row) => [sum(row)]) : rows;
    const mix = (factors: Mixture, c: number): number => sum(factors.map((factor, row) => factor * counts[row]![c]!));
    const [part, whole] = this.#formula;
    const quotient = (of: number, by: number): number => (by === 0 ? 0 : of / by);
    const scores = counts[0]!.map((_, c) => quotient(mix(part, c), mix(whole, c)));
    const weights = counts[2]!.map((actual, c) => {
      if (average === 'binary' || average === 'weighted') return average === 'binary' ? 1 : actual;
      return Math.sign(actual + counts[1]![c]!);
    });
    if (sum(rows[3]) === 0 && average !== 'none') return Number.NaN as Score<A>;
    const value =
      average === 'none'
        ? scores.map((score, c) => (weights[c] === 0 ? Number.NaN : score))
        : quotient(sum(scores.map((score, c) => score * weights[c]!)), sum(weights));
    // the cast: 'none' is the one average with a value for each class
    return value as Score<A>;
  }
}

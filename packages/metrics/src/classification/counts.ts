/**
 * Counts per class (hits, predictions, occurrences, all), and the scores that are a quotient of two mixtures of them. A
 * score is a table of factors, which the function of tensors (with gradients, where `soft`) and the metric (float64 on the
 * host) read alike.
 */
import { checkChoices, checkOptions, type Tensor, ValueError, where } from '@nn/core';
import { type Batch, checkWeighting, sumsOf, type Weighting } from '../inputs.ts';
import { SumMetric } from '../sum-metric.ts';
import { answersOf, predictionOptions, requireLabels } from './labels.ts';
import { type MarkOptions, marksOf } from './marks.ts';

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

const scoreOptions = ['soft', 'average'];
const averages = { average: ['binary', 'micro', 'macro', 'weighted', 'none'] } as const;

/** Factors of hits, predicted, actual and total. */
type Mixture = readonly [hits: number, predicted: number, actual: number, total: number];

/** A score of a class: one mixture of its counts over another; 0 where that is 0, as scikit-learn's zero_division = 0. */
export type Formula = readonly [part: Mixture, whole: Mixture];

/** Per class, weighted: predicted and actual, predicted, actual, everything. Infinite where a target is no class, NaN with a score that is. */
export type Counts<Row> = readonly [hits: Row, predicted: Row, actual: Row, total: Row];

/**
 * The counts of predictions and targets: [4, columns]. With no average, or 'binary', one question per sample has one column,
 * and else one for each of its two classes.
 */
export function countsOf(
  operation: string,
  predictions: Tensor,
  targets: Tensor,
  options: MarkOptions & Weighting,
  average: Average | undefined,
): Tensor {
  const { soft } = options;
  const answers = answersOf(operation, predictions, targets, options, soft);
  const { weights, flaw } = answers;
  const { predicted, actual, shape, columns } = marksOf(answers, (average ?? 'binary') !== 'binary', soft);
  if (average === 'binary' && columns > 1) {
    throw new ValueError(
      operation,
      `average 'binary' is of one score per sample, there are ${columns} classes: choose 'macro', 'micro', 'weighted' or 'none'.`,
      { average, columns },
    );
  }
  // what a mask leaves out may be NaN
  const share = weights === null ? predicted : where(weights.equal(0), 0, predicted);
  const occurs = flaw.add(actual);
  return sumsOf([occurs.mul(share), share, occurs, 1], shape, weights);
}

/** The average that is meant where none is given. */
function averageFor(average: Average | undefined, columns: number): Average {
  return average ?? (columns > 1 ? 'macro' : 'binary');
}

/** A score as a function of tensors: 0-d, or [classes] with average 'none'. NaN where a target is no class, or a score is NaN. */
export function scoreOf(
  operation: string,
  [part, whole]: Formula,
  predictions: Tensor,
  targets: Tensor,
  options: ScoreOptions & Weighting,
): Tensor {
  checkOptions(operation, options, [...predictionOptions, ...scoreOptions, 'weights', 'mask', 'beta']);
  checkChoices(operation, options, averages);
  const counts = countsOf(operation, predictions, targets, options, options.average);
  const average = averageFor(options.average, counts.shape[1]!);
  const rows = average === 'micro' ? counts.sum(1, { keepAxes: true }) : counts;
  const mix = (factors: Mixture): Tensor =>
    factors.map((factor, row) => rows.at(row).mul(factor)).reduce((sum, term) => sum.add(term));
  const divided = (of: Tensor, by: Tensor): Tensor => of.div(by.add(by.equal(0)));
  // what is no class makes counts infinite, and 0 times that is NaN
  const scores = divided(mix(part), mix(whole)).add(rows.at(2).mul(0));
  if (average === 'micro' || average === 'binary') return scores.sum();
  const occurs = rows.at(1).add(rows.at(2)).greater(0).cast('float32');
  if (average === 'none') return scores.mul(occurs.div(occurs));
  const weights = average === 'weighted' ? rows.at(2) : occurs;
  return divided(scores.mul(weights).sum(), weights.sum());
}

/** Counts of all that was seen; subclasses say what value they make. */
export abstract class CountMetric<Value> extends SumMetric<Batch, Value> {
  readonly #options: MarkOptions;
  /** As it was given. */
  protected readonly average: Average | undefined;
  #absent: readonly number[] = [];

  constructor(name: string, options: MarkOptions, average: Average | undefined, higherIsBetter: boolean | null = true) {
    super(name, higherIsBetter);
    this.#options = options;
    this.average = average;
  }

  /** The classes that occurred in no prediction and no target of the epoch, at the last read: macro averages leave them out. */
  get absentClasses(): readonly number[] {
    return this.#absent;
  }

  protected abstract valueFrom(counts: Counts<number[]>): Value;

  protected override measure(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Tensor {
    return countsOf(
      String(this),
      predictions,
      targets,
      { ...this.#options, ...checkWeighting(this, weighting) },
      this.average,
    );
  }

  protected override compute(totals: Float64Array, columns: number): Value {
    requireLabels(this, !totals.includes(Number.POSITIVE_INFINITY), Math.max(columns, 2) - 1);
    const row = (at: number): number[] => [...totals.subarray(at * columns, (at + 1) * columns)];
    const counts = [row(0), row(1), row(2), row(3)] as const;
    this.#absent = counts[2].flatMap((count, c) => (count + counts[1][c]! === 0 ? [c] : []));
    return this.valueFrom(counts);
  }
}

/** What a score answers: a number, or one for each class. */
export type Score<A extends Average> = A extends 'none' ? number[] : number;

const sum = (list: readonly number[]): number => list.reduce((total, value) => total + value, 0);

/** A score with a formula per class and an average. */
export abstract class ScoreMetric<A extends Average> extends CountMetric<Score<A>> {
  readonly #formula: Formula;

  constructor(name: string, formula: Formula, options: ScoreOptions<A>, more: readonly string[] = []) {
    checkOptions(new.target.name, options, [...predictionOptions, ...scoreOptions, ...more]);
    checkChoices(new.target.name, options, averages);
    super(name, options, options.average);
    this.#formula = formula;
  }

  protected override valueFrom(rows: Counts<number[]>): Score<A> {
    const average = averageFor(this.average, rows[0].length);
    const counts = average === 'micro' ? rows.map((row) => [sum(row)]) : rows;
    const mixtures = this.#formula.map((factors) =>
      counts[0]!.map((_, c) => sum(factors.map((factor, row) => factor * counts[row]![c]!))),
    );
    const scores = mixtures[0]!.map((part, c) => quotient(part, mixtures[1]![c]!));
    const weights = counts[2]!.map((actual, c) => {
      if (average === 'binary') return 1;
      return average === 'weighted' ? actual : Math.sign(actual + counts[1]![c]!);
    });
    const mean = quotient(sum(scores.map((score, c) => score * weights[c]!)), sum(weights));
    const value =
      average === 'none'
        ? scores.map((score, c) => (weights[c] === 0 ? Number.NaN : score))
        : sum(rows[3]) === 0
          ? Number.NaN
          : mean;
    // the cast: 'none' is the one average with a value for each class
    return value as Score<A>;
  }
}

/** A part of a whole; 0 of nothing. */
function quotient(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

/** Areas under curves: ROC and precision-recall, binned or exact, one class or the mean over classes. */
import { checkChoices, checkOptions, type Tensor, ValueError, where } from '@nn/core';
import { answersOf, markedWeights, type PredictionOptions, scoresOf } from '../classification/labels.ts';
import type { Weighting } from '../inputs.ts';
import { averagePrecisionOf, interpolatedArea, logAreaOf, type OutcomeCurve, rocArea, rocAreaError } from './curve.ts';
import { CurveMetric, type CurveOptions } from './curve-metric.ts';

export type CurveAverage = 'macro' | 'weighted' | 'none';

export interface AreaOptions<A extends CurveAverage = CurveAverage> extends CurveOptions {
  /** How classes become one, each against the rest. 'weighted': by their positives. Default 'macro'. */
  readonly average?: A;
}

export type Area<A extends CurveAverage> = A extends 'none' ? number[] : number;

/** The areas of all classes as one value; classes without a value are left out and named. */
abstract class AreaMetric<A extends CurveAverage> extends CurveMetric<Area<A>> {
  readonly #average: CurveAverage;
  #absent: readonly number[] = [];

  constructor(name: string, options: AreaOptions<A>, more: readonly string[] = []) {
    super(name, options, true, ['average', ...more]);
    checkChoices(String(this), options, { average: ['macro', 'weighted', 'none'] });
    this.#average = options.average ?? 'macro';
  }

  /** Classes that had no positives, or no negatives, in the epoch at the last read: averages leave them out. */
  get absentClasses(): readonly number[] {
    return this.#absent;
  }

  protected abstract areaOf(curve: OutcomeCurve): number;

  protected override valueFrom(curves: readonly OutcomeCurve[]): Area<A> {
    const areas = curves.map((curve) => this.areaOf(curve));
    this.#absent = areas.flatMap((area, c) => (Number.isNaN(area) ? [c] : []));
    let [sum, total] = [0, 0];
    areas.forEach((area, c) => {
      if (Number.isNaN(area)) return;
      const weight = this.#average === 'weighted' ? curves[c]!.positives : 1;
      sum += area * weight;
      total += weight;
    });
    // the cast: 'none' is the one average with a value for each class
    return (this.#average === 'none' ? areas : sum / total) as Area<A>;
  }
}

/**
 * The area under the ROC curve, over all updates: the share of pairs of a positive and a negative that are in order. Binned
 * by default, with `errorBound`; `exact: true` keeps every sample and equals scikit-learn's `roc_auc_score`.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { AUROC } from '@nn/metrics';
 * const metric = new AUROC({ from: 'probabilities' });
 * metric.update(tensor([0, 0.5, 0.3, 0.9]), tensor([0, 0, 1, 1]));
 * console.log((await metric.read()).epoch); // => 0.75
 */
export class AUROC<A extends CurveAverage = 'macro'> extends AreaMetric<A> {
  static override readonly name: string = 'AUROC';

  #error = Number.NaN;

  constructor(options: AreaOptions<A> = {}) {
    super('auroc', options);
  }

  /** How far the epoch's value at the last read can be from the exact one; 0 where exact. The largest of all classes. */
  get errorBound(): number {
    return this.#error;
  }

  protected override areaOf(curve: OutcomeCurve): number {
    return rocArea(curve);
  }

  protected override valueFrom(curves: readonly OutcomeCurve[]): Area<A> {
    // of exact curves the points are ties, which count 1/2 by definition
    this.#error = this.isExact ? 0 : Math.max(0, ...curves.map((curve) => rocAreaError(curve) || 0));
    return super.valueFrom(curves);
  }
}

export interface AveragePrecisionOptions<A extends CurveAverage = CurveAverage> extends AreaOptions<A> {
  /** 'none': sum of (R_n - R_n-1) P_n, as scikit-learn. 'davis-goadrich': between points as Keras' PR AUC. Default 'none'. */
  readonly interpolation?: 'none' | 'davis-goadrich';
}

/**
 * The area under the precision-recall curve (PR-AUC), over all updates: for rare positives. Binning can mislead where there
 * are few thresholds for many scores close together: `exact: true` equals scikit-learn's `average_precision_score`.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { AveragePrecision } from '@nn/metrics';
 * const metric = new AveragePrecision({ from: 'probabilities', exact: true });
 * metric.update(tensor([0, 0.5, 0.7, 0.8]), tensor([0, 1, 1, 0]));
 * console.log((await metric.read()).epoch.toFixed(6)); // => 0.583333
 */
export class AveragePrecision<A extends CurveAverage = 'macro'> extends AreaMetric<A> {
  static override readonly name: string = 'AveragePrecision';

  readonly #isInterpolated: boolean;

  constructor(options: AveragePrecisionOptions<A> = {}) {
    super('average_precision', options, ['interpolation']);
    checkChoices('AveragePrecision', options, { interpolation: ['none', 'davis-goadrich'] });
    this.#isInterpolated = options.interpolation === 'davis-goadrich';
  }

  protected override areaOf(curve: OutcomeCurve): number {
    return this.#isInterpolated ? interpolatedArea(curve) : averagePrecisionOf(curve);
  }
}

export interface LogAurocOptions<A extends CurveAverage = CurveAverage> extends AreaOptions<A> {
  /** The false positive rates between which the area is taken. Default [0.001, 0.1]. */
  readonly between?: readonly [number, number];
}

/**
 * The area under the ROC curve over the logarithm of the false positive rate, as a mean true positive rate: for screening,
 * where only the first hits count. (Mysinger and Shoichet 2010.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { LogAUROC } from '@nn/metrics';
 * const metric = new LogAUROC({ from: 'probabilities', exact: true });
 * metric.update(tensor([0.9, 0.8, 0.2, 0.1]), tensor([1, 1, 0, 0]));
 * console.log((await metric.read()).epoch); // => 1
 */
export class LogAUROC<A extends CurveAverage = 'macro'> extends AreaMetric<A> {
  static override readonly name: string = 'LogAUROC';

  readonly #between: readonly [number, number];

  constructor(options: LogAurocOptions<A> = {}) {
    super('log_auroc', options, ['between']);
    const { between = [0.001, 0.1] } = options;
    const [from, to] = between;
    if (!(from > 0 && from < to && to <= 1)) {
      throw new ValueError('LogAUROC', `between is ${from} to ${to}: two rates in (0, 1], the lower first.`, {
        between,
      });
    }
    this.#between = between;
  }

  protected override areaOf(curve: OutcomeCurve): number {
    return logAreaOf(curve, ...this.#between);
  }
}

type BinaryOptions = Pick<PredictionOptions, 'from' | 'ignoreIndex'> & Weighting;

/** Scores, truths and weights of one question per sample: [n]. */
function binary(operation: string, scores: Tensor, targets: Tensor, options: BinaryOptions) {
  checkOptions(operation, options, ['from', 'ignoreIndex', 'weights', 'mask']);
  const given = { from: 'logits', ...options, task: 'binary' } as const;
  const answers = answersOf(operation, scores, targets, given);
  const [s, truth, w] = [scoresOf(operation, answers), answers.actual.cast('float32'), markedWeights(answers)].map(
    (x) => x.reshape([targets.size]),
  ) as [Tensor, Tensor, Tensor];
  return { scores: s, truth, w };
}

/**
 * The area under the ROC curve of scores [N], exact, from all pairs: 0-d. Takes N^2 work and no memory; any increasing
 * function of the scores has the same area.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { auroc } from '@nn/metrics';
 * console.log(await auroc(tensor([0, 0.5, 0.7, 0.8]), tensor([0, 1, 1, 0])).item()); // => 0.5
 */
export function auroc(scores: Tensor, targets: Tensor, options: BinaryOptions = {}): Tensor {
  const { scores: s, truth, w } = binary('auroc', scores, targets, options);
  const [positive, negative] = [w.mul(truth), w.mul(truth.neg().add(1))];
  const [row, column] = [s.unsqueeze(1), s.unsqueeze(0)];
  const order = row.greater(column).cast('float32').add(row.equal(column).cast('float32').mul(0.5));
  const right = order.mul(positive.unsqueeze(1)).mul(negative.unsqueeze(0)).sum();
  return right.div(positive.sum()).div(negative.sum());
}

/**
 * The average precision of scores [N], exact, from all pairs: 0-d. Takes N^2 work and no memory.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { averagePrecision } from '@nn/metrics';
 * const value = await averagePrecision(tensor([0, 0.5, 0.7, 0.8]), tensor([0, 1, 1, 0])).item();
 * console.log(value.toFixed(6)); // => 0.583333
 */
export function averagePrecision(scores: Tensor, targets: Tensor, options: BinaryOptions = {}): Tensor {
  const { scores: s, truth, w } = binary('averagePrecision', scores, targets, options);
  // for each positive the precision of the threshold that just takes it
  const taken = where(s.unsqueeze(0).greaterEqual(s.unsqueeze(1)), w.unsqueeze(0), 0);
  const hits = where(s.unsqueeze(0).greaterEqual(s.unsqueeze(1)), w.mul(truth).unsqueeze(0), 0);
  const all = taken.sum(1);
  const precision = hits.sum(1).div(all.add(all.equal(0)));
  return precision.mul(w.mul(truth)).sum().div(w.mul(truth).sum());
}

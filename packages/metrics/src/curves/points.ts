/** Curves as data, and single operating points: for one score per sample, or for each class against the rest. */
import { ValueError } from '@nn/core';
import {
  equalErrorRateOf,
  type OperatingPoint,
  type OutcomeCurve,
  type PrecisionRecallPoints,
  precisionAtRecallOf,
  precisionRecallOf,
  type RocPoints,
  recallAtPrecisionOf,
  rocOf,
  sensitivityAtSpecificityOf,
  specificityAtSensitivityOf,
} from './curve.ts';
import { CurveMetric, type CurveOptions } from './curve-metric.ts';

/**
 * The ROC curves of all updates, one per class: rates and thresholds, from nothing positive to everything. `drawRoc` and
 * `rocSvg` draw them.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { RocCurve } from '@nn/metrics';
 * const metric = new RocCurve({ from: 'probabilities', exact: true });
 * metric.update(tensor([0.9, 0.4, 0.1]), tensor([1, 0, 1]));
 * console.log((await metric.read()).epoch[0]?.truePositiveRate); // => [ 0, 0.5, 0.5, 1 ]
 */
export class RocCurve extends CurveMetric<RocPoints[]> {
  static override readonly name: string = 'RocCurve';

  constructor(options: CurveOptions = {}) {
    super('roc_curve', options, null);
  }

  protected override valueFrom(curves: readonly OutcomeCurve[]): RocPoints[] {
    return curves.map(rocOf);
  }
}

/**
 * The precision-recall curves of all updates, one per class. `drawPrecisionRecall` and `precisionRecallSvg` draw them.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { PrecisionRecallCurve } from '@nn/metrics';
 * const metric = new PrecisionRecallCurve({ from: 'probabilities', exact: true });
 * metric.update(tensor([0.9, 0.4, 0.1]), tensor([1, 0, 1]));
 * console.log((await metric.read()).epoch[0]?.recall); // => [ 0, 0.5, 0.5, 1 ]
 */
export class PrecisionRecallCurve extends CurveMetric<PrecisionRecallPoints[]> {
  static override readonly name: string = 'PrecisionRecallCurve';

  constructor(options: CurveOptions = {}) {
    super('precision_recall_curve', options, null);
  }

  protected override valueFrom(curves: readonly OutcomeCurve[]): PrecisionRecallPoints[] {
    return curves.map(precisionRecallOf);
  }
}

/** One point of the curve: of one score per sample, or the mean over classes. `threshold` is that of the first class. */
abstract class PointMetric extends CurveMetric<number> {
  #threshold = Number.NaN;

  /** The threshold that gave the epoch's value at the last read: a prediction is positive from it on (binned: above it). */
  get threshold(): number {
    return this.#threshold;
  }

  protected abstract pointOf(curve: OutcomeCurve): OperatingPoint;

  protected override valueFrom(curves: readonly OutcomeCurve[]): number {
    const points = curves.map((curve) => this.pointOf(curve));
    this.#threshold = points[0]?.threshold ?? Number.NaN;
    const values = points.map(({ value }) => value).filter((value) => !Number.isNaN(value));
    return values.reduce((total, value) => total + value, 0) / values.length;
  }
}

function share(metric: string, name: string, value: number): number {
  if (value >= 0 && value <= 1) return value;
  throw new ValueError(metric, `${name} is ${value}: it must be from 0 to 1.`, { [name]: value });
}

/**
 * The best precision among thresholds that find at least `recall` of the positives, over all updates; `threshold` says where.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { PrecisionAtRecall } from '@nn/metrics';
 * const metric = new PrecisionAtRecall({ recall: 0.9, from: 'probabilities', exact: true });
 * metric.update(tensor([0.875, 0.5, 0.25, 0.125]), tensor([1, 0, 1, 0]));
 * console.log((await metric.read()).epoch.toFixed(4), metric.threshold); // => 0.6667 0.25
 */
export class PrecisionAtRecall extends PointMetric {
  static override readonly name: string = 'PrecisionAtRecall';

  readonly #least: number;

  constructor(options: CurveOptions & { readonly recall: number }) {
    super('precision_at_recall', options, true, ['recall']);
    this.#least = share('PrecisionAtRecall', 'recall', options.recall);
  }

  protected override pointOf(curve: OutcomeCurve): OperatingPoint {
    return precisionAtRecallOf(curve, this.#least);
  }
}

/**
 * The best recall among thresholds whose precision is at least `precision`; 0 where none is, over all updates; `threshold` says where.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { RecallAtPrecision } from '@nn/metrics';
 * const metric = new RecallAtPrecision({ precision: 0.9, from: 'probabilities', exact: true });
 * metric.update(tensor([0.875, 0.5, 0.25, 0.125]), tensor([1, 0, 1, 0]));
 * console.log((await metric.read()).epoch.toFixed(4), metric.threshold); // => 0.5000 0.875
 */
export class RecallAtPrecision extends PointMetric {
  static override readonly name: string = 'RecallAtPrecision';

  readonly #least: number;

  constructor(options: CurveOptions & { readonly precision: number }) {
    super('recall_at_precision', options, true, ['precision']);
    this.#least = share('RecallAtPrecision', 'precision', options.precision);
  }

  protected override pointOf(curve: OutcomeCurve): OperatingPoint {
    return recallAtPrecisionOf(curve, this.#least);
  }
}

/**
 * The best true positive rate among thresholds whose specificity is at least `specificity`, over all updates; `threshold` says where.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { SensitivityAtSpecificity } from '@nn/metrics';
 * const metric = new SensitivityAtSpecificity({ specificity: 0.9, from: 'probabilities', exact: true });
 * metric.update(tensor([0.875, 0.5, 0.25, 0.125]), tensor([1, 0, 1, 0]));
 * console.log((await metric.read()).epoch.toFixed(4), metric.threshold); // => 0.5000 0.875
 */
export class SensitivityAtSpecificity extends PointMetric {
  static override readonly name: string = 'SensitivityAtSpecificity';

  readonly #least: number;

  constructor(options: CurveOptions & { readonly specificity: number }) {
    super('sensitivity_at_specificity', options, true, ['specificity']);
    this.#least = share('SensitivityAtSpecificity', 'specificity', options.specificity);
  }

  protected override pointOf(curve: OutcomeCurve): OperatingPoint {
    return sensitivityAtSpecificityOf(curve, this.#least);
  }
}

/**
 * The best specificity among thresholds that find at least `sensitivity` of the positives, over all updates; `threshold` says where.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { SpecificityAtSensitivity } from '@nn/metrics';
 * const metric = new SpecificityAtSensitivity({ sensitivity: 0.9, from: 'probabilities', exact: true });
 * metric.update(tensor([0.875, 0.5, 0.25, 0.125]), tensor([1, 0, 1, 0]));
 * console.log((await metric.read()).epoch.toFixed(4), metric.threshold); // => 0.5000 0.25
 */
export class SpecificityAtSensitivity extends PointMetric {
  static override readonly name: string = 'SpecificityAtSensitivity';

  readonly #least: number;

  constructor(options: CurveOptions & { readonly sensitivity: number }) {
    super('specificity_at_sensitivity', options, true, ['sensitivity']);
    this.#least = share('SpecificityAtSensitivity', 'sensitivity', options.sensitivity);
  }

  protected override pointOf(curve: OutcomeCurve): OperatingPoint {
    return specificityAtSensitivityOf(curve, this.#least);
  }
}

/**
 * The error rate at the threshold where as large a share of negatives is accepted as of positives is rejected.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { EqualErrorRate } from '@nn/metrics';
 * const metric = new EqualErrorRate({ from: 'probabilities', exact: true });
 * metric.update(tensor([0.9, 0.5, 0.4, 0.1]), tensor([1, 0, 1, 0]));
 * console.log((await metric.read()).epoch); // => 0.5
 */
export class EqualErrorRate extends PointMetric {
  static override readonly name: string = 'EqualErrorRate';

  constructor(options: CurveOptions = {}) {
    super('equal_error_rate', options, false);
  }

  protected override pointOf(curve: OutcomeCurve): OperatingPoint {
    return equalErrorRateOf(curve);
  }
}

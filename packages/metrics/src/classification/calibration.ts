/**
 * Whether probabilities mean what they say: confidence and accuracy per bin, their differences, and temperature scaling.
 * Bins are [k/m, (k+1)/m), the last with its end. (Guo et al. 2017.)
 */
import {
  arange,
  checkChoices,
  checkOptions,
  concat,
  type Shape,
  type Tensor,
  ValueError,
  where,
  zeros,
} from '@nn/core';
import { type Batch, checkWeighting, checkWhole, type Weighting } from '../inputs.ts';
import { SumMetric } from '../sum-metric.ts';
import { type Answers, answersOf, markedWeights, type PredictionOptions, scoresOf } from './labels.ts';
import { marksOf } from './marks.ts';
import { requireShares, weightsOfShares } from './shares.ts';

export interface CalibrationOptions extends Omit<PredictionOptions, 'threshold' | 'classes'> {
  /** Bins of equal width. Default 15. */
  readonly bins?: number;
  /** Each class against the rest in place of the most likely class: the mean of their errors. Default false. */
  readonly classwise?: boolean;
}

const known = ['from', 'task', 'axis', 'ignoreIndex', 'bins', 'classwise'];

/** A bin of a reliability table. */
export interface ReliabilityBin {
  readonly from: number;
  readonly to: number;
  /** Samples, weighted. */
  readonly count: number;
  /** Their mean probability, and the share that was right; NaN for an empty bin. */
  readonly confidence: number;
  readonly accuracy: number;
}

/** Rows: weights, confidences and rights per bin. */
abstract class BinnedMetric<Value> extends SumMetric<Batch, Value> {
  readonly #options: PredictionOptions;
  readonly #bins: number;
  readonly #classwise: boolean;

  constructor(name: string, options: CalibrationOptions, higherIsBetter: boolean | null, more: readonly string[] = []) {
    super(name, higherIsBetter);
    checkOptions(new.target.name, options, [...known, ...more]);
    const { bins = 15, classwise = false } = options;
    checkWhole(String(this), 'bins', bins);
    this.#options = options;
    [this.#bins, this.#classwise] = [bins, classwise];
  }

  protected abstract valueFrom(tables: ReliabilityBin[][]): Value;

  protected override measure(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Tensor {
    const operation = String(this);
    const answers = answersOf(
      operation,
      predictions,
      targets,
      { ...this.#options, ...checkWeighting(this, weighting) },
      true,
    );
    const { confidence, right, shape } = this.#confidences(operation, answers);
    const [columns = 1] = shape;
    const bins = this.#bins;
    const bin = confidence
      .mul(bins)
      .floor()
      .clamp(0, bins - 1)
      .cast('int32');
    const flat = [confidence.size];
    const place = bin.mul(columns).add(arange(columns).reshape([columns, 1]));
    const weights = weightsOfShares(confidence, markedWeights(answers));
    // what a mask leaves out may be NaN
    const kept = where(weights.equal(0), 0, confidence);
    const parts = [weights, weights.mul(kept), weights.mul(right)].map((part) => part.reshape(flat));
    const places = parts.map((_, k) => place.add(k * bins * columns).reshape(flat));
    return zeros([3 * bins * columns])
      .scatterAdd(concat(places, 0), concat(parts, 0))
      .reshape([3 * bins, columns]);
  }

  protected override compute(totals: Float64Array, columns: number): Value {
    const bins = this.#bins;
    requireShares(this, totals.every(Number.isFinite));
    const cell = (row: number, column: number): number => totals[row * columns + column]!;
    return this.valueFrom(
      Array.from({ length: columns }, (_, c) =>
        Array.from({ length: bins }, (_, bin) => ({
          from: bin / bins,
          to: (bin + 1) / bins,
          count: cell(bin, c),
          confidence: cell(bins + bin, c) / cell(bin, c),
          accuracy: cell(2 * bins + bin, c) / cell(bin, c),
        })),
      ),
    );
  }

  /** Probabilities and whether they were right: [columns, n]. */
  #confidences(operation: string, answers: Answers): { confidence: Tensor; right: Tensor; shape: Shape } {
    const scores = scoresOf(operation, answers);
    const { predicted, actual, isBinary, isLogits } = answers;
    if (isBinary || this.#classwise) {
      const marks = marksOf(answers, false, true);
      return { confidence: marks.predicted, right: marks.actual.cast('float32'), shape: marks.shape };
    }
    const confidence = (isLogits ? scores.softmax(0) : scores).max(0, { keepAxes: true });
    return { confidence, right: predicted.equal(actual).cast('float32'), shape: answers.shape };
  }
}

export interface CalibrationErrorOptions extends CalibrationOptions {
  /** 'l1': the expected error (ECE). 'l2': its root mean square. 'max': the largest of a bin (MCE). Default 'l1'. */
  readonly norm?: 'l1' | 'l2' | 'max';
}

/** The error of a table. */
function errorOf(table: readonly ReliabilityBin[], norm: CalibrationErrorOptions['norm']): number {
  const filled = table.filter(({ count }) => count > 0);
  const total = filled.reduce((sum, { count }) => sum + count, 0);
  const gaps = filled.map(({ accuracy, confidence }) => Math.abs(accuracy - confidence));
  if (norm === 'max') return Math.max(...gaps);
  const power = norm === 'l2' ? 2 : 1;
  return gaps.reduce((sum, gap, k) => sum + ((filled[k]?.count ?? 0) / total) * gap ** power, 0) ** (1 / power);
}

/**
 * The expected calibration error (ECE) of the most likely class, of one score per sample, or class by class; over all
 * updates. `norm` 'max' is the MCE, 'l2' the RMSCE.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { CalibrationError } from '@nn/metrics';
 * const metric = new CalibrationError({ bins: 2, from: 'probabilities' });
 * metric.update(tensor([0.25, 0.25, 0.55, 0.75, 0.75]), tensor([0, 0, 1, 1, 1]));
 * console.log((await metric.read()).epoch.toFixed(4)); // => 0.2900
 */
export class CalibrationError extends BinnedMetric<number> {
  static override readonly name: string = 'CalibrationError';

  readonly #norm: CalibrationErrorOptions['norm'];

  constructor(options: CalibrationErrorOptions = {}) {
    super('calibration_error', options, false, ['norm']);
    checkChoices('CalibrationError', options, { norm: ['l1', 'l2', 'max'] });
    this.#norm = options.norm;
  }

  protected override valueFrom(tables: ReliabilityBin[][]): number {
    return tables.reduce((sum, table) => sum + errorOf(table, this.#norm), 0) / tables.length;
  }
}

/**
 * Confidence and accuracy per bin, over all updates: one table, or one for each class. `drawReliability` and
 * `reliabilitySvg` draw it.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { ReliabilityTable } from '@nn/metrics';
 * const metric = new ReliabilityTable({ bins: 2, from: 'probabilities' });
 * metric.update(tensor([0.25, 0.25, 0.75]), tensor([0, 1, 1]));
 * console.log((await metric.read()).epoch[0]?.[0]?.accuracy); // => 0.5
 */
export class ReliabilityTable extends BinnedMetric<ReliabilityBin[][]> {
  static override readonly name: string = 'ReliabilityTable';

  constructor(options: CalibrationOptions = {}) {
    super('reliability', options, null);
  }

  protected override valueFrom(tables: ReliabilityBin[][]): ReliabilityBin[][] {
    return tables;
  }
}

/**
 * The temperature by which logits [N, classes] have to be divided so that softmax is calibrated on targets [N]: the one of
 * the largest likelihood, above 1 for a model that is too sure. Use it on data that was not trained on. (Guo et al. 2017.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { fitTemperature } from '@nn/metrics';
 * const logits = tensor([[4, 0], [4, 0], [4, 0], [4, 0]]);
 * console.log((await fitTemperature(logits, tensor([0, 0, 0, 1]))).toFixed(3)); // => 3.641
 */
export async function fitTemperature(logits: Tensor, targets: Tensor): Promise<number> {
  const answers = answersOf('fitTemperature', logits, targets, { from: 'logits', task: 'multiclass' });
  const { actual, classes, flaw } = answers;
  const labelled = where(flaw.equal(0), actual, -1);
  const [scores, labels] = await Promise.all([scoresOf('fitTemperature', answers).data(), labelled.data()]);
  const n = labels.length;
  // the slope of the mean loss in 1 / T: E[z] under softmax(z / T), less z of the right class; it only rises
  const slope = (inverse: number): number => {
    let total = 0;
    for (let row = 0; row < n; row++) {
      const own = Array.from({ length: classes }, (_, c) => scores[c * n + row]!);
      const top = Math.max(...own);
      const weights = own.map((z) => Math.exp((z - top) * inverse));
      const sum = weights.reduce((a, b) => a + b, 0);
      total += own.reduce((mean, z, c) => mean + (z * weights[c]!) / sum, 0) - (own[labels[row]!] ?? Number.NaN);
    }
    return total / n;
  };
  let [low, high] = [1e-4, 1e4];
  if (!(slope(low) < 0 && slope(high) > 0)) {
    throw new ValueError(
      'fitTemperature',
      'no temperature is best: the logits are all right, none is better than chance, or a target is no class.',
    );
  }
  for (let step = 0; step < 100; step++) {
    const middle = Math.sqrt(low * high);
    if (slope(middle) < 0) low = middle;
    else high = middle;
  }
  return 1 / Math.sqrt(low * high);
}

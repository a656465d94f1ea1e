/** The confusion matrix, and what needs all of it: kappa with weights. */
import { arange, checkChoices, checkOptions, type Tensor, ValueError, where, zeros } from '@nn/core';
import { type Batch, checkWeighting, type Weighting } from '../inputs.ts';
import { SumMetric } from '../sum-metric.ts';
import { answersOf, markedWeights, type PredictionOptions, predictionOptions, requireLabels } from './labels.ts';

/** [classes, classes]: targets by predictions. What is no class makes a count infinite, a score that is NaN makes it that. */
function matrixOf(
  operation: string,
  predictions: Tensor,
  targets: Tensor,
  options: PredictionOptions & Weighting,
): Tensor {
  const answers = answersOf(operation, predictions, targets, options);
  const { isBinary, shape, classes, predicted, actual } = answers;
  const [questions = 1, n = 0] = shape;
  if (isBinary && questions > 1) throw new ValueError(operation, 'takes one class per sample, not several labels.');
  const place = actual.mul(classes).add(predicted);
  return zeros([classes * classes])
    .scatterAdd(place.reshape([n]), markedWeights(answers).reshape([n]))
    .reshape([classes, classes]);
}

/**
 * How often samples of class i (rows) were taken for class j (columns): [classes, classes].
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { confusionMatrix } from '@nn/metrics';
 * const matrix = confusionMatrix(tensor([0, 1, 1], { dtype: 'int32' }), tensor([0, 0, 1]), { classes: 2 });
 * console.log(await matrix.array()); // => [[1, 1], [0, 1]]
 */
export function confusionMatrix(
  predictions: Tensor,
  targets: Tensor,
  options: PredictionOptions & Weighting = {},
): Tensor {
  checkOptions('confusionMatrix', options, [...predictionOptions, 'weights', 'mask']);
  return matrixOf('confusionMatrix', predictions, targets, options);
}

/** The counts of a matrix over all updates. */
abstract class MatrixMetric<Value> extends SumMetric<Batch, Value> {
  readonly #options: PredictionOptions;

  constructor(name: string, options: PredictionOptions, higherIsBetter: boolean | null) {
    super(name, higherIsBetter);
    this.#options = options;
  }

  protected abstract valueFrom(matrix: number[][]): Value;

  protected override measure(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Tensor {
    return matrixOf(String(this), predictions, targets, {
      ...this.#options,
      ...checkWeighting(this, weighting),
    });
  }

  protected override compute(totals: Float64Array, classes: number): Value {
    requireLabels(this, !totals.includes(Number.POSITIVE_INFINITY), classes - 1);
    return this.valueFrom(
      Array.from({ length: classes }, (_, row) => [...totals.subarray(row * classes, (row + 1) * classes)]),
    );
  }
}

/**
 * How often samples of class i (rows) were taken for class j (columns), over all updates. `drawConfusion` and
 * `confusionSvg` draw it.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { ConfusionMatrix } from '@nn/metrics';
 * const matrix = new ConfusionMatrix();
 * matrix.update(tensor([[2, 1], [0, 3]]), tensor([0, 0]));
 * console.log((await matrix.read()).epoch); // => [ [ 1, 1 ], [ 0, 0 ] ]
 */
export class ConfusionMatrix extends MatrixMetric<number[][]> {
  static override readonly name: string = 'ConfusionMatrix';

  constructor(options: PredictionOptions = {}) {
    checkOptions('ConfusionMatrix', options, predictionOptions);
    super('confusion_matrix', options, null);
  }

  protected override valueFrom(matrix: number[][]): number[][] {
    return matrix;
  }
}

export interface KappaOptions extends PredictionOptions {
  /** What a confusion of classes i and j costs: 1, |i - j| or (i - j)^2. Default 'none'. */
  readonly weighting?: 'none' | 'linear' | 'quadratic';
}

const weightings = { weighting: ['none', 'linear', 'quadratic'] } as const;

/** The cost of taking i for j. */
function costOf(i: number, j: number, weighting: KappaOptions['weighting']): number {
  const distance = Math.abs(i - j);
  if (weighting === 'linear') return distance;
  return weighting === 'quadratic' ? distance ** 2 : Math.min(1, distance);
}

/**
 * Agreement beyond chance, over all updates: 1 - observed cost / cost expected by chance. (Cohen 1960, 1968.) 0 where
 * everything is of one class.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { CohenKappa } from '@nn/metrics';
 * const kappa = new CohenKappa({ classes: 3 });
 * kappa.update(tensor([2, 1, 0, 1], { dtype: 'int32' }), tensor([2, 1, 0, 0]));
 * console.log((await kappa.read()).epoch.toFixed(6)); // => 0.636364
 */
export class CohenKappa extends MatrixMetric<number> {
  static override readonly name: string = 'CohenKappa';

  readonly #weighting: KappaOptions['weighting'];

  constructor(options: KappaOptions = {}) {
    checkOptions('CohenKappa', options, [...predictionOptions, 'weighting']);
    checkChoices('CohenKappa', options, weightings);
    super('cohen_kappa', options, true);
    this.#weighting = options.weighting;
  }

  protected override valueFrom(matrix: number[][]): number {
    const sum = (list: readonly number[]): number => list.reduce((total, value) => total + value, 0);
    const rows = matrix.map(sum);
    const columns = matrix.map((_, j) => sum(matrix.map((row) => row[j]!)));
    let [observed, expected] = [0, 0];
    matrix.forEach((row, i) => {
      row.forEach((count, j) => {
        const cost = costOf(i, j, this.#weighting);
        observed += cost * count;
        expected += (cost * rows[i]! * columns[j]!) / sum(rows);
      });
    });
    return expected === 0 ? 0 : 1 - observed / expected;
  }
}

/**
 * Agreement of predictions and targets beyond chance: 0-d. (Cohen 1960, 1968.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { cohenKappa } from '@nn/metrics';
 * const value = cohenKappa(tensor([2, 1, 0, 1], { dtype: 'int32' }), tensor([2, 1, 0, 0]), { classes: 3 });
 * console.log((await value.item()).toFixed(6)); // => 0.636364
 */
export function cohenKappa(predictions: Tensor, targets: Tensor, options: KappaOptions & Weighting = {}): Tensor {
  checkOptions('cohenKappa', options, [...predictionOptions, 'weighting', 'weights', 'mask']);
  checkChoices('cohenKappa', options, weightings);
  const matrix = matrixOf('cohenKappa', predictions, targets, options);
  const numbers = arange(matrix.shape[0]!).cast('float32');
  const distance = numbers.unsqueeze(1).sub(numbers).abs();
  const { weighting = 'none' } = options;
  const cost = weighting === 'linear' ? distance : weighting === 'quadratic' ? distance.square() : distance.minimum(1);
  const expected = matrix.sum(1, { keepAxes: true }).mul(matrix.sum(0)).div(matrix.sum()).mul(cost).sum();
  const observed = matrix.mul(cost).sum();
  return where(expected.equal(0), 0, observed.div(expected).neg().add(1));
}

/**
 * Scores of regression that need means and variances. On the device the moments of the window are centred and merged by
 * Chan's formula, because float32 cannot subtract squares of large means; the totals on the host are plain float64 sums.
 * Owns one formula per score, used by the function of tensors and by the class.
 */
import { checkChoices, checkOptions, concat, type Tensor, ValueError, where, zeros } from '@nn/core';
import { type Batch, checkWeighting, requireSameShape, type Weighting, weightsOf } from '../inputs.ts';
import { Numbers, type Quantity, ratio, rowsOf } from '../quantity.ts';
import { SumMetric } from '../sum-metric.ts';

/** Per output: x the predictions, y the targets, d = y - x. Capitals are sums of products of centred values. */
interface Moments<Q> {
  readonly n: Q;
  readonly x: Q;
  readonly y: Q;
  readonly d: Q;
  readonly XX: Q;
  readonly YY: Q;
  readonly XY: Q;
  readonly DD: Q;
}

const rows = 8;
type Formula = <Q extends Quantity<Q>>(moments: Moments<Q>) => Q;

function named<Q>(list: readonly Q[]): Moments<Q> {
  const [n, x, y, d, XX, YY, XY, DD] = list as readonly [Q, Q, Q, Q, Q, Q, Q, Q];
  return { n, x, y, d, XX, YY, XY, DD };
}

/** Sums of squares of the residuals, around 0. */
const residual = <Q extends Quantity<Q>>({ n, d, DD }: Moments<Q>): Q => DD.add(n.mul(d.mul(d)));

/** 1 - part / whole; for a constant target 1 where the part is 0 and else 0, as scikit-learn. */
function explained<Q extends Quantity<Q>>(part: Q, whole: Q): Q {
  const isConstant = whole.equal(0);
  const share = part.div(whole.add(isConstant)).mul(-1).add(1);
  return share.mul(isConstant.mul(-1).add(1)).add(isConstant.mul(part.equal(0)));
}

const r2Of: Formula = (moments) => explained(residual(moments), moments.YY);
const explainedVarianceOf: Formula = ({ DD, YY }) => explained(DD, YY);
/** Rounding leaves correlations a hair beyond 1 and -1, where what is made of them (Fisher's z) has no value. */
const correlation = <Q extends Quantity<Q>>(part: Q, whole: Q): Q =>
  ratio(part, whole).maximum(-1).mul(-1).maximum(-1).mul(-1);
const pearsonOf: Formula = ({ XX, YY, XY }) => correlation(XY, XX.sqrt().mul(YY.sqrt()));
// 2 s_xy / (s_xx + s_yy + (mean x - mean y)^2)   (Lin 1989)
const concordanceOf: Formula = ({ n, d, XX, YY, XY }) => correlation(XY.mul(2), XX.add(YY).add(n.mul(d.mul(d))));
const relativeOf: Formula = (moments) => ratio(residual(moments), moments.YY);

function adjusted(operation: string, features: number): Formula {
  if (!Number.isInteger(features) || features < 0) {
    throw new ValueError(operation, `features is ${features}: it is the number of inputs of the model, from 0.`);
  }
  // 1 - (1 - R2) (n - 1) / (n - features - 1)
  return (moments) =>
    r2Of(moments)
      .mul(-1)
      .add(1)
      .mul(moments.n.sub(1))
      .div(moments.n.sub(features + 1))
      .mul(-1)
      .add(1);
}

function normalized(by: NormalizedOptions['by']): Formula {
  return (moments) => {
    const { n, y, YY } = moments;
    const root = ratio(residual(moments), n).sqrt();
    if (by === 'standardDeviation') return ratio(root, ratio(YY, n).sqrt());
    // |y| as max(y, -y)
    return ratio(root, y.maximum(y.mul(-1)));
  };
}

/** The moments of a batch: [8, outputs], for [N] or [N, outputs]. */
function momentsOf(operation: string, predictions: Tensor, targets: Tensor, weighting: Weighting): Tensor {
  requireSameShape(operation, predictions, targets);
  const outputs = targets.rank < 2 ? 1 : targets.shape.at(-1)!;
  const shape = [targets.size / outputs, outputs];
  const weights = weightsOf(operation, targets.shape, weighting)?.reshape(shape) ?? zeros(shape).add(1);
  const kept = (values: Tensor): Tensor => where(weights.equal(0), 0, values.cast('float32').reshape(shape));
  const [px, py] = [kept(predictions), kept(targets)];
  const n = weights.sum(0, { keepAxes: true });
  const mean = (values: Tensor): Tensor =>
    values
      .mul(weights)
      .sum(0, { keepAxes: true })
      .div(n.add(n.equal(0)));
  const [x, y, d] = [mean(px), mean(py), mean(py.sub(px))];
  const [cx, cy, cd] = [px.sub(x), py.sub(y), py.sub(px).sub(d)];
  const products = [cx.square(), cy.square(), cx.mul(cy), cd.square()];
  return concat([n, x, y, d, ...products.map((values) => values.mul(weights).sum(0, { keepAxes: true }))], 0);
}

/** The mean over outputs of a formula of tensors: 0-d. */
function scoreOf(
  operation: string,
  formula: Formula,
  predictions: Tensor,
  targets: Tensor,
  options: Weighting,
  known: readonly string[] = [],
): Tensor {
  checkOptions(operation, options, [...known, 'weights', 'mask']);
  const moments = momentsOf(operation, predictions, targets, options);
  return formula(named(Array.from({ length: rows }, (_, row) => moments.at(row)))).mean();
}

/** A formula over all updates; with several outputs the mean of theirs. */
abstract class MomentMetric extends SumMetric<Batch, number> {
  readonly #formula: Formula;

  constructor(name: string, formula: Formula, higherIsBetter: boolean) {
    super(name, higherIsBetter);
    this.#formula = formula;
  }

  protected override measure(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Tensor {
    return momentsOf(String(this), predictions, targets, checkWeighting(this, weighting));
  }

  // Chan, Golub and LeVeque 1979: AB = AB_1 + AB_2 + (a_2 - a_1) (b_2 - b_1) n_1 n_2 / n
  protected override accumulate(window: Tensor, batch: Tensor): Tensor {
    const row = (of: Tensor, k: number): Tensor => of.slice([k, 0], [k + 1]);
    const [before, more] = [row(window, 0), row(batch, 0)];
    const n = before.add(more);
    const share = more.div(n.add(n.equal(0)));
    const apart = [1, 2, 3].map((k) => row(batch, k).sub(row(window, k))) as [Tensor, Tensor, Tensor];
    const means = apart.map((step, k) => row(window, k + 1).add(step.mul(share)));
    const [x, y, d] = apart;
    const pairs = [x.mul(x), y.mul(y), x.mul(y), d.mul(d)];
    const products = pairs.map((pair, k) =>
      row(window, k + 4)
        .add(row(batch, k + 4))
        .add(pair.mul(before).mul(share)),
    );
    return concat([n, ...means, ...products], 0);
  }

  /** @internal As sums around 0, which add up. */
  override absorb(window: ArrayLike<number>): void {
    if (window.length === 0) return;
    const { n, x, y, d, XX, YY, XY, DD } = named(rowsOf(window, this.shape[1]));
    const product = (centred: Numbers, a: Numbers, b: Numbers): Numbers => centred.add(a.mul(b).mul(n));
    const sums = [
      n,
      x.mul(n),
      y.mul(n),
      d.mul(n),
      product(XX, x, x),
      product(YY, y, y),
      product(XY, x, y),
      product(DD, d, d),
    ];
    super.absorb(sums.flatMap(({ values }) => values));
  }

  protected override compute(totals: Float64Array, columns: number): number {
    const [n, sx, sy, sd, xx, yy, xy, dd] = rowsOf(totals, columns) as [
      Numbers,
      Numbers,
      Numbers,
      Numbers,
      Numbers,
      Numbers,
      Numbers,
      Numbers,
    ];
    if (n.values.every((count) => count === 0)) return Number.NaN;
    const [x, y, d] = [ratio(sx, n), ratio(sy, n), ratio(sd, n)];
    // what is left of a constant by rounding is not a variance
    const centred = (sum: Numbers, a: Numbers, b: Numbers): Numbers => {
      const rest = sum.sub(a.mul(b).mul(n));
      return new Numbers(
        rest.values.map((value, c) => (Math.abs(value) <= 1e-12 * Math.abs(sum.values[c] ?? 0) ? 0 : value)),
      );
    };
    const moments = {
      n,
      x,
      y,
      d,
      XX: centred(xx, x, x),
      YY: centred(yy, y, y),
      XY: centred(xy, x, y),
      DD: centred(dd, d, d),
    };
    const scores = this.#formula(moments);
    return scores.sum().first / scores.values.length;
  }
}

export interface R2Options {
  /** The number of inputs of the model, for the adjusted score. (Theil 1961.) */
  readonly features?: number;
}

/**
 * The coefficient of determination, 1 - residual / total sum of squares, as the mean over the outputs [N, outputs]: 0-d.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { r2Score } from '@nn/metrics';
 * console.log((await r2Score(tensor([2.5, 0, 2, 8]), tensor([3, -0.5, 2, 7])).item()).toFixed(4)); // => 0.9486
 */
export function r2Score(predictions: Tensor, targets: Tensor, options: R2Options & Weighting = {}): Tensor {
  const formula = options.features === undefined ? r2Of : adjusted('r2Score', options.features);
  return scoreOf('r2Score', formula, predictions, targets, options, ['features']);
}

/**
 * The coefficient of determination, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { R2Score } from '@nn/metrics';
 * const metric = new R2Score();
 * metric.update(tensor([2.5, 0, 2, 8]), tensor([3, -0.5, 2, 7]));
 * console.log((await metric.read()).epoch.toFixed(4)); // => 0.9486
 */
export class R2Score extends MomentMetric {
  static override readonly name: string = 'R2Score';

  constructor(options: R2Options = {}) {
    checkOptions('R2Score', options, ['features']);
    super('r2', options.features === undefined ? r2Of : adjusted('R2Score', options.features), true);
  }
}

const divisors = { by: ['mean', 'standardDeviation'] } as const;

export interface NormalizedOptions {
  /** What the error is divided by: the size of the mean target, or the deviation of the targets. Default 'mean'. */
  readonly by?: 'mean' | 'standardDeviation';
}

/**
 * 1 - variance of the residuals / variance of the targets: as R2, but blind to a constant offset; the mean over the
 * outputs [N, outputs]: 0-d.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { explainedVariance } from '@nn/metrics';
 * console.log((await explainedVariance(tensor([1, 2, 3, 4, 5]), tensor([2, 3, 4, 5, 6])).item()).toFixed(4)); // => 1.0000
 */
export function explainedVariance(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Tensor {
  return scoreOf('explainedVariance', explainedVarianceOf, predictions, targets, weighting);
}

/**
 * 1 - variance of the residuals / variance of the targets: as R2, but blind to a constant offset, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { ExplainedVariance } from '@nn/metrics';
 * const metric = new ExplainedVariance();
 * metric.update(tensor([1, 2, 3, 4, 5]), tensor([2, 3, 4, 5, 6]));
 * console.log((await metric.read()).epoch.toFixed(4)); // => 1.0000
 */
export class ExplainedVariance extends MomentMetric {
  static override readonly name: string = 'ExplainedVariance';

  constructor() {
    super('explained_variance', explainedVarianceOf, true);
  }
}

/**
 * Pearson's correlation of predictions and targets; 0 where one side is constant; the mean over the outputs [N, outputs]: 0-d.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { pearsonCorrelation } from '@nn/metrics';
 * console.log((await pearsonCorrelation(tensor([1, 2, 3, 4, 5]), tensor([2, 3, 4, 5, 6])).item()).toFixed(4)); // => 1.0000
 */
export function pearsonCorrelation(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Tensor {
  return scoreOf('pearsonCorrelation', pearsonOf, predictions, targets, weighting);
}

/**
 * Pearson's correlation of predictions and targets; 0 where one side is constant, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { PearsonCorrelation } from '@nn/metrics';
 * const metric = new PearsonCorrelation();
 * metric.update(tensor([1, 2, 3, 4, 5]), tensor([2, 3, 4, 5, 6]));
 * console.log((await metric.read()).epoch.toFixed(4)); // => 1.0000
 */
export class PearsonCorrelation extends MomentMetric {
  static override readonly name: string = 'PearsonCorrelation';

  constructor() {
    super('pearson_correlation', pearsonOf, true);
  }
}

/**
 * Lin's concordance correlation: Pearson's, less what offset and scale differ; the mean over the outputs [N, outputs]: 0-d.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { concordanceCorrelation } from '@nn/metrics';
 * console.log((await concordanceCorrelation(tensor([1, 2, 3, 4, 5]), tensor([2, 3, 4, 5, 6])).item()).toFixed(4)); // => 0.8000
 */
export function concordanceCorrelation(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Tensor {
  return scoreOf('concordanceCorrelation', concordanceOf, predictions, targets, weighting);
}

/**
 * Lin's concordance correlation: Pearson's, less what offset and scale differ, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { ConcordanceCorrelation } from '@nn/metrics';
 * const metric = new ConcordanceCorrelation();
 * metric.update(tensor([1, 2, 3, 4, 5]), tensor([2, 3, 4, 5, 6]));
 * console.log((await metric.read()).epoch.toFixed(4)); // => 0.8000
 */
export class ConcordanceCorrelation extends MomentMetric {
  static override readonly name: string = 'ConcordanceCorrelation';

  constructor() {
    super('concordance_correlation', concordanceOf, true);
  }
}

/**
 * The squared error over that of the mean target: 1 - R2; the mean over the outputs [N, outputs]: 0-d.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { relativeSquaredError } from '@nn/metrics';
 * console.log((await relativeSquaredError(tensor([1, 2, 3, 4, 5]), tensor([2, 3, 4, 5, 6])).item()).toFixed(4)); // => 0.5000
 */
export function relativeSquaredError(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Tensor {
  return scoreOf('relativeSquaredError', relativeOf, predictions, targets, weighting);
}

/**
 * The squared error over that of the mean target: 1 - R2, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { RelativeSquaredError } from '@nn/metrics';
 * const metric = new RelativeSquaredError();
 * metric.update(tensor([1, 2, 3, 4, 5]), tensor([2, 3, 4, 5, 6]));
 * console.log((await metric.read()).epoch.toFixed(4)); // => 0.5000
 */
export class RelativeSquaredError extends MomentMetric {
  static override readonly name: string = 'RelativeSquaredError';

  constructor() {
    super('relative_squared_error', relativeOf, false);
  }
}

/**
 * The root mean squared error over the size of the mean target or over the targets' deviation: 0-d.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { normalizedRootMeanSquaredError } from '@nn/metrics';
 * console.log((await normalizedRootMeanSquaredError(tensor([1, 3]), tensor([2, 2])).item()).toFixed(2)); // => 0.50
 */
export function normalizedRootMeanSquaredError(
  predictions: Tensor,
  targets: Tensor,
  options: NormalizedOptions & Weighting = {},
): Tensor {
  checkChoices('normalizedRootMeanSquaredError', options, divisors);
  return scoreOf('normalizedRootMeanSquaredError', normalized(options.by), predictions, targets, options, ['by']);
}

/**
 * The root mean squared error over the size of the mean target or over the targets' deviation, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { NormalizedRootMeanSquaredError } from '@nn/metrics';
 * const metric = new NormalizedRootMeanSquaredError();
 * metric.update(tensor([1, 3]), tensor([2, 2]));
 * console.log((await metric.read()).epoch.toFixed(2)); // => 0.50
 */
export class NormalizedRootMeanSquaredError extends MomentMetric {
  static override readonly name: string = 'NormalizedRootMeanSquaredError';

  constructor(options: NormalizedOptions = {}) {
    checkOptions('NormalizedRootMeanSquaredError', options, ['by']);
    checkChoices('NormalizedRootMeanSquaredError', options, divisors);
    super('normalized_root_mean_squared_error', normalized(options.by), false);
  }
}

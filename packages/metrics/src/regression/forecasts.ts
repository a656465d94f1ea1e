/**
 * Errors of predictions that tell of a distribution: of one of its quantiles, of its mean where the spread grows with it, of an
 * ensemble of its members. A function with gradients and a class each.
 */
import { checkOptions, type Tensor, ValueError, where } from '@nn/core';
import { requireSameShape, type Weighting } from '../inputs.ts';
import { type PairFormula, PairMetric, pairMean } from '../pair-metric.ts';
import { difference } from './errors.ts';

export interface QuantileOptions {
  /** Which quantile the predictions are of: above 0 and below 1. Default 0.5, half the mean absolute error. */
  readonly quantile?: number;
}

// q (t - p) where the target is above, (1 - q) (p - t) where it is below
function pinball(operation: string, { quantile = 0.5 }: QuantileOptions): PairFormula {
  if (!(quantile > 0 && quantile < 1)) {
    throw new ValueError(operation, `the quantile is ${quantile}: it must be above 0 and below 1.`, { quantile });
  }
  return (_, p, t) => {
    const d = difference(operation, t, p);
    return d.mul(quantile).maximum(d.mul(quantile - 1));
  };
}

/**
 * The pinball loss of predictions of a quantile: 0-d. (Koenker and Bassett 1978.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { quantileError } from '@nn/metrics';
 * console.log(await quantileError(tensor([0]), tensor([4]), { quantile: 0.75 }).item()); // => 3
 */
export function quantileError(predictions: Tensor, targets: Tensor, options: QuantileOptions & Weighting = {}): Tensor {
  return pairMean('quantileError', pinball('quantileError', options), predictions, targets, options, ['quantile']);
}

/**
 * The pinball loss of predictions of a quantile, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { QuantileError } from '@nn/metrics';
 * const metric = new QuantileError({ quantile: 0.75 });
 * metric.update(tensor([0]), tensor([4]));
 * console.log((await metric.read()).epoch); // => 3
 */
export class QuantileError extends PairMetric {
  static override readonly name: string = 'QuantileError';

  constructor(options: QuantileOptions = {}) {
    checkOptions('QuantileError', options, ['quantile']);
    super('quantile_error', pinball('QuantileError', options));
  }
}

export interface TweedieOptions {
  /** 0: squared error; 1: Poisson; 2: gamma; 3: inverse Gaussian; 1 to 2: both. Default 0. */
  readonly power?: number;
}

/** Up to this share of the prediction the deviance is a series; eleven terms of it are exact to float32. */
const nearest = 1 / 4;
const terms = 11;

/**
 * The deviance where t is near p. Its parts cancel there: of an error of 1 % float32 would keep two digits, of 0.1 % none. With
 * u = (t - p) / p and q = 2 - power it is 2 p^q ((1 + u)^q - 1 - q u) / (q (q - 1)), by the binomial series
 * p^q u^2 (1 + (q - 2) / 3 u (1 + (q - 3) / 4 u (1 + ...))), also for q = 0 and 1.
 */
function nearDeviance(p: Tensor, u: Tensor, q: number): Tensor {
  let series = u.mul(0).add(1);
  for (let k = terms + 1; k >= 2; k--)
    series = series
      .mul(u)
      .mul((q - k) / (k + 1))
      .add(1);
  return p.pow(q).mul(u.square()).mul(series);
}

/** The unit deviance of a Tweedie distribution of this power. (Jorgensen 1987.) */
function devianceOf(operation: string, { power = 0 }: TweedieOptions): PairFormula {
  if (power > 0 && power < 1) {
    throw new ValueError(operation, `the power is ${power}: no distribution has one between 0 and 1.`, { power });
  }
  return (_, p, t) => {
    if (power === 0) return difference(operation, p, t).square();
    requireSameShape(operation, p, t);
    const u = t.sub(p).div(p);
    return where(u.abs().less(nearest), nearDeviance(p, u, 2 - power), farDeviance(p, t, power));
  };
}

/** The deviance by its definition. */
function farDeviance(p: Tensor, t: Tensor, power: number): Tensor {
  if (power === 1) {
    // t log(t / p) is 0 at t = 0
    const safe = where(t.equal(0), 1, t);
    return t.mul(safe.div(p).log()).sub(t).add(p).mul(2);
  }
  if (power === 2) return p.div(t).log().add(t.div(p)).sub(1).mul(2);
  const first = t
    .maximum(0)
    .pow(2 - power)
    .div((1 - power) * (2 - power));
  return first
    .sub(t.mul(p.pow(1 - power)).div(1 - power))
    .add(p.pow(2 - power).div(2 - power))
    .mul(2);
}

/**
 * The mean deviance of a Tweedie distribution: 0-d. Poisson and gamma deviance are its powers 1 and 2; predictions must
 * be above 0 then.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { tweedieDeviance } from '@nn/metrics';
 * console.log((await tweedieDeviance(tensor([2]), tensor([1]), { power: 1 }).item()).toFixed(4)); // => 0.6137
 */
export function tweedieDeviance(
  predictions: Tensor,
  targets: Tensor,
  options: TweedieOptions & Weighting = {},
): Tensor {
  return pairMean('tweedieDeviance', devianceOf('tweedieDeviance', options), predictions, targets, options, ['power']);
}

/**
 * The mean deviance of a Tweedie distribution, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { TweedieDeviance } from '@nn/metrics';
 * const poisson = new TweedieDeviance({ power: 1 });
 * poisson.update(tensor([2]), tensor([1]));
 * console.log((await poisson.read()).epoch.toFixed(4)); // => 0.6137
 */
export class TweedieDeviance extends PairMetric {
  static override readonly name: string = 'TweedieDeviance';

  constructor(options: TweedieOptions = {}) {
    checkOptions('TweedieDeviance', options, ['power']);
    super('tweedie_deviance', devianceOf('TweedieDeviance', options));
  }
}

/** mean |x_i - t| - 1/2 mean |x_i - x_j| over the members of an ensemble [N, members]. */
const crpsOf: PairFormula = (operation, p, t) => {
  requireSameShape(operation, p.at('...', 0), t);
  const error = p.sub(t.unsqueeze(-1)).abs().mean(-1);
  return error.sub(p.unsqueeze(-1).sub(p.unsqueeze(-2)).abs().mean([-2, -1]).mul(0.5));
};

/**
 * The continuous ranked probability score of ensembles [N, members] for targets [N]: 0-d, the absolute error where there is
 * one member. (Gneiting and Raftery 2007.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { continuousRankedProbability } from '@nn/metrics';
 * console.log(await continuousRankedProbability(tensor([[0, 2]]), tensor([1])).item()); // => 0.5
 */
export function continuousRankedProbability(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Tensor {
  return pairMean('continuousRankedProbability', crpsOf, predictions, targets, weighting);
}

/**
 * The continuous ranked probability score of ensembles [N, members] for targets [N], over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { ContinuousRankedProbability } from '@nn/metrics';
 * const metric = new ContinuousRankedProbability();
 * metric.update(tensor([[0, 2]]), tensor([1]));
 * console.log((await metric.read()).epoch); // => 0.5
 */
export class ContinuousRankedProbability extends PairMetric {
  static override readonly name: string = 'ContinuousRankedProbability';

  constructor() {
    super('continuous_ranked_probability', crpsOf);
  }
}

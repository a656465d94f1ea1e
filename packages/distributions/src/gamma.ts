/** The gamma distribution and the exponential one, which is gamma of concentration 1. */
import { digamma, lgamma, type Tensor, type TensorLike, where } from '@nn/core';
import {
  broadcast,
  type Distribution,
  Reparameterised,
  requirePositive,
  type Shape,
  toTensor,
} from './distribution.ts';
import { standardExponential, standardLogGamma } from './draws.ts';

/** The smallest normal number of float32: a draw is not 0, whose density may be infinite. */
const least = 2 ** -126;

/** log density of gamma numbers; below 0 there are none, and at 0 the limit counts. */
function logDensity(value: TensorLike, concentration: Tensor, rate: Tensor): Tensor {
  const x = toTensor(value);
  const isInside = x.greaterEqual(0);
  const safe = where(isInside, x, 1);
  const power = concentration.sub(1);
  // 0 log 0 is 0
  const isFlat = power.equal(0).logicalAnd(safe.equal(0));
  const logs = power.mul(where(isFlat, 1, safe).log());
  const density = concentration.mul(rate.log()).add(logs).sub(rate.mul(safe)).sub(lgamma(concentration));
  return where(isInside, density, Number.NEGATIVE_INFINITY);
}

function divergence(a: Tensor, rate: Tensor, otherA: Tensor, otherRate: Tensor): Tensor {
  // a' log(b / b') + log gamma(a') - log gamma(a) + (a - a') digamma(a) + (b' - b) a / b
  return otherA
    .mul(rate.div(otherRate).log())
    .add(lgamma(otherA).sub(lgamma(a)))
    .add(a.sub(otherA).mul(digamma(a)))
    .add(otherRate.sub(rate).mul(a.div(rate)));
}

/**
 * The gamma distribution with a concentration (shape) and a rate (inverse scale), which broadcast. `rsample` has gradients to
 * both, that to the concentration by implicit reparameterisation.
 *
 * @example
 * import { Gamma } from '@nn/distributions';
 * const waiting = new Gamma(3, 2);
 * console.log(await waiting.mean.item(), await waiting.variance.item()); // => 1.5 0.75
 */
export class Gamma extends Reparameterised {
  readonly name: string = 'Gamma';
  readonly concentration: Tensor;
  readonly rate: Tensor;

  constructor(concentration: TensorLike, rate: TensorLike) {
    requirePositive('Gamma', { concentration, rate });
    const [shape, inverse] = broadcast('Gamma', concentration, rate) as [Tensor, Tensor];
    super(shape.shape);
    this.concentration = shape;
    this.rate = inverse;
  }

  get mean(): Tensor {
    return this.concentration.div(this.rate);
  }

  get variance(): Tensor {
    return this.concentration.div(this.rate.square());
  }

  logProbability(value: TensorLike): Tensor {
    return logDensity(value, this.concentration, this.rate);
  }

  entropy(): Tensor {
    const a = this.concentration;
    return a
      .sub(this.rate.log())
      .add(lgamma(a))
      .add(a.neg().add(1).mul(digamma(a)));
  }

  /** From a Gamma or an Exponential. */
  klDivergence(other: Distribution): Tensor {
    if (other instanceof Gamma) return divergence(this.concentration, this.rate, other.concentration, other.rate);
    if (!(other instanceof Exponential)) throw this.noDivergence(other);
    return divergence(this.concentration, this.rate, other.rate.mul(0).add(1), other.rate);
  }

  protected draw(shape: Shape): Tensor {
    return standardLogGamma(shape, this.concentration).exp().div(this.rate).maximum(least);
  }
}

/**
 * The exponential distribution with a rate.
 *
 * @example
 * import { Exponential } from '@nn/distributions';
 * console.log((await new Exponential(2).logProbability([0, 1]).array(1)).map((x) => x.toFixed(4)).join(' ')); // => 0.6931 -1.3069
 */
export class Exponential extends Reparameterised {
  readonly name: string = 'Exponential';
  readonly rate: Tensor;

  constructor(rate: TensorLike) {
    requirePositive('Exponential', { rate });
    const inverse = toTensor(rate);
    super(inverse.shape);
    this.rate = inverse;
  }

  get mean(): Tensor {
    return this.rate.reciprocal();
  }

  get variance(): Tensor {
    return this.rate.square().reciprocal();
  }

  logProbability(value: TensorLike): Tensor {
    const x = toTensor(value);
    const isInside = x.greaterEqual(0);
    return where(isInside, this.rate.log().sub(this.rate.mul(where(isInside, x, 0))), Number.NEGATIVE_INFINITY);
  }

  entropy(): Tensor {
    return this.rate.log().neg().add(1);
  }

  /** From an Exponential or a Gamma. */
  klDivergence(other: Distribution): Tensor {
    if (other instanceof Exponential) {
      const ratio = other.rate.div(this.rate);
      return ratio.sub(1).sub(ratio.log());
    }
    if (!(other instanceof Gamma)) throw this.noDivergence(other);
    return divergence(this.rate.mul(0).add(1), this.rate, other.concentration, other.rate);
  }

  protected draw(shape: Shape): Tensor {
    return standardExponential(shape).div(this.rate);
  }
}

/** Dirichlet's distribution, and its case of two, the beta distribution. */
import { digamma, lgamma, ShapeError, stack, type Tensor, type TensorLike, where } from '@nn/core';
import {
  broadcast,
  type Distribution,
  Reparameterised,
  requirePositive,
  type Shape,
  toTensor,
} from './distribution.ts';
import { standardLogGamma } from './draws.ts';

/** log of the sum of logs (concentration - 1) log x, where 0 log 0 is 0. */
function weightedLogs(concentration: Tensor, x: Tensor): Tensor {
  const power = concentration.sub(1);
  const isFlat = power.equal(0).logicalAnd(x.equal(0));
  return power.mul(where(isFlat, 1, x).log());
}

/** Functions of a concentration [..., K]. */
const logNormaliser = (a: Tensor): Tensor =>
  lgamma(a)
    .sum(-1)
    .sub(lgamma(a.sum(-1)));

function entropyOf(a: Tensor): Tensor {
  const total = a.sum(-1);
  const k = a.shape.at(-1) as number;
  const inner = a.sub(1).mul(digamma(a)).sum(-1);
  return logNormaliser(a)
    .add(total.sub(k).mul(digamma(total)))
    .sub(inner);
}

function divergenceOf(a: Tensor, other: Tensor): Tensor {
  const logs = digamma(a).sub(digamma(a.sum(-1)).unsqueeze(-1));
  return logNormaliser(other).sub(logNormaliser(a)).add(a.sub(other).mul(logs).sum(-1));
}

/**
 * Dirichlet's distribution of K numbers that sum to 1, with concentrations [..., K]. `rsample` has gradients by implicit
 * reparameterisation of the gamma numbers that it is made of, in logarithms, so that small concentrations give no NaN.
 *
 * @example
 * import { Dirichlet } from '@nn/distributions';
 * const parts = new Dirichlet([1, 2, 1]);
 * console.log(await parts.mean.array()); // => [0.25, 0.5, 0.25]
 * console.log((await parts.sample().sum().item()).toFixed(4)); // => 1.0000
 */
export class Dirichlet extends Reparameterised {
  readonly name: string = 'Dirichlet';
  readonly concentration: Tensor;

  constructor(concentration: TensorLike) {
    const a = toTensor(concentration);
    if (a.shape.length === 0) {
      throw new ShapeError('Dirichlet', 'needs concentrations [..., K], got a number.', { shape: a.shape });
    }
    super(a.shape.slice(0, -1), a.shape.slice(-1));
    this.concentration = a;
  }

  get mean(): Tensor {
    return this.concentration.div(this.concentration.sum(-1, { keepAxes: true }));
  }

  get variance(): Tensor {
    const total = this.concentration.sum(-1, { keepAxes: true });
    return this.mean.mul(this.mean.neg().add(1)).div(total.add(1));
  }

  /** Of values that sum to 1, which is not looked at; -Infinity where one of them is below 0. */
  logProbability(value: TensorLike): Tensor {
    const x = toTensor(value);
    const isInside = x.greaterEqual(0);
    const logs = where(isInside, weightedLogs(this.concentration, where(isInside, x, 1)), Number.NEGATIVE_INFINITY);
    return logs.sum(-1).sub(logNormaliser(this.concentration));
  }

  entropy(): Tensor {
    return entropyOf(this.concentration);
  }

  klDivergence(other: Distribution): Tensor {
    if (!(other instanceof Dirichlet)) throw this.noDivergence(other);
    return divergenceOf(this.concentration, other.concentration);
  }

  protected draw(shape: Shape): Tensor {
    return standardLogGamma([...shape, ...this.eventShape], this.concentration).softmax(-1);
  }
}

/**
 * The beta distribution on [0, 1] with two concentrations, as in PyTorch: density in proportion to x^(c1 - 1) (1 - x)^(c0 - 1).
 *
 * @example
 * import { Beta } from '@nn/distributions';
 * const rate = new Beta(2, 6);
 * console.log(await rate.mean.item()); // => 0.25
 */
export class Beta extends Reparameterised {
  readonly name: string = 'Beta';
  readonly concentration1: Tensor;
  readonly concentration0: Tensor;

  constructor(concentration1: TensorLike, concentration0: TensorLike) {
    requirePositive('Beta', { concentration1, concentration0 });
    const [first, second] = broadcast('Beta', concentration1, concentration0) as [Tensor, Tensor];
    super(first.shape);
    this.concentration1 = first;
    this.concentration0 = second;
  }

  get mean(): Tensor {
    return this.concentration1.div(this.concentration1.add(this.concentration0));
  }

  get variance(): Tensor {
    const total = this.concentration1.add(this.concentration0);
    return this.concentration1.mul(this.concentration0).div(total.square().mul(total.add(1)));
  }

  logProbability(value: TensorLike): Tensor {
    const x = toTensor(value);
    const isInside = x.greaterEqual(0).logicalAnd(x.lessEqual(1));
    const safe = where(isInside, x, 0.5);
    const first = weightedLogs(this.concentration1, safe);
    const density = first.add(weightedLogs(this.concentration0, safe.neg().add(1))).sub(logNormaliser(this.#both));
    return where(isInside, density, Number.NEGATIVE_INFINITY);
  }

  entropy(): Tensor {
    return entropyOf(this.#both);
  }

  klDivergence(other: Distribution): Tensor {
    if (!(other instanceof Beta)) throw this.noDivergence(other);
    return divergenceOf(this.#both, other.#both);
  }

  protected draw(shape: Shape): Tensor {
    const first = standardLogGamma(shape, this.concentration1);
    return first.sub(standardLogGamma(shape, this.concentration0)).sigmoid();
  }

  /** As concentrations of Dirichlet's distribution. */
  get #both(): Tensor {
    return stack([this.concentration1, this.concentration0], this.batchShape.length);
  }
}

/** Distributions of classes: Bernoulli's, categorical, multinomial. Each by probabilities or by logits. */
import {
  categorical,
  lgamma,
  logit,
  oneHot,
  ShapeError,
  type Tensor,
  type TensorLike,
  uniform,
  ValueError,
  where,
  xlogy,
} from '@nn/core';
import { Distribution, type Shape, toTensor, vector } from './distribution.ts';

/** One of the two: probabilities, or their logits. */
export type ByProbability =
  | { readonly probabilities: TensorLike; readonly logits?: undefined }
  | { readonly logits: TensorLike; readonly probabilities?: undefined };

function requireOne(operation: string, given: ByProbability): void {
  if ((given.probabilities === undefined) !== (given.logits === undefined)) return;
  throw new ValueError(operation, 'needs either probabilities or logits, and not both.');
}

/** Of a Bernoulli distribution: the logarithms of the probabilities of 1 and of 0, from logits without loss. */
const logSides = (logits: Tensor): readonly [Tensor, Tensor] => [
  logits.neg().softplus().neg(),
  logits.softplus().neg(),
];

/**
 * Bernoulli's distribution: 1 with a probability, else 0, as float32.
 *
 * @example
 * import { Bernoulli } from '@nn/distributions';
 * const coin = new Bernoulli({ probabilities: 0.25 });
 * console.log((await coin.logProbability([0, 1]).exp().array(1)).map((x) => x.toFixed(2)).join(' ')); // => 0.75 0.25
 */
export class Bernoulli extends Distribution {
  readonly name: string = 'Bernoulli';
  readonly probabilities: Tensor;
  readonly logits: Tensor;

  constructor(parameters: ByProbability) {
    requireOne('Bernoulli', parameters);
    const given = toTensor(parameters.probabilities ?? (parameters.logits as TensorLike));
    super(given.shape);
    const isLogits = parameters.probabilities === undefined;
    this.probabilities = isLogits ? given.sigmoid() : given;
    this.logits = isLogits ? given : logit(given);
  }

  get mean(): Tensor {
    return this.probabilities;
  }

  get variance(): Tensor {
    return this.probabilities.mul(this.probabilities.neg().add(1));
  }

  logProbability(value: TensorLike): Tensor {
    const x = toTensor(value);
    const [one, zero] = logSides(this.logits);
    return where(x.equal(1), one, where(x.equal(0), zero, Number.NEGATIVE_INFINITY));
  }

  entropy(): Tensor {
    const [one, zero] = logSides(this.logits);
    return timesLog(this.probabilities, one)
      .add(timesLog(this.probabilities.neg().add(1), zero))
      .neg();
  }

  klDivergence(other: Distribution): Tensor {
    if (!(other instanceof Bernoulli)) throw this.noDivergence(other);
    const [one, zero] = logSides(this.logits);
    const [otherOne, otherZero] = logSides(other.logits);
    const rest = this.probabilities.neg().add(1);
    return timesDifference(this.probabilities, one, otherOne).add(timesDifference(rest, zero, otherZero));
  }

  protected draw(shape: Shape): Tensor {
    return uniform(shape).less(this.probabilities).cast('float32');
  }
}

/** p log p, where 0 log 0 is 0. */
function timesLog(p: Tensor, logP: Tensor): Tensor {
  const isNothing = p.equal(0);
  return where(isNothing, 0, p.mul(where(isNothing, 0, logP)));
}

/** p (log p - log q), 0 where p is, and infinite where only q is 0. */
function timesDifference(p: Tensor, logP: Tensor, logQ: Tensor): Tensor {
  const isNothing = p.equal(0);
  return where(isNothing, 0, p.mul(where(isNothing, 0, logP).sub(where(isNothing, 0, logQ))));
}

/** Logarithms of probabilities [..., K] that sum to 1, and the probabilities. */
function classes(
  operation: string,
  parameters: ByProbability,
): { readonly probabilities: Tensor; readonly logs: Tensor } {
  requireOne(operation, parameters);
  const given = toTensor(parameters.probabilities ?? (parameters.logits as TensorLike));
  if (given.shape.length === 0) throw new ShapeError(operation, 'needs one number a class, [..., K], got one alone.');
  if (parameters.probabilities === undefined) return { probabilities: given.softmax(-1), logs: given.logSoftmax(-1) };
  const probabilities = given.div(given.sum(-1, { keepAxes: true }));
  return { probabilities, logs: probabilities.log() };
}

/**
 * Classes 0 to K - 1, int32, with probabilities [..., K] (which need not sum to 1) or logits.
 *
 * @example
 * import { Categorical } from '@nn/distributions';
 * const die = new Categorical({ probabilities: [1, 2, 1] });
 * console.log((await die.logProbability([0, 1]).exp().array(1)).map((x) => x.toFixed(2)).join(' ')); // => 0.25 0.50
 */
export class Categorical extends Distribution {
  readonly name: string = 'Categorical';
  /** They sum to 1. */
  readonly probabilities: Tensor;
  /** The logarithms of the probabilities. */
  readonly logits: Tensor;

  constructor(parameters: ByProbability) {
    const { probabilities, logs } = classes('Categorical', parameters);
    super(probabilities.shape.slice(0, -1));
    this.probabilities = probabilities;
    this.logits = logs;
  }

  /** Classes have no mean: NaN. */
  get mean(): Tensor {
    return this.probabilities.sum(-1).mul(Number.NaN);
  }

  /** Classes have no variance: NaN. */
  get variance(): Tensor {
    return this.mean;
  }

  /** Of classes [...]; NaN for what is no class. */
  logProbability(value: TensorLike): Tensor {
    const given = toTensor(value);
    const count = this.logits.shape.at(-1) as number;
    // one hot, so that a class that is none meets no element
    const is = given.unsqueeze(-1).equal(vector(Array.from({ length: count }, (_, k) => k)));
    const found = where(is, this.logits, 0).sum(-1);
    return where(is.any(-1), found, Number.NaN);
  }

  entropy(): Tensor {
    return timesLog(this.probabilities, this.logits).sum(-1).neg();
  }

  klDivergence(other: Distribution): Tensor {
    if (!(other instanceof Categorical)) throw this.noDivergence(other);
    return timesDifference(this.probabilities, this.logits, other.logits).sum(-1);
  }

  protected draw(shape: Shape): Tensor {
    return categorical(this.logits.expand([...shape, this.logits.shape.at(-1) as number]));
  }
}

/**
 * How often each of K classes comes out of a number of draws: counts [..., K] as float32.
 *
 * @example
 * import { Multinomial } from '@nn/distributions';
 * const dice = new Multinomial(10, { probabilities: [1, 1] });
 * console.log(await dice.mean.array(), await dice.sample().sum().item()); // => [5, 5] 10
 */
export class Multinomial extends Distribution {
  readonly name: string = 'Multinomial';
  readonly totalCount: number;
  readonly probabilities: Tensor;
  /** The logarithms of the probabilities. */
  readonly logits: Tensor;

  constructor(totalCount: number, parameters: ByProbability) {
    if (!Number.isSafeInteger(totalCount) || totalCount < 0) {
      throw new ValueError('Multinomial', `totalCount must be a whole number from 0, got ${totalCount}.`, {
        totalCount,
      });
    }
    const { probabilities, logs } = classes('Multinomial', parameters);
    super(probabilities.shape.slice(0, -1), probabilities.shape.slice(-1));
    this.totalCount = totalCount;
    this.probabilities = probabilities;
    this.logits = logs;
  }

  get mean(): Tensor {
    return this.probabilities.mul(this.totalCount);
  }

  get variance(): Tensor {
    return this.mean.mul(this.probabilities.neg().add(1));
  }

  /** Of counts [..., K], which are taken to sum to their own total, as in PyTorch. */
  logProbability(value: TensorLike): Tensor {
    const counts = toTensor(value);
    const isNothing = counts.equal(0);
    const powers = where(isNothing, 0, counts.mul(where(isNothing, 0, this.logits)));
    return lgamma(counts.sum(-1).add(1))
      .sub(lgamma(counts.add(1)).sum(-1))
      .add(powers.sum(-1));
  }

  /** Exact, by the sum over all counts of each class. */
  entropy(): Tensor {
    const n = this.totalCount;
    const single = timesLog(this.probabilities, this.logits).sum(-1).neg();
    const counts = vector(Array.from({ length: n }, (_, k) => k + 1));
    const rest = this.probabilities.neg().add(1).unsqueeze(-1);
    const own = this.probabilities.unsqueeze(-1);
    const ways = lgamma(counts.neg().add(n + 1))
      .add(lgamma(counts.add(1)))
      .neg()
      .add(logFactorial(n));
    const chances = ways
      .add(xlogy(counts, own))
      .add(xlogy(counts.neg().add(n), rest))
      .exp();
    const spread = n === 0 ? 0 : chances.mul(lgamma(counts.add(1))).sum([-1, -2]);
    return single.mul(n).sub(logFactorial(n)).add(spread);
  }

  /** From a Multinomial of as many draws. */
  klDivergence(other: Distribution): Tensor {
    if (!(other instanceof Multinomial) || other.totalCount !== this.totalCount) throw this.noDivergence(other);
    return timesDifference(this.probabilities, this.logits, other.logits).sum(-1).mul(this.totalCount);
  }

  protected draw(shape: Shape): Tensor {
    const count = this.logits.shape.at(-1) as number;
    const drawn = categorical(this.logits.expand([this.totalCount, ...shape, count]));
    return oneHot(drawn, count).cast('float32').sum(0);
  }
}

/** In double precision: a total count is a plain number. */
function logFactorial(n: number): number {
  let sum = 0;
  for (let k = 2; k <= n; k++) sum += Math.log(k);
  return sum;
}

/** Poisson's distribution. */
import { lgamma, type Tensor, type TensorLike, uniform, where, xlogy } from '@nn/core';
import { Distribution, requirePositive, type Shape, toTensor, vector } from './distribution.ts';
import { standardExponential } from './draws.ts';

/** Up to this rate numbers are counted off one by one; above, proposals are taken or refused. */
const large = 10;
/** No count above this comes out of a rate of 10: its chance is below 2^-24. */
const mostSmall = 36;
/** Each is taken with a probability of at least 88 %. */
const rounds = 9;

/**
 * Poisson's distribution: how often something happens that happens at a rate; whole numbers as float32.
 *
 * @example
 * import { Poisson } from '@nn/distributions';
 * console.log((await new Poisson(2).logProbability([0, 1, 0.5]).exp().array(1)).map((x) => x.toFixed(4)).join(' ')); // => 0.1353 0.2707 0.0000
 */
export class Poisson extends Distribution {
  readonly name: string = 'Poisson';
  readonly rate: Tensor;

  constructor(rate: TensorLike) {
    requirePositive('Poisson', { rate });
    const mean = toTensor(rate);
    super(mean.shape);
    this.rate = mean;
  }

  get mean(): Tensor {
    return this.rate;
  }

  get variance(): Tensor {
    return this.rate;
  }

  logProbability(value: TensorLike): Tensor {
    const x = toTensor(value);
    const isInside = x.greaterEqual(0).logicalAnd(x.equal(x.floor()));
    return where(isInside, logMass(where(isInside, x, 0), this.rate), Number.NEGATIVE_INFINITY);
  }

  /** Up to a rate of 16 the sum over the counts, above the series in 1 / rate. */
  entropy(): Tensor {
    const isSmall = this.rate.less(16);
    const small = where(isSmall, this.rate, 1).unsqueeze(-1);
    const counts = vector(Array.from({ length: 72 }, (_, k) => k));
    const logs = logMass(counts, small);
    const sum = logs.exp().mul(logs).sum(-1).neg();
    const inverse = where(isSmall, 1, this.rate).reciprocal();
    // log(2 pi e rate) / 2 - 1 / 12 rate - 1 / 24 rate^2 - 19 / 360 rate^3
    const series = inverse.mul(inverse.mul(inverse.mul(19 / 360).add(1 / 24)).add(1 / 12));
    const main = inverse
      .log()
      .neg()
      .add(Math.log(2 * Math.PI) + 1)
      .mul(0.5);
    return where(isSmall, sum, main.sub(series));
  }

  klDivergence(other: Distribution): Tensor {
    if (!(other instanceof Poisson)) throw this.noDivergence(other);
    return xlogy(this.rate, this.rate.div(other.rate)).add(other.rate.sub(this.rate));
  }

  protected draw(shape: Shape): Tensor {
    const isLarge = this.rate.greater(large);
    const rate = this.rate.expand(shape);
    return where(isLarge, drawLarge(shape, where(isLarge, rate, large)), drawSmall(shape, where(isLarge, 1, rate)));
  }
}

const logMass = (x: Tensor, rate: Tensor): Tensor =>
  xlogy(x, rate)
    .sub(rate)
    .sub(lgamma(x.add(1)));

/** The number of sums p0 + ... + pk of chances that lie below a uniform number. */
function drawSmall(shape: Shape, rate: Tensor): Tensor {
  const u = uniform(shape);
  let chance = rate.neg().exp();
  let sum = chance;
  let count: Tensor = sum.lessEqual(u).cast('float32');
  for (let k = 1; k <= mostSmall; k++) {
    chance = chance.mul(rate).div(k);
    sum = sum.add(chance);
    count = count.add(sum.lessEqual(u).cast('float32'));
  }
  return count;
}

/** Transformed rejection with a table-free hat (Hörmann 1993, PTRS), the first of some rounds that is taken. */
function drawLarge(shape: Shape, rate: Tensor): Tensor {
  const b = rate.sqrt().mul(2.53).add(0.931);
  const a = b.mul(0.02483).sub(0.059);
  const inverseAlpha = b.sub(3.4).reciprocal().mul(1.1328).add(1.1239);
  const sure = b.sub(2).reciprocal().mul(-3.6224).add(0.9277);
  let result = rate.floor();
  for (let round = 0; round < rounds; round++) {
    const u = uniform(shape).sub(0.5);
    const logV = standardExponential(shape).neg(); // of a uniform number above 0
    const us = u
      .abs()
      .neg()
      .add(0.5)
      .maximum(2 ** -26);
    const k = a.mul(2).div(us).add(b).mul(u).add(rate).add(0.43).floor();
    const isSure = us.greaterEqual(0.07).logicalAnd(logV.lessEqual(sure.log()));
    const isOut = k.less(0).logicalOr(us.less(0.013).logicalAnd(us.log().less(logV)));
    const right = logMass(k.maximum(0), rate);
    const left = logV.add(inverseAlpha.log()).sub(a.div(us.square()).add(b).log());
    const isTaken = isSure.logicalOr(isOut.logicalNot().logicalAnd(left.lessEqual(right)));
    result = where(isTaken, k, result);
  }
  return result;
}

/**
 * Draws of standard distributions as arithmetic: on every device, in every compiled function, by the seed of core. Gamma
 * numbers have a gradient with respect to their concentration by implicit differentiation (Figurnov, Mohamed, Mnih 2018).
 */
import { customGradient, digamma, normal, type Tensor, uniform, where } from '@nn/core';
import { type Shape, vector } from './distribution.ts';

/** -log(1 - u): u is never 1. */
export function standardExponential(shape: Shape): Tensor {
  return uniform(shape).neg().log1p().neg();
}

/** Each round is taken with a probability of at least 95 %: of 10^8 numbers one is the mode for want of a seventh. */
const rounds = 6;

/**
 * The logarithm of gamma numbers of a concentration and the rate 1 (Marsaglia and Tsang 2000), since for a small concentration
 * the numbers themselves are too small for float32.
 */
export function standardLogGamma(shape: Shape, concentration: Tensor): Tensor {
  const own = concentration.expand(shape);
  const value = drawLogGamma(shape, own.stopGradient());
  return differentiated(own, value);
}

function drawLogGamma(shape: Shape, concentration: Tensor): Tensor {
  const isSmall = concentration.less(1);
  // of gamma(a) = gamma(a + 1) u^(1 / a) the first factor can be drawn for a below 1, too
  const d = where(isSmall, concentration.add(1), concentration).sub(1 / 3);
  const c = d.mul(9).rsqrt();
  let result = d.log();
  for (let round = 0; round < rounds; round++) {
    const x = normal(shape);
    const root = x.mul(c).add(1);
    const isPossible = root.greater(0);
    const logV = where(isPossible, root, 1).log().mul(3);
    // log u < x^2 / 2 + d (1 - v + log v)
    const most = x
      .square()
      .mul(0.5)
      .add(d.mul(logV.add(1).sub(logV.exp())));
    const isTaken = isPossible.logicalAnd(standardExponential(shape).neg().less(most));
    result = where(isTaken, d.log().add(logV), result);
  }
  return result.add(where(isSmall, standardExponential(shape).neg().div(concentration), 0));
}

/** The value of a draw whose gradient follows from the distribution function F(z, a): dz / da = -(dF / da) / (dF / dz). */
function differentiated(concentration: Tensor, value: Tensor): Tensor {
  const implicit = customGradient(
    () => value,
    // of the result with this very rule, so that its second derivative is right as well
    (cotangent, [given]) => [cotangent.mul(slopeOfLogGamma(given as Tensor, result))],
  );
  const result = implicit(concentration);
  return result;
}

/** Nodes and weights of Gauss and Legendre on [0, 1], by Newton's method from the usual first guess. */
function quadrature(count: number): { readonly nodes: number[]; readonly weights: number[] } {
  const [nodes, weights] = [new Array<number>(count), new Array<number>(count)];
  for (let k = 0; k < count; k++) {
    let x = Math.cos((Math.PI * (k + 0.75)) / (count + 0.5));
    let slope = 1;
    for (let step = 0; step < 8; step++) {
      let [before, value] = [1, x];
      for (let n = 2; n <= count; n++) [before, value] = [value, ((2 * n - 1) * x * value - (n - 1) * before) / n];
      slope = (count * (x * value - before)) / (x * x - 1);
      x -= value / slope;
    }
    nodes[k] = (1 - x) / 2;
    weights[k] = 1 / ((1 - x * x) * slope * slope);
  }
  return { nodes, weights };
}

/** e^v - 1 - v to the last places, also near 0. */
function expm1Minus(v: Tensor): Tensor {
  const small = where(v.abs().less(0.3), v, 0);
  const series = [1 / 5040, 1 / 720, 1 / 120, 1 / 24, 1 / 6, 1 / 2].reduce<Tensor | number>(
    (sum, coefficient) => small.mul(sum).add(coefficient),
    0,
  ) as Tensor;
  return where(v.abs().less(0.3), small.square().mul(series), v.exp().sub(1).sub(v));
}

/** Beyond e^-18 of its start the integrand is below the rounding of float32. */
const depth = 18;

/**
 * d log z / da for a gamma number z of the concentration a. Since the mean of log t - digamma(a) is 0, it is an integral of one
 * sign on that side of z where all log t lie on one side of digamma(a), so that nothing cancels:
 *
 *   integral over w > 0 of (|log z - digamma(a)| + w) exp((a - z) v - z (e^v - 1 - v)),  v = w above, v = -w below.
 *
 * The end of the interval follows from where the exponent is -18; 32 points give six digits for every a from 0.01 up.
 */
export function slopeOfLogGamma(concentration: Tensor, logZ: Tensor): Tensor {
  const a = concentration;
  const z = logZ.exp();
  const shift = logZ.sub(digamma(a));
  const isAbove = shift.greater(0);
  const excess = z.sub(a);
  // below: from 1 - e^-w <= w - w^2 / 3 up to w = 1, and from z (1 - e^-w) <= z behind
  const lack = where(isAbove, 0, excess.neg());
  const short = lack.add(
    lack
      .square()
      .add(z.mul((4 * depth) / 3))
      .sqrt(),
  );
  const near = where(
    short.greater(2 * depth),
    where(short.greater(0), short, 1)
      .reciprocal()
      .mul(2 * depth),
    z.add(depth).div(a),
  );
  // above: from e^v - 1 - v >= v^2 / 2, and from the exponential where z is small
  const over = where(isAbove, excess, 0);
  const safe = where(isAbove, z, 1);
  const far = over
    .add(
      over
        .square()
        .add(safe.mul(2 * depth))
        .sqrt(),
    )
    .reciprocal()
    .mul(2 * depth);
  const steep = a
    .mul(3)
    .add(depth + 10)
    .div(safe)
    .log1p();
  const end = where(isAbove, far.minimum(steep), near).stopGradient().unsqueeze(-1);
  const { nodes, weights } = quadrature(32);
  const w = end.mul(vector(nodes));
  const v = where(isAbove.unsqueeze(-1), w, w.neg());
  const exponent = excess
    .neg()
    .unsqueeze(-1)
    .mul(v)
    .sub(z.unsqueeze(-1).mul(expm1Minus(v)));
  const integrand = shift.abs().unsqueeze(-1).add(w).mul(exponent.exp());
  return integrand.mul(vector(weights)).sum(-1).mul(end.squeeze(-1));
}

/**
 * The normal distribution in double precision: what the accountants integrate. Owns the error function; core's is float32,
 * and a delta of 1e-9 needs the digits far out in the tail.
 */

/** From here on the continued fraction is the more exact one. */
const far = 2;

/** ln erfc(x), exact in the tails, where erfc itself is 0. */
export function logErfc(x: number): number {
  if (x < far) return Math.log(1 - erfNear(x));
  // erfc(x) = exp(-x^2) / sqrt(pi) / (x + (1/2) / (x + 1 / (x + (3/2) / (x + ...)))), from its end to its beginning
  // farther out fewer terms are as exact
  let fraction = x;
  for (let k = Math.ceil(8 + 450 / (x * x)); k >= 1; k--) fraction = x + k / 2 / fraction;
  return -x * x - Math.log(fraction * Math.sqrt(Math.PI));
}

/** erf(x) below `far`: 2 / sqrt(pi) exp(-x^2) x (1 + (2 x^2) / 3 + (2 x^2)^2 / (3 5) + ...), all terms of one sign. */
function erfNear(x: number): number {
  if (x < -6) return -1;
  let [sum, term] = [x, x];
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** ln of the chance that a standard normal number is below z. */
export function logNormalBelow(z: number): number {
  return logErfc(-z / Math.SQRT2) - Math.LN2;
}

/** The chance that a standard normal number is below z. */
export function normalBelow(z: number): number {
  // beyond these a double is 0 or 1
  if (z < -39) return 0;
  return z > 9 ? 1 : Math.exp(logNormalBelow(z));
}

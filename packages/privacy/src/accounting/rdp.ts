/**
 * Rényi differential privacy of the Poisson-subsampled Gaussian mechanism, and the epsilon that it proves. Bounds that hold
 * exactly; a few percent looser than `prv.ts`. (Mironov 2017; Mironov, Talwar and Zhang 2019.)
 */
import type { PrivateSteps } from './mechanism.ts';

/** The orders that are tried, Opacus' own: 1.1 to 10.9 by tenths, and 12 to 63. */
export const orders: readonly number[] = [
  ...Array.from({ length: 99 }, (_, i) => (11 + i) / 10),
  ...Array.from({ length: 52 }, (_, i) => 12 + i),
];

/**
 * The Rényi divergence of one step at an order: ln(A) / (order - 1), where with u(x) = q (exp((2x - 1) / 2s^2) - 1)
 * A = E (1 + u(x))^order over x ~ N(0, s^2). Exact, by the sum of Mironov et al. for whole orders and by quadrature else.
 *
 * @example
 * import { renyiDivergence } from '@nn/privacy';
 * console.log(renyiDivergence({ sampleRate: 0.01, noiseMultiplier: 1 }, 2).toExponential(6)); // => 1.718134e-4
 */
export function renyiDivergence(
  { sampleRate: q, noiseMultiplier: s }: Pick<PrivateSteps, 'sampleRate' | 'noiseMultiplier'>,
  order: number,
): number {
  if (s === 0) return Number.POSITIVE_INFINITY;
  if (q === 1) return order / (2 * s * s);
  const logA = Number.isInteger(order) ? logOfWhole(q, s, order) : logOfFraction(q, s, order);
  return logA / (order - 1);
}

/** ln A of a whole order: A - 1 = sum over k of C(order, k) q^k (1 - q)^(order - k) (exp(k (k - 1) / 2s^2) - 1), no term below 0. */
function logOfWhole(q: number, s: number, order: number): number {
  const logs: number[] = [];
  let logChoose = 0;
  for (let k = 0; k <= order; k++) {
    if (k > 0) logChoose += Math.log((order - k + 1) / k);
    const exponent = (k * (k - 1)) / (2 * s * s);
    if (exponent > 0) logs.push(logChoose + k * Math.log(q) + (order - k) * Math.log1p(-q) + logExpm1(exponent));
  }
  return log1pExp(logSum(logs));
}

/**
 * ln A of any order above 1, by the trapezoid rule, whose error falls exponentially for such integrands. Since E u = 0,
 * A - 1 = E ((1 + u)^order - 1 - order u), which is nowhere negative, so that no digits are lost where A is almost 1.
 */
function logOfFraction(q: number, s: number, order: number): number {
  const width = Math.min(s / 8, s * s);
  const [from, to] = [-12 * s, order + 12 * s];
  const count = Math.ceil((to - from) / width);
  const step = (to - from) / count;
  const logs: number[] = [];
  for (let i = 0; i <= count; i++) {
    const x = from + i * step;
    const loss = (2 * x - 1) / (2 * s * s);
    // ln(1 + u), and below ln((1 + u)^order - 1 - order u)
    const logRatio = loss < 30 ? Math.log1p(q * Math.expm1(loss)) : loss + Math.log(q + (1 - q) * Math.exp(-loss));
    const power = order * logRatio;
    const small = Math.expm1(power) - order * Math.expm1(logRatio);
    const logTerm = power < 600 ? Math.log(small > 0 ? small : 0) : power;
    logs.push(logTerm - (x * x) / (2 * s * s));
  }
  return log1pExp(logSum(logs) + Math.log(step / (s * Math.sqrt(2 * Math.PI))));
}

const logExpm1 = (x: number): number => (x > 30 ? x + Math.log1p(-Math.exp(-x)) : Math.log(Math.expm1(x)));
const log1pExp = (x: number): number => (x > 30 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x)));

/** ln of the sum of what the logs are of. */
function logSum(logs: readonly number[]): number {
  const most = logs.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (!Number.isFinite(most)) return most;
  return most + Math.log(logs.reduce((sum, value) => sum + Math.exp(value - most), 0));
}

/**
 * The least epsilon that divergences at `orders` prove for a delta: divergence + ln((a - 1) / a) - (ln delta + ln a) / (a - 1).
 * (Balle et al. 2020, theorem 21.)
 */
export function epsilonOfDivergences(divergences: readonly number[], delta: number): number {
  let least = Number.POSITIVE_INFINITY;
  orders.forEach((order, i) => {
    const divergence = divergences[i] ?? Number.POSITIVE_INFINITY;
    const epsilon = divergence + Math.log((order - 1) / order) - (Math.log(delta) + Math.log(order)) / (order - 1);
    least = Math.min(least, epsilon);
  });
  return Math.max(0, least);
}

const known = new Map<string, readonly number[]>();

/** The divergences of one step at all `orders`; kept, for a training asks again at every step. */
function divergencesOf(kind: Pick<PrivateSteps, 'sampleRate' | 'noiseMultiplier'>): readonly number[] {
  const key = `${kind.sampleRate} ${kind.noiseMultiplier}`;
  const found = known.get(key) ?? orders.map((order) => renyiDivergence(kind, order));
  known.delete(key);
  known.set(key, found);
  const [oldest] = known.keys();
  if (known.size > 64 && oldest !== undefined) known.delete(oldest);
  return found;
}

/** Epsilon of a history of steps: divergences of steps add up. */
export function epsilonByRdp(history: readonly PrivateSteps[], delta: number): number {
  const each = history.map((kind) => divergencesOf(kind));
  const sums = orders.map((_, i) => history.reduce((sum, { steps }, k) => sum + steps * (each[k]?.[i] ?? 0), 0));
  return epsilonOfDivergences(sums, delta);
}

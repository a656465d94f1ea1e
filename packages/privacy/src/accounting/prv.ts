/**
 * The accountant of privacy loss distributions: the loss of one step on a grid, the sum of all steps by Fourier transforms.
 * What it tells is above the true epsilon, by at most twice `epsilonError`. (Koskela et al. 2020; Gopi, Lee and Wutschitz 2021.)
 */
import { ValueError } from '@nn/core';
import { doubleFft } from './double-fft.ts';
import type { PrivateSteps } from './mechanism.ts';
import { normalBelow } from './normal-distribution.ts';
import { epsilonByRdp } from './rdp.ts';

/** How far above the truth an epsilon may be, halved. Opacus' and Microsoft's default. */
export const epsilonError = 0.01;
/** Larger grids are refused: 2^23 doubles are 64 MB. */
const mostPoints = 2 ** 23;

/** The chances of a loss on a grid around 0; `mean` is the true one, which the grid's is moved to. */
interface Grid {
  readonly size: number;
  readonly step: number;
}

/** Whether the neighbour lacks a sample or has one more: the loss of the one is not that of the other. */
type Direction = 'remove' | 'add';

/**
 * Epsilon of a history of steps, at most `2 * epsilonError` above the true one and never below it. Throws ValueError where
 * the noise is so low that the losses do not fit on a grid.
 */
export function epsilonByPrv(history: readonly PrivateSteps[], delta: number): number {
  const kinds = history.filter(({ steps }) => steps > 0);
  if (kinds.length === 0) return 0;
  if (kinds.some(({ noiseMultiplier }) => noiseMultiplier === 0)) return Number.POSITIVE_INFINITY;
  const deltaError = delta / 1000;
  const all = kinds.reduce((sum, { steps }) => sum + steps, 0);
  // outside of the domain lies a chance of at most deltaError, of all steps together and of each alone
  const domain = Math.max(
    epsilonByRdp(kinds, deltaError / 4),
    ...kinds.map((kind) => epsilonByRdp([{ ...kind, steps: 1 }], deltaError / (8 * all))),
  );
  // rounding errors of independent steps cancel as the square root of their number (their theorem 5.5)
  const step = epsilonError / Math.sqrt((all / 2) * Math.log(12 / deltaError));
  const size = 2 ** Math.ceil(Math.log2((2 * (domain + 3 * epsilonError)) / step));
  if (!(size <= mostPoints)) {
    throw new ValueError(
      'epsilon',
      `the losses of ${all} steps need a grid of ${size} points, more than ${mostPoints}: take the method 'rdp', or more noise.`,
      { steps: all, size },
    );
  }
  const grid = { size, step };
  return Math.max(
    ...(['remove', 'add'] as const).map((direction) => epsilonOf(kinds, delta - deltaError, grid, direction)),
  );
}

/** Epsilon for neighbours of one direction. */
function epsilonOf(kinds: readonly PrivateSteps[], delta: number, grid: Grid, direction: Direction): number {
  const { size, step } = grid;
  const [real, imaginary] = [new Float64Array(size).fill(1), new Float64Array(size)];
  let shift = 0;
  for (const kind of kinds) {
    const { chances, offset } = discretize(kind, grid, direction);
    const other = new Float64Array(size);
    doubleFft(chances, other, -1);
    shift += kind.steps * offset;
    for (let i = 0; i < size; i++) {
      // (a + ib)^steps in polar form
      const radius = Math.hypot(chances[i]!, other[i]!) ** kind.steps;
      const angle = Math.atan2(other[i]!, chances[i]!) * kind.steps;
      const [c, s] = [radius * Math.cos(angle), radius * Math.sin(angle)];
      [real[i], imaginary[i]] = [real[i]! * c - imaginary[i]! * s, real[i]! * s + imaginary[i]! * c];
    }
  }
  doubleFft(real, imaginary, 1);
  // position i stands for the loss i * step, those past the middle for losses below 0
  const lossAt = (i: number): number => (i < size / 2 ? i : i - size) * step + shift;
  // delta(e) is the sum over losses y > e of p(y) (1 - exp(e - y)) = above - exp(e) discounted: from the top down, until it is reached
  let [above, discounted] = [0, 0];
  for (let k = size - 1; k >= 0; k--) {
    const i = (k + size / 2) % size;
    const loss = lossAt(i);
    if (loss <= 0 || above - Math.exp(loss) * discounted > delta) break;
    const chance = Math.max(0, real[i]!) / size;
    above += chance;
    discounted += chance * Math.exp(-loss);
  }
  const epsilon = above > delta ? Math.log((above - delta) / discounted) : 0;
  return Math.max(0, epsilon) + epsilonError;
}

/** Chances of the loss of one step at the points of the grid, and how far they are to be moved for the true mean. */
function discretize(
  kind: PrivateSteps,
  { size, step }: Grid,
  direction: Direction,
): { chances: Float64Array; offset: number } {
  const below = lossBelow(kind, direction);
  const chances = new Float64Array(size);
  const half = size / 2;
  let [previous, gridMean, total] = [below((-half - 0.5) * step), 0, 0];
  for (let at = -half; at < half; at++) {
    const next = below((at + 0.5) * step);
    const chance = Math.max(0, next - previous);
    previous = next;
    chances[at < 0 ? at + size : at] = chance;
    gridMean += chance * at * step;
    total += chance;
  }
  // the chances outside of the domain are left out: the loss is that of the rest
  for (let i = 0; i < size; i++) chances[i] = chances[i]! / total;
  return { chances, offset: meanLoss(kind, half * step, direction) - gridMean / total };
}

/**
 * The distribution function of the loss L(x) = ln(1 - q + q exp((2x - 1) / 2s^2)): `remove`, with x from the mixture
 * (1 - q) N(0, s^2) + q N(1, s^2); `add`, of -L(x) with x from N(0, s^2).
 */
function lossBelow(
  { sampleRate: q, noiseMultiplier: s }: PrivateSteps,
  direction: Direction,
): (loss: number) => number {
  // where L(x) = loss; minus infinity for losses that L is always above
  const inverse = (loss: number): number => {
    const inside =
      (loss > 30 ? loss + Math.log1p(-(1 - q) * Math.exp(-loss)) : Math.log(Math.max(0, Math.exp(loss) - 1 + q))) -
      Math.log(q);
    return inside * s * s + 0.5;
  };
  if (direction === 'add') {
    return (loss) => {
      const x = inverse(-loss);
      return x === Number.NEGATIVE_INFINITY ? 1 : normalBelow(-x / s);
    };
  }
  return (loss) => {
    const x = inverse(loss);
    if (x === Number.NEGATIVE_INFINITY) return 0;
    return (1 - q) * normalBelow(x / s) + q * normalBelow((x - 1) / s);
  };
}

/** The mean loss within the domain, by the trapezoid rule over x. */
function meanLoss({ sampleRate: q, noiseMultiplier: s }: PrivateSteps, domain: number, direction: Direction): number {
  const [from, to] = [-13 * s, 1 + 13 * s];
  const count = 20_000;
  let [sum, total] = [0, 0];
  for (let i = 0; i <= count; i++) {
    const x = from + ((to - from) * i) / count;
    const exponent = (2 * x - 1) / (2 * s * s);
    const loss =
      exponent < 30 ? Math.log1p(q * Math.expm1(exponent)) : exponent + Math.log(q + (1 - q) * Math.exp(-exponent));
    if (Math.abs(loss) > domain) continue;
    const plain = Math.exp((-x * x) / (2 * s * s));
    const density = direction === 'add' ? plain : (1 - q) * plain + q * Math.exp((-(x - 1) * (x - 1)) / (2 * s * s));
    sum += density * (direction === 'add' ? -loss : loss);
    total += density;
  }
  return sum / total;
}

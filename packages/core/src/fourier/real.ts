/**
 * Transforms of real rows, at half the cost: a row of even length n is a complex one of n / 2, whose transform is then taken
 * apart. Only k = 0 ... n / 2 are kept, the others are their conjugates. Odd lengths take the whole transform.
 *
 * The loops read and write two places at once, k and n / 2 - k, which share one product.
 */
import { byLength, type Numbers, roots, transformOf } from './transform.ts';
import { vectorTransformOf } from './vectors.ts';

/** How many pairs are kept. */
export const halfOf = (n: number): number => Math.floor(n / 2) + 1;

/** cos and sin of -2 pi k / n for the first quarter. */
const rootsOf: (n: number) => Float64Array = /* @__PURE__ */ byLength((n) => roots(n, Math.floor(n / 4) + 1));

/** The pairs at both ends, which stand for one number each, are taken times `ends`, those between times `others`. */
interface Weights {
  readonly ends: number;
  readonly others: number;
}

/** n real numbers of `x` from `from` on, to n / 2 + 1 pairs of `to` at `at`. */
export function transformReal(
  n: number,
  x: Float32Array,
  from: number,
  to: Float32Array,
  at: number,
  weights: Weights,
): void {
  const { ends, others } = weights;
  if (n % 2 === 1) {
    const whole = transformOf(n);
    const { input } = whole;
    for (let t = 0; t < n; t++) {
      input[2 * t] = x[from + t]!;
      input[2 * t + 1] = 0;
    }
    const y = whole.run();
    for (let k = 0; k < 2 * halfOf(n); k++) to[at + k] = y[k]! * (k < 2 ? ends : others);
    return;
  }
  const middle = n / 2;
  const vectors = vectorTransformOf(middle);
  // x_0, x_1, x_2, ... are the pairs x_0 + i x_1, x_2 + i x_3, ... as they lie
  const row = x.subarray(from, from + n);
  if (vectors !== null) {
    vectors.input.set(row);
    vectors.run(1, false);
    vectors.takeApart(others / 2);
    const { output, spectrum } = vectors;
    const [re, im] = [output[0]!, output[1]!];
    spectrum[0] = (re + im) * ends;
    spectrum[1] = 0;
    spectrum[n] = (re - im) * ends;
    spectrum[n + 1] = 0;
    to.set(spectrum, at);
    return;
  }
  const inside = transformOf(middle);
  inside.input.set(row);
  split(inside.run(), to, at, middle, rootsOf(n), ends, others / 2);
}

/** X_k = E_k + w^k O_k and X_(m - k) = conj(E_k - w^k O_k), E and O the transforms of the even and of the odd elements. */
function split(z: Numbers, to: Float32Array, at: number, m: number, w: Float64Array, ends: number, half: number): void {
  const [re, im] = [z[0]!, z[1]!];
  to[at] = (re + im) * ends;
  to[at + 1] = 0;
  to[at + 2 * m] = (re - im) * ends;
  to[at + 2 * m + 1] = 0;
  for (let k = 2, j = 2 * m - 2; k <= j; k += 2, j -= 2) {
    const ar = z[k]!;
    const ai = z[k + 1]!;
    const br = z[j]!;
    const bi = z[j + 1]!;
    const c = w[k]!;
    const d = w[k + 1]!;
    const evenR = ar + br;
    const evenI = ai - bi;
    const oddR = ai + bi;
    const oddI = br - ar;
    const turnR = oddR * c - oddI * d;
    const turnI = oddR * d + oddI * c;
    to[at + k] = (evenR + turnR) * half;
    to[at + k + 1] = (evenI + turnI) * half;
    to[at + j] = (evenR - turnR) * half;
    to[at + j + 1] = (turnI - evenI) * half;
  }
}

/** The way back, not scaled but by the weights: n / 2 + 1 pairs of `z`, which stand for a whole row, to n real numbers. */
export function invertReal(
  n: number,
  z: Float32Array,
  from: number,
  to: Float32Array,
  at: number,
  weights: Weights,
): void {
  const { ends, others } = weights;
  if (n % 2 === 1) {
    const whole = transformOf(n);
    const { input } = whole;
    input[0] = z[from]! * ends;
    input[1] = 0; // nothing is read of an imaginary part that a real row cannot have
    for (let k = 1; k < halfOf(n); k++) {
      const [re, im] = [z[from + 2 * k]! * others, z[from + 2 * k + 1]! * others];
      input[2 * k] = input[2 * (n - k)] = re;
      input[2 * k + 1] = im;
      input[2 * (n - k) + 1] = -im;
    }
    const y = whole.run(true);
    for (let t = 0; t < n; t++) to[at + t] = y[2 * t]!;
    return;
  }
  const middle = n / 2;
  const vectors = vectorTransformOf(middle);
  if (vectors !== null) {
    const { input, spectrum } = vectors;
    spectrum.set(z.subarray(from, from + n + 2));
    vectors.putTogether(others);
    // of both ends nothing is read of an imaginary part that a real row cannot have
    const [first, last] = [z[from]! * ends, z[from + n]! * ends];
    input[0] = first + last;
    input[1] = first - last;
    vectors.run(1, true);
    to.set(vectors.output, at);
    return;
  }
  const inside = transformOf(middle);
  merge(z, from, inside.input, middle, rootsOf(n), ends, others);
  const y = inside.run(true);
  for (let t = 0; t < n; t++) to[at + t] = y[t]!;
}

/** z_k = E_k + i O_k and z_(m - k) = conj(E_k) + i conj(O_k), the other way round. */
function merge(
  x: Float32Array,
  from: number,
  z: Numbers,
  m: number,
  w: Float64Array,
  ends: number,
  others: number,
): void {
  const first = x[from]! * ends;
  const last = x[from + 2 * m]! * ends;
  z[0] = first + last;
  z[1] = first - last;
  for (let k = 2, j = 2 * m - 2; k <= j; k += 2, j -= 2) {
    const ar = x[from + k]! * others;
    const ai = x[from + k + 1]! * others;
    const br = x[from + j]! * others;
    const bi = x[from + j + 1]! * others;
    const c = w[k]!;
    const d = w[k + 1]!;
    const evenR = ar + br;
    const evenI = ai - bi;
    const oddR = (ar - br) * c + (ai + bi) * d;
    const oddI = (ai + bi) * c - (ar - br) * d;
    z[k] = evenR - oddI;
    z[k + 1] = evenI + oddR;
    z[j] = evenR + oddI;
    z[j + 1] = oddR - evenI;
  }
}

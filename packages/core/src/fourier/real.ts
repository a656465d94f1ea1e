/**
 * Transforms of real rows, at half the cost: a row of even length n is a complex one of n / 2, whose transform is then taken
 * apart. Only k = 0 ... n / 2 are kept, the others are their conjugates. Odd lengths take the whole transform.
 *
 * The loops read and write two places at once, k and n / 2 - k, which share one product.
 */
import { byLength, type Numbers, transformOf } from './transform.ts';
import { realRoots, vectorTransformOf } from './vectors.ts';

/** How many pairs are kept. */
export const halfOf = (n: number): number => Math.floor(n / 2) + 1;

const rootsOf: (m: number) => Float64Array = /* @__PURE__ */ byLength(realRoots);

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
  const inside = vectors ?? transformOf(middle);
  inside.input.set(x.subarray(from, from + n)); // x_0, x_1, x_2, ... are the pairs x_0 + i x_1, x_2 + i x_3, ... as they lie
  const z = inside.run();
  if (vectors !== null) {
    vectors.takeApart(others / 2);
    to.set(vectors.spectrum, at);
  } else pairUp(z, 0, to, at, middle, 1, others / 2);
  const [re, im] = [z[0]!, z[1]!];
  to[at] = (re + im) * ends;
  to[at + 1] = 0;
  to[at + n] = (re - im) * ends;
  to[at + n + 1] = 0;
}

/**
 * Pairs a = x_k and b = x_(m - k), to E + t and conj(E - t) with E = a + conj(b) and t = v (a - conj(b)). With v = -i exp(-pi i k / m) that
 * takes the spectrum of a real row out of the transform of its pairs: half of E and of -i (a - conj(b)) are the transforms of its
 * even and its odd elements. With conj(v), `sign` being -1, it puts the spectrum back.
 */
function pairUp(x: Numbers, from: number, to: Numbers, at: number, m: number, sign: number, scale: number): void {
  const roots = rootsOf(m);
  const half = roots.length / 2;
  for (let k = 2, j = 2 * m - 2; k <= j; k += 2, j -= 2) {
    const ar = x[from + k]!;
    const ai = x[from + k + 1]!;
    const br = x[from + j]!;
    const bi = x[from + j + 1]!;
    const v = roots[k / 2 - 1]!;
    const w = sign * roots[half + k / 2 - 1]!;
    const evenR = ar + br;
    const evenI = ai - bi;
    const oddR = ar - br;
    const oddI = ai + bi;
    const turnR = oddR * v - oddI * w;
    const turnI = oddR * w + oddI * v;
    to[at + k] = (evenR + turnR) * scale;
    to[at + k + 1] = (evenI + turnI) * scale;
    to[at + j] = (evenR - turnR) * scale;
    to[at + j + 1] = (turnI - evenI) * scale;
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
  // of both ends nothing is read of an imaginary part that a real row cannot have
  const [first, last] = [z[from]! * ends, z[from + n]! * ends];
  const vectors = vectorTransformOf(middle);
  const inside = vectors ?? transformOf(middle);
  const { input } = inside;
  if (vectors !== null) {
    vectors.spectrum.set(z.subarray(from, from + n + 2));
    vectors.putTogether(others);
  } else pairUp(z, from, input, 0, middle, -1, others);
  input[0] = first + last;
  input[1] = first - last;
  to.set(inside.run(true), at);
}

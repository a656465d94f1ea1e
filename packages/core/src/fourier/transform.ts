/**
 * Discrete Fourier transforms of any length, on the host: y_k = sum over t of x_t exp(-2 pi i t k / n), not scaled. Owns the
 * arithmetic of one row; knows no tensors.
 *
 * Lengths whose prime factors are small go through one pass a factor (Stockham's form, which needs no reordering: each pass
 * reads one buffer and writes the other); all others become a convolution of a length that is a power of 2 (Bluestein 1970).
 */

import { vectorTransformOf } from './vectors.ts';

/** Numbers in double precision, or in the vectors of WebAssembly. */
export type Numbers = Float64Array | Float32Array;

/** Transforms of one length. */
export interface Transform {
  /** Interleaved real and imaginary parts: put the row here, then `run`. Ask for it anew before each batch of rows. */
  readonly input: Numbers;
  /** Where the result is, until the next run. Inverse, with exp(+2 pi i ...), it is not scaled either. */
  run(isInverse?: boolean): Numbers;
}

interface DoubleTransform extends Transform {
  readonly input: Float64Array;
  run(isInverse?: boolean): Float64Array;
}

/** Up to this prime factor a pass is cheaper than the convolution. */
const largestFactor = 31;

const mostKept = 32;

/** What `make` made for a length, kept for the lengths that were used last. */
export function byLength<T>(make: (n: number) => T): (n: number) => T {
  const kept = new Map<number, T>();
  return (n) => {
    const found = kept.get(n) ?? make(n);
    const [oldest] = kept.keys();
    if (!kept.delete(n) && kept.size >= mostKept && oldest !== undefined) kept.delete(oldest);
    kept.set(n, found);
    return found;
  };
}

/** The transform of a length. It has one row of memory: take the result out before the next one. */
export const transformOf: (n: number) => Transform = /* @__PURE__ */ byLength(
  (n) => vectorTransformOf(n) ?? makeDouble(n),
);

/** The same in double precision, for every length. */
export function makeDouble(n: number): DoubleTransform {
  const { input, run } = makeForward(n);
  return {
    input,
    run: (isInverse = false) => {
      const y = run();
      if (isInverse) reverse(y, n);
      return y;
    },
  };
}

/** y_k exchanged with y_(n - k): the transform with the other sign in its exponent. */
function reverse(y: Float64Array, n: number): void {
  for (let k = 2, j = 2 * n - 2; k < j; k += 2, j -= 2) {
    const [re, im] = [y[k]!, y[k + 1]!];
    y[k] = y[j]!;
    y[k + 1] = y[j + 1]!;
    y[j] = re;
    y[j + 1] = im;
  }
}

interface Forward {
  readonly input: Float64Array;
  run(): Float64Array;
}

function makeForward(n: number): Forward {
  const factors: number[] = [];
  let rest = n;
  for (const factor of [4, 2]) {
    while (rest % factor === 0) {
      factors.push(factor);
      rest /= factor;
    }
  }
  for (let factor = 3; rest > 1 && factor <= largestFactor; factor += 2) {
    while (rest % factor === 0) {
      factors.push(factor);
      rest /= factor;
    }
  }
  return rest === 1 ? passes(n, factors) : convolution(n);
}

/** cos and sin of -2 pi k / n, interleaved. */
export function roots(n: number, count: number): Float64Array {
  const values = new Float64Array(2 * count);
  for (let k = 0; k < count; k++) {
    const angle = (-2 * Math.PI * k) / n;
    // quarters of a turn are exact, so that what cancels is 0
    values[2 * k] = (4 * k) % n === 0 && (2 * k) % n !== 0 ? 0 : Math.cos(angle);
    values[2 * k + 1] = (2 * k) % n === 0 ? 0 : Math.sin(angle);
  }
  return values;
}

/**
 * A pass of radix r over rows of n elements, s of them side by side, n1 = n / r:
 * y[q + s (r p + k)] = w^(p k) sum over j of x[q + s (p + j n1)] exp(-2 pi i j k / r),  w = exp(-2 pi i / n).
 */
function passes(n: number, factors: readonly number[]): Forward {
  const input = new Float64Array(2 * n);
  const other = new Float64Array(2 * n);
  const whole = roots(n, n);
  const steps = factors.map((radix) => ({ radix, inner: radix > 5 ? roots(radix, radix) : null }));
  return {
    input,
    run: () => {
      let [x, y] = [input, other];
      let stride = 1;
      let length = n;
      for (const { radix, inner } of steps) {
        if (radix === 4) pass4(x, y, length, stride, whole);
        else if (radix === 2) pass2(x, y, length, stride, whole);
        else if (radix === 3) pass3(x, y, length, stride, whole);
        else if (radix === 5) pass5(x, y, length, stride, whole);
        else passAny(x, y, length, stride, whole, radix, inner as Float64Array);
        [x, y] = [y, x];
        stride *= radix;
        length /= radix;
      }
      return x;
    },
  };
}

function pass2(x: Float64Array, y: Float64Array, n: number, s: number, w: Float64Array): void {
  const half = s * n; // of 2 n s numbers
  for (let p = 0; 2 * p < n; p++) {
    const [c, d] = [w[2 * s * p]!, w[2 * s * p + 1]!];
    for (let i = 2 * s * p, end = i + 2 * s, o = 4 * s * p; i < end; i += 2, o += 2) {
      const [ar, ai, br, bi] = [x[i]!, x[i + 1]!, x[i + half]!, x[i + half + 1]!];
      const [er, ei] = [ar - br, ai - bi];
      y[o] = ar + br;
      y[o + 1] = ai + bi;
      y[o + 2 * s] = er * c - ei * d;
      y[o + 2 * s + 1] = er * d + ei * c;
    }
  }
}

function pass3(x: Float64Array, y: Float64Array, n: number, s: number, w: Float64Array): void {
  const third = (2 * s * n) / 3;
  const high = Math.sqrt(3) / 2;
  for (let p = 0; 3 * p < n; p++) {
    const [c1, d1, c2, d2] = [w[2 * s * p]!, w[2 * s * p + 1]!, w[4 * s * p]!, w[4 * s * p + 1]!];
    for (let i = 2 * s * p, end = i + 2 * s, o = 6 * s * p; i < end; i += 2, o += 2) {
      const [ar, ai] = [x[i]!, x[i + 1]!];
      const [sr, si] = [x[i + third]! + x[i + 2 * third]!, x[i + third + 1]! + x[i + 2 * third + 1]!];
      // times -i sin(2 pi / 3)
      const [tr, ti] = [
        high * (x[i + third + 1]! - x[i + 2 * third + 1]!),
        -high * (x[i + third]! - x[i + 2 * third]!),
      ];
      const [mr, mi] = [ar - sr / 2, ai - si / 2];
      y[o] = ar + sr;
      y[o + 1] = ai + si;
      const [ur, ui, vr, vi] = [mr + tr, mi + ti, mr - tr, mi - ti];
      y[o + 2 * s] = ur * c1 - ui * d1;
      y[o + 2 * s + 1] = ur * d1 + ui * c1;
      y[o + 4 * s] = vr * c2 - vi * d2;
      y[o + 4 * s + 1] = vr * d2 + vi * c2;
    }
  }
}

function pass4(x: Float64Array, y: Float64Array, n: number, s: number, w: Float64Array): void {
  const quarter = (s * n) / 2;
  const [out1, out2, out3] = [2 * s, 4 * s, 6 * s];
  for (let p = 0; 4 * p < n; p++) {
    const at = 2 * s * p;
    const c1 = w[at]!;
    const d1 = w[at + 1]!;
    const c2 = w[2 * at]!;
    const d2 = w[2 * at + 1]!;
    const c3 = w[3 * at]!;
    const d3 = w[3 * at + 1]!;
    for (let i = at, end = at + 2 * s, o = 4 * at; i < end; i += 2, o += 2) {
      const ar = x[i]!;
      const ai = x[i + 1]!;
      const br = x[i + quarter]!;
      const bi = x[i + quarter + 1]!;
      const cr = x[i + 2 * quarter]!;
      const ci = x[i + 2 * quarter + 1]!;
      const dr = x[i + 3 * quarter]!;
      const di = x[i + 3 * quarter + 1]!;
      const evenR = ar + cr;
      const evenI = ai + ci;
      const oddR = br + dr;
      const oddI = bi + di;
      const leftR = ar - cr;
      const leftI = ai - ci;
      // i (b - d)
      const turnR = di - bi;
      const turnI = br - dr;
      y[o] = evenR + oddR;
      y[o + 1] = evenI + oddI;
      const r1 = leftR - turnR;
      const i1 = leftI - turnI;
      y[o + out1] = r1 * c1 - i1 * d1;
      y[o + out1 + 1] = r1 * d1 + i1 * c1;
      const r2 = evenR - oddR;
      const i2 = evenI - oddI;
      y[o + out2] = r2 * c2 - i2 * d2;
      y[o + out2 + 1] = r2 * d2 + i2 * c2;
      const r3 = leftR + turnR;
      const i3 = leftI + turnI;
      y[o + out3] = r3 * c3 - i3 * d3;
      y[o + out3 + 1] = r3 * d3 + i3 * c3;
    }
  }
}

function pass5(x: Float64Array, y: Float64Array, n: number, s: number, w: Float64Array): void {
  const fifth = (2 * s * n) / 5;
  // of 72 and of 144 degrees
  const [cos1, sin1] = [(Math.sqrt(5) - 1) / 4, Math.sqrt((5 + Math.sqrt(5)) / 8)];
  const [cos2, sin2] = [-(Math.sqrt(5) + 1) / 4, Math.sqrt((5 - Math.sqrt(5)) / 8)];
  const store = (o: number, at: number, re: number, im: number): void => {
    y[o] = re * w[at]! - im * w[at + 1]!;
    y[o + 1] = re * w[at + 1]! + im * w[at]!;
  };
  for (let p = 0; 5 * p < n; p++) {
    const at = 2 * s * p;
    for (let i = at, end = i + 2 * s, o = 5 * at; i < end; i += 2, o += 2) {
      const [ar, ai] = [x[i]!, x[i + 1]!];
      const [b, c, d, e] = [i + fifth, i + 2 * fifth, i + 3 * fifth, i + 4 * fifth];
      const [s1r, s1i, m1r, m1i] = [x[b]! + x[e]!, x[b + 1]! + x[e + 1]!, x[b]! - x[e]!, x[b + 1]! - x[e + 1]!];
      const [s2r, s2i, m2r, m2i] = [x[c]! + x[d]!, x[c + 1]! + x[d + 1]!, x[c]! - x[d]!, x[c + 1]! - x[d + 1]!];
      const [ur, ui] = [ar + cos1 * s1r + cos2 * s2r, ai + cos1 * s1i + cos2 * s2i];
      const [vr, vi] = [ar + cos2 * s1r + cos1 * s2r, ai + cos2 * s1i + cos1 * s2i];
      // times -i
      const [pr, pi] = [sin1 * m1i + sin2 * m2i, -(sin1 * m1r + sin2 * m2r)];
      const [qr, qi] = [sin2 * m1i - sin1 * m2i, -(sin2 * m1r - sin1 * m2r)];
      y[o] = ar + s1r + s2r;
      y[o + 1] = ai + s1i + s2i;
      store(o + 2 * s, at, ur + pr, ui + pi);
      store(o + 4 * s, 2 * at, vr + qr, vi + qi);
      store(o + 6 * s, 3 * at, vr - qr, vi - qi);
      store(o + 8 * s, 4 * at, ur - pr, ui - pi);
    }
  }
}

function passAny(
  x: Float64Array,
  y: Float64Array,
  n: number,
  s: number,
  w: Float64Array,
  radix: number,
  inner: Float64Array,
): void {
  const part = (2 * s * n) / radix;
  for (let p = 0; radix * p < n; p++) {
    for (let i = 2 * s * p, end = i + 2 * s, o = radix * i; i < end; i += 2, o += 2) {
      for (let k = 0; k < radix; k++) {
        let [re, im] = [0, 0];
        for (let j = 0, at = 0; j < radix; j++, at += k) {
          if (at >= radix) at -= radix;
          const [c, d] = [inner[2 * at]!, inner[2 * at + 1]!];
          const [a, b] = [x[i + j * part]!, x[i + j * part + 1]!];
          re += a * c - b * d;
          im += a * d + b * c;
        }
        const turn = 2 * s * p * k;
        y[o + 2 * s * k] = re * w[turn]! - im * w[turn + 1]!;
        y[o + 2 * s * k + 1] = re * w[turn + 1]! + im * w[turn]!;
      }
    }
  }
}

/** t k = (t^2 + k^2 - (k - t)^2) / 2 makes of the transform a convolution with a chirp. */
function convolution(n: number): Forward {
  const size = 2 ** Math.ceil(Math.log2(2 * n - 1));
  const inside = makeForward(size);
  const chirp = new Float64Array(2 * n);
  for (let t = 0; t < n; t++) {
    // t^2 modulo 2 n keeps the angle small, and exact; t^2 itself is below 2^53
    const angle = (-Math.PI * ((t * t) % (2 * n))) / n;
    chirp[2 * t] = Math.cos(angle);
    chirp[2 * t + 1] = Math.sin(angle);
  }
  inside.input.fill(0);
  for (let t = 0; t < n; t++) {
    for (const at of t === 0 ? [0] : [t, size - t]) {
      inside.input[2 * at] = chirp[2 * t]!;
      inside.input[2 * at + 1] = -chirp[2 * t + 1]!;
    }
  }
  const kernel = inside.run().slice();
  const input = new Float64Array(2 * n);
  const result = new Float64Array(2 * n);
  return {
    input,
    run: () => {
      const work = inside.input;
      work.fill(0, 2 * n);
      multiply(work, input, chirp, n, false);
      // the inverse is the transform with both parts exchanged, before and after
      multiply(work, inside.run(), kernel, size, true);
      const back = inside.run();
      for (let k = 0; k < n; k++) {
        const [re, im] = [back[2 * k + 1]! / size, back[2 * k]! / size];
        result[2 * k] = re * chirp[2 * k]! - im * chirp[2 * k + 1]!;
        result[2 * k + 1] = re * chirp[2 * k + 1]! + im * chirp[2 * k]!;
      }
      return result;
    },
  };
}

/** The product of two rows; with both parts of each element exchanged where `isSwapped`. */
function multiply(to: Float64Array, a: Float64Array, b: Float64Array, n: number, isSwapped: boolean): void {
  const real = isSwapped ? 1 : 0;
  for (let k = 0; k < 2 * n; k += 2) {
    const [ar, ai, br, bi] = [a[k]!, a[k + 1]!, b[k]!, b[k + 1]!];
    to[k + real] = ar * br - ai * bi;
    to[k + 1 - real] = ar * bi + ai * br;
  }
}

/** The discrete Fourier transform on the host, in double precision, for sizes of a power of 2: for augmentation in pipelines and their workers, where no device is. */
import { ValueError } from '@nn/core';

/** Cosines and sines of a size; the order in which its elements are taken. */
interface Plan {
  readonly cosines: Float64Array;
  readonly sines: Float64Array;
  readonly order: Uint32Array;
}

const plans = new Map<number, Plan>();

function planOf(size: number): Plan {
  const found = plans.get(size);
  if (found) return found;
  const bits = Math.log2(size);
  const order = new Uint32Array(size);
  for (let i = 0; i < size; i++) order[i] = (order[i >> 1]! >> 1) | ((i & 1) << (bits - 1));
  const plan = {
    cosines: Float64Array.from({ length: size / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / size)),
    sines: Float64Array.from({ length: size / 2 }, (_, k) => Math.sin((2 * Math.PI * k) / size)),
    order,
  };
  plans.set(size, plan);
  return plan;
}

export function isPowerOfTwo(size: number): boolean {
  return Number.isInteger(size) && size >= 2 && size <= 2 ** 24 && (size & (size - 1)) === 0;
}

/** In place: real + i imaginary, with exp(-2 pi i k n / size), or its conjugate and 1 / size for the inverse. (Cooley and Tukey 1965.) */
export function transformOnHost(real: Float64Array, imaginary: Float64Array, isInverse: boolean): void {
  const size = real.length;
  if (!isPowerOfTwo(size)) throw new ValueError('/transform', `${size} is no power of 2.`, { size });
  const { cosines, sines, order } = planOf(size);
  for (let i = 0; i < size; i++) {
    const j = order[i]!;
    if (j <= i) continue;
    [real[i], real[j]] = [real[j]!, real[i]!];
    [imaginary[i], imaginary[j]] = [imaginary[j]!, imaginary[i]!];
  }
  for (let half = 1; half < size; half *= 2) {
    const stride = size / (2 * half);
    for (let start = 0; start < size; start += 2 * half) {
      for (let k = 0; k < half; k++) {
        const c = cosines[k * stride]!;
        const s = isInverse ? sines[k * stride]! : -sines[k * stride]!;
        const [a, b] = [start + k, start + k + half];
        const re = real[b]! * c - imaginary[b]! * s;
        const im = real[b]! * s + imaginary[b]! * c;
        real[b] = real[a]! - re;
        imaginary[b] = imaginary[a]! - im;
        real[a] = real[a]! + re;
        imaginary[a] = imaginary[a]! + im;
      }
    }
  }
  if (!isInverse) return;
  for (let i = 0; i < size; i++) {
    real[i] = real[i]! / size;
    imaginary[i] = imaginary[i]! / size;
  }
}

/** x convolved with h, the first `x.length` samples: by transforms of blocks, overlapped and added. */
export function convolved(x: Float32Array, h: Float32Array): Float32Array {
  const result = new Float64Array(x.length + h.length);
  const size = 2 ** Math.ceil(Math.log2(Math.max(256, 2 * h.length)));
  const block = size - h.length + 1;
  const [filterReal, filterImaginary] = [new Float64Array(size), new Float64Array(size)];
  filterReal.set(h);
  transformOnHost(filterReal, filterImaginary, false);
  const [real, imaginary] = [new Float64Array(size), new Float64Array(size)];
  for (let start = 0; start < x.length; start += block) {
    real.fill(0);
    imaginary.fill(0);
    real.set(x.subarray(start, start + block));
    transformOnHost(real, imaginary, false);
    for (let k = 0; k < size; k++) {
      const re = real[k]! * filterReal[k]! - imaginary[k]! * filterImaginary[k]!;
      imaginary[k] = real[k]! * filterImaginary[k]! + imaginary[k]! * filterReal[k]!;
      real[k] = re;
    }
    transformOnHost(real, imaginary, true);
    const end = Math.min(size, result.length - start);
    for (let i = 0; i < end; i++) result[start + i] = result[start + i]! + real[i]!;
  }
  return Float32Array.from(result.subarray(0, x.length));
}

/** The fast Fourier transform in double precision: core's is float32, and a delta of 1e-9 after 10,000 powers needs more. */

/** In place, of a power of two complex numbers; `sign` 1 takes it back, up to the factor of the length. (Cooley and Tukey 1965.) */
export function doubleFft(real: Float64Array, imaginary: Float64Array, sign: 1 | -1): void {
  const size = real.length;
  for (let i = 1, j = 0; i < size; i++) {
    let bit = size >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [real[i], real[j]] = [real[j]!, real[i]!];
      [imaginary[i], imaginary[j]] = [imaginary[j]!, imaginary[i]!];
    }
  }
  const { cosines, sines } = rootsOf(size);
  for (let length = 2; length <= size; length *= 2) {
    const [half, stride] = [length / 2, size / length];
    for (let start = 0; start < size; start += length) {
      for (let k = 0; k < half; k++) {
        const c = cosines[k * stride]!;
        const s = sign * sines[k * stride]!;
        const a = start + k;
        const b = a + half;
        const x = real[b]! * c - imaginary[b]! * s;
        const y = real[b]! * s + imaginary[b]! * c;
        real[b] = real[a]! - x;
        imaginary[b] = imaginary[a]! - y;
        real[a] = real[a]! + x;
        imaginary[a] = imaginary[a]! + y;
      }
    }
  }
}

interface Roots {
  readonly size: number;
  readonly cosines: Float64Array;
  readonly sines: Float64Array;
}

/** Of the last size asked for, which is asked for again. */
let roots: Roots | null = null;

/** exp(2 pi i k / size) for the first half, each computed apart: products of them would lose digits. */
function rootsOf(size: number): Roots {
  if (roots?.size === size) return roots;
  const at = (of: (angle: number) => number): Float64Array =>
    Float64Array.from({ length: size / 2 }, (_, k) => of((2 * Math.PI * k) / size));
  roots = { size, cosines: at(Math.cos), sines: at(Math.sin) };
  return roots;
}

/**
 * Owns: the 16 bits of half floats on the host, from and to the float32 numbers that devices hold in their place.
 * Does not own: rounding, which devices do where they store (`numbers.ts`): what comes from them is a half float already.
 */
import type { HalfDType } from '../nest/halves.ts';

const bits = new Int32Array(1);
const number = new Float32Array(bits.buffer);

const widen: Readonly<Record<HalfDType, (half: number) => number>> = {
  bfloat16: (half) => {
    bits[0] = half << 16;
    return number[0]!;
  },
  float16: (half) => {
    const magnitude = (half & 0x7fff) << 13;
    // shifted into place the exponent is 112 too small, that of infinities and NaN as well
    bits[0] = magnitude >= 0x0f800000 ? magnitude | 0x7f800000 : magnitude;
    const value = magnitude >= 0x0f800000 ? number[0]! : number[0]! * 2 ** 112;
    return half & 0x8000 ? -value : value;
  },
};

const narrow: Readonly<Record<HalfDType, (value: number) => number>> = {
  bfloat16: (value) => {
    number[0] = value;
    return Number.isNaN(value) ? 0x7fc0 : (bits[0]! >>> 16) & 0xffff;
  },
  float16: (value) => {
    if (Number.isNaN(value)) return 0x7e00;
    number[0] = value;
    const sign = (bits[0]! >>> 16) & 0x8000;
    const magnitude = bits[0]! & 0x7fffffff;
    if (magnitude >= 0x47800000) return sign | 0x7c00;
    return sign | (magnitude < 0x38800000 ? Math.abs(value) * 2 ** 24 : (magnitude - 0x38000000) >> 13);
  },
};

/** The float32 numbers that half floats stand for. */
export const fromHalves = (halves: ArrayLike<number>, dtype: HalfDType): Float32Array =>
  Float32Array.from(halves, widen[dtype]);

/** The bits of float32 numbers, each of which is a half float. */
export const toHalves = (numbers: ArrayLike<number>, dtype: HalfDType): Uint16Array =>
  Uint16Array.from(numbers, narrow[dtype]);

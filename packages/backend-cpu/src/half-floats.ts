/**
 * float16 and bfloat16 as numbers of 16 bits, for engines that compute in JavaScript: what their bits stand for, and the nearest bits
 * of a number (ties to even). Fetched when a program has such a buffer (`host/halves.ts`).
 */
const word = new Float32Array(1);
const bits = new Int32Array(word.buffer);

/** The number that the bits of a float16 stand for. */
export function fromFloat16(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The bits of the float16 nearest to a float32. */
export function toFloat16(value: number): number {
  word[0] = value;
  const all = bits[0]!;
  const sign = (all >>> 16) & 0x8000;
  const size = all & 0x7fffffff;
  if (size > 0x7f800000) return sign | 0x7e00;
  // 65520 and more round to infinity.
  if (size >= 0x477ff000) return sign | 0x7c00;
  if (size >= 0x38800000) {
    // Rounding up may carry into the exponent, which is the next number.
    return sign | ((size - 0x38000000 + 0xfff + ((size >> 13) & 1)) >> 13);
  }
  // Below 2^-14 the numbers are multiples of 2^-24: let the addition of 2^23 times that unit round.
  const scaled = Math.abs(word[0]!) * 2 ** 24 + 2 ** 52;
  return sign | (scaled - 2 ** 52);
}

/** The number that the bits of a bfloat16 stand for. */
export function fromBfloat16(half: number): number {
  bits[0] = half << 16;
  return word[0]!;
}

/** The bits of the bfloat16 nearest to a float32. */
export function toBfloat16(value: number): number {
  word[0] = value;
  const all = bits[0]!;
  if ((all & 0x7fffffff) > 0x7f800000) return ((all >>> 16) & 0x8000) | 0x7fc0;
  return ((all + 0x7fff + ((all >>> 16) & 1)) >>> 16) & 0xffff;
}

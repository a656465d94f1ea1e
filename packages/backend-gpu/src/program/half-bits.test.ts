import { describe, expect, it } from 'vitest';
import { fromHalves, toHalves } from './half-bits.ts';

const all = Uint16Array.from({ length: 65536 }, (_, bits) => bits);

describe.each([
  { dtype: 'float16', fraction: 10, bias: 15, nan: 0x7e00 },
  { dtype: 'bfloat16', fraction: 7, bias: 127, nan: 0x7fc0 },
] as const)('the bits of $dtype', ({ dtype, fraction, bias, nan }) => {
  /** By the definition of the format: a sign, an exponent, a fraction with its hidden one. */
  const meaning = (bits: number): number => {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits & 0x7fff) >> fraction;
    const part = (bits & (2 ** fraction - 1)) / 2 ** fraction;
    if (exponent === 2 * bias + 1) return part === 0 ? sign * Infinity : Number.NaN;
    return sign * (exponent === 0 ? part * 2 ** (1 - bias) : (1 + part) * 2 ** (exponent - bias));
  };

  it('are the numbers that the format says', () => {
    const numbers = fromHalves(all, dtype);
    expect([...all].filter((bits) => !Object.is(numbers[bits], meaning(bits)))).toEqual([]);
  });

  it('come back as they were, NaN as one of them', () => {
    const back = toHalves(fromHalves(all, dtype), dtype);
    expect([...all].filter((bits) => back[bits] !== (Number.isNaN(meaning(bits)) ? nan : bits))).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { decode, encode, roundToStorage } from './reference-storage.ts';

describe('the storage of the oracle', () => {
  it('reads float16 bits as IEEE 754 has them', () => {
    const bits = Uint16Array.of(0, 0x8000, 0x3c00, 0xc000, 0x3555, 1, 0x03ff, 0x0400, 0x7bff, 0x7c00, 0xfc00, 0x7e00);
    expect([...decode(bits, 'float16')]).toEqual([
      0,
      -0,
      1,
      -2,
      0.333251953125,
      2 ** -24,
      1023 * 2 ** -24,
      2 ** -14,
      65504,
      Infinity,
      -Infinity,
      Number.NaN,
    ]);
  });

  it('reads bfloat16 as the upper half of a float32', () => {
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const words = new Float32Array(Uint32Array.from(bits, (half) => half << 16).buffer);
    expect(decode(bits, 'bfloat16')).toEqual(Float64Array.from(words));
  });

  it('gives every half float back as it was', () => {
    for (const dtype of ['float16', 'bfloat16'] as const) {
      const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
      const values = decode(bits, dtype);
      const again = encode(values, dtype);
      const wrong = [...bits].filter((half, i) => again[i] !== half && !Number.isNaN(values[i]));
      expect(wrong).toEqual([]);
    }
  });

  it('rounds to the nearest half float, ties to even, and overflows to infinity', () => {
    const cases: [number, number][] = [
      [1 + 2 ** -11, 1],
      [1 + 3 * 2 ** -11, 1 + 2 ** -9],
      [1 + 2 ** -11 + 2 ** -20, 1 + 2 ** -10],
      [65519, 65504],
      [65520, Infinity],
      [-1e6, -Infinity],
      [2 ** -25, 0],
      [2 ** -25 * 1.01, 2 ** -24],
      [3 * 2 ** -25, 2 ** -23],
      [-(2 ** -30), -0],
    ];
    for (const [value, rounded] of cases) expect(roundToStorage(value, 'float16')).toBe(rounded);
    expect(roundToStorage(1 + 2 ** -8, 'bfloat16')).toBe(1);
    expect(roundToStorage(1 + 3 * 2 ** -8, 'bfloat16')).toBe(1 + 2 ** -6);
    expect(roundToStorage(3.4e38, 'bfloat16')).toBe(Infinity);
  });

  it('saturates whole numbers and leaves float32 in double precision', () => {
    expect([roundToStorage(300, 'uint8'), roundToStorage(-300, 'int8'), roundToStorage(0.1, 'float32')]).toEqual([
      255, -128, 0.1,
    ]);
    expect(encode(Float64Array.of(0.1), 'float32')).toEqual(Float32Array.of(0.1));
  });
});

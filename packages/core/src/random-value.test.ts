import { describe, expect, it } from 'vitest';
import { randomValue } from './random-value.ts';

describe('randomValue', () => {
  it('equals pcg3d computed with big integers', () => {
    const expected = [0.6081518530845642, 0.9789958596229553, 0.49752378463745117, 0.6850431561470032];
    const words = [
      [0, 0, 0],
      [1, 2, 3],
      [0, 0, 1],
      [4294967295, 7, 123456789],
    ] as const;
    expect(words.map(([seed, stream, counter]) => randomValue(seed, stream, counter))).toEqual(expected);
    expect(words.map(([seed, stream, counter]) => bigRandom(seed, stream, counter))).toEqual(expected);
    for (let counter = 0; counter < 200; counter++) {
      expect(randomValue(-counter, counter * 7919, ~counter)).toBe(bigRandom(-counter, counter * 7919, ~counter));
    }
  });

  it('is spread evenly over its range, and uncorrelated between neighbours', () => {
    const count = 100_000;
    const bins = new Float64Array(16);
    let products = 0;
    let wrong = 0;
    let previous = randomValue(3, 1, -1);
    for (let counter = 0; counter < count; counter++) {
      const value = randomValue(3, 1, counter);
      if (!(value >= 0 && value < 1 && Number.isInteger(value * 2 ** 24))) wrong += 1;
      const bin = Math.floor(value * 16);
      bins[bin] = bins[bin]! + 1;
      products += (value - 0.5) * (previous - 0.5);
      previous = value;
    }
    expect(wrong).toBe(0);
    // Chi squared with 15 degrees of freedom exceeds 37.7 once in a thousand; the correlation's deviation is 1 / sqrt(count).
    const chiSquared = bins.reduce((sum, found) => sum + (found - count / 16) ** 2 / (count / 16), 0);
    expect(chiSquared).toBeLessThan(37.7);
    expect(Math.abs((products * 12) / count)).toBeLessThan(4 / Math.sqrt(count));
  });
});

/** pcg3d after the paper, word by word. */
function bigRandom(seed: number, stream: number, counter: number): number {
  const word = (value: bigint): bigint => BigInt.asUintN(32, value);
  let [x, y, z] = [seed, stream, counter].map((value) => word(BigInt(value) * 1664525n + 1013904223n)) as [
    bigint,
    bigint,
    bigint,
  ];
  const mix = (): void => {
    x = word(x + y * z);
    y = word(y + z * x);
    z = word(z + x * y);
  };
  mix();
  x ^= x >> 16n;
  y ^= y >> 16n;
  z ^= z >> 16n;
  mix();
  return Number(x >> 8n) * 2 ** -24;
}

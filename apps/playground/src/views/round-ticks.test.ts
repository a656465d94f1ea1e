import { describe, expect, it } from 'vitest';
import { roundTicks } from './round-ticks.ts';

const textsOf = (low: number, high: number, most?: number): string[] =>
  roundTicks(low, high, most).map(({ text }) => text);

describe('round ticks', () => {
  it('are round numbers within the range, zero among them as 0', () => {
    expect(textsOf(-1.14, 1.1)).toEqual(['−1', '0', '1']);
    expect(textsOf(-1.54, 2.54, 5)).toEqual(['−1', '0', '1', '2']);
    expect(textsOf(-0.3, 0.31)).toEqual(['−0.2', '0', '0.2']);
    expect(textsOf(38, 171)).toEqual(['50', '100', '150']);
    expect(textsOf(0, 1)).toEqual(['0', '0.5', '1.0']);
  });

  it('are short where numbers are very large or very small, and none where there is no range', () => {
    expect(textsOf(0, 400_000, 2)).toEqual(['0', '2.0e5', '4.0e5']);
    expect(textsOf(1e-6, 3e-6, 2)).toEqual(['1.0e−6', '2.0e−6', '3.0e−6']);
    expect(textsOf(1, 1)).toEqual([]);
    expect(textsOf(Number.NaN, 1)).toEqual([]);
    expect(textsOf(0, Number.POSITIVE_INFINITY)).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { isJson, parseExactly, stringifyExactly } from './exact-json.ts';

describe('stringifyExactly and parseExactly', () => {
  it('give back every kind of number, and all else that JSON has', () => {
    const value = {
      odd: [Number.NaN, Infinity, -Infinity, -0, 0],
      numbers: [0.1, 5e-324, 1.7976931348623157e308, 2 ** 53 - 1, 1 / 3],
      rest: [null, true, 'text "quoted"', {}, []],
    };
    expect(isJson(value)).toBe(true);
    expect(parseExactly(stringifyExactly(value))).toEqual(value);
  });
});

describe('isJson', () => {
  it('knows what would not come back as it was', () => {
    for (const value of [
      undefined,
      1n,
      () => 1,
      new Date(),
      new Map(),
      new Float32Array(1),
      [undefined],
      { a: undefined },
      { $number: '1' },
    ]) {
      expect(isJson(value)).toBe(false);
    }
  });
});

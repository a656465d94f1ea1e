import { describe, expect, it } from 'vitest';
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from './half-floats.ts';
import { toInt8, toUint8 } from './storage.ts';

const all = Array.from({ length: 65536 }, (_, bits) => bits);

describe('half floats', () => {
  it('come back from every number as they were', () => {
    for (const [widen, narrow] of [
      [fromFloat16, toFloat16],
      [fromBfloat16, toBfloat16],
    ] as const) {
      expect(all.filter((bits) => !Number.isNaN(widen(bits)) && narrow(widen(bits)) !== bits)).toEqual([]);
      expect(all.filter((bits) => Number.isNaN(widen(bits)) && !Number.isNaN(widen(narrow(widen(bits)))))).toEqual([]);
    }
  });

  it('are the nearest to a number, the even one of two', () => {
    for (const [widen, narrow, count] of [
      [fromFloat16, toFloat16, 0x7c00],
      [fromBfloat16, toBfloat16, 0x7f80],
    ] as const) {
      // Between neighbours: the middle goes to the even bits, what is a little off goes to its side.
      const wrong = all.slice(0, count - 1).filter((bits) => {
        const [low, high] = [widen(bits), widen(bits + 1)];
        const middle = (low + high) / 2;
        const even = bits % 2 === 0 ? bits : bits + 1;
        const before = Math.fround(low + (middle - low) * 0.99);
        const after = Math.fround(high - (high - middle) * 0.99);
        // Below the least float32 there is nothing to tell apart.
        if (Math.fround(middle) !== middle) return false;
        return (
          narrow(middle) !== even ||
          narrow(-middle) !== even + 0x8000 ||
          narrow(before) !== bits ||
          narrow(after) !== bits + 1
        );
      });
      expect(wrong).toEqual([]);
    }
  });

  it('overflow to infinity and keep NaN', () => {
    expect([65519, 65520, 1e30, -1e30].map(toFloat16)).toEqual([0x7bff, 0x7c00, 0x7c00, 0xfc00]);
    expect([3.38e38, 3.4e38, -3.4e38].map(toBfloat16)).toEqual([0x7f7e, 0x7f80, 0xff80]);
    expect([toFloat16(Number.NaN) & 0x7fff, toBfloat16(Number.NaN) & 0x7fff]).toEqual([0x7e00, 0x7fc0]);
  });
});

describe('bytes', () => {
  it('saturate', () => {
    expect([-129, -128, 0, 127, 128].map(toInt8)).toEqual([-128, -128, 0, 127, 127]);
    expect([-1, 0, 255, 256].map(toUint8)).toEqual([0, 0, 255, 255]);
  });
});

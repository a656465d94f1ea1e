import { describe, expect, it } from 'vitest';
import { erf, floorModulo, power, powerInt32, toInt32 } from './math.ts';

describe('scalar functions', () => {
  it('have an error function within 2e-10 of 20 digits of mpmath, odd, and 1 far out', () => {
    const known: [number, number][] = [
      [0.001, 0.0011283787909692363799],
      [0.3, 0.32862675945912742764],
      [0.5, 0.52049987781304653768],
      [1, 0.84270079294971486934],
      [1.5, 0.96610514647531072707],
      [2, 0.99532226501895273416],
      [3.0001, 0.99997792342412980667],
      [4, 0.99999998458274209972],
      [5.9, 0.9999999999999999281],
    ];
    for (const [x, value] of known) {
      expect(Math.abs(erf(x) - value)).toBeLessThan(2e-10);
      expect(erf(-x)).toBe(-erf(x));
    }
    expect([erf(0), erf(7), erf(Infinity), erf(-Infinity)]).toEqual([0, 1, 1, -1]);
    expect(erf(Number.NaN)).toBeNaN();
    // Small arguments keep their relative precision: erf(x) is 2 / sqrt(pi) * x there.
    expect(Math.abs(erf(1e-30) / ((2 / Math.sqrt(Math.PI)) * 1e-30) - 1)).toBeLessThan(2e-10);
  });

  it('have an error function without a step where the two formulas meet', () => {
    for (const edge of [1, 6]) expect(Math.abs(erf(edge - 1e-13) - erf(edge))).toBeLessThan(4e-10);
  });

  it('raise to powers as C does', () => {
    expect([power(1, Number.NaN), power(-1, -Infinity), power(2, 10), power(-2, 3)]).toEqual([1, 1, 1024, -8]);
    expect(power(Number.NaN, 1)).toBeNaN();
    expect([powerInt32(3, 21), powerInt32(2, 31), powerInt32(-1, -3), powerInt32(7, 0)]).toEqual([
      1870418611, -2147483648, -1, 1,
    ]);
  });

  it('convert any number to int32', () => {
    expect([Number.NaN, 2147483647.9, -2147483649, 1.9, -1.9, Infinity].map(toInt32)).toEqual([
      0, 2147483647, -2147483648, 1, -1, 2147483647,
    ]);
  });

  it('give floored remainders the sign of the divisor', () => {
    expect([floorModulo(5, 3), floorModulo(-5, 3), floorModulo(5, -3), floorModulo(-5, Infinity)]).toEqual([
      2,
      1,
      -1,
      Infinity,
    ]);
  });
});

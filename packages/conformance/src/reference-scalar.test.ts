import type { Alu, DType } from '@nn/core';
import { describe, expect, it } from 'vitest';
import { convert, erf, scalarFunction } from './reference-scalar.ts';

const { NaN: nan } = Number;

/** Applies `op` to operands of `from`. */
function apply(op: Alu, from: DType, to: DType, ...args: number[]): number {
  const [a = 0, b = 0, c = 0] = args;
  return scalarFunction(op, from, to)(a, b, c);
}

const float = (op: Alu, ...args: number[]): number => apply(op, 'float32', 'float32', ...args);
const integer = (op: Alu, ...args: number[]): number => apply(op, 'int32', 'int32', ...args);

describe('the scalar functions of the oracle', () => {
  it('wrap int32 over 32 bits', () => {
    expect(integer('add', 2147483647, 1)).toBe(-2147483648);
    expect(integer('sub', -2147483648, 1)).toBe(2147483647);
    expect(integer('mul', 65536, 65536)).toBe(0);
    expect(integer('mul', 123456789, 987654321)).toBe(-67153019);
    expect(integer('div', -2147483648, -1)).toBe(-2147483648);
    expect(integer('pow', 3, 21)).toBe(1870418611);
  });

  it('take shift counts modulo 32 and keep the sign when shifting right', () => {
    expect([integer('shl', 1, 33), integer('shl', 1, -1)]).toEqual([2, -2147483648]);
    expect([integer('shr', -8, 1), integer('shr', -8, 33), integer('shr', -1, 31)]).toEqual([-4, -4, -1]);
  });

  it('divide integers towards zero, floorDiv downwards, and give 0 for a division by 0', () => {
    const table = [
      [7, 2, 3, 1, 3, 1],
      [-7, 2, -3, -1, -4, 1],
      [7, -2, -3, 1, -4, -1],
      [-7, -2, 3, -1, 3, -1],
      [6, -3, -2, 0, -2, 0],
    ];
    for (const [a, b, quotient, remainder, floored, modulo] of table as [
      number,
      number,
      number,
      number,
      number,
      number,
    ][]) {
      expect(integer('div', a, b)).toBe(quotient);
      expect(integer('mod', a, b) + 0).toBe(remainder);
      expect(integer('floorDiv', a, b)).toBe(floored);
      expect(integer('floorMod', a, b) + 0).toBe(modulo);
    }
    for (const op of ['div', 'mod', 'floorDiv', 'floorMod'] as const) expect(integer(op, 5, 0)).toBe(0);
    expect([integer('pow', 2, -1), integer('pow', -1, -3), integer('pow', 1, -3), integer('pow', 0, 0)]).toEqual([
      0, -1, 1, 1,
    ]);
  });

  it('give float remainders the sign of the dividend, floored ones that of the divisor', () => {
    expect([float('mod', -7, 3), float('mod', 7, -3), float('mod', 5.5, 2)]).toEqual([-1, 1, 1.5]);
    expect([float('floorMod', -7, 3), float('floorMod', 7, -3), float('floorMod', -5.5, 2)]).toEqual([2, -2, 0.5]);
    expect([float('floorDiv', -7, 2), float('floorDiv', 1, 0), float('floorDiv', -1, 0)]).toEqual([
      -4,
      Infinity,
      -Infinity,
    ]);
    expect(float('mod', 1, 0)).toBeNaN();
  });

  it('let NaN through max and min, and compare it with nothing', () => {
    for (const op of ['max', 'min'] as const) {
      expect(float(op, nan, 1)).toBeNaN();
      expect(float(op, 1, nan)).toBeNaN();
    }
    for (const op of ['less', 'equal'] as const) {
      expect(apply(op, 'float32', 'bool', nan, nan)).toBe(0);
      expect(apply(op, 'float32', 'bool', nan, 1)).toBe(0);
    }
    expect(apply('equal', 'float32', 'bool', 0, -0)).toBe(1);
    expect(apply('less', 'float32', 'bool', -0, 0)).toBe(0);
  });

  it('choose without looking at the other side', () => {
    expect(apply('where', 'float32', 'float32', 1, 2, nan)).toBe(2);
    expect(apply('where', 'float32', 'float32', 0, nan, 3)).toBe(3);
  });

  it('cast to int32 by truncation and saturation, NaN to 0, and to bool by being other than 0', () => {
    expect([1.9, -1.9, 3e9, -3e9, Infinity, -Infinity, nan].map((x) => convert(x, 'int32'))).toEqual([
      1, -1, 2147483647, -2147483648, 2147483647, -2147483648, 0,
    ]);
    expect(Object.is(convert(-0.5, 'int32'), 0)).toBe(true);
    expect([0, -0, 0.1, nan, -3].map((x) => convert(x, 'bool'))).toEqual([0, 0, 1, 1, 1]);
    expect([200, -200].map((x) => convert(x, 'int8'))).toEqual([127, -128]);
    expect([300, -1].map((x) => convert(x, 'uint8'))).toEqual([255, 0]);
  });

  it('follow C where JavaScript differs on powers', () => {
    expect([
      float('pow', 1, nan),
      float('pow', nan, 0),
      float('pow', -1, Infinity),
      float('pow', 1, -Infinity),
    ]).toEqual([1, 1, 1, 1]);
    expect(float('pow', -8, 1 / 3)).toBeNaN();
    expect([float('pow', -2, 3), float('pow', 0, -1), float('pow', -0, -1)]).toEqual([-8, Infinity, -Infinity]);
  });

  it('have the error function to 2 units in the last place, against 20 digits of mpmath', () => {
    const known: [number, number][] = [
      [1e-300, 1.1283791670955125739e-300],
      [0.001, 0.0011283787909692363799],
      [0.3, 0.32862675945912742764],
      [0.5, 0.52049987781304653768],
      [1, 0.84270079294971486934],
      [1.5, 0.96610514647531072707],
      [2, 0.99532226501895273416],
      [2.9999, 0.99997789557351783912],
      [3, 0.99997790950300141456],
      [3.0001, 0.99997792342412980667],
      [4, 0.99999998458274209972],
      [5.5, 0.99999999999999264215],
      [-1.25, -0.92290012825645823014],
    ];
    for (const [x, value] of known) expect(Math.abs(erf(x) / value - 1)).toBeLessThan(4.5e-16);
    expect([erf(0), erf(Infinity), erf(-Infinity)]).toEqual([0, 1, -1]);
    expect(erf(nan)).toBeNaN();
    expect(Object.is(erf(-0), -0)).toBe(true);
  });

  it('refuse what the contract does not define', () => {
    expect(() => scalarFunction('exp', 'int32', 'int32')).toThrow('exp is not defined for int32');
  });
});

import { expect, it } from 'vitest';
import { factor, short, term } from './format.ts';

it('numbers are short and have one sign for minus, also in their exponents', () => {
  expect([0, 1.23456, -12.3456, 123.456, -4e-5, 3.2e7].map((value) => short(value))).toEqual([
    ...['0.000', '1.235', '−12.35', '123.5', '−4.0e−5', '3.2e7'],
  ]);
  expect(short(Number.NEGATIVE_INFINITY)).toBe('−Infinity');
});

it('terms carry their sign, and negative factors stand in brackets', () => {
  expect([term(0.355), term(-0.355)]).toEqual(['+ 0.355', '− 0.355']);
  expect([factor(2), factor(-2)]).toEqual(['2.000', '(−2.000)']);
});

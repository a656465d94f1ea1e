/** Linear forms of indices: their bounds, and when a division leaves a linear form behind. */
import type { Op } from '@nn/core';
import { describe, expect, it } from 'vitest';
import { combine, type Form, Forms, isMultiple } from './affine.ts';

/** The forms of `base + sum of factors[a] * axis a`, and of its quotient and remainder by `by`. */
function formsOf(sizes: readonly number[], factors: readonly number[], base: number, by = 1) {
  const body: Op[] = [];
  const push = (op: Op): number => body.push(op) - 1;
  const constant = (value: number): number => push({ op: 'const', dtype: 'int32', value });
  let sum = constant(base);
  for (const [axis, factor] of factors.entries()) {
    const index = push({ op: 'axis', dtype: 'int32', axis });
    const scaled = push({ op: 'mul', dtype: 'int32', args: [index, constant(factor)] });
    sum = push({ op: 'add', dtype: 'int32', args: [sum, scaled] });
  }
  const divisor = constant(by);
  const quotient = push({ op: 'floorDiv', dtype: 'int32', args: [sum, divisor] });
  const rest = push({ op: 'floorMod', dtype: 'int32', args: [sum, divisor] });
  return { forms: new Forms(body, sizes), sum, quotient, rest };
}
const shown = ({ base, axes, others }: Form): unknown => [base, [...axes], others.size];

describe('a linear form', () => {
  it('has bounds, also where factors are negative', () => {
    const { forms, sum } = formsOf([4, 3], [-3, 2], 5);
    expect(forms.range(sum)).toEqual({ min: 5 - 9, max: 5 + 4 });
  });

  it('leaves out axes of one element, and terms that cancel', () => {
    const { forms, sum } = formsOf([1, 3], [7, 2], 5);
    expect(shown(forms.at(sum))).toEqual([5, [[1, 2]], 0]);
    const form = forms.at(sum);
    expect(shown(combine(form, form, -1))).toEqual([0, [], 0]);
  });

  it('is a multiple of what divides all of its parts', () => {
    const { forms, sum } = formsOf([4, 4], [8, 4], 12);
    expect([4, 8].map((divisor) => isMultiple(forms.at(sum), divisor))).toEqual([true, false]);
    const odd = formsOf([4, 4], [8, 4], 2);
    expect(isMultiple(odd.forms.at(odd.sum), 4)).toBe(false);
    const axis = formsOf([4, 4], [8, 3], 4);
    expect([isMultiple(axis.forms.at(axis.sum), 4), isMultiple(axis.forms.at(axis.sum), 4, 1)]).toEqual([false, true]);
  });
});

describe('a division', () => {
  it('takes an axis apart where the rest stays below the divisor', () => {
    const { forms, quotient, rest } = formsOf([5, 4], [4, 1], 8, 4);
    expect([shown(forms.at(quotient)), shown(forms.at(rest))]).toEqual([
      [2, [[0, 1]], 0],
      [0, [[1, 1]], 0],
    ]);
  });

  it('stays a division where the rest reaches the divisor, or falls below zero', () => {
    for (const { forms, quotient } of [formsOf([5, 5], [4, 1], 0, 4), formsOf([5, 4], [4, -1], 0, 4)]) {
      expect(forms.isLinear(quotient)).toBe(false);
    }
  });
});

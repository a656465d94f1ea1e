import { randomValue } from '@nn/core';
import { describe, expect, it } from 'vitest';
import { RandomSequence, shuffledOrder } from './random.ts';

describe('RandomSequence', () => {
  it('counts through the random function of core', () => {
    const sequence = new RandomSequence(5, 9);
    expect([sequence.uniform(), sequence.uniform()]).toEqual([randomValue(5, 9, 0), randomValue(5, 9, 1)]);
  });

  it('gives the same numbers for seeds that are equal as 32 bits', () => {
    expect(new RandomSequence(2 ** 32 - 1).uniform()).toBe(new RandomSequence(-1).uniform());
  });

  it('refuses seeds that are no integers of 32 bits', () => {
    expect(() => new RandomSequence(1.5)).toThrow('seed 1.5 is not an integer of 32 bits');
    expect(() => new RandomSequence(2 ** 32)).toThrow('4294967296');
  });

  it('draws uniform numbers with the right mean, variance and bounds', () => {
    const sequence = new RandomSequence(1);
    const values = Array.from({ length: 20000 }, () => sequence.uniform(-1, 3));
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...values)).toBeLessThan(3);
    const mean = values.reduce((a, b) => a + b) / values.length;
    expect(Math.abs(mean - 1)).toBeLessThan(0.03); // 4 / sqrt(12 * 20000) = 0.008 is one standard error.
  });

  it('draws normal numbers with the right first four moments', () => {
    const sequence = new RandomSequence(2);
    const values = Array.from({ length: 40000 }, () => sequence.normal());
    const moment = (power: number): number => values.reduce((sum, x) => sum + x ** power, 0) / values.length;
    expect(Math.abs(moment(1))).toBeLessThan(0.02);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.03);
    expect(Math.abs(moment(3))).toBeLessThan(0.07);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.2);
  });

  it('draws every integer below the bound about equally often', () => {
    const sequence = new RandomSequence(3);
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 14000; i++) counts[sequence.integer(7)]!++;
    // Chi squared with 6 degrees of freedom is under 22.5 in 99.9 % of cases.
    expect(counts.reduce((sum, count) => sum + (count - 2000) ** 2 / 2000, 0)).toBeLessThan(22.5);
  });
});

describe('shuffledOrder', () => {
  it('holds each number once', () => {
    expect([...shuffledOrder(1000, 4)].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  });

  it('is decided by seed and epoch', () => {
    expect(shuffledOrder(50, 1, 2)).toEqual(shuffledOrder(50, 1, 2));
    expect(shuffledOrder(50, 1, 2)).not.toEqual(shuffledOrder(50, 1, 3));
    expect(shuffledOrder(50, 1, 2)).not.toEqual(shuffledOrder(50, 2, 2));
  });

  it('makes all orders of three equally likely', () => {
    const counts = new Map<string, number>();
    for (let epoch = 0; epoch < 6000; epoch++) {
      const order = shuffledOrder(3, 0, epoch).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    // Chi squared with 5 degrees of freedom is under 20.5 in 99.9 % of cases.
    expect([...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)).toBeLessThan(20.5);
  });

  it('stays what it was, so that old checkpoints resume in their order', () => {
    expect([...shuffledOrder(10, 42, 3)]).toMatchInlineSnapshot(`
      [
        3,
        4,
        2,
        6,
        5,
        8,
        1,
        9,
        7,
        0,
      ]
    `);
  });
});

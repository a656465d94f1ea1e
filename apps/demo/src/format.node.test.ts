import { describe, expect, test } from 'vitest';
import { count, percent, seconds } from './format.ts';

describe('numbers for people', () => {
  test('are grouped, rounded and never say more than is so', () => {
    expect([count(7), count(1234567)]).toEqual(['7', '1,234,567']);
    expect([percent(0.98765), percent(1), percent(0.9999), percent(0), percent(0.0001)]).toEqual([
      ...['98.8 %', '100.0 %', '99.9 %', '0.0 %', '0.1 %'],
    ]);
    expect([seconds(1234), seconds(61_000)]).toEqual(['1.2 s', '1 min 01 s']);
  });
});

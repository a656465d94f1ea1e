import { describe, expect, it } from 'vitest';
import { histogram, unitStates } from './look.ts';

describe('what is told of units', () => {
  it('calls a unit dead when it says the same to every sample', () => {
    // two samples of three units
    expect(unitStates(new Float32Array([0, 1, 0.5, 0, 2, 0.5]), [2, 3], 'relu')).toEqual(['dead', 'alive', 'dead']);
  });

  it('calls a unit saturated when nearly all that it says is at an end of its range', () => {
    const values = new Float32Array(200);
    for (let i = 0; i < 100; i++) values.set([i % 2 ? 0.999 : -0.999, i / 100], 2 * i);
    expect(unitStates(values, [100, 2], 'tanh')).toEqual(['saturated', 'alive']);
    expect(unitStates(values, [100, 2], 'relu')).toEqual(['alive', 'alive']);
  });

  it('looks at whole feature maps', () => {
    const maps = new Float32Array([0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 1, 1]);
    expect(unitStates(maps, [2, 2, 2, 2], 'relu')).toEqual(['dead', 'alive']);
  });
});

describe('a histogram', () => {
  it('counts every value once, over a range around 0', () => {
    const { range, counts } = histogram(new Float32Array([-2, -1, 0, 0.5, 2]));
    expect(range).toBe(2);
    expect(counts.reduce((a, b) => a + b)).toBe(5);
    expect([counts[0], counts[15], counts.at(-1)]).toEqual([1, 1, 1]);
  });

  it('has one full bin where all is 0', () => {
    expect(histogram(new Float32Array(4)).counts[15]).toBe(4);
  });
});

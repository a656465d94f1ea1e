import { describe, expect, it } from 'vitest';
import { layOut, linesInto, type Weighted, zeroLines } from './geometry.ts';

describe('the layout of the network', () => {
  it('gives every column its width and puts its nodes around one line', () => {
    const { columns, width } = layOut([2, 6, 1], 600);
    expect(width).toBe(600);
    expect(columns.map(({ x }) => x)).toEqual([100, 300, 500]);
    const middles = columns.map(({ ys }) => ((ys[0] as number) + (ys.at(-1) as number)) / 2);
    expect(new Set(middles).size).toBe(1);
  });

  it('is wider than its room rather than crowded, and draws the first units of many', () => {
    const { columns, width } = layOut([2, 40, 8, 8, 10], 300);
    expect(width).toBe(5 * 116);
    expect(columns.map(({ shown }) => shown)).toEqual([2, 8, 8, 8, 10]);
  });
});

describe('the lines into a layer', () => {
  const frameOf = (shape: readonly number[], weights: readonly number[]): Weighted => ({
    blocks: [{ shape, weights: Float32Array.from(weights), gradients: new Float32Array(weights.length) }],
  });
  const [two, three] = layOut([2, 3], 400).columns;

  it('are as strong as the weights, relative to the strongest', () => {
    const lines = linesInto(frameOf([3, 2], [1, -2, 0, 0.5, 4, -4]), 0, two!, three!, 'weights');
    expect(lines.map(({ strength }) => strength)).toEqual([0.25, -0.5, 0, 0.125, 1, -1]);
    expect(lines[3]).toMatchObject({ from: 1, to: 1 });
  });

  it('stand for all weights between two nodes where there are several', () => {
    const lines = linesInto(frameOf([3, 2, 1, 2], [3, 4, 0, 0, -3, -4, 0, 0, 0, 0, 3, 4]), 0, two!, three!, 'weights');
    expect(lines.map(({ strength }) => strength)).toEqual([1, 0, -1, 0, 0, 1]);
  });
});

describe('the line where an answer changes', () => {
  it('runs where the values cross 0', () => {
    const side = 4;
    const slope = Float32Array.from({ length: 16 }, (_, i) => (i % side) - 1.25);
    const pieces = zeroLines(slope, side);
    expect(pieces.length).toBe(3);
    for (const [x0, , x1] of pieces) expect([x0, x1]).toEqual([1.25, 1.25]);
  });

  it('is nowhere where nothing crosses', () => {
    expect(zeroLines(new Float32Array(16).fill(1), 4)).toEqual([]);
  });
});

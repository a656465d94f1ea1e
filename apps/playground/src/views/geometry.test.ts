import { describe, expect, it } from 'vitest';
import { defaults, expectedGoal, withTask } from '../model/spec.ts';
import { expectedUnits, layOut, linesInto, unitsOf, type Weighted, zeroLines } from './geometry.ts';

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
    expect(width).toBe(2 * 76 + 3 * 104);
    expect(columns.map(({ shown }) => shown)).toEqual([2, 8, 8, 8, 10]);
  });
});

describe('the columns', () => {
  it('of three hidden layers stand beside one another on a small screen, the ends narrower than the layers', () => {
    const { columnWidths, width } = layOut([2, 8, 8, 8, 1], 470);
    expect(width).toBe(470);
    expect(columnWidths).toEqual([79, 104, 104, 104, 79]);
    expect(layOut([2, 4, 1], 300).columnWidths).toEqual([98, 104, 98]);
    // longer names have room beside a node
    const { columns, width: wider } = layOut([4, 8, 3], 300, true);
    expect(wider).toBe(132 + 104 + 132);
    expect(columns[0]!.x - 19 - columns[0]!.nameWidth).toBe(8);
  });

  it('of a network without layers share the room', () => {
    expect(layOut([2, 1], 300).columnWidths).toEqual([150, 150]);
  });

  it('are as many before the experiment is there as afterwards', () => {
    for (const task of ['moons', 'hills', 'digits'] as const) {
      const spec = withTask(defaults, task);
      const isImage = task === 'digits';
      const built = {
        spec,
        goal: expectedGoal(task),
        inputShape: isImage ? [1, 28, 28] : [2],
        inputNames: isImage ? [] : ['x', 'y'],
        classNames: isImage ? [...'0123456789'] : [],
      };
      expect(expectedUnits(spec)).toEqual(unitsOf(built));
    }
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

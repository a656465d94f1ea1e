import { describe, expect, it } from 'vitest';
import { loopsFor, prefersRows } from './loops.ts';

const strides = (entries: Record<number, number>): Map<number, number> =>
  new Map(Object.entries(entries).map(([axis, stride]) => [Number(axis), stride]));

describe('loopsFor', () => {
  const extents = [2, 3, 4];
  const dense = strides({ 0: 12, 1: 4, 2: 1 });

  it('runs axes that all pointers cross as one in one loop', () => {
    expect(loopsFor([0, 1, 2], extents, [dense, dense], 0, 0, 3)).toEqual([{ axes: [0, 1, 2], extent: 24 }]);
  });

  it('keeps apart what one pointer crosses differently, such as a bias', () => {
    const bias = strides({ 2: 1 });
    expect(loopsFor([0, 1, 2], extents, [dense, bias], 0, 0, 3)).toEqual([
      { axes: [0, 1], extent: 6 },
      { axes: [2], extent: 4 },
    ]);
  });

  it('keeps pinned axes and the two sides of a reduction apart', () => {
    expect(loopsFor([0, 1, 2], extents, [dense], 0b010, 0, 3).map(({ extent }) => extent)).toEqual([2, 3, 4]);
    expect(loopsFor([0, 1, 2], extents, [dense], 0, 0, 1).map(({ extent }) => extent)).toEqual([2, 12]);
  });

  it('needs no loop for an axis of one index, unless it must keep it', () => {
    expect(loopsFor([0, 1], [1, 5], [], 0, 0, 2)).toEqual([{ axes: [1], extent: 5 }]);
    expect(loopsFor([0, 1], [5, 1], [], 0, 0b10, 2).map(({ axes }) => axes)).toEqual([[0], [1]]);
  });
});

describe('prefersRows', () => {
  it('turns column sums into rows of sums and leaves row sums alone', () => {
    const [outer, inner] = [
      { axes: [0], extent: 100 },
      { axes: [1], extent: 100 },
    ];
    expect(prefersRows(outer, inner, [strides({ 0: 1, 1: 100 })])).toBe(true);
    expect(prefersRows(outer, inner, [strides({ 0: 100, 1: 1 })])).toBe(false);
    expect(prefersRows({ axes: [0], extent: 4 }, inner, [strides({ 0: 1, 1: 100 })])).toBe(false);
    expect(prefersRows(undefined, inner, [])).toBe(false);
  });
});

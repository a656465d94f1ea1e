import { expect, it } from 'vitest';
import type { View } from '../worker/protocol.ts';
import { nearestSample, shareOf } from './places.ts';

const view: View = { axes: [1, 0], components: null, bounds: [0, 10, -1, 1] };
const points = (...rows: readonly (readonly [number, number])[]) => ({
  inputs: Float32Array.from(rows.flat()),
  width: 2,
  targets: new Float32Array(rows.length),
});
const known = { train: points([0, 5], [1, 0]), test: points([0, 6]), trainSize: 2 };

it('a sample stands where its two inputs say, from the left and from the top', () => {
  expect(shareOf(view, known.train, 0)).toEqual([0.5, 0.5]);
  expect(shareOf(view, known.train, 1)).toEqual([0, 0]);
});

it('the nearest sample is meant, within reach, and of the test samples only those that are shown', () => {
  expect(nearestSample(known, view, [0.58, 0.5], 0.1, true)).toBe(2);
  expect(nearestSample(known, view, [0.58, 0.5], 0.1, false)).toBe(0);
  expect(nearestSample(known, view, [0.02, 0.01], 0.1, true)).toBe(1);
  expect(nearestSample(known, view, [0.9, 0.9], 0.1, true)).toBeNull();
});

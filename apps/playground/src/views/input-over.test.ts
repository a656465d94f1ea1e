import { expect, it } from 'vitest';
import { grid, type View } from '../worker/protocol.ts';
import { inputOver } from './input-over.ts';

const view: View = { axes: [2, 0], components: null, bounds: [0, 48, -24, 24] };

it('an axis is a slope, from left to right or from bottom to top, and others are nothing', () => {
  const across = inputOver({ features: null }, view, 2);
  expect([across[0], across[grid - 1]]).toEqual([-23.5, 23.5]);
  const up = inputOver({ features: null }, view, 0);
  expect([up[0], up[grid * (grid - 1)]]).toEqual([23.5, -23.5]);
  expect(new Set(inputOver({ features: null }, view, 1))).toEqual(new Set([0]));
});

it('a feature is what it is of the place', () => {
  const squares = inputOver({ features: ['xy', 'xSquared'] }, view, 1);
  expect([squares[0], squares[2]]).toEqual([0.25, 6.25]);
});

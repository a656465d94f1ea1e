import { describe, expect, it } from 'vitest';
import { centre, Ink } from './ink.ts';

function measure(pixels: Float32Array, side: number): { x: number; y: number; height: number } {
  let [mass, x, y, top, bottom] = [0, 0, 0, side, -1];
  pixels.forEach((value, i) => {
    mass += value;
    x += value * ((i % side) + 0.5);
    y += value * (Math.floor(i / side) + 0.5);
    if (value > 0.3) [top, bottom] = [Math.min(top, Math.floor(i / side)), Math.max(bottom, Math.floor(i / side))];
  });
  return { x: x / mass, y: y / mass, height: bottom - top + 1 };
}

describe('ink', () => {
  it('is as dark as can be in the middle of a stroke, and none far from it', () => {
    const ink = new Ink(28);
    expect(ink.isEmpty).toBe(true);
    ink.line([5, 5], [20, 5]);
    expect(ink.pixels[5 * 28 + 12]).toBe(1);
    expect(ink.pixels[20 * 28 + 12]).toBe(0);
    ink.clear();
    expect(ink.isEmpty).toBe(true);
  });

  it.each([
    ['small, in a corner', [2, 2], [5, 8]],
    ['large, over the whole pad', [3, 1], [24, 27]],
  ] as const)('is centred by its mass and scaled to 20 pixels: %s', (_, from, to) => {
    const ink = new Ink(28);
    ink.line(from, to);
    const { x, y, height } = measure(centre(ink), 28);
    expect(x).toBeCloseTo(14, 0);
    expect(y).toBeCloseTo(14, 0);
    expect(height).toBeGreaterThanOrEqual(18);
    expect(height).toBeLessThanOrEqual(22);
  });

  it('stays empty where nothing was drawn', () => {
    expect(Math.max(...centre(new Ink(28)))).toBe(0);
  });
});

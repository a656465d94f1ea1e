/** Contrast as WCAG 2 computes it, of the colours that lines and points are drawn with. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { classColor } from './colors.ts';

const css = readFileSync(new URL('../style/base.css', import.meta.url), 'utf8');
const [light = '', dark = ''] = css.split(':root[data-theme="dark"]');

/** A variable of a theme, as three numbers. */
function variable(theme: string, name: string): number[] {
  const hex = new RegExp(`--${name}: #([0-9a-f]{6});`).exec(theme)?.[1] ?? '';
  return [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
}

const numbers = (color: string): number[] => color.match(/\d+/g)?.map(Number) ?? [];

/** Relative luminance: linear light, weighed as the eye does. */
function luminance(color: readonly number[]): number {
  const [r = 0, g = 0, b = 0] = color.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: readonly number[], b: readonly number[]): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

it('is computed as the standard defines it', () => {
  expect(contrast([0, 0, 0], [255, 255, 255])).toBeCloseTo(21, 5);
  // #767676 on white is the example of the standard for 4.5 to 1
  expect(contrast([118, 118, 118], [255, 255, 255])).toBeCloseTo(4.54, 2);
});

describe.each([
  ['light', light],
  ['dark', dark],
])('in %s', (_, theme) => {
  it.each(['curve-train', 'curve-test', 'blue', 'orange', 'ring'])('%s stands out at least 3 to 1', (name) => {
    expect(contrast(variable(theme, name), variable(theme, 'surface'))).toBeGreaterThanOrEqual(3);
  });

  it('the colour of each class does, on the paper of the plane', () => {
    for (let k = 0; k < 10; k++) {
      expect(contrast(numbers(classColor(k)), variable(theme, 'zero')), String(k)).toBeGreaterThanOrEqual(3);
    }
  });

  it.each(['ink', 'muted', 'error'])('words in %s do at least 4.5 to 1', (name) => {
    for (const paper of ['paper', 'surface', 'field']) {
      expect(contrast(variable(theme, name), variable(theme, paper)), paper).toBeGreaterThanOrEqual(4.5);
    }
  });
});

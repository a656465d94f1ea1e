/** One scale of colours for all pictures: what speaks against is blue, what speaks for is orange, nothing is white. */
import { ValueError } from '@nn/core';

/** Red, green, blue, 0 to 255. */
export type Rgb = readonly [number, number, number];

const against: Rgb = [0, 86, 160];
const fore: Rgb = [200, 70, 0];
const white: Rgb = [255, 255, 255];

/** Of -1 (against) to 1 (for). Distinguished by people with colour blindness, as by brightness alone. */
export function colorOf(value: number, ground: Rgb = white): Rgb {
  const share = Math.min(1, Math.abs(value));
  const end = value < 0 ? against : fore;
  const mix = (k: 0 | 1 | 2): number => Math.round(ground[k] + share * (end[k] - ground[k]));
  return [mix(0), mix(1), mix(2)];
}

/** Of 0 (low) to 1 (high), for values of features. */
export function valueColor(value: number): Rgb {
  const share = Math.min(1, Math.max(0, value));
  const [low, high]: readonly [Rgb, Rgb] = [
    [0, 114, 178],
    [213, 94, 0],
  ];
  const mix = (k: 0 | 1 | 2): number => Math.round(low[k] + share * (high[k] - low[k]));
  return [mix(0), mix(1), mix(2)];
}

export const hex = (color: Rgb): string => `#${color.map((part) => part.toString(16).padStart(2, '0')).join('')}`;

/**
 * What counts as 1: the largest magnitude of what is left without the outermost `outliers` per cent, as one element alone would
 * leave all others white.
 */
export function scaleOf(operation: string, values: ArrayLike<number>, outliers: number): number {
  if (!(outliers >= 0 && outliers < 100)) {
    throw new ValueError(operation, `outliers is ${outliers}: it is a share in per cent, 0 to below 100.`);
  }
  const sizes = Array.from({ length: values.length }, (_, i) => Math.abs(values[i] as number)).sort((a, b) => a - b);
  const wrong = sizes.findIndex((size) => !Number.isFinite(size));
  if (wrong >= 0) throw new ValueError(operation, 'the attributions have values that are not finite.');
  let total = sizes.reduce((sum, size) => sum + size, 0) * (1 - outliers / 100);
  for (const size of sizes) {
    total -= size;
    if (total <= 1e-12 && size > 0) return size;
  }
  return sizes.at(-1) || 1;
}

export const safe = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

export const short = (value: number): string => String(Number(value.toFixed(2)));

/** A number as it stands in a table. */
export const told = (value: number): string => {
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 1e5)) return value.toExponential(1);
  return String(Number(value.toPrecision(3)));
};

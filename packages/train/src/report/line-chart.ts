/** A line chart as an SVG that stands alone: axes with round numbers, a legend, lines that colour-blind people tell apart. */
import { checkOptions } from '@nn/core';
import { figure } from '../format.ts';
import type { Curve } from './curves.ts';
import { colorAt, legendOf, lineColors, markWidth } from './line-colors.ts';

export interface Line extends Curve {
  readonly name: string;
}

export interface LineChartOptions {
  readonly title: string;
  /** Pixels. Default 360 x 240. */
  readonly width?: number;
  readonly height?: number;
}

/** Text in a document. */
export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** Round numbers that cover a range, about `count` of them: steps of 1, 2 or 5 times a power of ten. */
export function ticksOf(low: number, high: number, count: number): number[] {
  if (!(high > low)) return [low];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough * 0.999)!;
  const ticks: number[] = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++)
    ticks.push(Number((k * step).toPrecision(12)));
  return ticks;
}

/** Lowest and highest of all, a little apart where they are one. */
export function extentOf(values: readonly number[]): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  if (low > high) return [0, 1];
  if (low === high) return [low - Math.abs(low || 1) / 2, high + Math.abs(high || 1) / 2];
  return [low, high];
}

/** Points from which on a curve is drawn as the mean of those around it, and what it was faintly behind. */
export const many = 120;

/**
 * The mean of the points around each, a fortieth of them to either side: what a noisy curve does, without the delay of an
 * average of the past. Where the curve begins and ends there are fewer on one side: there it is the straight line of least
 * squares through those that are there, which follows a slope, and of points to both sides alike it is their mean.
 */
export function smoothed(values: readonly number[]): number[] {
  const reach = Math.floor(values.length / 40);
  // sums of y and of x y over all points before each
  const sums: [y: number, xy: number][] = [[0, 0]];
  values.forEach((value, x) => {
    const [y, xy] = sums[x]!;
    sums.push([y + value, xy + x * value]);
  });
  return values.map((_, at) => {
    const [from, to] = [Math.max(0, at - reach), Math.min(values.length, at + reach + 1)];
    const count = to - from;
    const middle = (from + to - 1) / 2;
    const mean = (sums[to]![0] - sums[from]![0]) / count;
    if (at === middle) return mean;
    // slope: sum((x - middle) y) / sum((x - middle)^2), and the latter is n (n^2 - 1) / 12 of n whole numbers in a row
    const slope = (12 * (sums[to]![1] - sums[from]![1] - middle * mean * count)) / (count * (count ** 2 - 1));
    return mean + slope * (at - middle);
  });
}

/**
 * Curves over steps as an SVG. Of 120 points or more it draws the mean of those around each, and the points faintly behind.
 * Its lines have the classes `line-0` to `line-5`, so that a style sheet around it can give them other colours.
 *
 * @example
 * import { lineChart } from '@nn/train';
 * const svg = lineChart([{ name: 'loss', steps: [1, 2, 3], values: [3, 2, 1] }], { title: 'loss' });
 * console.log(svg.startsWith('<svg'), svg.includes('<title>loss</title>')); // => true true
 */
export function lineChart(lines: readonly Line[], options: LineChartOptions): string {
  checkOptions('lineChart', options, ['title', 'width', 'height']);
  const { title, width = 360, height = 240 } = options;
  const [left, right, bottom] = [52, 10, 34];
  const legend = legendOf(
    lines.map(({ name, values }) => (values.length === 0 ? name : `${name} ${figure(values.at(-1)!)}`)),
    width - left - right,
  );
  const top = 28 + 15 * (1 + (legend.at(-1)?.row ?? 0));
  const [x0, x1] = extentOf(lines.flatMap(({ steps }) => [steps[0] ?? 0, steps.at(-1) ?? 1]));
  const [y0, y1] = extentOf(lines.flatMap(({ values }) => values));
  const x = (step: number): string => (left + ((step - x0) / (x1 - x0)) * (width - left - right)).toFixed(1);
  const y = (value: number): string =>
    (height - bottom - ((value - y0) / (y1 - y0)) * (height - top - bottom)).toFixed(1);
  const across = ticksOf(x0, x1, 5).map(
    (step) =>
      `<path d="M${x(step)} ${top}V${height - bottom}" class="grid"/><text x="${x(step)}" y="${height - bottom + 15}" text-anchor="middle">${figureOf(step)}</text>`,
  );
  const up = ticksOf(y0, y1, 5).map(
    (value) =>
      `<path d="M${left} ${y(value)}H${width - right}" class="grid"/><text x="${left - 6}" y="${Number(y(value)) + 4}" text-anchor="end">${figureOf(value)}</text>`,
  );
  const drawn = lines.map(({ steps, values }, at) => {
    const place = colorAt(at);
    if (steps.length === 1)
      return `<circle cx="${x(steps[0]!)}" cy="${y(values[0]!)}" r="3" class="line-${place}" fill="${lineColors[place]}"/>`;
    const line = (heights: readonly number[], more: string): string => {
      const d = steps.map((step, k) => `${k === 0 ? 'M' : 'L'}${x(step)} ${y(heights[k]!)}`).join('');
      return `<path d="${d}" class="line-${place}" fill="none" stroke="${lineColors[place]}" stroke-linejoin="round" ${more}/>`;
    };
    if (steps.length < many) return line(values, 'stroke-width="1.8"');
    return line(values, 'stroke-width="1" stroke-opacity=".35"') + line(smoothed(values), 'stroke-width="1.8"');
  });
  // names in the colour of the text: that of a line is too pale to be read
  const names = legend.map(({ text, x: from, row }, at) => {
    const [start, middle] = [left + from, 32 + 15 * row];
    const place = colorAt(at);
    return `<path d="M${start} ${middle}h${markWidth - 5}" class="line-${place}" fill="none" stroke="${lineColors[place]}" stroke-width="3"/><text x="${start + markWidth}" y="${middle + 4}">${escaped(text)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="system-ui, sans-serif" font-size="11" fill="currentColor"><title>${escaped(title)}</title><style>.grid{stroke:#8884;fill:none}</style><text x="${left}" y="16" font-size="13" font-weight="600">${escaped(title)}</text>${across.join('')}${up.join('')}${drawn.join('')}${names.join('')}<text x="${(left + width - right) / 2}" y="${height - 4}" text-anchor="middle">step</text></svg>`;
}

/** Thousands of steps without powers of ten, small values with few digits. */
function figureOf(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e7 ? String(value) : figure(value);
}

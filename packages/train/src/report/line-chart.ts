/** A line chart as an SVG that stands alone: axes with round numbers, a legend, lines that colour-blind people tell apart. */
import { checkOptions } from '@nn/core';
import { figure } from '../format.ts';
import type { Curve } from './curves.ts';

export interface Line extends Curve {
  readonly name: string;
}

export interface LineChartOptions {
  readonly title: string;
  /** Pixels. Default 460 x 260. */
  readonly width?: number;
  readonly height?: number;
}

/** (Okabe and Ito 2008.) */
export const lineColors: readonly string[] = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'];

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

/**
 * Curves over steps as an SVG.
 *
 * @example
 * import { lineChart } from '@nn/train';
 * const svg = lineChart([{ name: 'loss', steps: [1, 2, 3], values: [3, 2, 1] }], { title: 'loss' });
 * console.log(svg.startsWith('<svg'), svg.includes('<title>loss</title>')); // => true true
 */
export function lineChart(lines: readonly Line[], options: LineChartOptions): string {
  checkOptions('lineChart', options, ['title', 'width', 'height']);
  const { title, width = 460, height = 260 } = options;
  const [left, right, top, bottom] = [58, 14, 26, 34];
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
    const color = lineColors[at % lineColors.length]!;
    if (steps.length === 1) return `<circle cx="${x(steps[0]!)}" cy="${y(values[0]!)}" r="3" fill="${color}"/>`;
    const d = steps.map((step, k) => `${k === 0 ? 'M' : 'L'}${x(step)} ${y(values[k]!)}`).join('');
    return `<path d="${d}" fill="none" stroke="${color}" stroke-width="1.8" stroke-linejoin="round"/>`;
  });
  // on the line of the title, where no curve is
  const legend = lines.map(({ name, values }, at) => {
    const last = values.at(-1);
    const text = `${name}${last === undefined ? '' : ` ${figure(last)}`}`;
    return `<tspan dx="${at === 0 ? 0 : 10}" fill="${lineColors[at % lineColors.length]}">${escaped(text)}</tspan>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="system-ui, sans-serif" font-size="11" fill="currentColor"><title>${escaped(title)}</title><style>.grid{stroke:#8884;fill:none}</style><text x="${left}" y="15" font-size="13" font-weight="600">${escaped(title)}</text>${across.join('')}${up.join('')}${drawn.join('')}<text x="${(left + width - right) / 2}" y="${height - 4}" text-anchor="middle">step</text><text x="${width - right}" y="15" text-anchor="end" font-weight="600">${legend.join('')}</text></svg>`;
}

/** Thousands of steps without powers of ten, small values with few digits. */
function figureOf(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e7 ? String(value) : figure(value);
}

/** Attributions of a table as SVG: bars for one sample, a swarm of points for many. Each string stands alone. */
import { checkOptions, ValueError } from '@nn/core';
import { colorOf, hex, safe, short, told, valueColor } from './colors.ts';

export interface BarsOptions {
  /** Of what a feature's value is written beside its name: 'age = 39'. */
  readonly values?: readonly (string | number)[];
  readonly title?: string;
  /** How many features are shown, those with the largest attributions; the others are one bar together. Default 12. */
  readonly most?: number;
  /** Width in pixels. Default 560. */
  readonly width?: number;
}

interface Row {
  readonly name: string;
  readonly value: number;
}

/**
 * One bar for each feature of a sample, the largest first: to the right what speaks for the score, to the left what speaks
 * against it.
 *
 * @example
 * import { barsSvg } from '@nn/explain';
 * const svg = barsSvg(['age', 'hours'], [0.5, -0.25], { values: [39, 40] });
 * console.log(svg.startsWith('<svg'), svg.includes('age = 39')); // => true true
 */
export function barsSvg(names: readonly string[], attributions: ArrayLike<number>, options: BarsOptions = {}): string {
  checkOptions('barsSvg', options, ['values', 'title', 'most', 'width']);
  const { values, title = 'Attributions', most = 12, width = 560 } = options;
  checkNames('barsSvg', names, attributions.length);
  checkMost('barsSvg', most);
  const all = names
    .map(
      (name, k): Row => ({
        name: values === undefined ? name : `${name} = ${values[k] ?? ''}`,
        value: attributions[k] as number,
      }),
    )
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const rest = all.slice(most);
  const sum = rest.reduce((total, { value }) => total + value, 0);
  const rows = rest.length === 0 ? all : [...all.slice(0, most), { name: `${rest.length} others`, value: sum }];
  const left = nameWidth(
    rows.map(({ name }) => name),
    width,
  );
  // zero lies where the longest bars of both sides are as long as they say; beside each there is room for a number
  const least = Math.max(0, ...rows.map(({ value }) => -value));
  const greatest = Math.max(0, ...rows.map(({ value }) => value));
  const start = left + (least > 0 ? 52 : 8);
  const unit = (width - (greatest > 0 ? 58 : 14) - start) / (least + greatest || 1);
  const middle = start + least * unit;
  const bars = rows.map(({ name, value }, k) => {
    const y = 34 + k * 22;
    const length = Math.abs(value) * unit;
    const from = value < 0 ? middle - length : middle;
    const [x, anchor] = value < 0 ? [from - 5, 'end'] : [from + length + 5, 'start'];
    const text = `<text x="${left - 8}" y="${y + 12}" text-anchor="end" fill="#222">${safe(name)}</text>`;
    const bar = `<rect x="${short(from)}" y="${y}" width="${short(Math.max(length, 0.5))}" height="16" fill="${hex(colorOf(Math.sign(value)))}"/>`;
    return `${text}${bar}<text x="${short(x)}" y="${y + 12}" text-anchor="${anchor}" fill="#444">${told(value)}</text>`;
  });
  const height = 42 + rows.length * 22;
  const axis = `<path d="M${short(middle)} 30V${height - 8}" stroke="#222"/>`;
  return `${open(width, height, title)}${bars.join('')}${axis}</svg>`;
}

export interface BeeswarmOptions {
  readonly title?: string;
  /** How many features are shown, those with the largest mean magnitude. Default 12. */
  readonly most?: number;
  /** Width in pixels. Default 640. */
  readonly width?: number;
}

/**
 * One point for each sample and feature, at its attribution, coloured by the feature's value (blue low, orange high): which
 * features matter, and in which direction. From attributions and values [samples][features]. (shap's summary plot.)
 *
 * @example
 * import { beeswarmSvg } from '@nn/explain';
 * const svg = beeswarmSvg(['age', 'hours'], [[0.5, -0.25], [-0.5, 0]], [[60, 20], [20, 40]]);
 * console.log((svg.match(/<circle/g) ?? []).length); // => 4
 */
export function beeswarmSvg(
  names: readonly string[],
  attributions: readonly ArrayLike<number>[],
  values: readonly ArrayLike<number>[],
  options: BeeswarmOptions = {},
): string {
  checkOptions('beeswarmSvg', options, ['title', 'most', 'width']);
  const { title = 'Attributions of all samples', most = 12, width = 640 } = options;
  checkMost('beeswarmSvg', most);
  const [first] = attributions;
  if (first === undefined || values.length !== attributions.length) {
    throw new ValueError(
      'beeswarmSvg',
      `${attributions.length} rows of attributions and ${values.length} of values: give one of each for each sample.`,
    );
  }
  for (const row of [...attributions, ...values]) checkNames('beeswarmSvg', names, row.length);
  const sizeOf = (k: number): number => attributions.reduce((sum, row) => sum + Math.abs(row[k] as number), 0);
  const order = names
    .map((_, k) => k)
    .sort((a, b) => sizeOf(b) - sizeOf(a))
    .slice(0, most);
  const largest = Math.max(...attributions.flatMap((row) => order.map((k) => Math.abs(row[k] as number)))) || 1;
  const left = nameWidth(names, width);
  const [middle, reach, rowHeight] = [(left + width - 20) / 2, (width - 24 - left) / 2, 34];
  const rows = order.map((k, place) => {
    const y = 40 + place * rowHeight + rowHeight / 2;
    const column = values.map((row) => row[k] as number);
    const rank = ranksOf(column);
    const points = swarm(
      attributions.map((row) => middle + ((row[k] as number) / largest) * reach),
      rowHeight / 2 - 4,
    );
    const circles = points
      .map(
        ([x, up], n) =>
          `<circle cx="${short(x)}" cy="${short(y - up)}" r="2.5" fill="${hex(valueColor(rank[n] as number))}"/>`,
      )
      .join('');
    const text = `<text x="${left - 8}" y="${short(y + 4)}" text-anchor="end" fill="#222">${safe(names[k] as string)}</text>`;
    return `<path d="M${left} ${short(y)}H${width - 20}" stroke="#e2e2e2"/>${text}${circles}`;
  });
  const bottom = 40 + order.length * rowHeight;
  const ticks = [-1, 0, 1]
    .map(
      (share) =>
        `<text x="${short(middle + share * reach)}" y="${bottom + 16}" text-anchor="middle" fill="#444">${told(share * largest)}</text>`,
    )
    .join('');
  const zero = `<path d="M${short(middle)} 36V${bottom}" stroke="#888"/>`;
  return `${open(width, bottom + 44, title)}${rows.join('')}${zero}${ticks}${legend(left, bottom + 26, width)}</svg>`;
}

/** From low to high, in steps. */
function legend(left: number, y: number, width: number): string {
  const steps = Array.from({ length: 20 }, (_, k) => {
    const x = (left + width - 20) / 2 - 60 + k * 6;
    return `<rect x="${short(x)}" y="${y}" width="6" height="8" fill="${hex(valueColor(k / 19))}"/>`;
  });
  const middle = (left + width - 20) / 2;
  const texts = `<text x="${short(middle - 66)}" y="${y + 8}" text-anchor="end" fill="#444">low value</text><text x="${short(middle + 66)}" y="${y + 8}" fill="#444">high value</text>`;
  return steps.join('') + texts;
}

/** Points along a line, those that would lie on one another moved up and down in turn, at most as far as `room`. */
function swarm(places: readonly number[], room: number): [number, number][] {
  const columns = new Map<number, number>();
  return places.map((x) => {
    const column = Math.round(x / 4);
    const already = columns.get(column) ?? 0;
    columns.set(column, already + 1);
    const up = Math.ceil(already / 2) * 4 * (already % 2 === 0 ? 1 : -1);
    return [x, Math.max(-room, Math.min(room, up))];
  });
}

/** Where each value stands among all, 0 to 1, equal values alike: one value far away does not take all colours. */
function ranksOf(values: readonly number[]): number[] {
  const sorted = [...new Set(values)].sort((a, b) => a - b);
  const place = new Map(sorted.map((value, k) => [value, sorted.length === 1 ? 0.5 : k / (sorted.length - 1)]));
  return values.map((value) => place.get(value) ?? 0.5);
}

function nameWidth(names: readonly string[], width: number): number {
  return Math.min(width * 0.45, 24 + 6.6 * Math.max(...names.map(({ length }) => length)));
}

function open(width: number, height: number, title: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="system-ui, sans-serif" font-size="12"><title>${safe(title)}</title><rect width="100%" height="100%" fill="#fff"/><text x="12" y="20" font-weight="600" fill="#222">${safe(title)}</text>`;
}

function checkNames(operation: string, names: readonly string[], count: number): void {
  if (names.length === count && count > 0) return;
  throw new ValueError(operation, `${names.length} names for ${count} attributions: give one for each feature.`);
}

function checkMost(operation: string, most: number): void {
  if (Number.isInteger(most) && most > 0) return;
  throw new ValueError(operation, `most is ${most}: it is a whole number of at least 1.`);
}

/** The pictures of terminal.ts as SVG, each a string that stands alone: for a page, a report, a file. Owns no numbers. */
import { checkOptions } from '@nn/core';
import type { ReliabilityBin } from '../classification/calibration.ts';
import type { PrecisionRecallPoints, RocPoints } from '../curves/curve.ts';
import type { ConfusionOptions } from './terminal.ts';

export interface SvgOptions {
  /** Width and height in pixels. Default 320. */
  readonly size?: number;
  /** Names of the curves, for the legend. */
  readonly names?: readonly string[];
}

/** Colours that people with colour blindness tell apart. (Okabe and Ito 2008.) */
const colors = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'];
const colorOf = (k: number): string => colors[k % colors.length] as string;

const safe = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
const short = (value: number): string => String(Number(value.toFixed(2)));

/** A place on the picture for a point of the unit square. */
type Place = (x: number, y: number) => readonly [number, number];

function open(size: number, height: number, title: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${height}" viewBox="0 0 ${size} ${height}" role="img" font-family="system-ui, sans-serif" font-size="11"><title>${safe(title)}</title><rect width="100%" height="100%" fill="#fff"/>`;
}

/** The unit square with axes, a grid, and what `paint` draws in it. */
function plot(
  operation: string,
  title: string,
  across: string,
  up: string,
  options: SvgOptions,
  paint: (place: Place) => string,
): string {
  checkOptions(operation, options, ['size', 'names']);
  const { size = 320, names = [] } = options;
  const [left, right, top, bottom] = [44, 14, 14, 40];
  const place: Place = (x, y) => [left + x * (size - left - right), size - bottom - y * (size - top - bottom)];
  const at = (x: number, y: number): string => place(x, y).map(short).join(' ');
  const ticks = [0, 0.25, 0.5, 0.75, 1]
    .map((value) => {
      const [x, y] = [place(value, 0), place(0, value)];
      return `<path d="M${at(value, 0)}L${at(value, 1)}M${at(0, value)}L${at(1, value)}" stroke="#e2e2e2"/><text x="${short(x[0])}" y="${short(x[1] + 14)}" text-anchor="middle" fill="#444">${value}</text><text x="${left - 6}" y="${short(y[1] + 4)}" text-anchor="end" fill="#444">${value}</text>`;
    })
    .join('');
  const legend = names
    .map((name, k) => {
      const [x, y] = place(1, 0);
      const height = y - 10 - 14 * (names.length - 1 - k);
      return `<text x="${short(x - 6)}" y="${short(height)}" text-anchor="end" fill="${colorOf(k)}">${safe(name)}</text>`;
    })
    .join('');
  const [centerX] = place(0.5, 0);
  const [, centerY] = place(0, 0.5);
  const labels = `<text x="${short(centerX)}" y="${size - 8}" text-anchor="middle" fill="#222">${safe(across)}</text><text transform="translate(12 ${short(centerY)}) rotate(-90)" text-anchor="middle" fill="#222">${safe(up)}</text>`;
  return `${open(size, size, title)}${ticks}${paint(place)}<path d="M${at(0, 1)}L${at(0, 0)}L${at(1, 0)}" fill="none" stroke="#222"/>${labels}${legend}</svg>`;
}

const path = (place: Place, x: readonly number[], y: readonly number[]): string =>
  x.map((value, k) => `${k === 0 ? 'M' : 'L'}${place(value, y[k]!).map(short).join(' ')}`).join('');
const line = (d: string, color: string): string =>
  `<path d="${d}" fill="none" stroke="${color}" stroke-width="2" stroke-linejoin="round"/>`;
const diagonal = (place: Place): string =>
  `<path d="${path(place, [0, 1], [0, 1])}" stroke="#888" stroke-dasharray="4 4"/>`;

/**
 * ROC curves with the diagonal of chance as an SVG: those of `RocCurve`, one or one per class.
 *
 * @example
 * import { rocSvg } from '@nn/metrics';
 * const svg = rocSvg([{ falsePositiveRate: [0, 0, 1], truePositiveRate: [0, 1, 1], thresholds: [1, 0.5, 0] }]);
 * console.log(svg.startsWith('<svg')); // => true
 */
export function rocSvg(curves: readonly RocPoints[], options: SvgOptions = {}): string {
  return plot('rocSvg', 'ROC curve', 'false positive rate', 'true positive rate', options, (place) =>
    [
      diagonal(place),
      ...curves.map(({ falsePositiveRate, truePositiveRate }, k) =>
        line(path(place, falsePositiveRate, truePositiveRate), colorOf(k)),
      ),
    ].join(''),
  );
}

/**
 * Precision-recall curves as an SVG: those of `PrecisionRecallCurve`, one or one per class.
 *
 * @example
 * import { precisionRecallSvg } from '@nn/metrics';
 * const svg = precisionRecallSvg([{ recall: [0, 0.5, 1], precision: [1, 1, 0.5], thresholds: [1, 0.5, 0] }]);
 * console.log(svg.endsWith('</svg>')); // => true
 */
export function precisionRecallSvg(curves: readonly PrecisionRecallPoints[], options: SvgOptions = {}): string {
  return plot('precisionRecallSvg', 'Precision-recall curve', 'recall', 'precision', options, (place) =>
    curves.map(({ recall, precision }, k) => line(path(place, recall, precision), colorOf(k))).join(''),
  );
}

/**
 * A reliability diagram as an SVG: bars of accuracy, the gap to the confidence in another colour, the diagonal.
 *
 * @example
 * import { reliabilitySvg } from '@nn/metrics';
 * const svg = reliabilitySvg([{ from: 0, to: 1, count: 4, confidence: 0.5, accuracy: 0.75 }]);
 * console.log(svg.includes('accuracy')); // => true
 */
export function reliabilitySvg(bins: readonly ReliabilityBin[], options: SvgOptions = {}): string {
  return plot('reliabilitySvg', 'Reliability diagram', 'confidence', 'accuracy', options, (place) => {
    const bar = (from: number, to: number, low: number, high: number, fill: string): string => {
      const [[x0, y0], [x1, y1]] = [place(from, low), place(to, high)];
      return `<rect x="${short(x0 + 1)}" y="${short(y1)}" width="${short(x1 - x0 - 2)}" height="${short(y0 - y1)}" fill="${fill}"/>`;
    };
    const bars = bins
      .filter(({ count }) => count > 0)
      .map(({ from, to, accuracy, confidence }) => {
        const gap = bar(from, to, Math.min(accuracy, confidence), Math.max(accuracy, confidence), '#d55e0088');
        return bar(from, to, 0, accuracy, '#0072b2') + gap;
      });
    return [...bars, diagonal(place)].join('');
  });
}

/**
 * A confusion matrix as an SVG: the darker a cell, the larger its share of the row.
 *
 * @example
 * import { confusionSvg } from '@nn/metrics';
 * console.log(confusionSvg([[5, 1], [0, 3]], { names: ['cat', 'dog'] }).includes('>cat<')); // => true
 */
export function confusionSvg(
  matrix: readonly (readonly number[])[],
  options: ConfusionOptions & Pick<SvgOptions, 'size'> = {},
): string {
  checkOptions('confusionSvg', options, ['names', 'size']);
  const { names, size = 320 } = options;
  const name = (c: number): string => names?.[c] ?? String(c);
  const left = 34 + 6 * Math.max(...matrix.map((_, c) => name(c).length));
  const cell = (size - left - 8) / matrix.length;
  const height = size - left + 44;
  const cells = matrix.flatMap((row, i) => {
    const total = row.reduce((sum, value) => sum + value, 0);
    return row.map((value, j) => {
      const share = total === 0 ? 0 : value / total;
      const [x, y] = [left + j * cell, 8 + i * cell];
      const text = Number.isInteger(value) ? String(value) : value.toFixed(2);
      return `<rect x="${short(x)}" y="${short(y)}" width="${short(cell - 1)}" height="${short(cell - 1)}" fill="${i === j ? '#0072b2' : '#d55e00'}" fill-opacity="${short(0.06 + 0.94 * share)}"/><text x="${short(x + cell / 2)}" y="${short(y + cell / 2 + 4)}" text-anchor="middle" fill="${share > 0.5 ? '#fff' : '#222'}">${text}</text>`;
    });
  });
  const bottom = 8 + matrix.length * cell;
  const labels = matrix.map((_, c) => {
    const middle = (c + 0.5) * cell;
    return `<text x="${left - 6}" y="${short(8 + middle + 4)}" text-anchor="end" fill="#222">${safe(name(c))}</text><text x="${short(left + middle)}" y="${short(bottom + 14)}" text-anchor="middle" fill="#222">${safe(name(c))}</text>`;
  });
  const axes = `<text x="${short((left + size) / 2)}" y="${short(bottom + 30)}" text-anchor="middle" fill="#222">predicted</text><text transform="translate(12 ${short(bottom / 2)}) rotate(-90)" text-anchor="middle" fill="#222">actual</text>`;
  return `${open(size, Math.ceil(height), 'Confusion matrix')}${cells.join('')}${labels.join('')}${axes}</svg>`;
}

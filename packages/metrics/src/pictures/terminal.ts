/** Curves and tables for a terminal, as lines of text: braille dots in a frame, no colours. Owns no numbers. */
import { checkOptions } from '@nn/core';
import type { ReliabilityBin } from '../classification/calibration.ts';
import type { PrecisionRecallPoints, RocPoints } from '../curves/curve.ts';
import { drawDots } from './braille.ts';

export interface DrawOptions {
  /** Characters across and down, without the axes. Default 36 x 12. */
  readonly columns?: number;
  readonly rows?: number;
}

export interface ConfusionOptions {
  /** Names of the classes; their numbers by default. */
  readonly names?: readonly string[];
}

type Lit = (x: number, y: number) => void;

/** The unit square in a frame, with what `paint` lights in it: x to the right, y upwards, both 0 to 1. */
function frame(
  operation: string,
  title: string,
  across: string,
  options: DrawOptions,
  paint: (light: Lit, width: number, height: number) => void,
): string[] {
  checkOptions(operation, options, ['columns', 'rows']);
  const { columns = 36, rows = 12 } = options;
  const [width, height] = [2 * columns, 4 * rows];
  const dots = new Uint8Array(width * height);
  const light: Lit = (x, y) => {
    const column = Math.min(width - 1, Math.max(0, Math.round(x * (width - 1))));
    const row = Math.min(height - 1, Math.max(0, Math.round((1 - y) * (height - 1))));
    dots[row * width + column] = 1;
  };
  paint(light, width, height);
  const lines = drawDots(columns, rows, (x, y) => dots[y * width + x] === 1);
  const label = (row: number): string => (row === 0 ? '1' : row === rows - 1 ? '0' : ' ');
  const name = across.slice(0, columns - 2);
  return [
    `  ${title}`,
    ...lines.map((line, row) => `${label(row)} │${line}`),
    `  └${'─'.repeat(columns)}`,
    `   0${name.padStart(Math.floor((columns - 2 + name.length) / 2)).padEnd(columns - 2)}1`,
  ];
}

/** A line through points, without holes. */
function drawLine(light: Lit, x: readonly number[], y: readonly number[], width: number, height: number): void {
  for (let at = 1; at < x.length; at++) {
    const [x0, y0, x1, y1] = [x[at - 1], y[at - 1], x[at], y[at]] as [number, number, number, number];
    const steps = Math.max(1, Math.ceil(Math.max(Math.abs(x1 - x0) * width, Math.abs(y1 - y0) * height)));
    for (let k = 0; k <= steps; k++) light(x0 + ((x1 - x0) * k) / steps, y0 + ((y1 - y0) * k) / steps);
  }
}

/** The diagonal of chance or of perfect calibration, dotted. */
function drawDiagonal(light: Lit, width: number): void {
  for (let k = 0; k < width; k += 4) light(k / (width - 1), k / (width - 1));
}

/**
 * ROC curves as lines of text, with the diagonal of chance: those of `RocCurve`, one or one per class.
 *
 * @example
 * import { drawRoc } from '@nn/metrics';
 * const lines = drawRoc([{ falsePositiveRate: [0, 0, 1], truePositiveRate: [0, 1, 1], thresholds: [1, 0.5, 0] }]);
 * console.log(lines[0]); // => true positive rate
 */
export function drawRoc(curves: readonly RocPoints[], options: DrawOptions = {}): string[] {
  return frame('drawRoc', 'true positive rate', 'false positive rate', options, (light, width, height) => {
    drawDiagonal(light, width);
    for (const { falsePositiveRate, truePositiveRate } of curves)
      drawLine(light, falsePositiveRate, truePositiveRate, width, height);
  });
}

/**
 * Precision-recall curves as lines of text: those of `PrecisionRecallCurve`, one or one per class.
 *
 * @example
 * import { drawPrecisionRecall } from '@nn/metrics';
 * const lines = drawPrecisionRecall([{ recall: [0, 0.5, 1], precision: [1, 1, 0.5], thresholds: [1, 0.5, 0] }], { rows: 4 });
 * console.log(lines.length); // => 7
 */
export function drawPrecisionRecall(curves: readonly PrecisionRecallPoints[], options: DrawOptions = {}): string[] {
  return frame('drawPrecisionRecall', 'precision', 'recall', options, (light, width, height) => {
    for (const { recall, precision } of curves) drawLine(light, recall, precision, width, height);
  });
}

/**
 * A reliability diagram as lines of text: the accuracy of each bin as a bar, with the diagonal of perfect calibration.
 *
 * @example
 * import { drawReliability } from '@nn/metrics';
 * const lines = drawReliability([{ from: 0, to: 1, count: 4, confidence: 0.5, accuracy: 0.75 }], { rows: 4 });
 * console.log(lines[0]); // => accuracy
 */
export function drawReliability(bins: readonly ReliabilityBin[], options: DrawOptions = {}): string[] {
  return frame('drawReliability', 'accuracy', 'confidence', options, (light, width, height) => {
    drawDiagonal(light, width);
    for (const { from, to, count, accuracy } of bins) {
      if (count === 0) continue;
      const inset = 1 / width;
      drawLine(light, [from + inset, from + inset, to - inset, to - inset], [0, accuracy, accuracy, 0], width, height);
    }
  });
}

/**
 * A confusion matrix as lines of text: a row for each class, a column for what it was taken for, the diagonal in brackets.
 *
 * @example
 * import { drawConfusion } from '@nn/metrics';
 * console.log(drawConfusion([[5, 1], [0, 3]], { names: ['cat', 'dog'] })[1]); // => cat   [5]   1
 */
export function drawConfusion(matrix: readonly (readonly number[])[], options: ConfusionOptions = {}): string[] {
  checkOptions('drawConfusion', options, ['names']);
  const { names } = options;
  const name = (c: number): string => names?.[c] ?? String(c);
  const text = (value: number, isRight: boolean): string => {
    const number = value === 0 ? '·' : Number.isInteger(value) ? String(value) : value.toFixed(2);
    return isRight ? `[${number}]` : ` ${number} `;
  };
  const width =
    1 + Math.max(...matrix.flatMap((row, i) => [name(i).length + 1, ...row.map((value) => text(value, false).length)]));
  const first = Math.max(...matrix.map((_, i) => name(i).length));
  return [
    `${' '.repeat(first)} ${matrix.map((_, j) => `${name(j)} `.padStart(width)).join('')}`,
    ...matrix.map(
      (row, i) => `${name(i).padEnd(first)} ${row.map((value, j) => text(value, i === j).padStart(width)).join('')}`,
    ),
  ].map((line) => line.trimEnd());
}

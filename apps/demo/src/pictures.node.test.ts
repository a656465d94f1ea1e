import { drawCurve, drawDots } from '@nn/metrics';
import { recordTerminal as screen, widthOf } from '@nn/train';
import { describe, expect, test } from 'vitest';
import { confusionMatrix, correctOf, drawConfusionMatrix } from './confusion-matrix.ts';
import { drawInk, inksInRow, sideBySide } from './pictures/ink.ts';
import { drawPixels, mix } from './pictures/pixels.ts';
import { drawPlane, type Frame, gridOf } from './pictures/plane.ts';
import { drawSeries } from './pictures/series.ts';

const plain = screen({ isTTY: false }).terminal;
const colorful = screen().terminal;
const colorless = screen({ environment: { NO_COLOR: '1' } }).terminal;

describe('drawPixels', () => {
  test('puts two pixels into a character and names a colour only where it changes', () => {
    const lines = drawPixels(2, 2, (_, y) => (y === 0 ? [1, 2, 3] : [4, 5, 6]), 24);
    expect(lines).toEqual(['\u001b[38;2;1;2;3;48;2;4;5;6m▀▀\u001b[0m']);
  });

  test('takes the nearest of 256 colours: of the cube, or a grey', () => {
    expect(drawPixels(1, 2, (_, y) => (y === 0 ? [255, 0, 0] : [128, 128, 128]), 8)).toEqual([
      '\u001b[38;5;196;48;5;244m▀\u001b[0m',
    ]);
  });

  test('mixes colours', () => {
    expect(mix([0, 10, 20], [10, 20, 40], 0.5)).toEqual([5, 15, 30]);
  });
});

describe('dots', () => {
  test('are the patterns of Unicode: one dot each, and all eight', () => {
    expect(drawDots(1, 1, (x, y) => x === 0 && y === 0)).toEqual(['⠁']);
    expect(drawDots(1, 1, (x, y) => x === 1 && y === 3)).toEqual(['⢀']);
    expect(drawDots(1, 1, () => true)).toEqual(['⣿']);
  });
});

describe('drawCurve', () => {
  test('falls from the top to the bottom, without holes, as far as there are values', () => {
    expect(drawCurve([3, 3, 0], 6, 3, 6, 4, false)).toEqual(['**    ', '  *   ', '  *   ', '  *   ']);
  });

  test('rises without holes', () => {
    expect(drawCurve([0, 3], 2, 3, 2, 4, false)).toEqual([' *', ' *', ' *', '* ']);
  });

  test('is drawn in dots where it can be', () => {
    expect(drawCurve([1, 1], 2, 1, 1, 1, true)).toEqual(['⠉']);
  });
});

describe('the plane', () => {
  const frame: Frame = { left: 0, right: 4, bottom: 0, top: 2, columns: 4, rows: 2 };
  const points = { positions: [0.5, 1.5, 3.5, 0.5, 9, 9], classes: [0, 1, 1] };

  test('asks about the middle of each character, from the top left', () => {
    expect([...gridOf(frame, plain)].slice(0, 4)).toEqual([0.5, 1.5, 1.5, 1.5]);
    expect(gridOf(frame, plain).length).toBe(2 * 4 * 2);
  });

  test('asks about two places in each character where there are colours', () => {
    expect(gridOf(frame, colorful).length).toBe(2 * 4 * 4);
  });

  test('shows sides and points in plain characters, and leaves out what is outside', () => {
    const right = [0, 0, 1, 1, 0, 0, 1, 1];
    expect(drawPlane(frame, right, points, plain)).toEqual(['o ::', '  :x']);
  });

  test('shows the same without colours in a terminal', () => {
    expect(drawPlane(frame, [0, 0, 1, 1, 0, 0, 1, 1], points, colorless)).toEqual(['o ░░', '  ░x']);
  });

  test('is of the same size in colours', () => {
    const lines = drawPlane(frame, new Array(16).fill(0.2), points, colorful);
    expect(lines.map(widthOf)).toEqual([4, 4]);
  });
});

describe('images of ink', () => {
  /** A vertical bar in the left half. */
  const image = { pixels: Uint8Array.from({ length: 28 * 28 }, (_, i) => (i % 28 < 14 ? 255 : 0)), size: 28 };

  test('are shaded in plain characters', () => {
    const lines = drawInk(image, plain);
    expect(lines.length).toBe(11);
    expect(new Set(lines)).toEqual(new Set([`${'@'.repeat(11)}${' '.repeat(11)}`]));
  });

  test('are dots without colours in a terminal', () => {
    const lines = drawInk(image, colorless);
    expect(lines.length).toBe(7);
    expect(lines[0]).toBe(`${'⣿'.repeat(7)}${'⠀'.repeat(7)}`);
  });

  test('five of them fit side by side on 80 columns, and grow with the screen', () => {
    const five = (columns: number): number => {
      const { terminal } = screen({ columns });
      return widthOf(sideBySide(Array.from({ length: 5 }, () => drawInk(image, terminal)))[0] as string);
    };
    expect([five(80), five(100), five(400)]).toEqual([80, 100, 150]);
  });

  test('stand side by side as many as there is room for, with their captions', () => {
    for (const columns of [20, 30, 44, 60, 80]) {
      const { terminal } = screen({ columns });
      const blocks = Array.from({ length: inksInRow(terminal) }, () => [...drawInk(image, terminal), 'read 3, is 8']);
      for (const line of sideBySide(blocks)) expect(widthOf(`  ${line}`.trimEnd())).toBeLessThanOrEqual(columns);
    }
  });
});

describe('the confusion matrix', () => {
  const matrix = confusionMatrix([0, 0, 1, 2, 2], [0, 1, 1, 2, 0], 3);

  test('counts by what a sample is and what it was taken for', () => {
    expect(matrix).toEqual([
      [1, 1, 0],
      [0, 1, 0],
      [1, 0, 1],
    ]);
    expect(correctOf(matrix)).toBe(3);
  });

  test('is a list where it is wider than the screen', () => {
    const { terminal } = screen({ columns: 18, colorDepth: 1 });
    expect(drawConfusionMatrix(matrix, terminal)).toEqual(['0  1 right  1 as 1', '1  1 right', '2  1 right  1 as 0']);
  });

  test('is drawn in columns', () => {
    expect(drawConfusionMatrix(matrix, plain)).toEqual([
      '        0   1   2',
      '   0    1   1   .',
      '   1    .   1   .',
      '   2    1   .   1',
    ]);
  });
});

describe('drawSeries', () => {
  const came = { values: [0, 1, 2, 3], sign: '.', style: 'bold' } as const;
  const forecast = { values: [Number.NaN, Number.NaN, 2, 0], sign: '#', style: 'green' } as const;

  test('draws a later line over an earlier one, with signs where there are no dots', () => {
    expect(drawSeries([came, forecast], 4, 4, plain)).toEqual(['   .', '  #', ' .', '.  #']);
  });

  test('draws dots of braille in a terminal, in the style of the line', () => {
    const lines = drawSeries([came, forecast], 4, 2, colorful);
    expect(lines).toHaveLength(2);
    expect(lines.join('')).toMatch(/[\u2801-\u28ff]/);
    expect(lines.join('')).toContain('\u001b[32m');
    expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(4);
  });

  test('takes a series that does not change', () => {
    expect(drawSeries([{ ...came, values: [5, 5] }], 3, 2, plain)).toEqual(['...', '']);
  });
});

/** A series and its forecasts over each other: dots of braille in a terminal, signs elsewhere. */
import { drawDots } from '@nn/metrics';
import type { Style, Terminal } from '@nn/train';

export interface Line {
  /** From the left; NaN where there is nothing. */
  readonly values: readonly number[];
  /** Where there are no dots. */
  readonly sign: string;
  readonly style: Style;
}

/** Lines of text, `columns` wide. Later lines lie over earlier ones. */
export function drawSeries(lines: readonly Line[], columns: number, rows: number, terminal: Terminal): string[] {
  const shown = lines.flatMap(({ values }) => values.filter((value) => !Number.isNaN(value)));
  const [low, high] = [Math.min(...shown), Math.max(...shown)];
  const length = Math.max(...lines.map(({ values }) => values.length));
  const isFine = terminal.isInteractive;
  const [width, height] = isFine ? [2 * columns, 4 * rows] : [columns, rows];
  const place = (value: number): number => Math.round(((high - value) / (high - low || 1)) * (height - 1));
  const grids = lines.map(({ values, sign }) => {
    const dots = new Set<number>();
    for (let x = 0; x < width; x++) {
      // The values of this column, from the one before on, so that the line has no holes.
      const [from, to] = [x - 1, x].map(
        (at) => values[Math.round((Math.max(0, at) * (length - 1)) / (width - 1))] ?? Number.NaN,
      );
      if (to === undefined || Number.isNaN(to)) continue;
      const [a, b] = [place(from === undefined || Number.isNaN(from) ? to : from), place(to)];
      for (let y = Math.min(a, b); y <= Math.max(a, b); y++) if (isFine || y === b) dots.add(y * width + x);
    }
    if (isFine) return drawDots(columns, rows, (x, y) => dots.has(y * width + x));
    return Array.from({ length: rows }, (_, y) =>
      Array.from({ length: columns }, (__, x) => (dots.has(y * width + x) ? sign : ' ')).join(''),
    );
  });
  const empty = isFine ? '\u2800' : ' ';
  return Array.from({ length: rows }, (_, row) => {
    let text = '';
    for (let column = 0; column < columns; column++) {
      const top = grids.findLastIndex((grid) => (grid[row]?.[column] ?? empty) !== empty);
      const sign = top < 0 ? ' ' : grids[top]![row]![column]!;
      text += top < 0 ? sign : terminal.paint(sign, lines[top]!.style);
    }
    return text.trimEnd();
  });
}

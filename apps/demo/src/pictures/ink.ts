/** An image of ink on paper, small enough that several stand side by side. */
import { drawDots } from '@nn/metrics';
import { padText, type Terminal, widthOf } from '@nn/train';
import { drawPixels } from './pixels.ts';

/** A square image of bytes, 0 for paper. */
export interface Ink {
  readonly pixels: ArrayLike<number>;
  readonly size: number;
}

/** Shades of ink without colours or fine characters. */
const shades = ' .:-=+*#%@';

/** The gap between two images, and the margin on the left. */
const gap = 2;

/** `read 3, is 8` below an image. */
const widestCaption = 12;

/** How many images stand side by side. */
export function inksInRow(terminal: Terminal): number {
  if (!terminal.isInteractive) return 3;
  return Math.max(1, Math.min(5, Math.floor((terminal.columns - gap) / (widestCaption + gap))));
}

/** Characters across and down of one image: as large as the screen allows, at most a pixel each. */
function inkSize(size: number, terminal: Terminal): { readonly columns: number; readonly rows: number } {
  const places = inksInRow(terminal);
  const most = terminal.isInteractive ? size : 22;
  const columns = Math.max(8, Math.min(most, Math.floor(terminal.columns / places) - gap));
  return { columns, rows: Math.ceil(columns / 2) };
}

export function drawInk(image: Ink, terminal: Terminal): string[] {
  const { columns, rows } = inkSize(image.size, terminal);
  if (terminal.colorDepth >= 8) {
    const grey = (x: number, y: number): number => 20 + (235 * darkness(image, x, y, columns, 2 * rows)) / 255;
    return drawPixels(
      columns,
      2 * rows,
      (x, y) => [grey(x, y), grey(x, y), Math.min(255, grey(x, y) + 4)],
      terminal.colorDepth,
    );
  }
  if (terminal.isInteractive) {
    return drawDots(columns, rows, (x, y) => darkness(image, x, y, 2 * columns, 4 * rows) > 110);
  }
  return Array.from({ length: rows }, (_, y) =>
    Array.from({ length: columns }, (_, x) => {
      const shade = Math.round((darkness(image, x, y, columns, rows) / 255) * (shades.length - 1));
      return shades[shade];
    }).join(''),
  );
}

/** The mean ink, 0 to 255, in one of columns x rows equal parts of the image. */
function darkness({ pixels, size }: Ink, x: number, y: number, columns: number, rows: number): number {
  const [left, right] = [Math.floor((x * size) / columns), Math.ceil(((x + 1) * size) / columns)];
  const [top, bottom] = [Math.floor((y * size) / rows), Math.ceil(((y + 1) * size) / rows)];
  let sum = 0;
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) sum += pixels[row * size + column] as number;
  }
  return sum / ((right - left) * (bottom - top));
}

/** Blocks of lines side by side. */
export function sideBySide(blocks: readonly (readonly string[])[]): string[] {
  const height = Math.max(...blocks.map((block) => block.length));
  const widths = blocks.map((block) => Math.max(...block.map(widthOf)));
  return Array.from({ length: height }, (_, row) =>
    blocks.map((block, i) => padText(block[row] ?? '', (widths[i] as number) + gap)).join(''),
  );
}

/**
 * A picture of the plane: what a network makes of each place, and the points it was shown. It draws; the network is asked
 * by the caller, at the places of `gridOf`.
 */
import type { Color, Terminal } from '@nn/train';
import { drawPixels, mix } from './pixels.ts';

/** A part of the plane and the number of characters that show it. */
export interface Frame {
  readonly left: number;
  readonly right: number;
  readonly bottom: number;
  readonly top: number;
  readonly columns: number;
  readonly rows: number;
}

/** Points in the plane, x and y in turn, with the class 0 or 1 of each. */
export interface Points {
  readonly positions: ArrayLike<number>;
  readonly classes: ArrayLike<number>;
}

const between: Color = [22, 24, 30];
const sides: readonly [Color, Color] = [
  [25, 62, 128],
  [132, 66, 14],
];
const inks: readonly [Color, Color] = [
  [126, 190, 255],
  [255, 190, 92],
];

/** Whether pixels are drawn, which are half as high as characters. */
function hasPixels(terminal: Terminal): boolean {
  return terminal.colorDepth >= 8;
}

/** The places to ask the network about, [count, 2], row by row from the top. */
export function gridOf(frame: Frame, terminal: Terminal): Float32Array {
  const { columns } = frame;
  const rows = hasPixels(terminal) ? 2 * frame.rows : frame.rows;
  const grid = new Float32Array(2 * columns * rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = 2 * (row * columns + column);
      grid[at] = frame.left + ((column + 0.5) / columns) * (frame.right - frame.left);
      grid[at + 1] = frame.top + ((row + 0.5) / rows) * (frame.bottom - frame.top);
    }
  }
  return grid;
}

/** Draws `probabilities` of class 1 at the places of `gridOf`, and the points over them. */
export function drawPlane(
  frame: Frame,
  probabilities: ArrayLike<number>,
  points: Points,
  terminal: Terminal,
): string[] {
  const { columns } = frame;
  const rows = hasPixels(terminal) ? 2 * frame.rows : frame.rows;
  const pointAt = placePoints(frame, points, rows);
  const sideAt = (x: number, y: number): number => probabilities[y * columns + x] as number;
  if (hasPixels(terminal)) {
    const colorAt = (x: number, y: number): Color => {
      const point = pointAt(x, y);
      if (point !== undefined) return inks[point];
      const p = sideAt(x, y);
      // The root makes both sides plain soon, so that the boundary is a dark seam where the network wavers.
      return mix(between, sides[p < 0.5 ? 0 : 1], Math.sqrt(Math.abs(2 * p - 1)));
    };
    return drawPixels(columns, rows, colorAt, terminal.colorDepth);
  }
  const shade = terminal.isInteractive ? '░' : ':';
  return Array.from({ length: rows }, (_, y) => {
    let line = '';
    for (let x = 0; x < columns; x++) {
      const point = pointAt(x, y);
      if (point === 0) line += terminal.paint('o', 'cyan');
      else if (point === 1) line += terminal.paint('x', 'yellow');
      else line += sideAt(x, y) < 0.5 ? ' ' : shade;
    }
    return line;
  });
}

/** The class of the point at each place of the picture; of several, the last. */
function placePoints(
  frame: Frame,
  { positions, classes }: Points,
  rows: number,
): (x: number, y: number) => 0 | 1 | undefined {
  const { columns } = frame;
  const places = new Map<number, 0 | 1>();
  for (let i = 0; i < classes.length; i++) {
    const across = ((positions[2 * i] as number) - frame.left) / (frame.right - frame.left);
    const down = (frame.top - (positions[2 * i + 1] as number)) / (frame.top - frame.bottom);
    const [x, y] = [Math.floor(across * columns), Math.floor(down * rows)];
    if (x < 0 || y < 0 || x >= columns || y >= rows) continue;
    places.set(y * columns + x, classes[i] === 0 ? 0 : 1);
  }
  return (x, y) => places.get(y * columns + x);
}

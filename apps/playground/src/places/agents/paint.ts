/** The worlds of the agents on a canvas: a cart with its pole, a snake on its board, and the map of what states are worth. */
import type { BoardScene, DrawnScene } from '@nn/reinforcement';
import { mapImage } from '../../views/colors.ts';
import { seenFrom, stateOf } from './snake-states.ts';

interface Palette {
  readonly ink: string;
  readonly muted: string;
  readonly line: string;
  readonly orange: string;
  readonly blue: string;
}

export function paletteOf(element: Element): Palette {
  const style = getComputedStyle(element);
  const color = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: color('ink'),
    muted: color('muted'),
    line: color('line'),
    orange: color('orange'),
    blue: color('blue'),
  };
}

export function paintCart(
  context: CanvasRenderingContext2D,
  { left, right, bottom, top, shapes }: DrawnScene,
  [width, height]: readonly [number, number],
  palette: Palette,
): void {
  const scale = Math.min(width / (right - left), height / (top - bottom));
  const place = ([x, y]: readonly [number, number]): [number, number] => [
    width / 2 + (x - (left + right) / 2) * scale,
    height - 8 - (y - bottom) * scale,
  ];
  context.lineCap = 'round';
  for (const shape of shapes) {
    context.beginPath();
    if (shape.kind === 'box') {
      const [[x0, y0], [x1, y1]] = [place(shape.from), place(shape.to)];
      context.fillStyle = palette.blue;
      context.roundRect(Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0), Math.abs(y1 - y0), 5);
      context.fill();
    } else if (shape.kind === 'line') {
      const isTrack = shape.ink === 'dim';
      context.moveTo(...place(shape.from));
      context.lineTo(...place(shape.to));
      context.strokeStyle = isTrack ? palette.line : palette.orange;
      context.lineWidth = isTrack ? 3 : Math.max(5, 0.07 * scale);
      context.stroke();
    } else if (shape.kind === 'circle') {
      context.arc(...place(shape.center), Math.max(4, shape.radius * 1.4 * scale), 0, 2 * Math.PI);
      context.fillStyle = palette.orange;
      context.fill();
    }
  }
}

/** The board; below the snake, for each free square, what it were worth to be there, between the worst and the best of them. */
export function paintSnake(
  context: CanvasRenderingContext2D,
  scene: BoardScene,
  side: number,
  palette: Palette,
  dark: boolean,
  shown: { readonly values: Float32Array; readonly direction: number } | null,
): void {
  const count = scene.cells.length;
  const size = side / count;
  if (shown !== null) {
    const worth = Array.from({ length: count * count }, (_, square) => {
      const seen = seenFrom(scene, square, shown.direction);
      return seen === null ? null : (shown.values[stateOf(seen)] as number);
    });
    const { low, high } = rangeOf(worth.filter((value) => value !== null));
    worth.forEach((value, square) => {
      if (value === null) return;
      const image = mapImage(Float32Array.of((2 * (value - low)) / (high - low || 1) - 1), 1, 1, 1, dark);
      context.fillStyle = `rgb(${image.data[0]}, ${image.data[1]}, ${image.data[2]})`;
      context.fillRect((square % count) * size, Math.floor(square / count) * size, size + 0.5, size + 0.5);
    });
  }
  scene.cells.forEach((row, y) => {
    row.forEach(({ text }, x) => {
      const [left, top] = [x * size, y * size];
      context.strokeStyle = palette.line;
      context.lineWidth = 1;
      context.strokeRect(left, top, size, size);
      if (text === '') return;
      context.beginPath();
      if (text === '*') context.arc(left + size / 2, top + size / 2, size * 0.3, 0, 2 * Math.PI);
      else context.roundRect(left + size * 0.1, top + size * 0.1, size * 0.8, size * 0.8, size * 0.25);
      context.fillStyle = text === '*' ? '#c8453c' : palette.ink;
      context.globalAlpha = text === 'o' ? 0.6 : 1;
      context.fill();
      context.globalAlpha = 1;
    });
  });
}

export function rangeOf(values: ArrayLike<number>): { readonly low: number; readonly high: number } {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i++) {
    low = Math.min(low, values[i] as number);
    high = Math.max(high, values[i] as number);
  }
  return { low, high };
}

/** A scene as lines of text: drawings in braille dots (two by four a letter), boards as cells between lines. */
import type { BoardScene, DrawnScene, Ink, Point, Scene } from './scene.ts';

export interface SceneTextOptions {
  /** Letters across a drawing; 48 by default. */
  readonly columns?: number;
  /** Lines of a drawing; 14 by default. */
  readonly rows?: number;
  /** Writes a text in a colour, as `terminal.paint` of `@nn/train`; without it there are none. */
  readonly paint?: (text: string, ink: Exclude<Ink, 'plain'>) => string;
}

/**
 * The lines of a scene.
 *
 * @example
 * import { sceneText } from '@nn/reinforcement';
 * const cells = [[{ text: 'X' }, { text: '' }], [{ text: '' }, { text: 'O' }]];
 * console.log(sceneText({ kind: 'board', cells })); // => [ 'X .', '. O' ]
 */
export function sceneText(scene: Scene, options: SceneTextOptions = {}): string[] {
  const lines = scene.kind === 'board' ? boardText(scene, options) : drawingText(scene, options);
  return scene.caption === undefined ? lines : [...lines, scene.caption];
}

const inked = (text: string, ink: Ink | undefined, paint: SceneTextOptions['paint']): string =>
  paint === undefined || ink === undefined || ink === 'plain' ? text : paint(text, ink);

function boardText({ cells }: BoardScene, { paint }: SceneTextOptions): string[] {
  const width = Math.max(1, ...cells.flat().map(({ text }) => text.length));
  return cells.map((row) =>
    row
      .map(({ text, ink, marked }) => {
        const shown = (text === '' ? '.' : text).padStart(width);
        return inked(shown, marked ? (ink ?? 'green') : text === '' ? 'dim' : ink, paint);
      })
      .join(' '),
  );
}

/** Bits of the eight dots of a braille letter, by column and row. */
const dots = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const;

function drawingText({ left, right, bottom, top, shapes }: DrawnScene, options: SceneTextOptions): string[] {
  const { columns = 48, rows = 14, paint } = options;
  const letters = new Uint8Array(columns * rows);
  const inks = new Map<number, Ink>();
  const [width, height] = [2 * columns, 4 * rows];
  const toDots = ([x, y]: Point): Point => [
    ((x - left) / (right - left)) * (width - 1),
    ((top - y) / (top - bottom)) * (height - 1),
  ];
  const set = (x: number, y: number, ink: Ink | undefined): void => {
    const [column, row] = [Math.round(x), Math.round(y)];
    if (column < 0 || column >= width || row < 0 || row >= height) return;
    const place = (row >> 2) * columns + (column >> 1);
    letters[place]! |= dots[(column & 1) as 0 | 1][(row & 3) as 0 | 1 | 2 | 3];
    if (ink !== undefined) inks.set(place, ink);
  };
  const line = (from: Point, to: Point, ink: Ink | undefined): void => {
    const [[x0, y0], [x1, y1]] = [toDots(from), toDots(to)];
    const steps = Math.min(
      4 * (width + height),
      Math.max(1, Math.ceil(Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0)))),
    );
    for (let i = 0; i <= steps; i++) set(x0 + ((x1 - x0) * i) / steps, y0 + ((y1 - y0) * i) / steps, ink);
  };
  for (const shape of shapes) {
    if (shape.kind === 'line') line(shape.from, shape.to, shape.ink);
    if (shape.kind === 'path') {
      shape.points.slice(1).forEach((point, i) => {
        line(shape.points[i]!, point, shape.ink);
      });
    }
    if (shape.kind === 'box') {
      const [[x0, y0], [x1, y1]] = [shape.from, shape.to];
      line([x0, y0], [x1, y0], shape.ink);
      line([x1, y0], [x1, y1], shape.ink);
      line([x1, y1], [x0, y1], shape.ink);
      line([x0, y1], [x0, y0], shape.ink);
    }
    if (shape.kind === 'circle') {
      for (let i = 0; i < 48; i++) {
        const angle = (2 * Math.PI * i) / 48;
        const [x, y] = shape.center;
        set(...toDots([x + shape.radius * Math.cos(angle), y + shape.radius * Math.sin(angle)]), shape.ink);
      }
    }
  }
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) => {
      const place = row * columns + column;
      return inked(String.fromCharCode(0x2800 + letters[place]!), inks.get(place), paint);
    })
      .join('')
      .replace(/\u2800+$/, ''),
  );
}

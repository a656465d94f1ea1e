/** A scene on a canvas of a page. The context is typed by what is used of it, so that nothing here needs the DOM's types. */
import type { BoardScene, DrawnScene, Ink, Point, Scene } from './scene.ts';

/** The part of `CanvasRenderingContext2D` that is used. */
export interface Canvas2D {
  readonly canvas: { readonly width: number; readonly height: number };
  fillStyle: unknown;
  strokeStyle: unknown;
  lineWidth: number;
  font: string;
  textAlign: string;
  textBaseline: string;
  clearRect(x: number, y: number, width: number, height: number): void;
  fillRect(x: number, y: number, width: number, height: number): void;
  strokeRect(x: number, y: number, width: number, height: number): void;
  fillText(text: string, x: number, y: number): void;
  beginPath(): void;
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  arc(x: number, y: number, radius: number, from: number, to: number): void;
  stroke(): void;
}

export type Colours = Readonly<Record<Ink | 'mark', string>>;

/** Colours that can be told apart on white and on black. */
const colours: Colours = {
  ...{ plain: '#808080', dim: '#b0b0b0', red: '#d64545', green: '#2e9e5b', yellow: '#c99a1a' },
  ...{ blue: '#3f7fd1', magenta: '#b455b0', cyan: '#2a9d9d', mark: 'rgba(46, 158, 91, 0.25)' },
};

/**
 * Draws a scene over the whole canvas. `theme` replaces colours, for dark pages.
 *
 * @example
 * import { CartPole, drawScene } from '@nn/reinforcement';
 * const environment = new CartPole();
 * environment.reset({ seed: 1 });
 * const canvas = globalThis.document?.querySelector('canvas') ?? null; // on a page
 * const context = canvas?.getContext('2d');
 * if (context) drawScene(context, environment.render());
 * console.log(canvas); // => null
 */
export function drawScene(context: Canvas2D, scene: Scene, theme: Partial<Colours> = {}): void {
  const { width, height } = context.canvas;
  context.clearRect(0, 0, width, height);
  const inks = { ...colours, ...theme };
  if (scene.kind === 'board') drawBoard(context, scene, inks);
  else drawShapes(context, scene, inks);
}

function drawBoard(context: Canvas2D, { cells }: BoardScene, inks: Colours): void {
  const { width, height } = context.canvas;
  const columns = Math.max(1, ...cells.map((row) => row.length));
  const size = Math.min(width / columns, height / Math.max(1, cells.length));
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.lineWidth = 1;
  cells.forEach((row, y) => {
    row.forEach(({ text, ink = 'plain', marked }, x) => {
      if (marked) {
        context.fillStyle = inks.mark;
        context.fillRect(x * size, y * size, size, size);
      }
      context.strokeStyle = inks.dim;
      context.strokeRect(x * size, y * size, size, size);
      context.fillStyle = inks[ink];
      context.font = `${Math.floor((size * 0.7) / Math.max(1, text.length * 0.6))}px sans-serif`;
      context.fillText(text, (x + 0.5) * size, (y + 0.5) * size);
    });
  });
}

function drawShapes(context: Canvas2D, { left, right, bottom, top, shapes }: DrawnScene, inks: Colours): void {
  const { width, height } = context.canvas;
  const scale = Math.min(width / (right - left), height / (top - bottom));
  const place = ([x, y]: Point): Point => [
    width / 2 + (x - (left + right) / 2) * scale,
    height / 2 - (y - (bottom + top) / 2) * scale,
  ];
  context.lineWidth = Math.max(2, width / 200);
  for (const shape of shapes) {
    context.strokeStyle = inks[shape.ink ?? 'plain'];
    context.beginPath();
    if (shape.kind === 'circle') context.arc(...place(shape.center), shape.radius * scale, 0, 2 * Math.PI);
    if (shape.kind === 'line') {
      context.moveTo(...place(shape.from));
      context.lineTo(...place(shape.to));
    }
    if (shape.kind === 'path') {
      shape.points.forEach((point, i) => {
        if (i === 0) context.moveTo(...place(point));
        else context.lineTo(...place(point));
      });
    }
    if (shape.kind === 'box') {
      const [[x0, y0], [x1, y1]] = [place(shape.from), place(shape.to)];
      context.strokeRect(Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0), Math.abs(y1 - y0));
    }
    context.stroke();
  }
}

/**
 * A picture of an environment as a list of shapes, which `sceneText` writes in a terminal and `drawScene` on a canvas.
 * Coordinates are the environment's own; y points up.
 */

/** Names of colours that a terminal and a page both have. */
export type Ink = 'plain' | 'dim' | 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan';

export type SceneShape =
  | { readonly kind: 'line'; readonly from: Point; readonly to: Point; readonly ink?: Ink }
  | { readonly kind: 'path'; readonly points: readonly Point[]; readonly ink?: Ink }
  | { readonly kind: 'circle'; readonly center: Point; readonly radius: number; readonly ink?: Ink }
  | { readonly kind: 'box'; readonly from: Point; readonly to: Point; readonly ink?: Ink };

export type Point = readonly [x: number, y: number];

/** Shapes within a window. */
export interface DrawnScene {
  readonly kind: 'drawing';
  readonly left: number;
  readonly right: number;
  readonly bottom: number;
  readonly top: number;
  readonly shapes: readonly SceneShape[];
  readonly caption?: string;
}

/** A board: cells in rows from the top, each a text of one or a few letters. */
export interface BoardScene {
  readonly kind: 'board';
  readonly cells: readonly (readonly Cell[])[];
  readonly caption?: string;
}

export interface Cell {
  readonly text: string;
  readonly ink?: Ink;
  /** Marked: the last move, the head of a snake. */
  readonly marked?: boolean;
}

export type Scene = DrawnScene | BoardScene;

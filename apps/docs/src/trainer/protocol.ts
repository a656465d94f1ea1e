/** What the page says to the worker that trains, and what it hears. */

/** Cells of the picture along each side, from -1 to 1 and a little more. */
export const side = 56;
export const reach = 1.15;
/** It ends by itself, so that a page that is left open does nothing. */
export const lastStep = 1500;

export type Command =
  | { readonly kind: 'begin'; readonly problem: 'spirals' | 'moons' | 'circles' | 'xor' }
  | { readonly kind: 'run' | 'pause' }
  /** The last frame is on the screen. */
  | { readonly kind: 'drawn' };

export interface Frame {
  readonly kind: 'frame';
  readonly step: number;
  readonly loss: number;
  /** The share of points on the right side. */
  readonly correct: number;
  /** Answers from 0 to 1 by rows, the top row first. */
  readonly answers: Float32Array;
  readonly isOver: boolean;
}

export type Message =
  | Frame
  /** Pairs of coordinates, and 0 or 1 for each. */
  | { readonly kind: 'points'; readonly places: Float32Array; readonly classes: Int32Array }
  | { readonly kind: 'failed'; readonly text: string };

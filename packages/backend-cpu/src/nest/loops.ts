/**
 * The loops of a nest: which axes become loops, in which order, and which neighbours run as one long loop.
 * Two neighbours merge when every pointer steps through them as through one axis and nobody asks for their indices.
 */
import type { Shape } from '@nn/core';

/** The strides of something that moves through memory, for the axes where it moves. */
export type Strides = ReadonlyMap<number, number>;

export interface Loop {
  /** The axes that run as this loop, outermost first. */
  readonly axes: readonly number[];
  readonly extent: number;
}

/**
 * Loops for the axes in `order` (outermost first). Axes of extent 1 need no loop, except those in `kept`, which also
 * stay loops of their own; so do axes in `pinned` (bits) and neighbours on different sides of `border`, the first
 * reduced axis.
 */
export function loopsFor(
  order: readonly number[],
  extents: Shape,
  pointers: readonly Strides[],
  pinned: number,
  kept: number,
  border: number,
): Loop[] {
  const loops: Loop[] = [];
  for (const axis of order) {
    const extent = extents[axis]!;
    if (extent === 1 && !(kept & (1 << axis))) continue;
    const outer = loops.at(-1);
    const last = outer?.axes.at(-1);
    const merges =
      outer !== undefined &&
      last !== undefined &&
      last < border === axis < border &&
      ((pinned | kept) & ((1 << axis) | (1 << last))) === 0 &&
      pointers.every((strides) => (strides.get(last) ?? 0) === (strides.get(axis) ?? 0) * extent);
    if (merges) loops[loops.length - 1] = { axes: [...outer.axes, axis], extent: outer.extent * extent };
    else loops.push({ axes: [axis], extent });
  }
  return loops;
}

/** By how much a pointer moves in one turn of the loop. */
export function strideIn(strides: Strides, loop: Loop): number {
  return strides.get(loop.axes.at(-1)!) ?? 0;
}

/** The bits of the loop's axes. */
export function bitsOf(loop: Loop): number {
  return loop.axes.reduce((bits, axis) => bits | (1 << axis), 0);
}

/** The number of the innermost loop on which something with these axes depends; -1 for none. */
export function levelOf(axes: number, loops: readonly Loop[]): number {
  for (let level = loops.length - 1; level >= 0; level--) if (bitsOf(loops[level]!) & axes) return level;
  return -1;
}

/**
 * Whether a reduction should run its innermost domain loop inside the reduced ones, with a row of accumulators:
 * when that makes the pointers step by 1 where they would jump.
 */
export function prefersRows(inner: Loop | undefined, reduced: Loop | undefined, pointers: readonly Strides[]): boolean {
  if (inner === undefined || reduced === undefined || inner.extent < 8) return false;
  const cost = (loop: Loop): number =>
    pointers.reduce((sum, strides) => {
      const stride = Math.abs(strideIn(strides, loop));
      return sum + (stride <= 1 ? stride : Math.min(2 + stride / 8, 10));
    }, 0);
  // The row is read and written each time: 2 more.
  return cost(inner) + 2 < cost(reduced);
}

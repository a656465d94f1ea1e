/** What the batching rules of primitives share. `vmap` puts rows in front: the axes of a node are one further behind then. */
import type { Axes } from '../backend.ts';
import type { Node } from '../graph/node.ts';
import { expandTo } from './views.ts';

/** Whether `x` has an axis of rows that `own`, of which it is all, does not have. */
export function isBatched(x: Node, own: Node): boolean {
  return x.shape.length > own.shape.length;
}

/** x with an axis of rows: its own, or the same in each of them. */
export function spread(x: Node, own: Node, size: number): Node {
  return expandTo(x, [size, ...own.shape]);
}

/** Axes behind one of rows. */
export function behindRows(axes: Axes): number[] {
  return axes.map((axis) => axis + 1);
}

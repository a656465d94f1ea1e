/** Arithmetic on shapes and axes, and the errors for those that do not fit. */
import type { Axes, Shape } from './backend.ts';
import { ShapeError } from './errors.ts';

/** `[2, 3]`, as it stands in messages. */
export function show(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** The number of elements. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (let axis = 0; axis < shape.length; axis++) size *= shape[axis]!;
  return size;
}

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false;
  return true;
}

/** The shape that both broadcast to by NumPy's rule: aligned at the right, sizes equal or 1. */
export function broadcastShapes(operation: string, a: Shape, b: Shape): Shape {
  if (holds(a, b)) return a;
  if (holds(b, a)) return b;
  const rank = Math.max(a.length, b.length);
  const shape = new Array<number>(rank);
  for (let axis = 0; axis < rank; axis++) {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left !== right && left !== 1 && right !== 1) {
      throw new ShapeError(
        operation,
        `shapes ${show(a)} and ${show(b)} do not broadcast: sizes ${left} and ${right} at axis ${axis - rank} are neither equal nor 1.`,
        { a, b, axis },
      );
    }
    shape[axis] = left === 1 ? right : left;
  }
  return shape;
}

/** Whether a shape broadcasts to `larger`, which stays as it is. */
function holds(larger: Shape, shape: Shape): boolean {
  const missing = larger.length - shape.length;
  if (missing < 0) return false;
  for (let axis = 0; axis < shape.length; axis++) {
    if (shape[axis] !== larger[axis + missing] && shape[axis] !== 1) return false;
  }
  return true;
}

/** `axis` counted from the front; negative axes count from the back. */
export function normalizeAxis(operation: string, axis: number, rank: number): number {
  const normal = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || normal < 0 || normal >= rank) {
    throw new ShapeError(
      operation,
      rank === 0
        ? `axis ${axis} of a scalar: it has no axes.`
        : `axis ${axis} is out of range for rank ${rank}: use ${-rank} to ${rank - 1}.`,
      { axis, rank },
    );
  }
  return normal;
}

/** The axes in ascending order, each once; all of them where none is named. */
export function normalizeAxes(operation: string, axes: number | Axes | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, axis) => axis);
  const list = (typeof axes === 'number' ? [axes] : axes).map((axis) => normalizeAxis(operation, axis, rank));
  list.sort((a, b) => a - b);
  for (let i = 1; i < list.length; i++) {
    if (list[i] === list[i - 1]) throw new ShapeError(operation, `axis ${list[i]} is named twice.`, { axes });
  }
  return list;
}

/** Throws unless every size is a whole number from 0. */
export function checkShape(operation: string, shape: Shape): void {
  for (const size of shape) {
    if (!Number.isInteger(size) || size < 0) {
      throw new ShapeError(operation, `${show(shape)} is not a shape: each size must be a whole number from 0.`, {
        shape,
      });
    }
  }
}

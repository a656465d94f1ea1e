/**
 * NumPy's indexing: each item takes its axis. Numbers and ranges are views whose starts are lifted; tensors of indices choose
 * elements one by one, several of them together (their shapes broadcast), with PyTorch's rule for where their axes go.
 * Tensor.at owns the method, functions/put.ts assignment.
 */
import type { Shape } from '../backend.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { apply, constant, hostLeaf, type Node } from '../graph/node.ts';
import { lift } from '../graph/recorder.ts';
import { broadcastShapes, sameShape, show, sizeOf, stridesOf } from '../shape.ts';
import { add, maximum, minimum, multiply } from './arithmetic.ts';
import { less, where } from './compare.ts';
import { requireInside, valuesOnHost } from './index-range.ts';
import { Gather, requireElements, requireInteger } from './indexing.ts';
import { dynamicSlice, flip, narrow, permute, reshape, sliceStatic } from './views.ts';

/** A range [start, stop, step] with open ends. */
type Range = readonly (number | null | undefined)[];

/** An item of `at`, its tensors as nodes: int32 indices, or a bool mask over as many axes as it has. */
export type AtItem = number | Range | null | '...' | Node;

/** Indices for one axis of what numbers and ranges left. */
interface Chosen {
  readonly axis: number;
  readonly index: Node;
}

const isNode = (item: AtItem): item is Node => typeof item === 'object' && item !== null && 'primitive' in item;

/** How many axes an item takes. */
function axesOf(item: AtItem): number {
  if (item === null || item === '...') return 0;
  return isNode(item) && item.dtype === 'bool' ? item.shape.length : 1;
}

export function indexAt(node: Node, items: readonly AtItem[]): Node {
  const named = items.reduce<number>((sum, item) => sum + axesOf(item), 0);
  const rank = node.shape.length;
  if (named > rank || items.filter((item) => item === '...').length > 1) {
    throw new ShapeError(
      'at',
      `${named} indices${named > rank ? '' : " and more than one '...'"} for ${show(node.shape)}, which has ${rank} axes.`,
      { shape: node.shape },
    );
  }
  let x = node;
  let axis = 0;
  const shape: number[] = [];
  const chosen: Chosen[] = [];
  const choose = (index: Node): void => {
    requireInteger('at', index);
    requireElements('at', node, index, axis);
    const size = node.shape[axis]!;
    requireInside(index, { operation: 'at', from: `axis ${axis} of ${show(node.shape)}`, size, low: -size });
    chosen.push({ axis: shape.length, index });
    shape.push(x.shape[axis++]!);
  };
  for (const item of items) {
    if (item === '...') {
      for (let skip = rank - named; skip > 0; skip--) shape.push(x.shape[axis++]!);
    } else if (item === null) {
      shape.push(1);
    } else if (typeof item === 'number') {
      const size = x.shape[axis]!;
      const at = item < 0 ? item + size : item;
      if (!Number.isInteger(item) || at < 0 || at >= size) {
        throw new ShapeError('at', `index ${item} is outside of axis ${axis} of ${show(node.shape)}, size ${size}.`, {
          shape: node.shape,
          index: item,
          axis,
        });
      }
      x = box(x, axis++, at, 1, 1);
    } else if (isNode(item)) {
      if (item.dtype === 'bool') for (const index of placesOf(item, node, axis)) choose(index);
      else choose(item);
    } else {
      const { start, count, step } = range(item, x.shape[axis]!);
      const forward =
        step > 0
          ? box(x, axis, start, count, step)
          : flip(box(x, axis, start + (count - 1) * step, count, -step), axis);
      shape.push(count);
      x = forward;
      axis++;
    }
  }
  const y = reshape(x, [...shape, ...x.shape.slice(axis)]);
  return chosen.length === 0 ? y : gatherTogether(y, chosen);
}

/** Where a mask over some axes holds: an index for each of them. How many there are has to be known now. */
function placesOf(mask: Node, { shape }: Node, axis: number): Node[] {
  const covered = shape.slice(axis, axis + mask.shape.length);
  if (mask.shape.length === 0 || !sameShape(mask.shape, covered)) {
    throw new ShapeError(
      'at',
      `a mask of ${show(mask.shape)} at axis ${axis} of ${show(shape)} must be of ${show(covered)}.`,
      {
        shape,
        mask: mask.shape,
      },
    );
  }
  const values = valuesOnHost(mask, true);
  if (values === null) {
    throw new ValueError(
      'at',
      'how many elements a computed mask chooses is known only when it is read: await maskedSelect(x, mask), or x.at(...(await nonzero(mask, { asTuple: true }))).',
    );
  }
  return placesIn(values, mask.shape).map((places) => hostLeaf(places, 'int32', [places.length], mask.backend));
}

/** The positions of what is not 0, in row-major order: an array for each axis. */
export function placesIn(values: ArrayLike<number>, shape: Shape): Int32Array<ArrayBuffer>[] {
  const flat: number[] = [];
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) flat.push(i);
  return stridesOf(shape).map((stride, axis) => Int32Array.from(flat, (i) => Math.floor(i / stride) % shape[axis]!));
}

/**
 * The elements at indices that belong together. Their common shape stands where the first of their axes was where these are
 * neighbours, else in front (PyTorch's rule). The chosen axes become one, of which one flat index chooses.
 */
function gatherTogether(x: Node, chosen: readonly Chosen[]): Node {
  const axes = chosen.map(({ axis }) => axis);
  const shape = chosen.reduce<Shape>((common, { index }) => broadcastShapes('at', common, index.shape), []);
  const others = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const isTogether = axes.every((axis, k) => axis === axes[0]! + k);
  const place = isTogether ? axes[0]! : 0;
  const order = [...others.slice(0, place), ...axes, ...others.slice(place)];
  const sizes = axes.map((axis) => x.shape[axis]!);
  const kept = others.map((axis) => x.shape[axis]!);
  const joined = [...kept.slice(0, place), sizeOf(sizes), ...kept.slice(place)];
  const strides = stridesOf(sizes);
  const integer = (value: number): Node => constant(value, 'int32');
  const flat = chosen.reduce<Node>((sum, { index }, k) => {
    const size = sizes[k]!;
    // negative ones count from the end; computed ones outside are clamped
    const counted = where(less(index, integer(0)), add(index, integer(size)), index);
    const inside = maximum(minimum(counted, integer(size - 1)), integer(0));
    return add(sum, multiply(inside, integer(strides[k]!)));
  }, integer(0));
  const index = reshape(flat, shape);
  const y = reshape(permute(x, order), joined);
  return apply(Gather, [y, index], { axis: place, isInside: true });
}

/** Python's slice.indices: [start, stop, step] with open and negative ends. */
function range(item: Range, size: number): { start: number; count: number; step: number } {
  const step = item[2] ?? 1;
  if (!Number.isInteger(step) || step === 0)
    throw new ValueError('at', `a step must be a whole number other than 0, got ${step}.`);
  const low = step > 0 ? 0 : -1;
  const high = step > 0 ? size : size - 1;
  const place = (value: number | null | undefined, open: number): number => {
    if (value === null || value === undefined) return open;
    if (!Number.isInteger(value)) throw new ValueError('at', `a range must have whole numbers, got ${value}.`);
    return Math.min(Math.max(value < 0 ? value + size : value, low), high);
  };
  const start = place(item[0], step > 0 ? low : high);
  const stop = place(item[1], step > 0 ? high : low);
  return { start, count: Math.max(0, Math.ceil((stop - start) / step)), step };
}

/** `count` elements of one axis. The start is lifted unless the axis stays whole. */
function box(x: Node, axis: number, start: number, count: number, step: number): Node {
  const size = x.shape[axis]!;
  if (count === size && step === 1) return x;
  if (count === 0) return narrow(x, axis, 0, 0);
  const reach = (count - 1) * step + 1;
  const shape = x.shape.map((length, a) => (a === axis ? reach : length));
  const starts = x.shape.map((_, a) => lift(a === axis ? start : 0, 'int32'));
  const moved = reach === size ? x : dynamicSlice(x, starts, shape);
  if (step === 1) return moved;
  return sliceStatic(moved, {
    start: shape.map(() => 0),
    size: shape.map((length, a) => (a === axis ? count : length)),
    step: shape.map((_, a) => (a === axis ? step : 1)),
  });
}

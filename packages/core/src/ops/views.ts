/**
 * Views: the same elements at other positions. Each only rewrites indices, so it costs nothing by itself, and each is
 * linear, so its gradient is another view (or a sum, where an element was repeated).
 */
import type { Axes, Shape } from '../backend.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { apply, constant, type Node } from '../graph/node.ts';
import { definePrimitive, type Primitive, type Unary } from '../graph/primitive.ts';
import { normalizeAxes, normalizeAxis, sameShape, show, sizeOf } from '../shape.ts';
import { add } from './arithmetic.ts';
import { behindRows } from './batch.ts';
import { swapContraction } from './contract.ts';
import { Guard } from './guard.ts';
import { boxStart, pick, update } from './indexing.ts';
import { fold } from './pooling.ts';
import { sum } from './reduce.ts';
import { indexAlong } from './sources.ts';

export const Reshape: Primitive<Shape, Unary> = definePrimitive({
  name: 'reshape',
  kind: 'view',
  keepsOrder: true,
  infer: ([x], shape) => ({ dtype: x.dtype, shape }),
  gradient: (g, [x]) => [reshape(g, x.shape)],
  batch: ([x], { shape }, size) => reshape(x, [size, ...shape]),
  lower: (node, at) => at.input(0, at.space.unflatten(at.space.flatten(at.index, node.shape), node.inputs[0].shape)),
});

export const Permute: Primitive<Axes, Unary> = definePrimitive({
  name: 'permute',
  kind: 'view',
  order: ({ attributes }) => attributes,
  infer: ([x], order) => ({ dtype: x.dtype, shape: order.map((axis) => x.shape[axis]!) }),
  key: (order) => order,
  gradient: (g, _, { attributes: order }) => [permute(g, inverseOrder(order))],
  batch: ([x], { attributes: order }) => permute(x, [0, ...behindRows(order)]),
  lower: (node, at) =>
    at.input(
      0,
      inverseOrder(node.attributes).map((axis) => at.index[axis]!),
    ),
});

export const Expand: Primitive<Shape, Unary> = definePrimitive({
  name: 'expand',
  kind: 'view',
  infer: ([x], shape) => ({ dtype: x.dtype, shape }),
  access: (node) => (node.size === node.inputs[0].size ? 'once' : 'many'),
  // every copy of an element sends its cotangent back
  gradient: (g, [x]) => [sumTo(g, x.shape)],
  batch: ([x], { shape, inputs: [own] }, size) => {
    const missing = new Array<number>(shape.length - own.shape.length).fill(1);
    return expandTo(reshape(x, [size, ...missing, ...own.shape]), [size, ...shape]);
  },
  lower: (node, at) => {
    const { shape } = node.inputs[0];
    const missing = node.shape.length - shape.length;
    return at.input(
      0,
      shape.map((size, axis) => (size === 1 ? at.space.zero : at.index[axis + missing]!)),
    );
  },
});

interface SliceAttributes {
  readonly start: readonly number[];
  readonly size: readonly number[];
  readonly step: readonly number[];
}

/** Elements start, start + step, ... of each axis; the numbers belong to the structure. */
export const Slice: Primitive<SliceAttributes, Unary> = definePrimitive({
  name: 'slice',
  kind: 'view',
  infer: ([x], { size }) => ({ dtype: x.dtype, shape: size }),
  key: ({ start, step }) => [...start, ...step],
  run: ({ inputs: [x], attributes: { start, size, step } }) => {
    const cut = x.shape.findIndex((length, axis) => length !== size[axis]);
    const isRun = x.shape.every((length, axis) =>
      axis <= cut ? step[axis] === 1 && (axis === cut || length === 1) : length === size[axis] && step[axis] === 1,
    );
    return isRun ? start[cut]! * sizeOf(x.shape.slice(cut + 1)) : null;
  },
  gradient: (g, [{ shape }], { attributes: { start, size, step } }) => {
    const after = shape.map((length, axis) => {
      const count = size[axis]!;
      return length - start[axis]! - (count === 0 ? 0 : (count - 1) * step[axis]! + 1);
    });
    return [padStatic(g, { before: start, after, step })];
  },
  batch: ([x], { shape, attributes: { start, step } }, size) =>
    sliceStatic(x, { start: [0, ...start], size: [size, ...shape], step: [1, ...step] }),
  lower: (node, at) => {
    const { start, step } = node.attributes;
    return at.input(
      0,
      at.index.map((index, axis) => at.space.shift(at.space.scale(index, step[axis]!), start[axis]!)),
    );
  },
});

/** A tensor, and where its box starts along each axis. */
type Boxed = readonly [x: Node, ...starts: Node[]];

/** A box whose start is known only on the device: inputs are x and one 0-d int32 an axis; starts are clamped into range. */
export const DynamicSlice: Primitive<Shape, Boxed> = definePrimitive({
  name: 'dynamicSlice',
  kind: 'view',
  infer: ([x], size) => ({ dtype: x.dtype, shape: size }),
  gradient: (g, [x, ...starts]) => [() => update(constant(0, x.dtype, x.shape), g, starts), ...starts.map(() => null)],
  batch: ([x, ...starts], { shape, inputs: [own] }, size) => {
    const all = [size, ...shape];
    if (starts.every(({ shape }) => shape.length === 0)) return dynamicSlice(x, [constant(0, 'int32'), ...starts], all);
    const places = starts.map((start, axis) =>
      add(boxStart(start, own.shape[axis]! - shape[axis]!, shape.length), indexAlong(all, axis + 1)),
    );
    return pick(x, own, places, all);
  },
  lower: (node, at) => {
    const { shape } = node.inputs[0];
    return at.input(
      0,
      at.index.map((index, axis) => {
        const room = shape[axis]! - node.shape[axis]!;
        if (room === 0) return index;
        return at.space.add(index, at.computed(at.input(axis + 1, []), 0, room));
      }),
    );
  },
});

export interface PadAttributes {
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** The distance between neighbours in the result: step - 1 zeros lie between them. */
  readonly step: readonly number[];
}

/** Zeros around and between the elements. Negative sizes are not allowed. */
export const Pad: Primitive<PadAttributes, Unary> = definePrimitive({
  name: 'pad',
  kind: 'view',
  infer: ([x], { before, after, step }) => ({
    dtype: x.dtype,
    shape: x.shape.map((size, axis) => before[axis]! + (size === 0 ? 0 : (size - 1) * step[axis]! + 1) + after[axis]!),
  }),
  key: ({ before, after, step }) => [...before, ...after, ...step],
  gradient: (g, [x], { attributes: { before, step } }) => [sliceStatic(g, { start: before, size: x.shape, step })],
  batch: ([x], { attributes: { before, after, step } }) =>
    padStatic(x, { before: [0, ...before], after: [0, ...after], step: [1, ...step] }),
  lower: (node, at) => {
    const { before, step } = node.attributes;
    const { shape } = node.inputs[0];
    const guard = new Guard(at);
    const index = at.index.map((outer, axis) => {
      const moved = at.space.shift(outer, -before[axis]!);
      const [size, stride] = [shape[axis]!, step[axis]!];
      return stride === 1 ? guard.within(moved, size) : guard.checkedQuotient(moved, stride, size);
    });
    return guard.select(node, at.input(0, index));
  },
});

export const Flip: Primitive<Axes, Unary> = definePrimitive({
  name: 'flip',
  kind: 'view',
  infer: ([x]) => x,
  key: (axes) => axes,
  gradient: (g, _, { attributes: axes }) => [apply(Flip, [g], axes)],
  batch: ([x], { attributes: axes }) => apply(Flip, [x], behindRows(axes)),
  lower: (node, at) =>
    at.input(
      0,
      at.index.map((index, axis) =>
        node.attributes.includes(axis) ? at.space.shift(at.space.scale(index, -1), node.shape[axis]! - 1) : index,
      ),
    ),
});

export interface WindowAttributes {
  readonly size: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
}

/** Overlapping windows over the last axes: [..., L] -> [..., positions, size], for all windowed axes at once. */
export const Window: Primitive<WindowAttributes, Unary> = definePrimitive({
  name: 'window',
  kind: 'view',
  infer: ([x], { size, stride, dilation }) => {
    const { dtype, shape } = x;
    const outer = shape.length - size.length;
    const positions = size.map(
      (count, i) => Math.floor((shape[outer + i]! - (count - 1) * dilation[i]! - 1) / stride[i]!) + 1,
    );
    return { dtype, shape: [...shape.slice(0, outer), ...positions, ...size] };
  },
  key: ({ stride, dilation }) => [...stride, ...dilation],
  access: () => 'many',
  gradient: (g, [x], { attributes }) => [fold(g, x.shape, attributes)],
  batch: ([x], { attributes }) => apply(Window, [x], attributes),
  lower: (node, at) => {
    const { size, stride, dilation } = node.attributes;
    const outer = node.shape.length - 2 * size.length;
    const windowed = size.map((_, i) =>
      at.space.add(
        at.space.scale(at.index[outer + i]!, stride[i]!),
        at.space.scale(at.index[outer + size.length + i]!, dilation[i]!),
      ),
    );
    return at.input(0, [...at.index.slice(0, outer), ...windowed]);
  },
});

export function inverseOrder(order: Axes): number[] {
  const inverse = new Array<number>(order.length);
  order.forEach((axis, position) => {
    inverse[axis] = position;
  });
  return inverse;
}

/** x in another shape of the same size; one size may be -1 and is then worked out. */
export function reshape(x: Node, shape: Shape): Node {
  const known = resolveShape(x, shape);
  if (sameShape(known, x.shape)) return x;
  return apply(Reshape, [x], known);
}

function resolveShape(x: Node, shape: Shape): Shape {
  const { size } = x;
  const open = shape.indexOf(-1);
  const known = sizeOf(shape.map((length) => (length === -1 ? 1 : length)));
  const valid = shape.every((length, axis) => Number.isInteger(length) && (length >= 0 || axis === open));
  const fits = open < 0 ? known === size : known === 0 ? size === 0 : size % known === 0;
  if (!valid || !fits) {
    throw new ShapeError(
      'reshape',
      `${show(x.shape)} has ${size} elements, ${show(shape)} ${open < 0 ? `has ${known}` : `cannot hold them with whole sizes`}.`,
      { from: x.shape, to: shape },
    );
  }
  return open < 0 ? shape : shape.map((length) => (length === -1 ? (known === 0 ? 0 : size / known) : length));
}

/** The axes in another order; `order[i]` is the axis of x that becomes axis i. */
export function permute(x: Node, order: Axes): Node {
  const { length } = x.shape;
  const normal: number[] = [];
  let isAsBefore = order.length === length;
  let isWrong = order.length !== length;
  for (let position = 0; position < order.length; position++) {
    const axis = normalizeAxis('permute', order[position]!, length);
    isWrong ||= normal.includes(axis);
    isAsBefore &&= axis === position;
    normal.push(axis);
  }
  if (isWrong) {
    throw new ShapeError('permute', `[${order.join(', ')}] does not name each axis of ${show(x.shape)} once.`, {
      order,
    });
  }
  if (isAsBefore) return x;
  const asked = (): Node => apply(Permute, [x], normal);
  const swapped = swapContraction(x, normal);
  if (swapped === null) return asked();
  swapped.asked = asked;
  return swapped;
}

/** The axis `from` at the place `to`; the others keep their order. */
export function moveAxis(x: Node, from: number, to: number): Node {
  const order = x.shape.map((_, axis) => axis).filter((axis) => axis !== from);
  return permute(x, order.toSpliced(to, 0, from));
}

/** The last two axes exchanged, or any two. */
export function transpose(x: Node, a = -2, b = -1): Node {
  const order = x.shape.map((_, axis) => axis);
  const first = normalizeAxis('transpose', a, x.shape.length);
  const second = normalizeAxis('transpose', b, x.shape.length);
  order[first] = second;
  order[second] = first;
  return permute(x, order);
}

/** x repeated to a larger shape by NumPy's rule. */
export function expandTo(x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x;
  const missing = shape.length - x.shape.length;
  const fits = missing >= 0 && x.shape.every((size, axis) => size === 1 || size === shape[axis + missing]);
  if (!fits) {
    throw new ShapeError('expand', `${show(x.shape)} cannot be repeated to ${show(shape)}: only axes of size 1 grow.`, {
      from: x.shape,
      to: shape,
    });
  }
  return apply(Expand, [x], shape);
}

/** The sum over everything that broadcasting to x.shape repeated: the adjoint of `expandTo`. */
export function sumTo(x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x;
  const missing = x.shape.length - shape.length;
  const axes: number[] = [];
  for (let axis = 0; axis < x.shape.length; axis++) {
    if (axis < missing || (shape[axis - missing] === 1 && x.shape[axis] !== 1)) axes.push(axis);
  }
  return reshape(axes.length === 0 ? x : sum(x, axes), shape);
}

export function sliceStatic(x: Node, attributes: SliceAttributes): Node {
  const { start, size, step } = attributes;
  const whole = x.shape.every((length, axis) => start[axis] === 0 && size[axis] === length && step[axis] === 1);
  return whole ? x : apply(Slice, [x], attributes);
}

export function padStatic(x: Node, attributes: PadAttributes): Node {
  const { before, after, step } = attributes;
  const nothing = x.shape.every(
    (size, axis) => before[axis] === 0 && after[axis] === 0 && (step[axis] === 1 || size <= 1),
  );
  return nothing ? x : apply(Pad, [x], attributes);
}

/** The elements from `start`, as many as `size` says, along one axis. */
export function narrow(x: Node, axis: number, start: number, size: number): Node {
  return sliceStatic(x, {
    start: x.shape.map((_, a) => (a === axis ? start : 0)),
    size: x.shape.map((length, a) => (a === axis ? size : length)),
    step: x.shape.map(() => 1),
  });
}

export function flip(x: Node, axes?: number | Axes): Node {
  const normal = normalizeAxes('flip', axes, x.shape.length).filter((axis) => x.shape[axis] !== 1);
  return normal.length === 0 ? x : apply(Flip, [x], normal);
}

/** Removes axes of size 1: all of them, or those named. */
export function squeeze(x: Node, axes?: number | Axes): Node {
  const named = axes === undefined ? null : normalizeAxes('squeeze', axes, x.shape.length);
  for (const axis of named ?? []) {
    if (x.shape[axis] !== 1) {
      throw new ShapeError('squeeze', `axis ${axis} of ${show(x.shape)} has size ${x.shape[axis]}, not 1.`, { axis });
    }
  }
  return reshape(
    x,
    x.shape.filter((size, axis) => (named === null ? size !== 1 : !named.includes(axis))),
  );
}

/** Inserts an axis of size 1 before `axis` (counted in the result). */
export function unsqueeze(x: Node, axis: number): Node {
  const at = normalizeAxis('unsqueeze', axis, x.shape.length + 1);
  return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}

/** Windows of `size` over the last axes. */
export function window(x: Node, attributes: WindowAttributes): Node {
  const { size, stride, dilation } = attributes;
  const outer = x.shape.length - size.length;
  if (outer < 0) throw new ShapeError('window', `${show(x.shape)} has fewer axes than the window ${show(size)}.`);
  size.forEach((count, i) => {
    if ([count, stride[i]!, dilation[i]!].some((n) => !Number.isInteger(n) || n < 1)) {
      throw new ValueError('window', 'sizes, strides and dilations must be whole numbers from 1.', { ...attributes });
    }
    const reach = (count - 1) * dilation[i]! + 1;
    if (reach > x.shape[outer + i]!) {
      throw new ShapeError(
        'window',
        `a window of ${count} (reach ${reach}) does not fit axis ${outer + i} of ${show(x.shape)}: pad the input or use a smaller window.`,
        { shape: x.shape, ...attributes },
      );
    }
  });
  return apply(Window, [x], attributes);
}

/** A box of the given size at starts that only the device knows. */
export function dynamicSlice(x: Node, starts: readonly Node[], size: Shape): Node {
  return apply(DynamicSlice, [x, ...starts], size);
}

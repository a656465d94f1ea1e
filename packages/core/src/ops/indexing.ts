/** Reading and writing at computed positions: gather, scatterAdd, update of a box, concat. */

import type { Shape } from '../backend.ts';
import { promote } from '../dtype.ts';
import { DTypeError, ShapeError } from '../errors.ts';
import { named } from '../graph/hooks.ts';
import type { Index } from '../graph/index-expression.ts';
import { apply, constant, type Node } from '../graph/node.ts';
import { type Binary, definePrimitive, type Primitive, type Ternary } from '../graph/primitive.ts';
import { settings } from '../settings.ts';
import { normalizeAxis, sameShape, show, sizeOf, stridesOf } from '../shape.ts';
import { add, maximum, minimum, multiply, subtract } from './arithmetic.ts';
import { isBatched, spread } from './batch.ts';
import { and, equal, less, where } from './compare.ts';
import { cast } from './functions.ts';
import { like, widened } from './pointwise.ts';
import { indexAlong } from './sources.ts';
import { DynamicSlice, expandTo, narrow, Permute, permute, reshape } from './views.ts';

interface GatherAttributes {
  readonly axis: number;
  /** The indices are known to be in range. */
  readonly isInside: boolean;
}

/** Slices of x along an axis: [...before, ...index.shape, ...after]. Indices outside are clamped. */
export const Gather: Primitive<GatherAttributes, Binary> = definePrimitive({
  name: 'gather',
  kind: 'pointwise',
  access: (_, position) => (position === 0 ? 'stored' : 'many'),
  infer: ([x, index], { axis }) => ({
    dtype: x.dtype,
    shape: [...x.shape.slice(0, axis), ...index.shape, ...x.shape.slice(axis + 1)],
  }),
  key: ({ axis }) => [axis],
  // an element that was read twice receives both cotangents
  gradient: (g, [x, index], { attributes: { axis, isInside } }) => {
    const flat = reshape(g, [...x.shape.slice(0, axis), index.size, ...x.shape.slice(axis + 1)]);
    const places = reshape(index, [-1]);
    // an index outside was read as the nearest one inside
    const last = like(index, x.shape[axis]! - 1);
    const read = isInside ? places : minimum(maximum(places, like(index, 0)), last);
    return [scatterAdd(constant(0, 'float32', x.shape, x.backend), read, flat, axis), null];
  },
  batch: ([x, index], { inputs: [one, places], attributes: { axis, isInside }, shape }, size) => {
    if (!isBatched(index, places)) return apply(Gather, [x, index], { axis: axis + 1, isInside });
    const inside = isInside ? index : minimum(maximum(index, like(index, 0)), like(index, one.shape[axis]! - 1));
    const flat = reshape(x, [-1, ...one.shape.slice(axis + 1)]);
    const found = rowPlaces(reshape(inside, [size, -1]), one.shape.slice(0, axis + 1), isBatched(x, one));
    return reshape(apply(Gather, [flat, found], { axis: 0, isInside: true }), [size, ...shape]);
  },
  lower: (node, at) => {
    const [x, index] = node.inputs;
    const { axis } = node.attributes;
    const { length } = index.shape;
    const found = at.input(1, at.index.slice(axis, axis + length));
    const chosen = at.computed(found, 0, x.shape[axis]! - 1);
    return at.input(0, [...at.index.slice(0, axis), chosen, ...at.index.slice(axis + length)]);
  },
});

/**
 * base with `update[..., j, ...]` added at `index[j]` along an axis, or the larger of both; indices outside are ignored.
 * Inputs: base, index [J], update.
 * @__NO_SIDE_EFFECTS__
 */
function scattering(
  name: string,
  op: 'sum' | 'max',
  gradient: NonNullable<Primitive<number, Ternary>['gradient']> | null,
): Primitive<number, Ternary> {
  return definePrimitive<number, Ternary>({
    name,
    kind: 'nest',
    access: (_, position) => (position === 0 ? 'once' : 'stored'),
    infer: ([base]) => base,
    key: (axis) => [axis],
    ...(gradient && { gradient }),
    batch: ([base, index, values], node, size) => {
      const { inputs, attributes: axis, shape, primitive } = node;
      const all = [spread(base, inputs[0], size), spread(values, inputs[2], size)] as const;
      if (!isBatched(index, inputs[1])) return apply(primitive, [all[0], index, all[1]], axis + 1);
      const isInside = and(less(like(index, -1), index), less(index, like(index, shape[axis]!)));
      const places = reshape(isInside, [size, 1, -1]);
      const found = where(places, rowPlaces(index, shape.slice(0, axis + 1), true), like(index, -1));
      const after = shape.slice(axis + 1);
      const [rows, flat] = all.map((x) => reshape(x, [x.size / Math.max(1, sizeOf(after)), ...after])) as [Node, Node];
      return reshape(apply(primitive, [rows, reshape(found, [-1]), flat], 0), [size, ...shape]);
    },
    reduction: ({ inputs: [, index], dtype }) => ({ op, extents: index.shape, dtype }),
    lower: (node, at) => {
      const axis = node.attributes;
      const [turn] = at.reduced as [Index];
      const target = at.operand(1, [turn]);
      const update = at.operand(
        2,
        at.index.map((index, a) => (a === axis ? turn : index)),
      );
      const hit = at.emit('equal', 'bool', target, at.integer(at.index[axis]!));
      const lowest = node.dtype === 'float32' ? Number.NEGATIVE_INFINITY : -(2 ** 31);
      return at.emit('where', node.dtype, hit, update, at.constant(op === 'sum' ? 0 : lowest, node.dtype));
    },
    finishing: [0],
    finish: (node, at, accumulator) =>
      at.emit(op === 'sum' ? 'add' : 'max', node.dtype, at.input(0, at.index), accumulator),
    hint: (node, operands) => ({
      kind: 'scatter',
      axis: node.attributes,
      index: operands[0]!,
      update: operands[1]!,
    }),
  });
}

// an update whose index is outside went nowhere
export const ScatterAdd: Primitive<number, Ternary> = scattering(
  'scatterAdd',
  'sum',
  (g, [, index], { attributes: axis, shape }) => [
    g,
    null,
    () => {
      const isInside = and(less(like(index, -1), index), less(index, like(index, shape[axis]!)));
      const along = shape.map((_, a) => (a === axis ? index.size : 1));
      return where(reshape(isInside, along), gather(g, index, axis), like(g, 0));
    },
  ],
);

/** No gradient: who uses it says where the cotangent of equal elements goes. */
export const ScatterMax: Primitive<number, Ternary> = scattering('scatterMax', 'max', null);

type UpdateInputs = readonly [base: Node, value: Node, ...starts: Node[]];

/** base with a box replaced. Inputs: base, value, and one 0-d int32 start an axis; starts must be in range. */
export const Update: Primitive<null, UpdateInputs> = definePrimitive({
  name: 'update',
  kind: 'boxes',
  access: (_, position) => (position <= 1 ? 'once' : 'many'),
  infer: ([base]) => base,
  gradient: (g, [, value, ...starts]) => [
    () => update(g, constant(0, g.dtype, value.shape), starts),
    () => apply(DynamicSlice, [g, ...starts], value.shape),
    ...starts.map(() => null),
  ],
  batch: ([base, value, ...starts], { inputs: [own, one], shape }, size) => {
    const rows = spread(base, own, size);
    if (starts.every((start) => start.shape.length === 0)) {
      return update(rows, spread(value, one, size), [constant(0, 'int32'), ...starts]);
    }
    const all = rows.shape;
    let isInside = constant(1, 'bool');
    const places = starts.map((start, axis) => {
      const length = one.shape[axis]!;
      const place = subtract(indexAlong(all, axis + 1), boxStart(start, shape[axis]! - length, shape.length));
      const inside = minimum(maximum(place, like(place, 0)), like(place, length - 1));
      isInside = and(isInside, equal(place, inside));
      return inside;
    });
    return where(isInside, pick(value, one, places, all), rows);
  },
  boxes: (node) => ({ base: 0, boxes: [{ input: 1, start: node.shape.map((_, axis) => ({ input: axis + 2 })) }] }),
  // without boxes: where(inside the box, value, base)
  lower: (node, at) => {
    const [, value] = node.inputs;
    let within: number | null = null;
    const index = at.index.map((outer, axis) => {
      const size = value.shape[axis]!;
      const room = node.shape[axis]! - size;
      if (room === 0) return outer;
      const start = at.space.computed(at.input(axis + 2, []), 0, room);
      const moved = at.space.add(outer, at.space.scale(start, -1));
      // inside the box where clamping to it changes nothing: one comparison an axis, since bodies are short
      const clamped = at.space.clamp(moved, 0, size - 1);
      const condition = at.emit('equal', 'bool', at.integer(moved), at.integer(clamped));
      within = within === null ? condition : at.emit('and', 'bool', within, condition);
      return clamped;
    });
    const inner = at.input(1, index);
    return within === null ? inner : at.emit('where', node.dtype, within, inner, at.input(0, at.index));
  },
});

type Pieces = readonly [Node, ...Node[]];

/** Pieces one after the other along an axis. */
export const Concat: Primitive<number, Pieces> = definePrimitive({
  name: 'concat',
  kind: 'boxes',
  infer: (inputs, axis) => {
    const [first] = inputs;
    const total = inputs.reduce((sum, x) => sum + x.shape[axis]!, 0);
    return { dtype: first.dtype, shape: first.shape.map((size, a) => (a === axis ? total : size)) };
  },
  key: (axis) => [axis],
  gradient: (g, pieces, { attributes: axis }) => {
    let end = 0;
    return pieces.map((x) => {
      const size = x.shape[axis]!;
      const start = end;
      end += size;
      return () => narrow(g, axis, start, size);
    });
  },
  batch: (pieces, { inputs, attributes: axis }, size) => {
    const [first, ...rest] = pieces.map((x, k) => spread(x, inputs[k] as Node, size)) as [Node, ...Node[]];
    return apply(Concat, [first, ...rest], axis + 1);
  },
  boxes: (node) => {
    let at = 0;
    const boxes = node.inputs.map((x, input) => {
      const start = node.shape.map((_, axis) => (axis === node.attributes ? at : 0));
      at += x.shape[node.attributes]!;
      return { input, start };
    });
    return { base: null, boxes };
  },
  // without boxes: where(before the end of the first piece, first, where(before the end of the second, second, ...))
  lower: (node, at) => {
    const axis = node.attributes;
    const along = at.index[axis]!;
    let end = node.shape[axis]!;
    let value: number | null = null;
    for (let k = node.inputs.length - 1; k >= 0; k--) {
      const size = node.inputs[k]!.shape[axis]!;
      const inner = at.space.clamp(at.space.shift(along, size - end), 0, size - 1);
      const piece = at.input(
        k,
        at.index.map((index, a) => (a === axis ? inner : index)),
      );
      const condition = at.inside(along, 0, end);
      value = value === null || condition === null ? piece : at.emit('where', node.dtype, condition, piece, value);
      end -= size;
    }
    return value as number;
  },
});

/** Whole slices of x along `axis`, chosen by an int32 tensor of any shape. */
export function gather(x: Node, index: Node, axis = 0): Node {
  requireInteger('gather', index);
  const normal = normalizeAxis('gather', axis, x.shape.length);
  requireElements('gather', x, index, normal);
  return apply(Gather, [x, index], { axis: normal, isInside: false });
}

/** For each position of `index` the element of x at that index along `axis`; the other axes stay where they are. */
export function takeAlong(x: Node, index: Node, axis: number): Node {
  requireInteger('takeAlong', index);
  const normal = normalizeAxis('takeAlong', axis, x.shape.length);
  const fits =
    index.shape.length === x.shape.length && x.shape.every((size, a) => a === normal || index.shape[a] === size);
  if (!fits) {
    throw new ShapeError(
      'takeAlong',
      `indices ${show(index.shape)} must match ${show(x.shape)} on every axis but ${normal}.`,
      { shape: x.shape, indices: index.shape, axis: normal },
    );
  }
  requireElements('takeAlong', x, index, normal);
  const y = apply(Gather, [reshape(x, [-1]), flatPositions(x, index, normal)], { axis: 0, isInside: true });
  return named('takeAlong', [x, index], normal, y as Node);
}

export function requireElements(operation: string, x: Node, index: Node, axis: number): void {
  if (x.shape[axis] !== 0 || index.size === 0) return;
  throw new ShapeError(operation, `axis ${axis} of ${show(x.shape)} is empty, there is nothing to choose from.`, {
    shape: x.shape,
    axis,
  });
}

/** The flat position in x of each index along `axis`. */
export function flatPositions(x: Node, index: Node, axis: number): Node {
  const strides = stridesOf(x.shape);
  const limit = like(index, x.shape[axis]! - 1);
  const safe = minimum(maximum(index, like(index, 0)), limit);
  let flat = multiply(safe, like(index, strides[axis]!));
  index.shape.forEach((size, a) => {
    if (a === axis || size === 1) return;
    flat = add(flat, multiply(indexAlong(index.shape, a), like(index, strides[a]!)));
  });
  return flat;
}

/**
 * Indices [B, J] along the last of the axes `sizes` as places in all of them flattened, those of the other rows and axes before:
 * [B, before, J]. `isBatched`: whether each row has axes of its own.
 */
function rowPlaces(index: Node, sizes: Shape, isBatched: boolean): Node {
  const [rows, count] = index.shape as [number, number];
  const length = sizes.at(-1)!;
  const all = sizeOf(sizes);
  const shape = [rows, length === 0 ? 0 : all / length, count];
  const places = add(multiply(indexAlong(shape, 1), like(index, length)), reshape(index, [rows, 1, count]));
  return isBatched ? add(places, multiply(indexAlong(shape, 0), like(index, all))) : places;
}

/** Where boxes start along an axis, for all rows or each of them, in range: [B or 1, 1, ...]. */
export function boxStart(start: Node, room: number, rank: number): Node {
  const inside = minimum(maximum(start, like(start, 0)), like(start, room));
  return reshape(inside, [-1, ...new Array<number>(rank).fill(1)]);
}

/** The elements of x, one for all rows (as `own` is) or each, at one place an axis: of the shape `all`, [B, ...]. */
export function pick(x: Node, own: Node, places: readonly Node[], all: Shape): Node {
  const strides = stridesOf(x.shape);
  const axes = isBatched(x, own) ? [indexAlong(all, 0), ...places] : places;
  const flat = axes.map((place, axis) => multiply(place, like(place, strides[axis]!))).reduce(add);
  return apply(Gather, [reshape(x, [-1]), expandTo(flat, all)], { axis: 0, isInside: true });
}

/** base with `update` added at `index` (1-d int32) along `axis`; repeated indices add up, those outside are ignored. */
export function scatterAdd(base: Node, index: Node, values: Node, axis = 0): Node {
  requireInteger('scatterAdd', index);
  const normal = normalizeAxis('scatterAdd', axis, base.shape.length);
  const expected = [...base.shape.slice(0, normal), ...index.shape, ...base.shape.slice(normal + 1)];
  if (!sameShape(expected, values.shape)) {
    throw new ShapeError(
      'scatterAdd',
      `updates ${show(values.shape)} do not fit: base ${show(base.shape)} with indices ${show(index.shape)} at axis ${normal} takes ${show(expected)}.`,
      { base: base.shape, index: index.shape, updates: values.shape },
    );
  }
  const dtype = promote(widened(base).dtype, widened(values).dtype);
  const flat = reshape(values, [...base.shape.slice(0, normal), index.size, ...base.shape.slice(normal + 1)]);
  if (flat.size === 0) return cast(base, dtype);
  return apply(ScatterAdd, [cast(base, dtype), reshape(index, [-1]), cast(flat, dtype)], normal);
}

/** base with the box at `starts` replaced by `value`. */
export function update(base: Node, value: Node, starts: readonly Node[]): Node {
  const fits = value.shape.length === base.shape.length && value.shape.every((size, a) => size <= base.shape[a]!);
  if (!fits || starts.length !== base.shape.length) {
    throw new ShapeError(
      'update',
      `a box of ${show(value.shape)} with ${starts.length} starts does not fit in ${show(base.shape)}.`,
      { base: base.shape, value: value.shape },
    );
  }
  if (value.size === 0) return base;
  return apply(Update, [base, cast(value, base.dtype), ...starts], null);
}

/** Tensors of equal shape but for one axis, joined along it. */
export function concat(tensors: readonly Node[], axis = 0): Node {
  const [first] = tensors;
  if (first === undefined) throw new ShapeError('concat', 'needs at least one tensor.');
  const normal = normalizeAxis('concat', axis, first.shape.length);
  let { dtype } = first;
  tensors.forEach((x, k) => {
    dtype = promote(dtype, x.dtype);
    const fits =
      x.shape.length === first.shape.length && x.shape.every((size, a) => a === normal || size === first.shape[a]);
    if (!fits) {
      throw new ShapeError(
        'concat',
        `tensor ${k} has the shape ${show(x.shape)}, the first one ${show(first.shape)}: only axis ${normal} may differ.`,
        { first: first.shape, other: x.shape, axis: normal },
      );
    }
  });
  const pieces = tensors.filter((x) => x.shape[normal] !== 0).map((x) => cast(x, dtype));
  if (pieces.length === 0) return cast(first, dtype);
  return pieces.length === 1 ? pieces[0]! : (concatBehindPermute(pieces, normal) ?? joined(pieces, normal));
}

/** How many pieces one kernel can tell apart where boxes cannot be written one by one: each takes about ten operations. */
const mostPieces = 4;

/** One concatenation; on a device that writes no boxes a tree of small ones, so that each fits a kernel. */
function joined(pieces: readonly Node[], axis: number): Node {
  const backend = pieces.find((x) => x.backend !== null)?.backend ?? settings.backend;
  let level = pieces;
  while (backend?.limits.inPlace === false && level.length > mostPieces) {
    const groups = Math.ceil(level.length / mostPieces);
    const start = (group: number): number => Math.round((group * level.length) / groups);
    level = Array.from({ length: groups }, (_, group) => joined(level.slice(start(group), start(group + 1)), axis));
  }
  return level.length === 1 ? level[0]! : apply(Concat, level, axis);
}

/** Pieces that are all permuted the same way are joined before: whole rows are copied instead of single elements. */
function concatBehindPermute(pieces: readonly Node[], axis: number): Node | null {
  const order = (x: Node): readonly number[] =>
    x.primitive === Permute && x.storage === null ? (x.attributes as readonly number[]) : [];
  const [first] = pieces as [Node];
  const shared = order(first);
  if (shared.length === 0) return null;
  if (!pieces.every((x) => x.inputs.length === 1 && sameShape(order(x), shared))) return null;
  const before = concat(
    pieces.map(({ inputs }) => inputs[0]!),
    shared[axis]!,
  );
  const made = permute(before, shared);
  made.asked = () => joined(pieces, axis);
  return made;
}

/** Tensors of equal shape along a new axis. */
export function stack(tensors: readonly Node[], axis = 0): Node {
  const [first] = tensors;
  if (first === undefined) throw new ShapeError('stack', 'needs at least one tensor.');
  const normal = normalizeAxis('stack', axis, first.shape.length + 1);
  for (const [k, x] of tensors.entries()) {
    if (!sameShape(x.shape, first.shape)) {
      throw new ShapeError('stack', `tensor ${k} has the shape ${show(x.shape)}, the first one ${show(first.shape)}.`);
    }
  }
  return concat(
    tensors.map((x) => reshape(x, [...x.shape.slice(0, normal), 1, ...x.shape.slice(normal)])),
    normal,
  );
}

/** Pieces along an axis: of the given sizes, or `pieces` equal ones. */
export function split(x: Node, pieces: number | readonly number[], axis = 0): Node[] {
  const normal = normalizeAxis('split', axis, x.shape.length);
  const length = x.shape[normal]!;
  if (typeof pieces === 'number' && (pieces < 1 || length % pieces !== 0)) {
    throw new ShapeError('split', `axis ${normal} of ${show(x.shape)} does not divide into ${pieces} equal pieces.`);
  }
  const sizes = typeof pieces === 'number' ? new Array<number>(pieces).fill(length / pieces) : pieces;
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total !== length) {
    throw new ShapeError('split', `the sizes [${sizes.join(', ')}] sum to ${total}, axis ${normal} has ${length}.`);
  }
  let start = 0;
  return sizes.map((size) => {
    start += size;
    return narrow(x, normal, start - size, size);
  });
}

export function requireInteger(operation: string, index: Node): void {
  if (index.dtype !== 'int32') {
    throw new DTypeError(operation, `indices must be int32, got ${index.dtype}: use tensor.cast('int32').`, {
      operation,
      dtype: index.dtype,
    });
  }
}

/** Pooling: reductions over a view of windows, and `Fold`, which puts the elements of windows back in their places. */
import type { Shape } from '../backend.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { customGradient } from '../graph/custom-gradient.ts';
import { named } from '../graph/hooks.ts';
import { apply, constant, type Node } from '../graph/node.ts';
import { definePrimitive, type Primitive, type Unary } from '../graph/primitive.ts';
import { show } from '../shape.ts';
import { divide, multiply } from './arithmetic.ts';
import { and, equal, notEqual, or, where } from './compare.ts';
import { perAxis, type Sizes } from './convolution.ts';
import { cast } from './functions.ts';
import { Guard } from './guard.ts';
import { widened } from './pointwise.ts';
import { argExtreme, max, min, sum } from './reduce.ts';
import { indexAlong } from './sources.ts';
import { expandTo, narrow, padStatic, reshape, unsqueeze, type WindowAttributes, window } from './views.ts';

/** The sum of overlapping windows, each element back at its place: the adjoint of `Window`. */
export const Fold: Primitive<WindowAttributes & { readonly shape: Shape }, Unary> = definePrimitive({
  name: 'fold',
  kind: 'nest',
  access: (node, _) => (overlaps(node.attributes) ? 'many' : 'once'),
  infer: ([x], { shape }) => ({ dtype: x.dtype, shape }),
  key: ({ size, stride, dilation }) => [...size, ...stride, ...dilation],
  gradient: (g, _, { attributes }) => [window(g, attributes)],
  batch: ([x], { shape, attributes }, size) => fold(x, [size, ...shape], attributes),
  reduction: ({ attributes, dtype }) => ({ op: 'sum', extents: attributes.size, dtype }),
  // element p takes part in window q as its r-th element where p = q stride + r dilation
  lower: (node, at) => {
    const { size, stride, dilation } = node.attributes;
    const outer = node.shape.length - size.length;
    const { shape } = node.inputs[0];
    const guard = new Guard(at);
    const positions = size.map((_, i) =>
      guard.exactQuotient(
        at.space.add(at.index[outer + i]!, at.space.scale(at.reduced[i]!, -dilation[i]!)),
        stride[i]!,
        shape[outer + i]!,
      ),
    );
    return guard.select(node, at.input(0, [...at.index.slice(0, outer), ...positions, ...at.reduced]));
  },
});

function overlaps({ size, stride, dilation }: WindowAttributes): boolean {
  return size.some((count, i) => (count - 1) * dilation[i]! + 1 > stride[i]!);
}

export interface PoolOptions {
  /** The size of a window along each axis of space. */
  readonly size: readonly number[];
  /** By default the size: windows touch and do not overlap. */
  readonly stride?: Sizes;
  readonly padding?: Sizes;
  readonly dilation?: Sizes;
  /** Also a last window that reaches past the end, as long as it starts inside; by default it is left out. */
  readonly ceilMode?: boolean;
}

export interface AveragePoolOptions extends PoolOptions {
  /** Whether zeros of the padding count; true by default. */
  readonly countIncludesPadding?: boolean;
  /** Divides each sum, in place of the number of elements. */
  readonly divisorOverride?: number;
}

interface Pooling extends WindowAttributes {
  readonly padding: readonly number[];
  /** What a last window needs behind the padding. */
  readonly extra: readonly number[];
}

function pooling(operation: string, x: Node, options: PoolOptions): Pooling {
  const rank = options.size.length;
  const size = perAxis(operation, 'size', options.size, rank, 1);
  const padding = perAxis(operation, 'padding', options.padding ?? 0, rank, 0);
  if (x.shape.length < rank + 1) {
    throw new ShapeError(operation, `${show(x.shape)} has too few axes for a window over ${rank} of space.`);
  }
  padding.forEach((count, i) => {
    if (count * 2 > size[i]!) {
      throw new ValueError(operation, `padding ${count} is more than half of the window ${size[i]}.`);
    }
  });
  const stride = perAxis(operation, 'stride', options.stride ?? size, rank, 1);
  const dilation = perAxis(operation, 'dilation', options.dilation ?? 1, rank, 1);
  const extra = size.map((count, i) => {
    if (options.ceilMode !== true) return 0;
    const length = x.shape[x.shape.length - rank + i]!;
    const room = length + 2 * padding[i]! - (count - 1) * dilation[i]! - 1;
    const last = Math.ceil(room / stride[i]!) * stride[i]!;
    // the last window starts in the input or in the padding before it
    return room < 0 || last >= length + padding[i]! ? 0 : last - room;
  });
  return { size, stride, dilation, padding, extra };
}

/** x padded by zeros, so that all windows lie inside. */
function padded(x: Node, { padding, extra }: Pooling): Node {
  const outer = new Array<number>(x.shape.length - padding.length).fill(0);
  const after = padding.map((count, i) => count + extra[i]!);
  return padStatic(x, { before: [...outer, ...padding], after: [...outer, ...after], step: x.shape.map(() => 1) });
}

const lastAxes = (x: Node, count: number): number[] =>
  Array.from({ length: count }, (_, i) => x.shape.length - count + i);

const isPadded = ({ padding, extra }: Pooling): boolean => [...padding, ...extra].some((count) => count > 0);

/** The windows of x, the lowest number where they leave it; `inside` says where they do not, null where they never do. */
function windowsOf(given: Node, attributes: Pooling): { readonly windows: Node; readonly inside: Node | null } {
  const x = widened(given);
  const lowest = x.dtype === 'int32' ? -(2 ** 31) : Number.NEGATIVE_INFINITY;
  const windows = window(padded(x, attributes), windowOf(attributes));
  if (!isPadded(attributes)) return { windows, inside: null };
  const inside = window(padded(expandTo(constant(1, 'bool'), x.shape), attributes), windowOf(attributes));
  return { windows: where(inside, windows, constant(lowest, x.dtype)), inside };
}

const windowOf = ({ size, stride, dilation }: Pooling): WindowAttributes => ({ size, stride, dilation });

/** Where the first of the largest elements of each window stands, in the flattened axes of space; int32. */
export function maxPlaces(x: Node, options: PoolOptions): Node {
  const attributes = pooling('maxPoolWithIndices', x, options);
  const rank = attributes.size.length;
  const { windows, inside } = windowsOf(x, attributes);
  const space = x.shape.slice(-rank);
  const outer = x.shape.slice(0, -rank).map(() => 1);
  const count = space.reduce((product, n) => product * n, 1);
  const places = reshape(indexAlong([count], 0), [...outer, ...space]);
  const axes = lastAxes(windows, rank);
  const isBest = or(equal(windows, max(windows, axes, { keepAxes: true })), notEqual(windows, windows));
  const candidates = where(
    inside === null ? isBest : and(inside, isBest),
    window(padded(places, attributes), windowOf(attributes)),
    constant(count, 'int32'), // past the last place: a small number, because some devices keep integers in floats
  );
  return min(candidates, axes);
}

/** The largest element of each window; the cotangent goes to the first of the largest, as in PyTorch. */
export function maxPool(x: Node, options: PoolOptions): Node {
  const attributes = pooling('maxPool', x, options);
  const { size } = attributes;
  const rank = size.length;
  const { windows } = windowsOf(x, attributes);
  const y = max(windows, lastAxes(windows, rank));
  const pooled = customGradient(y, [x], (g) => {
    const positions = y.shape;
    const count = size.reduce((product, n) => product * n, 1);
    const flat = reshape(windows, [...positions, count]);
    const first = argExtreme('max', flat, -1, { keepAxes: true });
    const chosen = equal(indexAlong(flat.shape, flat.shape.length - 1), first);
    const spread = where(chosen, unsqueeze(g, g.shape.length), constant(0, 'float32'));
    const folded = fold(reshape(spread, windows.shape), padded(x, attributes).shape, attributes);
    return [crop(folded, x.shape, attributes.padding)];
  });
  return named('maxPool', [x], { ...attributes, ceilMode: options.ceilMode === true }, pooled);
}

/**
 * The mean of each window; zeros of the padding count unless `countIncludesPadding` is false, what `ceilMode` adds never
 * does.
 */
export function averagePool(x: Node, options: AveragePoolOptions): Node {
  const attributes = pooling('averagePool', x, options);
  const { ceilMode = false, countIncludesPadding = true, divisorOverride = null } = options;
  return named(
    'averagePool',
    [x],
    { ...attributes, ceilMode, countIncludesPadding, divisorOverride },
    meansOf(x, attributes, options),
  );
}

function meansOf(x: Node, attributes: Pooling, options: AveragePoolOptions): Node {
  const { countIncludesPadding = true, divisorOverride } = options;
  const rank = attributes.size.length;
  const total = (source: Node): Node => {
    const windows = window(source, windowOf(attributes));
    return sum(windows, lastAxes(windows, rank));
  };
  const values = total(padded(cast(x, 'float32'), attributes));
  if (divisorOverride !== undefined) {
    if (!(divisorOverride !== 0 && Number.isFinite(divisorOverride))) {
      throw new ValueError('averagePool', `divisorOverride must be a number other than 0, got ${divisorOverride}.`);
    }
    return multiply(values, constant(1 / divisorOverride, 'float32'));
  }
  const { padding, extra, size } = attributes;
  const isCounted = countIncludesPadding ? extra.some((count) => count > 0) : isPadded(attributes);
  if (isCounted) {
    const outer = x.shape.slice(0, -rank).map(() => 1);
    const around = countIncludesPadding ? padding : padding.map(() => 0);
    const space = x.shape.slice(-rank).map((length, i) => length + 2 * around[i]!);
    const ones = expandTo(constant(1, 'float32'), [...outer, ...space]);
    const rest = padding.map((count, i) => count - around[i]!);
    return divide(values, total(padded(ones, { ...attributes, padding: rest })));
  }
  const count = size.reduce((product, n) => product * n, 1);
  return multiply(values, constant(1 / count, 'float32'));
}

function crop(x: Node, shape: Shape, padding: readonly number[]): Node {
  let y = x;
  const outer = shape.length - padding.length;
  padding.forEach((count, i) => {
    y = narrow(y, outer + i, count, shape[outer + i]!);
  });
  return y;
}

/** [..., positions, window] -> shape, overlapping elements added. */
export function fold(x: Node, shape: Shape, attributes: WindowAttributes): Node {
  const { size, stride, dilation } = attributes;
  return apply(Fold, [widened(x)], { size, stride, dilation, shape });
}

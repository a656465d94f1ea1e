/** Pooling: reductions over a view of windows, and `Fold`, which puts the elements of windows back in their places. */
import type { Shape } from '../backend.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { customGradient } from '../graph/custom-gradient.ts';
import { apply, constant, type Node } from '../graph/node.ts';
import { definePrimitive, type Primitive, type Unary } from '../graph/primitive.ts';
import { show } from '../shape.ts';
import { divide, multiply } from './arithmetic.ts';
import { equal, where } from './compare.ts';
import { perAxis, type Sizes } from './convolution.ts';
import { cast } from './functions.ts';
import { Guard } from './guard.ts';
import { argExtreme, max, sum } from './reduce.ts';
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
}

interface Pooling extends WindowAttributes {
  readonly padding: readonly number[];
}

function pooling(operation: string, x: Node, options: PoolOptions): Pooling {
  const rank = options.size.length;
  const size = perAxis(operation, 'size', options.size, rank, 1);
  const padding = perAxis(operation, 'padding', options.padding ?? 0, rank, 0);
  if (x.shape.length < rank + 1) {
    throw new ShapeError(`${operation}: ${show(x.shape)} has too few axes for a window over ${rank} of space.`);
  }
  padding.forEach((count, i) => {
    if (count * 2 > size[i]!) {
      throw new ValueError(`${operation}: padding ${count} is more than half of the window ${size[i]}.`);
    }
  });
  return {
    size,
    stride: perAxis(operation, 'stride', options.stride ?? size, rank, 1),
    dilation: perAxis(operation, 'dilation', options.dilation ?? 1, rank, 1),
    padding,
  };
}

/** Windows of x padded by zeros, as [..., positions, elements of the window]. */
function padded(x: Node, { padding }: Pooling): Node {
  const outer = new Array<number>(x.shape.length - padding.length).fill(0);
  const around = [...outer, ...padding];
  return padStatic(x, { before: around, after: around, step: x.shape.map(() => 1) });
}

const lastAxes = (x: Node, count: number): number[] =>
  Array.from({ length: count }, (_, i) => x.shape.length - count + i);

/** The largest element of each window; the cotangent goes to the first of the largest, as in PyTorch. */
export function maxPool(x: Node, options: PoolOptions): Node {
  const attributes = pooling('maxPool', x, options);
  const { size } = attributes;
  const rank = size.length;
  const isPadded = attributes.padding.some((count) => count > 0);
  const inside = isPadded ? window(padded(expandTo(constant(1, 'bool'), x.shape), attributes), attributes) : null;
  const frame = padded(x, attributes);
  const lowest = x.dtype === 'int32' ? -(2 ** 31) : Number.NEGATIVE_INFINITY;
  const windowsOf = (source: Node): Node => {
    const windows = window(source, attributes);
    return inside === null ? windows : where(inside, windows, constant(lowest, x.dtype));
  };
  const windows = windowsOf(frame);
  const y = max(windows, lastAxes(windows, rank));
  return customGradient(y, [x], (g) => {
    const positions = y.shape;
    const count = size.reduce((product, n) => product * n, 1);
    const flat = reshape(windows, [...positions, count]);
    const first = argExtreme('max', flat, -1, { keepAxes: true });
    const chosen = equal(indexAlong(flat.shape, flat.shape.length - 1), first);
    const spread = where(chosen, unsqueeze(g, g.shape.length), constant(0, 'float32'));
    const folded = fold(reshape(spread, windows.shape), frame.shape, attributes);
    return [crop(folded, x.shape, attributes.padding)];
  });
}

/** The mean of each window; zeros of the padding count unless `countIncludesPadding` is false. */
export function averagePool(x: Node, options: PoolOptions & { readonly countIncludesPadding?: boolean }): Node {
  const attributes = pooling('averagePool', x, options);
  const rank = attributes.size.length;
  const total = (source: Node): Node => {
    const windows = window(padded(source, attributes), attributes);
    return sum(windows, lastAxes(windows, rank));
  };
  const values = total(cast(x, 'float32'));
  if (options.countIncludesPadding === false && attributes.padding.some((count) => count > 0)) {
    const ones = expandTo(constant(1, 'float32'), [
      ...new Array<number>(x.shape.length - rank).fill(1),
      ...x.shape.slice(-rank),
    ]);
    return divide(values, total(ones));
  }
  const count = attributes.size.reduce((product, n) => product * n, 1);
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
  return apply(Fold, [x], { size, stride, dilation, shape });
}

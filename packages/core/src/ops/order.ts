/** Running sums, products and extremes, and sorting, along an axis. */

import type { DType, Kernel } from '../backend.ts';
import { ValueError } from '../errors.ts';
import type { Index } from '../graph/index-expression.ts';
import { apply, constant, type Node } from '../graph/node.ts';
import { definePrimitive, type Primitive, type Unary } from '../graph/primitive.ts';
import { normalizeAxis, show } from '../shape.ts';
import { subtract } from './arithmetic.ts';
import { cast } from './functions.ts';
import { flatPositions, scatterAdd, takeAlong } from './indexing.ts';
import { widened } from './pointwise.ts';
import { indexAlong } from './sources.ts';
import { flip, narrow, reshape } from './views.ts';

type Reduction = NonNullable<Kernel['reduce']>['op'];

/** What changes no result of a reduction. */
export function neutral(op: Reduction, dtype: DType): number {
  if (op === 'sum' || op === 'product') return op === 'sum' ? 0 : 1;
  const isFloat = dtype === 'float32';
  if (op === 'max') return isFloat ? Number.NEGATIVE_INFINITY : -(2 ** 31);
  return isFloat ? Number.POSITIVE_INFINITY : 2 ** 31 - 1;
}

/**
 * y_i = x_0 op ... op x_i along an axis.
 * @__NO_SIDE_EFFECTS__
 */
export function running(
  name: string,
  op: Reduction,
  gradient: NonNullable<Primitive<number, Unary>['gradient']> | null,
): Primitive<number, Unary> {
  return definePrimitive<number, Unary>({
    name,
    kind: 'nest',
    access: () => 'stored',
    infer: ([x]) => x,
    key: (axis) => [axis],
    ...(gradient && { gradient }),
    batch: ([x], { primitive, attributes: axis }) => apply(primitive, [x], axis + 1),
    reduction: ({ shape, attributes, dtype }) => ({ op, extents: [shape[attributes]!], dtype }),
    lower: (node, at) => {
      const axis = node.attributes;
      const [r] = at.reduced as [Index];
      const operand = at.operand(
        0,
        at.index.map((index, a) => (a === axis ? r : index)),
      );
      const before = at.emit('less', 'bool', at.integer(r), at.integer(at.space.shift(at.index[axis]!, 1)));
      return at.emit('where', node.dtype, before, operand, at.constant(neutral(op, node.dtype), node.dtype));
    },
    hint: (node, operands) => ({ kind: 'scan', axis: node.attributes, operand: operands[0]! }),
  });
}

// y_i = sum over r <= i of x_r; the cotangent of x_r is the sum over i >= r: the same from the other end
export const Cumsum: Primitive<number, Unary> = running('cumsum', 'sum', (g, _, { attributes: axis }) => [
  flip(apply(Cumsum, [flip(g, axis)], axis), axis),
]);

/** The position of each element in its sorted row: how many come before it. Equal elements keep their order, NaN comes last. */
export const Rank: Primitive<number, Unary> = definePrimitive({
  name: 'rank',
  kind: 'nest',
  access: () => 'stored',
  exact: [0],
  infer: ([x]) => ({ dtype: 'int32', shape: x.shape }),
  key: (axis) => [axis],
  batch: ([x], { attributes: axis }) => apply(Rank, [x], axis + 1),
  reduction: ({ inputs: [x], attributes }) => ({
    op: 'sum',
    extents: [x.shape[attributes]!],
    dtype: 'int32',
  }),
  lower: (node, at) => {
    const axis = node.attributes;
    const [r] = at.reduced as [Index];
    const other = at.operand(
      0,
      at.index.map((index, a) => (a === axis ? r : index)),
    );
    const self = at.input(0, at.index);
    const isNumber = at.emit('equal', 'bool', self, self);
    const otherIsNumber = at.emit('equal', 'bool', other, other);
    // a number comes before every NaN
    const numberFirst = at.emit('less', 'bool', isNumber, otherIsNumber);
    const smaller = at.emit('or', 'bool', at.emit('less', 'bool', other, self), numberFirst);
    const bothNaN = at.emit('less', 'bool', at.emit('or', 'bool', isNumber, otherIsNumber), at.constant(1, 'bool'));
    const same = at.emit('or', 'bool', at.emit('equal', 'bool', other, self), bothNaN);
    const earlier = at.emit('less', 'bool', at.integer(r), at.integer(at.index[axis]!));
    const before = at.emit('or', 'bool', smaller, at.emit('and', 'bool', same, earlier));
    return at.emit('cast', 'int32', before);
  },
  hint: (node, operands) => ({ kind: 'rank', axis: node.attributes, operand: operands[0]! }),
});

export function cumsum(x: Node, axis: number): Node {
  const normal = normalizeAxis('cumsum', axis, x.shape.length);
  return apply(Cumsum, [x.dtype === 'bool' ? cast(x, 'int32') : widened(x)], normal);
}

export interface SortOptions {
  readonly descending?: boolean;
}

/** The indices that sort x along `axis`. */
export function argSort(x: Node, axis: number, options: SortOptions = {}): Node {
  const normal = normalizeAxis('argSort', axis, x.shape.length);
  const values = x.dtype === 'bool' ? cast(x, 'int32') : widened(x);
  // descending is ascending from the other end: equal elements keep their order, and NaN, the largest, comes first
  const rank =
    options.descending === true
      ? subtract(constant(x.shape[normal]! - 1, 'int32'), flip(apply(Rank, [flip(values, normal)], normal), normal))
      : apply(Rank, [values], normal);
  if (x.size === 0) return rank;
  // the inverse permutation: order[rank[i]] = i
  const positions = reshape(flatPositions(rank, rank, normal), [-1]);
  const indices = reshape(indexAlong(rank.shape, normal), [-1]);
  return reshape(scatterAdd(constant(0, 'int32', [x.size]), positions, indices, 0), x.shape);
}

export function sort(x: Node, axis: number, options: SortOptions = {}): { values: Node; indices: Node } {
  const indices = argSort(x, axis, options);
  return { values: takeAlong(x, indices, axis), indices };
}

/** The k largest (or smallest) along `axis`, in order. */
export function topK(
  x: Node,
  k: number,
  axis: number,
  options: { readonly largest?: boolean } = {},
): { values: Node; indices: Node } {
  const normal = normalizeAxis('topK', axis, x.shape.length);
  if (!Number.isInteger(k) || k < 0 || k > x.shape[normal]!) {
    throw new ValueError(
      'topK',
      `k = ${k} is not from 0 to ${x.shape[normal]}, the size of axis ${normal} of ${show(x.shape)}.`,
    );
  }
  const order = argSort(x, normal, { descending: options.largest !== false });
  const indices = narrow(order, normal, 0, k);
  return { values: takeAlong(x, indices, normal), indices };
}

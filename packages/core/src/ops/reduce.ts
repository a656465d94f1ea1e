/** Reductions over axes: sum, product, max, min, and what is made of them. */
import type { Axes } from '../backend.ts';
import { isFloat } from '../dtype.ts';
import { ShapeError } from '../errors.ts';
import { stopGradient } from '../graph/custom-gradient.ts';
import { named } from '../graph/hooks.ts';
import type { Index } from '../graph/index-expression.ts';
import { apply, constant, type Node } from '../graph/node.ts';
import { definePrimitive, type Lowering, type Primitive, type Unary } from '../graph/primitive.ts';
import { normalizeAxes, normalizeAxis, show } from '../shape.ts';
import { divide, maximum, multiply, negate, subtract } from './arithmetic.ts';
import { behindRows } from './batch.ts';
import { equal, notEqual, or, where } from './compare.ts';
import { cast, sqrt, square } from './functions.ts';
import { computable, like, widened } from './pointwise.ts';
import { indexAlong } from './sources.ts';
import { expandTo, inverseOrder, narrow, permute, reshape } from './views.ts';

export interface ReduceOptions {
  /** Keep the reduced axes with size 1. */
  readonly keepAxes?: boolean;
}

type Reduction = Primitive<Axes, Unary>;
type Rule = NonNullable<Reduction['gradient']>;

/** @__NO_SIDE_EFFECTS__ */
function reduction(
  name: string,
  op: 'sum' | 'product' | 'max' | 'min',
  exact: boolean,
  gradient: Rule | null,
): Reduction {
  return definePrimitive<Axes, Unary>({
    name,
    kind: 'nest',
    ...(exact ? { exact: [0] } : {}),
    infer: ([{ dtype, shape }], axes) => ({ dtype, shape: shape.filter((_, axis) => !axes.includes(axis)) }),
    key: (axes) => axes,
    ...(gradient && { gradient }),
    batch: ([x], { primitive, attributes: axes }) => apply(primitive, [x], behindRows(axes)),
    reduction: ({ inputs: [x], attributes, dtype }) => ({
      op,
      extents: attributes.map((axis) => x.shape[axis]!),
      dtype,
    }),
    lower: (node, at) => at.input(0, spread(node, at)),
  });
}

/** The index of the input: the node's own axes with the reduced ones put back in. */
function spread({ inputs: [x], attributes }: Node<Axes, Unary>, at: Lowering): Index[] {
  let kept = 0;
  return x.shape.map((_, axis) => {
    const position = attributes.indexOf(axis);
    return (position < 0 ? at.index[kept++] : at.reduced[position])!;
  });
}

// d sum(x) = sum(dx): every element receives the cotangent of its sum
export const Sum: Reduction = reduction('sum', 'sum', false, (g, [x], { attributes: axes }) => [spreadTo(g, x, axes)]);
// d prod(x) = sum over i of dx_i times the product of the others
export const Product: Reduction = reduction('prod', 'product', false, (g, [x], { attributes: axes }) => [
  multiply(spreadTo(g, x, axes), productOfOthers(x, axes)),
]);
// d max(x) goes to the largest elements, in equal shares (as PyTorch's amax)
export const Max: Reduction = reduction('max', 'max', true, (g, [x], y) => [shareOfExtreme(g, x, y)]);
export const Min: Reduction = reduction('min', 'min', true, (g, [x], y) => [shareOfExtreme(g, x, y)]);

function shareOfExtreme(g: Node, x: Node, y: Node<Axes, Unary>): Node {
  const axes = y.attributes;
  const isExtreme = cast(equal(x, spreadTo(y, x, axes)), 'float32');
  const share = divide(g, sum(isExtreme, axes));
  return multiply(isExtreme, spreadTo(share, x, axes));
}

/** The largest element to scale by, of which no gradient is asked: nothing is compared with it, so x need not be stored. */
const Bound: Reduction = reduction('bound', 'max', false, null);

/** The largest magnitude of each row, kept axes, a constant to gradients. */
export function magnitude(x: Node, axes: Axes): Node {
  return stopGradient(reshape(apply(Bound, [maximum(x, negate(x))], axes), keptShape(x, axes)));
}

/** A reduced tensor repeated over the reduced axes of x. */
function spreadTo(y: Node, x: Node, axes: Axes): Node {
  return expandTo(reshape(y, keptShape(x, axes)), x.shape);
}

function keptShape(x: Node, axes: Axes): number[] {
  return x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
}

/** For each element the product over all others of its row: right also where elements are 0, to every order. */
function productOfOthers(x: Node, axes: Axes): Node {
  const shape = x.shape;
  const kept = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const keptSizes = kept.map((axis) => shape[axis]!);
  const count = axes.reduce((product, axis) => product * shape[axis]!, 1);
  const order = [...kept, ...axes];
  const rows = reshape(permute(x, order), [...keptSizes, 1, count]);
  const square = [...keptSizes, count, count];
  const rank = square.length;
  const itself = equal(indexAlong(square, rank - 2), indexAlong(square, rank - 1));
  const others = product(where(itself, like(x, 1), expandTo(rows, square)), rank - 1);
  const shaped = reshape(others, [...keptSizes, ...axes.map((axis) => shape[axis]!)]);
  return permute(shaped, inverseOrder(order));
}

function reduce(primitive: Reduction, given: Node, axes: number | Axes | undefined, options: ReduceOptions): Node {
  const x = computable(primitive.name, given);
  const normal = normalizeAxes(primitive.name, axes, x.shape.length);
  // a sum or product over axes of size 1 is a change of shape
  const y = normal.every((axis) => x.shape[axis] === 1)
    ? reshape(
        x,
        x.shape.filter((_, axis) => !normal.includes(axis)),
      )
    : apply(primitive, [x], normal);
  return options.keepAxes === true ? reshape(y, keptShape(x, normal)) : y;
}

const counting = (x: Node): Node => (x.dtype === 'bool' ? cast(x, 'int32') : x);

export function sum(x: Node, axes?: number | Axes, options: ReduceOptions = {}): Node {
  return reduce(Sum, counting(x), axes, options);
}

export function product(x: Node, axes?: number | Axes, options: ReduceOptions = {}): Node {
  return reduce(Product, counting(x), axes, options);
}

export function max(x: Node, axes?: number | Axes, options: ReduceOptions = {}): Node {
  return extreme(Max, x, axes, options);
}

export function min(x: Node, axes?: number | Axes, options: ReduceOptions = {}): Node {
  return extreme(Min, x, axes, options);
}

function extreme(primitive: Reduction, x: Node, axes: number | Axes | undefined, options: ReduceOptions): Node {
  const normal = normalizeAxes(primitive.name, axes, x.shape.length);
  for (const axis of normal) {
    if (x.shape[axis] === 0) {
      throw new ShapeError(
        primitive.name,
        `axis ${axis} of ${show(x.shape)} is empty, and nothing has no ${primitive.name}.`,
        { shape: x.shape, axis },
      );
    }
  }
  return x.dtype === 'bool'
    ? cast(reduce(primitive, counting(x), axes, options), 'bool')
    : reduce(primitive, x, axes, options);
}

export function mean(x: Node, axes?: number | Axes, options: ReduceOptions = {}): Node {
  const normal = normalizeAxes('mean', axes, x.shape.length);
  const count = normal.reduce((product, axis) => product * x.shape[axis]!, 1);
  const y = divide(sum(cast(x, 'float32'), normal, options), constant(count, 'float32'));
  return named('mean', [x], { axes: normal, keepAxes: options.keepAxes === true }, y);
}

/**
 * x less its mean over the axes, kept. Taken from the first element first: the sum is then one of small numbers, and keeps the
 * digits that a sum of large ones rounds away (Chan, Golub and LeVeque 1983). No result depends on that element.
 */
export function centred(x: Node, axes?: number | Axes): Node {
  const normal = normalizeAxes('centred', axes, x.shape.length);
  const real = cast(x, 'float32');
  if (normal.some((axis) => x.shape[axis] === 0)) return real; // nothing to centre
  const first = normal.reduce((row, axis) => narrow(row, axis, 0, 1), real);
  const shifted = subtract(real, stopGradient(first));
  return subtract(shifted, mean(shifted, normal, { keepAxes: true }));
}

/** The mean squared deviation; the sum is divided by n - correction (1 by default, Bessel's). */
export function variance(
  x: Node,
  axes?: number | Axes,
  options: ReduceOptions & { readonly correction?: number } = {},
): Node {
  const normal = normalizeAxes('variance', axes, x.shape.length);
  const count = normal.reduce((product, axis) => product * x.shape[axis]!, 1);
  const divisor = Math.max(0, count - (options.correction ?? 1));
  return divide(sum(square(centred(x, normal)), normal, options), constant(divisor, 'float32'));
}

export function standardDeviation(
  x: Node,
  axes?: number | Axes,
  options: ReduceOptions & { readonly correction?: number } = {},
): Node {
  const squared = variance(x, axes, options);
  // a root has no slope at 0: take it of 1 there instead, and give 0
  const isZero = equal(squared, like(squared, 0));
  return where(isZero, like(squared, 0), sqrt(where(isZero, like(squared, 1), squared)));
}

export function all(x: Node, axes?: number | Axes, options: ReduceOptions = {}): Node {
  return cast(product(cast(cast(x, 'bool'), 'int32'), axes, options), 'bool');
}

export function any(x: Node, axes?: number | Axes, options: ReduceOptions = {}): Node {
  return cast(sum(cast(cast(x, 'bool'), 'int32'), axes, options), 'bool');
}

/** The first index along `axis` where x equals its maximum (or minimum), or of the first NaN where the row has one. */
export function argExtreme(kind: 'max' | 'min', x: Node, axis: number, options: ReduceOptions = {}): Node {
  const normal = normalizeAxis(kind === 'max' ? 'argMax' : 'argMin', axis, x.shape.length);
  const source = counting(widened(x));
  const size = x.shape[normal]!;
  const best = (kind === 'max' ? max : min)(source, normal, { keepAxes: true });
  const isBest = equal(source, best);
  const isChosen = isFloat(source.dtype) ? or(isBest, notEqual(source, source)) : isBest;
  const candidates = where(isChosen, indexAlong(x.shape, normal), constant(size, 'int32'));
  const first = reduce(Min, candidates, normal, options);
  const y = where(equal(first, constant(size, 'int32')), constant(0, 'int32'), first);
  const keepAxes = options.keepAxes === true;
  return named(kind === 'max' ? 'argMax' : 'argMin', [x], { axis: normal, keepAxes }, y);
}

/**
 * Scalar functions of one tensor: the primitives, and those made of them. Gradients are written in the result `y` where
 * that is possible, so that a kernel's input need not be kept.
 */
import type { DType } from '../backend.ts';
import { checkDType, isReal } from '../dtype.ts';
import { customGradient } from '../graph/custom-gradient.ts';
import { named } from '../graph/hooks.ts';
import { apply, constant, type Node } from '../graph/node.ts';
import { definePrimitive, type Primitive, type Unary } from '../graph/primitive.ts';
import { add, divide, maximum, minimum, multiply, negate, subtract } from './arithmetic.ts';
import { and, equal, less, not, or, where } from './compare.ts';
import { scope } from './halves.ts';
import { like, pointwise, unary } from './pointwise.ts';
import { sumTo } from './views.ts';

// d exp(x) = exp(x) dx
export const Exp: Primitive<null, Unary> = pointwise({
  name: 'exp',
  op: 'exp',
  steep: () => true,
  gradient: (g, _, y) => [multiply(g, y)],
});
// d log(x) = dx / x
export const Log: Primitive<null, Unary> = pointwise({
  name: 'log',
  op: 'log',
  steep: () => true,
  gradient: (g, [x]) => [divide(g, x)],
});
// d sqrt(x) = dx / (2 sqrt(x))
export const Sqrt: Primitive<null, Unary> = pointwise({
  name: 'sqrt',
  op: 'sqrt',
  steep: () => true,
  gradient: (g, _, y) => [divide(multiply(g, like(y, 0.5)), y)],
});
// d sin(x) = cos(x) dx
export const Sin: Primitive<null, Unary> = pointwise({
  name: 'sin',
  op: 'sin',
  gradient: (g, [x]) => [multiply(g, cos(x))],
});
// d cos(x) = -sin(x) dx
export const Cos: Primitive<null, Unary> = pointwise({
  name: 'cos',
  op: 'cos',
  gradient: (g, [x]) => [negate(multiply(g, sin(x)))],
});
// (1 - tanh(x)) (1 + tanh(x)): as 1 - tanh(x)^2 it would lose digits where tanh(x) is near 1
export const tanhSlope = (y: Node): Node => multiply(subtract(like(y, 1), y), add(y, like(y, 1)));
// d tanh(x) = (1 - tanh(x)) (1 + tanh(x)) dx
export const Tanh: Primitive<null, Unary> = pointwise({
  name: 'tanh',
  op: 'tanh',
  gradient: (g, _, y) => [multiply(g, tanhSlope(y))],
});
// d erf(x) = 2 / sqrt(pi) exp(-x^2) dx
export const Erf: Primitive<null, Unary> = pointwise({
  name: 'erf',
  op: 'erf',
  gradient: (g, [x]) => [multiply(g, multiply(like(g, 2 / Math.sqrt(Math.PI)), exp(negate(square(x)))))],
});
// floor is flat wherever it is differentiable
export const Floor: Primitive<null, Unary> = pointwise({ name: 'floor', op: 'floor', gradient: () => [null] });

// d cast(x) = cast(dx) between floats, where what comes back to half floats stays float32; integers and bool carry no gradient
export const Cast: Primitive<DType, Unary> = definePrimitive({
  name: 'cast',
  kind: 'pointwise',
  isCheap: true,
  infer: ([x], dtype) => ({ dtype, shape: x.shape }),
  gradient: (g, [x]) => [isReal(x.dtype) ? g : cast(g, x.dtype)],
  lower: (node, at) => at.emit('cast', node.dtype, at.input(0, at.index)),
});

export function cast(x: Node, dtype: DType): Node {
  if (x.dtype === dtype) return x;
  checkDType('cast', dtype);
  return apply(Cast, [x], dtype);
}

export const exp = (x: Node): Node => unary(Exp, x);
export const log = (x: Node): Node => unary(Log, x);
export const sqrt = (x: Node): Node => unary(Sqrt, x);
export const sin = (x: Node): Node => unary(Sin, x);
export const cos = (x: Node): Node => unary(Cos, x);
export const tan = (x: Node): Node => divide(sin(x), cos(x));

export function tanh(x: Node): Node {
  return scope.storing.tanh(unary(Tanh, x), x);
}

export const erf = (x: Node): Node => unary(Erf, x);

export const floor = (x: Node): Node => (isReal(x.dtype) ? unary(Floor, x) : x);
export const ceil = (x: Node): Node => (isReal(x.dtype) ? negate(floor(negate(x))) : x);

/** To the nearest whole number, halves to the even one (IEEE 754 roundTiesToEven). */
export function round(x: Node): Node {
  if (!isReal(x.dtype)) return x;
  const whole = floor(x);
  const fraction = subtract(x, whole); // exact in binary floating point
  const half = like(x, 0.5);
  const pairs = floor(multiply(whole, half));
  const isOdd = less(add(pairs, pairs), whole); // 2 floor(n / 2) < n
  const isUp = or(less(half, fraction), and(equal(fraction, half), isOdd));
  const y = where(isUp, add(whole, like(x, 1)), whole);
  return named('round', [x], null, y);
}

/** The whole part, towards zero. */
export function truncate(x: Node): Node {
  return isReal(x.dtype) ? where(less(x, like(x, 0)), ceil(x), floor(x)) : x;
}

export const square = (x: Node): Node => multiply(x, x);
export const reciprocal = (x: Node): Node => divide(constant(1, 'float32'), x);
export const rsqrt = (x: Node): Node => reciprocal(sqrt(x));

/** max(x, -x); its gradient is sign(x), 0 at 0. */
export function abs(x: Node): Node {
  const y = customGradient(maximum(x, negate(x)), [x], (g) => [multiply(g, sign(x))]);
  return named('abs', [x], null, y);
}

/** -1, 0 or 1; NaN stays. */
export function sign(x: Node): Node {
  const zero = like(x, 0);
  const y = where(less(x, zero), like(x, -1), where(less(zero, x), like(x, 1), multiply(x, zero)));
  return named('sign', [x], null, y);
}

/** min(max(x, low), high); the gradient goes to x inside the bounds, the bounds included, and to a bound outside of it. */
export function clamp(x: Node, low: Node | null, high: Node | null): Node {
  let y = x;
  if (low !== null) y = maximum(y, low);
  if (high !== null) y = minimum(y, high);
  const none = constant(0, 'bool');
  // where the bounds cross, the result is the high one, whatever x is
  const isCrossed = low === null || high === null ? none : less(high, low);
  const isAbove = high === null ? none : or(isCrossed, less(high, x));
  const isBelow = low === null ? none : and(not(isCrossed), less(x, low));
  const bounds = [low, high].filter((bound) => bound !== null);
  return customGradient(y, [x, ...bounds], (g) => {
    const share = (target: Node, condition: Node, yes: Node, no: Node): Node =>
      sumTo(where(condition, yes, no), target.shape);
    return [
      () => share(x, or(isBelow, isAbove), like(g, 0), g),
      ...bounds.map((bound) => () => share(bound, bound === high ? isAbove : isBelow, g, like(g, 0))),
    ];
  });
}

/** log(1 + x), exact near 0: u = 1 + x carries the rounding, x / (u - 1) takes it out again (Kahan). */
export function log1p(x: Node): Node {
  const one = constant(1, 'float32');
  const u = add(x, one);
  const rounded = subtract(u, one);
  const isSmall = equal(rounded, like(rounded, 0));
  const isInfinite = equal(u, constant(Number.POSITIVE_INFINITY, 'float32'));
  const scaled = multiply(log(u), divide(x, where(isSmall, one, rounded)));
  const y = where(isSmall, x, where(isInfinite, u, scaled));
  // d log(1 + x) = dx / (1 + x); where that is 0 / 0 or 0 / NaN, a cotangent of 0 stays 0
  const zero = constant(0, 'float32');
  return customGradient(y, [x], (g) => {
    const slope = divide(g, add(x, one));
    // only there: a cotangent that happens to be 0 elsewhere has a slope of its own
    return [where(and(equal(g, zero), not(equal(slope, slope))), zero, slope)];
  });
}

/** exp(x) - 1, exact near 0: u = exp(x), (u - 1) x / log(u) (Kahan). */
export function expm1(x: Node): Node {
  const one = constant(1, 'float32');
  const u = exp(x);
  const shifted = subtract(u, one);
  const isSmall = equal(u, one);
  const isLimit = less(constant(0.5, 'float32'), abs(shifted)); // away from 0 the difference is exact enough
  const scaled = multiply(shifted, divide(x, where(isSmall, one, log(u))));
  const y = where(isSmall, x, where(isLimit, shifted, scaled));
  // d expm1(x) = exp(x) dx, not (y + 1) dx, which loses the digits where y is near -1
  return customGradient(y, [x], (g) => [multiply(g, u)]);
}

/** 1 / (1 + exp(-x)). d sigmoid(x) = y (1 - y) dx */
export function sigmoid(x: Node): Node {
  const one = constant(1, 'float32');
  const { stored } = scope.storing;
  const y = stored(divide(one, add(exp(negate(x)), one)));
  return named(
    'sigmoid',
    [x],
    null,
    customGradient(y, [x], (g) => [stored(multiply(g, multiply(y, subtract(one, y))))]),
  );
}

/** log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|)), which never overflows. d softplus(x) = sigmoid(x) dx */
export function softplus(x: Node): Node {
  const y = add(maximum(x, like(x, 0)), log1p(exp(negate(abs(x)))));
  return named(
    'softplus',
    [x],
    null,
    customGradient(y, [x], (g) => [multiply(g, sigmoid(x))]),
  );
}

/** max(x, 0), NaN stays. The gradient at 0 is 0; it is written in y, so x need not be kept. */
export function relu(x: Node): Node {
  const zero = like(x, 0);
  const { stored } = scope.storing;
  const y = stored(maximum(x, zero));
  return named(
    'relu',
    [x],
    null,
    customGradient(y, [x], (g) => [stored(where(less(zero, y), g, like(g, 0)))]),
  );
}

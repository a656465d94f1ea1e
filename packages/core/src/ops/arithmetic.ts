/** Sums, products, quotients, powers and extremes of two tensors: primitives, gradients and the functions on nodes. */
import { isFloat, isHalf } from '../dtype.ts';
import { stopGradient } from '../graph/custom-gradient.ts';
import { constant, constantValue, isNumber, type Node } from '../graph/node.ts';
import type { Binary, Primitive } from '../graph/primitive.ts';
import { equal, less, where } from './compare.ts';
import { log } from './functions.ts';
import { binary, like, pointwise } from './pointwise.ts';
import { Expand, expandTo } from './views.ts';

// d(a + b) = da + db
export const Add: Primitive<null, Binary> = pointwise({
  name: 'add',
  op: 'add',
  isCheap: true,
  gradient: (g) => [g, g],
});
// d(a - b) = da - db
export const Subtract: Primitive<null, Binary> = pointwise({
  name: 'sub',
  op: 'sub',
  isCheap: true,
  gradient: (g) => [g, () => negate(g)],
});
// d(a b) = b da + a db
export const Multiply: Primitive<null, Binary> = pointwise({
  name: 'mul',
  op: 'mul',
  isCheap: true,
  steep: (inputs, k) => !isFixed(inputs[1 - k]),
  gradient: (g, [a, b]) => [() => multiply(g, b), () => multiply(g, a)],
});
// d(a / b) = da / b - (a / b) db / b
export const Divide: Primitive<null, Binary> = pointwise({
  name: 'div',
  op: 'div',
  steep: ([, b], k) => k === 1 || !isFixed(b),
  gradient: (g, [, b], y) => [() => quotientSlope(g, b), () => negate(divide(multiply(g, y), b))],
});
// d(a mod b) = da - trunc(a / b) db, and trunc(a / b) = (a - a mod b) / b
export const Modulo: Primitive<null, Binary> = pointwise({
  name: 'mod',
  op: 'mod',
  gradient: (g, [a, b], y) => [g, () => wholeQuotientRule(g, a, b, y)],
});
// d(a floorMod b) = da - floor(a / b) db
export const FloorModulo: Primitive<null, Binary> = pointwise({
  name: 'floorMod',
  op: 'floorMod',
  gradient: (g, [a, b], y) => [g, () => wholeQuotientRule(g, a, b, y)],
});
// floor is flat wherever it is differentiable
export const FloorDivide: Primitive<null, Binary> = pointwise({
  name: 'floorDiv',
  op: 'floorDiv',
  gradient: () => [null, null],
});
// d(a^b) = b a^(b-1) da + a^b log(a) db, with 0 for the second term where a = 0
export const Power: Primitive<null, Binary> = pointwise({
  name: 'pow',
  op: 'pow',
  steep: () => true,
  gradient: (g, [a, b], y) => [() => multiply(g, powerSlope(a, b)), () => multiply(g, powerLogarithm(a, y))],
});
// d max(a, b): to the larger one; a tie is shared, as PyTorch's maximum does
export const Maximum: Primitive<null, Binary> = pointwise({
  name: 'maximum',
  op: 'max',
  isCheap: true,
  gradient: (g, [a, b]) => [() => shareOfLarger(g, a, b), () => shareOfLarger(g, b, a)],
});
// d min(a, b): to the smaller one, where the other is larger; a tie is shared
export const Minimum: Primitive<null, Binary> = pointwise({
  name: 'minimum',
  op: 'min',
  isCheap: true,
  gradient: (g, [a, b]) => [() => shareOfLarger(g, b, a), () => shareOfLarger(g, a, b)],
});

export function add(a: Node, b: Node): Node {
  if (isNeutral(a, b, 0)) return b;
  if (isNeutral(b, a, 0)) return a;
  return binary(Add, a, b, 'arithmetic');
}

export function subtract(a: Node, b: Node): Node {
  return isNeutral(b, a, 0) ? a : binary(Subtract, a, b, 'arithmetic');
}

export function multiply(a: Node, b: Node): Node {
  if (isNeutral(a, b, 1)) return b;
  if (isNeutral(b, a, 1)) return a;
  return binary(Multiply, a, b, 'arithmetic');
}

/** True division: integers give float32. */
export function divide(a: Node, b: Node): Node {
  return isNeutral(b, a, 1) ? a : binary(Divide, a, b, 'float');
}

export const modulo = (a: Node, b: Node): Node => binary(Modulo, a, b, 'arithmetic');
export const floorModulo = (a: Node, b: Node): Node => binary(FloorModulo, a, b, 'arithmetic');
export const floorDivide = (a: Node, b: Node): Node => binary(FloorDivide, a, b, 'arithmetic');
export const maximum = (a: Node, b: Node): Node => binary(Maximum, a, b, 'any');
export const minimum = (a: Node, b: Node): Node => binary(Minimum, a, b, 'any');

export function power(a: Node, b: Node): Node {
  return binary(Power, a, b, 'float');
}

/** a^n for a whole number n that belongs to the structure: products by repeated squaring, exact gradients at 0. */
export function integerPower(a: Node, exponent: number): Node {
  if (exponent < 0) return divide(constant(1, 'float32'), integerPower(a, -exponent));
  if (exponent === 0) return expandTo(constant(1, a.dtype, [], a.backend), a.shape);
  const half = integerPower(a, exponent >> 1);
  if (exponent === 1) return a;
  const square = multiply(half, half);
  return exponent % 2 === 0 ? square : multiply(square, a);
}

export function negate(a: Node): Node {
  return multiply(a, constant(-1, isFloat(a.dtype) ? 'float32' : 'int32'));
}

/** The quotient is a whole number, so it is flat: its own gradient is 0, not the rounding noise of the division. */
function wholeQuotientRule(g: Node, a: Node, b: Node, remainder: Node): Node {
  return negate(multiply(g, stopGradient(divide(subtract(a, remainder), b))));
}

function powerSlope(a: Node, b: Node): Node {
  const slope = multiply(b, power(a, subtract(b, like(b, 1))));
  return where(equal(b, like(b, 0)), like(b, 0), slope); // 0 a^(-1) is NaN at a = 0, its limit is 0
}

function powerLogarithm(a: Node, y: Node): Node {
  const isZero = equal(a, like(a, 0));
  return where(isZero, like(a, 0), multiply(y, log(where(isZero, like(a, 1), a))));
}

/** g where a > b, half of it where neither is larger, else 0. */
function shareOfLarger(g: Node, a: Node, b: Node): Node {
  return where(less(a, b), like(g, 0), where(less(b, a), g, multiply(g, like(g, 0.5))));
}

/** g / b, and for a constant b (the count of a mean) its product with 1 / b, which costs nothing where g is spread. */
function quotientSlope(g: Node, b: Node): Node {
  const divisor = constantValue(unspread(b));
  return divisor === null ? divide(g, b) : multiply(g, constant(1 / divisor, 'float32'));
}

/** A number of the program's own or the user's, which is taken to be finite. */
const isFixed = (x: Node | undefined): boolean => x !== undefined && isNumber(unspread(x));

const unspread = (x: Node): Node => (x.primitive === Expand ? (x.inputs[0] ?? x) : x);

/** Whether `x` is the constant `value` and leaves `other` as it is, shape and dtype included. */
function isNeutral(x: Node, other: Node, value: number): boolean {
  if (other.dtype === 'bool') return false;
  const source = unspread(x);
  if (constantValue(source) !== value || Object.is(source.attributes, -0)) return false;
  if (isHalf(other.dtype) || (x.dtype !== other.dtype && x.dtype === 'float32')) return false;
  const missing = other.shape.length - x.shape.length;
  return missing >= 0 && x.shape.every((size, axis) => size === 1 || size === other.shape[axis + missing]);
}

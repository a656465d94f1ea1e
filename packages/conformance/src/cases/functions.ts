/** Operations element by element: functions of one tensor, arithmetic with broadcasting, comparison, logic, bits. */
import { type Tensor, where } from '@nn/core';
import { type Operation, operation } from '../operation.ts';
import { bool, given, type Kind, type Sample, sample, whole } from '../samples.ts';

/** Functions of one float tensor; `exact` where short fractions stay short fractions. */
const unary: readonly {
  readonly name: string;
  readonly kind: Kind;
  readonly apply: (x: Tensor) => Tensor;
  readonly exact?: true;
  readonly slack?: number;
}[] = [
  { name: 'neg', kind: 'any', apply: (x) => x.neg(), exact: true },
  { name: 'abs', kind: 'nonzero', apply: (x) => x.abs(), exact: true },
  { name: 'sign', kind: 'any', apply: (x) => x.sign(), exact: true },
  { name: 'round', kind: 'any', apply: (x) => x.mul(2).round(), exact: true },
  { name: 'floor', kind: 'any', apply: (x) => x.floor(), exact: true },
  { name: 'ceil', kind: 'any', apply: (x) => x.ceil(), exact: true },
  { name: 'trunc', kind: 'any', apply: (x) => x.trunc(), exact: true },
  { name: 'square', kind: 'any', apply: (x) => x.square(), exact: true },
  { name: 'relu', kind: 'nonzero', apply: (x) => x.relu(), exact: true },
  { name: 'clamp', kind: 'any', apply: (x) => x.clamp(-0.7, 1.1), slack: 0.1 },
  { name: 'clamp from below', kind: 'any', apply: (x) => x.clamp(0.3, null), slack: 0.1 },
  { name: 'exp', kind: 'any', apply: (x) => x.exp() },
  { name: 'log', kind: 'positive', apply: (x) => x.log() },
  { name: 'log1p', kind: 'unit', apply: (x) => x.log1p(), slack: 2 },
  { name: 'expm1', kind: 'any', apply: (x) => x.expm1() },
  { name: 'sqrt', kind: 'positive', apply: (x) => x.sqrt() },
  { name: 'rsqrt', kind: 'positive', apply: (x) => x.rsqrt() },
  { name: 'reciprocal', kind: 'nonzero', apply: (x) => x.reciprocal() },
  { name: 'sin', kind: 'any', apply: (x) => x.mul(3).sin() },
  { name: 'cos', kind: 'any', apply: (x) => x.mul(3).cos() },
  { name: 'tan', kind: 'unit', apply: (x) => x.tan() },
  { name: 'tanh', kind: 'any', apply: (x) => x.tanh() },
  { name: 'erf', kind: 'any', apply: (x) => x.erf() },
  { name: 'sigmoid', kind: 'any', apply: (x) => x.sigmoid() },
  { name: 'softplus', kind: 'any', apply: (x) => x.softplus() },
  { name: 'gelu', kind: 'any', apply: (x) => x.gelu() },
  { name: 'gelu by tanh', kind: 'any', apply: (x) => x.gelu('tanh') },
  { name: 'silu', kind: 'any', apply: (x) => x.silu() },
  { name: 'mish', kind: 'any', apply: (x) => x.mish() },
  { name: 'pow 3', kind: 'any', apply: (x) => x.pow(3) },
  { name: 'pow -2', kind: 'nonzero', apply: (x) => x.pow(-2), slack: 2 },
  { name: 'pow 0', kind: 'any', apply: (x) => x.pow(0), exact: true },
  { name: 'pow 2.5', kind: 'positive', apply: (x) => x.pow(2.5), slack: 4 },
];

const shapes: readonly (readonly [shape: readonly number[], words: string])[] = [
  [[], 'a scalar'],
  [[0, 3], 'no element'],
  [[1, 1], 'one element'],
  [[3, 5], 'odd sizes'],
];

/** float32 operators, with the kinds of samples that keep them away from jumps. */
const arithmetic: readonly {
  readonly name: string;
  readonly kinds: readonly [Kind, Kind];
  readonly apply: (a: Tensor, b: Tensor) => Tensor;
  readonly exact?: true;
  readonly slack?: number;
}[] = [
  { name: 'add', kinds: ['any', 'any'], apply: (a, b) => a.add(b), exact: true },
  { name: 'sub', kinds: ['any', 'any'], apply: (a, b) => a.sub(b), exact: true },
  { name: 'mul', kinds: ['any', 'any'], apply: (a, b) => a.mul(b), exact: true },
  { name: 'div', kinds: ['any', 'nonzero'], apply: (a, b) => a.div(b) },
  { name: 'mod', kinds: ['any', 'nonzero'], apply: (a, b) => a.mul(3).mod(b.mul(1.3)), slack: 2 },
  { name: 'floorMod', kinds: ['any', 'nonzero'], apply: (a, b) => a.mul(3).add(0.01).floorMod(b.mul(1.3)), slack: 2 },
  {
    name: 'floorDiv',
    kinds: ['any', 'nonzero'],
    apply: (a, b) => a.mul(3).add(0.01).floorDiv(b.mul(1.3)),
    exact: true,
  },
  { name: 'pow', kinds: ['positive', 'any'], apply: (a, b) => a.pow(b), slack: 4 },
  { name: 'maximum', kinds: ['distinct', 'any'], apply: (a, b) => a.maximum(b), exact: true },
  { name: 'minimum', kinds: ['distinct', 'any'], apply: (a, b) => a.minimum(b), exact: true },
];

const pairs: readonly (readonly [a: readonly number[], b: readonly number[]])[] = [
  [[], []],
  [
    [3, 5],
    [3, 5],
  ],
  [[3, 5], []],
  [[3, 1], [5]],
  [
    [2, 1, 3],
    [4, 1],
  ],
  [
    [0, 2],
    [1, 2],
  ],
];

const comparisons: readonly (readonly [string, (a: Tensor, b: Tensor) => Tensor])[] = [
  ['less', (a, b) => a.less(b)],
  ['lessEqual', (a, b) => a.lessEqual(b)],
  ['greater', (a, b) => a.greater(b)],
  ['greaterEqual', (a, b) => a.greaterEqual(b)],
  ['equal', (a, b) => a.equal(b)],
  ['notEqual', (a, b) => a.notEqual(b)],
];

const integers: readonly (readonly [string, (a: Tensor, b: Tensor) => Tensor])[] = [
  ['add', (a, b) => a.add(b)],
  ['sub', (a, b) => a.sub(b)],
  ['mul', (a, b) => a.mul(b)],
  ['mod', (a, b) => a.mod(b)],
  ['floorMod', (a, b) => a.floorMod(b)],
  ['floorDiv', (a, b) => a.floorDiv(b)],
  ['maximum', (a, b) => a.maximum(b)],
  ['minimum', (a, b) => a.minimum(b)],
  ['bitwiseAnd', (a, b) => a.bitwiseAnd(b)],
  ['bitwiseOr', (a, b) => a.bitwiseOr(b)],
  ['bitwiseXor', (a, b) => a.bitwiseXor(b)],
];

const logic: readonly (readonly [string, (a: Tensor, b: Tensor) => Tensor])[] = [
  ['logicalAnd', (a, b) => a.logicalAnd(b)],
  ['logicalOr', (a, b) => a.logicalOr(b)],
  ['bitwiseXor', (a, b) => a.bitwiseXor(b)],
  ['equal', (a, b) => a.equal(b)],
  ['less', (a, b) => a.less(b)],
  ['maximum', (a, b) => a.maximum(b)],
  ['minimum', (a, b) => a.minimum(b)],
  ['add, which counts', (a, b) => a.add(b)],
];

const exact = { exact: true } as const;
const show = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/** The list, made when it is asked for. */
export function functionOperations(): Operation[] {
  const wide: Sample = sample('any', 3, 5);
  return [
    ...unary.flatMap(({ name, kind, apply, ...more }) =>
      shapes.map(([shape, words]) => operation(`${name}: of ${words}`, [{ shape, kind }], apply, more)),
    ),
    ...arithmetic.flatMap(({ name, kinds: [left, right], apply, ...more }) =>
      pairs.map(([a, b]) =>
        operation(`${name}: ${show(a)} with ${show(b)}`, [sample(left, ...a), sample(right, ...b)], apply, more),
      ),
    ),
    ...comparisons.flatMap(([name, apply]) => [
      operation(`${name}: float32`, [sample('tied', 4, 5), sample('tied', 5)], apply, exact),
      operation(`${name}: int32`, [whole(4, 5), whole(4, 1)], apply, exact),
      operation(`${name}: float32 with int32`, [sample('tied', 5), whole(2, 5)], apply, exact),
    ]),
    ...integers.flatMap(([name, apply]) => [
      operation(`${name}: int32`, [whole(5, 7), whole(7)], apply, exact),
      operation(`${name}: int32 with a number`, [whole(17)], (x) => apply(x, x.mul(0).add(3)), exact),
    ]),
    ...logic.map(([name, apply]) => operation(`${name}: bool`, [bool(4, 3), bool(3)], apply, exact)),
    operation('logicalNot: bool', [bool(7)], (x) => x.logicalNot(), exact),
    operation('logicalNot: float32', [sample('tied', 7)], (x) => x.logicalNot(), exact),
    operation('shiftLeft: int32', [whole(9), whole(9)], (x, by) => x.shiftLeft(by.bitwiseAnd(7)), exact),
    operation(
      'shiftRight: keeps the sign',
      [whole(9), whole(9)],
      (x, by) => x.mul(100).shiftRight(by.bitwiseAnd(7)),
      exact,
    ),
    operation('div: int32 gives float32', [whole(3, 4), given([3, -2, 7, 5], [4], 'int32')], (a, b) => a.div(b)),
    operation('mul: float32 with int32', [wide, whole(5)], (a, b) => a.mul(b), exact),
    operation('add: of a number', [wide], (x) => x.add(0.75), exact),
    operation('pow: of a tensor of whole numbers', [sample('positive', 5), whole(5)], (a, b) => a.pow(b), { slack: 8 }),
    operation(
      'where: all alike',
      [bool(3, 4), sample('any', 3, 4), sample('any', 3, 4)],
      (c, a, b) => where(c, a, b),
      exact,
    ),
    operation(
      'where: everything broadcasts',
      [bool(4), sample('any', 3, 1), sample('any', 2, 1, 1)],
      (c, a, b) => where(c, a, b),
      exact,
    ),
    operation('where: a number', [sample('tied', 9)], (x) => where(x.less(0), 0, x), exact),
    operation('where: int32 with float32', [bool(5), whole(5), sample('any', 5)], (c, a, b) => where(c, a, b), exact),
    operation('cast: float32 to int32, towards zero', [wide], (x) => x.mul(3).cast('int32'), exact),
    operation('cast: float32 to bool', [sample('tied', 9)], (x) => x.cast('bool'), exact),
    operation('cast: int32 to float32', [whole(9)], (x) => x.cast('float32'), exact),
    operation('cast: int32 to bool', [whole(17)], (x) => x.cast('bool'), exact),
    operation('cast: bool to float32', [bool(9)], (x) => x.cast('float32'), exact),
    operation('cast: bool to int32', [bool(9)], (x) => x.cast('int32'), exact),
    operation('clamp: by a bound of more axes', [sample('any', 3), sample('unit', 2, 1)], (x, high) =>
      x.clamp(null, high),
    ),
    operation('clamp: int32', [whole(17)], (x) => x.clamp(-3, 4), exact),
    operation('clamp: between tensors', [wide, sample('unit', 5)], (x, low) => x.clamp(low, low.add(1)), exact),
    operation('abs: int32', [whole(9)], (x) => x.abs(), exact),
    operation('sign: int32', [whole(9)], (x) => x.sign(), exact),
    operation('x used twice', [wide], (x) => x.mul(x).sub(x), exact),
  ];
}

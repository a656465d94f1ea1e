/** Reductions over any axes, kept or not, and what is made of them: softmax, norms, running sums. */
import type { Tensor } from '@nn/core';
import { type Operation, operation } from '../operation.ts';
import { bool, type Kind, sample, whole } from '../samples.ts';

interface Options {
  readonly keepAxes?: boolean;
}

type Axes = number | readonly number[] | undefined;

const reductions: readonly {
  readonly name: string;
  readonly kind: Kind;
  readonly apply: (x: Tensor, axes: Axes, options: Options) => Tensor;
  readonly exact?: true;
  readonly slack?: number;
}[] = [
  { name: 'sum', kind: 'any', apply: (x, axes, options) => x.sum(axes, options), exact: true },
  { name: 'mean', kind: 'any', apply: (x, axes, options) => x.mean(axes, options) },
  { name: 'prod', kind: 'nonzero', apply: (x, axes, options) => x.prod(axes, options), slack: 4 },
  { name: 'max', kind: 'distinct', apply: (x, axes, options) => x.max(axes, options), exact: true },
  { name: 'min', kind: 'distinct', apply: (x, axes, options) => x.min(axes, options), exact: true },
  {
    name: 'variance',
    kind: 'any',
    apply: (x, axes, options) => x.variance(axes, { ...options, correction: 0 }),
    slack: 2,
  },
  { name: 'norm', kind: 'any', apply: (x, axes, options) => x.norm(axes, options), slack: 2 },
  { name: 'logSumExp', kind: 'any', apply: (x, axes, options) => x.logSumExp(axes, options), slack: 2 },
];

const axes: readonly (readonly [words: string, axes: Axes, options: Options])[] = [
  ['over all axes', undefined, {}],
  ['over the first axis', 0, {}],
  ['over the middle axis, kept', [1], { keepAxes: true }],
  ['over the last axis', -1, {}],
  ['over the outer axes', [0, -1], {}],
  ['over all axes, kept', undefined, { keepAxes: true }],
];

const exact = { exact: true } as const;

export function reductionOperations(): Operation[] {
  return [
    ...reductions.flatMap(({ name, kind, apply, ...more }) => [
      ...axes.map(([words, over, options]) =>
        operation(`${name}: ${words} of [2, 3, 5]`, [sample(kind, 2, 3, 5)], (x) => apply(x, over, options), more),
      ),
      operation(`${name}: of a scalar`, [sample(kind)], (x) => apply(x, undefined, {}), more),
      operation(`${name}: over axes of size 1`, [sample(kind, 1, 3, 1)], (x) => apply(x, [0, 2], {}), more),
      operation(`${name}: of a transposed view`, [sample(kind, 4, 3)], (x) => apply(x.transpose(), 0, {}), more),
      operation(`${name}: of what was computed`, [sample(kind, 3, 4)], (x) => apply(x.mul(0.5), 1, {}).mul(2), more),
    ]),
    ...(['sum', 'max', 'min', 'prod'] as const).map((name) =>
      operation(`${name}: int32`, [whole(3, 4)], (x) => x[name](1), exact),
    ),
    ...(['any', 'all', 'max', 'min', 'sum'] as const).flatMap((name) => [
      operation(`${name}: bool`, [bool(4, 2)], (x) => x[name](1), exact),
      operation(`${name}: bool, all axes`, [bool(4, 2)], (x) => x[name](), exact),
    ]),
    operation('sum: over an empty axis is 0', [sample('any', 2, 0)], (x) => x.sum(1), exact),
    operation('prod: over an empty axis is 1', [sample('any', 2, 0)], (x) => x.prod(1), exact),
    operation('sum: empty beside an empty axis', [sample('any', 0, 3)], (x) => x.sum(1), exact),
    operation('sum: over no axis', [sample('any', 2, 3)], (x) => x.sum([]), exact),
    operation('sum: 1000 elements', [sample('tied', 1000)], (x) => x.sum(), exact),
    operation('sum: of a product', [sample('any', 3, 7), sample('any', 7)], (a, b) => a.mul(b).sum(1), exact),
    operation('sum: twice in a row', [sample('any', 3, 4, 5)], (x) => x.sum(2).sum(0), exact),
    operation('prod: with zeros', [sample('tied', 4, 3)], (x) => x.prod(1), exact),
    operation('max: ties share the gradient', [sample('tied', 4, 5)], (x) => x.max(1), exact),
    operation(
      'max: subtracted from its own input',
      [sample('any', 4, 5)],
      (x) => x.sub(x.max(1, { keepAxes: true })),
      exact,
    ),
    operation('variance: corrected by default', [sample('any', 3, 5)], (x) => x.variance(1), { slack: 2 }),
    // means of the shape [1, ...] between two steps of one group
    operation('variance: of many columns', [sample('any', 3, 200)], (x) => x.variance(0), { slack: 2 }),
    operation('variance: of many columns of planes', [sample('any', 3, 40, 30)], (x) => x.variance(0), { slack: 2 }),
    operation('standardDeviation: over rows', [sample('any', 3, 5)], (x) => x.standardDeviation(1), { slack: 4 }),
    operation('norm: of order 1', [sample('nonzero', 3, 5)], (x) => x.norm(1, { order: 1 }), exact),
    operation('norm: of order 3', [sample('nonzero', 3, 5)], (x) => x.norm(1, { order: 3 }), { slack: 8 }),
    operation('norm: of infinite order', [sample('distinct', 3, 5)], (x) => x.norm(1, { order: Infinity }), exact),
    operation('argMax: over rows', [sample('distinct', 3, 5)], (x) => x.argMax(1), exact),
    operation('argMax: the first of equals', [sample('tied', 5, 6)], (x) => x.argMax(1), exact),
    operation('argMax: over columns, kept', [whole(3, 5)], (x) => x.argMax(0, { keepAxes: true }), exact),
    operation('argMax: of all elements', [sample('distinct', 3, 5)], (x) => x.argMax(), exact),
    operation('argMin: the first of equals', [sample('tied', 5, 6)], (x) => x.argMin(-1), exact),
    operation('argMin: bool', [bool(3, 4)], (x) => x.argMin(1), exact),
    operation('softmax: along the last axis', [sample('any', 3, 5)], (x) => x.softmax(), { slack: 2 }),
    operation('softmax: along the first axis', [sample('any', 3, 5)], (x) => x.softmax(0), { slack: 2 }),
    operation('softmax: of one element', [sample('any', 3, 1)], (x) => x.softmax(), { slack: 2 }),
    operation('softmax: of large numbers', [sample('any', 3, 4)], (x) => x.mul(100).softmax(), { slack: 2 }),
    operation('logSoftmax: along the last axis', [sample('any', 3, 5)], (x) => x.logSoftmax(), { slack: 2 }),
    operation('logSoftmax: along a middle axis', [sample('any', 2, 3, 4)], (x) => x.logSoftmax(1), { slack: 2 }),
    operation('logSumExp: of large numbers', [sample('any', 3, 4)], (x) => x.mul(100).logSumExp(1), { slack: 4 }),
    operation('cumsum: along the first axis', [sample('any', 5, 3)], (x) => x.cumsum(0), exact),
    operation('cumsum: along the last axis', [sample('any', 2, 7)], (x) => x.cumsum(-1), exact),
    operation('cumsum: of a view', [sample('any', 3, 4)], (x) => x.transpose().flip(0).cumsum(0), exact),
    operation('cumsum: int32', [whole(6)], (x) => x.cumsum(0), exact),
    operation('cumsum: bool counts', [bool(6)], (x) => x.cumsum(0), exact),
    operation('cumsum: one element', [sample('any', 1)], (x) => x.cumsum(0), exact),
  ];
}

/** Options that do not exist are named: in JavaScript nothing else would say that `keepdim` was ignored. */
import { reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import * as core from './index.ts';
import { prepare } from './testing.ts';

prepare(reference());

const x = core.tensor([
  [1, 2],
  [3, 4],
]);
/** What a program without types can say. */
const wrong = (options: unknown): never => options as never;

test.each<[string, () => unknown]>([
  ['sum: no option keepdim: keepAxes.', () => x.sum(0, wrong({ keepdim: true }))],
  ['prod: no option keepdim: keepAxes.', () => x.prod(0, wrong({ keepdim: true }))],
  ['argMax: no option keepdim: keepAxes.', () => x.argMax(0, wrong({ keepdim: true }))],
  ['variance: no option unbiased: keepAxes, correction.', () => x.variance(0, wrong({ unbiased: false }))],
  ['norm: no option p: keepAxes, order.', () => x.norm(0, wrong({ p: 1 }))],
  ['sort: no option reverse: descending.', () => x.sort(0, wrong({ reverse: true }))],
  ['topK: no option descending: largest.', () => x.topK(1, 0, wrong({ descending: true }))],
  ['triu: takes options by name, { offset }, got 1.', () => core.triu(x, wrong(1))],
  ['triu: takes options by name, { offset }, got null.', () => core.triu(x, wrong(null))],
  ['diagonal: takes options by name, { offset, axes }, got 1.', () => core.diagonal(x, wrong(1))],
  ['searchSorted: no option side: right.', () => core.searchSorted(x, x, wrong({ side: 'right' }))],
  ['quantile: no option dim: axis, keepAxes, interpolation.', () => core.quantile(x, 0.5, wrong({ dim: 0 }))],
  ['fft: no option n: length, axis, norm.', () => core.fft(x, wrong({ n: 4 }))],
  ['rfft2: no option s: size, axes, norm.', () => core.rfft2(x, wrong({ s: [2, 2] }))],
  ['svd: no option full: fullMatrices.', () => core.svd(x, wrong({ full: true }))],
  ['zeros: no option device: dtype, backend.', () => core.zeros([2], wrong({ device: 'gpu' }))],
  [
    'tensor: no option requiresGrad: shape, dtype, backend, borrow, constant.',
    () => core.tensor(1, wrong({ requiresGrad: true })),
  ],
])('%s', (text, make) => {
  expect(make).toThrow(core.ValueError);
  expect(make).toThrow(text);
});

describe('norms of matrices by their singular values', () => {
  const diagonal = core.tensor([
    [3, 0, 0],
    [0, -4, 0],
  ]);

  test.each([
    [2, 4],
    [-2, 3],
    ['nuclear', 7],
  ] as const)('order %s', async (order, value) => {
    expect(await core.matrixNorm(diagonal, order).item()).toBeCloseTo(value, 5);
    const many = core.stack([diagonal, diagonal.mul(2)], 2);
    const norms = core.matrixNorm(many, order, [0, 1], { keepAxes: true });
    expect(norms.shape).toEqual([1, 1, 2]);
    const values = await norms.data();
    expect(values[1]).toBeCloseTo(2 * value, 5);
  });

  test('the gradient of the nuclear norm is the product of the bases', async () => {
    const [g] = core.gradients(core.matrixNorm(diagonal, 'nuclear'), [diagonal]);
    const found = await g?.data();
    [1, 0, 0, 0, -1, 0].forEach((right, k) => {
      expect(found?.[k]).toBeCloseTo(right, 5);
    });
  });

  test('others are refused by name', () => {
    expect(() => core.matrixNorm(diagonal, 3)).toThrow(
      "matrixNorm: no order 3: 'fro', 'nuclear', 1, -1, 2, -2, Infinity or -Infinity.",
    );
  });
});

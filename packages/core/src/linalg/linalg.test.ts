/** What no table of values shows of linear algebra: messages, NaN, equal eigenvalues, and large matrices. */
import { reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import * as core from '../index.ts';
import { prepare } from '../testing.ts';

prepare(reference());

const square = core.ones([2, 3, 3]);
const counting = [
  [1, 2, 3],
  [4, 5, 6],
  [7, 8, 9],
];

describe('what does not fit is refused at once', () => {
  test.each<[string, () => unknown, string]>([
    ['solve', () => core.solve([1, 2], [1, 2]), 'solve: needs matrices in the last two axes, got [2].'],
    ['inverse', () => core.inverse(core.ones([2, 3])), 'inverse: needs square matrices, got 2 rows and 3 columns.'],
    [
      'solve',
      () => core.solve(square, core.ones([4, 2])),
      'solve: matrices of 3 rows, but the right side [4, 2] has 4.',
    ],
    [
      'triangularSolve',
      () => core.triangularSolve(square, core.ones([3, 2]), { left: false }),
      'triangularSolve: matrices of 3 rows, but the right side [3, 2] has 2 columns.',
    ],
    [
      'lstsq',
      () => core.lstsq(square, core.ones([2, 2, 2])),
      'lstsq: matrices of 3 rows, but the right side [2, 2, 2] has 2.',
    ],
    ['solve', () => core.solve(square, 1), 'solve: the right side is a number, not a vector or matrix.'],
    ['matrixPower', () => core.matrixPower(square, 0.5), 'matrixPower: the exponent must be a whole number, got 0.5.'],
  ])('%s', (_, work, message) => {
    expect(work).toThrow(message);
  });

  test('a complete Q and full matrices of vectors have no gradient where the matrix does not determine them', async () => {
    const tall = core.ones([4, 2]);
    expect(() => core.gradients(core.qr(tall, { mode: 'complete' }).r.sum(), [tall])).toThrow(
      "qr: the columns of a complete Q beyond the first 2 are not determined by the matrix and have no gradient: use mode 'reduced'.",
    );
    expect(() => core.gradients(core.svd(tall, { fullMatrices: true }).s.sum(), [tall])).toThrow(
      'svd: the vectors of full matrices that belong to no singular value are not determined by the matrix and have no gradient: leave fullMatrices out.',
    );
  });
});

describe('values that have no result are refused when they are read, with the line that asked', () => {
  const here = / at .*linalg\.test\.ts\S*:\d+:\d+\.$/;
  test.each<[string, () => core.Tensor, string]>([
    [
      'inverse',
      () => core.inverse(counting),
      'inverse: the matrix [3, 3] is singular: its column 2 depends on those before it: use pinv or lstsq, or add to the diagonal',
    ],
    [
      'solve',
      () => core.solve(core.stack([core.eye(3), counting]), [1, 2, 3]),
      'solve: matrix 1 of [2, 3, 3] is singular: its column 2 depends on those before it: use pinv or lstsq, or add to the diagonal',
    ],
    [
      'cholesky',
      () =>
        core.cholesky([
          [1, 2],
          [2, 4],
        ]),
      'cholesky: the matrix [2, 2] is not positive definite: its first 2 rows and columns are not: add to the diagonal',
    ],
    [
      'cholesky',
      () => core.cholesky([[-1]]),
      'cholesky: the matrix [1, 1] is not positive definite: its first 1 rows and columns are not: add to the diagonal',
    ],
    [
      'triangularSolve',
      () =>
        core.triangularSolve(
          [
            [1, 0],
            [3, 0],
          ],
          [1, 1],
        ),
      'triangularSolve: the matrix [2, 2] is singular: row 1 has 0 on its diagonal',
    ],
    [
      'gradient of slogdet',
      () => {
        const x = core.tensor(counting);
        return core.gradients(core.slogdet(x).logAbsDet, [x])[0];
      },
      'inverse: the matrix [3, 3] is singular: its column 2 depends on those before it: use pinv or lstsq, or add to the diagonal',
    ],
  ])('%s', async (_, work, message) => {
    const error = await work()
      .array()
      .then(
        () => null,
        (reason: unknown) => reason,
      );
    expect(core.isNNError(error)).toBe(true);
    expect((error as Error).message.replace(here, '')).toBe(message);
    expect((error as Error).message).toMatch(here);
  });

  test('badly scaled matrices are not taken for singular ones', async () => {
    const scaled = core.tensor([
      [1e-20, 0],
      [0, 1e20],
    ]);
    expect(await core.inverse(scaled).mul(scaled).sum().item()).toBeCloseTo(2, 5);
    expect(await core.cholesky(scaled).at(0, 0).item()).toBeCloseTo(1e-10, 15);
  });

  test('a step that fails changes nothing', async () => {
    const weight = core.parameter(core.tensor(counting), { name: 'weight' });
    await expect(core.replace([[weight, core.inverse(weight)]])).rejects.toThrow(
      'inverse: the matrix [3, 3] is singular',
    );
    expect(await weight.array()).toEqual(counting);
  });
});

test('NaN and infinities give NaN, for their matrix alone', async () => {
  const bad = core.stack([
    core.eye(2),
    [
      [Number.NaN, 1],
      [1, 2],
    ],
    [
      [Number.POSITIVE_INFINITY, 1],
      [1, 2],
    ],
  ]);
  const functions: (() => core.Tensor)[] = [
    () => core.inverse(bad),
    () => core.cholesky(bad),
    () => core.det(bad),
    () => core.slogdet(bad).logAbsDet,
    () => core.qr(bad).q,
    () => core.eigh(bad).eigenvalues,
    () => core.svd(bad).vh,
    () => core.pinv(bad),
    () => core.matrixExp(bad),
    () => core.lstsq(bad, core.ones([2])).solution,
    () => core.solve(bad, core.ones([2])),
  ];
  for (const work of functions) {
    const [good, ...others] = (await work().reshape([3, -1]).array(2)) as number[][];
    expect(good?.every(Number.isFinite)).toBe(true);
    for (const row of others) expect(row.every(Number.isNaN)).toBe(true);
  }
});

describe('singular matrices and equal eigenvalues', () => {
  test('det is exactly 0 and its gradient is the matrix of cofactors', async () => {
    const x = core.tensor(counting);
    expect(await core.det(x).item()).toBe(0);
    const [slope] = core.gradients(core.det(x), [x]);
    const right = [-3, 6, -3, 6, -12, 6, -3, 6, -3];
    expect((await slope.flatten().array(1)).map((value) => Number(value.toFixed(4)))).toEqual(right);
    expect(await core.slogdet(x).logAbsDet.item()).toBe(Number.NEGATIVE_INFINITY);
    expect(await core.slogdet(x).sign.item()).toBe(0);
  });

  test('the gradient through equal eigenvalues is right, that through their vectors is no number', async () => {
    const x = core.eye(3).mul(2);
    const { eigenvalues, eigenvectors } = core.eigh(x);
    const [slope] = core.gradients(eigenvalues.square().sum(), [x]);
    expect(await slope.array()).toEqual([
      [4, 0, 0],
      [0, 4, 0],
      [0, 0, 4],
    ]);
    const [none] = core.gradients(eigenvectors.mul(core.tensor([[1, 2, 3]])).sum(), [x]);
    expect((await none.flatten().array(1)).some((value) => !Number.isFinite(value))).toBe(true);
    const [singular] = core.gradients(core.svd(x).s.sum(), [x]);
    expect((await singular.flatten().array(1)).map((value) => Number(value.toFixed(6)))).toEqual([
      1, 0, 0, 0, 1, 0, 0, 0, 1,
    ]);
  });

  test('vectors of matrices without full rank are orthonormal all the same', async () => {
    const low = core.outer([1, 2, 3], [1, -1, 2, 0.5]);
    for (const x of [low, low.transpose(), low.mul(0)]) {
      const { u, s, vh } = core.svd(x, { fullMatrices: true });
      const [left, right] = [u.transpose().matmul(u), vh.matmul(vh.transpose())];
      for (const y of [left, right])
        expect(
          await y
            .sub(core.eye(y.shape[0] as number))
            .abs()
            .max()
            .item(),
        ).toBeLessThan(1e-6);
      const whole = u
        .at('...', [0, 3])
        .mul(s)
        .matmul(vh.at([0, 3]));
      expect(await whole.sub(x).abs().max().item()).toBeLessThan(1e-6);
    }
  });
});

test('factors of matrices of 60 rows give the matrices back', async () => {
  core.setSeed(5);
  const x = core.normal([60, 60]);
  const close = async (a: core.Tensor, b: core.Tensor): Promise<void> => {
    expect(await a.sub(b).abs().max().item()).toBeLessThan(2e-5);
  };
  const { q, r } = core.qr(x);
  await close(q.matmul(r), x);
  const { u, s, vh } = core.svd(x);
  await close(u.mul(s).matmul(vh), x);
  const symmetric = x.add(x.transpose());
  const { eigenvalues, eigenvectors } = core.eigh(symmetric);
  await close(eigenvectors.mul(eigenvalues).matmul(eigenvectors.transpose()), symmetric);
  await close(core.solve(x, x.matmul(core.ones([60, 1]))), core.ones([60, 1]));
});

/** What users differentiate with: gradients of any order, custom rules, recomputation. */
import { reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import {
  bernoulli,
  checkpoint,
  concat,
  customGradient,
  explain,
  GradientError,
  grad,
  gradcheck,
  gradients,
  gradientsOrNull,
  hessian,
  hvp,
  jvp,
  noGradient,
  parameter,
  setSeed,
  stopGradient,
  type Tensor,
  tensor,
  uniform,
  valueAndGrad,
} from './index.ts';
import { prepare } from './testing.ts';

prepare(reference());

const arrays = (...tensors: readonly Tensor[]): Promise<unknown[]> => Promise.all(tensors.map((x) => x.array()));

describe('gradients', () => {
  test('of a product and of their gradients', async () => {
    const [x, y] = [tensor([1, 2]), tensor([3, 4])];
    const [dx, dy] = gradients(x.mul(x).mul(y).sum(), [x, y]);
    expect(await arrays(dx, dy)).toEqual([
      [6, 16],
      [1, 4],
    ]);
    const [dxx, dxy] = gradients(dx.sum(), [x, y]);
    expect(await arrays(dxx, dxy)).toEqual([
      [6, 8],
      [2, 4],
    ]);
  });

  test('to the fifth order', async () => {
    const x = tensor([2]);
    let y: Tensor = x.pow(5);
    const values: unknown[] = [];
    for (let order = 1; order <= 6; order++) {
      const [slope] = gradientsOrNull(y.sum(), [x]);
      values.push(slope ? await slope.array() : null);
      if (slope === null) break;
      y = slope as Tensor;
    }
    expect(values.slice(0, 5)).toEqual([[80], [160], [240], [240], [120]]);
  });

  test('add up where a value is used more than once', async () => {
    const x = tensor([3]);
    const y = x.mul(2);
    expect(await arrays(...gradients(y.add(y.mul(x)).sum(), [x]))).toEqual([[14]]);
  });

  test('of a repeated tensor are the sums over its copies', async () => {
    const [row, column] = [tensor([1, 2, 3]), tensor([[1], [2]])];
    expect(await arrays(...gradients(row.mul(column).sum(), [row, column]))).toEqual([
      [3, 3, 3],
      [[6], [6]],
    ]);
  });

  test('with respect to a value in the middle', async () => {
    const x = tensor([2]);
    const y = x.square();
    const [slope] = gradients(y.mul(y).sum(), [y]);
    expect(await slope.array()).toEqual([8]);
  });

  test('with respect to the result itself, and twice to one tensor', async () => {
    const x = tensor(3);
    expect(await arrays(...gradients(x, [x]))).toEqual([1]);
    expect(await arrays(...gradients(x.mul(x), [x, x]))).toEqual([6, 6]);
  });

  test('weighted by a cotangent', async () => {
    const x = tensor([1, 2, 3]);
    expect(await arrays(...gradients(x.square(), [x], tensor([1, 0, -1])))).toEqual([[2, 0, -6]]);
  });

  test('of slices of one tensor meet in one tensor', async () => {
    const x = tensor([1, 2, 3, 4, 5, 6]);
    const [a, b, c] = x.split(3) as [Tensor, Tensor, Tensor];
    const [slope] = gradients(a.mul(2).add(c.mul(3)).add(b.mul(0)).sum(), [x]);
    expect(explain(slope)).toContain('concat');
    expect(await slope.array()).toEqual([2, 2, 0, 0, 3, 3]);
  });

  test('are 0 where a function is flat', async () => {
    const x = tensor([1.5, -0.5]);
    expect(await arrays(...gradients(x.floor().sum(), [x]), ...gradients(x.round().add(x).sum(), [x]))).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });
});

describe('gradients are refused', () => {
  const x = tensor([1, 2]);
  test.each<[string, () => unknown, string]>([
    [
      'of more than one number',
      () => gradients(x.mul(2), [x]),
      'gradients: only a scalar has a gradient by itself, got [2]: reduce it first, with mean() or sum().',
    ],
    [
      'of integers',
      () => gradients(x.cast('int32').sum(), [x]),
      'gradients: a int32 tensor has no gradient: only float32 is differentiable, and half floats.',
    ],
    [
      'with respect to what is not there',
      () => gradients(x.sum(), [tensor([3])]),
      'gradients: the result does not depend on tensor 0, [1]: leave it out, or look for a stopGradient, a cast or a comparison on the way.',
    ],
    [
      'with respect to a parameter that is not there',
      () => gradients(x.sum(), [parameter([3], { name: 'bias' })]),
      'gradients: the result does not depend on bias',
    ],
    ['behind stopGradient', () => gradients(stopGradient(x).sum(), [x]), 'does not depend on tensor 0'],
    ['behind a comparison', () => gradients(x.less(2).cast('float32').sum(), [x]), 'does not depend on tensor 0'],
    [
      'inside noGradient',
      () => noGradient(() => gradients(x.sum(), [x])),
      'gradients: called inside noGradient, where no graph is kept: call it outside.',
    ],
    [
      'with a cotangent of another shape',
      () => gradients(x, [x], tensor([1])),
      'gradients: the cotangent [1] must have the shape of the result, [2].',
    ],
  ])('%s', (_, take, message) => {
    expect(take).toThrow(message);
  });

  test('as errors that programs can tell', () => {
    expect(() => gradients(x, [x])).toThrow(GradientError);
    expect(gradientsOrNull(x.sum(), [tensor([3])])).toEqual([null]);
  });
});

describe('sugar', () => {
  test('grad nests', async () => {
    const cube = (x: Tensor): Tensor => x.pow(3).sum();
    expect(await arrays(grad(cube)(tensor([2])), grad((x) => grad(cube)(x).sum())(tensor([2])))).toEqual([[12], [12]]);
  });

  test('valueAndGrad gives both, and passes other arguments on', async () => {
    const { value, gradient } = valueAndGrad((x, scale: number) => x.mul(scale).sum())(tensor([1, 2]), 5);
    expect(await arrays(value, gradient)).toEqual([15, [5, 5]]);
  });

  test('jvp is the directional derivative', async () => {
    const { value, tangent } = jvp(
      (x, y) => x.mul(y),
      [tensor([1, 2]), tensor([3, 4])],
      [tensor([1, 0]), tensor([0, 1])],
    );
    expect(await arrays(value, tangent)).toEqual([
      [3, 8],
      [3, 2],
    ]);
  });

  test('jvp of what does not depend on its inputs is 0', async () => {
    const { tangent } = jvp(() => tensor([1, 2]), [tensor([1])], [tensor([1])]);
    expect(await tangent.array()).toEqual([0, 0]);
  });

  test('hessian and its product with a vector', async () => {
    // f = x0^2 x1 + x1^3: second derivatives [[2 x1, 2 x0], [2 x0, 6 x1]]
    const f = (x: Tensor): Tensor => x.at(0).square().mul(x.at(1)).add(x.at(1).pow(3));
    const x = tensor([3, 2]);
    expect(await hessian(f)(x).array()).toEqual([
      [4, 6],
      [6, 12],
    ]);
    expect(await hvp(f, x, tensor([1, -1])).array()).toEqual([-2, -6]);
  });

  test('the hessian of a linear function is 0', async () => {
    expect(await hessian((x) => x.mul(3).sum())(tensor([1, 2])).array()).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });
});

describe('customGradient', () => {
  const roundThrough = customGradient(
    (x) => x.round(),
    (g) => [g],
  );

  test('replaces the rule', async () => {
    const x = tensor([1.4, 2.6]);
    expect(await arrays(roundThrough(x), ...gradients(roundThrough(x).mul(x.stopGradient()).sum(), [x]))).toEqual([
      [1, 3],
      [Math.fround(1.4), Math.fround(2.6)],
    ]);
  });

  test('hands over the inputs and the result', async () => {
    const f = customGradient(
      (x, y) => x.mul(y),
      (g, [x, y], result) => [g.mul(result as Tensor), g.mul((x as Tensor).add(y as Tensor))],
    );
    const [x, y] = [tensor([2]), tensor([3])];
    expect(await arrays(...gradients(f(x, y).sum(), [x, y]))).toEqual([[6], [5]]);
  });

  test('may leave inputs out: their gradient is 0', async () => {
    const f = customGradient(
      (x, y) => x.mul(y),
      (g) => [g, null],
    );
    const [x, y] = [tensor([2]), tensor([3])];
    expect(await arrays(...gradients(f(x, y).sum(), [x, y]))).toEqual([[1], [0]]);
  });
});

describe('checkpoint', () => {
  test('gives the same values and gradients, also for parameters it uses', async () => {
    const weight = parameter([
      [0.5, -1],
      [2, 0.25],
    ]);
    const f = (x: Tensor): Tensor => x.matmul(weight).tanh().matmul(weight).sigmoid();
    const x = tensor([[1, 2]]);
    const plain = gradients(f(x).sum(), [x, weight]);
    const light = gradients(checkpoint(f)(x).sum(), [x, weight]);
    expect(await arrays(...light)).toEqual(await arrays(...plain));
  });

  test('computes what lies inside again', () => {
    const x = tensor([1, 2]);
    const count = (y: Tensor): number => explain(...gradients(y.sum(), [x])).split(' exp(').length - 1;
    const f = (z: Tensor): Tensor => z.exp().sin().exp().sin();
    expect(count(checkpoint(f)(x))).toBeGreaterThan(0);
  });

  test('draws the same random numbers again', async () => {
    setSeed(5);
    const x = tensor(new Float32Array(64).fill(1));
    const dropout = checkpoint((y: Tensor) => y.mul(bernoulli([64], 0.5)).mul(2));
    const y = dropout(x);
    const [slope] = gradients(y.sum(), [x]);
    const after = uniform([1]);
    const [values, slopes] = await arrays(y, slope, after);
    expect(slopes).toEqual(values);
    setSeed(5);
    bernoulli([64], 0.5);
    expect(await uniform([1]).array()).toEqual(await after.array());
  });
});

describe('noGradient', () => {
  test('cuts results off, in records and lists too', async () => {
    const weight = parameter([2]);
    const { y, list } = noGradient(() => ({ y: weight.mul(3), list: [weight.mul(4)] }));
    expect(
      gradientsOrNull(
        y
          .add(list[0] as Tensor)
          .add(weight)
          .sum(),
        [weight],
      ),
    ).toHaveLength(1);
    const [slope] = gradients(
      y
        .mul(list[0] as Tensor)
        .mul(weight)
        .sum(),
      [weight],
    );
    expect(await slope.array()).toEqual([48]);
  });

  test('is for synchronous functions', () => {
    expect(() => noGradient(async () => tensor([1]))).toThrow('noGradient: the function must not be async');
    const x = tensor([1]);
    expect(gradients(x.sum(), [x])).toHaveLength(1);
  });
});

describe('gradcheck', () => {
  test('passes what is right, to the second order', async () => {
    const x = tensor([
      [0.5, -1],
      [1.5, 2],
    ]);
    const w = tensor([
      [1, 0.5],
      [-0.5, 2],
    ]);
    expect(
      await gradcheck((a, b) => a.matmul(b).tanh(), [x, w], { order: 2, step: 1e-3, tolerance: 1e-4 }),
    ).toBeLessThan(1e-4);
  });

  test('names the element that is wrong', async () => {
    const wrong = customGradient(
      (x) => x.mul(x),
      (g, [x]) => [g.mul(x as Tensor)],
    );
    await expect(gradcheck(wrong, [tensor([0, 2])])).rejects.toThrow(
      /^gradcheck: the gradient of input 0 at \[1\] is [\d.-]+, differences give [\d.-]+\.$/,
    );
  });

  test('finds a wrong gradient of a gradient', async () => {
    const square = customGradient(
      (x) => x.mul(x),
      (g, [x]) => [g.mul((x as Tensor).stopGradient()).mul(2)],
    );
    const x = tensor([1, 2]);
    await gradcheck(square, [x]);
    await expect(gradcheck(square, [x], { order: 2 })).rejects.toThrow(
      'gradcheck: the second gradient of input 0 at [0]',
    );
  });

  test('takes large inputs along a few directions, and leaves integers alone', async () => {
    const x = uniform([200]);
    const rows = tensor(Int32Array.of(0, 5));
    expect(await gradcheck((a, i) => a.square().gather(i), [x, rows])).toBeLessThan(1e-3);
  });

  test('refuses a step that is none', async () => {
    await expect(gradcheck((x) => x, [tensor([1])], { step: 0 })).rejects.toThrow(
      'gradcheck: the step must be positive, got 0.',
    );
  });
});

describe('targets that something was made past', () => {
  test('a product that is transposed, in the first and the second gradient', async () => {
    const a = parameter([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const b = parameter([
      [1, 0],
      [2, 1],
      [0, 3],
    ]);
    const c = a.matmul(b);
    const weights = tensor([
      [1, 2],
      [3, 4],
    ]);
    const [only] = gradients(c.transpose().mul(weights).sum(), [c]);
    expect(await only?.array()).toEqual([
      [1, 3],
      [2, 4],
    ]);
    // by two ways: c and its transpose
    const both = c.square().sum().add(c.transpose().mul(weights).mul(c.transpose()).sum());
    const [first] = gradients(both, [c]);
    const [second] = gradients((first as Tensor).sum(), [c]);
    // c is [[5, 11], [14, 23]]: 2 c + 2 w^T c
    expect(await first?.array()).toEqual([
      [20, 88],
      [84, 230],
    ]);
    expect(await second?.array()).toEqual([
      [4, 8],
      [6, 10],
    ]);
    // and what c was made of still has its gradient
    const [ofA] = gradients(c.transpose().sum(), [a]);
    expect(await ofA?.array()).toEqual([
      [1, 3, 3],
      [1, 3, 3],
    ]);
  });

  test('permuted pieces that are joined, one of which is held alone', async () => {
    const x = parameter([
      [1, 2],
      [3, 4],
    ]);
    const piece = x.transpose();
    const y = concat([piece, tensor([[5, 6]]).transpose()], 1);
    const weights = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const [given] = gradients(y.mul(weights).sum(), [piece]);
    expect(await given?.array()).toEqual([
      [1, 2],
      [4, 5],
    ]);
  });
});

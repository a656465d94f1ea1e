/** Nodes that the host computes, in the middle of graphs: order, programs, compiled functions, transformations, steps. */
import { reference } from '@nn/conformance';
import { expect, test } from 'vitest';
import * as core from '../index.ts';
import { prepare } from '../testing.ts';

const backend = prepare(reference());

const matrix = (): core.Tensor =>
  core.tensor([
    [2, 1],
    [1, 3],
  ]);

test('several of them in a row, and beside each other, take the values before them', async () => {
  const x = matrix();
  const first = core.inverse(x.mul(2)).mul(4);
  const second = core.inverse(first.add(0));
  const both = second.add(core.inverse(x)).sub(first);
  // (4 (2 x)^-1)^-1 = x / 2, and 2 x^-1 is the first
  const right = x.div(2).sub(core.inverse(x));
  expect(await both.sub(right).abs().max().item()).toBeLessThan(1e-6);
});

test('a long chain is computed without depth', async () => {
  let x = core.tensor([[2]]);
  for (let k = 0; k < 300; k++) x = core.inverse(x.mul(1));
  expect(await x.array()).toEqual([[2]]);
});

test('explain says what the host computes, and shows the programs around it', () => {
  const text = core.explain(core.inverse(matrix().mul(2)).sum());
  expect(text).toContain('then on the host, in double precision: inverse float32[2, 2]\n');
  expect(text).toContain('inverse on the host() float32[2, 2]');
  expect(text.match(/program/g)?.length).toBeGreaterThanOrEqual(2);
});

test('compiled functions give what the functions give, with the numbers of each call', async () => {
  let factor = 0;
  const scale = core.numberSource(() => factor);
  const f = core.compile((x: core.Tensor) => core.inverse(x.mul(scale)).matmul(x));
  for (const k of [1, 2, 3, 4, 5]) {
    factor = k;
    const y = await f(matrix().add(core.eye(2)));
    const found = (await y.array(2)).flat();
    expect((found[0] as number) * k).toBeCloseTo(1, 5);
  }
});

test('a compiled step moves on, and one that fails leaves everything as it was', async () => {
  const weight = core.parameter(matrix(), { name: 'weight' });
  const step = core.compile((target: core.Tensor) => {
    const loss = core.inverse(weight).sub(target).square().sum();
    const [slope] = core.gradients(loss, [weight]);
    core.replace([[weight, weight.sub(slope.mul(0.5))]]);
    return loss;
  });
  const losses: number[] = [];
  for (let k = 0; k < 5; k++)
    losses.push(
      await (
        await step(
          core.tensor([
            [0.5, 0],
            [0, 0.5],
          ]),
        )
      ).item(),
    );
  expect(losses.every((loss, k) => k === 0 || loss < (losses[k - 1] as number))).toBe(true);
  const eager = core.parameter(matrix());
  for (let k = 0; k < 5; k++) {
    const loss = core
      .inverse(eager)
      .sub(
        core.tensor([
          [0.5, 0],
          [0, 0.5],
        ]),
      )
      .square()
      .sum();
    const [slope] = core.gradients(loss, [eager]);
    await core.replace([[eager, eager.sub(slope.mul(0.5))]], [loss]);
  }
  expect(await eager.array()).toEqual(await weight.array());
  weight.assign(core.zeros([2, 2]));
  await weight.data();
  await expect(step(core.eye(2))).rejects.toThrow('inverse: the matrix [2, 2] is singular');
  expect(await weight.array()).toEqual([
    [0, 0],
    [0, 0],
  ]);
});

test('derivatives forward and of the second order pass', async () => {
  const x = matrix();
  const { tangent } = core.jvp((a) => core.inverse(a as core.Tensor), [x], [core.eye(2)]);
  // d (A^-1) = -A^-2 in the direction of I
  const right = core.matrixPower(x, -2).neg();
  expect(await tangent.sub(right).abs().max().item()).toBeLessThan(1e-6);
  const f = (a: core.Tensor): core.Tensor => core.slogdet(a).logAbsDet;
  const hessian = await core.hessian(f)(x).array(2);
  const inverse = (await core.inverse(x).array(2)).flat() as [number, number, number, number];
  // d2 log det / dA_ij dA_kl = -(A^-1)_jk (A^-1)_li
  expect(hessian[0]?.[0]).toBeCloseTo(-(inverse[0] ** 2), 5);
  expect(hessian[1]?.[2]).toBeCloseTo(-inverse[0] * inverse[3], 5);
});

test('random numbers are the same before and behind', async () => {
  core.setSeed(4);
  const noise = core.uniform([3, 3]).add(core.eye(3));
  const product = core.inverse(noise).matmul(noise);
  expect(await product.sub(core.eye(3)).abs().max().item()).toBeLessThan(1e-5);
});

test('checkpoint, prepare, noGradient and eager debugging know them', async () => {
  const x = matrix();
  const f = core.checkpoint((a) => core.inverse(a as core.Tensor).square());
  const [again] = core.gradients(f(x).sum(), [x]);
  const [plain] = core.gradients(core.inverse(x).square().sum(), [x]);
  expect(await again.array()).toEqual(await plain.array());
  await core.prepare(() => core.inverse(x.mul(3)).mul(2));
  expect((await core.noGradient(() => core.inverse(x)).array(2))[0]?.[0]).toBeCloseTo(0.6, 6);
  core.debug({ eager: true });
  try {
    const message = await core
      .inverse(core.zeros([2, 2]))
      .sum()
      .item()
      .catch((error: Error) => error.message);
    expect(message).toMatch(
      /^inverse: the matrix \[2, 2\] is singular: its column 0 .* at .*on-host\.test\.ts\S*:\d+:\d+\.$/,
    );
    expect((await core.inverse(x.mul(1)).array(2))[1]?.[1]).toBeCloseTo(0.4, 6);
  } finally {
    core.debug({ eager: false });
  }
});

test('an update of a parameter that was asked for before is refused to nobody: reads and steps keep their order', async () => {
  const weight = core.parameter(core.eye(2), { backend });
  const before = core.inverse(weight.mul(2)).sum().item();
  const step = core.replace([[weight, weight.mul(4)]]);
  const after = core.inverse(weight.mul(2)).sum().item();
  await step;
  expect([await before, await after]).toEqual([1, 0.25]);
});

test('vmap takes rows of matrices, and what they share', async () => {
  const rows = core.stack([matrix(), matrix().mul(2), core.eye(2)]);
  const right = core.tensor([1, 2]);
  const each = core.vmap((a: core.Tensor, b: core.Tensor) => core.solve(a, b), { in: [0, null] });
  expect(await each(rows, right).array()).toEqual(await core.solve(rows, core.stack([right, right, right])).array());
  const slopes = core.vmap(core.grad((a: core.Tensor) => core.det(a)))(rows);
  expect(await slopes.at(1).array()).toEqual(
    await core
      .grad((a: core.Tensor) => core.det(a))(matrix().mul(2))
      .array(),
  );
});

/** vmap and what is made of it: a function of one row is a function of many, and means the same. */
import { reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import {
  checkpoint,
  compile,
  customGradient,
  debug,
  diagonal,
  grad,
  gradients,
  hessian,
  jacobian,
  jvp,
  linearize,
  maxPool,
  numberSource,
  parameter,
  perSampleGradients,
  stack,
  type Tensor,
  tensor,
  uniform,
  vjp,
  vmap,
} from './index.ts';
import { update } from './ops/indexing.ts';
import { dynamicSlice } from './ops/views.ts';
import { wrap } from './tensor.ts';
import { prepare } from './testing.ts';

prepare(reference());

const rows = (x: Tensor): Tensor[] => Array.from({ length: x.shape[0] as number }, (_, row) => x.at(row));
const loop = (f: (x: Tensor) => Tensor, x: Tensor): Tensor => stack(rows(x).map(f));

async function expectSame(found: Tensor, right: Tensor): Promise<void> {
  expect(found.shape).toEqual(right.shape);
  const [a, b] = await Promise.all([found.data(), right.data()]);
  a.forEach((value, i) => {
    expect(value).toBeCloseTo(b[i] as number, 5);
  });
}

const x = tensor([
  [1, 2, -1],
  [0.5, -3, 2],
]);

describe('vmap', () => {
  test('maps over any axis, and puts the rows at any axis', async () => {
    const f = (row: Tensor): Tensor => row.mul(2).cumsum(0);
    await expectSame(vmap(f)(x), loop(f, x));
    await expectSame(vmap(f, { in: 1 })(x), loop(f, x.transpose()));
    await expectSame(vmap(f, { in: -1, out: -1 })(x), loop(f, x.transpose()).transpose());
  });

  test('takes arrays and plain objects of tensors, and gives them back', async () => {
    const f = ({ a, list }: { a: Tensor; list: Tensor[] }, scale: number): { sum: Tensor; both: Tensor[] } => ({
      sum: a.add(list[0] as Tensor),
      both: [a.mul(scale), tensor([7])],
    });
    const { sum, both } = vmap(f)({ a: x, list: [x.square()] }, 3);
    await expectSame(sum, x.add(x.square()));
    await expectSame(both[0] as Tensor, x.mul(3));
    expect(await both[1]?.array()).toEqual([[7], [7]]);
  });

  test('leaves what has no rows as it is', async () => {
    const shared = tensor([10, 20, 30]);
    const [all, same] = vmap((row: Tensor, all: Tensor) => [row.add(all), all.mul(2)], {
      in: [0, null],
      out: [0, null],
    })(x, shared);
    await expectSame(all as Tensor, x.add(shared));
    expect((same as Tensor).shape).toEqual([3]);
  });

  test('nests', async () => {
    const outer = (a: Tensor, b: Tensor): Tensor => vmap((u: Tensor) => vmap((v: Tensor) => u.mul(v))(b))(a);
    await expectSame(outer(x.at(0), x.at(1)), x.at(0).reshape([3, 1]).mul(x.at(1)));
    const cube = tensor(
      Float32Array.from({ length: 24 }, (_, i) => i % 7),
      { shape: [2, 3, 4] },
    );
    await expectSame(vmap(vmap((row: Tensor) => row.sort().values.softmax()))(cube), cube.sort().values.softmax());
  });

  test('is differentiated, and differentiates', async () => {
    const f = (row: Tensor): Tensor => row.sin().mul(row.flip()).logSumExp();
    const perRow = vmap(grad(f))(x);
    await expectSame(perRow, loop(grad(f), x));
    // the same from outside: rows do not see each other
    await expectSame(gradients(vmap(f)(x).sum(), [x])[0], perRow);
    await expectSame(vmap(hessian(f))(x), loop(hessian(f), x));
    await expectSame(
      diagonal(hessian((all) => vmap(f)(all).sum())(x)),
      vmap((row: Tensor) => diagonal(hessian(f)(row)))(x).flatten(),
    );
    const push = (row: Tensor): Tensor => jvp((y) => y.tanh(), [row], [row.square()]).tangent;
    await expectSame(vmap(push)(x), loop(push, x));
  });

  test('keeps gradients of their own, recomputed ones too', async () => {
    const through = customGradient(
      (a, b) => a.round().mul(b),
      (g, [, b]) => [g.mul(b as Tensor), g.sum().reshape([1])],
    );
    const scale = tensor([3]);
    const f = (row: Tensor): Tensor => through(row, scale).square().sum();
    await expectSame(vmap(grad(f))(x), loop(grad(f), x));
    const [all] = gradients(vmap(f)(x).sum(), [scale]);
    await expectSame(all, gradients(loop(f, x).sum(), [scale])[0]);
    const again = (row: Tensor): Tensor => checkpoint((y) => y.sigmoid().mul(y))(row).sum();
    await expectSame(vmap(grad(again))(x), loop(grad(again), x));
    const pooled = (row: Tensor): Tensor =>
      maxPool(row.reshape([1, 3]), { size: [2], stride: 1 })
        .square()
        .sum();
    await expectSame(vmap(grad(pooled))(x), loop(grad(pooled), x));
  });

  test('reads and writes boxes at other places in each row', async () => {
    const starts = tensor([2, 0], { dtype: 'int32' });
    const box = (row: Tensor, start: Tensor): Tensor => wrap(dynamicSlice(row.node, [start.node], [2]));
    const put = (row: Tensor, value: Tensor, start: Tensor): Tensor => wrap(update(row.node, value.node, [start.node]));
    const wide = tensor(
      Float32Array.from({ length: 10 }, (_, i) => i),
      { shape: [2, 5] },
    );
    const slices = vmap((row: Tensor, start: Tensor) => box(row, start))(wide, starts);
    expect(await slices.array()).toEqual([
      [2, 3],
      [5, 6],
    ]);
    const shared = vmap((start: Tensor) => box(wide.at(0), start))(starts);
    expect(await shared.array()).toEqual([
      [2, 3],
      [0, 1],
    ]);
    const updated = vmap((row: Tensor, start: Tensor) => put(row, tensor([-1, -2]), start))(wide, starts);
    expect(await updated.array()).toEqual([
      [0, 1, -1, -2, 4],
      [-1, -2, 7, 8, 9],
    ]);
    const same = vmap((row: Tensor) => row.update([numberSource(() => 3)], tensor([-1])))(wide);
    expect(await same.array()).toEqual([
      [0, 1, 2, -1, 4],
      [5, 6, 7, -1, 9],
    ]);
    const f = (row: Tensor, start: Tensor): Tensor => box(row, start).square().sum();
    expect(await vmap(grad(f))(wide, starts).array()).toEqual([
      [0, 0, 4, 6, 0],
      [10, 12, 0, 0, 0],
    ]);
  });

  test('draws the same random numbers in every row, or different ones, and asks which', async () => {
    const f = (row: Tensor): Tensor => row.mul(0).add(uniform([3]));
    expect(() => vmap(f)(x)).toThrow(
      "vmap: the function draws random numbers: say whether they are the same in every row or different ones: { random: 'same' } or { random: 'different' }.",
    );
    const same = rows(vmap(f, { random: 'same' })(x));
    await expectSame(same[0] as Tensor, same[1] as Tensor);
    const different = await vmap(f, { random: 'different' })(x).array();
    expect(new Set((different as number[][]).flat()).size).toBe(6);
    // those drawn outside are the same in every row
    const noise = uniform([3]);
    const outside = rows(vmap((row: Tensor) => row.mul(0).add(noise), { random: 'different' })(x));
    await expectSame(outside[0] as Tensor, outside[1] as Tensor);
    const again = checkpoint((y) => vmap((row: Tensor) => row.mul(uniform([3])), { random: 'different' })(y).sum());
    const slope = gradients(again(x), [x])[0];
    await expectSame(slope.mul(x).sum(), again(x).mul(0).add(slope.mul(x).sum()));
    const whole = again(x);
    await expectSame(gradients(whole, [x])[0].mul(x).sum(), whole);
  });

  test('runs inside of compiled functions', async () => {
    const f = compile((all: Tensor) => vmap(grad((row: Tensor) => row.exp().sum()))(all));
    for (let call = 1; call < 5; call++) await expectSame(await f(x.mul(call)), x.mul(call).exp());
  });

  test('is seen by eager debugging', async () => {
    debug({ eager: true });
    try {
      const f = (row: Tensor): Tensor => row.sigmoid().logSumExp();
      await expectSame(vmap(grad(f))(x), loop(grad(f), x));
      await expectSame(gradients(vmap(f)(x).sum(), [x])[0], loop(grad(f), x));
      await expectSame(
        jacobian((y) => y.sigmoid().mul(y.sum()))(x.at(0)),
        jacobian((y) => y.sigmoid().mul(y.sum()), { mode: 'forward' })(x.at(0)),
      );
      await expect(vmap((row: Tensor) => row.sub(row).log().sub(row))(x).data()).rejects.toThrow(/vmap\.test\.ts/);
    } finally {
      debug({ eager: false });
    }
  });

  test('maps no rows to no rows', async () => {
    const none = tensor([], { shape: [0, 3] });
    expect(vmap((row: Tensor) => row.matmul(x.transpose()))(none).shape).toEqual([0, 2]);
  });

  test('refuses what it cannot mean', () => {
    expect(() => vmap((a: Tensor, b: Tensor) => a.add(b))(x, tensor([1, 2, 3]))).toThrow(
      'vmap: the arguments differ in their rows: 2 rows along axis 0 of [2, 3], 3 rows along axis 0 of [3].',
    );
    expect(() => vmap((a: Tensor) => a, { in: null })(x)).toThrow(
      'vmap: no argument has an axis of rows: name one in `in`, or call the function as it is.',
    );
    expect(() => vmap((a: Tensor) => a, { in: [0, 0] })(x)).toThrow(
      'vmap: in names 2 axes, there are 1 arguments: give one for each, or null.',
    );
    expect(() => vmap((a: Tensor) => a, { out: null })(x)).toThrow(
      'vmap: result 0 differs from row to row, but out says that it does not: name an axis for it.',
    );
    expect(() => vmap((async (a: Tensor) => a) as never)(x)).toThrow('vmap: the function must not be async');
  });

  test('leaves a parameter alone that cannot have a value for each row', async () => {
    const total = parameter([0], { name: 'total', buffer: true });
    expect(() => vmap((row: Tensor) => total.assign(row.sum().reshape([1])))(x)).toThrow(
      'vmap: the function gives total a value that differs from row to row, and it has one: return the value instead, or use evaluation mode.',
    );
    expect(await total.array()).toEqual([0]);
    vmap((row: Tensor) => {
      total.assign(total.add(1));
      return row;
    })(x);
    expect(await total.array()).toEqual([1]);
  });

  test('says what cannot be read inside', async () => {
    let inside: Tensor | null = null;
    vmap((row: Tensor) => {
      inside = row.mul(2);
      return row;
    })(x);
    await expect((inside as unknown as Tensor).data()).rejects.toThrow(
      'A value was read that belongs to one row or turn of a function that vmap, scan or another transformation called: return it from there instead.',
    );
  });

  test('checks indices of all rows where they are known', () => {
    const table = tensor([1, 2, 3]);
    expect(() => vmap((row: Tensor) => table.gather(row))(tensor([[0], [7]], { dtype: 'int32' }))).toThrow(
      'gather: index 7 is outside of axis 0 of [3]',
    );
  });
});

describe('perSampleGradients', () => {
  const model = { weight: parameter([[1, 2, 3]], { name: 'weight' }), bias: parameter([0.5], { name: 'bias' }) };
  const loss = (input: Tensor, target: Tensor): Tensor =>
    input.matmul(model.weight.transpose()).add(model.bias).sub(target).square().mean();
  const target = tensor([[1], [2]]);

  test('gives what a loop over the samples gives', async () => {
    const { losses, gradients: all } = perSampleGradients(loss, model)(x, target);
    for (let k = 0; k < 2; k++) {
      const value = loss(x.at([k, k + 1]), target.at([k, k + 1]));
      const right = gradients(value, [model.weight, model.bias]);
      await expectSame(losses.at(k), value);
      for (const [p, gradient] of right.entries()) await expectSame((all[p] as Tensor).at(k), gradient);
    }
  });

  test('wants a scalar', () => {
    const wide = (input: Tensor): Tensor => input.mul(model.weight);
    expect(() => perSampleGradients(wide, model)(x)).toThrow(
      'perSampleGradients: the loss of one sample must be a scalar, got [1, 3]: reduce it, with mean() or sum().',
    );
  });
});

describe('jacobian', () => {
  const weight = tensor([
    [1, -2, 0.5],
    [3, 1, 1],
  ]);
  const f = (y: Tensor): Tensor => weight.matmul(y.sin()).add(y.sum());

  test('is the same forwards and backwards, and chooses by shape', async () => {
    const point = x.at(0);
    const right = stack([0, 1].map((k) => gradients(f(point).at(k), [point])[0]));
    await expectSame(jacobian(f)(point), right);
    await expectSame(jacobian(f, { mode: 'forward' })(point), right);
    await expectSame(jacobian(f, { mode: 'backward' })(point), right);
    const wide = (y: Tensor): Tensor => y.reshape([3, 1]).mul(y).add(y);
    await expectSame(jacobian(wide)(point), jacobian(wide, { mode: 'backward' })(point));
    expect(jacobian(wide)(point).shape).toEqual([3, 3, 3]);
  });

  test('has zeros where there is nothing to differentiate', async () => {
    expect(await jacobian(() => tensor([1, 2]))(tensor([3])).array()).toEqual([[0], [0]]);
    expect(await hessian((y) => y.sum())(tensor([1, 2])).array()).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  test('refuses another mode', () => {
    expect(() => jacobian(f, { mode: 'sideways' as never })).toThrow(
      "jacobian: the mode is 'forward' or 'backward', got \"sideways\".",
    );
  });
});

describe('linearize and vjp', () => {
  const f = (a: Tensor, b: Tensor): Tensor => a.mul(b).add(a);

  test('are adjoint, and may be used again', async () => {
    const [a, b] = [x.at(0), x.at(1)];
    const { pushforward } = linearize(f, [a, b]);
    const { pullback } = vjp(f, [a, b]);
    const tangents = [b, a.square()] as const;
    const cotangent = tensor([1, -2, 3]);
    const [left, right] = pullback(cotangent);
    const forwards = pushforward(...tangents)
      .mul(cotangent)
      .sum();
    const backwards = (left as Tensor)
      .mul(tangents[0])
      .add((right as Tensor).mul(tangents[1]))
      .sum();
    await expectSame(forwards, backwards);
    await expectSame(pushforward(b, tensor([0, 0, 0])), b.mul(b).add(b));
  });

  test('count a term that is the cotangent itself', async () => {
    // d(x + sin x) = (1 + cos x) dx
    const { tangent } = jvp((y) => y.add(y.sin()), [tensor([0])], [tensor([1])]);
    expect(await tangent.array()).toEqual([2]);
  });

  test('refuse tangents that do not fit', () => {
    expect(() => linearize(f, [x, x]).pushforward(x)).toThrow('linearize: 2 primals and 1 tangents.');
    expect(() => jvp(f, [x, x], [x, x.at(0)])).toThrow('jvp: tangent 1 has the shape [3], its primal [2, 3].');
  });
});

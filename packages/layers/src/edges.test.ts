/** Where operations are easily wrong (bounds, saturation, NaN, empty axes), against PyTorch's values and gradients. */
import { cpu, type EngineName } from '@nn/backend-cpu';
import {
  averagePool,
  concat,
  conv2d,
  einsum,
  grad,
  gradients,
  gradientsOrNull,
  maxPool,
  oneHot,
  onesLike,
  setDefaultBackend,
  type Tensor,
  tensor,
  where,
  zeros,
  zerosLike,
} from '@nn/core';
import { afterAll, describe, expect, test } from 'vitest';
import fixtures from '../fixtures/edges.json';
import {
  attention,
  BatchNorm1d,
  bceWithLogits,
  binaryCrossEntropy,
  hardSigmoid,
  hardSwish,
  LayerNorm,
} from './index.ts';

type Numbers = readonly (number | string)[];

interface Edge {
  readonly name: string;
  readonly inputs?: readonly (Numbers | readonly Numbers[])[];
  /** Shapes of inputs that are zeros. */
  readonly zeros?: readonly (readonly number[])[];
  readonly shape: readonly number[];
  readonly output: Numbers;
  readonly gradients?: readonly (Numbers | null)[];
  readonly second?: readonly Numbers[];
}

const none = { reduction: 'none' } as const;

const operations: Readonly<Record<string, (...inputs: Tensor[]) => Tensor>> = {
  'clamp with crossed bounds': (x, low, high) => x.clamp(low, high),
  'hardSigmoid at its corners': hardSigmoid,
  'hardSwish at its corners': hardSwish,
  'binaryCrossEntropy near 1': (p) => binaryCrossEntropy(p, zerosLike(p), none),
  'bceWithLogits far from 0, target 0': (x) => bceWithLogits(x, zerosLike(x), none),
  'bceWithLogits far from 0, target 1': (x) => bceWithLogits(x, onesLike(x), none),
  'expm1 far below 0': (x) => x.expm1(),
  mod: (a, b) => a.mod(b),
  floorMod: (a, b) => a.floorMod(b),
  'argMax with NaN': (x) => x.argMax(0),
  'argMin with NaN': (x) => x.argMin(0),
  'argMax of rows with NaN': (x) => x.argMax(1),
  'sort with NaN': (x) => x.sort(0).values,
  'argSort with NaN': (x) => x.argSort(0),
  'sort with NaN, descending': (x) => x.sort(0, { descending: true }).values,
  'argSort with NaN, descending': (x) => x.argSort(0, { descending: true }),
  'topK with NaN': (x) => x.topK(2, 0).values,
  'topK with NaN, the smallest': (x) => x.topK(4, 0, { largest: false }).values,
  'max with NaN': (x) => x.max(),
  'logSumExp with some -Infinity': (x) => x.logSumExp(0),
  'norm of huge numbers': (x) => x.norm(),
  'norm of tiny numbers': (x) => x.norm(),
  'norm of order 3 of huge numbers': (x) => x.norm(0, { order: 3 }),
  'einsum over an empty batch': (a, b) => einsum('bi,ij->bj', a, b),
  'einsum over an empty inner axis': (a, b) => einsum('bi,ij->bj', a, b),
  'einsum with dots over an empty batch': (a, b) => einsum('...i,ij->...j', a, b),
  'einsum of an empty diagonal': (a) => einsum('ii->i', a),
  'matmul over an empty inner axis': (a, b) => a.matmul(b),
  'matmul of an empty batch': (a, b) => a.matmul(b),
  'softmax of an empty batch': (x) => x.softmax(-1),
  'softmax of empty rows': (x) => x.softmax(-1),
  'logSoftmax of empty rows': (x) => x.logSoftmax(-1),
  'logSumExp of an empty batch': (x) => x.logSumExp(1),
  'logSumExp of nothing': (x) => x.logSumExp(1),
  'mean of nothing': (x) => x.mean(1),
  'variance of an empty batch': (x) => x.variance(1),
  'variance of nothing': (x) => x.variance(1),
  'standardDeviation of nothing': (x) => x.standardDeviation(1),
  'norm of nothing': (x) => x.norm(1),
  'cumsum of nothing': (x) => x.cumsum(1),
  'sort of nothing': (x) => x.sort(1).values,
  'argMax of an empty batch': (x) => x.argMax(1),
  'topK of an empty batch': (x) => x.topK(2, 1).values,
  'conv2d of an empty batch': (x, w) => conv2d(x, w),
  'maxPool2d of an empty batch': (x) => maxPool(x, { size: [2, 2] }),
  'averagePool2d of an empty batch': (x) => averagePool(x, { size: [2, 2] }),
  'oneHot of nothing': (x) => oneHot(x.cast('int32'), 3),
  'gather of nothing': (x) => x.gather(zeros([0], { dtype: 'int32' })),
  'concat with an empty piece': (a, b) => concat([a, b]),
  'flip of nothing': (x) => x.flip(0),
  'pad of nothing': (x) =>
    x.pad([
      [0, 2],
      [1, 1],
    ]),
  'gelu of nothing': (x) => x.gelu(),
};

const engines: readonly EngineName[] = ['javascript', 'wasm', 'interpreter'];
const numbersOf = (list: Numbers): number[] => list.map(Number);

function inputOf(values: Numbers | readonly Numbers[]): Tensor {
  const rows = values.map((value) => (Array.isArray(value) ? numbersOf(value) : Number(value)));
  return tensor(rows as number[] | number[][]);
}

/** Equal but for float32's rounding; what is 0 is 0 exactly. */
function expectClose(found: ArrayLike<number>, right: Numbers, what: string): void {
  expect(found.length, what).toBe(right.length);
  for (const [k, value] of numbersOf(right).entries()) {
    const actual = found[k] as number;
    const isClose = Object.is(actual, value) || Math.abs(actual - value) <= 4e-6 * Math.abs(value);
    expect(isClose, `${what}, number ${k}: ${actual} for ${value}`).toBe(true);
  }
}

afterAll(() => setDefaultBackend(cpu()));

describe.each(engines)('%s', (engine) => {
  const edges: readonly Edge[] = fixtures.cases;

  test.each(edges.map((edge) => [edge.name, edge] as const))('%s', async (name, edge) => {
    setDefaultBackend(cpu({ engine }));
    const inputs = edge.inputs?.map(inputOf) ?? (edge.zeros ?? []).map((shape) => zeros(shape));
    const output = (operations[name] as (...tensors: Tensor[]) => Tensor)(...inputs);
    expect(output.shape).toEqual(edge.shape);
    expectClose(await output.data(), edge.output, 'value');
    if (edge.zeros !== undefined && output.dtype === 'float32') {
      // a gradient of nothing has the shape of nothing
      const slopes = gradientsOrNull(output.sum(), inputs);
      for (const [k, slope] of slopes.entries()) expect(slope?.shape ?? inputs[k]?.shape).toEqual(inputs[k]?.shape);
    }
    if (edge.gradients === undefined) return;
    const slopes = gradients(output.sum(), inputs);
    for (const [k, right] of edge.gradients.entries()) {
      if (right !== null) expectClose(await (slopes[k] as Tensor).data(), right, `gradient ${k}`);
    }
    if (edge.second === undefined) return;
    const total = slopes.map((slope, k) => slope.mul(k + 1).sum()).reduce((sum, part) => sum.add(part));
    const twice = gradientsOrNull(total, inputs);
    for (const [k, right] of edge.second.entries()) {
      expectClose((await twice[k]?.data()) ?? new Float32Array(right.length), right, `second gradient ${k}`);
    }
  });

  test('a row that a mask of -Infinity hides whole is an even mean, as with booleans, gradients too', async () => {
    setDefaultBackend(cpu({ engine }));
    const [q, k, v] = [
      tensor([
        [1, 0.5],
        [0.25, 2],
      ]),
      tensor([
        [0.5, 1],
        [2, 0.125],
      ]),
      tensor([
        [1, 2],
        [3, 5],
      ]),
    ];
    const hide = tensor([
      [true, true],
      [false, true],
    ]);
    const numbers = tensor([
      [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
      [0, Number.NEGATIVE_INFINITY],
    ]);
    const read = async (mask: Tensor): Promise<number[][]> => {
      const { output } = attention(q, k, v, mask.dtype === 'bool' ? { hidden: mask } : { bias: mask });
      const values = [output, ...gradients(output.square().sum(), [q, k, v])];
      return Promise.all(values.map(async (x) => [...(await x.data())]));
    };
    const found = await read(numbers);
    expect(found[0]).toEqual([2, 3.5, 1, 2]);
    expect(found).toEqual(await read(hide));
  });

  test('logSumExp of only -Infinity has a gradient of 0', async () => {
    setDefaultBackend(cpu({ engine }));
    const x = tensor([
      [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
      [0, Number.NEGATIVE_INFINITY],
    ]);
    expect(await gradients(x.logSumExp(1).sum(), [x])[0].array()).toEqual([
      [0, 0],
      [1, 0],
    ]);
  });

  test.each<readonly [string, (x: Tensor) => Tensor, readonly number[]]>([
    ['a square root', (x) => x.sqrt(), [0, 0.25]],
    ['a logarithm', (x) => x.log(), [0, 0.25]],
    ['a logarithm of 1 + x', (x) => x.sub(1).log1p(), [0, 0.25]],
    ['a quotient', (x) => x.reciprocal(), [0, -0.0625]],
    ['a power', (x) => x.pow(0.5), [0, 0.25]],
    ['an exponential beyond float32', (x) => x.mul(-1000).add(1000).exp(), [0, 0]],
    ['a product with NaN', (x) => x.mul(tensor([Number.NaN, 2])), [0, 2]],
    ['a square of what is not a number', (x) => x.add(tensor([Number.NaN, 0])).square(), [0, 8]],
    ['a view in between', (x) => x.sqrt().reshape([1, 2]).reshape([2]), [0, 0.25]],
  ])('what where did not choose has no gradient through %s', async (_, f, right) => {
    setDefaultBackend(cpu({ engine }));
    const x = tensor([0, 4]);
    const y = where(x.greater(0), f(x), 0);
    const found = await gradients(y.sum(), [x])[0].data();
    expect(Array.from(found, (value) => value + 0)).toEqual(right);
  });

  test('what where chose has a second derivative where the first happens to be 0', async () => {
    setDefaultBackend(cpu({ engine }));
    const loss = (x: Tensor): Tensor => where(x.greater(0), x.sqrt(), 0).sub(2).square().sum();
    const slope = grad(loss);
    // at its minimum: 2 (d sqrt(x) / dx)^2 = 2 (1/4)^2
    expect(await slope(tensor([4])).array()).toEqual([0]);
    expect(await grad((x: Tensor) => slope(x).sum())(tensor([4])).array()).toEqual([0.125]);
  });

  test('numbers far from 0 keep their variance, and norms their digits', async () => {
    setDefaultBackend(cpu({ engine }));
    const values = Float32Array.from({ length: 4000 }, (_, i) => 1e6 + (i % 2));
    const rows = tensor(values, { shape: [4, 1000] });
    const columns = rows.transpose().add(0);
    expect(await tensor(values).variance(undefined, { correction: 0 }).item()).toBe(0.25);
    expect(await rows.variance(1, { correction: 0 }).array()).toEqual([0.25, 0.25, 0.25, 0.25]);
    expect(await columns.variance(0, { correction: 0 }).array()).toEqual([0.25, 0.25, 0.25, 0.25]);
    const layer = new LayerNorm(1000, { epsilon: 0 });
    expect([...(await layer.forward(rows).data()).subarray(0, 4)]).toEqual([-1, 1, -1, 1]);
    const batch = new BatchNorm1d(4, { epsilon: 0, momentum: 1 });
    const standard = batch.forward(columns);
    expect([...(await standard.data()).subarray(0, 8)]).toEqual([-1, -1, -1, -1, 1, 1, 1, 1]);
    expect(await batch.runningMean?.array()).toEqual([1000000.5, 1000000.5, 1000000.5, 1000000.5]);
  });
});

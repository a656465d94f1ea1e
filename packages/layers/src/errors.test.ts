/** What layers of pooling, padding, patches and bags refuse, and what they do besides their values (networks.test.ts). */
import { cpu } from '@nn/backend-cpu';
import { gradients, namedParameters, setDefaultBackend, setSeed, type Tensor, tensor, uniform, zeros } from '@nn/core';
import { beforeAll, describe, expect, test } from 'vitest';
import * as nn from './index.ts';

beforeAll(() => setDefaultBackend(cpu()));

const read = async (x: Tensor): Promise<number[]> => Array.from(await x.data());

describe('errors name the layer, both facts and the fix', () => {
  test.each<readonly [string, () => unknown, string]>([
    [
      'pad of one sample',
      () => new nn.ZeroPad2d(1).forward(zeros([3, 4, 5])),
      'ZeroPad2d(1, 1): takes [N, channels, height, width], got [3, 4, 5] of rank 3: for a single sample add the axis of the batch: x.unsqueeze(0).',
    ],
    [
      'pad of other axes',
      () => new nn.ReflectionPad2d([[1, 1]]),
      'ReflectionPad2d: the padding is [[1,1]]: give one whole number, or 2 pairs [before, after] of them.',
    ],
    [
      'pad too far',
      () => new nn.ReflectionPad1d(3).forward(zeros([1, 1, 3])),
      'reflectionPad: axis 2 of [1, 1, 3] has 3 elements',
    ],
    [
      'adaptive size',
      () => new nn.AdaptiveAvgPool2d([1, 0]),
      'AdaptiveAvgPool2d: the size of the output is [1,0]: give one whole number from 1, or 2 of them; null keeps the size of the input.',
    ],
    ['pool option', () => Reflect.construct(nn.MaxPool2d, [2, { strides: 2 }]), 'MaxPool2d: no option strides'],
    [
      'unpool size',
      () => new nn.MaxUnpool1d(2).forward(zeros([1, 1, 2]), zeros([1, 1, 2], { dtype: 'int32' }), [7]),
      'MaxUnpool1d(2): the size of the output is [7]: windows of [1, 1, 2] are from sizes less than a stride [2] away from [4].',
    ],
    ['LP order', () => new nn.LPPool1d(0, 2), 'LPPool1d: the order is 0: it must be above 0.'],
    [
      'fractional both',
      () => new nn.FractionalMaxPool2d(2, {}),
      'FractionalMaxPool2d: takes outputSize or outputRatio: give one of them.',
    ],
    [
      'fractional ratio',
      () => new nn.FractionalMaxPool2d(2, { outputRatio: 1 }),
      'FractionalMaxPool2d: outputRatio is [1, 1]: it must lie between 0 and 1.',
    ],
    [
      'fractional too small',
      () => new nn.FractionalMaxPool2d(3, { outputSize: 4 }).forward(zeros([1, 1, 5, 9])),
      'FractionalMaxPool2d(3x3): an axis of 5 is too short for 4 windows of 3: it needs 6.',
    ],
    [
      'global',
      () => new nn.GlobalMaxPool().forward(zeros([2, 3])),
      'GlobalMaxPool(): takes [N, channels, ...space], got [2, 3]: it has no axis of space.',
    ],
    [
      'unflatten',
      () => new nn.Unflatten(1, [4, -1]).forward(zeros([2, 6])),
      'Unflatten(1, [4, -1]): axis 1 of [2, 6] has 6 elements, which [4, -1] do not make.',
    ],
    [
      'unflatten nothing',
      () => new nn.Unflatten(5, [4]).forward(zeros([2, 6])),
      'Unflatten(5, [4]): axis 5 of [2, 6] does not exist',
    ],
    [
      'repeat',
      () => new nn.RepeatVector(2).forward(zeros([2, 3, 4])),
      'RepeatVector(2): takes [N, width], got [2, 3, 4].',
    ],
    ['upsample', () => new nn.Upsample({}), 'Upsample: takes size or scaleFactor: give one of them.'],
    ['shuffle', () => new nn.PixelShuffle(0), 'PixelShuffle: factor is 0: it must be a whole number of at least 1.'],
    ['fold option', () => Reflect.construct(nn.Fold, [[4, 4], 2, { pad: 1 }]), 'Fold: no option pad'],
    [
      'bags',
      () => new nn.EmbeddingBag(5, 2).forward(tensor([1, 2])),
      'EmbeddingBag(5, 2): takes indices [N, length], or [length] with offsets [N], got [2].',
    ],
    [
      'weights of a mean',
      () => new nn.EmbeddingBag(5, 2).forward(tensor([[1, 2]]), { weights: zeros([1, 2]) }),
      "EmbeddingBag(5, 2): weights are of sums, the mode is 'mean': make it { mode: 'sum' }.",
    ],
    [
      'weights of another shape',
      () => new nn.EmbeddingBag(5, 2, { mode: 'sum' }).forward(tensor([[1, 2]]), { weights: zeros([2]) }),
      'EmbeddingBag(5, 2): weights [2] must have the shape of the indices, [1, 2].',
    ],
    [
      'mode',
      () => Reflect.construct(nn.EmbeddingBag, [5, 2, { mode: 'min' }]),
      "EmbeddingBag(5, 2): mode is min: it must be 'sum', 'mean' or 'max'.",
    ],
    ['bag index', () => new nn.EmbeddingBag(5, 2).forward(tensor([[1, 5]])), 'EmbeddingBag(5, 2): '],
    [
      'equation',
      () => new nn.EinsumDense('ab->ba', {}),
      "EinsumDense(ab->ba): the equation must be of an input and a weight, such as 'abc,cd->abd'.",
    ],
    [
      'size of a letter',
      () => new nn.EinsumDense('ab,bc->ac', { b: 2 }),
      'EinsumDense(ab,bc->ac): the size of c is missing: give it, { c: 8 }.',
    ],
    [
      'bias of einsum',
      () => new nn.EinsumDense('ab,bc->ac', { b: 2, c: 3 }, { biasAxes: 'x' }),
      'EinsumDense(ab,bc->ac): a bias of the axes x does not lie over the output ac',
    ],
    [
      'cap',
      () => new nn.ReversibleEmbedding(5, 2, { softCap: 0 }),
      'ReversibleEmbedding: softCap is 0: it must be above 0.',
    ],
    [
      'reverse',
      () => new nn.ReversibleEmbedding(5, 2, { tied: false }).reverse(zeros([1, 3])),
      'ReversibleEmbedding(5, 2): the last axis must have 2 values, the input [1, 3] has 3.',
    ],
    ['masking', () => new nn.Masking().forward(zeros([2, 3])), 'Masking(0): takes [N, length, ...], got [2, 3].'],
    [
      'time',
      () => new nn.TimeDistributed(new nn.Linear(2, 3)).forward(zeros([2, 2])),
      'TimeDistributed(Linear(2, 3)): takes [N, length, ...], got [2, 2].',
    ],
    [
      'no layer',
      () => Reflect.construct(nn.TimeDistributed, [() => 0]),
      'TimeDistributed: takes a layer: an object with forward(x).',
    ],
    [
      'cutoffs',
      () => new nn.AdaptiveLogSoftmaxWithLoss(8, 10, [3, 3]),
      'AdaptiveLogSoftmaxWithLoss(8, 10): the cutoffs are [3, 3]: they must rise, from 1 to below 10.',
    ],
    [
      'clusters',
      () => new nn.AdaptiveLogSoftmaxWithLoss(2, 10, [3]),
      'AdaptiveLogSoftmaxWithLoss(2, 10): cluster 0 has no width left: 2 / 4^1 is below 1.',
    ],
    ['depth', () => Reflect.construct(nn.DepthwiseConv2d, [2, 3, { groups: 2 }]), 'DepthwiseConv2d: no option groups'],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(message);
  });
});

test('fractional windows shrink by the ratio, lie inside, and differ from channel to channel', async () => {
  setSeed(5);
  const x = tensor(
    Float32Array.from({ length: 400 }, (_, i) => i % 100),
    { shape: [1, 4, 10, 10] },
  );
  const { values, indices } = new nn.FractionalMaxPool2d(2, { outputRatio: 0.6 }).withIndices(x);
  expect(values.shape).toEqual([1, 4, 6, 6]);
  const [found, places] = await Promise.all([read(values), read(indices)]);
  expect(found).toEqual(places); // each pixel is its own place
  expect(found.at(-1)).toBe(99);
  const channels = [0, 1, 2, 3].map((c) => found.slice(36 * c, 36 * c + 36).join());
  expect(new Set(channels).size).toBeGreaterThan(1);
});

test('a bag does not train its padding, and an empty one is 0', async () => {
  const layer = new nn.EmbeddingBag(4, 2, { paddingIndex: -1, mode: 'sum' });
  expect((await read(layer.weight)).slice(6)).toEqual([0, 0]);
  const [slope] = gradients(layer.forward(tensor([[3, 1, 3]])).sum(), [layer.weight]);
  expect(await read(slope)).toEqual([0, 0, 1, 1, 0, 0, 0, 0]);
  const flat = layer.forward(tensor([1, 2]), { offsets: tensor([0, 0]) });
  expect((await read(flat)).slice(0, 2)).toEqual([0, 0]);
});

test('a target that is no class has no probability', async () => {
  const layer = new nn.AdaptiveLogSoftmaxWithLoss(4, 6, [2]);
  const found = await read(layer.forward(uniform([3, 4]), tensor(Int32Array.of(0, 6, -1))).output);
  expect(found.map(Number.isNaN)).toEqual([false, true, true]);
});

test('the probabilities of all classes sum to 1, and the most probable is predicted', async () => {
  const layer = new nn.AdaptiveLogSoftmaxWithLoss(8, 20, [3, 9], { divisor: 2 });
  const x = uniform([5, 8], { low: -3, high: 3 });
  const all = layer.logProbabilities(x);
  for (const sum of await read(all.exp().sum(1))) expect(sum).toBeCloseTo(1, 5);
  expect(await read(layer.predict(x))).toEqual(await read(all.argMax(1)));
});

test('wrapped layers keep their names', () => {
  expect([...namedParameters(new nn.TimeDistributed(new nn.Linear(2, 3))).keys()]).toEqual([
    'layer.weight',
    'layer.bias',
  ]);
  expect([...namedParameters(new nn.SeparableConv2d(2, 3, 3)).keys()]).toEqual([
    'depthwise.weight',
    'pointwise.weight',
    'pointwise.bias',
  ]);
  expect([...namedParameters(new nn.AdaptiveLogSoftmaxWithLoss(8, 10, [3, 5], { divisor: 2 })).keys()]).toEqual([
    'head.weight',
    'tail.0.0.weight',
    'tail.0.1.weight',
    'tail.1.0.weight',
    'tail.1.1.weight',
  ]);
});

test('summaries count the parts of a separable convolution', () => {
  const { multiplyAdds } = nn.summary(new nn.SeparableConv2d(4, 8, 3, { padding: 1 }), [2, 4, 5, 6]);
  expect(multiplyAdds).toBe(2 * 30 * (4 * 9 + 4 * 8));
});

/** What the functions of tensors say to arguments that do not fit, and properties that no table of values shows. */
import { reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import * as core from '../index.ts';
import { prepare } from '../testing.ts';

prepare(reference());

const x = core.ones([2, 3, 4]);
const picture = core.ones([1, 4, 3, 3]);

describe('messages name the operation, both facts and the fix', () => {
  test.each<[string, () => unknown, string]>([
    ['polygamma', () => core.polygamma(-1, 2), 'polygamma: the order must be a whole number from 0 to 20, got -1.'],
    [
      'bitwiseNot',
      () => core.bitwiseNot(x),
      "bitwiseNot: float32 has no bits to turn: use x.cast('int32') or x.logicalNot().",
    ],
    [
      'maskedFill',
      () => core.maskedFill([1, 2], [[true], [false]] as never, 0),
      'maskedFill: a mask of [2, 1] is larger than [2]: expand the tensor first.',
    ],
    ['roll without axes', () => core.roll(x, [1, 2]), 'roll: 2 shifts without axes: name one axis for each.'],
    ['roll', () => core.roll(x, [1, 2], 0), 'roll: 2 shifts for 1 axes: one shift for each axis.'],
    ['roll by half', () => core.roll(x, 0.5), 'roll: shifts must be whole numbers, got 0.5.'],
    ['repeat', () => core.repeat(x, [2]), 'repeat: 1 numbers for the 3 axes of [2, 3, 4]: tile takes fewer.'],
    ['tile', () => core.tile(x, -1), 'tile: counts must be whole numbers from 0, got [1, 1, -1].'],
    [
      'repeatInterleave',
      () => core.repeatInterleave(x, [1, 2], 1),
      'repeatInterleave: 2 counts for axis 1 of [2, 3, 4], which has 3.',
    ],
    ['chunk', () => core.chunk(x, 0), 'chunk: the number of pieces must be a whole number from 1, got 0.'],
    ['diff', () => core.diff(x, { order: -1 }), 'diff: the order must be a whole number from 0, got -1.'],
    ['rot90', () => core.rot90(x, 1, [1, 1]), 'rot90: axis 1 is named twice.'],
    [
      'reflectionPad',
      () => core.reflectionPad(x, [[4, 0]]),
      'reflectionPad: axis 2 of [2, 3, 4] has 4 elements, too few for [4, 0]: at most 3.',
    ],
    [
      'circularPad',
      () => core.circularPad([1, 2], [[0, 3]]),
      'circularPad: axis 0 of [2] has 2 elements, too few for [0, 3]: at most 2.',
    ],
    [
      'replicationPad',
      () => core.replicationPad([1, 2], [[-2, -1]]),
      'replicationPad: axis 0 of [2] has 2 elements, too few for [-2, -1].',
    ],
    [
      'unfold',
      () => core.unfold(x, { size: [2, 2, 2] }),
      'unfold: [2, 3, 4] is not [N, C, ...space] or [C, ...space] with 3 axes of space.',
    ],
    [
      'fold',
      () => core.fold(x, { size: [2, 2], outputSize: [3, 3] }),
      'fold: [2, 3, 4] is not [N, C * 4, 4], which patches of [2, 2] in [3, 3] give.',
    ],
    [
      'pixelShuffle',
      () => core.pixelShuffle(picture, 3),
      'pixelShuffle: [1, 4, 3, 3] is not [..., C * 9, H, W]: its channels do not divide.',
    ],
    [
      'pixelUnshuffle',
      () => core.pixelUnshuffle(picture, 2),
      'pixelUnshuffle: [1, 4, 3, 3] is not [..., C, H * 2, W * 2]: its space does not divide.',
    ],
    [
      'channelShuffle',
      () => core.channelShuffle(picture, 3),
      'channelShuffle: [1, 4, 3, 3] is not [N, C, ...] with channels that 3 divides.',
    ],
    ['interpolate', () => core.interpolate(picture, {}), 'interpolate: needs either size or scaleFactor.'],
    [
      'interpolate by a mode of other axes',
      () => core.interpolate(picture, { size: 2, mode: 'linear' }),
      "interpolate: [1, 4, 3, 3] has 2 axes of space after [N, C], mode 'linear' takes 1.",
    ],
    [
      'interpolate with aligned corners',
      () => core.interpolate(picture, { size: 2, alignCorners: true }),
      "interpolate: alignCorners is for linear and cubic modes, not 'nearest'.",
    ],
    [
      'adaptiveAveragePool',
      () => core.adaptiveAveragePool(x, [0]),
      'adaptiveAveragePool: [2, 3, 4] cannot be pooled to [0]: a size from 1, or null, for each of its last axes, at least one axis before them, and none of them empty.',
    ],
    [
      'maxUnpool',
      () => core.maxUnpool(x, core.zeros([2, 3, 3], { dtype: 'int32' }), [8]),
      'maxUnpool: values [2, 3, 4] and indices [2, 3, 3] must be of one shape, with 1 axes of space.',
    ],
    [
      'averagePool',
      () => core.averagePool(x, { size: [2], divisorOverride: 0 }),
      'averagePool: divisorOverride must be a number other than 0, got 0.',
    ],
    [
      'gridSample',
      () => core.gridSample(picture, core.zeros([1, 2, 2, 3])),
      "gridSample: [1, 4, 3, 3] and grid [1, 2, 2, 3]: needs [N, C, H, W] with [N, H', W', 2], or [N, C, D, H, W] with [N, D', H', W', 3].",
    ],
    [
      'affineGrid',
      () => core.affineGrid(core.zeros([1, 3, 3]), [1, 1, 2, 2]),
      'affineGrid: theta [1, 3, 3] and size [1, 1, 2, 2]: needs [N, 2, 3] with [N, C, H, W], or [N, 3, 4] with [N, C, D, H, W].',
    ],
    [
      'matrixNorm',
      () => core.matrixNorm(x, 3),
      "matrixNorm: no order 3: 'fro', 'nuclear', 1, -1, 2, -2, Infinity or -Infinity.",
    ],
    [
      'cdist',
      () => core.cdist(x, [[1]]),
      'cdist: [2, 3, 4] and [1, 1]: needs rows of one length, [..., P, M] and [..., R, M].',
    ],
    ['pdist', () => core.pdist(x), 'pdist: [2, 3, 4] is not a matrix [N, M] of rows.'],
    ['outer', () => core.outer(x, [1]), 'outer: needs two vectors, got [2, 3, 4] and [1].'],
    ['cross', () => core.cross(x, x), 'cross: axis 2 of [2, 3, 4] has size 4, not 3.'],
    ['diagonal', () => core.diagonal(x, { axes: [0, 0] }), 'diagonal: axis 0 is named twice.'],
    ['blockDiagonal', () => core.blockDiagonal([x]), 'blockDiagonal: [2, 3, 4] is not a matrix.'],
    ['triu', () => core.triu([1, 2]), 'triu: [2] is not a matrix.'],
    ['meshgrid', () => core.meshgrid([x]), 'meshgrid: needs vectors, got [2, 3, 4].'],
    [
      'atan of bytes',
      () => core.atan(core.zeros([1], { dtype: 'int8' })),
      "atan: int8 only stores; operations compute in float32, int32 and bool. Cast first: x.cast('float32').",
    ],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(message);
  });
});

test('padding and its inverse, folding and unfolding, shuffling and back leave what was there', async () => {
  const data = core.arange(72).reshape([1, 8, 3, 3]).cast('float32');
  const same = async (y: core.Tensor): Promise<void> => expect(await y.array()).toEqual(await data.array());
  await same(core.circularPad(core.circularPad(data, [[2, 1]]), [[-2, -1]]));
  await same(core.pixelUnshuffle(core.pixelShuffle(data, 2), 2));
  await same(core.rot90(core.rot90(data, 3, [2, 3]), 1, [2, 3]));
  await same(core.roll(core.roll(data, [5, -7], [1, 2]), [-5, 7], [1, 2]));
  const patches = { size: [3, 3], stride: [3, 3] };
  await same(core.fold(core.unfold(data, patches), { ...patches, outputSize: [3, 3] }));
});

test('sinc is 0 at whole numbers and has its second derivative at 0', async () => {
  expect((await core.sinc([1, -2, 3, 1e6]).data()).map(Math.abs)).toEqual(new Float32Array(4));
  const slope = core.grad((v: core.Tensor) =>
    core
      .grad((u: core.Tensor) => core.sinc(u).sum())(v)
      .sum(),
  );
  expect(await slope(core.tensor([0])).item()).toBeCloseTo(-(Math.PI ** 2) / 3, 5);
});

test('lengths and angles at 0 have the gradient 0, and ties of pooling go to the first', async () => {
  const zero = core.tensor([0]);
  for (const f of [core.hypot, core.atan2]) {
    const slopes = core.gradients(
      f(zero, core.tensor([0]))
        .sum()
        .add(zero.sum()),
      [zero],
    );
    expect(await slopes[0]!.array()).toEqual([1]);
  }
  const tied = core.tensor([[2, 2, 1, 1]]);
  const [slope] = core.gradients(core.adaptiveMaxPool(tied, [2]).values.sum(), [tied]);
  expect(await slope!.array()).toEqual([[1, 0, 1, 0]]);
});

test('large and small lengths keep their digits', async () => {
  expect(await core.hypot(3e30, 4e30).item()).toBeCloseTo(5e30, -24);
  expect(await core.cdist([[3e-30]], [[-1e-30]]).item()).toBeCloseTo(4e-30, 36);
});

test('interpolation inside a compiled function gives what it gives outside', async () => {
  const double = core.compile((v: core.Tensor) => core.interpolate(v, { scaleFactor: 2, mode: 'bilinear' }));
  for (const start of [0, 5]) {
    const v = core.arange(9).add(start).reshape([1, 1, 3, 3]);
    const right = await core.interpolate(v, { scaleFactor: 2, mode: 'bilinear' }).array();
    expect(await (await double(v)).array()).toEqual(right);
  }
});

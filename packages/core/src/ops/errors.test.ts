/** What operations say when their arguments do not fit: the operation, both facts, the fix, at the user's line. */
import { reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import {
  averagePool,
  concat,
  conv1d,
  conv2d,
  conv3d,
  convTranspose2d,
  DTypeError,
  einsum,
  isNNError,
  maxPool,
  ShapeError,
  stack,
  type Tensor,
  tensor,
  ValueError,
  where,
  zeros,
} from '../index.ts';
import { prepare } from '../testing.ts';

prepare(reference());

const z = (...shape: number[]): Tensor => zeros(shape);
const bytes = tensor(Uint8Array.of(1, 2));
const whole = tensor(Int32Array.of(1, 2));

type Case = [name: string, make: () => unknown, type: new (...args: never) => Error, message: string];

describe.each<[string, Case[]]>([
  [
    'element by element',
    [
      [
        'shapes that do not broadcast',
        () => z(4, 8).add(z(5, 8)),
        ShapeError,
        'add: shapes [4, 8] and [5, 8] do not broadcast: sizes 4 and 5 at axis -2 are neither equal nor 1.',
      ],
      ['three shapes', () => where(z(2), z(3), z(1)), ShapeError, 'where: shapes [3] and [2] do not broadcast'],
      [
        'a dtype that only stores',
        () => bytes.add(1),
        DTypeError,
        "add: uint8 only stores; operations compute in float32, int32 and bool. Cast first: x.cast('float32').",
      ],
      [
        'bits of floats',
        () => z(2).bitwiseAnd(1),
        DTypeError,
        "and: float32 has no bits to combine: use x.cast('int32') or x.notEqual(0).",
      ],
      [
        'a fraction with integers',
        () => whole.mul(0.5),
        DTypeError,
        "0.5 is not a whole number, but the tensor it meets is int32: cast that first: x.cast('float32').",
      ],
      [
        'something that is no number',
        () => z(2).add('1' as never),
        ValueError,
        'An operation got string where it needs a tensor, a number or an array.',
      ],
      [
        'nothing',
        () => z(2).add(null as never),
        ValueError,
        'An operation got null where it needs a tensor, a number or an array.',
      ],
    ],
  ],
  [
    'reductions',
    [
      [
        'an axis out of range',
        () => z(2, 3).sum(2),
        ShapeError,
        'sum: axis 2 is out of range for rank 2: use -2 to 1.',
      ],
      ['an axis of a scalar', () => z().mean(0), ShapeError, 'mean: axis 0 of a scalar: it has no axes.'],
      ['an axis twice', () => z(2, 3).sum([0, -2]), ShapeError, 'sum: axis 0 is named twice.'],
      ['a fraction as axis', () => z(2, 3).max(0.5), ShapeError, 'max: axis 0.5 is out of range for rank 2'],
      [
        'the largest of nothing',
        () => z(2, 0).max(1),
        ShapeError,
        'max: axis 1 of [2, 0] is empty, and nothing has no max.',
      ],
      ['a norm of order 0', () => z(2).norm(0, { order: 0 }), ValueError, 'norm: the order must be positive, got 0.'],
    ],
  ],
  [
    'views',
    [
      [
        'a reshape to another size',
        () => z(2, 3).reshape([4]),
        ShapeError,
        'reshape: [2, 3] has 6 elements, [4] has 4.',
      ],
      [
        'a reshape with a size that does not come out whole',
        () => z(2, 3).reshape([4, -1]),
        ShapeError,
        'reshape: [2, 3] has 6 elements, [4, -1] cannot hold them with whole sizes.',
      ],
      ['two open sizes', () => z(4).reshape([-1, -1]), ShapeError, 'reshape: [4] has 4 elements'],
      [
        'a permutation that is none',
        () => z(2, 3).permute([0, 0]),
        ShapeError,
        'permute: [0, 0] does not name each axis of [2, 3] once.',
      ],
      [
        'an expansion of more than size 1',
        () => z(2, 3).expand([4, 3]),
        ShapeError,
        'expand: [2, 3] cannot be repeated to [4, 3]: only axes of size 1 grow.',
      ],
      [
        'a squeeze of more than size 1',
        () => z(2, 3).squeeze(1),
        ShapeError,
        'squeeze: axis 1 of [2, 3] has size 3, not 1.',
      ],
      ['flattening backwards', () => z(2, 3).flatten(1, 0), ShapeError, 'flatten: axis 1 comes after axis 0.'],
      [
        'padding of other axes',
        () => z(2, 3).pad([[1, 1]]),
        ShapeError,
        'pad: [2, 3] needs 2 pairs [before, after] of whole numbers from 0, got [[1,1]].',
      ],
      ['an index outside', () => z(2, 3).at(0, 3), ShapeError, 'at: index 3 is outside of axis 1 of [2, 3], size 3.'],
      ['too many indices', () => z(2).at(0, 0), ShapeError, 'at: 2 indices for [2], which has 1 axes.'],
      [
        'a step of 0',
        () => z(2).at([null, null, 0]),
        ValueError,
        'at: a step must be a whole number other than 0, got 0.',
      ],
      ['a range of fractions', () => z(2).at([0.5]), ValueError, 'at: a range must have whole numbers, got 0.5.'],
      [
        'pieces of unequal size',
        () => z(5).split(2),
        ShapeError,
        'split: axis 0 of [5] does not divide into 2 equal pieces.',
      ],
      [
        'pieces that are not the whole',
        () => z(5).split([2, 2]),
        ShapeError,
        'split: the sizes [2, 2] sum to 4, axis 0 has 5.',
      ],
    ],
  ],
  [
    'indexing',
    [
      [
        'indices that are floats',
        () => z(3).gather(z(2)),
        DTypeError,
        "gather: indices must be int32, got float32: use tensor.cast('int32').",
      ],
      [
        'choosing from nothing',
        () => z(0, 2).gather([0]),
        ShapeError,
        'gather: axis 0 of [0, 2] is empty, there is nothing to choose from.',
      ],
      [
        'choosing along nothing',
        () => z(0, 2).takeAlong([[1, 1]], 0),
        ShapeError,
        'takeAlong: axis 0 of [0, 2] is empty, there is nothing to choose from.',
      ],
      [
        'indices of another shape',
        () => z(2, 3).takeAlong([[0], [1], [2]], 1),
        ShapeError,
        'takeAlong: indices [3, 1] must match [2, 3] on every axis but 1.',
      ],
      [
        'updates of another shape',
        () => z(4, 2).scatterAdd([0, 1], z(3, 2)),
        ShapeError,
        'scatterAdd: updates [3, 2] do not fit: base [4, 2] with indices [2] at axis 0 takes [2, 2].',
      ],
      [
        'updates of another kind',
        () => z(4).cast('int32').update([1], z(2).add(0.5)),
        DTypeError,
        "update: float32 values do not fit into int32: x.cast('float32') takes them.",
      ],
      [
        'a box that leaves the tensor',
        () => z(4).update([3], z(2)),
        ShapeError,
        'update: a box of [2] at [3] leaves [4] at axis 0.',
      ],
      [
        'a box of another rank',
        () => z(4, 4).update([0], z(2)),
        ShapeError,
        'update: a box of [2] with 1 starts does not fit in [4, 4].',
      ],
      ['nothing to join', () => concat([]), ShapeError, 'concat: needs at least one tensor.'],
      [
        'pieces that differ elsewhere',
        () => concat([z(2, 3), z(2, 4)]),
        ShapeError,
        'concat: tensor 1 has the shape [2, 4], the first one [2, 3]: only axis 0 may differ.',
      ],
      [
        'layers that differ',
        () => stack([z(2), z(3)]),
        ShapeError,
        'stack: tensor 1 has the shape [3], the first one [2].',
      ],
      [
        'more than there are',
        () => z(2, 3).topK(4),
        ValueError,
        'topK: k = 4 is not from 0 to 3, the size of axis 1 of [2, 3].',
      ],
    ],
  ],
  [
    'products',
    [
      [
        'inner sizes that differ',
        () => z(4, 8).matmul(z(5, 3)),
        ShapeError,
        'matmul: inner sizes differ: [4, 8] has 8 columns, [5, 3] has 5 rows.',
      ],
      [
        'a scalar',
        () => z().matmul(z(2, 2)),
        ShapeError,
        'matmul: a scalar has no columns: multiply with mul instead.',
      ],
      [
        'batches that do not broadcast',
        () => z(2, 3, 4).matmul(z(5, 4, 3)),
        ShapeError,
        'matmul: shapes [2] and [5] do not broadcast',
      ],
      [
        'an equation with too few operands',
        () => einsum('ij,jk->ik', z(2, 2)),
        ValueError,
        "einsum: 'ij,jk->ik': names 2 operands, 1 were given.",
      ],
      [
        'an equation with too many axes',
        () => einsum('ijk->i', z(2, 2)),
        ValueError,
        "einsum: 'ijk->i': operand 0 is named 'ijk' (3 axes) but has the shape [2, 2].",
      ],
      [
        'an axis of two sizes',
        () => einsum('ij,jk->ik', z(2, 3), z(4, 2)),
        ValueError,
        "einsum: 'ij,jk->ik': axis 'j' has size 3 and size 4.",
      ],
      [
        'a result from nowhere',
        () => einsum('ij->ik', z(2, 2)),
        ValueError,
        "einsum: 'ij->ik': axis 'k' of the result is in no operand.",
      ],
      [
        'a result with an axis twice',
        () => einsum('ij->ii', z(2, 2)),
        ValueError,
        "einsum: 'ij->ii': an axis stands twice in the result.",
      ],
      ['two arrows', () => einsum('i->i->i', z(2)), ValueError, "einsum: 'i->i->i': '->' stands more than once."],
      ['numbers as names', () => einsum('i1->i', z(2, 2)), ValueError, "einsum: 'i1->i': axes are named by letters."],
    ],
  ],
  [
    'convolutions and pools',
    [
      [
        'an input without channels',
        () => conv2d(z(3, 8, 8), z(4, 3, 3, 3)),
        ShapeError,
        'conv2d: the input must be [N, C, size, size], got [3, 8, 8].',
      ],
      [
        'a weight of another rank',
        () => conv1d(z(1, 3, 8), z(4, 3, 3, 3)),
        ShapeError,
        'conv1d: the weight must have 3 axes, got [4, 3, 3, 3].',
      ],
      [
        'channels that differ',
        () => conv2d(z(1, 3, 8, 8), z(4, 2, 3, 3)),
        ShapeError,
        'conv2d: input [1, 3, 8, 8] has 3 channels, weight [4, 2, 3, 3] takes 2 in each of 1 groups.',
      ],
      [
        'outputs that do not divide',
        () => conv2d(z(1, 4, 8, 8), z(3, 2, 3, 3), { groups: 2 }),
        ShapeError,
        'takes 2 in each of 2 groups and its 3 outputs do not divide by 2.',
      ],
      [
        'a kernel that does not fit',
        () => conv3d(z(1, 1, 2, 4, 4), z(1, 1, 3, 3, 3)),
        ShapeError,
        'conv3d: a kernel of 3 (reach 3) does not fit axis 2 of [1, 1, 2, 4, 4] padded by 0.',
      ],
      [
        "padding 'same' with a stride",
        () => conv2d(z(1, 1, 4, 4), z(1, 1, 3, 3), { padding: 'same', stride: 2 }),
        ValueError,
        "conv2d: padding 'same' needs stride 1, got [2, 2]: name the padding instead.",
      ],
      [
        'a stride of 0',
        () => conv2d(z(1, 1, 4, 4), z(1, 1, 3, 3), { stride: 0 }),
        ValueError,
        'conv2d: stride must be a whole number from 1, or 2 of them; got 0.',
      ],
      [
        'a transposed convolution with other channels',
        () => convTranspose2d(z(1, 3, 4, 4), z(2, 3, 3, 3)),
        ShapeError,
        'convTranspose2d: input [1, 3, 4, 4] has 3 channels, weight [2, 3, 3, 3] takes 2 in 1 groups.',
      ],
      [
        'an output padding as large as the stride',
        () => convTranspose2d(z(1, 2, 4, 4), z(2, 3, 3, 3), { stride: 2, outputPadding: 2 }),
        ValueError,
        'convTranspose2d: outputPadding 2 must be smaller than the stride or dilation.',
      ],
      [
        'a window that does not fit',
        () => maxPool(z(1, 1, 2, 2), { size: [3, 3] }),
        ShapeError,
        'window: a window of 3 (reach 3) does not fit axis 2 of [1, 1, 2, 2]: pad the input or use a smaller window.',
      ],
      [
        'too much padding',
        () => averagePool(z(1, 1, 4, 4), { size: [2, 2], padding: 2 }),
        ValueError,
        'averagePool: padding 2 is more than half of the window 2.',
      ],
      [
        'a window over too many axes',
        () => maxPool(z(4), { size: [2, 2] }),
        ShapeError,
        'maxPool: [4] has too few axes for a window over 2 of space.',
      ],
    ],
  ],
])('%s', (_, cases) => {
  test.each(cases)('%s', (_, make, type, message) => {
    expect(make).toThrow(type);
    expect(make).toThrow(message);
  });
});

test('errors carry a code and the facts for programs', () => {
  try {
    z(2, 3).matmul(z(4, 5));
    expect.fail('no error');
  } catch (error) {
    expect(isNNError(error) && [error.code, error.name, error.data]).toEqual([
      'shape',
      'ShapeError',
      { a: [2, 3], b: [4, 5] },
    ]);
  }
});

/** Products, convolutions and pools by example; einsum against its definition. */
import { reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import {
  averagePool,
  conv1d,
  conv2d,
  convTranspose1d,
  einsum,
  gradients,
  maxPool,
  ones,
  type Tensor,
  tensor,
} from '../index.ts';
import { prepare } from '../testing.ts';

prepare(reference());

const [a, b] = [
  tensor([
    [1, 2],
    [3, 4],
  ]),
  tensor([
    [5, 6],
    [7, 8],
  ]),
];

test.each<[string, Tensor, unknown]>([
  [
    'matmul',
    a.matmul(b),
    [
      [19, 22],
      [43, 50],
    ],
  ],
  ['a vector at the left is a row', tensor([1, 2]).matmul(b), [19, 22]],
  ['a vector at the right is a column', a.matmul(tensor([5, 6])), [17, 39]],
  ['two vectors give a number', tensor([1, 2]).matmul(tensor([3, 4])), 11],
  ['integers stay integers', tensor(Int32Array.of(2)).matmul(tensor(Int32Array.of(3))), 6],
  [
    'batches broadcast',
    ones([2, 1, 1, 2])
      .matmul(ones([3, 2, 1]))
      .sum(0),
    [[[4]], [[4]], [[4]]],
  ],
  ['nothing inside gives 0', tensor([[], []]).matmul(tensor(new Float32Array(0), { shape: [0, 1] })), [[0], [0]]],
  ['trace', einsum('ii->', a), 5],
  ['diagonal', einsum('ii->i', a), [1, 4]],
  [
    'outer product',
    einsum('i,j->ij', tensor([1, 2]), tensor([3, 4])),
    [
      [3, 4],
      [6, 8],
    ],
  ],
  ['without an arrow, in alphabetical order', einsum('ba', tensor([[1, 2, 3]])), [[1], [2], [3]]],
  [
    'dots broadcast',
    einsum('...i,...i->...', ones([2, 1, 3]), ones([4, 3])),
    [
      [3, 3, 3, 3],
      [3, 3, 3, 3],
    ],
  ],
  ['cross-correlation', conv1d(tensor([[[1, 2, 3, 4]]]), tensor([[[1, 10]]])), [[[21, 32, 43]]]],
  ['its transpose', convTranspose1d(tensor([[[1, 2]]]), tensor([[[1, 10]]]), { stride: 2 }), [[[1, 10, 2, 20]]]],
  [
    "padding 'same' of an even kernel",
    conv1d(tensor([[[1, 2, 3]]]), tensor([[[1, 10]]]), { padding: 'same' }),
    [[[21, 32, 3]]],
  ],
  ['maxPool', maxPool(tensor([[[1, 5, 2, 4, 3]]]), { size: [2] }), [[[5, 4]]]],
  [
    'padding never wins a maximum',
    maxPool(tensor([[[-1, -2]]]), { size: [2], stride: 1, padding: 1 }),
    [[[-1, -1, -2]]],
  ],
  [
    'averagePool with its padding',
    averagePool(tensor([[[2, 4]]]), { size: [2], stride: 1, padding: 1 }),
    [[[1, 3, 2]]],
  ],
  [
    'and without',
    averagePool(tensor([[[2, 4]]]), { size: [2], stride: 1, padding: 1, countIncludesPadding: false }),
    [[[2, 3, 4]]],
  ],
])('%s', async (_, x, values) => {
  expect(await x.array()).toEqual(values);
});

describe('einsum is its definition', () => {
  // sum over all letters of the product, element by element
  function define(
    equation: string,
    operands: readonly { readonly shape: readonly number[]; readonly data: Float32Array }[],
  ): number[] {
    const [inputs, output] = equation.split('->') as [string, string];
    const terms = inputs.split(',');
    const sizes = new Map<string, number>();
    terms.forEach((term, k) => {
      [...term].forEach((letter, axis) => {
        sizes.set(letter, operands[k]?.shape[axis] as number);
      });
    });
    const letters = [...output, ...[...sizes.keys()].filter((letter) => !output.includes(letter))];
    const result = new Array<number>([...output].reduce((n, letter) => n * (sizes.get(letter) as number), 1)).fill(0);
    const visit = (depth: number, at: Map<string, number>): void => {
      if (depth < letters.length) {
        const letter = letters[depth] as string;
        for (let i = 0; i < (sizes.get(letter) as number); i++) visit(depth + 1, at.set(letter, i));
        return;
      }
      const flat = (term: string): number =>
        [...term].reduce((sum, letter) => sum * (sizes.get(letter) as number) + (at.get(letter) as number), 0);
      const product = terms.reduce((p, term, k) => p * (operands[k]?.data[flat(term)] as number), 1);
      result[flat(output)] = (result[flat(output)] as number) + product;
    };
    visit(0, new Map());
    return result;
  }

  test.each<[string, ...number[][]]>([
    ['ij,jk->ki', [2, 3], [3, 4]],
    ['abc,cbd->ad', [2, 3, 2], [2, 3, 2]],
    ['bij,bkj->bik', [2, 2, 3], [2, 4, 3]],
    ['iij,j->i', [2, 2, 3], [3]],
    ['ab,cd->bdac', [2, 3], [2, 2]],
    ['ij,jk,kl,l->i', [2, 2], [2, 3], [3, 2], [2]],
    ['abab->ba', [2, 3, 2, 3]],
  ])('%s', async (equation, ...shapes) => {
    const operands = shapes.map((shape, k) => {
      const size = shape.reduce((n, extent) => n * extent, 1);
      return { shape, data: Float32Array.from({ length: size }, (_, i) => ((i * 7 + k * 3) % 9) - 4) };
    });
    const y = einsum(equation, ...operands.map(({ shape, data }) => tensor(data, { shape })));
    expect(Array.from(await y.data())).toEqual(define(equation, operands));
  });
});

test('the first of equal elements of a window takes the gradient', async () => {
  const x = tensor([
    [
      [
        [2, 2],
        [2, 1],
      ],
    ],
  ]);
  const [slope] = gradients(maxPool(x, { size: [2, 2] }).sum(), [x]);
  expect(await slope.array()).toEqual([
    [
      [
        [1, 0],
        [0, 0],
      ],
    ],
  ]);
});

test('a transposed convolution is the adjoint of a convolution', async () => {
  // <conv(x, w), y> = <x, convTranspose(y, w)>
  const x = tensor(
    Float32Array.from({ length: 14 }, (_, i) => (i % 5) - 2),
    { shape: [1, 2, 7] },
  );
  const w = tensor(
    Float32Array.from({ length: 18 }, (_, i) => (i % 7) - 3),
    { shape: [3, 2, 3] },
  );
  const y = tensor(
    Float32Array.from({ length: 12 }, (_, i) => (i % 4) - 1),
    { shape: [1, 3, 4] },
  );
  const options = { stride: 2, padding: 1 };
  const left = await conv1d(x, w, options).mul(y).sum().item();
  expect(
    await x
      .mul(convTranspose1d(y, w, options))
      .sum()
      .item(),
  ).toBe(left);
});

test('a convolution over groups is one over each', async () => {
  const x = tensor(
    Float32Array.from({ length: 64 }, (_, i) => (i % 6) - 2),
    { shape: [1, 4, 4, 4] },
  );
  const w = tensor(
    Float32Array.from({ length: 32 }, (_, i) => (i % 5) - 2),
    { shape: [4, 2, 2, 2] },
  );
  const whole = await conv2d(x, w, { groups: 2 }).array();
  const [x1, x2] = x.split(2, 1) as [Tensor, Tensor];
  const [w1, w2] = w.split(2) as [Tensor, Tensor];
  const [y1, y2] = [await conv2d(x1, w1).array(), await conv2d(x2, w2).array()] as [unknown[][], unknown[][]];
  expect(whole).toEqual([[...(y1[0] as unknown[]), ...(y2[0] as unknown[])]]);
});

test('a product with a transposed matrix knows both, the matrix and what was transposed', async () => {
  const [x, w] = [
    tensor([[1, 2]]),
    tensor([
      [3, 4],
      [5, 6],
      [7, 8],
    ]),
  ];
  const turned = w.transpose();
  const y = x.matmul(turned);
  expect(await y.array()).toEqual([[11, 17, 23]]);
  const weights = tensor([[1, 2, 3]]);
  const [ofTurned] = gradients(y.mul(weights).sum(), [turned]);
  expect(await ofTurned.array()).toEqual([
    [1, 2, 3],
    [2, 4, 6],
  ]);
  const [ofMatrix, ofBoth] = gradients(y.mul(weights).sum(), [w, turned]);
  expect(await ofMatrix.array()).toEqual([
    [1, 2],
    [2, 4],
    [3, 6],
  ]);
  expect(await ofBoth.array()).toEqual([
    [1, 2, 3],
    [2, 4, 6],
  ]);
  // d2/dw2 of (x w^T)^2 summed: twice the squares of x along the diagonal
  const [slope] = gradients(x.matmul(w.transpose()).square().sum(), [w]);
  const [curvature] = gradients(slope.sum(), [w]);
  expect(await curvature.array()).toEqual([
    [6, 12],
    [6, 12],
    [6, 12],
  ]);
});

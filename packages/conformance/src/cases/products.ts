/** Sums of products: matmul, einsum, convolutions of one to three axes of space, their transposes, and pooling. */
import {
  averagePool,
  type ConvolutionOptions,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  einsum,
  halfBytes,
  lowBits,
  maxPool,
  type PoolOptions,
  type Tensor,
  type TransposedConvolutionOptions,
  unfold,
} from '@nn/core';
import { type Operation, operation } from '../operation.ts';
import { any, given, type Sample, sample, whole } from '../samples.ts';

type Size = readonly number[];

const exact = { exact: true } as const;
const stored = { exact: true, needs: ['int8', 'uint8'] } as const;
const show = (shape: Size): string => `[${shape.join(', ')}]`;

const matrices: readonly (readonly [Size, Size])[] = [
  [
    [3, 4],
    [4, 5],
  ],
  [
    [1, 1],
    [1, 1],
  ],
  [
    [1, 7],
    [7, 1],
  ],
  [
    [7, 1],
    [1, 7],
  ],
  [[4], [4]],
  [[4], [4, 3]],
  [[3, 4], [4]],
  [
    [2, 3, 4],
    [2, 4, 5],
  ],
  [
    [2, 3, 4],
    [4, 2],
  ],
  [
    [2, 1, 3, 4],
    [3, 4, 2],
  ],
  [[4], [2, 4, 3]],
  [[2, 3, 4], [4]],
  [
    [0, 3],
    [3, 2],
  ],
  [
    [2, 0],
    [0, 3],
  ],
  [
    [17, 33],
    [33, 9],
  ],
];

const equations: readonly (readonly [string, ...Size[]])[] = [
  ['ij,jk->ik', [3, 4], [4, 2]],
  ['ij,kj->ik', [3, 4], [2, 4]],
  ['ij->ji', [2, 3]],
  ['ii->i', [3, 3]],
  ['ii->', [3, 3]],
  ['iij->j', [3, 3, 2]],
  ['ij->', [2, 3]],
  ['bij,bjk->bik', [2, 3, 4], [2, 4, 2]],
  ['i,j->ij', [3], [4]],
  ['bhqd,bhkd->bhqk', [1, 2, 3, 4], [1, 2, 2, 4]],
  ['ij,jk,kl->il', [2, 3], [3, 4], [4, 2]],
  ['...ij,...jk->...ik', [2, 2, 3], [2, 3, 1]],
  ['ij,ij->i', [2, 3], [2, 3]],
  ['ij,j', [2, 3], [3]],
  ['i,i,i->', [3], [3], [3]],
];

const convolutions: readonly (readonly [words: string, x: Size, w: Size, options: ConvolutionOptions])[] = [
  ['plain', [2, 3, 9], [4, 3, 3], {}],
  ['strided, padded, dilated, in groups', [2, 4, 11], [6, 2, 3], { stride: 2, padding: 2, dilation: 2, groups: 2 }],
  ['one position', [1, 2, 3], [1, 2, 3], {}],
  ['windows three apart, over many channels', [1, 8, 64], [8, 8, 3], { stride: 3, padding: 1 }],
  ['short rows, over many channels', [2, 8, 4, 5], [8, 8, 2, 4], {}],
  ['windows two apart, over many channels', [1, 8, 9, 11], [8, 8, 3, 3], { stride: 2, padding: 1 }],
  ['plain', [2, 3, 5, 6], [4, 3, 3, 3], {}],
  ['strided and padded', [1, 2, 7, 6], [3, 2, 3, 2], { stride: [2, 1], padding: [1, 0] }],
  ['depthwise', [2, 4, 6, 6], [4, 1, 3, 3], { padding: 1, groups: 4 }],
  ['everything', [1, 4, 8, 7], [2, 2, 2, 3], { stride: [3, 2], padding: [2, 1], dilation: [1, 2], groups: 2 }],
  ['strided, in groups', [2, 8, 9, 11], [8, 4, 3, 3], { stride: 2, groups: 2 }],
  ['of one element', [1, 2, 4, 4], [3, 2, 1, 1], {}],
  ['stride larger than the kernel', [1, 1, 6, 6], [1, 1, 2, 2], { stride: 4 }],
  ["padding 'same'", [1, 2, 5, 6], [2, 2, 3, 3], { padding: 'same' }],
  ["padding 'same', even kernel", [1, 1, 5, 6], [2, 1, 4, 2], { padding: 'same' }],
  ['plain', [1, 2, 4, 4, 3], [2, 2, 2, 3, 2], {}],
  [
    'strided and padded, in groups',
    [1, 2, 5, 4, 4],
    [2, 1, 2, 2, 2],
    { stride: [2, 1, 2], padding: [1, 0, 1], groups: 2 },
  ],
  ['everything', [1, 4, 6, 7, 6], [4, 2, 2, 3, 2], { stride: [2, 3, 2], padding: [1, 2, 1], dilation: 2, groups: 2 }],
];

const transposed: readonly (readonly [words: string, x: Size, w: Size, options: TransposedConvolutionOptions])[] = [
  ['plain', [2, 3, 5], [3, 2, 3], {}],
  ['strided, padded, longer', [1, 2, 5], [2, 2, 3], { stride: 2, padding: 1, outputPadding: 1 }],
  ['strided, padded, longer', [1, 3, 4, 3], [3, 2, 3, 3], { stride: 2, padding: 1, outputPadding: 1 }],
  ['dilated, in groups', [1, 4, 3, 3], [4, 1, 2, 3], { stride: [2, 1], dilation: [2, 1], groups: 2 }],
  ['strided', [1, 2, 2, 3, 2], [2, 1, 2, 2, 2], { stride: [2, 1, 2] }],
  ['everything', [1, 4, 3, 2, 3], [4, 1, 2, 3, 2], { stride: [2, 3, 2], padding: 1, dilation: 2, groups: 2 }],
];

const pools: readonly (readonly [words: string, x: Size, options: PoolOptions])[] = [
  ['halves', [2, 2, 8], { size: [2] }],
  ['overlaps, padded', [1, 2, 9], { size: [3], stride: 2, padding: 1 }],
  ['halves', [2, 2, 6, 4], { size: [2, 2] }],
  ['overlaps, padded', [1, 2, 7, 6], { size: [3, 2], stride: [2, 1], padding: [1, 1] }],
  ['dilated', [1, 1, 7, 7], { size: [2, 3], stride: 1, dilation: 2 }],
  ['halves', [1, 1, 4, 4, 4], { size: [2, 2, 2] }],
  ['dilated, padded', [1, 2, 5, 6, 5], { size: [2, 3, 2], stride: [2, 1, 3], padding: 1, dilation: 2 }],
];

/** All values of a type of bytes, in a mixed order. */
function bytes(dtype: 'int8' | 'uint8', ...shape: number[]): Sample {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const low = dtype === 'int8' ? -128 : 0;
  return given(
    Array.from({ length: size }, (_, at) => low + ((at * 77 + 13) % 256)),
    shape,
    dtype,
  );
}

/** Products whose operands are bytes, and what they mean in int32. */
function byteOperations(): Operation[] {
  const integer = (x: Tensor): Tensor => x.cast('int32');
  const rows: readonly (readonly [m: number, n: number, k: number])[] = [
    [1, 40, 130],
    [5, 9, 100],
    [12, 33, 48],
    [70, 3, 31],
  ];
  return [
    ...rows.flatMap(([m, n, k]) => [
      operation(
        `bytes: [${m}, ${k}] with [${n}, ${k}]`,
        [bytes('int8', m, k), bytes('int8', n, k)],
        (x, w) => integer(x).matmul(integer(w).transpose()),
        stored,
      ),
      operation(
        `bytes: [${m}, ${k}] of 7 bits with [${n}, ${k}], scaled`,
        [bytes('uint8', m, k), bytes('int8', n, k), sample('unit', n)],
        (x, w, scale) => lowBits(x, 7).matmul(integer(w).transpose()).cast('float32').mul(scale).relu(),
        stored,
      ),
    ]),
    operation(
      'bytes: with and without a sign, transposed',
      [bytes('uint8', 50, 6), bytes('int8', 50, 20)],
      (x, w) => integer(x).transpose().matmul(integer(w)),
      stored,
    ),
    operation(
      'bytes: in batches',
      [bytes('int8', 3, 8, 40), bytes('int8', 3, 9, 40)],
      (x, w) => einsum('bik,bjk->bij', integer(x), integer(w)),
      stored,
    ),
    operation(
      'bytes: of what is rounded to them',
      [any(6, 64), bytes('int8', 16, 64)],
      (x, w) => integer(x.mul(40).round().cast('int8')).matmul(integer(w).transpose()),
      stored,
    ),
    operation(
      'bytes: windows of a padded image, channels last',
      [bytes('uint8', 2, 9, 8, 4), bytes('int8', 6, 3, 3, 4)],
      (x, w) => {
        const padded = x.pad([
          [0, 0],
          [1, 1],
          [1, 1],
          [0, 0],
        ]);
        const taps = unfold(padded.permute([0, 3, 1, 2]), { size: [3, 3] }).reshape([2, 4, 3, 3, 9, 8]);
        return einsum('ncklyx,oklc->nyxo', lowBits(taps, 7), integer(w));
      },
      stored,
    ),
    operation(
      'bytes: two halves of each',
      [bytes('int8', 8, 64), bytes('uint8', 16, 32)],
      (x, w) => integer(x).matmul(halfBytes(w).reshape([16, 64]).transpose()),
      stored,
    ),
    operation(
      'bytes: halves as float32, less 8, scaled in groups',
      [any(2, 4, 2, 16), bytes('uint8', 40, 4, 16), sample('unit', 40, 4, 1, 1)],
      (x, w, scale) => einsum('nghj,oghj->no', x, halfBytes(w).cast('float32').sub(8).mul(scale)),
      { slack: 8, needs: stored.needs },
    ),
    operation(
      'bytes: as float32, scaled in groups',
      [any(3, 4, 32), bytes('int8', 20, 4, 32), sample('unit', 20, 4, 1)],
      (x, w, scale) => einsum('ngk,ogk->no', x, w.cast('float32').mul(scale)),
      { slack: 4, needs: stored.needs },
    ),
  ];
}

export function productOperations(): Operation[] {
  const convolve = [conv1d, conv2d, conv3d];
  const spread = [convTranspose1d, convTranspose2d, convTranspose3d];
  return [
    ...matrices.map(([a, b]) =>
      operation(`matmul: ${show(a)} with ${show(b)}`, [any(...a), any(...b)], (x, y) => x.matmul(y), exact),
    ),
    operation('matmul: integers', [whole(3, 4), whole(4, 2)], (x, y) => x.matmul(y), exact),
    operation('matmul: with itself transposed', [any(3, 4)], (x) => x.matmul(x.transpose()), exact),
    operation(
      'matmul: of views',
      [any(4, 3), any(2, 8)],
      (x, y) => x.transpose().matmul(y.reshape([4, 4]).flip(0)),
      exact,
    ),
    operation(
      'matmul: with bias and relu',
      [any(3, 4), any(4, 5), sample('distinct', 5)],
      (x, w, b) => x.matmul(w).add(b).relu(),
      exact,
    ),
    operation(
      'matmul: of what was computed',
      [sample('unit', 3, 4), any(4, 2)],
      (x, w) => x.mul(2).matmul(w.add(1)),
      exact,
    ),
    operation(
      'matmul: three in a row',
      [sample('tied', 3, 4), sample('tied', 4, 5), any(5, 2)],
      (a, b, c) => a.matmul(b).matmul(c),
      exact,
    ),
    ...equations.map(([equation, ...shapes]) =>
      operation(
        `einsum: ${equation}`,
        shapes.map((shape) => any(...shape)),
        (...x) => einsum(equation, ...x),
        { slack: 4 },
      ),
    ),
    ...convolutions.map(([words, x, w, options]) => {
      const apply = convolve[x.length - 3]!;
      return operation(`conv${x.length - 2}d: ${words}`, [any(...x), any(...w)], (a, b) => apply(a, b, options), exact);
    }),
    // enough for ways that transform tiles, whose sums are not exact
    operation(
      'conv2d: 3x3 taps over many channels',
      [sample('unit', 2, 8, 7, 10), sample('unit', 9, 8, 3, 3), sample('unit', 9, 1, 1)],
      (x, w, b) => conv2d(x, w, { padding: 1 }).add(b),
      { slack: 4 },
    ),
    operation(
      'conv2d: of what was computed, with bias and relu',
      [any(1, 2, 5, 5), any(3, 2, 3, 3), sample('distinct', 3, 1, 1)],
      (x, w, b) => conv2d(x.mul(2), w, { padding: 1 }).add(b).relu(),
      exact,
    ),
    operation(
      'conv2d: of a transposed view',
      [any(5, 4, 2, 1), any(3, 2, 2, 2)],
      (x, w) => conv2d(x.permute([3, 2, 0, 1]), w),
      exact,
    ),
    ...transposed.map(([words, x, w, options]) => {
      const apply = spread[x.length - 3]!;
      return operation(
        `convTranspose${x.length - 2}d: ${words}`,
        [any(...x), any(...w)],
        (a, b) => apply(a, b, options),
        exact,
      );
    }),
    ...pools.flatMap(([words, x, options]) => [
      operation(`maxPool ${x.length - 2}d: ${words}`, [sample('distinct', ...x)], (a) => maxPool(a, options), exact),
      operation(`averagePool ${x.length - 2}d: ${words}`, [any(...x)], (a) => averagePool(a, options)),
    ]),
    operation(
      'maxPool: the first of equals takes the gradient',
      [sample('tied', 1, 2, 6, 6)],
      (x) => maxPool(x, { size: [3, 3], stride: 2 }),
      exact,
    ),
    operation('averagePool: the padding does not count', [any(1, 2, 7, 6)], (x) =>
      averagePool(x, { size: [3, 2], stride: [2, 1], padding: 1, countIncludesPadding: false }),
    ),
    ...byteOperations(),
  ];
}

/**
 * Programs on half floats, in memory as they are: operands that products and convolutions widen while they read, results that are
 * rounded where they are stored, and element loops of every kind over both. Numbers are small and whole: sums leave no rounding but
 * that of storing, so all devices agree bit for bit.
 */
import { autocast, conv1d, conv2d, gradients, maxPool, type ProductDType, type Tensor, where } from '@nn/core';
import { indices, type Sample, sample } from '../samples.ts';

export interface HalfWork {
  readonly name: string;
  readonly inputs: readonly Sample[];
  readonly dtype: 'float16' | 'bfloat16';
  readonly build: (inputs: readonly Tensor[]) => readonly Tensor[];
}

type Store = (x: Tensor) => Tensor;
type Build = (inputs: readonly Tensor[], store: Store, dtype: ProductDType) => readonly Tensor[];

const tied = (...shape: number[]): Sample => sample('tied', ...shape);
const fractions = (...shape: number[]): Sample => sample('any', ...shape);
/** Numbers that half floats do not hold. */
const rounded = (x: Tensor): Tensor => x.mul(1.0009765).add(0.0002);

const products: readonly (readonly [
  words: string,
  a: readonly number[],
  b: readonly number[],
  (a: Tensor, b: Tensor) => Tensor,
])[] = [
  ['whole tiles', [48, 64], [64, 32], (a, b) => a.matmul(b)],
  ['sizes that fit no tile', [37, 53], [53, 29], (a, b) => a.matmul(b)],
  ['one row', [1, 130], [130, 67], (a, b) => a.matmul(b)],
  ['one row and transposed', [1, 130], [67, 130], (a, b) => a.matmul(b.transpose())],
  ['five rows and transposed', [5, 132], [67, 132], (a, b) => a.matmul(b.transpose())],
  ['one column', [67, 130], [130], (a, b) => a.matmul(b)],
  ['transposed at the left', [31, 18], [31, 21], (a, b) => a.transpose().matmul(b)],
  ['batches that broadcast', [3, 1, 9, 7], [5, 7, 6], (a, b) => a.matmul(b)],
  ['of slices', [20, 20], [20, 20], (a, b) => a.at([2, 19], [1, 14]).matmul(b.at([3, 16], [0, 20, 2]))],
  [
    'of what is padded',
    [12, 9],
    [11, 8],
    (a, b) =>
      a
        .pad([
          [0, 0],
          [1, 1],
        ])
        .matmul(b),
  ],
  ['of more rows than are packed at once', [310, 12], [12, 24], (a, b) => a.matmul(b)],
];

const convolutions: readonly (readonly [
  words: string,
  x: readonly number[],
  w: readonly number[],
  Parameters<typeof conv2d>[2],
])[] = [
  ['3 x 3, padded', [2, 3, 9, 8], [5, 3, 3, 3], { padding: 1 }],
  ['3 x 3, many channels', [1, 8, 10, 9], [8, 8, 3, 3], { padding: 1 }],
  ['strided', [2, 4, 11, 9], [4, 4, 3, 2], { stride: [2, 3] }],
  ['dilated, in groups', [1, 6, 10, 9], [4, 3, 2, 3], { dilation: 2, groups: 2, padding: [1, 2] }],
  ['depthwise', [2, 4, 16, 16], [4, 1, 3, 3], { padding: 1, groups: 4 }],
  ['1 x 1', [3, 8, 5, 5], [6, 8, 1, 1], {}],
];

const loops: readonly (readonly [words: string, inputs: readonly Sample[], Build])[] = [
  [
    'chains, with a rest',
    [fractions(37)],
    ([x], store) => [store(store(rounded(x!)).mul(3).add(1)), store(rounded(x!)).exp().floor()],
  ],
  [
    'turned and backwards',
    [fractions(9, 14)],
    ([x], store) => {
      const y = store(rounded(x!));
      return [store(y.transpose().mul(2)), y.flip(1).mul(2), y.at([0, 9, 2], [1, 14, 3]).add(1)];
    },
  ],
  [
    'rows and columns',
    [fractions(9, 21), fractions(21)],
    ([x, b], store) => {
      const y = store(rounded(x!));
      return [y.add(store(rounded(b!))), y.max(1), y.min(0), y.argMax(1), where(y.less(0), y, 0)];
    },
  ],
  [
    'sums',
    [tied(11, 35)],
    ([x], store) => [store(x!).sum(0), store(x!).sum(1), store(store(x!).sum()), store(x!).cumsum(1)],
  ],
  [
    'rows that are looked up',
    [fractions(13, 10), indices([3, 12, 0, 3, 7])],
    ([x, i], store) => [store(rounded(x!)).gather(i!), store(store(rounded(x!)).gather(i!).mul(2))],
  ],
  ['sorted', [sample('distinct', 4, 19)], ([x], store) => Object.values(store(x!).sort(1))],
  [
    'windows',
    [fractions(2, 2, 8, 8)],
    ([x], store) => {
      const y = store(rounded(x!));
      const pooled = maxPool(y, { size: [2, 2] });
      return [pooled, ...gradients(pooled.sum(), [y])];
    },
  ],
  [
    'gradients, as they are stored',
    [fractions(6, 9)],
    ([x], store) => {
      const y = store(rounded(x!));
      return gradients(y.mul(y).mul(1.5).sum(), [y]);
    },
  ],
];

/** All of them, for each dtype. */
export function halfWorks(): HalfWork[] {
  return (['float16', 'bfloat16'] as const).flatMap((dtype) => {
    const stored: Store = (x) => x.cast(dtype);
    const make = (name: string, inputs: readonly Sample[], build: Build): HalfWork => {
      return { name: `${dtype}: ${name}`, inputs, dtype, build: (given) => build(given, stored, dtype) };
    };
    return [
      ...products.map(([words, a, b, apply]) =>
        make(`a product, ${words}`, [tied(...a), tied(...b)], ([x, y], store) => [
          apply(store(x!), store(y!)),
          store(apply(store(x!), y!).mul(1.001)),
        ]),
      ),
      ...convolutions.map(([words, x, w, options]) =>
        make(`a convolution and its gradients, ${words}`, [tied(...x), tied(...w)], ([a, b], _, storage) => {
          const y = autocast(storage, () => conv2d(a!, b!, options));
          return [y, ...gradients(y.mul(y).sum(), [a!, b!])];
        }),
      ),
      make('a convolution of one axis', [tied(2, 4, 40), tied(8, 4, 3)], ([a, b], store) => [
        conv1d(store(a!), store(b!)),
      ]),
      make('a layer and its gradients', [tied(24, 33), tied(33, 17), tied(17)], ([x, w, b], _, storage) => {
        const y = autocast(storage, () => x!.matmul(w!).add(b!).relu().matmul(w!.transpose()));
        return [y, ...gradients(y.mul(0.5).sum(), [x!, w!, b!])];
      }),
      ...loops.map(([words, inputs, build]) => make(words, inputs, build)),
    ];
  });
}

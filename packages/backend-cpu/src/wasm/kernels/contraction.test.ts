import { type Body, type Kernel, type Op, tensor } from '@nn/core';
import { describe, expect, it } from 'vitest';
import { features } from '../code/features.ts';
import { WasmEngine } from '../engine.ts';
import { runKernel, watched } from '../testing.ts';

interface Case {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Whether the numbers of a row of A, or of B, are neighbours. */
  readonly left: boolean;
  readonly right: boolean;
}

/** relu(A B + bias) for each matrix of the batch; [batch, m, n]. */
function productKernel({ batch, m, n, k, left, right }: Case): Kernel {
  const value: Op[] = [];
  const index = (steps: readonly number[]): number => {
    const terms = steps.map((step, axis) => {
      const at = value.push({ dtype: 'int32', op: 'axis', axis }) - 1;
      const factor = value.push({ dtype: 'int32', op: 'const', value: step }) - 1;
      return value.push({ dtype: 'int32', op: 'mul', args: [at, factor] }) - 1;
    });
    return terms.reduce((sum, term) => value.push({ dtype: 'int32', op: 'add', args: [sum, term] }) - 1);
  };
  const load = (read: number, at: number): number => value.push({ dtype: 'float32', op: 'load', read, index: at }) - 1;
  const a = load(0, index([m * k, left ? k : 1, 0, left ? 1 : m]));
  const b = load(1, index([k * n, 0, right ? 1 : k, right ? n : 1]));
  value.push({ dtype: 'float32', op: 'mul', args: [a, b] });
  const epilogue: Body = [
    { dtype: 'float32', op: 'accumulator' },
    { dtype: 'int32', op: 'axis', axis: 2 },
    { dtype: 'float32', op: 'load', read: 2, index: 1 },
    { dtype: 'float32', op: 'add', args: [0, 2] },
    { dtype: 'float32', op: 'const', value: 0 },
    { dtype: 'float32', op: 'max', args: [3, 4] },
  ];
  return {
    key: `product ${[batch, m, n, k, left, right]}`,
    domain: [batch, m, n],
    dtype: 'float32',
    reads: ['float32', 'float32', 'float32'],
    scalars: [],
    reduce: { op: 'sum', extents: [k], dtype: 'float32' },
    value,
    epilogue,
    hint: { kind: 'contraction', batch: [0], rows: [1], columns: [2], inner: [3], left: a, right: b },
  };
}

/** Small whole numbers, so that sums are exact in any order. */
const numbers = (length: number, salt: number): Float32Array =>
  Float32Array.from({ length }, (_, at) => ((at * 7 + salt) % 9) - 4);

function expected({ batch, m, n, k, left, right }: Case, data: readonly Float32Array[]): Float32Array {
  const [a, b, bias] = data as [Float32Array, Float32Array, Float32Array];
  const out = new Float32Array(batch * m * n);
  for (let at = 0; at < out.length; at++) {
    const [i, j] = [Math.floor(at / n) % m, at % n];
    const [from, to] = [Math.floor(at / (m * n)) * m * k, Math.floor(at / (m * n)) * k * n];
    let sum = 0;
    for (let p = 0; p < k; p++) {
      sum += a[from + (left ? i * k + p : p * m + i)]! * b[to + (right ? p * n + j : j * k + p)]!;
    }
    out[at] = Math.max(0, sum + bias[j]!);
  }
  return out;
}

const cases: Case[] = [
  // Around tiles of 4 and 6 rows and 8 columns; around blocks of 144 rows, 384 of k and 512 columns; spans of k.
  ...[4, 5, 6, 7, 9, 11, 17].flatMap((m) =>
    [4, 7, 8, 17].map((n) => ({ batch: 3, m, n, k: 16 + m * n, left: m % 2 === 0, right: n % 2 === 0 })),
  ),
  { batch: 1, m: 145, n: 33, k: 385, left: true, right: false },
  { batch: 1, m: 300, n: 40, k: 10, left: false, right: true },
  { batch: 2, m: 13, n: 521, k: 21, left: true, right: true },
  { batch: 1, m: 6, n: 517, k: 2500, left: true, right: true },
  { batch: 1, m: 19, n: 600, k: 2100, left: false, right: false },
  // Dot products: one vector and pairs, rows that fill no tile, every rest of the inner axis.
  ...[1, 2, 3, 7].flatMap((few) =>
    [8, 11, 12, 13, 21].flatMap((many, at) => [
      { batch: 1, m: few, n: many, k: 512 + 5 * at + few, left: true, right: false },
      { batch: 1, m: many, n: few, k: 515 + 3 * at + few, left: true, right: false },
    ]),
  ),
  { batch: 64, m: 16, n: 8, k: 33, left: true, right: false },
  // Weighed sums of rows: every rest of the inner axis and of the columns, cuts of the columns, and A or B as the matrix.
  ...[1, 2, 3].flatMap((few) =>
    [16, 19, 37, 128, 300].flatMap((many, at) => [
      { batch: 1, m: few, n: many, k: 16 + at + few, left: true, right: true },
      { batch: 1, m: few, n: many, k: 61 + 2 * at + few, left: false, right: true },
      { batch: 1, m: many, n: 1, k: 43 + at + few, left: false, right: few === 2 },
    ]),
  ),
];
const variants = [
  { name: 'rounded apart', options: { fused: false } },
  { name: 'rounded apart, 6 rows', options: { fused: false, tileRows: 6 } },
  { name: 'fused', options: { fused: true } },
  { name: 'fused, 4 rows', options: { fused: true, tileRows: 4 } },
] as const;

describe.each(variants.filter(({ options }) => !options.fused || features().relaxed))(
  'contractions, $name',
  (variant) => {
    const engine = new WasmEngine(variant.options);

    it('equal the sums of products with their epilogue at every size around tiles and blocks', async () => {
      for (const each of cases) {
        const { batch, m, n, k } = each;
        const data = [numbers(batch * m * k, 1), numbers(batch * n * k, 2), numbers(n, 3)];
        expect(await runKernel(engine, productKernel(each), data), JSON.stringify(each)).toEqual(expected(each, data));
      }
    });
  },
);

it('the layout decides between dot products, weighed rows and panels', async () => {
  const { backend, paths } = watched();
  const make = (rows: number, columns: number) =>
    tensor(numbers(rows * columns, rows), { shape: [rows, columns], backend });
  const [three, four, matrix] = [make(3, 40), make(4, 40), make(40, 96)];
  const [rows, turned, panels] = [
    await three.matmul(matrix).data(),
    await three.matmul(make(96, 40).transpose()).data(),
    await four.matmul(matrix).data(),
  ];
  expect(paths).toEqual(['rows 3x96x40', 'dots 3x96x40', 'gemm 4x96x40']);
  const [a, b] = [numbers(120, 3), numbers(3840, 40)];
  const sum = a.subarray(40, 80).reduce((total, value, k) => total + value * b[96 * k + 7]!, 0);
  expect([rows[96 + 7], turned.length, panels.length]).toEqual([sum, 288, 384]);
});

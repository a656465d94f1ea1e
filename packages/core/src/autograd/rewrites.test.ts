/** Each rewrite keeps the sum, makes it cheaper where it applies, and leaves the rest alone. */
import { reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import { constant, type Node } from '../graph/node.ts';
import { lift } from '../graph/recorder.ts';
import { einsum, gradients, type Tensor, tensor } from '../index.ts';
import { add } from '../ops/arithmetic.ts';
import { Contraction, matmul } from '../ops/contract.ts';
import { Concat, ScatterAdd, update } from '../ops/indexing.ts';
import { Pad, padStatic } from '../ops/views.ts';
import { wrap } from '../tensor.ts';
import { prepare } from '../testing.ts';
import { joinBoxes, joinContractions, joinPads, rewriteSum } from './rewrites.ts';

prepare(reference());

const sumOf = async (terms: readonly Node[]): Promise<unknown> => wrap(terms.reduce(add)).array();
const namesOf = (terms: readonly Node[]): string[] => terms.map(({ primitive }) => primitive.name);

/** `values` in a row of the length `size`, from `start` on, zeros around them. */
const piece = (values: readonly number[], start: number, size = 6): Node =>
  padStatic(tensor(values).node, { before: [start], after: [size - start - values.length], step: [1] });

/** The terms that a rewrite gave, after it was seen to keep their sum. */
async function rewritten(
  rewrite: (terms: readonly Node[]) => readonly Node[],
  terms: readonly Node[],
): Promise<readonly Node[]> {
  const result = rewrite(terms);
  expect(await sumOf(result)).toEqual(await sumOf(terms));
  return result;
}

describe('joinBoxes', () => {
  /** `rows` from `start` on in a matrix of zeros [6, 2], whose start only the device knows. */
  const box = (rows: readonly (readonly number[])[], start: number): Node =>
    update(constant(0, 'float32', [6, 2]), tensor(rows).node, [lift(start, 'int32'), lift(0, 'int32')]);
  const row = (value: number, start: number): Node => box([[value, -value]], start);

  test('adds many pieces at their places in one pass, also those that lie over each other', async () => {
    const pieces = [row(1, 0), row(2, 3), box([[3, 4], [5, 6]], 2), row(7, 5), row(8, 3)]; // biome-ignore format: rows
    const joined = await rewritten(joinBoxes, pieces);
    expect(namesOf(joined)).toEqual([ScatterAdd.name]);
  });

  test('keeps other terms, and few pieces', async () => {
    const whole = tensor([[1, 2], [3, 4], [5, 6], [7, 8], [9, 10], [11, 12]]).node; // biome-ignore format: rows
    const joined = await rewritten(joinBoxes, [row(1, 0), whole, row(2, 1), row(3, 2), row(4, 2)]);
    expect(namesOf(joined)).toEqual(['data', ScatterAdd.name]);
    const few = [row(1, 0), row(2, 1), row(3, 2)];
    expect(joinBoxes(few)).toBe(few);
  });

  test('leaves pieces that would be looked at too often, boxes in something else, and boxes of two axes', () => {
    const wide = Array.from({ length: 4 }, (_, k) => box([[1, 1], [2, 2], [3, 3], [4, 4]], k % 3)); // biome-ignore format: rows
    expect(joinBoxes(wide)).toBe(wide);
    const full = tensor([[1, 1], [1, 1], [1, 1], [1, 1], [1, 1], [1, 1]]).node; // biome-ignore format: rows
    const into = Array.from({ length: 4 }, (_, k) =>
      update(full, tensor([[k, k]]).node, [lift(k, 'int32'), lift(0, 'int32')]),
    );
    expect(joinBoxes(into)).toBe(into);
    const small = Array.from({ length: 4 }, (_, k) =>
      update(constant(0, 'float32', [6, 2]), tensor([[k]]).node, [lift(k, 'int32'), lift(1, 'int32')]),
    );
    expect(joinBoxes(small)).toBe(small);
  });

  test('the gradient of elements taken one by one is that of the whole, to the second order', async () => {
    const x = tensor([1, 2, 3, 4, 5, 6]);
    const loss = [0, 2, 2, 5, 1].map((k) => x.at(k).pow(3)).reduce((a, b) => a.add(b));
    const [slope] = gradients(loss, [x]);
    expect(await slope!.array()).toEqual([3, 12, 54, 0, 0, 108]);
    const [second] = gradients(slope!.sum(), [x]);
    expect(await second!.array()).toEqual([6, 12, 36, 0, 0, 36]);
    const ranges = [[0, 2], [1, 3], [3, 5], [4, 6]].map((range) => x.at(range).square().sum()); // biome-ignore format: ranges
    const [joined] = gradients(
      ranges.reduce((a, b) => a.add(b)),
      [x],
    );
    expect(await joined!.array()).toEqual([2, 8, 6, 8, 20, 12]);
  });
});

describe('joinPads', () => {
  test('makes one concatenation of pieces that do not overlap, in any order, with zeros in the gaps', async () => {
    const joined = await rewritten(joinPads, [piece([5], 4), piece([1, 2], 0), piece([3], 2)]);
    expect(namesOf(joined)).toEqual([Concat.name]);
    expect(await sumOf(joined)).toEqual([1, 2, 3, 0, 5, 0]);
  });

  test('adds pieces that overlap, and pieces at the same place', async () => {
    const overlapping = [piece([1, 2, 3], 0), piece([10, 20, 30], 2)];
    expect(joinPads(overlapping)).toBe(overlapping);
    expect(await sumOf(overlapping)).toEqual([1, 2, 13, 20, 30, 0]);
    const same = [piece([1, 2], 1), piece([3, 4], 1), piece([5], 5)];
    expect(joinPads(same)).toBe(same);
  });

  test('leaves terms alone that are no padding, or a padding along another axis or between elements', async () => {
    const whole = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]).node;
    const padded = (value: Tensor, before: number[], after: number[], step = [1, 1]): Node =>
      padStatic(value.node, { before, after, step });
    const column = (at: number): Node => padded(tensor([[7], [8]]), [0, at], [0, 2 - at]);
    const row = padded(tensor([[1, 1, 1]]), [1, 0], [0, 0]);
    const spread = padded(
      tensor([
        [1, 2],
        [3, 4],
      ]),
      [0, 0],
      [0, 0],
      [1, 2],
    );
    const joined = await rewritten(joinPads, [whole, column(0), row, column(2), spread]);
    expect(namesOf(joined)).toEqual(['data', Pad.name, Pad.name, Concat.name]);
    const single = [whole, column(1)];
    expect(joinPads(single)).toBe(single);
  });

  test('leaves pieces alone that are spread out, each of whose elements has zeros around it', async () => {
    const spread = (start: number): Node =>
      padStatic(tensor([1, 2]).node, { before: [start], after: [3 - start], step: [2] });
    const terms = [spread(0), spread(3)];
    expect(joinPads(terms)).toBe(terms);
    expect(await sumOf(terms)).toEqual([1, 0, 2, 1, 0, 2]);
  });

  test('is what slices of a tensor cost backwards: one pass', async () => {
    const x = tensor([1, 2, 3, 4, 5, 6]);
    const [firstHalf, secondHalf] = x.split(2) as [Tensor, Tensor];
    const [firstFour] = x.split([4, 2]) as [Tensor, Tensor];
    const [, lastFour] = x.split([2, 4]) as [Tensor, Tensor];
    const backwards = (a: Tensor, b: Tensor): Tensor => gradients(a.mul(2).sum().add(b.mul(3).sum()), [x])[0];
    const apart = backwards(firstHalf, secondHalf);
    expect(apart.node.primitive).toBe(Concat);
    expect(await apart.array()).toEqual([2, 2, 2, 3, 3, 3]);
    expect(await backwards(firstFour, lastFour).array()).toEqual([2, 2, 5, 5, 3, 3]);
  });
});

describe('joinContractions', () => {
  const product = (rows: number, inner: number, columns: number, start: number): Node => {
    const matrix = (height: number, width: number): Node =>
      tensor(
        Float32Array.from({ length: height * width }, (_, i) => ((start + i) % 5) - 2),
        {
          shape: [height, width],
        },
      ).node;
    return matmul(matrix(rows, inner), matrix(inner, columns));
  };

  test('makes one product over a longer inner axis of products of one shape', async () => {
    const joined = await rewritten(joinContractions, [product(2, 3, 4, 0), product(2, 5, 4, 1), product(2, 2, 4, 2)]);
    expect(namesOf(joined)).toEqual([Contraction.name]);
    expect(joined[0]?.inputs.map(({ shape }) => shape)).toEqual([
      [2, 10],
      [4, 10],
    ]);
  });

  test('leaves products over two axes alone, which a longer last one would not sum as pairs', async () => {
    const cube = (start: number): Tensor =>
      tensor(
        Float32Array.from({ length: 12 }, (_, i) => ((start + i) % 5) - 2),
        { shape: [2, 2, 3] },
      );
    const terms = [0, 1].map((start) => einsum('aij,bij->ab', cube(start), cube(start + 2)).node);
    const names = namesOf(await rewritten(joinContractions, terms));
    expect(names).toEqual(namesOf(terms));
  });

  test('leaves a product alone that is in memory, and what is none', async () => {
    const inMemory = product(2, 3, 4, 0);
    await wrap(inMemory).data();
    const other = tensor(new Float32Array(8).fill(2), { shape: [2, 4] }).node;
    const terms = [inMemory, other, product(2, 3, 4, 1)];
    expect(await rewritten(joinContractions, terms)).toEqual([inMemory, other, terms[2]]);
  });
});

test('a sum of one term is that term', () => {
  const terms = [tensor([1, 2]).node];
  expect(rewriteSum(terms)).toBe(terms);
});

/** Each rewrite keeps the sum, makes it cheaper where it applies, and leaves the rest alone. */
import { reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import type { Node } from '../graph/node.ts';
import { einsum, gradients, type Tensor, tensor } from '../index.ts';
import { add } from '../ops/arithmetic.ts';
import { Contraction, matmul } from '../ops/contract.ts';
import { Concat } from '../ops/indexing.ts';
import { Pad, padStatic } from '../ops/views.ts';
import { wrap } from '../tensor.ts';
import { prepare } from '../testing.ts';
import { joinContractions, joinPads, rewriteSum } from './rewrites.ts';

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

/**
 * Values that somebody read half-way: what is computed afterwards, gradients above all, is what it is when nobody looked.
 * The numbers round at every operation, so that a value computed again with more digits than memory has is found out.
 */
import { type Backend, gradientsOrNull, type Tensor, tensor, where } from '@nn/core';
import type { Capability, ConformanceCase } from '../case.ts';
import { exactly, expectClose, expectTrue, type Values } from '../compare.ts';
import { readAll, weighted } from '../operation.ts';

interface Chain {
  readonly name: string;
  readonly needs?: readonly Capability[];
  /** The values in between, to be read or not, and the result. */
  readonly build: (x: Tensor) => readonly Tensor[];
}

/** Products by 0.7 need a bit more than float32 has. */
const chains: readonly Chain[] = [
  { name: 'a maximum', build: (x) => [x.mul(0.7).max()] },
  { name: 'a minimum', build: (x) => [x.mul(0.7).min()] },
  { name: 'maxima of rows', build: (x) => [x.reshape([4, 6]).mul(0.7).max(1)] },
  { name: 'maxima of columns, kept', build: (x) => [x.reshape([4, 6]).mul(0.7).max(0, { keepAxes: true })] },
  {
    name: 'the maximum of sums',
    build: (x) => [
      x
        .reshape([4, 6])
        .mul(x.reshape([4, 6]))
        .sum(1)
        .max(),
    ],
  },
  {
    name: 'the maximum of a product',
    build: (x) => [
      x
        .reshape([4, 6])
        .matmul(x.reshape([6, 4]))
        .max(1),
    ],
  },
  { name: 'the maximum of exponentials', build: (x) => [x.exp().div(3).max()] },
  { name: 'the maximum of a transposed product', build: (x) => [x.reshape([4, 6]).mul(0.7).transpose().max(1)] },
  {
    name: 'the norm of order infinity',
    build: (x) => [x.mul(0.7).norm(undefined, { order: Number.POSITIVE_INFINITY })],
  },
  { name: 'equality with what was read', build: (x) => [x.mul(0.7), where(x.mul(0.7).equal(x.mul(0.7)), x, 0)] },
  {
    name: 'a tie with what was read',
    build: (x) => {
      const [a, b] = [x.mul(0.7), x.mul(0.7)];
      return [a, a.maximum(b.mul(1)), a.minimum(b.neg().neg())];
    },
  },
  {
    name: 'a bound that was read',
    build: (x) => {
      const bound = x.mul(0.7);
      return [bound, x.mul(0.7).clamp(bound, 10), x.mul(0.7).less(bound).cast('float32')];
    },
  },
  {
    name: 'whole parts of what was read',
    build: (x) => {
      const tenths = x.mul(10);
      return [tenths, tenths.floor(), tenths.round(), tenths.sub(tenths.floor())];
    },
  },
];

/** Whether memory would round is not seen where nothing was stored; a cast to a narrow dtype rounds all the same. */
const roundTrips: readonly Chain[] = [
  { name: 'a round trip through float16', needs: ['float16'], build: (x) => trip(x, 'float16') },
  { name: 'a round trip through bfloat16', needs: ['bfloat16'], build: (x) => trip(x, 'bfloat16') },
  { name: 'a round trip through int8', needs: ['int8'], build: (x) => trip(x.mul(90), 'int8') },
  { name: 'a round trip through uint8', needs: ['uint8'], build: (x) => trip(x.mul(90), 'uint8') },
];

function trip(x: Tensor, dtype: 'float16' | 'bfloat16' | 'int8' | 'uint8'): Tensor[] {
  const narrow = x.mul(0.7).cast(dtype);
  const wide = narrow.cast('float32');
  return [narrow, wide.mul(2), wide.reshape([4, 6]).sum(1)];
}

const numbers = Float32Array.from({ length: 24 }, (_, k) => ((k * 7) % 24) / 10 + 0.1 * (k % 3) - 0.9);

export function readCases(): ConformanceCase[] {
  return [...chains, ...roundTrips].map(({ name, needs = [], build }) => ({
    group: 'reads',
    name,
    needs,
    run: async ({ backend }) => {
      const [unread, read] = [await compute(build, backend, false), await compute(build, backend, true)];
      for (const [k, { data }] of read.entries()) {
        expectTrue(!Array.from(data).some(Number.isNaN), `${name}: number ${k} is NaN after a read.`);
      }
      unread.forEach((right, k) => {
        expectClose(read[k]!, right, exactly, `${name}, number ${k} after a read`);
      });
    },
  }));
}

/**
 * The values of a chain and its gradient. `isRead`: each value is read before the next thing is computed; otherwise each is
 * asked for alone, of a chain of its own, so that no program stores what is in between because somebody wants it.
 */
async function compute(build: Chain['build'], backend: Backend, isRead: boolean): Promise<Values[]> {
  const x = tensor(numbers, { backend });
  const values = build(x);
  const before = await oneByOne(isRead ? values : values.map((_, k) => build(x)[k]!));
  const slopes = gradientsOrNull(
    weighted(
      values.filter(({ dtype }) => dtype === 'float32'),
      backend,
    ),
    [x],
  ).filter((slope) => slope !== null);
  return [...before, ...(await readAll(slopes))];
}

async function oneByOne(values: readonly Tensor[]): Promise<Values[]> {
  const read: Values[] = [];
  for (const value of values) read.push(...(await readAll([value])));
  return read;
}

import { type Kernel, type Op, tensor } from '@nn/core';
import { describe, expect, it } from 'vitest';
import { makeCpu } from '../backend.ts';
import { WasmEngine } from './engine.ts';
import { runKernel } from './testing.ts';

/** Sums over all but the kept axes of an array of the given extents. */
function sum(extents: readonly number[], kept: readonly number[]): Kernel {
  const reduced = extents.map((_, axis) => axis).filter((axis) => !kept.includes(axis));
  const order = [...kept, ...reduced];
  const value: Op[] = [{ dtype: 'int32', op: 'const', value: 0 }];
  let index = 0;
  let stride = 1;
  for (let axis = extents.length - 1; axis >= 0; axis--) {
    const at = value.push({ dtype: 'int32', op: 'axis', axis: order.indexOf(axis) }) - 1;
    const by = value.push({ dtype: 'int32', op: 'const', value: stride }) - 1;
    const term = value.push({ dtype: 'int32', op: 'mul', args: [at, by] }) - 1;
    index = value.push({ dtype: 'int32', op: 'add', args: [index, term] }) - 1;
    stride *= extents[axis] as number;
  }
  value.push({ dtype: 'float32', op: 'load', read: 0, index });
  return {
    key: `sum ${extents} ${kept}`,
    domain: kept.map((axis) => extents[axis] as number),
    dtype: 'float32',
    reads: ['float32'],
    scalars: [],
    reduce: { op: 'sum', extents: reduced.map((axis) => extents[axis] as number), dtype: 'float32' },
    value,
  };
}

describe('long sums', () => {
  const engine = new WasmEngine({ fused: false });

  it.each([
    ['of a row', [1_000_003], []],
    ['of columns', [200_001, 5], [1]],
    ['of wide columns', [50_000, 16], [1]],
    ['over outer and inner axes', [600, 3, 700], [1]],
    ['over many short rows', [90_000, 2, 3], [1]],
  ] as const)('%s keep their precision', async (_, extents, kept) => {
    const size = extents.reduce((product: number, extent) => product * extent, 1);
    // Equal numbers: the worst case, since all roundings go the same way.
    const data = new Float32Array(size).fill(0.1);
    const got = await runKernel(engine, sum(extents, kept), [data]);
    const exact = (Math.fround(0.1) * size) / got.length;
    for (const value of got) expect(Math.abs(value / exact - 1)).toBeLessThan(4e-6);
  });

  it('along the last axis keep their precision at every place', async () => {
    const backend = makeCpu({}, { wasm: () => engine });
    const sums = await tensor(new Float32Array(300_000).fill(0.1), { backend }).cumsum(0).data();
    for (let at = 0; at < sums.length; at += 997) {
      expect(Math.abs((sums[at] as number) / (Math.fround(0.1) * (at + 1)) - 1)).toBeLessThan(1e-7);
    }
  });

  it.each([3, 8, 70])(
    'along the first axis of %i columns keep their precision, and overflow to infinity',
    async (columns) => {
      const backend = makeCpu({}, { wasm: () => engine });
      const rows = 40_000;
      const tenths = tensor(new Float32Array(rows * columns).fill(0.1), { shape: [rows, columns], backend });
      const sums = await tenths.cumsum(0).data();
      for (let at = 0; at < sums.length; at += 997) {
        const exact = Math.fround(0.1) * (Math.floor(at / columns) + 1);
        expect(Math.abs((sums[at] as number) / exact - 1)).toBeLessThan(2e-7);
      }
      const huge = tensor(new Float32Array(4 * columns).fill(2e38), { shape: [4, columns], backend });
      expect((await huge.cumsum(0).data()).subarray(-columns)).toEqual(new Float32Array(columns).fill(Infinity));
    },
  );

  it.each([[], [1], [4], [37]])('at computed places keep their precision: slices of %j', async (...slice) => {
    const backend = makeCpu({}, { wasm: () => engine });
    const [terms, size] = [60_000, slice.reduce((product, extent) => product * extent, 1)];
    const places = tensor(
      Int32Array.from({ length: terms }, (_, k) => k % 2),
      { backend },
    );
    const updates = tensor(new Float32Array(terms * size).fill(0.1), { shape: [terms, ...slice], backend });
    const base = tensor(new Float32Array(3 * size), { shape: [3, ...slice], backend });
    for (const sums of [base.scatterAdd(places, updates), base.scatterAdd(places, updates).mul(2).div(2)]) {
      const data = await sums.data();
      const exact = (Math.fround(0.1) * terms) / 2;
      for (const value of data.subarray(0, 2 * size)) expect(Math.abs(value / exact - 1)).toBeLessThan(2e-7);
      expect(data.subarray(2 * size)).toEqual(new Float32Array(size));
    }
  });
});

import type { Kernel } from '@nn/core';
import { tensor } from '@nn/core';
import { describe, expect, it } from 'vitest';
import { features } from './code/features.ts';
import { WasmEngine } from './engine.ts';
import { pointwiseKernel, runKernel } from './testing.ts';

const lengths = [...Array.from({ length: 17 }, (_, at) => at + 1), 31, 64, 67];
const specials = [Number.NaN, Infinity, -Infinity];

/** The greatest or least element of each row. */
function extreme(op: 'max' | 'min', rows: number, length: number): Kernel {
  return {
    key: `${op} ${rows} ${length}`,
    domain: [rows],
    dtype: 'float32',
    reads: ['float32'],
    scalars: [],
    reduce: { op, extents: [length], dtype: 'float32' },
    value: [
      { dtype: 'int32', op: 'axis', axis: 0 },
      { dtype: 'int32', op: 'const', value: length },
      { dtype: 'int32', op: 'mul', args: [0, 1] },
      { dtype: 'int32', op: 'axis', axis: 1 },
      { dtype: 'int32', op: 'add', args: [2, 3] },
      { dtype: 'float32', op: 'load', read: 0, index: 4 },
    ],
  };
}

/** Rows of `length` numbers; in all but the first, one place holds something special. */
function rowsOf(length: number): number[][] {
  const plain = Array.from({ length }, (_, at) => Math.fround(Math.sin(at * 7 + length) * 3));
  const changed = specials.flatMap((special) =>
    plain.map((_, at) => plain.map((x, place) => (place === at ? special : x))),
  );
  return [plain, ...changed];
}

/** Softmax in double precision. */
function softmaxOf(row: readonly number[]): number[] {
  const top = Math.max(...row);
  const powers = row.map((x) => Math.exp(x - (Math.abs(top) === Infinity ? 0 : top)));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

describe.each(features().relaxed ? [false, true] : [false])('rows, fused: %s', (fused) => {
  const engine = new WasmEngine({ fused });

  it.each(['max', 'min'] as const)(
    '%s of rows of any length finds NaN and infinities wherever they are',
    async (op) => {
      for (const length of lengths) {
        const rows = rowsOf(length);
        const got = await runKernel(engine, extreme(op, rows.length, length), [Float32Array.from(rows.flat())]);
        expect([...got], `length ${length}`).toEqual(rows.map((row) => Math[op](...row)));
      }
    },
  );

  it.each(['max', 'min'] as const)('%s of two numbers is NaN where either is', async (op) => {
    const values = [...specials, 0, 1, -2.5, 3e38, 2 ** -149];
    const left = values.flatMap((x) => values.map(() => x));
    const right = values.flatMap(() => values);
    for (const size of [left.length, 7]) {
      const [a, b] = [left, right].map((side) => Float32Array.from(side.slice(0, size))) as [
        Float32Array,
        Float32Array,
      ];
      const got = await runKernel(engine, pointwiseKernel(op, ['float32', 'float32'], 'float32', size), [a, b]);
      expect([...got]).toEqual(Array.from(a, (x, at) => Math[op](x, b[at] as number)));
    }
  });

  it('softmax of rows of any length agrees with double precision, masked elements being 0', async () => {
    // Not more lengths than core takes without a warning.
    for (const length of [1, 3, 4, 7, 16, 17, 67]) {
      const rows = rowsOf(length);
      const found = await tensor(rows, { backend: engine }).softmax(1).array();
      const logarithms = await tensor(rows, { backend: engine }).logSoftmax(1).array();
      rows.forEach((row, at) => {
        softmaxOf(row).forEach((exact, place) => {
          const name = `length ${length}, row ${at}`;
          const [y, log] = [found, logarithms].map((all) => (all as number[][])[at]?.[place] as number) as [
            number,
            number,
          ];
          if (Number.isNaN(exact)) expect([y, log], name).toEqual([Number.NaN, Number.NaN]);
          else {
            expect(Math.abs(y - exact), name).toBeLessThanOrEqual(8e-7 * exact + 1e-38);
            if (row.every(Number.isFinite)) expect(Math.abs(log - Math.log(exact)), name).toBeLessThan(2e-6);
          }
        });
      });
    }
  });
});

import type { Kernel, Op } from '@nn/core';
import { describe, expect, it } from 'vitest';
import { WasmEngine } from './engine.ts';
import { pointwiseKernel, runKernel } from './testing.ts';

describe('integer division', () => {
  const engine = new WasmEngine({ fused: false });

  it('is exact for every index below 2^20, whatever the divisor', async () => {
    const size = 2 ** 20 - 3;
    for (const divisor of [1, 2, 3, 7, 10, 49, 1000, 65537, 999_983]) {
      for (const op of ['floorDiv', 'floorMod', 'div', 'mod'] as const) {
        const value: Op[] = [
          { dtype: 'int32', op: 'axis', axis: 0 },
          { dtype: 'int32', op: 'const', value: divisor },
          { dtype: 'int32', op, args: [0, 1] },
        ];
        const kernel: Kernel = {
          key: `${op} ${divisor}`,
          domain: [size],
          dtype: 'int32',
          reads: [],
          scalars: [],
          value,
        };
        const got = await runKernel(engine, kernel, []);
        const wrong = got.findIndex(
          (number, x) => number !== (op.endsWith('Div') || op === 'div' ? Math.floor(x / divisor) : x % divisor),
        );
        expect(wrong, `${op} ${divisor}`).toBe(-1);
      }
    }
  });

  it('rounds down below 0 too', async () => {
    for (const divisor of [3, 5, 12]) {
      for (const op of ['floorDiv', 'floorMod'] as const) {
        const value: Op[] = [
          { dtype: 'int32', op: 'axis', axis: 0 },
          { dtype: 'int32', op: 'const', value: 500 },
          { dtype: 'int32', op: 'sub', args: [0, 1] },
          { dtype: 'int32', op: 'const', value: divisor },
          { dtype: 'int32', op, args: [2, 3] },
        ];
        const kernel: Kernel = {
          key: `${op} ${divisor}`,
          domain: [1000],
          dtype: 'int32',
          reads: [],
          scalars: [],
          value,
        };
        const got = await runKernel(engine, kernel, []);
        const quotient = (x: number): number => Math.floor((x - 500) / divisor);
        expect([...got]).toEqual(
          Array.from({ length: 1000 }, (_, x) => (op === 'floorDiv' ? quotient(x) : x - 500 - divisor * quotient(x))),
        );
      }
    }
  });

  it('rounds as named, wraps, and gives 0 for a divisor of 0', async () => {
    const special = [0, 1, -1, 2, -2, 7, -7, 8, 2 ** 31 - 1, -(2 ** 31)];
    const pairs = special.flatMap((a) => special.map((b) => [a, b] as const));
    const [left, right] = [0, 1].map((side) => Int32Array.from(pairs, (pair) => pair[side] as number));
    const exact = {
      div: (a: number, b: number) => Math.trunc(a / b),
      mod: (a: number, b: number) => a % b,
      floorDiv: (a: number, b: number) => Math.floor(a / b),
      floorMod: (a: number, b: number) => a - b * Math.floor(a / b),
    };
    for (const [op, compute] of Object.entries(exact)) {
      const kernel = pointwiseKernel(op, ['int32', 'int32'], 'int32', pairs.length);
      const got = await runKernel(engine, kernel, [left as Int32Array, right as Int32Array]);
      expect([...got], op).toEqual(pairs.map(([a, b]) => (b === 0 ? 0 : compute(a, b) | 0)));
    }
  });
});

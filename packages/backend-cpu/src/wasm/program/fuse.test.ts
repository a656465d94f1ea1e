import { type BodyBuilder, buildKernel, ProgramBuilder } from '@nn/conformance';
import type { BufferType, Program, Step, TensorData } from '@nn/core';
import { describe, expect, it } from 'vitest';
import { WasmEngine } from '../engine.ts';
import { fuseSteps } from './fuse.ts';

interface Rows {
  readonly rows: number;
  readonly length: number;
  /** What is reduced: the written values themselves, or their products with those of another array. */
  readonly weighted?: boolean;
  /** Reduces columns instead of rows. */
  readonly columns?: boolean;
  readonly op?: 'sum' | 'max';
}

/** y = exp(x - c) for each element, c of its row; then what remains of each row (or column) of y, plus 1. */
function program({ rows, length, weighted = false, columns = false, op = 'sum' }: Rows, grouped: boolean): Program {
  const program = new ProgramBuilder();
  const [x, weights, shift] = [[rows, length], [rows, length], [rows]].map((shape) => program.input('float32', shape));
  const powers = buildKernel({
    domain: [rows, length],
    reads: ['float32', 'float32'],
    value: (body) => {
      const at = body.flat([rows, length]);
      body.alu('exp', 'float32', body.alu('sub', 'float32', body.load(0, at), body.load(1, body.axis(0))));
    },
  });
  const reduced = buildKernel({
    domain: [columns ? length : rows],
    reads: weighted ? ['float32', 'float32'] : ['float32'],
    reduce: { op, extents: [columns ? rows : length], dtype: 'float32' },
    value: (body) => {
      const at = columns
        ? body.index([
            [0, 1],
            [1, length],
          ])
        : body.flat([rows, length]);
      const y = body.load(0, at);
      if (weighted) body.alu('mul', 'float32', body.load(1, at), y);
    },
    epilogue: (body: BodyBuilder) => body.alu('add', 'float32', body.accumulator(), body.constant(1)),
  });
  const y = program.step(powers, [x as number, shift as number]);
  const total = program.step(reduced, weighted ? [y, weights as number] : [y]);
  program.output(y);
  program.output(total);
  if (grouped) program.group(0, 1, 1, []);
  return program.build();
}

async function run(source: Program, data: readonly Float32Array[]): Promise<TensorData[]> {
  const engine = new WasmEngine({ fused: false });
  const executable = engine.make(source);
  const inputs = data.map((array, input) => engine.upload(array, source.buffers[input] as BufferType));
  const outputs = executable.run(inputs, new Float64Array(0));
  return Promise.all(outputs.map((output) => engine.download(output)));
}

const fused = (rows: Rows, change: Partial<Step> = {}): boolean => {
  const [first, second] = program(rows, true).steps as [Step, Step];
  return fuseSteps(first, { ...second, ...change }, 1) !== null;
};

describe('a step and the reduction of what it writes', () => {
  it('run as one, for rows of any length', async () => {
    for (const length of [...Array.from({ length: 17 }, (_, at) => at + 1), 64, 2051, 5000]) {
      for (const rows of [1, 3]) {
        for (const [weighted, op] of [
          [false, 'sum'],
          [true, 'sum'],
          [false, 'max'],
        ] as const) {
          const data = [rows * length, rows * length, rows].map((size, seed) =>
            Float32Array.from({ length: size }, (_, at) => Math.sin(at * (seed + 1.3)) * 2),
          );
          // A NaN and an infinity somewhere in the last row.
          data[0]?.set([Number.NaN], rows * length - 1);
          if (rows > 1) data[0]?.set([Infinity], 0);
          const shape = { rows, length, weighted, op };
          const [apart, together] = [await run(program(shape, false), data), await run(program(shape, true), data)];
          const name = JSON.stringify(shape);
          expect(together[0], name).toEqual(apart[0]);
          // The order of a sum is free.
          together[1]?.forEach((total, row) => {
            const other = apart[1]?.[row] as number;
            if (Number.isFinite(other)) expect(Math.abs(total / other - 1), name).toBeLessThan(1e-5);
            else expect(total, name).toBe(other);
          });
        }
      }
    }
  });

  it('stay apart where the reduction walks in another order, from another place, or too few elements', () => {
    const shape = { rows: 8, length: 64 };
    expect(fused(shape)).toBe(true);
    expect(fused({ ...shape, weighted: true })).toBe(true);
    expect(fused({ ...shape, columns: true })).toBe(false);
    expect(fused({ ...shape, length: 3 })).toBe(false);
    expect(fused(shape, { reads: [{ buffer: 3, offset: 64 }] })).toBe(false);
    expect(fused(shape, { reads: [{ buffer: 0, offset: 0 }] })).toBe(false);
  });
});

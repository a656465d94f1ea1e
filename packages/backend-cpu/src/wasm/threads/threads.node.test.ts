import { Worker } from 'node:worker_threads';
import { buildKernel, ProgramBuilder } from '@nn/conformance';
import { type BufferType, type Program, type TensorData, tensor } from '@nn/core';
import { describe, expect, it, vi } from 'vitest';
import { cpu } from '../../cpu.ts';
import { WasmEngine } from '../engine.ts';
import { chooseThreads } from './pool.ts';

const size = 160;

/** relu(A B + bias), then the softmax of its rows: a product, and a group of row kernels. */
function program(): Program {
  const program = new ProgramBuilder();
  const [a, b, bias] = [[size, size], [size, size], [size]].map((shape) => program.input('float32', shape)) as [
    number,
    number,
    number,
  ];
  const product = buildKernel({
    domain: [size, size],
    reads: ['float32', 'float32', 'float32'],
    reduce: { op: 'sum', extents: [size], dtype: 'float32' },
    value: (body) => {
      const left = body.load(
        0,
        body.index([
          [0, size],
          [2, 1],
        ]),
      );
      body.alu(
        'mul',
        'float32',
        left,
        body.load(
          1,
          body.index([
            [2, size],
            [1, 1],
          ]),
        ),
      );
    },
    epilogue: (body) => {
      const sum = body.alu('add', 'float32', body.accumulator(), body.load(2, body.axis(1)));
      body.alu('max', 'float32', sum, body.constant(0));
    },
    hint: { kind: 'contraction', batch: [], rows: [0], columns: [1], inner: [2], left: 5, right: 11 },
  });
  const element: [number, number][] = [
    [0, size],
    [1, 1],
  ];
  const largest = buildKernel({
    domain: [size],
    reads: ['float32'],
    reduce: { op: 'max', extents: [size], dtype: 'float32' },
    value: (body) => body.load(0, body.index(element)),
  });
  const powers = buildKernel({
    domain: [size, size],
    reads: ['float32', 'float32'],
    value: (body) => {
      const shifted = body.alu('sub', 'float32', body.load(0, body.index(element)), body.load(1, body.axis(0)));
      body.alu('exp', 'float32', shifted);
    },
  });
  const x = program.step(product, [a, b, bias]);
  const top = program.step(largest, [x]);
  program.output(program.step(powers, [x, top]));
  program.group(1, 2, 1, [top]);
  return program.build();
}

const data: TensorData[] = [
  Float32Array.from({ length: size * size }, (_, at) => Math.sin(at)),
  Float32Array.from({ length: size * size }, (_, at) => Math.cos(at * 1.1)),
  Float32Array.from({ length: size }, (_, at) => at / size),
];

async function results(engine: WasmEngine, turns: number): Promise<TensorData[]> {
  const source = program();
  const executable = await engine.compile(source);
  const inputs = data.map((array, input) => engine.upload(array, source.buffers[input] as BufferType));
  const found: TensorData[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const [output] = executable.run(inputs, new Float64Array(0));
    if (turn === 0 || turn === turns - 1) found.push(await engine.download(output as (typeof inputs)[number]));
    engine.release(output as (typeof inputs)[number]);
  }
  return found;
}

async function threeThreads(): Promise<WasmEngine> {
  const engine = new WasmEngine({ fused: false, threads: 3 });
  const start = performance.now();
  while ((engine.pool?.ready ?? 0) < 2 && performance.now() - start < 10_000) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(engine.pool?.ready).toBe(2);
  return engine;
}

describe('threads', () => {
  it('give the same bits as one thread, thousands of times', async () => {
    const [alone] = await results(new WasmEngine({ fused: false }), 1);
    const engine = await threeThreads();
    for (const together of await results(engine, 1500)) expect(together).toEqual(alone);
    expect(engine.engineInfo().details).toMatchObject({ threads: 3 });
    engine.pool?.close();
  });

  it('share the rows of running sums and sorts, along any axis', async () => {
    const numbers = Array.from({ length: 60 * 41 * 37 }, (_, at) => Math.round(Math.sin(at * at) * 50));
    const compute = async (backend: WasmEngine): Promise<unknown[]> => {
      const found: unknown[] = [];
      for (const axis of [0, 1, 2]) {
        const x = tensor(numbers, { shape: [60, 41, 37], backend });
        const { values, indices } = x.sort(axis);
        found.push(await x.cumsum(axis).mul(2).data(), await values.data(), await indices.data());
      }
      return found;
    };
    const engine = await threeThreads();
    expect(await compute(engine)).toEqual(await compute(new WasmEngine({ fused: false })));
    engine.pool?.close();
  });

  it('need nobody but the caller: work goes on when workers are gone', async () => {
    const engine = new WasmEngine({ fused: false, threads: 2 });
    engine.pool?.close();
    // the end of a worker is an event: when it comes depends on how busy the machine is
    await vi.waitFor(
      () =>
        expect(engine.engineInfo().details).toMatchObject({
          threads: 1,
          singleThread: expect.stringContaining('a worker failed'),
        }),
      { timeout: 20_000 },
    );
    const [alone] = await results(new WasmEngine({ fused: false }), 1);
    expect(await results(engine, 3)).toEqual([alone, alone]);
  });

  it('end with the backend that nobody can reach any more', async () => {
    const ended = vi.spyOn(Worker.prototype, 'terminate');
    await (async () => {
      const engine = await threeThreads();
      expect(await results(engine, 1)).toHaveLength(1);
    })();
    await vi.waitFor(
      () => {
        globalThis.gc?.();
        expect(ended).toHaveBeenCalledTimes(2);
      },
      { timeout: 20_000 },
    );
    ended.mockRestore();
  });

  it('are one unless asked for, and a wrong number is refused', () => {
    expect(chooseThreads(undefined)).toEqual({ threads: 1, reason: 'more were not asked for' });
    expect(chooseThreads(2)).toEqual({ threads: 2, reason: null });
    for (const engine of ['wasm', 'javascript', 'interpreter'] as const) {
      for (const threads of [0, -1, 1.5, 1000, Number.NaN]) {
        const wrong = `cpu: threads is ${threads}: use 'auto' or a whole number from 1 to 64.`;
        expect(() => cpu({ engine, threads })).toThrow(wrong);
      }
    }
  });
});

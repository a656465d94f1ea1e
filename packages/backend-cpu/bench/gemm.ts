/** GFLOP/s of square products, and of the shapes of common layers: `node --conditions=@nn/source bench/gemm.ts [fused]`. */
import type { Kernel, Op } from '@nn/core';
import { type WasmBuffer, WasmEngine } from '../src/wasm/engine.ts';
import { programOf } from '../src/wasm/testing.ts';
import { print } from './print.ts';

const fused = process.argv[2] === 'fused';
const engine = new WasmEngine({ fused, threads: Number(process.env.THREADS ?? 1) });

function matmul(m: number, n: number, k: number, left: 'n' | 't', right: 'n' | 't', bias: boolean): Kernel {
  const value: Op[] = [];
  const push = (op: Op): number => value.push(op) - 1;
  const at = (first: number, firstStride: number, second: number, secondStride: number): number => {
    const a = push({
      dtype: 'int32',
      op: 'mul',
      args: [
        push({ dtype: 'int32', op: 'axis', axis: first }),
        push({ dtype: 'int32', op: 'const', value: firstStride }),
      ],
    });
    const b = push({
      dtype: 'int32',
      op: 'mul',
      args: [
        push({ dtype: 'int32', op: 'axis', axis: second }),
        push({ dtype: 'int32', op: 'const', value: secondStride }),
      ],
    });
    return push({ dtype: 'int32', op: 'add', args: [a, b] });
  };
  const l = push({ dtype: 'float32', op: 'load', read: 0, index: left === 'n' ? at(0, k, 2, 1) : at(0, 1, 2, m) });
  const r = push({ dtype: 'float32', op: 'load', read: 1, index: right === 'n' ? at(2, n, 1, 1) : at(2, 1, 1, k) });
  push({ dtype: 'float32', op: 'mul', args: [l, r] });
  const epilogue: Op[] = [
    { dtype: 'float32', op: 'accumulator' },
    { dtype: 'int32', op: 'axis', axis: 1 },
    { dtype: 'float32', op: 'load', read: 2, index: 1 },
    { dtype: 'float32', op: 'add', args: [0, 2] },
    { dtype: 'float32', op: 'const', value: 0 },
    { dtype: 'float32', op: 'max', args: [3, 4] },
  ];
  return {
    key: `${m} ${n} ${k} ${left}${right}${bias}`,
    domain: [m, n],
    dtype: 'float32',
    reads: bias ? ['float32', 'float32', 'float32'] : ['float32', 'float32'],
    scalars: [],
    reduce: { op: 'sum', extents: [k], dtype: 'float32' },
    value,
    ...(bias && { epilogue }),
    hint: { kind: 'contraction', batch: [], rows: [0], columns: [1], inner: [2], left: l, right: r },
  };
}

for (const [m, n, k, left, right, bias] of [
  [64, 64, 64, 'n', 'n', false],
  [256, 256, 256, 'n', 'n', false],
  [512, 512, 512, 'n', 'n', false],
  [512, 512, 512, 't', 'n', false],
  [512, 512, 512, 'n', 't', false],
  [1024, 1024, 1024, 'n', 'n', false],
  [128, 512, 784, 'n', 'n', true],
  [128, 512, 784, 'n', 't', true],
  [784, 512, 128, 't', 'n', false],
  [128, 256, 512, 'n', 't', true],
  [128, 10, 256, 'n', 't', true],
  [32, 512, 160, 'n', 'n', false],
  [256, 10, 128, 't', 'n', false],
  [16, 16, 16, 'n', 'n', false],
  [1, 512, 784, 'n', 't', true],
  [1, 512, 784, 'n', 'n', true],
  [1, 10, 256, 'n', 't', true],
  [100, 4, 2, 'n', 'n', false],
] as const) {
  const kernel = matmul(m, n, k, left, right, bias);
  const shapes = [[m * k], [k * n], ...(bias ? [[n]] : [])];
  const program = programOf(kernel, shapes);
  const start = performance.now();
  const executable = engine.make(program);
  const compiled = performance.now() - start;
  const inputs = shapes.map((shape) =>
    engine.upload(new Float32Array(shape[0]!).fill(0.5), { dtype: 'float32', shape }),
  );
  const none = new Float64Array(0);
  const flops = 2 * m * n * k;
  const turns = Math.max(1, Math.min(20000, Math.ceil(2e7 / flops)));
  let best = Infinity;
  for (let round = 0; round < 150; round++) {
    const begin = performance.now();
    for (let turn = 0; turn < turns; turn++) engine.release(executable.run(inputs, none)[0] as WasmBuffer);
    best = Math.min(best, (performance.now() - begin) / turns);
  }
  print(
    `${m}x${n}x${k} ${left}${right}${bias ? ' bias+relu' : ''}`.padEnd(28),
    `${(flops / best / 1e6).toFixed(1)} GFLOP/s  ${(best * 1000).toFixed(2)} us  compile ${compiled.toFixed(1)} ms`,
  );
}

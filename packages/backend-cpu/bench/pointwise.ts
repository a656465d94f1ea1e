/** Nanoseconds for each element of common loops: `node --conditions=@nn/source --import tsx bench/pointwise.ts [fused]`. */
import type { Kernel, Op } from '@nn/core';
import { type WasmBuffer, WasmEngine } from '../src/wasm/engine.ts';
import { programOf } from '../src/wasm/testing.ts';
import { print } from './print.ts';

const engine = new WasmEngine({ fused: process.argv[2] === 'fused' });
type Build = (push: (op: Op) => number, load: (read: number, ...strides: number[]) => number) => void;

function run(
  name: string,
  domain: number[],
  reads: number[],
  build: Build,
  reduce?: { extents: number[]; op: 'sum' | 'max' },
): void {
  const value: Op[] = [];
  const push = (op: Op): number => value.push(op) - 1;
  const load = (read: number, ...strides: number[]): number => {
    let sum = push({ dtype: 'int32', op: 'const', value: 0 });
    strides.forEach((stride, axis) => {
      const a = push({ dtype: 'int32', op: 'axis', axis });
      const f = push({ dtype: 'int32', op: 'const', value: stride });
      sum = push({ dtype: 'int32', op: 'add', args: [sum, push({ dtype: 'int32', op: 'mul', args: [a, f] })] });
    });
    return push({ dtype: 'float32', op: 'load', read, index: sum });
  };
  build(push, load);
  const kernel: Kernel = {
    key: name,
    domain,
    dtype: 'float32',
    reads: reads.map(() => 'float32'),
    scalars: [],
    value,
    ...(reduce && { reduce: { ...reduce, dtype: 'float32' as const } }),
  };
  const shapes = reads.map((size) => [size]);
  const executable = engine.make(programOf(kernel, shapes));
  const inputs = shapes.map((shape) =>
    engine.upload(
      Float32Array.from({ length: shape[0]! }, (_, i) => Math.sin(i)),
      { dtype: 'float32', shape },
    ),
  );
  const none = new Float64Array(0);
  const elements = [...domain, ...(reduce?.extents ?? [])].reduce((a, b) => a * b, 1);
  const turns = Math.max(2, Math.ceil(4e6 / elements));
  let best = Infinity;
  for (let round = 0; round < 12; round++) {
    const begin = performance.now();
    for (let turn = 0; turn < turns; turn++) engine.release(executable.run(inputs, none)[0] as WasmBuffer);
    best = Math.min(best, (performance.now() - begin) / turns);
  }
  print(name.padEnd(36), `${((best * 1e6) / elements).toFixed(3)} ns/element  ${(best * 1000).toFixed(1)} us`);
}
const unary =
  (op: 'exp' | 'log' | 'tanh' | 'erf' | 'sin' | 'sqrt'): Build =>
  (push, load) => {
    push({ dtype: 'float32', op, args: [load(0, 1)] });
  };
const sigmoid = (push: (op: Op) => number, x: number): number => {
  const minus = push({ dtype: 'float32', op: 'const', value: -1 });
  const one = push({ dtype: 'float32', op: 'const', value: 1 });
  const e = push({ dtype: 'float32', op: 'exp', args: [push({ dtype: 'float32', op: 'mul', args: [x, minus] })] });
  return push({ dtype: 'float32', op: 'div', args: [one, push({ dtype: 'float32', op: 'add', args: [e, one] })] });
};
const n = 16384;
for (const op of ['exp', 'log', 'tanh', 'erf', 'sin', 'sqrt'] as const) run(op, [n], [n], unary(op));
run('sigmoid', [n], [n], (push, load) => {
  sigmoid(push, load(0, 1));
});
run('sigmoid [32,128] of [32,512]', [32, 128], [n], (push, load) => {
  sigmoid(push, load(0, 512, 1));
});
run('add', [n], [n, n], (push, load) => {
  push({ dtype: 'float32', op: 'add', args: [load(0, 1), load(1, 1)] });
});
run('add 1M', [1 << 20], [1 << 20, 1 << 20], (push, load) => {
  push({ dtype: 'float32', op: 'add', args: [load(0, 1), load(1, 1)] });
});
run('transpose 1024', [1024, 1024], [1 << 20], (_, load) => {
  load(0, 1, 1024);
});
run(
  'row sum 1024',
  [1024],
  [1 << 20],
  (_, load) => {
    load(0, 1024, 1);
  },
  { extents: [1024], op: 'sum' },
);
run(
  'column sum 1024',
  [1024],
  [1 << 20],
  (_, load) => {
    load(0, 1, 1024);
  },
  { extents: [1024], op: 'sum' },
);
run(
  'row max 1024',
  [1024],
  [1 << 20],
  (_, load) => {
    load(0, 1024, 1);
  },
  { extents: [1024], op: 'max' },
);
run(
  'pool 2x2 max',
  [32, 64, 12, 12],
  [32 * 64 * 24 * 24],
  (_, load) => {
    load(0, 64 * 576, 576, 48, 2, 24, 1);
  },
  { extents: [2, 2], op: 'max' },
);

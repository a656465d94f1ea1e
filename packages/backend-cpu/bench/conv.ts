/** GFLOP/s of convolutions and their gradients, on few images so that a run fits between disturbances. */
import type { Hint, Kernel, Op } from '@nn/core';
import { type WasmBuffer, WasmEngine } from '../src/wasm/engine.ts';
import { programOf } from '../src/wasm/testing.ts';
import { print } from './print.ts';

const engine = new WasmEngine({ fused: process.argv[2] === 'fused' });
const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

async function conv(
  form: 'forward' | 'input' | 'weight',
  n: number,
  c: number,
  o: number,
  size: number,
  k: number,
  stride: number,
  pad: number,
): Promise<void> {
  const out = Math.floor((size + 2 * pad - k) / stride) + 1;
  const input = [n, c, size, size];
  const weight = [o, c, k, k];
  const output = [n, o, out, out];
  const hint: Hint = {
    kind: 'conv',
    form,
    input,
    weight,
    output,
    stride: [stride, stride],
    dilation: [1, 1],
    padding: [pad, pad],
    groups: 1,
  };
  const [domain, extents, reads] = {
    forward: [output, [c, k, k], [input, weight]],
    input: [input, [o, k, k], [output, weight]],
    weight: [weight, [n, out, out], [input, output]],
  }[form] as [number[], number[], number[][]];
  // The body only matters to engines without hints.
  const value: Op[] = [
    { dtype: 'int32', op: 'const', value: 0 },
    { dtype: 'float32', op: 'load', read: 0, index: 0 },
    { dtype: 'float32', op: 'load', read: 1, index: 0 },
    { dtype: 'float32', op: 'mul', args: [1, 2] },
  ];
  const kernel: Kernel = {
    key: `${form} ${input} ${weight} ${stride}`,
    domain,
    dtype: 'float32',
    reads: ['float32', 'float32'],
    scalars: [],
    reduce: { op: 'sum', extents, dtype: 'float32' },
    value,
    hint,
  };
  const shapes = reads.map((shape) => [product(shape)]);
  const executable = await engine.compile(programOf(kernel, shapes));
  const inputs = shapes.map((shape) =>
    engine.upload(new Float32Array(shape[0]!).fill(0.5), { dtype: 'float32', shape }),
  );
  let best = Infinity;
  for (let turn = 0; turn < 300; turn++) {
    const begin = performance.now();
    engine.release(executable.run(inputs, new Float64Array(0))[0] as WasmBuffer);
    best = Math.min(best, performance.now() - begin);
  }
  const flops = 2 * product(output) * c * k * k;
  print(
    `${form.padEnd(8)} ${n}x${c}x${size} -> ${o}, ${k}x${k}, stride ${stride}`.padEnd(44),
    `${(flops / best / 1e6).toFixed(1)} GFLOP/s  ${(best * 1000).toFixed(0)} us  ${executable.paths[0]}`,
  );
}
for (const form of ['forward', 'input', 'weight'] as const) {
  await conv(form, 2, 32, 64, 26, 3, 1, 0);
  await conv(form, 2, 1, 32, 28, 3, 1, 0);
  await conv(form, 1, 64, 64, 56, 3, 1, 1);
  await conv(form, 1, 64, 128, 28, 3, 2, 1);
  await conv(form, 1, 64, 128, 28, 1, 1, 0);
}

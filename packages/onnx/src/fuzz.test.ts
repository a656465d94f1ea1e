/** Damaged models: each loads as a whole or is refused by a typed error, in time and memory. NN_FUZZ sets the number of rounds. */
import { cpu } from '@nn/backend-cpu';
import { isNNError, setDefaultBackend } from '@nn/core';
import { beforeAll, expect, it } from 'vitest';
import { loadOnnx } from './load/load-onnx.ts';
import { floats, longs, model, node, value } from './testing/models.ts';

beforeAll(() => setDefaultBackend(cpu()));

const environment = typeof process === 'undefined' ? undefined : process.env.NN_FUZZ;
const rounds = Number(environment ?? 500);

const good = model({
  nodes: [
    node('Shape', ['x'], 's'),
    node('Slice', ['s', 'one', 'two'], 'last'),
    node('Concat', ['minus', 'last'], 'shape', { axis: 0 }),
    node('Reshape', ['x', 'shape'], 'r'),
    node('Gemm', ['r', 'w', 'b'], 'g', { transB: 1, alpha: { float: 0.5 } }),
    node('ConstantOfShape', ['two'], 'c'),
    node('Softmax', ['g'], 'y', { axis: -1 }),
  ],
  weights: [
    floats('w', [2, 3], [1, 2, 3, 4, 5, 6]),
    floats('b', [2], [1, 2]),
    longs('one', [1], [1]),
    longs('two', [1], [2]),
    longs('minus', [1], [-1]),
  ],
  outputs: [value('y', ['n', 2])],
});

async function tryToLoad(bytes: Uint8Array): Promise<boolean> {
  const start = performance.now();
  try {
    await loadOnnx(bytes);
    return true;
  } catch (error) {
    if (!isNNError(error)) throw error;
    expect((error as Error).message.length).toBeLessThan(4100);
    return false;
  } finally {
    expect(performance.now() - start).toBeLessThan(5000);
  }
}

it('every truncation is refused, or is a whole model', async () => {
  let loaded = 0;
  for (let length = 0; length < good.length; length++) if (await tryToLoad(good.subarray(0, length))) loaded++;
  expect(loaded).toBeLessThan(10);
});

it('random damage is refused or loads', async () => {
  let state = 12345;
  const integer = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 4294967296) * below);
  };
  let loaded = 0;
  for (let round = 0; round < rounds; round++) {
    const bytes = good.slice();
    for (let change = integer(4); change >= 0; change--) bytes[integer(bytes.length)] = integer(256);
    if (await tryToLoad(bytes)) loaded++;
  }
  expect(loaded).toBeGreaterThan(0);
  expect(loaded).toBeLessThan(rounds);
});

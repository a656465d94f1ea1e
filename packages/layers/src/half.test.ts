/**
 * Networks under autocast against double precision: as far from it as PyTorch's autocast is. The fixtures are made by
 * scripts/golden/half.py.
 */
import { cpu } from '@nn/backend-cpu';
import { autocast, gradients, namedParameters, setDefaultBackend, type Tensor, tensor } from '@nn/core';
import { beforeAll, describe, expect, test } from 'vitest';
import fixtures from '../fixtures/half.json';
import { Conv2d, Flatten, GELU, Linear, MaxPool2d, ReLU, Sequential, Sigmoid, Tanh } from './index.ts';

beforeAll(() => setDefaultBackend(cpu()));

interface Packed {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

const unpack = ({ shape, data }: Packed): Tensor => tensor(Float32Array.from(data), { shape });

const networks: Readonly<Record<string, () => Sequential>> = {
  linear: () =>
    new Sequential(
      ...[new Linear(24, 32), new GELU(), new Linear(32, 16), new ReLU(), new Linear(16, 6), new Sigmoid()],
      new Linear(6, 4),
    ),
  conv: () =>
    new Sequential(
      ...[new Conv2d(2, 8, 3, { padding: 1 }), new ReLU(), new MaxPool2d(2), new Conv2d(8, 6, 3, { stride: 2 })],
      ...[new Tanh(), new Flatten(), new Linear(24, 3)],
    ),
};

/** The largest difference of each result, forwards and backwards. */
async function distances(name: string, dtype: 'float32' | 'bfloat16' | 'float16'): Promise<number[]> {
  const item = fixtures.cases.find((each) => each.name === name)!;
  const model = networks[name]!();
  const start = new Map<string, Packed>(Object.entries(item.start));
  const members = [...namedParameters(model)];
  for (const [key, member] of members) member.assign(unpack(start.get(key)!));
  const y = autocast(dtype, () => model.forward(unpack(item.input)));
  const found = [
    y,
    ...gradients(
      y.square().mean(),
      members.map(([, member]) => member),
    ),
  ];
  const numbers = await Promise.all(found.map((one) => one.data('float32')));
  return numbers.map((values, k) => {
    const exact = item.exact[k]!.data;
    return values.reduce((most, value, at) => Math.max(most, Math.abs(value - exact[at]!)), 0);
  });
}

describe.each(Object.keys(networks))('%s', (name) => {
  const torch = fixtures.cases.find((each) => each.name === name)!.distance;

  test('bfloat16 is as far from double precision as PyTorch, and farther than float32', async () => {
    const own = await distances(name, 'bfloat16');
    for (const [k, distance] of own.entries()) expect(distance).toBeLessThan(2 * torch[k]!);
    // of all results together: neither is worse
    const relative = own.map((distance, k) => distance / torch[k]!);
    expect(relative.reduce((a, b) => a + b) / relative.length).toBeLessThan(1.25);
    expect(Math.max(...own)).toBeGreaterThan(20 * Math.max(...(await distances(name, 'float32'))));
  });

  test('float16 is closer than bfloat16', async () => {
    const [closer, farther] = [await distances(name, 'float16'), await distances(name, 'bfloat16')];
    expect(closer[0]).toBeLessThan(farther[0]! / 2);
  });
});

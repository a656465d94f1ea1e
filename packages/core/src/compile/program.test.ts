/** Rule 2 of life: memory is given away only where nothing can tell. */
import { type RecordingBackend, recording, reference } from '@nn/conformance';
import { beforeEach, describe, expect, test } from 'vitest';
import { gradients, parameter, replace, setDefaultBackend, type Tensor, tensor } from '../index.ts';
import { descend, Momentum, prepare } from '../testing.ts';

prepare(reference());
let backend: RecordingBackend = recording(reference());

beforeEach(() => {
  backend = recording(reference());
  setDefaultBackend(backend);
});

const donated = (): number | undefined => backend.programs.at(-1)?.donations.length;
const placed = (): number | undefined =>
  backend.programs.at(-1)?.steps.filter(({ inPlace }) => inPlace !== undefined).length;

describe('rule 2: the new value takes the memory of the old one', () => {
  test('in every step, the first included', async () => {
    const weight = parameter([1, 2]);
    for (let step = 0; step < 3; step++) await descend(weight.square().sum(), [weight]);
    expect(donated()).toBe(1);
    expect(placed()).toBe(1);
    expect(backend.counts.compile).toBe(1);
  });

  test('for all layers of a network, although gradients read the weights of later layers', async () => {
    const layers = [3, 4, 5, 2].slice(1).map((size, k) => {
      const inner = [3, 4, 5][k] as number;
      return parameter(
        Float32Array.from({ length: inner * size }, (_, i) => Math.sin(i + k)),
        { shape: [inner, size] },
      );
    });
    const x = tensor(
      Float32Array.from({ length: 6 }, (_, i) => i / 4),
      { shape: [2, 3] },
    );
    const loss = () =>
      layers
        .reduce((y: Tensor, w) => y.matmul(w).tanh(), x)
        .square()
        .mean();
    await descend(loss(), layers);
    expect(donated()).toBe(3);
    await new Momentum(layers).step(loss());
    expect(donated()).toBe(9);
  });

  test('with live buffers constant from step to step', async () => {
    const targets = [parameter(new Float32Array(100)), parameter(new Float32Array(50))];
    const optimizer = new Momentum(targets);
    const live: number[] = [];
    for (let step = 0; step < 5; step++) {
      const loss = targets.map((target) => target.sub(1).square().sum()).reduce((a, b) => a.add(b));
      await optimizer.step(loss);
      await loss.item();
      live.push(backend.live.bytes);
    }
    expect(new Set(live.slice(1)).size).toBe(1);
  });

  test('for a box of a cache', async () => {
    const cache = parameter(new Float32Array(12), { shape: [4, 3], trainable: false });
    for (let position = 0; position < 4; position++) {
      await replace([[cache, cache.update([position, 0], tensor([[1, 2, 3]]).add(position))]]);
    }
    expect(donated()).toBe(1);
    expect(backend.counts.compile).toBe(1);
    expect(await cache.array()).toEqual([
      [1, 2, 3],
      [2, 3, 4],
      [3, 4, 5],
      [4, 5, 6],
    ]);
  });
});

describe('rule 2: nothing is given away', () => {
  test('where the old value is asked for in the same step', async () => {
    const weight = parameter([1, 2]);
    const old = weight.stopGradient();
    await replace([[weight, weight.add(10)]], [old]);
    expect(donated()).toBe(0);
    expect(await old.array()).toEqual([1, 2]);
    expect(await weight.array()).toEqual([11, 12]);
    await replace([[weight, weight.add(10)]]);
    expect(await old.array()).toEqual([1, 2]);
  });

  test('where two parameters have one memory: the first update copies', async () => {
    const weight = parameter([1, 2]);
    const target = parameter([0, 0], { trainable: false });
    target.assign(weight);
    await target.data();
    await replace([[weight, weight.mul(10)]]);
    expect(donated()).toBe(0);
    expect(await target.array()).toEqual([1, 2]);
    await replace([[weight, weight.mul(10)]]);
    expect(donated()).toBe(1);
    expect(await weight.array()).toEqual([100, 200]);
    expect(await target.array()).toEqual([1, 2]);
  });

  test('where a tensor is the value that a parameter took', async () => {
    const start = tensor([1, 2]).mul(3);
    const weight = parameter([0, 0]);
    weight.assign(start);
    await Promise.all([weight.data(), start.data()]);
    for (let step = 0; step < 3; step++) await replace([[weight, weight.add(1)]]);
    expect(await start.array()).toEqual([3, 6]);
    expect(await weight.array()).toEqual([6, 9]);
  });

  test('where the step reads its old value at other places', async () => {
    const weight = parameter([
      [1, 2],
      [3, 4],
    ]);
    await replace([[weight, weight.add(weight.transpose())]]);
    expect(placed()).toBe(0);
    expect(await weight.array()).toEqual([
      [2, 5],
      [5, 8],
    ]);
  });

  test('twice: two parameters exchange their values', async () => {
    const [a, b] = [parameter([1]), parameter([2])];
    await replace([
      [a, b.mul(1)],
      [b, a.mul(1)],
    ]);
    expect([await a.array(), await b.array()]).toEqual([[2], [1]]);
    await replace([
      [a, b.add(a)],
      [b, a.sub(b)],
    ]);
    expect([await a.array(), await b.array()]).toEqual([[3], [1]]);
  });

  test('where a device cannot write what it reads', async () => {
    const plain = recording(reference({ limits: { inPlace: false } }));
    setDefaultBackend(plain);
    const weight = parameter([1, 2]);
    for (let step = 0; step < 3; step++) await descend(weight.square().sum(), [weight], 0.25);
    expect(plain.programs.flatMap(({ donations }) => donations)).toEqual([]);
    expect(await weight.array()).toEqual([0.125, 0.25]);
  });
});

test('what is computed along sees the old values of everything', async () => {
  const [a, b] = [parameter([1, 2]), parameter([10])];
  const also = [a.mul(b), a.sum(), gradients(a.square().sum(), [a])[0]];
  await replace(
    [
      [a, a.add(b)],
      [b, b.add(a.sum())],
    ],
    also,
  );
  expect(await Promise.all([...also, a, b].map((x) => x.array()))).toEqual([[10, 20], 3, [2, 4], [11, 12], [13]]);
});

test('one value for two parameters is one output and two owners', async () => {
  const [a, b] = [parameter([1]), parameter([2])];
  const both = a.add(b);
  await replace([
    [a, both],
    [b, both],
  ]);
  await replace([[a, a.mul(10)]]);
  expect([await a.array(), await b.array()]).toEqual([[30], [3]]);
});

test('outputs that are inputs need no program', async () => {
  const weight = parameter([1, 2]);
  const same = weight.stopGradient();
  await replace([], [same]);
  expect(backend.counts.run + backend.counts.compile).toBeLessThanOrEqual(1);
  expect(await same.array()).toEqual([1, 2]);
});

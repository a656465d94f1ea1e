/** Layers of whole numbers written as QDQ and read back: the same answers, int8 in the file, and what is refused. */
import { cpu } from '@nn/backend-cpu';
import { quantise } from '@nn/compress';
import {
  conv2d,
  explain,
  namedParameters,
  noGradient,
  setDefaultBackend,
  setSeed,
  type Tensor,
  tensor,
  uniform,
} from '@nn/core';
import { Conv1d, Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential } from '@nn/layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeOnnx, loadOnnx } from './index.ts';
import { model as encoded, floats, node, value } from './testing/models.ts';

beforeAll(() => setDefaultBackend(cpu()));

const eight = { low: -128, high: 127 };

async function compare(model: Sequential, x: Tensor, most: number): Promise<Awaited<ReturnType<typeof loadOnnx>>> {
  const expected = await model.forward(x).data();
  const read = await loadOnnx(await encodeOnnx(model, x.shape));
  const found = await read.forward(x).data();
  const scale = Math.max(...Array.from(expected, Math.abs));
  expect(found.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) expect(Math.abs(found[i]! - value) / scale).toBeLessThan(most);
  return read;
}

describe('quantised layers as ONNX', () => {
  const images = (): Sequential => {
    setSeed(2);
    return new Sequential(
      new Conv2d(2, 6, [3, 2], { stride: [2, 1], padding: [1, 0] }),
      new ReLU(),
      new MaxPool2d(2),
      new Flatten(),
      new Linear(6 * 2 * 3, 5),
    );
  };

  it('answer as the model does, with levels of any kind', async () => {
    const x = uniform([3, 2, 8, 8], { low: -1, high: 1 });
    for (const levels of [undefined, eight, { low: 0, high: 255 }]) {
      const model = images();
      await quantise(model, { mode: 'static', calibration: [x], ...(levels && { levels }) });
      // a value halfway between two levels may go to either
      const read = await compare(model, x.mul(1.2), 0.01);
      const operators = read.summary();
      expect(String(operators)).toContain('QuantizeLinear');
      expect(String(operators).includes('Clip')).toBe(levels === undefined);
    }
  });

  it('cover sequences and lines', async () => {
    const x = uniform([2, 5, 12]);
    const sequence = new Sequential(new Linear(12, 7));
    await quantise(sequence, { mode: 'static', calibration: [x], levels: eight });
    await compare(sequence, x, 0.01);
    const line = new Sequential(new Conv1d(5, 4, 3, { dilation: 2, padding: 'same' }));
    await quantise(line, { mode: 'static', calibration: [x], levels: eight });
    await compare(line, x, 0.01);
  });

  it('keep int8 in the file', async () => {
    const model = new Sequential(new Linear(200, 100));
    const x = uniform([1, 200]);
    const before = await encodeOnnx(model, [1, 200]);
    await quantise(model, { mode: 'static', calibration: [x] });
    expect((await encodeOnnx(model, [1, 200])).length).toBeLessThan(0.28 * before.length);
  });

  it('are refused with the range of each sample', async () => {
    const model = new Sequential(new Linear(4, 3));
    await quantise(model, { mode: 'dynamic' });
    await expect(encodeOnnx(model, [1, 4])).rejects.toThrow(
      "encodeOnnx: a quantised layer whose input has a range of each sample is not written: quantise with { mode: 'static' }.",
    );
  });
});

describe('files of whole numbers', () => {
  const bytesOf = (name: string, type: 'int8' | 'uint8', shape: readonly number[], values: readonly number[]) => ({
    name,
    type,
    shape,
    bytes: new Uint8Array((type === 'int8' ? Int8Array : Uint8Array).from(values).buffer),
  });
  const levels = (count: number, seed: number, low = -128): number[] =>
    Array.from({ length: count }, (_, at) => low + ((at * 149 + at * at * 7 + seed) % 256));
  const stepsOf = (y: Tensor): string[] => [...explain(y).matchAll(/step \d+: (.*)/g)].map(([, path]) => path!);

  it('are multiplied as bytes, of 7 bits where they were cut to these, and answer as before', async () => {
    setSeed(2);
    const make = (): Sequential =>
      new Sequential(
        new Conv2d(4, 8, 3, { padding: 'same', groups: 2 }),
        new ReLU(),
        new MaxPool2d(2),
        new Conv2d(8, 12, 3, { stride: 2, padding: 1 }),
        new Flatten(),
        new Linear(12 * 9, 30),
      );
    const x = uniform([8, 4, 12, 12], { low: -1, high: 1 });
    for (const chosen of [undefined, eight]) {
      const model = make();
      await quantise(model, { mode: 'static', calibration: [x], ...(chosen && { levels: chosen }) });
      const read = await compare(model, x, 0.01);
      const steps = stepsOf(noGradient(() => read.forward(x)));
      expect(steps.filter((path) => path.startsWith('bytes'))).toHaveLength(3);
      expect([...namedParameters(read)].every(([, { size }]) => size <= 30)).toBe(true); // biases alone
    }
  });

  it('of sequences and of MatMul are bytes, too', async () => {
    const x = uniform([4, 6, 40]);
    const model = new Sequential(new Linear(40, 30), new ReLU(), new Linear(30, 12));
    await quantise(model, { mode: 'static', calibration: [x] });
    const read = await compare(model, x, 0.01);
    expect(stepsOf(noGradient(() => read.forward(x))).filter((path) => path.startsWith('bytes'))).toHaveLength(2);
  });

  it('keep weights as numbers that are trained where inputs are no bytes', async () => {
    const weight = levels(12, 3);
    const bytes = encoded({
      nodes: [node('DequantizeLinear', ['w', 's'], 'real', { axis: 0 }), node('MatMul', ['x', 'real'], 'y')],
      weights: [bytesOf('w', 'int8', [3, 4], weight), floats('s', [], [0.5])],
      outputs: [value('y', ['n', 4])],
    });
    expect([...namedParameters(await loadOnnx(bytes)).values()].map(({ shape }) => shape)).toEqual([[3, 4]]);
  });

  for (const zeros of [false, true]) {
    it(`of MatMulInteger are whole sums, ${zeros ? 'with' : 'without'} zero points`, async () => {
      const [m, n, k] = [9, 10, 60];
      const [a, b] = [levels(m * k, 1, 0), levels(k * n, 5)];
      const zb = levels(n, 9);
      const bytes = encoded({
        nodes: [node('MatMulInteger', zeros ? ['x', 'w', 'za', 'zb'] : ['x', 'w'], 'y')],
        inputs: [value('x', [m, k], 'uint8')],
        outputs: [value('y', [m, n], 'int32')],
        weights: [bytesOf('w', 'int8', [k, n], b), bytesOf('za', 'uint8', [], [77]), bytesOf('zb', 'int8', [n], zb)],
      });
      const read = await loadOnnx(bytes);
      const y = read.forward(tensor(a, { shape: [m, k], dtype: 'int32' }));
      const expected = Array.from({ length: m * n }, (_, at) => {
        let sum = 0;
        const [i, j] = [Math.floor(at / n), at % n];
        for (let p = 0; p < k; p++) sum += (a[i * k + p]! - (zeros ? 77 : 0)) * (b[p * n + j]! - (zeros ? zb[j]! : 0));
        return sum;
      });
      expect([...(await y.data())]).toEqual(expected);
    });
  }

  it('of DynamicQuantizeLinear and ConvInteger with padding are whole sums around the zero point', async () => {
    const weight = levels(8 * 4 * 9, 4);
    const bytes = encoded({
      nodes: [
        node('DynamicQuantizeLinear', ['x'], ['q', 'scale', 'zero']),
        node('ConvInteger', ['q', 'w', 'zero'], 'sums', { pads: [1, 1, 1, 1] }),
        node('Cast', ['sums'], 'real', { to: 1 }),
        node('Mul', ['real', 'scale'], 'y'),
      ],
      inputs: [value('x', [2, 4, 6, 5])],
      outputs: [value('y', [2, 8, 6, 5])],
      weights: [bytesOf('w', 'int8', [8, 4, 3, 3], weight)],
    });
    const read = await loadOnnx(bytes);
    const x = uniform([2, 4, 6, 5], { low: -0.7, high: 1 });
    const found = await read.forward(x).data();
    const real = conv2d(x, tensor(weight, { shape: [8, 4, 3, 3], dtype: 'float32' }), { padding: 1 });
    const expected = await real.data();
    const most = Math.max(...expected.map(Math.abs));
    for (const [i, wanted] of expected.entries()) expect(Math.abs(found[i]! - wanted) / most).toBeLessThan(0.02);
  });

  it('of QLinearConv are rounded to one step of real products', async () => {
    const weight = levels(6 * 4 * 9, 2);
    const scales = Array.from({ length: 6 }, (_, k) => 0.002 + 0.0005 * k);
    const inputs = ['x', 'sx', 'zx', 'w', 'sw', 'zw', 'sy', 'zy'];
    const bytes = encoded({
      nodes: [node('QLinearConv', inputs, 'y', { strides: [1, 2], pads: [1, 0, 1, 2] })],
      inputs: [value('x', [3, 4, 6, 7], 'uint8')],
      outputs: [value('y', [3, 6, 6, 4], 'uint8')],
      weights: [
        ...[floats('sx', [], [0.02]), bytesOf('zx', 'uint8', [], [100]), bytesOf('w', 'int8', [6, 4, 3, 3], weight)],
        ...[floats('sw', [6], scales), bytesOf('zw', 'int8', [6], [0, 0, 0, 0, 0, 0])],
        ...[floats('sy', [], [0.05]), bytesOf('zy', 'uint8', [], [120])],
      ],
    });
    const x = tensor(levels(3 * 4 * 6 * 7, 8, 0), { shape: [3, 4, 6, 7], dtype: 'int32' });
    const found = await (await loadOnnx(bytes)).forward(x).data();
    const own = tensor(weight, { shape: [6, 4, 3, 3], dtype: 'float32' }).mul(tensor(scales, { shape: [6, 1, 1, 1] }));
    const padded = x
      .cast('float32')
      .sub(100)
      .mul(0.02)
      .pad([
        [0, 0],
        [0, 0],
        [1, 1],
        [0, 2],
      ]);
    const expected = await conv2d(padded, own, { stride: [1, 2] })
      .div(0.05)
      .add(120)
      .clamp(0, 255)
      .data();
    expect(found.length).toBe(expected.length);
    for (const [i, wanted] of expected.entries()) expect(Math.abs(found[i]! - wanted)).toBeLessThan(0.51);
  });

  type Bytes = 'int8' | 'uint8';
  it.each<
    readonly [string, number[], number[], Bytes, Bytes, readonly [number[], number[]], readonly [number[], number[]]]
  >([
    ['matrices', [9, 40], [40, 12], 'uint8', 'int8', [[0.02], [100]], [[0.01], [0]]],
    [
      'columns of scales of their own',
      [9, 40],
      [40, 3],
      'uint8',
      'int8',
      [[0.02], [7]],
      [
        [0.01, 0.004, 0.02],
        [0, 5, -9],
      ],
    ],
    [
      'rows of scales of their own',
      [2, 40],
      [40, 3],
      'int8',
      'int8',
      [
        [0.02, 0.005],
        [4, -30],
      ],
      [[0.01], [3]],
    ],
    ['many matrices', [3, 4, 20], [3, 20, 5], 'uint8', 'uint8', [[0.03], [128]], [[0.01], [120]]],
    ['one weight for many', [2, 3, 4, 20], [20, 5], 'int8', 'uint8', [[0.03], [-1]], [[0.01], [128]]],
    ['outputs of int8', [5, 20], [20, 6], 'int8', 'int8', [[0.02], [0]], [[0.02], [0]]],
  ])('of QLinearMatMul are whole sums, scaled and rounded: %s', async (what, left, right, first, second, a, b) => {
    const type = what === 'outputs of int8' ? 'int8' : 'uint8';
    const [m = 1, k = 1] = left.slice(-2);
    const n = right.at(-1) ?? 1;
    const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);
    const values = (count: number, salt: number, of: Bytes): number[] => levels(count, salt, of === 'uint8' ? 0 : -128);
    const x = values(sizeOf(left), 8, first);
    const w = values(sizeOf(right), 3, second);
    const [zero, scale] = [type === 'int8' ? 3 : 120, 0.09];
    const shape = [...left.slice(0, -1), n];
    const vector = (list: readonly number[]): number[] => (list.length === 1 ? [] : [list.length]);
    const bytes = encoded({
      nodes: [node('QLinearMatMul', ['x', 'sa', 'za', 'w', 'sb', 'zb', 'sy', 'zy'], 'y')],
      inputs: [value('x', left, first)],
      outputs: [value('y', shape, type)],
      weights: [
        ...[floats('sa', vector(a[0]), a[0]), bytesOf('za', first, vector(a[1]), a[1])],
        ...[floats('sb', vector(b[0]), b[0]), bytesOf('zb', second, vector(b[1]), b[1])],
        ...[bytesOf('w', second, right, w), floats('sy', [], [scale]), bytesOf('zy', type, [], [zero])],
      ],
    });
    const found = await (await loadOnnx(bytes)).forward(tensor(x, { shape: left, dtype: 'int32' })).data();
    const [low, high] = type === 'int8' ? [-128, 127] : [0, 255];
    const many = right.length === 2 ? 0 : k * n;
    const of = (list: readonly number[], at: number): number => list[list.length === 1 ? 0 : at]!;
    expect(found).toHaveLength(sizeOf(shape));
    let inside = 0;
    for (const [at, y] of found.entries()) {
      const [i, j] = [Math.floor(at / n), at % n];
      let sum = 0;
      for (let p = 0; p < k; p++) {
        const weight = w[Math.floor(i / m) * many + p * n + j]!;
        sum += (x[i * k + p]! - of(a[1], i % m)) * (weight - of(b[1], j));
      }
      const exact = (sum * of(a[0], i % m) * of(b[0], j)) / scale + zero;
      // halfway between two either may be right
      expect(Math.abs(y - Math.min(high, Math.max(low, exact))), `${at}`).toBeLessThan(0.5001);
      if (exact > low && exact < high) inside++;
    }
    expect(inside).toBeGreaterThan(found.length / 4);
  });
});

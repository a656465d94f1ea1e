/** Layers of whole numbers written as QDQ and read back: the same answers, int8 in the file, and what is refused. */
import { cpu } from '@nn/backend-cpu';
import { quantise } from '@nn/compress';
import { setDefaultBackend, setSeed, type Tensor, uniform } from '@nn/core';
import { Conv1d, Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential } from '@nn/layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeOnnx, loadOnnx } from './index.ts';

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

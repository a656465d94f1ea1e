/** Counts against fvcore's figure, closed forms, and what must always hold: rows are the whole, a gradient costs twice. */
import { cpu } from '@nn/backend-cpu';
import { castParameters, ones, setDefaultBackend, setSeed, type Tensor, uniform } from '@nn/core';
import {
  BatchNorm1d,
  Conv2d,
  crossEntropy,
  Embedding,
  Flatten,
  Linear,
  LSTM,
  MaxPool2d,
  MultiheadAttention,
  ReLU,
  Sequential,
} from '@nn/layers';
import { Adam, SGD } from '@nn/optim';
import { beforeAll, describe, expect, it } from 'vitest';
import { cost, quantise } from '../index.ts';

beforeAll(() => {
  setDefaultBackend(cpu());
  setSeed(1);
});

/** LeNet as PyTorch's tutorial has it, which fvcore counts in its tests: pictures of 32 x 32, kernels of 3 x 3. */
const leNet = (): Sequential =>
  new Sequential(
    new Conv2d(1, 6, 3),
    new ReLU(),
    new MaxPool2d(2),
    new Conv2d(6, 16, 3),
    new ReLU(),
    new MaxPool2d(2),
    new Flatten(),
    new Linear(576, 120),
    new ReLU(),
    new Linear(120, 84),
    new ReLU(),
    new Linear(84, 10),
  );

describe('cost of a model', () => {
  it("is fvcore's for LeNet, layer by layer", async () => {
    const counted = await cost(leNet(), [1, 1, 32, 32]);
    expect(counted.multiplyAdds).toBe(274_656);
    expect(counted.flops).toBe(2 * 274_656);
    const own = counted.rows.filter(({ multiplyAdds }) => multiplyAdds > 0);
    expect(own.map(({ path, multiplyAdds }) => [path, multiplyAdds])).toEqual([
      ['0', 48_600],
      ['3', 146_016],
      ['7', 69_120],
      ['9', 10_080],
      ['11', 840],
    ]);
    expect(counted.parameters).toBe(60 + 880 + 69_240 + 10_164 + 850);
    expect(counted.parameterBytes).toBe(4 * counted.parameters);
    expect(counted.integerMultiplyAdds).toBe(0);
  });

  it('is forward, and as much again for each operand that has a gradient', async () => {
    const [forward, trained] = [
      await cost(leNet(), [2, 1, 32, 32]),
      await cost(leNet(), [2, 1, 32, 32], { training: true }),
    ];
    expect(forward.multiplyAdds).toBe(2 * 274_656);
    // the picture itself has no gradient
    expect(trained.multiplyAdds).toBe(2 * (3 * 274_656 - 48_600));
    const path = (rows: typeof trained.rows, name: string) => rows.find((row) => row.path === name)?.multiplyAdds;
    expect(path(trained.rows, '3')).toBe(2 * 3 * 146_016);
    expect(path(trained.rows, '0')).toBe(2 * 2 * 48_600);
  });

  it('counts strided, grouped and dilated convolutions alike in both directions', async () => {
    const layers = [
      new Conv2d(4, 8, 3, { stride: 2, padding: 1 }),
      new Conv2d(4, 8, 3, { groups: 4 }),
      new Conv2d(4, 8, 3, { dilation: 2, padding: 'same' }),
    ];
    for (const layer of layers) {
      const model = new Sequential(new Conv2d(4, 4, 1), layer);
      const shape = layer.forward(ones([2, 4, 9, 9])).shape;
      const own = shape.reduce((product, size) => product * size, 1) * (layer.weight.size / 8);
      expect((await cost(model, [2, 4, 9, 9])).rows.find(({ path }) => path === '1')?.multiplyAdds).toBe(own);
      const trained = await cost(model, [2, 4, 9, 9], { training: true });
      expect(trained.rows.find(({ path }) => path === '1')?.multiplyAdds).toBe(3 * own);
    }
  });

  it('counts attention, recurrence in loops, and embeddings', async () => {
    const [length, width, heads] = [6, 8, 2];
    const attention = new MultiheadAttention(width, heads, { batchFirst: true });
    const call = (x: Tensor): Tensor => attention.forward(x, x, x);
    const products = 4 * length * width * width + 2 * length * length * width;
    expect((await cost(call, [1, length, width])).multiplyAdds).toBe(products);
    const lstm = new LSTM(3, 5, { batchFirst: true });
    const steps = 7;
    expect((await cost(lstm, [1, steps, 3])).multiplyAdds).toBe(steps * 4 * 5 * (3 + 5));
    const table = await cost(new Embedding(10, 4), [2, 3], { dtype: 'int32' });
    expect(table.multiplyAdds).toBe(0);
    expect(table.bytesMoved).toBeGreaterThan(0);
  });

  it('gives a model that is one layer its own work', async () => {
    const [turns, rows, inputs, states] = [5, 2, 3, 4];
    const counted = await cost(new LSTM(inputs, states), [turns, rows, inputs]);
    const [own] = counted.rows;
    expect(own).toMatchObject({ path: '', outputShape: [turns, rows, states], parameterBytes: counted.parameterBytes });
    expect(own?.multiplyAdds).toBe(turns * rows * 4 * states * (inputs + states));
    expect(own?.multiplyAdds).toBe(counted.multiplyAdds);
    // the gradients of both weights and of the states but the first, none of the input
    const trained = await cost(new LSTM(inputs, states), [turns, rows, inputs], { training: true });
    const ofTurn = rows * 4 * states;
    expect(trained.multiplyAdds).toBe(ofTurn * (turns * 2 * inputs + (3 * turns - 1) * states));
    // queries, keys and values, scores and what they weigh; the last projection is a layer of its own
    const attention = await cost(new MultiheadAttention(8, 2), [2, 5, 8]);
    expect(attention.rows.map(({ path, multiplyAdds }) => [path, multiplyAdds])).toEqual([
      ['', 10 * 24 * 8 + 2 * 5 * 4 * 8],
      ['out_proj', 10 * 8 * 8],
    ]);
  });

  it('counts fewer bytes of as many numbers where they are halves, bytes and parts of bytes', async () => {
    const make = (): Sequential => new Sequential(new Linear(64, 32), new ReLU(), new Linear(32, 10));
    const [weights, biases, products] = [2048 + 320, 42, 4 * (2048 + 320)];
    const plain = await cost(make(), [4, 64]);
    // each product is a kernel: x, weight and bias are read, the result is written
    const [x, h, y] = [4 * 64, 4 * 32, 4 * 10];
    expect(plain.bytesMoved).toBe(4 * (x + h + h + y + weights + biases));
    expect(plain).toMatchObject({ multiplyAdds: products, kernels: 2, parameters: weights + biases });

    const half = make();
    castParameters(half, 'bfloat16');
    // what waits to be rounded is no work of the model's
    const halved = await cost(half, [4, 64]);
    expect(halved.bytesMoved).toBe(4 * (x + h + h + y) + 2 * (weights + biases));
    expect(halved).toMatchObject({ multiplyAdds: products, kernels: 2, parameters: weights + biases });
    expect(halved.parameterBytes).toBe(2 * (weights + biases));
    expect(halved.rows.some(({ path }) => path === null)).toBe(false);

    const bytes = make();
    await quantise(bytes, { mode: 'static', calibration: [uniform([8, 64])] });
    const whole = await cost(bytes, [4, 64]);
    expect(whole).toMatchObject({
      multiplyAdds: products,
      integerMultiplyAdds: products,
      parameters: weights + biases,
    });
    expect(whole.trainableParameters).toBe(biases);
    // bias, scale and sum of the weights for each output; scale and zero point of what comes in
    expect(whole.parameterBytes).toBe(weights + 4 * 3 * biases + 2 * 8);

    const quarters = make();
    await quantise(quarters, { mode: 'weights', bits: 4 });
    const packed = await cost(quarters, [4, 64]);
    expect(packed).toMatchObject({ multiplyAdds: products, integerMultiplyAdds: 0, parameters: weights + biases });
    // a scale for each group of 32
    expect(packed.parameterBytes).toBe(weights / 2 + 4 * (weights / 32) + 4 * biases);
    const stored = (counted: typeof packed): number =>
      counted.rows.reduce((sum, { parameterBytes }) => sum + parameterBytes, 0);
    for (const counted of [plain, halved, whole, packed]) expect(stored(counted)).toBe(counted.parameterBytes);
    expect(String(packed)).toContain('stored');
  });

  it('counts other operations one by one, and bytes once a kernel', async () => {
    const x = [3, 4];
    const relu = await cost((a: Tensor) => a.relu(), x);
    expect(relu).toMatchObject({
      otherOperations: 12,
      bytesMoved: 2 * 48,
      kernels: 1,
      memoryBytes: 96,
      workingBytes: 48,
    });
    expect(await cost((a: Tensor) => a.mul(a).add(1).exp(), x)).toMatchObject({ otherOperations: 36, bytesMoved: 96 });
    expect(await cost((a: Tensor) => a.sum(), x)).toMatchObject({ otherOperations: 12, bytesMoved: 48 + 4 });
    // views, casts and indices are free
    expect(await cost((a: Tensor) => a.transpose().flip(0), x)).toMatchObject({ otherOperations: 0, bytesMoved: 96 });
    // a product that another step fuses with is one kernel
    const fused = await cost((a: Tensor) => a.matmul(a.transpose()).add(1).relu(), x);
    expect(fused).toMatchObject({ multiplyAdds: 36, otherOperations: 18, kernels: 1 });
  });

  it('plans less memory than all values take, and says what is beside parameters', async () => {
    const counted = await cost(leNet(), [8, 1, 32, 32]);
    const input = 4 * 8 * 32 * 32;
    expect(counted.memoryBytes - counted.workingBytes).toBe(counted.parameterBytes + input);
    const all = counted.rows.reduce(
      (sum, { outputShape }) => sum + 4 * (outputShape ?? []).reduce((p, n) => p * n, 1),
      0,
    );
    expect(counted.workingBytes).toBeLessThan(all);
  });

  it('is plain data and a table', async () => {
    const counted = await cost(new Sequential(new Linear(2, 3), new BatchNorm1d(3)), [4, 2]);
    expect(JSON.parse(JSON.stringify(counted))).toMatchObject({ multiplyAdds: 24, parameters: 15 });
    expect(String(counted)).toContain('0: Linear(2, 3)');
    expect(String(counted)).toMatch(/total +15 +88 B +24 +48/);
  });

  it('asks for what it needs', async () => {
    const two = { forward: (a: Tensor, b: Tensor) => a.add(b) };
    await expect(cost(two, [1, 2])).rejects.toThrow('cost: the model takes 2 inputs, shapes of 1 were given');
    expect((await cost(two, [[3], [3]])).otherOperations).toBe(3);
    await expect(cost(() => [], [3])).rejects.toThrow(
      'cost: the model gave no tensor: it must return one, or a record of them.',
    );
    // @ts-expect-error a model without a shape
    await expect(cost(two)).rejects.toThrow('cost: a model needs the shape of its input: cost(model, [1, 28, 28]).');
    await expect(cost(() => undefined)).rejects.toThrow('cost: the step ran no program');
  });
});

describe('cost of a step', () => {
  it('has the rows of the layers, and one for what is outside', async () => {
    const model = new Sequential(new Linear(4, 8), new ReLU(), new Linear(8, 3));
    const optimizer = new SGD(model, { learningRate: 0.1 });
    const x = uniform([16, 4]);
    await x.data();
    const labels = ones([16], { dtype: 'int32' });
    const counted = await cost(() => optimizer.step(crossEntropy(model.forward(x), labels)), { model });
    // forward, the gradients of both weights, and of the hidden layer
    expect(counted.multiplyAdds).toBe(16 * (2 * 32 + 3 * 24));
    expect(counted.rows.map(({ path }) => path)).toEqual(['', '0', '1', '2', null]);
    expect(counted.rows.reduce((sum, row) => sum + row.multiplyAdds, 0)).toBe(counted.multiplyAdds);
    expect(counted.rows.at(-1)?.otherOperations).toBeGreaterThan(67); // the update of 67 parameters
    expect(counted.programs).toBe(1);
  });

  it('counts each program as often as it runs', async () => {
    const model = new Linear(4, 4);
    const optimizer = new Adam(model, { learningRate: 0.1 });
    const x = ones([2, 4]);
    const step = (): Promise<void> => optimizer.step(model.forward(x).square().mean());
    const one = await cost(step);
    const three = await cost(async () => {
      for (let k = 0; k < 3; k++) await step();
    });
    expect(three.programs).toBe(3);
    expect(three.multiplyAdds).toBe(3 * one.multiplyAdds);
    expect(three.memoryBytes).toBe(one.memoryBytes);
  });
});

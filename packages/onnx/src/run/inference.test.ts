import { cpu } from '@nn/backend-cpu';
import { gradients, namedParameters, ones, setDefaultBackend, type Tensor, tensor } from '@nn/core';
import { SGD } from '@nn/optim';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { loadOnnx } from '../load/load-onnx.ts';
import { floats, longs, model, node, value } from '../testing/models.ts';
import * as graph from './interpreter.ts';

beforeAll(() => setDefaultBackend(cpu()));

const numbers = async (x: unknown): Promise<number[]> => [...(await (x as Tensor).data())];
const dense = (): Uint8Array =>
  model({
    nodes: [node('Gemm', ['x', 'w', 'b'], 'a', { transB: 1 }), node('Relu', ['a'], 'y')],
    weights: [floats('w', [2, 3], [1, 2, 3, 4, 5, 6]), floats('b', [2], [0.5, -0.5])],
    outputs: [value('y', ['n', 2])],
  });

describe('run', () => {
  it('gives what forward gives, for every size, and follows the weights', async () => {
    const net = await loadOnnx(dense());
    const optimizer = new SGD(net, { learningRate: 0.1 });
    for (let turn = 0; turn < 5; turn++) {
      for (const rows of [1, 3]) {
        const x = ones([rows, 3]).mul(turn);
        expect(await numbers((await net.run({ x })).y)).toEqual(await numbers(net.forward(x)));
      }
      await optimizer.step(net.forward(ones([1, 3])).sum());
    }
    expect(await numbers((await net.run({ x: [[1, 1, 1]] })).y)).toEqual(await numbers(net.forward(ones([1, 3]))));
  });

  it('walks the graph twice, and then no more', async () => {
    const net = await loadOnnx(dense());
    const asked = vi.spyOn(graph.Scope.prototype, 'find');
    const walks: number[] = [];
    for (let turn = 0; turn < 4; turn++) {
      await net.run({ x: ones([1, 3]) });
      walks.push(asked.mock.calls.length);
      asked.mockClear();
    }
    asked.mockRestore();
    expect(walks).toEqual([5, 5, 0, 0]);
  });

  it('keeps no graph, unless gradients are asked for', async () => {
    const net = await loadOnnx(dense());
    const bias = namedParameters(net).get('b')!;
    const x = ones([1, 3]);
    const { y } = await net.run({ x }, { gradients: true });
    expect(await numbers(gradients((y as Tensor).sum(), [bias])[0])).toEqual([1, 1]);
    const { y: answer } = await net.run({ x });
    expect(() => gradients((answer as Tensor).sum(), [bias])).toThrow('gradients: ');
  });

  it('takes other whole numbers without a program for each', async () => {
    const net = await loadOnnx(
      model({
        nodes: [node('Gather', ['table', 'x'], 'y')],
        weights: [floats('table', [4, 2], [0, 1, 10, 11, 20, 21, 30, 31])],
        inputs: [value('x', ['n'], 'int64')],
        outputs: [value('y', ['n', 2])],
      }),
    );
    const asked = vi.spyOn(graph.Scope.prototype, 'find');
    for (const [first, second] of [
      [0, 1],
      [2, 3],
      [3, 0],
      [1, 1],
    ] as const) {
      const { y } = await net.run({ x: [first, second] });
      expect(await numbers(y)).toEqual([10 * first, 10 * first + 1, 10 * second, 10 * second + 1]);
    }
    expect(asked.mock.calls.length).toBe(6);
    asked.mockRestore();
    expect(await numbers((await net.run({ x: BigInt64Array.of(2n, 1n) })).y)).toEqual([20, 21, 10, 11]);
  });

  it('waits in every call where shapes depend on values', async () => {
    const net = await loadOnnx(
      model({ nodes: [node('NonZero', ['x'], 'y')], outputs: [value('y', [2, 'k'], 'int64')] }),
    );
    for (const row of [
      [0, 5, 0],
      [1, 0, 2],
      [0, 0, 0],
      [7, 8, 9],
    ]) {
      const { y } = await net.run({ x: tensor([row]) });
      expect((y as Tensor).shape).toEqual([2, row.filter(Boolean).length]);
    }
  });

  it('keeps whole numbers past 32 bits', async () => {
    const net = await loadOnnx(
      model({
        nodes: [node('Sub', ['x', 'large'], 'y')],
        weights: [longs('large', [1], [2 ** 40])],
        inputs: [value('x', [1], 'int64')],
        outputs: [value('y', [1], 'int64')],
      }),
    );
    for (const more of [3, 4, 5]) {
      expect(await numbers((await net.run({ x: [2 ** 40 + more] })).y)).toEqual([more]);
    }
  });

  it('names inputs that do not fit', async () => {
    const net = await loadOnnx(dense());
    await expect(net.run({ z: ones([1, 3]) })).rejects.toThrow("there is no input 'z': the model takes x.");
    await expect(net.run({})).rejects.toThrow("the input 'x' is missing: float32 [n, 3].");
    await expect(net.run({ x: ones([1, 4]) })).rejects.toThrow('axis 1 has 4 elements');
    expect(await numbers((await net.run({ x: ones([1, 3]) })).y)).toEqual([6.5, 14.5]);
  });
});

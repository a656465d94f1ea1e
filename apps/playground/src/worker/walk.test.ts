import { tensor } from '@nn/core';
import { describe, expect, it } from 'vitest';
import { conv, defaults, dense, type Spec, withTask } from '../model/spec.ts';
import { kernelOf, productsAt } from '../views/kernels.ts';
import { look } from './look.ts';
import { mistakes } from './mistakes.ts';
import type { WalkLayer } from './protocol.ts';
import { Session } from './session.ts';
import { recognise, updateOf, walk } from './walk.ts';

const dot = (layer: WalkLayer, unit: number): number => {
  const row = layer.inputs.length;
  return layer.inputs.reduce((sum, x, i) => sum + x * (layer.weights[unit * row + i] as number), 0);
};

describe('the walk-through', () => {
  const spec: Spec = { ...defaults, layers: [dense(3), dense(2, 'sigmoid')] };

  it('adds up on the way forward: z = w x + b, a = f(z)', async () => {
    const session = await Session.make(spec, {});
    for (let i = 0; i < 5; i++) await session.trainStep();
    const { layers, output, inputs } = await walk(session, 7);
    expect(layers.map(({ kind }) => kind)).toEqual(['dense', 'dense', 'output']);
    expect(layers[0]?.inputs).toEqual(inputs);
    for (const [k, layer] of layers.entries()) {
      layer.sums.forEach((z, unit) => {
        expect(z).toBeCloseTo(dot(layer, unit) + (layer.biases[unit] as number), 5);
        const a = k === 0 ? Math.tanh(z) : k === 1 ? 1 / (1 + Math.exp(-z)) : z;
        expect(layer.outputs[unit]).toBeCloseTo(a, 5);
      });
      const next = layers[k + 1];
      if (next !== undefined) expect(next.inputs).toEqual(layer.outputs);
    }
    expect(output).toEqual(layers[2]?.sums);
  });

  it('follows the chain rule on the way back, and ends at the slope of the loss', async () => {
    const session = await Session.make(spec, {});
    const { layers, target, loss, output } = await walk(session, 3);
    // the loss of one logit z with truth t: log(1 + e^z) - t z, with the slope sigmoid(z) - t
    const z = output[0] as number;
    expect(loss).toBeCloseTo(Math.log1p(Math.exp(z)) - target * z, 5);
    expect(layers[2]?.sumGradients[0]).toBeCloseTo(1 / (1 + Math.exp(-z)) - target, 5);
    for (const [k, layer] of layers.entries()) {
      const next = layers[k + 1];
      layer.sumGradients.forEach((slope, unit) => {
        if (next !== undefined) {
          const width = next.inputs.length;
          const behind = next.sumGradients.reduce(
            (sum, gradient, j) => sum + gradient * (next.weights[j * width + unit] as number),
            0,
          );
          expect(layer.outputGradients[unit]).toBeCloseTo(behind, 6);
          const a = layer.outputs[unit] as number;
          expect(slope).toBeCloseTo(behind * (k === 0 ? 1 - a * a : a * (1 - a)), 6);
        }
        expect(layer.biasGradients[unit]).toBeCloseTo(slope, 6);
        layer.inputs.forEach((x, i) => {
          expect(layer.weightGradients[unit * layer.inputs.length + i]).toBeCloseTo(slope * x, 6);
        });
      });
    }
  });

  it('is right for convolutions: a weight that is moved moves the loss by its gradient', async () => {
    const small: Spec = { ...withTask(defaults, 'digits'), samples: 60, layers: [conv(2, 3), dense(4, 'tanh')] };
    const session = await Session.make(small, {});
    const before = await walk(session, 1);
    const { weight } = session.network.weighted[0]!;
    const values = Float32Array.from(before.layers[0]!.weights);
    const step = 0.01;
    const lossAt = async (change: number): Promise<number> => {
      const moved = values.slice();
      moved[4] = (moved[4] as number) + change;
      weight.assign(tensor(moved, { shape: weight.shape }));
      return (await walk(session, 1)).loss;
    };
    const slope = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step);
    expect(before.layers[0]?.weightGradients[4]).toBeCloseTo(slope, 2);
    expect(before.layers[0]?.outputShape).toEqual([2, 14, 14]);
  });

  it('shows each kernel of a second convolution as it is, whole and in its own place', async () => {
    const small: Spec = { ...withTask(defaults, 'digits'), samples: 60, layers: [conv(3, 3), conv(2, 5)] };
    const { layers } = await walk(await Session.make(small, {}), 0);
    const layer = layers[1] as WalkLayer;
    expect(layer.weightShape).toEqual([2, 3, 5, 5]);
    const all = [0, 1].flatMap((filter) => [0, 1, 2].map((channel) => kernelOf(layer, filter, channel)));
    expect(all.map(({ width, height, values }) => [width, height, values.length])).toEqual(all.map(() => [5, 5, 25]));
    expect(all.flatMap(({ values }) => [...values])).toEqual([...layer.weightGradients]);
  });

  it('adds up what lies below a kernel that slides: z = sum of w x over all maps + b', async () => {
    const small: Spec = { ...withTask(defaults, 'digits'), samples: 60, layers: [conv(3, 3), conv(2, 5)] };
    for (const pad of [true, false]) {
      const session = await Session.make({ ...small, layers: small.layers.map((layer) => ({ ...layer, pad })) }, {});
      const { layers } = await walk(session, 0);
      for (const layer of layers.slice(0, 2)) {
        const [filters = 0, rows = 0, columns = 0] = layer.sumShape;
        const [channels = 0] = layer.inputShape;
        for (const [filter, row, column] of [
          [0, 0, 0],
          [filters - 1, rows - 1, 1],
          [1, rows >> 1, columns - 1],
        ] as const) {
          let sum = layer.biases[filter] as number;
          for (let channel = 0; channel < channels; channel++) {
            sum += productsAt(layer, filter, channel, row, column).sum;
          }
          expect(layer.sums[(filter * rows + row) * columns + column]).toBeCloseTo(sum, 5);
        }
      }
    }
  });

  it('ends with the step of the optimizer on this sample alone, and moves nothing', async () => {
    const plain: Spec = { ...spec, optimizer: 'sgd', learningRate: 0.5 };
    const session = await Session.make(plain, {});
    for (let i = 0; i < 5; i++) await session.trainStep();
    const [before, after] = [await walk(session, 4), await updateOf(session, 4)];
    for (const [k, layer] of before.layers.entries()) {
      layer.weights.forEach((weight, i) => {
        const moved = weight - 0.5 * (layer.weightGradients[i] as number);
        expect(after.layers[k]?.weights[i]).toBeCloseTo(moved, 6);
      });
      layer.biases.forEach((bias, i) => {
        expect(after.layers[k]?.biases[i]).toBeCloseTo(bias - 0.5 * (layer.biasGradients[i] as number), 6);
      });
    }
    expect(after.loss).toBeLessThan(before.loss);
    expect((await walk(session, 4)).layers).toEqual(before.layers);
    expect(session.step).toBe(5);
  });

  it('takes that step with what the optimizer remembers: with one sample a batch it is the next step', async () => {
    const lonely: Spec = { ...defaults, samples: 20, batchSize: 1, layers: [dense(3)], optimizer: 'adam' };
    const session = await Session.make(lonely, {});
    for (let i = 0; i < 6; i++) await session.trainStep();
    const { size } = session.problem.train;
    const updates = await Promise.all(Array.from({ length: size }, (_, i) => updateOf(session, i)));
    await session.trainStep();
    const { blocks } = await look(session, false);
    const same = updates.filter(({ layers }) =>
      layers.every(({ weights }, k) =>
        weights.every((weight, i) => Math.abs(weight - (blocks[k]?.weights[i] as number)) < 1e-6),
      ),
    );
    expect(same).toHaveLength(1);
  });

  it('finds the mistakes, the surest first: as many as the accuracies say', async () => {
    for (const task of ['moons', 'digits'] as const) {
      const session = await Session.make({ ...withTask(defaults, task), samples: 60, layers: [dense(3)] }, {});
      const { trainAccuracy, testAccuracy } = await look(session, false);
      const { train, test } = session.problem;
      const wrong = (1 - (trainAccuracy ?? 0)) * train.size + (1 - (testAccuracy ?? 0)) * test.size;
      const found = await mistakes(session);
      expect(found).toHaveLength(Math.round(wrong));
      expect(new Set(found).size).toBe(found.length);
    }
  });

  it('counts through the training samples and then the test samples', async () => {
    const session = await Session.make(spec, {});
    const { train, test } = session.problem;
    const last = await walk(session, train.size + test.size - 1);
    expect([...last.inputs]).toEqual([...test.fields.inputs.data.slice(-2)]);
    expect(last.target).toBe(test.fields.targets.data.at(-1));
  });
});

it('what an image is recognised as is a share for each class', async () => {
  const session = await Session.make({ ...withTask(defaults, 'digits'), samples: 60, layers: [dense(8)] }, {});
  const { shares, best } = await recognise(session, new Float32Array(784).fill(0.5));
  expect(shares.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
  expect(shares[best]).toBe(Math.max(...shares));
});

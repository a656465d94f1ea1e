/**
 * The architectures against torchvision's with the same weights: names and shapes, logits in evaluation, and what one step of training changes.
 * Weights are not stored; both sides compute them from the name and the number of the element.
 */
import { cpu } from '@nn/backend-cpu';
import { namedParameters, setDefaultBackend, setTraining, type Tensor, tensor } from '@nn/core';
import { crossEntropy, type Layer } from '@nn/layers';
import { SGD } from '@nn/optim';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import fixtures from '../../fixtures/architectures.json';
import * as vision from '../index.ts';
import { fillWeights, noise, signature } from '../testing.ts';

beforeAll(() => setDefaultBackend(cpu()));
afterEach(() => setTraining(true));

function make(name: string, options: object): Layer {
  const found: unknown = Reflect.get(vision, name);
  if (typeof found !== 'function') throw new Error(`there is no ${name}`);
  const made: unknown = /^[A-Z]/.test(name)
    ? Reflect.construct(found, [options])
    : Reflect.apply(found, null, [options]);
  // the cast: every architecture is a layer
  return made as Layer;
}

/** How far values are from the expected ones, as a share of the largest of these. */
function apart(values: ArrayLike<number>, expected: readonly number[]): number {
  expect(values.length).toBe(expected.length);
  const scale = Math.max(...expected.map(Math.abs));
  return Math.max(...expected.map((value, i) => Math.abs(value - values[i]!))) / scale;
}

describe('equals torchvision', () => {
  it.each(fixtures.cases)(
    '$name',
    async ({ name, options, size, batch, signature: names, logits, training, loss, rate, steps, states }) => {
      const model = make(name, options);
      expect(signature(model)).toBe(names);
      fillWeights(model);
      const x = tensor(
        noise('input', batch * 3 * size * size).map((value) => 2 * value),
        { shape: [batch, 3, size, size], dtype: 'float32' },
      );
      setTraining(false);
      expect(apart(await model.forward(x).data(), logits)).toBeLessThan(2e-4);
      setTraining(true);
      const targets = tensor(Int32Array.from({ length: batch }, (_, i) => i % 7));
      const named = namedParameters(model);
      const before = new Map<string, Float32Array>();
      for (const key of Object.keys(steps)) before.set(key, await named.get(key)!.data('float32'));
      const out: Tensor = model.forward(x);
      const optimizer = new SGD(model, { learningRate: rate });
      const cost = crossEntropy(out, targets);
      await optimizer.step(cost, out);
      const value = await cost.item();
      expect(apart(await out.data(), training)).toBeLessThan(2e-3);
      expect(Math.abs(value - loss) / loss).toBeLessThan(2e-3);
      for (const [key, expected] of Object.entries(steps as unknown as Record<string, [number, number]>)) {
        const after = await named.get(key)!.data('float32');
        const moved = Array.from(after, (each, i) => each - before.get(key)![i]!);
        const length = Math.sqrt(moved.reduce((sum, each) => sum + each * each, 0));
        const weighed = moved.reduce((sum, each, i) => sum + (each * (((7 * i) % 11) - 5)) / 8, 0);
        // A weight that moves by less than its own last digits does not show: steps are compared where they are long enough.
        const digits = 6e-8 * Math.sqrt(moved.length);
        expect(Math.abs(length - expected[0]), key).toBeLessThan(0.01 * expected[0] + 3 * digits);
        expect(Math.abs(weighed - expected[1]), key).toBeLessThan(0.02 * expected[0] + 3 * digits);
      }
      for (const [key, sum] of Object.entries(states as unknown as Record<string, number>)) {
        const mean = (await named.get(key)!.data('float32')).reduce((total, each) => total + each, 0);
        expect(Math.abs(mean - sum), key).toBeLessThan(1e-3 * (1 + Math.abs(sum)));
      }
    },
    120_000,
  );

  it.each(fixtures.names)('$name has its names and shapes', ({ name, options, signature: names }) => {
    expect(signature(make(name, options))).toBe(names);
  });
});

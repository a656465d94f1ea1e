/** Every kind of layer against formulas in NumPy and functions of PyTorch (scripts/golden/keras_layers.py), from weights in Keras' shapes. */
import { reference } from '@nn/conformance';
import { evaluate, setDefaultBackend, tensor } from '@nn/core';
import { describe, expect, test } from 'vitest';
import golden from '../fixtures/layers.json' with { type: 'json' };
import type { Json } from './config/json.ts';
import { loadKeras } from './index.ts';
import { type Packed, tfjsFiles } from './testing.ts';

setDefaultBackend(reference());

const load = ({ shape, data }: Packed) => tensor(Float32Array.from(data), { shape });

describe('layers compute what Keras computes', () => {
  for (const { name, model, weights, inputs, outputs } of golden) {
    test(name, async () => {
      // the cast: fixtures are JSON
      const loaded = await loadKeras(tfjsFiles(model as Json, weights));
      const found = evaluate(() => loaded.forwardAll(...inputs.map(load)));
      expect(found.map(({ shape }) => [...shape])).toEqual(outputs.map(({ shape }) => shape));
      for (const [k, output] of outputs.entries()) {
        const values = await found[k]!.data();
        const error = output.data.reduce((most, right, at) => Math.max(most, Math.abs(right - values[at]!)), 0);
        expect(error).toBeLessThan(5e-6);
      }
    });
  }
});

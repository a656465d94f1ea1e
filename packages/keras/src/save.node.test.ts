/** What is written is read again: the same outputs, and the layout that Keras itself gave these models. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reference } from '@nn/conformance';
import { evaluate, setDefaultBackend } from '@nn/core';
import { openBytes } from '@nn/serialize/formats';
import { describe, expect, test } from 'vitest';
import written from '../fixtures/written.json' with { type: 'json' };
import { fieldOf, isList, isObject, type Json } from './config/json.ts';
import { openArchive } from './formats/archive.ts';
import { openHdf } from './formats/hdf5.ts';
import { encodeKeras, type KerasModel, loadKeras } from './index.ts';
import { archiveOf, type GoldenModel, inputTensor } from './testing.ts';

setDefaultBackend(reference());

// the cast: fixtures are JSON
const cases = written.cases as readonly GoldenModel[];

/** A folder for the files of all cases, to have them read by Keras (scripts/check-keras.py). */
const folder = process.env.NN_KERAS_FILES;
if (folder) mkdirSync(folder, { recursive: true });

async function expectOutputs(model: KerasModel, { inputs, outputs }: GoldenModel): Promise<void> {
  const given = inputs.map((input, k) => inputTensor(input, model.inputs[k]?.dtype));
  const found = evaluate(() => model.forwardAll(...given));
  expect(found.map(({ shape }) => [...shape])).toEqual(outputs.map(({ shape }) => shape));
  for (const [k, output] of outputs.entries()) {
    const values = await found[k]!.data();
    const error = output.data.reduce((most, right, at) => Math.max(most, Math.abs(right - values[at]!)), 0);
    expect(error).toBeLessThan(1e-5);
  }
}

/** A description without what a reader builds by itself: shapes that layers were built for, flags of inputs. */
function bare(json: Json): Json {
  if (isList(json)) return json.map(bare);
  if (!isObject(json)) return json;
  const left = ['build_config', 'ragged', 'optional', 'build_input_shape', 'compile_config'];
  const isModel = isList(fieldOf(json, 'layers'));
  const kept = Object.entries(json).filter(([key]) => !left.includes(key) && !(isModel && key === 'dtype'));
  return Object.fromEntries(kept.map(([key, value]) => [key, bare(value)]));
}

/** Numbers as float32, without the sign of 0. */
const plain = (values: Iterable<number> = []): number[] => [...Float32Array.from(values)].map((value) => value + 0);

const isSeed = (path: string): boolean => path.includes('seed_generator');

/** The arrays of a `.h5` that belong to layers, in the order in which they are listed. */
async function expectLegacyOrder(bytes: Uint8Array, { legacy, weights }: GoldenModel): Promise<void> {
  const groups = Object.entries(legacy?.groups ?? {});
  const file = await openHdf(bytes);
  const layers = file.texts('model_weights', 'layer_names') ?? [];
  expect([...layers].sort()).toEqual(groups.map(([layer]) => layer).sort());
  const paths = [...(legacy?.paths ?? [])];
  for (const [layer, names] of groups) {
    const own = file.texts(`model_weights/${layer}`, 'weight_names') ?? [];
    expect(own).toHaveLength(names.length);
    for (const name of own) {
      const path = paths.shift();
      const data = weights.find((array) => array.path === path)?.data ?? [];
      expect(plain(file.arrays.get(`model_weights/${layer}/${name}`)?.read())).toEqual(plain(data));
    }
  }
  file.close();
}

/** The description, the paths and the values of a `.keras`, against those that Keras wrote. */
async function expectKerasLayout(bytes: Uint8Array, golden: GoldenModel): Promise<void> {
  const archive = await openArchive(await openBytes('loadKeras', bytes));
  expect(bare(archive.description)).toEqual(bare(golden.description));
  const weights = await openHdf(archive.weights);
  const paths = [...weights.arrays.keys()].filter((path) => !isSeed(path)).sort();
  expect(paths).toEqual(golden.weights.map(({ path }) => path).sort());
  for (const { path, data } of golden.weights) expect(plain(weights.arrays.get(path)?.read())).toEqual(plain(data));
  weights.close();
}

describe('written as Keras writes it, and read again', () => {
  for (const [at, golden] of cases.entries()) {
    test(golden.name, async () => {
      const model = await loadKeras(await archiveOf(golden));
      const archive = await encodeKeras(model);
      const legacy = await encodeKeras(model, { format: 'h5' });
      if (folder) {
        writeFileSync(join(folder, `${at}.keras`), archive);
        writeFileSync(join(folder, `${at}.h5`), legacy);
      }
      await expectKerasLayout(archive, golden);
      if (golden.legacy) await expectLegacyOrder(legacy, golden);
      await expectOutputs(await loadKeras(archive), golden);
      await expectOutputs(await loadKeras(legacy), golden);
    });
  }
});

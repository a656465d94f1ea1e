/** Files that Keras and TensorFlow.js wrote, of other projects (../shared/fixtures): the same model in two formats computes the same. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { reference } from '@nn/conformance';
import { evaluate, setDefaultBackend, tensor } from '@nn/core';
import { loadOnnx } from '@nn/onnx';
import { describe, expect, test } from 'vitest';
import type { Json } from './config/json.ts';
import {
  inspectKeras,
  type KerasModel,
  type KerasSource,
  type LoadKerasOptions,
  loadKeras,
  loadKerasTensors,
} from './index.ts';

setDefaultBackend(reference());

const folder = join(import.meta.dirname, '../../../../shared/fixtures');
const isHere = existsSync(folder);
if (!isHere) console.warn(`skipped: ${folder} is not here; the layers' own tests stand in layers.test.ts`);

const tensorspace = join(folder, 'keras-h5/tensorspace');
const examples = join(folder, 'keras-h5/example-models/keras');

/** A made-up input for every input of a model. */
async function outputOf(model: KerasModel): Promise<number[]> {
  const inputs = model.inputs.map(({ shape }) => {
    const sizes = [1, ...shape.slice(1).map((size) => size ?? 8)];
    const count = sizes.reduce((product, size) => product * size, 1);
    return tensor(
      Float32Array.from({ length: count }, (_, k) => Math.sin(k) / 2 + 0.3),
      { shape: sizes },
    );
  });
  return [
    ...(await evaluate(() => model.forwardAll(...inputs))
      .at(-1)!
      .data()),
  ];
}

async function load(source: KerasSource, options: LoadKerasOptions = {}): Promise<number[]> {
  return outputOf(await loadKeras(source, options));
}

describe.skipIf(!isHere)('files of others', () => {
  test('a model of TensorFlow.js computes what the .h5 that it was made of computes', async () => {
    const converted = await load(join(folder, 'tfjs/tensorspace/docs/tensorflow/convertedModel/layerModel/model.json'));
    const raw = await load(join(tensorspace, 'docs/tensorflow/rawModel/keras/tf_keras_model.h5'));
    expect(converted).toEqual(raw);
    expect(raw.reduce((sum, share) => sum + share)).toBeCloseTo(1, 5);
  });

  test('a model of Keras computes what its conversion to ONNX computes', async () => {
    const conv = (name: string, filters: number, more: Record<string, Json> = {}): Json => ({
      class_name: 'Conv1D',
      config: { name, filters, kernel_size: [4], padding: 'same', activation: 'relu', ...more },
    });
    const dense = (name: string, activation: string): Json => ({
      class_name: 'Dense',
      config: { name, units: 5, activation },
    });
    // KERAS_conv1d.json with the sizes of its small sister
    const layers = [
      conv('conv1_relu', 3, { batch_input_shape: [null, 10, 4] }),
      ...[conv('conv2_relu', 2), conv('conv3_relu', 1), { class_name: 'Flatten', config: { name: 'flatten_1' } }],
      ...[dense('fc1_relu', 'relu'), dense('output_softmax', 'softmax')],
    ];
    const description = { class_name: 'Sequential', keras_version: '2.0.0', config: { name: 'small', layers } };
    const model = await loadKeras(new TextEncoder().encode(JSON.stringify(description)), {
      weights: join(examples, 'KERAS_conv1d_small_weights.h5'),
    });
    const converted = await loadOnnx(join(folder, 'onnx/example-models/onnx/conv1d_small_keras.onnx'));
    const x = tensor(
      Float32Array.from({ length: 40 }, (_, k) => Math.sin(k) / 2 + 0.3),
      { shape: [1, 10, 4] },
    );
    const [ours, theirs] = evaluate(() => [model.forward(x), converted.forward(x)]);
    const right = [...(await theirs!.data())];
    expect(right.reduce((sum, share) => sum + share)).toBeCloseTo(1, 5);
    for (const [k, value] of [...(await ours!.data())].entries()) expect(value).toBeCloseTo(right[k]!, 5);
  });

  test('a description and its weights are a model', async () => {
    const raw = join(tensorspace, 'docs/keras/rawModel/separated');
    const shares = await load(join(raw, 'topology.json'), { weights: join(raw, 'weights.h5') });
    expect(shares).toHaveLength(10);
    expect(shares.reduce((sum, share) => sum + share)).toBeCloseTo(1, 5);
  });

  test.each([
    ['KERAS_conv2d_model.json', 'KERAS_conv2d_model_weights.h5'],
    ['KERAS_conv1d.json', 'KERAS_conv1d_weights.h5'],
    ['KERAS_3layer.json', 'KERAS_3layer_70pruned_retrained_weights.h5'],
    ['jetTagger_Conv2D_Small_NoBatchNorm.json', 'jetTagger_Conv2D_Small_NoBatchNorm_weights.h5'],
  ])('%s with its weights gives shares of classes', async (description, weights) => {
    const shares = await load(join(examples, description), { weights: join(examples, weights) });
    expect(shares.every((share) => share >= 0 && share <= 1)).toBe(true);
    expect(shares.reduce((sum, share) => sum + share)).toBeCloseTo(1, 4);
  });

  test('weights of another size are refused with both lists', async () => {
    const files = { weights: join(examples, 'KERAS_conv1d_small_weights.h5') };
    await expect(loadKeras(join(examples, 'KERAS_conv1d.json'), files)).rejects.toThrow(
      /the weights do not fit the model, and nothing was changed: 10 variables in the model, 10 arrays in the file\.\n {2}in the model +in the file\n/,
    );
  });

  test('layers of classes that are not known are listed, and layers of users take their place', async () => {
    const path = join(examples, 'hgq_jet_classifier.h5');
    await expect(loadKeras(path)).rejects.toThrow(
      "8 layers are of classes that are not read: 'inp_q_quantizer' (FixedPointQuantizer), ",
    );
    const report = await inspectKeras(path);
    expect(report.layers.filter(({ isRead }) => !isRead)).toHaveLength(8);
    expect(report.version).toBe('2.13.1');
  });

  test('tensors of a model whose graph stands in Python are read by path', async () => {
    const path = join(folder, 'keras-v3/keras/keras/src/saving/test_data/pre_pr22362_nested_container.keras');
    const tensors = await loadKerasTensors(path);
    expect([...tensors].map(([name, { shape }]) => [name, shape])).toEqual([
      ['layers/dense/vars/0', [4, 4]],
      ['layers/dense_1/vars/0', [4, 4]],
      ['layers/dense_2/vars/0', [4, 4]],
      ['layers/dense_3/vars/0', [4, 2]],
      ['layers/dense_3/vars/1', [2]],
    ]);
    await expect(loadKeras(path)).rejects.toThrow(
      "the model is of the class 'legacy_nested_container>NestedDenseModel'",
    );
  });

  test('general HDF5 files are no models, and say so', async () => {
    for (const name of ['compressed.hdf5', 'earliest.hdf5', 'latest.hdf5', 'new_style_groups.hdf5']) {
      await expect(loadKeras(join(folder, 'hdf5/pyfive/tests', name))).rejects.toThrow(
        'the file holds weights without a model',
      );
      expect((await loadKerasTensors(join(folder, 'hdf5/pyfive/tests', 'dataset_multidim.hdf5'))).size).toBeGreaterThan(
        0,
      );
    }
  });

  test('files that are something else are named', async () => {
    const graph = join(folder, 'tfjs/tfjs/e2e/integration_tests/load_predict_data/graph_model/model.json');
    await expect(loadKeras(graph)).rejects.toThrow('this is a graph model of TensorFlow.js');
    const saved = join(folder, 'savedmodel/tfjs/tfjs-node/test_objects/saved_model/times_three_float/saved_model.pb');
    await expect(loadKeras(saved)).rejects.toThrow('this is a SavedModel of TensorFlow');
    const mangled = join(folder, 'keras-h5/corrupt/utf8-mangled-mnist_model.h5');
    await expect(loadKeras(mangled)).rejects.toThrow('the file went through a conversion of text');
    const cut = readFileSync(join(tensorspace, 'docs/keras/rawModel/separated/weights.h5')).subarray(0, 5000);
    await expect(loadKeras(cut)).rejects.toThrow('the HDF5 file is damaged: truncated file');
  });
});

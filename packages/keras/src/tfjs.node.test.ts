/** TensorFlow.js 4.22 loads what is written for it, and computes the same; what it would compute otherwise is refused. */
import { reference } from '@nn/conformance';
import { isNNError, setDefaultBackend } from '@nn/core';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import written from '../fixtures/written.json' with { type: 'json' };
import { encodeTfjs, loadKeras } from './index.ts';
import { archiveOf, type GoldenModel } from './testing.ts';

setDefaultBackend(reference());

// the cast: fixtures are JSON
const cases = written.cases as readonly GoldenModel[];

/** What TensorFlow.js computes of a model in these files. */
async function outputsOf(files: ReadonlyMap<string, Uint8Array>, golden: GoldenModel, dtypes: readonly string[]) {
  const json = JSON.parse(new TextDecoder().decode(files.get('model.json')));
  const loaded = await loadLayersModel({
    load: async () => ({
      modelTopology: json.modelTopology,
      weightSpecs: json.weightsManifest[0].weights,
      weightData: files.get('model.weights.bin')!.slice().buffer,
    }),
  });
  const inputs = golden.inputs.map(({ shape, data }, k) =>
    tf.tensor([...data], [...shape], /int/.test(dtypes[k] ?? '') ? 'int32' : 'float32'),
  );
  const found = loaded.predict(inputs.length > 1 ? inputs : inputs[0]!);
  const outputs = Array.isArray(found) ? found : [found];
  const values = outputs.map((output) => ({ shape: output.shape, data: [...output.dataSync()] }));
  loaded.dispose();
  return values;
}

/** Models that TensorFlow.js does not have the layers for, or would compute otherwise. */
const missing = [
  'Activation celu',
  'Activation exponential',
  'Activation glu',
  'Activation hard_shrink',
  'Activation hard_sigmoid',
  'Activation hard_silu',
  'Activation hard_tanh',
  'Activation leaky_relu',
  'Activation log_sigmoid',
  'Activation soft_shrink',
  'Activation sparse_plus',
  'Activation sparse_sigmoid',
  'Activation sparsemax',
  'Activation squareplus',
  'Activation tanh_shrink',
  'ActivityRegularization',
  'AdaptiveAveragePooling1D',
  'AdaptiveAveragePooling2D',
  'AdaptiveAveragePooling3D',
  'AdaptiveMaxPooling1D',
  'AdaptiveMaxPooling2D',
  'AdaptiveMaxPooling3D',
  'AdditiveAttention',
  'Attention',
  'Bidirectional of two layers',
  'CategoryEncoding',
  'CenterCrop',
  'Conv1D',
  'Conv1DTranspose',
  'Conv2D in groups',
  'ConvLSTM1D',
  'ConvLSTM3D',
  'Cropping1D',
  'Cropping3D',
  'DepthwiseConv1D',
  'Discretization',
  'ELU',
  'EinsumDense',
  'GRU',
  'GlobalAveragePooling2D',
  'GlobalAveragePooling3D',
  'GlobalMaxPooling2D',
  'GlobalMaxPooling3D',
  'GroupNormalization',
  'GroupQueryAttention',
  'Identity',
  'LSTM with states',
  'MultiHeadAttention',
  'MultiHeadAttention of itself, causal',
  'MultiHeadAttention with scores',
  'Normalization',
  'Normalization that was adapted',
  'RMSNormalization',
  'RNN of a cell',
  'RNN of three cells',
  'RandomBrightness',
  'RandomContrast',
  'RandomFlip',
  'RandomRotation',
  'RandomTranslation',
  'RandomZoom',
  'ReLU',
  'Resizing',
  'SeparableConv1D',
  'Softmax',
  'SpatialDropout2D',
  'SpatialDropout3D',
  'Subtract',
  'UnitNormalization',
  'UpSampling1D',
  'UpSampling2D',
  'UpSampling3D',
  'ZeroPadding1D',
  'ZeroPadding3D',
  'a mask of values',
  'ends of sums',
  'operations',
  'operations of arrays',
  'operations of numbers first',
  'operations of several',
  'operations on shapes',
  'parts of steps',
  'words',
];

/** Why models are not written for TensorFlow.js, by the words of the error. */
const refused: Record<string, string> = {};

describe('TensorFlow.js loads what is written', () => {
  beforeAll(async () => {
    // it praises its other packages otherwise
    tf.env().set('IS_TEST', true);
    await tf.setBackend('cpu');
  });
  for (const golden of cases) {
    test(golden.name, async () => {
      const model = await loadKeras(await archiveOf(golden));
      const files = await encodeTfjs(model).catch((error: unknown) => {
        if (!isNNError(error)) throw error;
        refused[golden.name] = error.message.replace(/^.*cannot be written: /, '');
        return null;
      });
      if (!files) return;
      const found = await outputsOf(
        files,
        golden,
        model.inputs.map(({ dtype }) => dtype),
      );
      expect(found.map(({ shape }) => shape)).toEqual(golden.outputs.map(({ shape }) => shape));
      for (const [k, output] of golden.outputs.entries()) {
        const error = output.data.reduce((most, right, at) => Math.max(most, Math.abs(right - found[k]!.data[at]!)), 0);
        expect(error).toBeLessThan(1e-5);
      }
    });
  }
  test('what it does not have, or computes otherwise, is refused', () => {
    expect(Object.keys(refused).sort()).toEqual(missing);
    expect(refused.GRU).toBe(
      'TensorFlow.js would compute otherwise: its GRU resets before the product (reset_after=False).',
    );
  });
});

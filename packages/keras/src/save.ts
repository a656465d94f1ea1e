/**
 * Writes Keras models: `.keras` and `.h5` through h5wasm, weights alone, and LayersModels of TensorFlow.js. What a reader would
 * understand otherwise than the model computes is refused.
 */
import { type AbortSignalLike, checkOptions, excerpt, ValueError } from '@nn/core';
import { writeFileAtomic } from '@nn/serialize';
import { encodeZip } from '@nn/serialize/formats';
import { type Dialect, describeModel, type SeenResult } from './config/dialects.ts';
import type { JsonObject } from './config/json.ts';
import { withoutMasks } from './config/tfjs-rules.ts';
import { encodeHdf } from './formats/hdf5-write.ts';
import type { Graph } from './graph.ts';
import { canonicalName } from './layers/table.ts';
import type { KerasModel } from './model.ts';
import { shapeOf } from './value.ts';
import { isFrozen, weightsByLayer, weightsByName, weightsByPath } from './weights/write.ts';

/** `.keras` of Keras 3, `.h5` of model and weights, `.weights.h5` of weights alone as Keras 3 has them. */
export type KerasFileFormat = 'keras' | 'h5' | 'weights';

export interface EncodeKerasOptions {
  /** Default 'keras'. */
  readonly format?: KerasFileFormat;
  readonly signal?: AbortSignalLike;
}

/** The description of a model in a dialect. */
function describe(model: KerasModel, dialect: Dialect): JsonObject {
  const results = new Map<string, SeenResult[]>();
  model.observe((path, values) => {
    const before = results.get(path);
    const now = values.map((value, k): SeenResult => {
      // the batch, and what differed between runs, may be of any size
      const shape = shapeOf(value).map((size, axis) => {
        const isSame = before === undefined || before[k]?.shape[axis] === size;
        return axis === 0 || !isSame ? null : size;
      });
      return { shape, dtype: value.tensor.dtype, isMasked: value.mask !== null };
    });
    results.set(path, now);
  });
  const { topology } = model.graph;
  return describeModel(dialect === 'tfjs' ? withoutMasks(topology) : topology, {
    ...{ dialect, nameOf: canonicalName, path: '' },
    resultOf: (path, call, output) => results.get(`${path}/${call}`)?.[output],
    isFrozen: (path) => frozenAt(model.graph, path.split('/')),
  });
}

/** Whether the layer at a path is frozen. */
function frozenAt(graph: Graph, path: readonly string[]): boolean | null {
  // names of layers may hold '/' themselves
  for (let length = 1; length <= path.length; length++) {
    const found = graph.layers.get(path.slice(0, length).join('/'));
    if (!found) continue;
    if (length === path.length) return isFrozen(found);
    if (found.graph) return frozenAt(found.graph, path.slice(length));
  }
  return null;
}

/** What stands as the version of Keras in files of each dialect. */
const versions: Readonly<Record<Dialect, string>> = { keras3: '3.8.0', keras2: '2.15.0', tfjs: 'tfjs-layers 4.22.0' };

/**
 * A model as the bytes of a file that Keras reads: `.keras`, `.h5`, or its weights alone. `.h5` is in the words of the generation that the
 * model is of (Keras 3 reads both). Throws a FormatError for what Keras would understand otherwise.
 *
 * @example
 * import { Linear, Sequential } from '@nn/layers';
 * import { encodeKeras, kerasModel, loadKeras } from '@nn/keras';
 * const model = kerasModel(new Sequential(new Linear(4, 2)), { inputShape: [4] });
 * const bytes = await encodeKeras(model);
 * console.log((await loadKeras(bytes)).variables.map(({ path }) => path)); // => [ 'layers/dense/vars/0', 'layers/dense/vars/1' ]
 */
export async function encodeKeras(model: KerasModel, options: EncodeKerasOptions = {}): Promise<Uint8Array> {
  checkOptions('encodeKeras', options, ['format', 'signal']);
  const { format = 'keras', signal } = options;
  signal?.throwIfAborted();
  if (format === 'h5') return encodeLegacy(model);
  if (format === 'weights') return encodeHdf(await weightsByPath(model.graph));
  if (format !== 'keras')
    throw new ValueError(
      'encodeKeras',
      `format is '${excerpt(String(format))}'; 'keras', 'h5' and 'weights' are written.`,
    );
  const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
  const config = { ...describe(model, 'keras3'), compile_config: {} };
  const weights = await encodeHdf(await weightsByPath(model.graph));
  return encodeZip([
    ['metadata.json', json({ keras_version: versions.keras3, date_saved: '1980-01-01@00:00:00' })],
    ['config.json', json(config)],
    ['model.weights.h5', weights],
  ]);
}

/** The `.h5` of model and weights, in the words of the generation that the model is of. */
async function encodeLegacy(model: KerasModel): Promise<Uint8Array> {
  const { graph } = model;
  const dialect = graph.topology.generation === 3 ? 'keras3' : 'keras2';
  const { texts, ...rest } = await weightsByLayer(graph, versions[dialect]);
  const own: [string, string, string][] = [
    ['', 'keras_version', versions[dialect]],
    ['', 'backend', 'tensorflow'],
    ['', 'model_config', JSON.stringify(describe(model, dialect))],
  ];
  return encodeHdf({ ...rest, texts: [...own, ...texts] });
}

/**
 * A model as the files of a LayersModel that `tf.loadLayersModel` of TensorFlow.js reads: `model.json` and `model.weights.bin`, by
 * name. Throws a FormatError for layers that TensorFlow.js does not have.
 *
 * @example
 * import { Linear, Sequential } from '@nn/layers';
 * import { encodeTfjs, kerasModel } from '@nn/keras';
 * const files = await encodeTfjs(kerasModel(new Sequential(new Linear(4, 2)), { inputShape: [4] }));
 * console.log([...files.keys()], files.get('model.weights.bin')?.length); // => [ 'model.json', 'model.weights.bin' ] 40
 */
export async function encodeTfjs(model: KerasModel): Promise<ReadonlyMap<string, Uint8Array>> {
  const description = describe(model, 'tfjs');
  const arrays = await weightsByName(model.graph);
  const bytes = new Uint8Array(arrays.reduce((sum, { data }) => sum + data.byteLength, 0));
  let at = 0;
  for (const { data } of arrays) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  const weights = arrays.map(({ name, shape }) => ({ name, shape, dtype: 'float32' }));
  const json = {
    format: 'layers-model',
    generatedBy: 'nn',
    convertedBy: null,
    modelTopology: { ...description, keras_version: versions.tfjs, backend: 'tensor_flow.js' },
    weightsManifest: [{ paths: ['./model.weights.bin'], weights }],
  };
  return new Map([
    ['model.json', new TextEncoder().encode(JSON.stringify(json))],
    ['model.weights.bin', bytes],
  ]);
}

/**
 * Writes a model to a file, atomically: '.keras', '.weights.h5' or '.h5' by what the path ends with; '.json' writes a LayersModel of
 * TensorFlow.js with `model.weights.bin` beside it. In a browser use `encodeKeras` and `encodeTfjs`.
 */
export async function saveKeras(path: string, model: KerasModel): Promise<void> {
  if (/\.json$/i.test(path)) {
    const files = await encodeTfjs(model);
    const folder = path.slice(0, Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
    // the weights first: a model.json that is there finds them
    await writeFileAtomic(`${folder}model.weights.bin`, files.get('model.weights.bin')!);
    await writeFileAtomic(path, files.get('model.json')!);
    return;
  }
  const format = /\.weights\.h5$/i.test(path)
    ? 'weights'
    : /\.(h5|hdf5)$/i.test(path)
      ? 'h5'
      : /\.keras$/i.test(path)
        ? 'keras'
        : null;
  if (format === null) {
    throw new ValueError(
      'saveKeras',
      `'${excerpt(path)}' ends with neither .keras, .h5, .weights.h5 nor .json; what it ends with says what is written.`,
      { path },
    );
  }
  await writeFileAtomic(path, await encodeKeras(model, { format }));
}

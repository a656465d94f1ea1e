/** Loads models of Keras and TensorFlow.js, their weights alone, or their tensors without a model. */
import { type AbortSignalLike, checkOptions, excerpt, FormatError } from '@nn/core';
import type { HostTensor } from '@nn/serialize';
import { parseTopology } from './config/topology.ts';
import { type KerasFile, type KerasSource, openKeras } from './formats/open.ts';
import { unsupportedLayers } from './graph.ts';
import type { LayerRegistry } from './layers/custom.ts';
import { type Channels, KerasModel } from './model.ts';
import { assignWeights } from './weights/assign.ts';
import { type StoredWeights, sizeOf } from './weights/stored.ts';

export interface LoadKerasOptions {
  /** Where pictures have their channels, at inputs and outputs of four axes or more; 'last' where not given, as in Keras. */
  readonly channels?: Channels;
  /** The weights, where the file is a description alone: the `.weights.h5` beside a `model.to_json()`. */
  readonly weights?: KerasSource;
  /** Layers in the place of classes of your own, or of Lambda: by the name of the layer or of its class. Nothing of a file is run. */
  readonly layers?: LayerRegistry;
  /** The shape of the input without the batch, where the file does not say it; a list of shapes for several inputs. */
  readonly inputShape?: readonly (number | null)[] | readonly (readonly (number | null)[])[];
  /** The most numbers that a description without weights may ask for; 100,000,000 where not given. */
  readonly maxParameters?: number;
  /** Ends the loading: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignalLike;
}

/**
 * Loads a model: `.keras` (Keras 3, tf.keras from 2.12), `.h5` (Keras 1 to 3), a `model.json` of TensorFlow.js with its shards,
 * or the text of `model.to_json()`; the content tells which. Takes a path, an https address, bytes, a Blob or File, or all files
 * of a model by name.
 *
 * The result is a layer: tensors in Keras' order of axes in and out, parameters in PyTorch's layout inside, ready for training.
 * Throws a FormatError that lists every layer that is not read, before any work is done; and for weights that do not fit.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { loadKeras } from '@nn/keras';
 * const dense = { class_name: 'Dense', config: { name: 'dense', units: 3, batch_input_shape: [null, 4], activation: 'softmax' } };
 * const text = JSON.stringify({ class_name: 'Sequential', keras_version: '2.4.0', config: { name: 'small', layers: [dense] } });
 * const model = await loadKeras(new TextEncoder().encode(text));
 * console.log(model.forward(zeros([2, 4])).shape); // => [2, 3]
 */
export async function loadKeras(source: KerasSource, options: LoadKerasOptions = {}): Promise<KerasModel> {
  checkOptions('loadKeras', options, ['channels', 'weights', 'layers', 'inputShape', 'maxParameters', 'signal']);
  const { channels = 'last', layers: registry = {}, signal, maxParameters = 100_000_000 } = options;
  const file = await openKeras(source, { signal });
  try {
    if (file.description === null) {
      throw new FormatError(
        'loadKeras/weights-only',
        'the file holds weights without a model: loadKeras(description, { weights: source }), or loadKerasWeights(source, model).',
      );
    }
    const topology = parseTopology(file.description, file.generation);
    const unsupported = unsupportedLayers(topology, registry);
    if (unsupported.length > 0) {
      const list = unsupported
        .slice(0, 20)
        .map(({ layer, className }) => `'${excerpt(layer)}' (${excerpt(className)})`);
      const more = unsupported.length > 20 ? ` and ${unsupported.length - 20} more` : '';
      throw new FormatError(
        'loadKeras/unsupported',
        `${unsupported.length} layers are of classes that are not read: ${list.join(', ')}${more}. Give layers of your own for them, by class: { layers: { ${excerpt(unsupported[0]!.className)}: ({ config }) => new MyLayer(config) } }.`,
        { unsupported },
      );
    }
    const other = options.weights === undefined ? null : await openKeras(options.weights, { signal });
    try {
      const weights = other ? other.weights : file.weights;
      // some layers count more than they hold, and weights of another model get both lists in their error
      const budget = { left: weights ? Math.max(2 * sizeOf(weights), 2 ** 20) : maxParameters };
      const model = new KerasModel(topology, { channels, registry, budget, inputShapes: shapesOf(options.inputShape) });
      if (weights) assignWeights('loadKeras', model.graph.perLayer(), weights);
      signal?.throwIfAborted();
      return model;
    } finally {
      other?.close();
    }
  } finally {
    file.close();
  }
}

type ShapeOption = readonly (number | null)[];

function shapesOf(given: LoadKerasOptions['inputShape']): readonly ShapeOption[] | null {
  if (given === undefined) return null;
  const several = given.filter((shape): shape is ShapeOption => Array.isArray(shape));
  if (several.length > 0) return several;
  return [given.filter((size): size is number | null => !Array.isArray(size))];
}

export interface LoadKerasWeightsOptions {
  readonly signal?: AbortSignalLike;
}

/**
 * Gives a model the weights of another file of the same layers: by path, by name, and where names differ by order and shape.
 * All or nothing: throws a FormatError with both lists side by side where they do not fit, and changes nothing then.
 */
export async function loadKerasWeights(
  source: KerasSource,
  model: KerasModel,
  options: LoadKerasWeightsOptions = {},
): Promise<void> {
  checkOptions('loadKerasWeights', options, ['signal']);
  const file = await openKeras(source, options);
  try {
    assignWeights('loadKerasWeights', model.graph.perLayer(), weightsIn(file));
  } finally {
    file.close();
  }
}

function weightsIn({ weights }: KerasFile): StoredWeights {
  if (weights) return weights;
  throw new FormatError('loadKeras/no-weights', 'the file is a description without weights.');
}

/**
 * All arrays of a file by their paths or names, in Keras' shapes, as float32: for models whose graph is not in the file.
 * Those of the optimizer are left out.
 */
export async function loadKerasTensors(
  source: KerasSource,
  options: LoadKerasWeightsOptions = {},
): Promise<ReadonlyMap<string, HostTensor>> {
  checkOptions('loadKerasTensors', options, ['signal']);
  const file = await openKeras(source, options);
  try {
    const weights = weightsIn(file);
    const named =
      weights.kind === 'paths'
        ? weights.arrays.map((array) => [array.name, array] as const)
        : weights.groups.flatMap(({ name, arrays }) =>
            arrays.map(
              (array) => [array.name.startsWith(`${name}/`) ? array.name : `${name}/${array.name}`, array] as const,
            ),
          );
    return new Map(named.map(([name, { shape, read }]) => [name, { dtype: 'float32', shape, data: read() }]));
  } finally {
    file.close();
  }
}

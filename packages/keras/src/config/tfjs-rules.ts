/**
 * What TensorFlow.js 4.22 has of Keras' layers, and where it computes otherwise: such models are refused, not written. Measured by
 * running the models of `fixtures/written.json` in it (tfjs.node.test.ts).
 */
import { excerpt, FormatError } from '@nn/core';
import { fieldOf, isList, isObject, type Json, type JsonObject } from './json.ts';
import { isReference, type LayerEntry, type Reference, type Topology } from './topology.ts';

/** Throws that a layer cannot be written. */
export function refuse(layer: string, why: string): never {
  throw new FormatError('encodeKeras/dialect', `the layer '${excerpt(layer)}' cannot be written: ${why}`, { layer });
}

/** The classes that it has. */
const classes =
  'Activation Add AlphaDropout Average AveragePooling1D AveragePooling2D AveragePooling3D BatchNormalization Bidirectional Concatenate Conv1D Conv2D Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM2D Cropping2D Dense DepthwiseConv2D Dot Dropout ELU Embedding Flatten GRU GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D GlobalMaxPooling1D GlobalMaxPooling2D LSTM LayerNormalization LeakyReLU Masking MaxPooling1D MaxPooling2D MaxPooling3D Maximum Minimum Multiply PReLU Permute RNN ReLU RepeatVector Rescaling Reshape SeparableConv2D SimpleRNN Softmax SpatialDropout1D ThresholdedReLU TimeDistributed UpSampling2D ZeroPadding2D';

/** The activations that it has, by the names that it reads. */
const activations =
  'elu hard_sigmoid linear relu relu6 selu sigmoid softmax softplus softsign tanh log_softmax swish mish gelu';

function tfjsActivation(name: string): string | undefined {
  if (name === 'silu') return 'swish';
  return activations.split(' ').includes(name) ? name : undefined;
}

/** A setting with the only value that is read, or none. */
const only: Readonly<Record<string, readonly (readonly [setting: string, value: Json, otherwise: string])[]>> = {
  Conv1D: [['groups', 1, 'it convolves without groups']],
  ELU: [['alpha', 1, 'its ELU has no alpha']],
  Conv2D: [['groups', 1, 'it convolves without groups']],
  Conv3D: [['groups', 1, 'it convolves without groups']],
  Conv2DTranspose: [['output_padding', null, 'it knows no output_padding']],
  Conv3DTranspose: [['output_padding', null, 'it knows no output_padding']],
  GRU: [['reset_after', false, 'its GRU resets before the product (reset_after=False)']],
  GRUCell: [['reset_after', false, 'its GRU resets before the product (reset_after=False)']],
  ReLU: [
    ['negative_slope', 0, 'its ReLU has no negative_slope'],
    ['threshold', 0, 'its ReLU has no threshold'],
  ],
  GlobalAveragePooling1D: [['keepdims', false, 'it keeps no axes']],
  GlobalAveragePooling2D: [['keepdims', false, 'it keeps no axes']],
  GlobalMaxPooling1D: [['keepdims', false, 'it keeps no axes']],
  GlobalMaxPooling2D: [['keepdims', false, 'it keeps no axes']],
  UpSampling2D: [['interpolation', 'nearest', 'it measures pictures from other points (interpolation)']],
};

/** Layers whose masks it does not see, or passes on otherwise. */
const blind = ['GlobalAveragePooling1D', 'Bidirectional', 'RNN', 'ConvLSTM2D', 'Concatenate', 'TimeDistributed'];

/** Whether it has a class at all. */
export const hasTfjs = (className: string): boolean => classes.split(' ').includes(className);

/** Refuses layers that it does not have, and settings that it leaves out. */
export function checkTfjs(
  name: string,
  className: string,
  config: JsonObject,
  inputs: readonly { readonly shape: readonly unknown[]; readonly isMasked: boolean }[],
): void {
  if (!hasTfjs(className) && !/^(LSTM|GRU|SimpleRNN|StackedRNN)Cells?$/.test(className))
    refuse(name, `TensorFlow.js has no layer of the class ${className}; write .keras or .h5.`);
  if (blind.includes(className) && inputs.some(({ isMasked }) => isMasked))
    refuse(name, `${className} of TensorFlow.js does not do with masks what Keras does.`);
  for (const [setting, value, otherwise] of (Object.hasOwn(only, className) ? only[className] : undefined) ?? []) {
    if ((fieldOf(config, setting) ?? value) !== value)
      refuse(name, `TensorFlow.js would compute otherwise: ${otherwise}.`);
  }
  if (className === 'Conv1D' && fieldOf(config, 'padding') === 'causal')
    refuse(name, 'TensorFlow.js does not pad in front of the steps (causal).');
  const axis = fieldOf(config, 'axis') ?? -1;
  if (className === 'Softmax' && axis !== -1 && inputs.some(({ shape }) => axis !== shape.length - 1))
    refuse(name, 'TensorFlow.js has softmax along the last axis alone.');
  for (const key of ['activation', 'recurrent_activation']) {
    const given = activationName(fieldOf(config, key));
    if (given !== undefined && tfjsActivation(given) === undefined)
      refuse(name, `TensorFlow.js has no activation '${given}'.`);
  }
  const inner = fieldOf(config, 'layer') ?? fieldOf(config, 'cell');
  for (const layer of [inner, ...listIn(inner)]) {
    const innerClass = fieldOf(layer, 'class_name');
    const innerConfig = fieldOf(layer, 'config');
    if (typeof innerClass === 'string' && isObject(innerConfig)) checkTfjs(name, innerClass, innerConfig, []);
  }
  if (className === 'Bidirectional' && !isMirrored(config))
    refuse(name, 'the backward layer of TensorFlow.js has the settings of the forward one.');
}

const listIn = (inner: Json | undefined): readonly Json[] => {
  const cells = fieldOf(fieldOf(inner, 'config'), 'cells');
  return isList(cells) ? cells : [];
};

function activationName(given: Json | undefined): string | undefined {
  if (typeof given === 'string') return given;
  const config = fieldOf(given, 'config');
  return typeof config === 'string' ? config : undefined;
}

/** Whether a layer that reads backwards differs from the forward one in its direction alone. */
function isMirrored(config: JsonObject): boolean {
  const back = fieldOf(config, 'backward_layer');
  if (back === undefined || back === null) return true;
  const settings = (layer: Json | undefined): string => {
    const own = fieldOf(layer, 'config');
    const kept = Object.entries(isObject(own) ? own : {}).filter(
      ([key]) => !/^(name|go_backwards|seed|dtype|build_config)$|_initializer$/.test(key),
    );
    return JSON.stringify([fieldOf(layer, 'class_name'), ...kept.sort(([a], [b]) => (a < b ? -1 : 1))]);
  };
  return settings(back) === settings(fieldOf(config, 'layer'));
}

/** Settings that say how weights begin and are trained, not what is computed; TensorFlow.js knows some of them by other names. */
const leftOut =
  /_(initializer|regularizer|constraint)$|^(implementation|time_major|autocast|quantization_config|seed|backward_layer|use_cudnn|zero_output_for_mask|batch_input_shape|batch_shape|input_shape|input_length|lora_.*)$/;

/** The settings of a layer in its words. */
export function tfjsConfig(className: string, config: JsonObject): JsonObject {
  const result: Record<string, Json> = {};
  for (const [key, value] of Object.entries(config)) {
    if (leftOut.test(key) || value === null) continue;
    result[key] = older(value);
  }
  for (const key of ['activation', 'recurrent_activation']) {
    const name = activationName(fieldOf(config, key));
    if (name !== undefined) result[key] = tfjsActivation(name) ?? name;
  }
  if (className === 'LeakyReLU') {
    result.alpha = result.negative_slope ?? result.alpha ?? 0.3;
    delete result.negative_slope;
  }
  return result;
}

/** Objects of Keras 3 in the words of Keras 2: no modules, types by name. */
function older(value: Json): Json {
  if (isList(value)) return value.map(older);
  if (!isObject(value)) return value;
  const config = fieldOf(value, 'config');
  const className = fieldOf(value, 'class_name');
  if (className === 'DTypePolicy' || className === 'Policy') return fieldOf(config, 'name') ?? 'float32';
  if (className === 'function' && typeof config === 'string') return config;
  if (typeof className === 'string' && isObject(config))
    return { class_name: className, config: tfjsConfig(className, config) };
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, older(item)]));
}

/**
 * The model without what Keras 3 records of masks: ids != 0 as an operation, given to the layer behind an Embedding. Layers of
 * TensorFlow.js hand their masks on by themselves.
 */
export function withoutMasks(topology: Topology): Topology {
  const byName = new Map(topology.layers.map((entry) => [entry.name, entry]));
  const isSame = (a: Reference | undefined, b: Reference | undefined): boolean =>
    a !== undefined && b !== undefined && a.layer === b.layer && a.call === b.call && a.output === b.output;
  /** Whether an operation is what an Embedding or a Masking of the model does to make its mask. */
  const isOwn = (mask: Reference): boolean => {
    let made = byName.get(mask.layer);
    if (made?.className === 'Any') made = byName.get(made.calls[0]?.inputs[0]?.layer ?? '');
    const call = made?.calls[0];
    if (made?.className !== 'NotEqual' || !call) return false;
    const value = call.options['1'];
    return topology.layers.some(({ className, config, calls }) => {
      const hides =
        (className === 'Embedding' && fieldOf(config, 'mask_zero') === true && value === 0) ||
        (className === 'Masking' && (fieldOf(config, 'mask_value') ?? 0) === value);
      return hides && calls.some(({ inputs }) => isSame(inputs[0], call.inputs[0]));
    });
  };
  const layers = topology.layers.map((entry): LayerEntry => {
    const calls = entry.calls.map((call) => {
      const { mask, ...options } = call.options;
      return mask !== undefined && isReference(mask) && isOwn(mask) ? { ...call, options } : call;
    });
    return { ...entry, calls, ...(entry.model && { model: withoutMasks(entry.model) }) };
  });
  return { ...topology, layers: reached(layers, topology.outputs) };
}

/** The layers that outputs need. */
function reached(layers: readonly LayerEntry[], outputs: readonly Reference[]): LayerEntry[] {
  const byName = new Map(layers.map((entry) => [entry.name, entry]));
  const needed = new Set<string>();
  const queue = outputs.map(({ layer }) => layer);
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (needed.has(name)) continue;
    needed.add(name);
    for (const { inputs, options } of byName.get(name)?.calls ?? []) {
      queue.push(...inputs.map(({ layer }) => layer));
      for (const value of Object.values(options))
        queue.push(...[value].flat(4).flatMap((item) => (isReference(item) ? item.layer : [])));
    }
  }
  // a layer that is called only for its mask stays where its weights would be missed
  return layers.filter(({ name, module }) => needed.has(name) || !module?.includes('.ops'));
}

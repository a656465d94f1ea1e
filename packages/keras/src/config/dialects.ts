/**
 * Writes the description of a model as Keras 3, as Keras 2 (tf.keras), or as TensorFlow.js reads it. Owns the form: nodes, classes,
 * objects; what TensorFlow.js computes otherwise is `tfjs-rules.ts`, what Keras 3 may be given `keras3-settings.ts`.
 */
import { excerpt } from '@nn/core';
import { fieldOf, isList, isObject, type Json, type JsonObject } from './json.ts';
import { keras3Settings } from './keras3-settings.ts';
import { checkTfjs, refuse, tfjsConfig } from './tfjs-rules.ts';
import {
  type Call,
  type Given,
  type InputEntry,
  isConstant,
  isGivenList,
  isReference,
  isSlice,
  type LayerEntry,
  type Reference,
  type Topology,
} from './topology.ts';

export type Dialect = 'keras3' | 'keras2' | 'tfjs';

/** What is known of a result of a call when a model has run. */
export interface SeenResult {
  /** Keras' shape; null for the batch and for sizes that vary. */
  readonly shape: readonly (number | null)[];
  readonly dtype: string;
  readonly isMasked: boolean;
}

export interface DialectContext {
  readonly dialect: Dialect;
  /** The name of a class that goes today. */
  readonly nameOf: (className: string) => string;
  /** The names of the models around this one, each with '/' behind it. */
  readonly path: string;
  /** What call `call` of the layer at a path gave; undefined where it was not called. */
  readonly resultOf: (path: string, call: number, output: number) => SeenResult | undefined;
  /** Whether the layer at a path is frozen; null for layers without anything to train. */
  readonly isFrozen: (path: string) => boolean | null;
}

/** `{ class_name, config }` of a model. */
export function describeModel(topology: Topology, context: DialectContext): JsonObject {
  const { dialect } = context;
  const { isSequential, name } = topology;
  const layers = topology.layers.map((entry) => layerOf(entry, topology, context));
  const inputs = topology.inputs.map((input) => inputLayer(input, isSequential, dialect));
  const config: Record<string, Json> = { name };
  if (dialect !== 'tfjs') config.trainable = true;
  config.layers = [...inputs, ...layers];
  const shape = topology.inputs[0]?.shape ?? null;
  if (isSequential) {
    if (dialect === 'keras3') config.build_input_shape = shape;
  } else {
    const outputs = topology.outputs.map((output) => [
      output.layer,
      placeOf(output, topology, context, true),
      output.output,
    ]);
    // Keras 3 tells a model of one input from a model of a list of one
    const ends = (all: Json[][]): Json => (dialect === 'keras3' && all.length === 1 ? all[0]! : all);
    config.input_layers = ends(topology.inputs.map(({ layer }) => [layer, 0, 0]));
    config.output_layers = ends(outputs);
  }
  if (dialect === 'keras3') {
    const own = isSequential
      ? { module: 'keras', class_name: 'Sequential', config, registered_name: null }
      : { module: 'keras.src.models.functional', class_name: 'Functional', config, registered_name: 'Functional' };
    return { ...own, build_config: { input_shape: isSequential ? shape : null } };
  }
  // TensorFlow.js has known graphs as Model from its beginning
  const graphName = dialect === 'tfjs' ? 'Model' : 'Functional';
  return { class_name: isSequential ? 'Sequential' : graphName, config };
}

function inputLayer({ layer, shape: known, dtype }: InputEntry, isSequential: boolean, dialect: Dialect): Json {
  const shape = known ?? null;
  const graph = isSequential ? {} : { name: layer, inbound_nodes: [] };
  if (dialect === 'keras3') {
    const config = { batch_shape: shape, dtype, sparse: false, ragged: false, name: layer };
    return { module: 'keras.layers', class_name: 'InputLayer', config, registered_name: null, ...graph };
  }
  return {
    class_name: 'InputLayer',
    config: { batch_input_shape: shape, dtype, sparse: false, name: layer },
    ...graph,
  };
}

function layerOf(entry: LayerEntry, topology: Topology, context: DialectContext): Json {
  const { name, model, calls } = entry;
  const own = model
    ? nested(describeModel(model, { ...context, path: `${context.path}${name}/` }), name)
    : plainLayer(entry, topology, context);
  if (topology.isSequential) return own;
  return { ...own, name, inbound_nodes: calls.map((call) => nodeOf(call, entry, topology, context)) };
}

function nested(described: JsonObject, name: string): JsonObject {
  const config = fieldOf(described, 'config');
  return { ...described, config: { ...(isObject(config) ? config : {}), name } };
}

function plainLayer(entry: LayerEntry, topology: Topology, context: DialectContext): JsonObject {
  const { dialect } = context;
  const className = context.nameOf(entry.className);
  const { generation } = topology;
  checkClass(entry, className, dialect);
  checkMeaning(entry, dialect, generation);
  const frozen = context.isFrozen(context.path + entry.name);
  const given: JsonObject = {
    ...withDefaults(className, entry.config, generation),
    name: entry.name,
    ...(frozen !== null && { trainable: !frozen }),
  };
  if (dialect === 'keras3') {
    const config = generation === 3 ? given : newer(className, given);
    const module = entry.module ?? 'keras.layers';
    return { module, class_name: className, config, registered_name: entry.registeredName ?? null };
  }
  if (dialect === 'keras2') {
    return { class_name: className, config: generation === 1 ? known(className, given) : given };
  }
  const inputs = entry.calls.flatMap((call) => call.inputs.flatMap((input) => seen(input, context) ?? []));
  checkTfjs(entry.name, className, given, inputs);
  return { class_name: className, config: tfjsConfig(className, given) };
}

function seen({ layer, call, output }: Reference, { path, resultOf }: DialectContext): SeenResult | undefined {
  return resultOf(path + layer, call, output);
}

function checkClass({ name, module, className }: LayerEntry, current: string, dialect: Dialect): void {
  const isRecorded = className === 'TFOpLambda' || className === 'SlicingOpLambda';
  if (dialect === 'keras3' && isRecorded)
    refuse(name, `operations of TensorFlow (${className}) are not known to Keras 3; write .h5, which tf.keras reads.`);
  if (dialect !== 'keras3' && module?.includes('.ops'))
    refuse(name, `operations of keras.ops (${excerpt(className)}) are known to Keras 3 alone; write .keras or .h5.`);
  if (dialect !== 'keras2' && current.startsWith('CuDNN')) {
    refuse(
      name,
      `its weights are laid out as cuDNN has them, which Keras 2 alone reads: write .h5, or build an ${current.slice(5)} and load these weights.`,
    );
  }
  const isGone = dialect === 'keras3' && module === undefined && !Object.hasOwn(keras3Settings, current);
  if (isGone) refuse(name, `Keras 3 has no layer of the class ${excerpt(current)}; write .h5, which tf.keras reads.`);
}

/** Refuses what computes otherwise in the dialect that is written. */
function checkMeaning({ name, config }: LayerEntry, dialect: Dialect, generation: number): void {
  const isNewer = dialect === 'keras3';
  if ((generation === 3) !== isNewer && /"hard_(sigmoid|silu|swish)"/.test(JSON.stringify(config))) {
    refuse(
      name,
      `hard_sigmoid of Keras ${generation} is another function than that of ${isNewer ? 'Keras 3' : 'Keras 2 and TensorFlow.js'}.`,
    );
  }
}

/** Settings whose defaults differ between generations are written out. */
function withDefaults(className: string, config: JsonObject, generation: number): JsonObject {
  const gate = generation === 1 || (generation === 2 && className.startsWith('ConvLSTM')) ? 'hard_sigmoid' : 'sigmoid';
  const isGated = /^(LSTM|GRU)(Cell)?$|^ConvLSTM/.test(className);
  return {
    ...(isGated && { recurrent_activation: gate }),
    ...(/^GRU(Cell)?$/.test(className) && { reset_after: generation === 3 }),
    ...config,
  };
}

/** The settings that a class of Keras 3 may be given, and no other. */
function known(className: string, config: JsonObject): JsonObject {
  const own = Object.hasOwn(keras3Settings, className) ? keras3Settings[className]!.split(' ') : null;
  if (own === null) return config;
  const always = ['name', 'trainable', 'dtype', 'activity_regularizer', 'alpha', 'theta'];
  return Object.fromEntries(Object.entries(config).filter(([key]) => own.includes(key) || always.includes(key)));
}

/** Settings of Keras 1 and 2 in the words of Keras 3: what it does not know is left out, objects say where their class lies. */
function newer(className: string, given: JsonObject): JsonObject {
  const result: Record<string, Json> = {};
  for (const [key, value] of Object.entries(known(className, given))) {
    // values of weights come from the file, whatever they started with
    if (key.endsWith('_initializer')) continue;
    if (key === 'alpha' && className === 'LeakyReLU') result.negative_slope = value;
    else if (key === 'alpha' && !keras3Settings[className]?.split(' ').includes('alpha')) continue;
    else if (key === 'theta') continue;
    else result[key] = newerValue(key, value);
  }
  const { axis } = result;
  if (className === 'BatchNormalization' && isList(axis) && axis.length === 1) result.axis = axis[0] ?? -1;
  if (given.causal === true)
    refuse(String(given.name), 'Keras 3 is told in the call that attention is causal; set use_causal_mask there.');
  return result;
}

/** Where Keras 3 has the classes of these settings. */
const moduleOf = (key: string): string =>
  key.endsWith('_regularizer')
    ? 'keras.regularizers'
    : key.endsWith('_constraint')
      ? 'keras.constraints'
      : 'keras.layers';

function newerValue(key: string, value: Json): Json {
  if (isList(value)) return value.map((item) => newerValue(key, item));
  const className = fieldOf(value, 'class_name');
  const config = fieldOf(value, 'config');
  if (typeof className !== 'string') return value;
  if (className === 'Policy' || className === 'DTypePolicy') return fieldOf(config, 'name') ?? 'float32';
  if (className === 'function') return config ?? null;
  const inner =
    moduleOf(key) === 'keras.layers' && isObject(config)
      ? newer(className, withDefaults(className, config, 2))
      : config;
  return { module: moduleOf(key), class_name: className, config: inner ?? {}, registered_name: null };
}

/** A call in the words of a dialect. */
function nodeOf(call: Call, entry: LayerEntry, topology: Topology, context: DialectContext): Json {
  return context.dialect === 'keras3'
    ? newerNode(call, context.nameOf(entry.className), topology, context)
    : olderNode(call, entry.name, topology, context);
}

/** Classes whose calls take their inputs one by one, and not in a list. */
const takesArguments = ['MultiHeadAttention', 'GroupQueryAttention'];
const recurrent = ['LSTM', 'GRU', 'SimpleRNN', 'RNN', 'Bidirectional', 'ConvLSTM1D', 'ConvLSTM2D', 'ConvLSTM3D'];

function newerNode(call: Call, className: string, topology: Topology, context: DialectContext): Json {
  const tensorOf = (reference: Reference): Json => {
    const { shape = [null], dtype = 'float32' } = seen(reference, context) ?? {};
    const history = [reference.layer, placeOf(reference, topology, context), reference.output];
    return { class_name: '__keras_tensor__', config: { shape, dtype, keras_history: history } };
  };
  const written = (value: Given): Json => {
    if (isReference(value)) return tensorOf(value);
    if (isGivenList(value)) return value.map(written);
    if (isSlice(value)) return { class_name: '__slice__', config: { ...value } };
    return isConstant(value) ? { class_name: '__numpy__', config: { value: value.values, dtype: value.dtype } } : value;
  };
  const named = (): Record<string, Json> => {
    const options = Object.entries(call.options).filter(([key]) => !/^\d+$/.test(key));
    return Object.fromEntries(options.map(([key, value]) => [key, written(value)]));
  };
  if (call.args) return { args: call.args.map(written), kwargs: named() };
  const tensors = call.inputs.map(tensorOf);
  if (recurrent.includes(className) && tensors.length > 1)
    return { args: [tensors[0] ?? null], kwargs: { ...named(), initial_state: tensors.slice(1) } };
  const isSingle = tensors.length === 1 || takesArguments.includes(className);
  return { args: isSingle ? tensors : [tensors], kwargs: named() };
}

/** [[layer, call, output, options], ...]; constants among them as TensorFlow has them. */
function olderNode(call: Call, layer: string, topology: Topology, context: DialectContext): Json {
  const entryOf = ({ layer: from, call: at, output }: Reference, options: JsonObject): Json => [
    from,
    placeOf({ layer: from, call: at, output }, topology, context),
    output,
    options,
  ];
  const written = (value: Given): Json => {
    if (isReference(value)) return [value.layer, placeOf(value, topology, context), value.output];
    if (isGivenList(value)) return value.map(written);
    if (isSlice(value)) return { ...value };
    return isConstant(value) ? value.values : value;
  };
  const references = [...call.inputs];
  const places: [number, Json][] = [];
  const options: Record<string, Json> = {};
  for (const [key, value] of Object.entries(call.options)) {
    const tensors = referencesIn(value);
    if (key === 'initial_state') references.push(...tensors);
    else if (/^\d+$/.test(key)) places.push([Number(key), ['_CONSTANT_VALUE', -1, written(value), {}]]);
    else if (tensors.length > 0 && context.dialect === 'tfjs')
      refuse(layer, `TensorFlow.js takes no tensors by name (${excerpt(key)}).`);
    else if (value !== null && value !== false) options[key] = written(value);
  }
  const nodes = references.map((reference, k) => entryOf(reference, k === 0 ? options : {}));
  for (const [place, constant] of places.sort(([a], [b]) => a - b)) nodes.splice(place, 0, constant);
  return nodes;
}

function referencesIn(value: Given): Reference[] {
  if (isReference(value)) return [value];
  return isGivenList(value) ? value.flatMap(referencesIn) : [];
}

/** Of models in models Keras counts the call that made them, too; Keras 3 does so in the outputs of a model alone, and for graphs alone. */
function placeOf(
  { layer, call }: Reference,
  { layers }: Topology,
  { dialect }: DialectContext,
  isOutput = false,
): number {
  const model = layers.find(({ name }) => name === layer)?.model;
  if (!model) return call;
  return dialect !== 'keras3' || (isOutput && !model.isSequential) ? call + 1 : call;
}

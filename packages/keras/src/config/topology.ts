/**
 * The graph of a Keras model, whatever generation wrote it: layers by name, and for each call of a layer where its arguments
 * come from. Sequential models are graphs, too. Owns both dialects of reading; `dialects.ts` writes them, `graph.ts` runs them.
 */
import { excerpt, FormatError } from '@nn/core';
import { fieldOf, isList, isObject, type Json, type JsonObject, shapeOf, shown, textOf } from './json.ts';
import { translateKeras1 } from './keras1.ts';
import type { Generation } from './settings.ts';

/** A result of a call: of which layer, of which of its calls, and which of several. */
export interface Reference {
  readonly layer: string;
  readonly call: number;
  readonly output: number;
}

/** A part of an axis, as Python's x[start:stop:step]. */
export interface Slice {
  readonly start: number | null;
  readonly stop: number | null;
  readonly step: number | null;
}

/** An array that stands in the file itself, as a constant of NumPy does. */
export interface Constant {
  readonly values: Json;
  readonly dtype: string;
}

/** What a call is given: results of other calls, plain values, parts of axes, arrays, lists of all. */
export type Given = Reference | Slice | Constant | string | number | boolean | null | readonly Given[];

export interface Call {
  readonly inputs: readonly Reference[];
  readonly options: Readonly<Record<string, Given>>;
  /** The arguments as Keras 3 has them: which inputs stand in a list together is not to be seen in `inputs`. */
  readonly args?: readonly Given[];
}

export interface LayerEntry {
  readonly name: string;
  readonly className: string;
  /** Where Keras 3 says that the class is: 'keras.layers', 'keras.src.ops.numpy'. */
  readonly module?: string;
  /** Keras 3's name of a custom class: 'package>Name'. */
  readonly registeredName?: string;
  readonly config: JsonObject;
  readonly calls: readonly Call[];
  /** The graph, where the layer is a model. */
  readonly model?: Topology;
}

export interface InputEntry {
  readonly layer: string;
  /** With the batch in front; null for sizes that are not known. Undefined where the file does not say. */
  readonly shape?: readonly (number | null)[];
  readonly dtype: string;
}

export interface Topology {
  readonly name: string;
  readonly isSequential: boolean;
  readonly generation: Generation;
  /** All layers in Keras' order, without those of inputs. */
  readonly layers: readonly LayerEntry[];
  readonly inputs: readonly InputEntry[];
  readonly outputs: readonly Reference[];
}

export function isGivenList(given: Given): given is readonly Given[] {
  return Array.isArray(given);
}

export function isSlice(given: unknown): given is Slice {
  return typeof given === 'object' && given !== null && 'step' in given && 'stop' in given;
}

export function isConstant(given: unknown): given is Constant {
  return typeof given === 'object' && given !== null && 'values' in given && 'dtype' in given;
}

export function isReference(given: Given): given is Reference {
  return typeof given === 'object' && given !== null && 'layer' in given;
}

function fail(words: string, data: Readonly<Record<string, unknown>> = {}): never {
  throw new FormatError('loadKeras/topology', words, data);
}

/** The classes of models that are made of layers. */
const modelClasses = ['Sequential', 'Functional', 'Model'];

/** More layers than any model has; a file of a few bytes cannot ask for more work. */
const mostLayers = 100_000;

/** Whether a description is of a model whose graph can be read. */
export function isModel(description: Json | undefined): description is JsonObject {
  const config = fieldOf(description, 'config');
  const isGraph = isList(config) || isList(fieldOf(config, 'layers'));
  return modelClasses.includes(textOf(description, 'class_name') ?? '') && isGraph;
}

/** Reads the description of a model: `{ class_name, config }`. Throws a `FormatError` where it has no graph. */
export function parseTopology(description: Json, generation: Generation): Topology {
  const className = textOf(description, 'class_name');
  if (className === undefined)
    return fail('the description of the model has no class_name; the file is not of a Keras model, or damaged.');
  if (!isModel(description)) {
    const custom = textOf(description, 'registered_name') ?? className;
    return fail(
      `the model is of the class '${excerpt(custom)}', whose graph stands in Python and not in the file: write the model here, and give it the tensors of loadKerasTensors(source).`,
      { className: custom },
    );
  }
  const config = fieldOf(description, 'config');
  const buildConfig = fieldOf(description, 'build_config');
  const isGraph = isObject(config) && isList(fieldOf(config, 'input_layers'));
  return className === 'Sequential' && !isGraph
    ? sequential(config, buildConfig, generation)
    : functional(isObject(config) ? config : {}, generation);
}

/** A layer's own description, without its calls. */
function layerOf(description: Json, at: number, generation: Generation): Omit<LayerEntry, 'calls'> {
  const found = textOf(description, 'class_name');
  const given = fieldOf(description, 'config');
  if (found === undefined || (!isObject(given) && !isList(given))) {
    return fail(`layer ${at} is ${shown(description)}; an object with class_name and config is expected.`);
  }
  const module = textOf(description, 'module');
  const registeredName = textOf(description, 'registered_name');
  const isNested = isModel(description);
  const own = textOf(given, 'name') ?? textOf(description, 'name') ?? `${found.toLowerCase()}_${at}`;
  const name = textOf(description, 'name') ?? own;
  const { className, config } =
    generation === 1 && isObject(given) && !isNested
      ? translateKeras1(found, given)
      : { className: found, config: isObject(given) ? given : {} };
  return {
    name,
    className,
    config,
    ...(module !== undefined && { module }),
    ...(registeredName !== undefined && { registeredName }),
    ...(isNested && { model: parseTopology(description, generation) }),
  };
}

/** The shape of a model's input, which Keras 2 writes into its first layer. */
function inputShape(config: JsonObject): readonly (number | null)[] | undefined {
  const whole = shapeOf(config, 'batch_shape') ?? shapeOf(config, 'batch_input_shape');
  if (whole) return whole;
  const rest = shapeOf(config, 'input_shape') ?? shapeOf(config, 'shape');
  if (rest) return [null, ...rest];
  const size = fieldOf(config, 'input_dim');
  const isSize = typeof size === 'number' && Number.isInteger(size) && size > 0;
  return isSize && fieldOf(config, 'output_dim') === undefined ? [null, size] : undefined;
}

function inputEntry(layer: string, config: JsonObject, shape = inputShape(config)): InputEntry {
  const dtype = fieldOf(config, 'dtype');
  const named = typeof dtype === 'string' ? dtype : (textOf(fieldOf(dtype, 'config'), 'name') ?? 'float32');
  return { layer, dtype: named, ...(shape && { shape }) };
}

function sequential(config: Json | undefined, buildConfig: Json | undefined, generation: Generation): Topology {
  const listed = isList(config) ? config : fieldOf(config, 'layers');
  if (!isList(listed)) return fail('the model has no list of layers.');
  if (listed.length > mostLayers) return fail(`the model has ${listed.length} layers, ${mostLayers} are the limit.`);
  const layers: LayerEntry[] = [];
  let input: InputEntry | undefined;
  let before: Reference | undefined;
  for (const [at, description] of listed.entries()) {
    const layer = layerOf(description, at, generation);
    if (layer.className === 'InputLayer' && at === 0) {
      input = inputEntry(layer.name, layer.config);
      before = { layer: layer.name, call: 0, output: 0 };
      continue;
    }
    if (before === undefined) {
      // an input without a layer of its own, under a name that no layer has
      const shape =
        inputShape(layer.config) ??
        layer.model?.inputs[0]?.shape ??
        shapeOf(buildConfig, 'input_shape') ??
        shapeOf(config, 'build_input_shape');
      const isTable = layer.className === 'Embedding';
      const name = `${layer.name}_input`;
      input = { ...inputEntry(name, isTable ? {} : layer.config, shape), ...(isTable && { dtype: 'int32' }) };
      before = { layer: name, call: 0, output: 0 };
    }
    layers.push({ ...layer, calls: [{ inputs: [before], options: {} }] });
    before = { layer: layer.name, call: 0, output: 0 };
  }
  if (!input || !before) return fail('the model has no layers.');
  requireNames([input.layer, ...layers.map(({ name }) => name)]);
  const name = textOf(config, 'name') ?? 'sequential';
  return { name, isSequential: true, generation, layers, inputs: [input], outputs: [before] };
}

function requireNames(names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) fail(`two layers are named '${excerpt(name)}'; the file is damaged.`, { name });
    seen.add(name);
  }
}

function functional(config: JsonObject, generation: Generation): Topology {
  const listed = fieldOf(config, 'layers');
  if (!isList(listed)) return fail('the model has no list of layers.');
  if (listed.length > mostLayers) return fail(`the model has ${listed.length} layers, ${mostLayers} are the limit.`);
  const layers: LayerEntry[] = [];
  const inputs = new Map<string, InputEntry>();
  for (const [at, description] of listed.entries()) {
    const layer = layerOf(description, at, generation);
    const nodes = fieldOf(description, 'inbound_nodes');
    const calls = (isList(nodes) ? nodes : []).map((node) => callOf(node, layer.name));
    if (layer.className === 'InputLayer') inputs.set(layer.name, inputEntry(layer.name, layer.config));
    else layers.push({ ...layer, calls });
  }
  requireNames([...inputs.keys(), ...layers.map(({ name }) => name)]);
  const ends = (name: string): readonly Reference[] => {
    const found = fieldOf(config, name);
    const references = referencesIn(found);
    return references.length > 0
      ? references
      : fail(`the model's ${name} are ${shown(found)}; a list of [layer, call, output] is expected.`);
  };
  const entries = ends('input_layers').map(
    ({ layer }) => inputs.get(layer) ?? fail(`the input '${excerpt(layer)}' is no InputLayer of the model.`),
  );
  const outputs = ends('output_layers');
  return renumbered({
    name: textOf(config, 'name') ?? 'model',
    ...{ isSequential: false, generation, layers, inputs: entries, outputs },
  });
}

/** [layer, call, output] in a value: one, or lists of them. */
function referencesIn(value: Json | undefined): readonly Reference[] {
  if (!isList(value)) return [];
  const [layer, call, output] = value;
  if (typeof layer === 'string' && typeof call === 'number' && typeof output === 'number')
    return [{ layer, call, output }];
  // { name: reference } stands for models of dictionaries
  return value.flatMap((item) => (isObject(item) ? Object.values(item).flatMap(referencesIn) : referencesIn(item)));
}

/** Reads a node of Keras 3, `{ args, kwargs }`, or of Keras 2, `[[layer, call, output, kwargs], ...]`. */
function callOf(node: Json, layer: string): Call {
  const options: Record<string, Given> = {};
  if (isObject(node)) {
    const args = givenOf(fieldOf(node, 'args') ?? []);
    const list = isGivenList(args) ? args : [args];
    const inputs: Reference[] = [];
    list.forEach((argument, at) => {
      const references = flatReferences(argument);
      inputs.push(...references);
      // numbers and flags among the arguments, by their position
      if (references.length === 0 && argument !== null) options[String(at)] = argument;
    });
    const named = fieldOf(node, 'kwargs');
    for (const [name, value] of Object.entries(isObject(named) ? named : {})) options[name] = givenOf(value);
    return { inputs, options, args: list };
  }
  if (!isList(node))
    return fail(`layer '${excerpt(layer)}': a call is ${shown(node)}; a list or an object is expected.`);
  // Keras 2.4 to 2.15 wrote a call of one tensor without the list around it
  const items = typeof node[0] === 'string' ? [node] : node;
  const inputs: Reference[] = [];
  for (const item of items) {
    const [reference] = referencesIn(item);
    if (reference) {
      inputs.push(reference);
      const named = isList(item) ? item[3] : undefined;
      for (const [name, value] of Object.entries(isObject(named) ? named : {})) options[name] = givenOf(value);
    } else if (isList(item) && item[0] === '_CONSTANT_VALUE' && item[1] === -1)
      options[String(inputs.length)] = givenOf(item[2] ?? null);
    else return fail(`layer '${excerpt(layer)}': an input is ${shown(item)}; [layer, call, output] is expected.`);
  }
  return { inputs, options };
}

function flatReferences(given: Given): Reference[] {
  if (isReference(given)) return [given];
  return isGivenList(given) ? given.flatMap(flatReferences) : [];
}

/** An argument: tensors of Keras 3 and [layer, call, output] of Keras 2 as references. */
function givenOf(value: Json): Given {
  if (isObject(value)) {
    const config = fieldOf(value, 'config');
    const className = textOf(value, 'class_name');
    if (className === '__keras_tensor__') {
      const history = fieldOf(config, 'keras_history');
      return referencesIn(history)[0] ?? fail(`an argument is ${shown(value)}, which names no layer.`);
    }
    if (className === '__numpy__' || className === '__tensor__')
      return { values: fieldOf(config, 'value') ?? null, dtype: textOf(config, 'dtype') ?? 'float32' };
    if (className === 'DTypePolicy') return textOf(config, 'name') ?? null;
    // x[1:] of Keras 3, and of TensorFlow
    const part = className === '__slice__' ? config : value;
    const [start, stop, step] = ['start', 'stop', 'step'].map((name) => fieldOf(part, name));
    const isPlace = (place: Json | undefined): place is number | null =>
      place === null || (typeof place === 'number' && Number.isInteger(place));
    if (isPlace(start) && isPlace(stop) && isPlace(step)) return { start, stop, step };
    return fail(`an argument is ${shown(value)}, which is not read.`);
  }
  if (!isList(value)) return value;
  const [reference] = value.length === 3 || value.length === 4 ? referencesIn(value) : [];
  return reference && typeof value[0] === 'string' ? reference : value.map(givenOf);
}

/**
 * Calls are counted from the first that the file has. Of models in models Keras counts the call that made them, too, and does not
 * write it: Keras 2 everywhere, Keras 3 in the outputs of a model alone, and for graphs alone.
 */
function renumbered(topology: Topology): Topology {
  const inCalls = topology.layers.flatMap(({ calls }) =>
    calls.flatMap(({ inputs, options }) => [...inputs, ...Object.values(options).flatMap(flatReferences)]),
  );
  const offsets = (references: readonly Reference[], areOutputs: boolean): ReadonlyMap<string, number> => {
    const ranges = new Map<string, { least: number; most: number }>();
    for (const { layer, call } of references) {
      const { least, most } = ranges.get(layer) ?? { least: call, most: call };
      ranges.set(layer, { least: Math.min(least, call), most: Math.max(most, call) });
    }
    const found = topology.layers.map(({ name, calls, model }): [string, number] => {
      const range = ranges.get(name);
      if (!range || range.least === 0) return [name, 0];
      const isCounted = model !== undefined && (topology.generation < 3 || (areOutputs && !model.isSequential));
      return [name, isCounted || range.most >= calls.length ? 1 : 0];
    });
    return new Map(found);
  };
  const [ofCalls, ofOutputs] = [offsets(inCalls, false), offsets(topology.outputs, true)];
  const moved = (reference: Reference, by = ofCalls): Reference => ({
    ...reference,
    call: reference.call - (by.get(reference.layer) ?? 0),
  });
  const movedGiven = (given: Given): Given => {
    if (isReference(given)) return moved(given);
    return isGivenList(given) ? given.map(movedGiven) : given;
  };
  return {
    ...topology,
    outputs: topology.outputs.map((output) => moved(output, ofOutputs)),
    layers: topology.layers.map((layer) => ({
      ...layer,
      calls: layer.calls.map(({ inputs, options, args }) => ({
        inputs: inputs.map((input) => moved(input)),
        ...(args && { args: args.map(movedGiven) }),
        options: Object.fromEntries(Object.entries(options).map(([name, value]) => [name, movedGiven(value)])),
      })),
    })),
  };
}

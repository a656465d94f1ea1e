/**
 * Where Keras looks for the values of a model: by path (Keras 3), by layer and order (`.h5` of Keras 1 to 3), or by name
 * (TensorFlow.js). Owns these three layouts; what a variable is, is `variable.ts`, and what a file is, `../save.ts`.
 */
import { excerpt, FormatError, type Parameter } from '@nn/core';
import type { HdfOutput } from '../formats/hdf5-write.ts';
import type { Graph, GraphLayer } from '../graph.ts';
import { canonicalName } from '../layers/table.ts';
import type { Variable } from './variable.ts';

/** The values of variables in Keras' shapes, of one moment. */
async function valuesOf(variables: readonly Variable[]): Promise<Float32Array[]> {
  return Promise.all(
    variables.map(async ({ parameters, encode }) => {
      const values = await Promise.all(parameters.map((parameter) => parameter.data()));
      return encode(values.map((data) => (data instanceof Float32Array ? data : Float32Array.from(data))));
    }),
  );
}

/** Whether everything that a layer could train is frozen; null where there is nothing. */
export function isFrozen({ built }: GraphLayer): boolean | null {
  const trained = built.variables.filter(({ isTrainable }) => isTrainable);
  return trained.length === 0 ? null : trained.every(({ parameters }) => parameters.every(({ frozen }) => frozen));
}

/** Operations that Keras 3 records are no layers of its models. */
const isOperation = ({ entry }: GraphLayer): boolean => entry.module?.includes('.ops') === true;

/** Layers that draw random numbers kept the state of their generator beside their variables before Keras 3.9. */
const drawing = /^(Dropout|SpatialDropout\dD|GaussianDropout|GaussianNoise|AlphaDropout)$/;
const cells = /^(LSTM|GRU|SimpleRNN)$/;

/** The layout of Keras 3: `layers/dense/vars/0`. */
export async function weightsByPath(graph: Graph): Promise<HdfOutput> {
  const variables = graph.variables();
  const values = await valuesOf(variables);
  const names = new Map([['vars', graph.topology.name]]);
  const seeds: string[] = [];
  const visit = (at: Graph, prefix: string): void => {
    for (const [k, { layer }] of at.topology.isSequential ? [] : at.topology.inputs.entries())
      names.set(`${prefix}layers/input_layer${k === 0 ? '' : `_${k}`}/vars`, layer);
    const keys = at.keys();
    for (const layer of at.inOrder()) {
      if (isOperation(layer)) continue;
      const { entry, graph: inner } = layer;
      const path = `${prefix}layers/${keys.get(entry.name)}`;
      names.set(`${path}/vars`, entry.name);
      const name = canonicalName(entry.className);
      if (drawing.test(name)) seeds.push(`${path}/seed_generator/vars/0`);
      if (cells.test(name)) seeds.push(`${path}/cell/seed_generator/vars/0`);
      if (inner) visit(inner, `${path}/`);
    }
  };
  visit(graph, '');
  const arrays = variables.map(({ path, shape }, k) => ({ path, shape, data: values[k]! }));
  const states = seeds.map((path) => ({ path, shape: [2], data: new Uint32Array(2) }));
  return {
    groups: ['layers', ...names.keys()],
    texts: [...names].map(([group, name]) => [group, 'name', name]),
    arrays: [...arrays, ...states],
  };
}

/**
 * Keras reads the arrays of a layer by their order: what is trained in front of what is not. What is frozen stands with the
 * latter, in models in models layer by layer.
 */
function legacyOrder(layer: GraphLayer): readonly Variable[] {
  const last = new Set<Parameter>();
  const visit = (at: GraphLayer): void => {
    if (at.graph) at.graph.inOrder().forEach(visit);
    else if (isFrozen(at)) for (const { parameters } of at.built.variables) for (const one of parameters) last.add(one);
  };
  visit(layer);
  const { variables } = layer.built;
  const isFirst = ({ isTrainable, parameters }: Variable): boolean =>
    isTrainable && !parameters.some((parameter) => last.has(parameter));
  return [...variables.filter(isFirst), ...variables.filter((variable) => !isFirst(variable))];
}

/** The layout of `.h5`: below `model_weights` a group for each layer, which lists the names of its arrays in their order. */
export async function weightsByLayer(graph: Graph, version: string): Promise<HdfOutput> {
  const { topology } = graph;
  const isNewer = topology.generation === 3;
  const layers = graph.inOrder().filter((layer) => !isOperation(layer));
  const inputs = topology.isSequential ? [] : topology.inputs.map(({ layer }) => layer);
  const texts: [string, string, string | readonly string[]][] = [
    ['model_weights', 'keras_version', version],
    ['model_weights', 'backend', 'tensorflow'],
    ['model_weights', 'layer_names', [...inputs, ...layers.map(({ entry }) => entry.name)]],
    ['model_weights/top_level_model_weights', 'weight_names', []],
    ...inputs.map((layer): [string, string, readonly string[]] => [`model_weights/${layer}`, 'weight_names', []]),
  ];
  const arrays: { path: string; shape: readonly number[]; data: Float32Array }[] = [];
  for (const layer of layers) {
    const { name } = layer.entry;
    const variables = legacyOrder(layer);
    const values = await valuesOf(variables);
    // Keras 3 puts the name of a Sequential in front, Keras 2 a number behind
    const prefix = isNewer && topology.isSequential ? `${topology.name}/${name}` : name;
    const names = variables.map((variable) => `${prefix}/${variable.name}${isNewer ? '' : ':0'}`);
    texts.push([`model_weights/${name}`, 'weight_names', names]);
    for (const [k, { shape }] of variables.entries())
      arrays.push({ path: `model_weights/${name}/${names[k]}`, shape, data: values[k]! });
  }
  return { groups: [], texts, arrays };
}

/** An array in the manifest of TensorFlow.js. */
export interface NamedArray {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** The layout of TensorFlow.js: by the names of the layers themselves, whatever models they stand in. */
export async function weightsByName(graph: Graph): Promise<readonly NamedArray[]> {
  const named: { name: string; variable: Variable }[] = [];
  const visit = (at: Graph): void => {
    for (const { entry, built, graph: inner } of at.inOrder()) {
      if (inner) visit(inner);
      else {
        // the word for it before Keras 3
        const isDepthwise = entry.className === 'DepthwiseConv2D';
        const nameOf = ({ name }: Variable): string => (isDepthwise && name === 'kernel' ? 'depthwise_kernel' : name);
        named.push(...built.variables.map((variable) => ({ name: `${entry.name}/${nameOf(variable)}`, variable })));
      }
    }
  };
  visit(graph);
  const seen = new Set<string>();
  for (const { name } of named) {
    if (seen.has(name)) {
      throw new FormatError(
        'encodeTfjs/names',
        `two arrays would be named '${excerpt(name)}', and TensorFlow.js finds them by name alone: give the layers of models in models names of their own.`,
        { name },
      );
    }
    seen.add(name);
  }
  const values = await valuesOf(named.map(({ variable }) => variable));
  return named.map(({ name, variable: { shape } }, k) => ({ name, shape, data: values[k]! }));
}

/**
 * A Keras graph that runs: layers are built when they are first called, for what they are called with, and called in the
 * order of their inputs. Owns the order and the names of layers in errors, no layer (`layers/`) and no edge of a model (`model.ts`).
 */
import { excerpt, FormatError, isNNError, type Shape, ShapeError, treeChildren } from '@nn/core';
import { fieldOf, isObject, type JsonObject, textOf } from './config/json.ts';
import { type Generation, Settings } from './config/settings.ts';
import {
  type Given,
  isGivenList,
  isModel,
  isReference,
  type LayerEntry,
  parseTopology,
  type Reference,
  type Topology,
} from './config/topology.ts';
import { customBuilder, type LayerRegistry, registered } from './layers/custom.ts';
import { type Argument, type BuildContext, type Builder, type BuiltLayer, withMasks } from './layers/layer.ts';
import { builderOf } from './layers/table.ts';
import type { Value } from './value.ts';
import { numbering } from './weights/names.ts';
import { below, type Variable } from './weights/variable.ts';

/** A layer that has been built. */
export interface GraphLayer {
  readonly entry: LayerEntry;
  readonly built: BuiltLayer;
  /** The graph of a model among the layers. */
  readonly graph?: Graph;
}

/** A layer or model that is not read, and why. */
export interface Unsupported {
  readonly layer: string;
  readonly className: string;
}

/** All layers of a model, and of models in it, that are not read here. */
export function unsupportedLayers(topology: Topology, registry: LayerRegistry): Unsupported[] {
  return topology.layers.flatMap((entry): Unsupported[] => {
    const { name, className, config, module, model } = entry;
    if (model) return unsupportedLayers(model, registry);
    if (registered(registry, entry)) return [];
    const settings = new Settings(name, className, config, topology.generation);
    if (!builderOf(className, module, settings)) return [{ layer: name, className }];
    // the layer inside of a wrapper
    return ['layer', 'backward_layer'].flatMap((key) => {
      const inner = fieldOf(config, key);
      const innerClass = textOf(inner, 'class_name');
      if (!isObject(inner) || innerClass === undefined || isModel(inner)) return [];
      const innerConfig = fieldOf(inner, 'config');
      const one: LayerEntry = {
        name,
        className: innerClass,
        config: isObject(innerConfig) ? innerConfig : {},
        calls: [],
      };
      return unsupportedLayers({ ...topology, layers: [one] }, registry);
    });
  });
}

/** How many numbers a model may hold; what its file has. */
export interface Budget {
  left: number;
}

/** Is told what each call gave: `layer/call` behind the names of the models around it. */
export type Observer = (path: string, results: readonly Value[]) => void;

export class Graph {
  readonly topology: Topology;
  readonly layers: Map<string, GraphLayer> = new Map();
  readonly #registry: LayerRegistry;
  readonly #budget: Budget;
  readonly #order: readonly { readonly entry: LayerEntry; readonly call: number }[];
  #observer: Observer | null = null;

  constructor(topology: Topology, registry: LayerRegistry, budget: Budget) {
    this.topology = topology;
    this.#registry = registry;
    this.#budget = budget;
    this.#order = orderOf(topology);
    Object.defineProperty(this, treeChildren, { value: () => this.children() });
  }

  /** The layers' parameters by the names of the layers, in Keras' order. */
  children(): Record<string, unknown> {
    const children: Record<string, unknown> = {};
    for (const { entry, built, graph } of this.inOrder()) {
      const child = graph ?? built.module;
      if (child !== null) children[entry.name] = child;
    }
    return children;
  }

  /** The layers that were built, in Keras' order. */
  inOrder(): GraphLayer[] {
    return this.topology.layers.flatMap(({ name }) => this.layers.get(name) ?? []);
  }

  /** All variables of the graph. */
  variables(): readonly Variable[] {
    return this.perLayer().flatMap(({ variables }) => variables);
  }

  /** The variables of each layer under Keras' names, and the paths that Keras 3 gives them. */
  perLayer(): { readonly layer: string; readonly variables: readonly Variable[] }[] {
    const keys = this.keys();
    return this.inOrder().map(({ entry, built }) => ({
      layer: entry.name,
      variables: built.variables.map((variable) => below(variable, `layers/${keys.get(entry.name)}`, `${entry.name}/`)),
    }));
  }

  /** What Keras 3 calls the layers in files: their classes, numbered in the order of the layers. */
  keys(): ReadonlyMap<string, string> {
    const numbered = numbering();
    // the class that its users know as GroupQueryAttention
    const nameOf = (className: string): string =>
      className === 'GroupQueryAttention' ? 'GroupedQueryAttention' : className;
    return new Map(this.topology.layers.map(({ name, className }) => [name, numbered(nameOf(className))]));
  }

  /** Calls every layer; in the first run they are built. */
  run(inputs: readonly Value[], observer: Observer | null = null): readonly Value[] {
    const { topology } = this;
    if (inputs.length !== topology.inputs.length) {
      throw new ShapeError(
        'KerasModel',
        `'${excerpt(topology.name)}' takes ${topology.inputs.length} inputs (${topology.inputs.map(({ layer }) => excerpt(layer)).join(', ')}), got ${inputs.length}.`,
        { inputs: topology.inputs.length, given: inputs.length },
      );
    }
    const results = new Map<string, readonly Value[]>();
    const keep = (key: string, values: readonly Value[]): void => {
      results.set(key, values);
      observer?.(key, values);
    };
    for (const [k, { layer }] of topology.inputs.entries()) keep(`${layer}/0`, [inputs[k]!]);
    const find = ({ layer, call, output }: Reference): Value => {
      const found = results.get(`${layer}/${call}`)?.[output];
      if (found) return found;
      throw new FormatError(
        'loadKeras/topology',
        `there is no result ${output} of call ${call} of the layer '${excerpt(layer)}'; the file is damaged.`,
      );
    };
    const resolve = (given: Given): Argument => {
      if (isReference(given)) return find(given);
      return isGivenList(given) ? given.map(resolve) : given;
    };
    this.#observer = observer;
    for (const { entry, call } of this.#order) {
      const { inputs: from, options } = entry.calls[call]!;
      const arguments_ = Object.fromEntries(Object.entries(options).map(([name, value]) => [name, resolve(value)]));
      const result = this.#call(entry, from.map(find), arguments_);
      keep(`${entry.name}/${call}`, 'tensor' in result ? [result] : result);
    }
    this.#observer = null;
    return topology.outputs.map(find);
  }

  #call(
    entry: LayerEntry,
    inputs: readonly Value[],
    options: Readonly<Record<string, Argument>>,
  ): Value | readonly Value[] {
    try {
      const masked = withMasks(inputs, options);
      let layer = this.layers.get(entry.name);
      if (!layer) {
        layer = this.#build(entry, masked);
        this.layers.set(entry.name, layer);
      }
      return layer.built.call(masked, options);
    } catch (error) {
      throw inLayer(error, entry);
    }
  }

  #build(entry: LayerEntry, inputs: readonly Value[]): GraphLayer {
    const { name, className, config, model } = entry;
    if (model && !registered(this.#registry, entry)) {
      const graph = new Graph(model, this.#registry, this.#budget);
      graph.run(inputs);
      const call: BuiltLayer['call'] = (given) => {
        const observer = this.#observer;
        const results = graph.run(given, observer && ((path, found) => observer(`${name}/${path}`, found)));
        return results.length === 1 ? results[0]! : results;
      };
      const built = { module: graph, variables: graph.variables(), call };
      applyFreezing(built, config);
      return { entry, built, graph };
    }
    const settings = new Settings(name, className, config, this.topology.generation);
    const built = this.#builderOf(entry, settings)(settings, inputs, this.#context(entry));
    applyFreezing(built, config);
    return { entry, built };
  }

  #builderOf(entry: LayerEntry, settings: Settings): Builder {
    const own = registered(this.#registry, entry);
    if (own) return customBuilder(own, entry);
    return (
      builderOf(entry.className, entry.module, settings) ??
      settings.fail('is not read here; give a layer of your own for it: { layers: { ... } }.')
    );
  }

  #context(entry: LayerEntry): BuildContext {
    return {
      build: (description: JsonObject, inputs) => {
        const inner = this.#innerEntry(description, entry);
        return this.#build(inner, inputs).built;
      },
      reserve: (settings, ...shapes: readonly Shape[]) => {
        const count = shapes.reduce((sum, shape) => sum + shape.reduce((product, size) => product * size, 1), 0);
        this.#budget.left -= count;
        if (this.#budget.left < 0)
          settings.fail(
            `holds ${count} numbers, more than the file has left; the weights are of another model, or the file is damaged.`,
          );
      },
    };
  }

  #innerEntry(description: JsonObject, outer: LayerEntry): LayerEntry {
    const className = textOf(description, 'class_name');
    const config = fieldOf(description, 'config');
    const module = textOf(description, 'module');
    const registeredName = textOf(description, 'registered_name');
    const generation: Generation = this.topology.generation;
    const model = isModel(description) ? parseTopology(description, generation) : undefined;
    return {
      name: textOf(config, 'name') ?? outer.name,
      className: className ?? '',
      config: isObject(config) ? config : {},
      calls: [],
      ...(module !== undefined && { module }),
      ...(registeredName !== undefined && { registeredName }),
      ...(model && { model }),
    };
  }
}

/** What Keras has frozen stays frozen: `trainable: false`. */
function applyFreezing({ variables }: BuiltLayer, config: JsonObject): void {
  if (fieldOf(config, 'trainable') !== false) return;
  for (const { parameters } of variables) for (const parameter of parameters) parameter.frozen = true;
}

/** Says in an error of nn which layer it comes from. */
function inLayer(error: unknown, { name, className }: LayerEntry): unknown {
  const label = `'${excerpt(name)}'`;
  if (!isNNError(error) || error.message.includes(label)) return error;
  error.message = `${error.message} (layer ${label}, ${excerpt(className)})`;
  return error;
}

/** Every call after those that it needs. Throws a `FormatError` for circles and for layers that are not there. */
function orderOf({ layers, inputs }: Topology): { readonly entry: LayerEntry; readonly call: number }[] {
  const byName = new Map(layers.map((entry) => [entry.name, entry]));
  const ready = new Set(inputs.map(({ layer }) => `${layer}/0`));
  const waiting = new Map<string, { readonly entry: LayerEntry; readonly call: number; missing: number }>();
  const users = new Map<string, string[]>();
  const order: { readonly entry: LayerEntry; readonly call: number }[] = [];
  const queue: string[] = [];
  for (const entry of layers) {
    for (const [call, { inputs: from, options }] of entry.calls.entries()) {
      const key = `${entry.name}/${call}`;
      const needs = new Set(
        [...from, ...Object.values(options).flatMap(referencesOf)].map(
          (reference) => `${reference.layer}/${reference.call}`,
        ),
      );
      let missing = 0;
      for (const need of needs) {
        if (ready.has(need)) continue;
        const at = need.lastIndexOf('/');
        const other = byName.get(need.slice(0, at));
        if (!other || !(Number(need.slice(at + 1)) < other.calls.length)) {
          throw new FormatError(
            'loadKeras/topology',
            `layer '${excerpt(entry.name)}' takes a result of '${excerpt(need.slice(0, at))}' that the file does not have.`,
          );
        }
        missing++;
        users.set(need, [...(users.get(need) ?? []), key]);
      }
      waiting.set(key, { entry, call, missing });
      if (missing === 0) queue.push(key);
    }
  }
  for (let at = 0; at < queue.length; at++) {
    const key = queue[at]!;
    const { entry, call } = waiting.get(key)!;
    order.push({ entry, call });
    for (const user of users.get(key) ?? []) {
      const other = waiting.get(user)!;
      if (--other.missing === 0) queue.push(user);
    }
  }
  if (order.length < waiting.size) {
    throw new FormatError('loadKeras/topology', 'the layers of the model form a circle; the file is damaged.');
  }
  return order;
}

function referencesOf(given: Given): Reference[] {
  if (isReference(given)) return [given];
  return isGivenList(given) ? given.flatMap(referencesOf) : [];
}

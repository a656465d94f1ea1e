/** Adapters of a model: added, chosen, merged, taken away. Owns the public functions; what happens at a layer is host.ts. */
import { checkOptions, namedParameters, type Parameter, parameters, ValueError } from '@nn/core';
import { Embedding, layersOf } from '@nn/layers';
import {
  type Adapted,
  type Host,
  hostOf,
  type LayerAdapter,
  mergeable,
  mergeHost,
  unmergeHost,
  type WeightHost,
  weightHostsOf,
} from './host.ts';
import { Ia3 } from './ia3.ts';
import { loraOf } from './lora.ts';
import { makePrefixes, PrefixHost, type PrefixOptions, prefixHostsOf } from './prefix.ts';
import { type AdapterTargets, type Target, targetsOf } from './targets.ts';

interface AdapterOptions {
  /** Which layers: paths or the ends of paths ('q_proj'), a regular expression, a test. Default: every Linear, Conv and attention. */
  readonly targets?: AdapterTargets;
  /** The adapter's name. Default 'default'. */
  readonly name?: string;
}

export interface LoraOptions extends AdapterOptions {
  /** Default 8. */
  readonly rank?: number;
  /** What B A is multiplied with is alpha / rank. Default 8. */
  readonly alpha?: number;
  /** rsLoRA: alpha / sqrt(rank), so that large ranks learn as fast (Kalajdzievski 2023). Default false. */
  readonly rankStabilized?: boolean;
  /** DoRA: the lengths of the weight's rows are learned apart from their directions (Liu et al. 2024). Default false. */
  readonly decomposed?: boolean;
  /** Share of the inputs of A that is dropped in training. Default 0. */
  readonly dropout?: number;
}

/** An adapter that was added. */
export interface Adapter {
  readonly name: string;
  /** The layers that it stands beside. */
  readonly paths: readonly string[];
  /** What it learns; all other parameters of the model are frozen. */
  readonly parameters: readonly Parameter[];
}

/**
 * Low-rank adapters beside Linear, Conv, Embedding and attention layers: y = W x + alpha / rank B A x, where A [rank, inputs] and B
 * [outputs, rank] alone are trained. B starts at 0, so the model begins as it was. The other parameters are frozen, and the adapter is
 * the one in use. (Hu et al. 2022; PEFT's `LoraConfig`.)
 *
 * A layer whose weight has few bits (QLoRA) is a base like any other. Throws ValueError where no layer fits, and for a name that is taken.
 *
 * @example
 * import { addLora } from '@nn/compress';
 * import { parameters } from '@nn/core';
 * import { Linear, ReLU, Sequential } from '@nn/layers';
 * const model = new Sequential(new Linear(64, 64), new ReLU(), new Linear(64, 10));
 * const { paths } = addLora(model, { rank: 4, targets: '0' });
 * console.log(paths, parameters(model).reduce((sum, { size }) => sum + size, 0)); // => [ '0' ] 512
 */
export function addLora(model: object, options: LoraOptions = {}): Adapter {
  checkOptions('addLora', options, ['targets', 'name', 'rank', 'alpha', 'rankStabilized', 'decomposed', 'dropout']);
  const { rank = 8, alpha = 8, rankStabilized = false, decomposed = false, dropout = 0 } = options;
  if (!(Number.isInteger(rank) && rank > 0))
    throw new ValueError('addLora', `rank is ${rank}: it must be a whole number above 0.`);
  if (!(dropout >= 0 && dropout < 1))
    throw new ValueError('addLora', `dropout is ${dropout}: it must be from 0 to below 1.`);
  return add('addLora', model, options, (target) =>
    loraOf(target, { rank, alpha, rankStabilized, decomposed, dropout }),
  );
}

export interface Ia3Options extends AdapterOptions {
  /** Those of the layers whose inputs are scaled instead of their outputs: the second of a feed-forward pair. Default: none. */
  readonly feedForward?: AdapterTargets;
}

/**
 * Learns factors alone: one for each output of the chosen layers, of those in `feedForward` one for each input; of attention layers for
 * keys and values. They start at 1. (Liu et al. 2022; PEFT's `IA3Config`.)
 *
 * @example
 * import { addIa3 } from '@nn/compress';
 * import { Linear, ReLU, Sequential } from '@nn/layers';
 * const model = new Sequential(new Linear(8, 16), new ReLU(), new Linear(16, 4));
 * const { parameters } = addIa3(model, { feedForward: '2' });
 * console.log(parameters.map(({ shape }) => shape)); // => [[16, 1], [1, 16]]
 */
export function addIa3(model: object, options: Ia3Options = {}): Adapter {
  checkOptions('addIa3', options, ['targets', 'name', 'feedForward']);
  const { feedForward } = options;
  const inside = feedForward === undefined ? [] : targetsOf('addIa3', model, feedForward);
  const paths = new Set(inside.map(({ path }) => path));
  return add('addIa3', model, options, (target) => {
    if (target.kind === 'embedding')
      throw new ValueError('addIa3', `${target.path} is a table, which IA3 does not scale.`);
    return new Ia3(target, paths.has(target.path));
  });
}

/**
 * Keys and values in front of those of attention layers, which every query sees whatever its mask: they alone are trained. The other
 * parameters are frozen, and the adapter is the one in use. (Li and Liang 2021; PEFT's `PrefixTuningConfig`.)
 *
 * Unlike other adapters a prefix changes the model from the first, costs a little in each call, and cannot be merged into weights.
 * GPT-2 and BERT count it among their positions, as Hugging Face does, so as many tokens fewer fit. Of prefixes before one layer one is
 * in use at a time. Throws ValueError where no attention fits, and for a name that is taken.
 *
 * @example
 * import { addPrefix } from '@nn/compress';
 * import { parameters } from '@nn/core';
 * import { GPT2 } from '@nn/text';
 * const model = new GPT2({ vocabularySize: 50, contextLength: 32, dimension: 16, layers: 2, heads: 2 });
 * const { paths } = addPrefix(model, { length: 5 });
 * console.log(paths, parameters(model).map(({ shape }) => shape)); // => [ 'transformer.h.0.attn', 'transformer.h.1.attn' ] [[5, 32], [5, 32]]
 */
export function addPrefix(model: object, options: PrefixOptions = {}): Adapter {
  return attach('addPrefix', model, options.name, () => makePrefixes(model, options));
}

function add(
  operation: string,
  model: object,
  { targets, name }: AdapterOptions,
  make: (target: Target) => LayerAdapter,
): Adapter {
  return attach(operation, model, name, () =>
    targetsOf(operation, model, targets).map((target) => {
      const adapter = make(target);
      const { path, layer, field, kind } = target;
      const put = (as: string): void => {
        hostOf(path, layer, field, kind === 'attention').adapters[as] = adapter;
      };
      return { path, adapter, attach: put };
    }),
  );
}

/** An adapter of one layer that is not yet in its place. */
interface Made {
  readonly path: string;
  readonly adapter: Adapted;
  readonly attach: (name: string) => void;
}

/** Adds an adapter to layers; nothing has changed where one of them refuses. */
export function attach(
  operation: string,
  model: object,
  name: string | undefined = 'default',
  make: () => readonly Made[],
): Adapter {
  if (adapterNames(model).includes(name)) {
    throw new ValueError(
      operation,
      `there is an adapter '${name}' already: give another name, or removeAdapter(model, '${name}') first.`,
    );
  }
  checkUnmerged(operation, model);
  const made = make();
  for (const member of namedParameters(model).values()) if (!member.isBuffer) member.frozen = true;
  for (const one of made) one.attach(name);
  useAdapters(model, [name]);
  return {
    name,
    paths: made.map(({ path }) => path),
    parameters: [...new Set(made.flatMap(({ adapter }) => parameters(adapter)))],
  };
}

/** The layers of a model that have adapters. */
function hostsOf(model: object): Host[] {
  return [...weightHostsOf(model), ...prefixHostsOf(model)];
}

function checkUnmerged(operation: string, model: object): void {
  if (weightHostsOf(model).every(({ before }) => before === null)) return;
  throw new ValueError(operation, 'adapters are merged into the weights: unmergeAdapters(model) first.');
}

/** The names of a model's adapters. */
export function adapterNames(model: object): string[] {
  return [...new Set(hostsOf(model).flatMap(({ adapters }) => Object.keys(adapters)))];
}

/**
 * Chooses the adapters that take part and are trained, without copying a weight: one, several (their changes add up), or none.
 * Throws ValueError for a name that is not there, and while adapters are merged.
 *
 * @example
 * import { addLora, useAdapters } from '@nn/compress';
 * import { parameters } from '@nn/core';
 * import { Linear } from '@nn/layers';
 * const model = { body: new Linear(4, 4) };
 * addLora(model, { name: 'french', rank: 1 });
 * addLora(model, { name: 'german', rank: 2 });
 * useAdapters(model, ['french']);
 * console.log(parameters(model).map(({ shape }) => shape)); // => [[1, 4], [4, 1]]
 */
export function useAdapters(model: object, names: readonly string[]): void {
  const all = adapterNames(model);
  const unknown = names.find((name) => !all.includes(name));
  if (unknown !== undefined) {
    throw new ValueError(
      'useAdapters',
      `there is no adapter '${unknown}': ${all.length === 0 ? 'the model has none' : `there are ${all.join(', ')}`}.`,
    );
  }
  checkUnmerged('useAdapters', model);
  const hosts = hostsOf(model);
  const clash = hosts.find((host) => {
    const used = names.flatMap((name) => host.adapters[name] ?? []);
    return used.length > 1 && (host instanceof PrefixHost || used.some(({ settings }) => settings.use_dora === true));
  });
  if (clash !== undefined) {
    throw new ValueError(
      'useAdapters',
      clash instanceof PrefixHost
        ? `${clash.path}: two prefixes would stand before one attention, each learned to be the only one: use one of them.`
        : `${clash.path}: DoRA sets the lengths of rows, which does not add up with other adapters: use it alone.`,
    );
  }
  for (const host of hosts) {
    host.active = names.filter((name) => host.adapters[name] !== undefined);
    for (const [name, { tensors }] of Object.entries(host.adapters)) {
      for (const member of Object.values(tensors)) member.frozen = !names.includes(name);
    }
  }
}

/**
 * Puts the adapters in use into the weights, so that the model costs what it did without. What the weights were is kept until
 * `unmergeAdapters`, so they come back to the bit; with `forget` it is not, and the adapters are gone. Gives the paths of the layers.
 *
 * Throws ValueError, and merges nothing, where a weight has few bits or is computed from others, where others read it too (tied
 * weights), and while a prefix is in use.
 *
 * @example
 * import { cpu } from '@nn/backend-cpu';
 * import { addLora, mergeAdapters, unmergeAdapters } from '@nn/compress';
 * import { setDefaultBackend } from '@nn/core';
 * import { Linear } from '@nn/layers';
 * setDefaultBackend(cpu());
 * const model = { body: new Linear(4, 4) };
 * addLora(model, { rank: 2 });
 * console.log(mergeAdapters(model), unmergeAdapters(model)); // => [ 'body' ] [ 'body' ]
 */
export function mergeAdapters(model: object, options: { readonly forget?: boolean } = {}): string[] {
  checkOptions('mergeAdapters', options, ['forget']);
  const prefix = prefixHostsOf(model).find(({ part }) => part !== null);
  if (prefix !== undefined) {
    const others = [...new Set(weightHostsOf(model).flatMap(({ active }) => active))];
    throw new ValueError(
      'mergeAdapters',
      `'${prefix.active[0]}' is a prefix, keys and values that no weight can hold: it stays as it is in inference, and others are merged after useAdapters(model, [${others.map((name) => `'${name}'`).join(', ')}]).`,
    );
  }
  return mergeWeights(model, options.forget === true);
}

/** As `mergeAdapters`, of weights alone: prefixes stay. */
export function mergeWeights(model: object, forget: boolean): string[] {
  const hosts = weightHostsOf(model);
  const used = hosts.filter(({ active, before }) => active.length > 0 && before === null);
  // none where one cannot
  for (const host of used) checkAlone(model, host, mergeable(host));
  for (const host of used) mergeHost(host);
  if (forget) for (const host of hosts) host.restore();
  return used.map(({ path }) => path);
}

/** Throws ValueError where others read the weight that would change, too: the adapter is of one layer alone. */
function checkAlone(model: object, { path, layer }: WeightHost, weight: Parameter): void {
  const other = layersOf(model).find((found) => found.layer !== layer && Object.values(found.layer).includes(weight));
  const what =
    other !== undefined
      ? `${other.path} has the same weight`
      : layer instanceof Embedding && layer.tied
        ? 'its table makes the scores of the output, too'
        : null;
  if (what === null) return;
  throw new ValueError(
    'mergeAdapters',
    `${path}: ${what}, which would change with it and not be what was trained: leave this adapter unmerged, as it stands beside its layer.`,
  );
}

/** Gives the weights back what they were before `mergeAdapters`, to the bit. Gives the paths of the layers. */
export function unmergeAdapters(model: object): string[] {
  const merged = weightHostsOf(model).filter(({ before }) => before !== null);
  for (const host of merged) unmergeHost(host);
  return merged.map(({ path }) => path);
}

/** Takes an adapter away. Throws ValueError where it is not, and while adapters are merged. */
export function removeAdapter(model: object, name = 'default'): void {
  const rest = (host: Host): readonly string[] => host.active.filter((other) => other !== name);
  const hosts = hostsOf(model).filter(({ adapters }) => adapters[name] !== undefined);
  if (hosts.length === 0) {
    const names = adapterNames(model);
    throw new ValueError(
      'removeAdapter',
      `there is no adapter '${name}': ${names.length === 0 ? 'the model has none' : `there are ${names.join(', ')}`}.`,
    );
  }
  checkUnmerged('removeAdapter', model);
  for (const host of hosts) {
    host.active = rest(host);
    Reflect.deleteProperty(host.adapters, name);
    if (Object.keys(host.adapters).length === 0) host.restore();
  }
}

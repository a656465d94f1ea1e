/**
 * A layer that has adapters: which there are, which are in use, and whether they are merged into its weight. Owns standing around
 * the layer's `forward` and giving its weight back; what an adapter computes is lora.ts and ia3.ts, prefixes are in prefix.ts.
 */
import { isParameter, type Parameter, parameter, type Tensor, ValueError } from '@nn/core';
import { layersOf, parametrize } from '@nn/layers';

/** What every adapter of a layer has. Its parameters are fields, so that models find them. */
export interface Adapted {
  /** By PEFT's names, behind the path of the layer: 'lora_A.weight'; those of a prefix have none. */
  readonly tensors: Readonly<Record<string, Parameter>>;
  /** What the file of settings says. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** A layer with its adapters. */
export interface Host<A extends Adapted = Adapted> {
  readonly path: string;
  readonly adapters: Record<string, A>;
  active: readonly string[];
  /** Makes the layer what it was before it had adapters. */
  restore(): void;
}

/** What an adapter does to one layer. */
export interface LayerAdapter extends Adapted {
  /** In place of a call: `call` is the layer, or what stands around it already. */
  around(input: Tensor, call: (input: Tensor) => Tensor): Tensor;
  /** The weight with the adapter inside. */
  weightWith(weight: Tensor): Tensor;
  /** The bias with the adapter inside, where it changes. */
  biasWith?(bias: Tensor): Tensor;
}

/** A layer whose weight adapters change. */
export interface WeightHost extends Host<LayerAdapter> {
  readonly layer: object;
  /** The field that merging changes: 'weight', of attention 'inProjWeight'. */
  readonly field: string;
  /** The weight and bias as they were before merging; null where nothing is merged. */
  before: ReadonlyMap<Parameter, Parameter> | null;
}

const hosts = /* @__PURE__ */ new WeakMap<object, WeightHost>();

/** The layers of a model whose weights have adapters. */
export function weightHostsOf(model: object): WeightHost[] {
  return layersOf(model).flatMap(({ path, layer }) => {
    const host = hosts.get(layer);
    return host === undefined ? [] : [{ ...host, path }].map((named) => Object.assign(host, { path: named.path }));
  });
}

/** Makes a layer one that may have adapters. `isByWeight`: its weight is asked for by itself, and has them inside always. */
export function hostOf(path: string, layer: object, field: string, isByWeight: boolean): WeightHost {
  const known = hosts.get(layer);
  if (known !== undefined) return known;
  const adapters: Record<string, LayerAdapter> = {};
  const inUse = (host: WeightHost): LayerAdapter[] =>
    host.before === null ? host.active.flatMap((name) => adapters[name] ?? []) : [];
  Object.defineProperty(layer, 'adapters', { value: adapters, enumerable: true, configurable: true });
  const restore = isByWeight
    ? aroundWeight(layer, field, (weight) => inUse(host).reduce((all, one) => one.weightWith(all), weight))
    : aroundForward(layer, (input, call) => {
        // the first is next to the layer, as it is the first to be merged
        const all = inUse(host).reduce((inner, one) => (x: Tensor) => one.around(x, inner), call);
        return all(input);
      });
  const host: WeightHost = {
    path,
    layer,
    field,
    adapters,
    active: [],
    before: null,
    restore: () => {
      restore();
      Reflect.deleteProperty(layer, 'adapters');
      hosts.delete(layer);
    },
  };
  hosts.set(layer, host);
  return host;
}

function aroundForward(layer: object, adapted: (input: Tensor, call: (input: Tensor) => Tensor) => Tensor): () => void {
  const own = Object.getOwnPropertyDescriptor(layer, 'forward');
  const forward: unknown = Reflect.get(layer, 'forward');
  if (typeof forward !== 'function') throw new ValueError('adapters', `${String(layer)} has no forward.`);
  const call = (input: Tensor): Tensor => Reflect.apply(forward, layer, [input]);
  Object.defineProperty(layer, 'forward', {
    configurable: true,
    writable: true,
    // what adapters add is to all outputs: those of projections of attention that are wanted alone are taken of it
    value: (input: Tensor, outputs?: readonly [from: number, to: number]): Tensor => {
      const all = adapted(input, call);
      if (outputs === undefined) return all;
      const rest = all.shape.slice(0, -1);
      return all.slice([...rest.map(() => 0), outputs[0]], [...rest, outputs[1]]);
    },
  });
  return () => {
    if (own === undefined) Reflect.deleteProperty(layer, 'forward');
    else Object.defineProperty(layer, 'forward', own);
  };
}

function aroundWeight(layer: object, field: string, adapted: (weight: Tensor) => Tensor): () => void {
  const weight: unknown = Reflect.get(layer, field);
  if (!isParameter(weight)) throw new ValueError('adapters', `${String(layer)} has no parameter ${field} of its own.`);
  parametrize(layer, field, { [`${field}Base`]: weight }, () => adapted(weight));
  return () => {
    Reflect.deleteProperty(layer, `${field}Base`);
    Object.defineProperty(layer, field, { value: weight, enumerable: true, configurable: true, writable: true });
  };
}

/** The weight that adapters stand beside, without them. */
export function baseWeight({ layer, field }: Pick<WeightHost, 'layer' | 'field'>): Parameter | null {
  const own = Object.getOwnPropertyDescriptor(layer, field);
  const value: unknown = own?.get === undefined ? own?.value : Reflect.get(layer, `${field}Base`);
  return isParameter(value) && value.dtype === 'float32' ? value : null;
}

/** The weight that is merged into. Throws ValueError where there is none. */
export function mergeable(host: WeightHost): Parameter {
  const weight = baseWeight(host);
  if (weight !== null) return weight;
  throw new ValueError(
    'mergeAdapters',
    `the weight of ${host.path || String(host.layer)} is no float32 parameter (it is quantised, or computed from others), so nothing can be merged into it.`,
  );
}

/** Puts the adapters in use into the weight. What it was is kept, so that taking them out is exact. */
export function mergeHost(host: WeightHost): void {
  if (host.before !== null || host.active.length === 0) return;
  const weight = mergeable(host);
  const adapters = host.active.flatMap((name) => host.adapters[name] ?? []);
  const before = new Map<Parameter, Parameter>();
  const change = (of: Parameter, value: Tensor): void => {
    const copy = parameter(new Float32Array(of.size), { shape: of.shape, buffer: true });
    copy.assign(of.stopGradient());
    before.set(of, copy);
    of.assign(value.stopGradient());
  };
  const biasField = host.field === 'inProjWeight' ? 'inProjBias' : 'bias';
  const bias: unknown = Reflect.get(host.layer, biasField);
  const merged = adapters.reduce<Tensor>((all, one) => one.weightWith(all), weight);
  change(weight, merged);
  if (isParameter(bias) && adapters.some(({ biasWith }) => biasWith !== undefined)) {
    change(
      bias,
      adapters.reduce<Tensor>((all, one) => one.biasWith?.(all) ?? all, bias),
    );
  }
  host.before = before;
}

/** Gives the weight back what it was, to the bit. */
export function unmergeHost(host: WeightHost): void {
  if (host.before === null) return;
  for (const [of, copy] of host.before) of.assign(copy.stopGradient());
  host.before = null;
}

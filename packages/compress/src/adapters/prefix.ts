/**
 * Prefixes: keys and values that are learned, in front of those of attention layers (Li and Liang 2021). Owns what is learned, and
 * the place of it in a layer; how attention sees it is in @nn/layers.
 */
import {
  checkOptions,
  hostNormal,
  hostUniform,
  type Parameter,
  parameter,
  type Tensor,
  treeChildren,
  ValueError,
} from '@nn/core';
import { type AttentionPrefix, attentionLayersOf, type KeysAndValues, type PrefixableAttention } from '@nn/layers';
import { listed } from '../model.ts';
import type { Adapted, Host } from './host.ts';
import { type AdapterTargets, fits, shown } from './targets.ts';

export interface PrefixOptions {
  /** Before which attention: paths or the ends of paths ('self_attn'), a regular expression, a test. Default: all. */
  readonly targets?: AdapterTargets;
  /** The adapter's name. Default 'default'. */
  readonly name?: string;
  /** How many keys and values there are: PEFT's `num_virtual_tokens`. Default 20. */
  readonly length?: number;
  /**
   * Whether one small network makes the keys and values of all layers from vectors, which learns more steadily, and how wide its
   * inner layer is (true: as wide as the keys). It is gone when the adapter is saved. Default false.
   */
  readonly projection?: boolean | number;
  /** Values at the start: of the normal distribution, or all 0. Default 'normal'. */
  readonly start?: 'normal' | 'zeros';
}

/** A prefix before one attention layer. */
export interface PrefixPart extends Adapted {
  readonly length: number;
  keysAndValues(): KeysAndValues;
  /** [length, 2 * heads * width]: keys, then values, as in PEFT's files. */
  rows(): Tensor;
}

/** Where a layer of attention asks for its prefix: those that were added, of which one may be in use. */
export class PrefixHost implements AttentionPrefix, Host<PrefixPart> {
  path: string;
  readonly adapters: Record<string, PrefixPart> = {};
  active: readonly string[] = [];
  readonly attention: PrefixableAttention;

  constructor(path: string, attention: PrefixableAttention) {
    this.path = path;
    this.attention = attention;
    // names of parameters are those of the adapters: 'self_attn.prefix.default.values'
    Object.defineProperty(this, treeChildren, { value: () => this.adapters });
  }

  get part(): PrefixPart | null {
    const [name] = this.active;
    return name === undefined ? null : (this.adapters[name] ?? null);
  }

  get length(): number {
    return this.part?.length ?? 0;
  }

  keysAndValues(): KeysAndValues | null {
    return this.part?.keysAndValues() ?? null;
  }

  restore(): void {
    this.attention.prefix = null;
  }
}

/** The attention layers of a model that have prefixes. */
export function prefixHostsOf(model: object): PrefixHost[] {
  return attentionLayersOf(model).flatMap(({ path, attention: { prefix } }) =>
    prefix instanceof PrefixHost ? [Object.assign(prefix, { path })] : [],
  );
}

/** A prefix that was made and is not yet in its place. */
export interface MadePrefix {
  readonly path: string;
  readonly adapter: PrefixPart;
  readonly attach: (name: string) => void;
}

/** Makes prefixes for the chosen layers. Throws ValueError where none is, and for options that mean nothing. */
export function makePrefixes(model: object, options: PrefixOptions): MadePrefix[] {
  checkOptions('addPrefix', options, ['targets', 'name', 'length', 'projection', 'start']);
  const { length = 20, projection = false, start = 'normal' } = options;
  if (!(Number.isInteger(length) && length > 0))
    throw new ValueError('addPrefix', `length is ${length}: it must be a whole number above 0.`);
  if (start !== 'normal' && start !== 'zeros')
    throw new ValueError('addPrefix', `start is ${String(start)}: it must be 'normal' or 'zeros'.`);
  if (typeof projection === 'number' && !(Number.isInteger(projection) && projection > 0))
    throw new ValueError(
      'addPrefix',
      `projection is ${projection}: it must be a whole number above 0, the width of the inner layer.`,
    );
  const chosen = chosenAttention('addPrefix', model, options.targets);
  const sizes = chosen.map(({ attention }) => sizesOf(attention));
  const [first] = sizes;
  if (first === undefined || projection === false) {
    return chosen.map((found, k) => made(found, new PlainPrefix(length, sizes[k] ?? { heads: 1, width: 1 }, start)));
  }
  const width = first.heads * first.width;
  const outputs = sizes.map((size) => 2 * size.heads * size.width);
  const encoder = new PrefixEncoder(length, width, projection === true ? width : projection, total(outputs), start);
  return chosen.map((found, k) =>
    made(found, new ProjectedPrefix(encoder, sizes[k] ?? first, total(outputs.slice(0, k)))),
  );
}

type Found = ReturnType<typeof attentionLayersOf>[number];

/** The attention layers that are meant. Throws ValueError where none is, and where one has a prefix that is no adapter. */
export function chosenAttention(operation: string, model: object, targets: AdapterTargets | undefined): Found[] {
  const all = attentionLayersOf(model);
  const chosen = all.filter(({ path }) => targets === undefined || fits(targets, path));
  if (chosen.length === 0) {
    throw new ValueError(
      operation,
      `no attention that a prefix can stand before fits${shown(targets)}: ${listed(all.map(({ path }) => path))}.`,
    );
  }
  const taken = chosen.find(({ attention: { prefix } }) => prefix !== null && !(prefix instanceof PrefixHost));
  if (taken !== undefined) {
    throw new ValueError(operation, `${taken.path} has a prefix that is no adapter: set it to null first.`);
  }
  return chosen;
}

function made({ path, attention }: Found, adapter: PrefixPart): MadePrefix {
  return {
    path,
    adapter,
    attach: (name) => {
      const host = attention.prefix instanceof PrefixHost ? attention.prefix : new PrefixHost(path, attention);
      host.adapters[name] = adapter;
      attention.prefix = host;
    },
  };
}

/** Heads of keys, and the width of each. */
interface Sizes {
  readonly heads: number;
  readonly width: number;
}

export function sizesOf({ heads, keyValueHeads, headDimension }: PrefixableAttention): Sizes {
  return { heads: keyValueHeads ?? heads, width: headDimension };
}

const total = (sizes: readonly number[]): number => sizes.reduce((sum, size) => sum + size, 0);

/** Rows [length, 2 * heads * width] by heads: [heads, length, width] each. */
function byHeads(rows: Tensor, length: number, { heads, width }: Sizes): KeysAndValues {
  const parts = rows.reshape([length, 2, heads, width]).permute([1, 2, 0, 3]);
  return { key: parts.at(0), value: parts.at(1) };
}

const settings = { peft_type: 'PREFIX_TUNING' };

/** Keys and values that are learned themselves. */
class PlainPrefix implements PrefixPart {
  readonly length: number;
  /** [length, 2 * heads * width] */
  values: Parameter;
  readonly settings: Readonly<Record<string, unknown>> = settings;
  readonly #sizes: Sizes;

  constructor(length: number, sizes: Sizes, start: 'normal' | 'zeros') {
    this.length = length;
    this.#sizes = sizes;
    const shape = [length, 2 * sizes.heads * sizes.width];
    const count = length * 2 * sizes.heads * sizes.width;
    this.values = parameter(start === 'zeros' ? new Float32Array(count) : hostNormal(count), { shape });
  }

  rows(): Tensor {
    return this.values;
  }

  keysAndValues(): KeysAndValues {
    return byHeads(this.values, this.length, this.#sizes);
  }

  get tensors(): Readonly<Record<string, Parameter>> {
    return { values: this.values };
  }
}

/** The network of PEFT's `PrefixEncoder`: vectors through a layer with tanh, to the keys and values of all layers. */
class PrefixEncoder {
  /** [length, width] */
  embedding: Parameter;
  /** [inner, width] */
  innerWeight: Parameter;
  innerBias: Parameter;
  /** [outputs, inner] */
  outerWeight: Parameter;
  outerBias: Parameter;

  constructor(length: number, width: number, inner: number, outputs: number, start: 'normal' | 'zeros') {
    // as nn.Linear: ±1 / sqrt(inputs)
    const uniform = (count: number, inputs: number): Float32Array =>
      hostUniform(count).map((value) => (value * 2 - 1) / Math.sqrt(inputs));
    this.embedding = parameter(hostNormal(length * width), { shape: [length, width] });
    this.innerWeight = parameter(uniform(inner * width, width), { shape: [inner, width] });
    this.innerBias = parameter(uniform(inner, width));
    const last = (count: number): Float32Array => (start === 'zeros' ? new Float32Array(count) : uniform(count, inner));
    this.outerWeight = parameter(last(outputs * inner), { shape: [outputs, inner] });
    this.outerBias = parameter(last(outputs));
  }

  /** Some of the outputs: [length, to - from]. */
  rows(from: number, to: number): Tensor {
    const inner = this.embedding.matmul(this.innerWeight.transpose()).add(this.innerBias).tanh();
    return inner.matmul(this.outerWeight.at([from, to]).transpose()).add(this.outerBias.at([from, to]));
  }
}

/** Keys and values of one layer out of the network that all layers share. */
class ProjectedPrefix implements PrefixPart {
  encoder: PrefixEncoder;
  readonly settings: Readonly<Record<string, unknown>> = settings;
  readonly #sizes: Sizes;
  readonly #from: number;

  constructor(encoder: PrefixEncoder, sizes: Sizes, from: number) {
    this.encoder = encoder;
    this.#sizes = sizes;
    this.#from = from;
  }

  get length(): number {
    return this.encoder.embedding.shape[0] ?? 0;
  }

  rows(): Tensor {
    const { heads, width } = this.#sizes;
    return this.encoder.rows(this.#from, this.#from + 2 * heads * width);
  }

  keysAndValues(): KeysAndValues {
    return byHeads(this.rows(), this.length, this.#sizes);
  }

  get tensors(): Readonly<Record<string, Parameter>> {
    return { ...this.encoder };
  }
}

/** Prefixes as they are for inference: what a network made of vectors is computed once, and those that are not in use are gone. */
export function settlePrefixes(model: object): void {
  for (const host of prefixHostsOf(model)) {
    const { part, active } = host;
    for (const name of Object.keys(host.adapters))
      if (!active.includes(name)) Reflect.deleteProperty(host.adapters, name);
    const [name] = active;
    if (part === null || name === undefined) host.restore();
    else if (!(part instanceof PlainPrefix)) {
      const plain = new PlainPrefix(part.length, sizesOf(host.attention), 'zeros');
      plain.values.assign(part.rows().stopGradient());
      host.adapters[name] = plain;
    }
  }
}

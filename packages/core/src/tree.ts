/**
 * Walks over models: plain objects, class instances, arrays and maps that hold parameters in their fields. Nothing has
 * to be registered. Names follow PyTorch: `layers.0.weight`, with camelCase fields as snake_case.
 */
import { realmTag } from './host-bytes.ts';
import { isParameter, type Parameter } from './parameter.ts';
import { isTensor } from './tensor.ts';

/** An object may answer this with what stands in place of its fields, by name. */
export const treeChildren: unique symbol = Symbol.for('@nn/core/treeChildren');

/** Anything that holds parameters in its fields. */
export type Model = object;

interface WithChildren {
  [treeChildren](): Readonly<Record<string, unknown>>;
}

/**
 * Host-side state that a checkpoint must carry besides parameters: the step count of an optimizer, the position of a
 * loader. The state is plain JSON.
 */
export interface Stateful {
  hostState(): unknown;
  /**
   * The same, as of the moment of the call, where a part of it is on a device: what checkpoints ask for where it is there.
   */
  readState?(): Promise<unknown>;
  loadHostState(state: unknown): void;
}

export function isStateful(value: unknown): value is Stateful {
  return typeof value === 'object' && value !== null && 'hostState' in value && 'loadHostState' in value;
}

/** Visits every value below `root` once, with its name; `visit` returns false to stay out of it. */
export function walkTree(root: unknown, visit: (value: object, name: string) => boolean): void {
  const seen = new Set<object>();
  const enter = (value: unknown, name: string): void => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return;
    seen.add(value);
    if (!visit(value, name)) return;
    for (const [key, child] of childrenOf(value)) enter(child, name === '' ? key : `${name}.${key}`);
  };
  enter(root, '');
}

function childrenOf(value: object): Iterable<readonly [string, unknown]> {
  if (isTensor(value) || ArrayBuffer.isView(value)) return [];
  if (treeChildren in value) return Object.entries((value as WithChildren)[treeChildren]());
  if (Array.isArray(value)) return value.map((child, index) => [String(index), child] as const);
  if (isMap(value)) return [...value].map(([key, child]) => [String(key), child] as const);
  return Object.entries(value).map(([key, child]) => [snakeCase(key), child] as const);
}

/** A map of this realm or another, as of an iframe or a test runner. */
function isMap(value: object): value is ReadonlyMap<unknown, unknown> {
  return realmTag(value) === 'Map';
}

/** runningMean -> running_mean, weightIhL0 -> weight_ih_l0. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/**
 * All parameters below `model` by name, buffers and what is frozen too. Each stands once, under the first name that
 * leads to it; with `aliases` (tied weights) under every name. A parameter without a name of its own takes the first for its messages.
 */
export function namedParameters(model: Model, options: { readonly aliases?: boolean } = {}): Map<string, Parameter> {
  const found = new Map<string, Parameter>();
  walkTree(model, (value, name) => {
    if (!isParameter(value)) return true;
    found.set(name, value);
    if (value.name === '') value.name = name;
    return false;
  });
  if (options.aliases) walkPaths(model, '', new Set(), found);
  return found;
}

/** Adds every path to a parameter; only a value that holds itself is not entered again. */
function walkPaths(value: unknown, name: string, within: Set<object>, found: Map<string, Parameter>): void {
  if (typeof value !== 'object' || value === null || within.has(value)) return;
  if (isParameter(value)) {
    found.set(name, value);
    return;
  }
  within.add(value);
  for (const [key, child] of childrenOf(value)) walkPaths(child, name === '' ? key : `${name}.${key}`, within, found);
  within.delete(value);
}

/**
 * The trainable parameters below `model`, each once: neither buffers nor what is frozen.
 *
 * @example
 * import { parameter, parameters } from '@nn/core';
 * const model = { weight: parameter([1]), mean: parameter([0], { buffer: true }) };
 * console.log(parameters(model).length); // => 1
 */
export function parameters(model: Model): Parameter[] {
  return [...namedParameters(model).values()].filter(({ trainable }) => trainable);
}

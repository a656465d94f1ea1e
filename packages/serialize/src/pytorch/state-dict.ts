/**
 * From the object in a PyTorch file to tensors by name: dictionaries, lists and whole modules are walked, keys joined by dots,
 * as state dicts have them. What is no tensor (epochs, settings, numbers of an optimizer) is told, and stops nothing.
 */
import { excerpt } from '@nn/core';
import { PickleGlobal, PickleRecord } from './pickle.ts';
import { fail, TorchTensor } from './tensors.ts';

/** No checkpoint is nested deeper. */
const depthLimit = 100;
/** How many values a walk may meet: lists within lists that share their items would never end otherwise. */
const visitLimit = 2_000_000;
/** How many things that are no tensors are told one by one. */
const skippedLimit = 1000;

export interface FlatTensors {
  readonly tensors: ReadonlyMap<string, TorchTensor>;
  readonly skipped: readonly string[];
  readonly containers: readonly string[];
}

/** No parameter has a longer name: a long key above many others would be written out for each of them. */
const nameLimit = 4096;

/** All tensors below `root` by name. */
export function flatten(root: unknown, maxTensors: number): FlatTensors {
  const tensors = new Map<string, TorchTensor>();
  const containers: string[] = [];
  const skipped: string[] = [];
  const within = new Set<object>();
  let visits = 0;

  const visit = (value: unknown, name: string): void => {
    if (++visits > visitLimit)
      fail('values', `the file holds more than ${visitLimit} values; it is no file of weights.`);
    if (name.length > nameLimit)
      fail('name', `a name in the file has more than ${nameLimit} letters: ${excerpt(name, 60)}`);
    if (value instanceof TorchTensor) {
      const key = name === '' ? 'tensor' : name;
      // Two keys may spell one name, 1 and '1': no name may stand for two tensors.
      if (tensors.has(key)) fail('duplicate', `the file has '${excerpt(key)}' twice.`, { name: key });
      tensors.set(key, value);
      if (tensors.size > maxTensors)
        fail('tensor-count', `the file has more than ${maxTensors} tensors, which is maxTensors.`, { maxTensors });
      return;
    }
    const children = childrenOf(value);
    if (!children || typeof value !== 'object' || value === null || within.has(value)) {
      skipped.push(`${name === '' ? 'the file' : excerpt(name, 200)}: ${kindOf(value)}`);
      return;
    }
    if (within.size > depthLimit) fail('depth', `the values of the file are nested more than ${depthLimit} deep.`);
    within.add(value);
    const before = { tensors: tensors.size, skipped: skipped.length };
    for (const [key, child] of children) visit(child, key === '' ? name : name === '' ? key : `${name}.${key}`);
    within.delete(value);
    if (tensors.size > before.tensors) {
      if (value instanceof Map) containers.push(name);
    } else if (name !== '') {
      // One line for all that has no tensors inside.
      skipped.length = before.skipped;
      skipped.push(`${excerpt(name, 200)}: ${kindOf(value)}`);
    }
    if (skipped.length > skippedLimit) skipped.length = skippedLimit;
  };
  visit(root, '');
  return { tensors, skipped, containers };
}

/** What a value holds by name, undefined for what holds nothing that could be a tensor. */
function childrenOf(value: unknown): Iterable<readonly [string, unknown]> | undefined {
  if (value instanceof Map) return [...value].map(([key, child]) => [keyOf(key), child] as const);
  if (Array.isArray(value)) return value.map((child, at) => [String(at), child] as const);
  if (!(value instanceof PickleRecord) || !(value.state instanceof Map)) return undefined;
  const state = value.state;
  // A whole module: what its state dict would hold. Its other fields are settings.
  if (!state.has('_parameters') && !state.has('_modules')) return undefined;
  const held: [string, unknown][] = [];
  const unsaved: unknown = state.get('_non_persistent_buffers_set');
  for (const field of ['_parameters', '_buffers', '_modules']) {
    const entries: unknown = state.get(field);
    if (!(entries instanceof Map)) continue;
    for (const [key, child] of entries) {
      if (child === null || (field === '_buffers' && unsaved instanceof Set && unsaved.has(key))) continue;
      held.push([keyOf(key), child]);
    }
  }
  return held;
}

function keyOf(key: unknown): string {
  return typeof key === 'object' && key !== null ? kindOf(key) : String(key);
}

/** What a value is, in words. */
function kindOf(value: unknown): string {
  if (value === null) return 'nothing (None)';
  if (value instanceof Map) return 'a dictionary without tensors';
  if (Array.isArray(value)) return 'a list without tensors';
  if (value instanceof Set) return 'a set';
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof PickleRecord) return `an object of ${excerpt(value.path, 100)}`;
  if (value instanceof PickleGlobal) return `the name ${excerpt(value.path, 100)}`;
  if (typeof value === 'string') return `text, '${excerpt(value, 60)}'`;
  return `${typeof value === 'boolean' ? 'a truth value' : 'a number'}, ${String(value)}`;
}

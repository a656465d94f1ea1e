/**
 * State that is not in tensors: finds the objects that have some, takes it as JSON, gives it back or not at all.
 * What the state means is known only to its owners (`Stateful` of core). Parameters are `parameters.ts`.
 */
import type { Stateful } from '@nn/core';
import { FormatError, isStateful, isTensor, treeChildren, ValueError } from '@nn/core';
import type { Json } from './exact-json.ts';
import { isJson } from './exact-json.ts';

/** Objects with host state by name, 'part' or 'part.field'. */
export type States = ReadonlyMap<string, Stateful>;

/**
 * The objects with host state among the parts and within their fields, arrays and maps. What an object with state
 * holds is its own to store, so the search ends at it. Each object counts once.
 */
export function findStateful(parts: Readonly<Record<string, object>>): States {
  const found = new Map<string, Stateful>();
  const seen = new Set<object>();
  // A list instead of recursion: chains of objects can be long.
  const open: [string, unknown][] = Object.entries(parts).reverse();
  for (let next = open.pop(); next; next = open.pop()) {
    const [name, value] = next;
    if (typeof value !== 'object' || value === null || isTensor(value) || ArrayBuffer.isView(value)) continue;
    if (seen.has(value)) continue;
    seen.add(value);
    if (isStateful(value)) found.set(name, value);
    else
      open.push(
        ...childrenOf(value)
          .map(([field, child]): [string, unknown] => [`${name}.${field}`, child])
          .reverse(),
      );
  }
  return found;
}

/** The state of each as plain data. Throws a `ValueError` that names an owner whose state JSON cannot keep. */
export function saveStates(states: States): Record<string, Json> {
  const saved: [string, Json][] = [];
  for (const [name, owner] of states) {
    const state = owner.hostState();
    if (!isJson(state)) {
      throw new ValueError(
        `saveCheckpoint: the state of '${name}' holds something that JSON cannot keep, as undefined or an instance of a class.`,
        { name },
      );
    }
    saved.push([name, state]);
  }
  return Object.fromEntries(saved);
}

/** Gives each its state. Where one refuses, those before it get their own back, and the error goes on. */
export function restoreStates(states: States, saved: Readonly<Record<string, Json>>): void {
  const undo: (() => void)[] = [];
  for (const [name, owner] of states) {
    const before = owner.hostState();
    undo.push(() => owner.loadHostState(before));
    try {
      owner.loadHostState(saved[name] as Json);
    } catch (error) {
      for (const step of undo.reverse()) step();
      const reason = error instanceof Error ? error.message : String(error);
      throw new FormatError(
        `loadCheckpoint: '${name}' refuses its state in the file, and nothing was changed: ${reason}`,
        { name },
      );
    }
  }
}

function childrenOf(value: object): [string, unknown][] {
  if (treeChildren in value && typeof value[treeChildren] === 'function') {
    return Object.entries(value[treeChildren]() as Record<string, unknown>);
  }
  if (value instanceof Map) return [...value].map(([name, child]) => [String(name), child]);
  return Object.entries(value);
}

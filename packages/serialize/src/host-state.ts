/**
 * State that is not in tensors: finds the objects that have some, takes it as JSON, gives it back or not at all.
 * What the state means is known only to its owners (`Stateful` of core). Parameters are `parameters.ts`.
 */
import type { Stateful } from '@nn/core';
import { FormatError, isStateful, ValueError, walkTree } from '@nn/core';
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
  for (const [part, root] of Object.entries(parts)) {
    walkTree(root, (value, path) => {
      if (seen.has(value)) return false;
      seen.add(value);
      if (!isStateful(value)) return true;
      found.set(path === '' ? part : `${part}.${path}`, value);
      return false;
    });
  }
  return found;
}

/**
 * The state of each as plain data, all of the moment of the call. Throws a `ValueError` that names an owner whose state JSON
 * cannot keep.
 */
export async function takeStates(states: States): Promise<Record<string, Json>> {
  const asked = [...states].map(([name, owner]) => [name, owner.readState?.() ?? owner.hostState()] as const);
  const saved: [string, Json][] = [];
  for (const [name, state] of await Promise.all(asked.map(async ([name, state]) => [name, await state] as const))) {
    if (!isJson(state)) {
      throw new ValueError(
        'saveCheckpoint',
        `the state of '${name}' holds something that JSON cannot keep, as undefined, an instance of a class, or what holds itself.`,
        { name },
      );
    }
    saved.push([name, state]);
  }
  return Object.fromEntries(saved);
}

/**
 * Gives each its state. Where one refuses, it and those before it get that of `before` back; what refuses that, too, is named
 * behind the reason, which is never lost.
 */
export function restoreStates(
  states: States,
  saved: Readonly<Record<string, Json>>,
  before: Readonly<Record<string, Json>>,
): void {
  const given: string[] = [];
  for (const [name, owner] of states) {
    given.push(name);
    const refusal = refusalOf(owner, saved[name] as Json);
    if (refusal === null) continue;
    const lost = given.reverse().filter((other) => refusalOf(states.get(other)!, before[other] as Json) !== null);
    const changed =
      lost.length === 0
        ? 'and nothing was changed'
        : `and the states of before could not be given back to '${lost.join("', '")}', which must be built anew`;
    throw new FormatError('loadCheckpoint/state', `'${name}' refuses its state in the file, ${changed}: ${refusal}`, {
      name,
      lost,
    });
  }
}

/** Why an owner refuses a state, in its own words; null where it takes it. */
function refusalOf(owner: Stateful, state: Json): string | null {
  try {
    owner.loadHostState(state);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

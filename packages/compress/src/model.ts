/**
 * The parts of a model as compression handles them: layers by path, parameters by the layer and field that hold them, and layers
 * put in the places of others. Owns no method of compression.
 */
import { isParameter, type Parameter, type ParameterPattern, treeChildren, ValueError } from '@nn/core';
import { layersOf } from '@nn/layers';

/** A parameter, and where it is kept. */
export interface Held {
  /** As namedParameters calls it: 'layers.0.weight'. */
  readonly name: string;
  readonly layer: object;
  /** The field of the layer. */
  readonly field: string;
  readonly parameter: Parameter;
}

/** The parameters that layers keep in fields of their own, each once. */
export function heldParameters(model: object): Held[] {
  const seen = new Set<Parameter>();
  return layersOf(model).flatMap(({ path, layer }) =>
    Object.entries(layer).flatMap(([field, parameter]) => {
      if (!isParameter(parameter) || seen.has(parameter)) return [];
      seen.add(parameter);
      const own = field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      return [{ name: path === '' ? own : `${path}.${own}`, layer, field, parameter }];
    }),
  );
}

/** Which layers: a path or the beginning of paths ('body', 'body.0'), a regular expression, or a test. */
export type LayerPattern = string | RegExp | ((path: string) => boolean);

/** Whether a pattern means a path or name; no pattern means all. */
export function fitsPath(pattern: LayerPattern | undefined, path: string): boolean {
  if (pattern === undefined) return true;
  if (typeof pattern === 'function') return pattern(path);
  if (typeof pattern === 'string') return path === pattern || path.startsWith(`${pattern}.`);
  return path.search(pattern) >= 0; // unlike test, it has no memory of the last call
}

/** The layers that `means` knows, by path. Throws ValueError where there are none, or the model itself is one. */
export function targetsIn<T>(
  operation: string,
  model: object,
  pattern: LayerPattern | undefined,
  means: (layer: object) => T | null,
  what: string,
): { readonly path: string; readonly layer: object; readonly meaning: T }[] {
  const found = layersOf(model).flatMap(({ path, layer }) => {
    const meaning = means(layer);
    return meaning === null || !fitsPath(pattern, path) ? [] : [{ path, layer, meaning }];
  });
  if (found.length === 0) {
    const which = pattern === undefined ? '' : ` that fits ${String(pattern)}`;
    throw new ValueError(operation, `the model has no layer${which} among ${what}.`);
  }
  if (found.some(({ path }) => path === '')) {
    throw new ValueError(
      operation,
      'the model itself is the layer, and cannot be replaced where you hold it: put it into new Sequential(layer).',
    );
  }
  return found;
}

/** The held parameters that a pattern chooses. Throws ValueError where it chooses none. */
export function chosen(operation: string, held: readonly Held[], which: ParameterPattern | undefined): Held[] {
  const found = held.filter(({ name, parameter }) => {
    if (which === undefined) return true;
    return typeof which === 'function' ? which(name, parameter) : fitsPath(which, name);
  });
  if (found.length > 0) return found;
  const names = held.map(({ name }) => name);
  throw new ValueError(
    operation,
    `no weight fits ${which === undefined ? 'anything' : String(which)}: ${listed(names)}.`,
    { names },
  );
}

/** 'there are a, b, ... 3 more', for messages. */
export function listed(names: readonly string[]): string {
  if (names.length === 0) return 'the model has none';
  return `there are ${names.slice(0, 8).join(', ')}${names.length > 8 ? `, ... ${names.length - 8} more` : ''}`;
}

/** Puts a layer wherever the model holds another one. Throws ValueError where that is not held in a field, list or map. */
export function replaceLayer(operation: string, model: object, old: object, now: object): void {
  if (replaceLayers(model, new Map([[old, now]])) > 0) return;
  throw new ValueError(
    operation,
    `${String(old)} cannot be replaced: it must stand in a field, a list or a map inside of the model, and not be the model itself.`,
  );
}

/** Puts layers in the places of others, wherever the model holds them; returns in how many places. */
export function replaceLayers(model: object, layers: ReadonlyMap<object, object>): number {
  let places = 0;
  // what is put in may hold what it stands for
  const seen = new Set<object>(layers.values());
  const enter = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || seen.has(value) || ArrayBuffer.isView(value)) return;
    if (isParameter(value) || ('shape' in value && 'dtype' in value)) return;
    seen.add(value);
    if (value instanceof Map) {
      for (const [key, child] of value) {
        const now = layers.get(child);
        if (now === undefined) enter(child);
        else {
          value.set(key, now);
          places++;
        }
      }
      return;
    }
    for (const key of Object.keys(value)) {
      const child: unknown = Reflect.get(value, key);
      const now = typeof child === 'object' && child !== null ? layers.get(child) : undefined;
      if (now === undefined) enter(child);
      else if (Reflect.set(value, key, now)) places++;
    }
    // what a layer shows in place of its fields may hang in #private ones: Sequential shows its list, which is a field too
    if (treeChildren in value && typeof value[treeChildren] === 'function') {
      for (const child of Object.values(Object(value[treeChildren]()))) {
        if (typeof child !== 'object' || child === null || !layers.has(child)) enter(child);
      }
    }
  };
  enter(model);
  return places;
}

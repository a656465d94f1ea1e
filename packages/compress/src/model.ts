/**
 * The parts of a model as compression handles them: layers by path, parameters by the layer and field that hold them, and one layer
 * put in the place of another. Owns no method of compression.
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

/** Whether a pattern means a path or name: a beginning of it, a regular expression, or a test. */
export function fitsPath(pattern: string | RegExp | ((path: string) => boolean), path: string): boolean {
  if (typeof pattern === 'function') return pattern(path);
  if (typeof pattern === 'string') return path === pattern || path.startsWith(`${pattern}.`);
  return path.search(pattern) >= 0; // unlike test, it has no memory of the last call
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
  let places = 0;
  const seen = new Set<object>();
  const enter = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || seen.has(value) || ArrayBuffer.isView(value)) return;
    if (isParameter(value) || ('shape' in value && 'dtype' in value)) return;
    seen.add(value);
    if (value instanceof Map) {
      for (const [key, child] of value) {
        if (child === old) {
          value.set(key, now);
          places++;
        } else enter(child);
      }
      return;
    }
    for (const key of Object.keys(value)) {
      const child: unknown = Reflect.get(value, key);
      if (child === old) {
        if (Reflect.set(value, key, now)) places++;
      } else enter(child);
    }
    // what a layer shows in place of its fields may hang in #private ones: Sequential shows its list, which is a field too
    if (treeChildren in value && typeof value[treeChildren] === 'function') {
      for (const child of Object.values(Object(value[treeChildren]()))) if (child !== old) enter(child);
    }
  };
  enter(model);
  if (places > 0) return;
  throw new ValueError(
    operation,
    `${String(old)} cannot be replaced: it must stand in a field, a list or a map inside of the model, and not be the model itself.`,
  );
}

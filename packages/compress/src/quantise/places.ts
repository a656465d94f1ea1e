/** Layers inside of a model, and other layers in their places. Owns the walk; what takes the place of what is `quantise.ts`'s. */
import { isParameter, isTensor, treeChildren, ValueError } from '@nn/core';
import { layersOf } from '@nn/layers';

/** Which layers: a path or the beginning of paths ('body', 'body.0'), a regular expression, or a test. */
export type LayerPattern = string | RegExp | ((path: string) => boolean);

export function fits(pattern: LayerPattern | undefined, path: string): boolean {
  if (pattern === undefined) return true;
  if (typeof pattern === 'function') return pattern(path);
  return typeof pattern === 'string' ? path === pattern || path.startsWith(`${pattern}.`) : path.search(pattern) >= 0;
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
    return meaning === null || !fits(pattern, path) ? [] : [{ path, layer, meaning }];
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

/** Puts layers in the places of others, wherever the model holds them. */
export function replaceLayers(model: object, layers: ReadonlyMap<object, object>): void {
  // what is put in may hold what it stands for
  const seen = new Set<object>(layers.values());
  const enter = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || seen.has(value) || ArrayBuffer.isView(value)) return;
    if (isParameter(value) || isTensor(value)) return;
    seen.add(value);
    if (value instanceof Map) {
      for (const [key, child] of value) {
        const now = layers.get(child);
        if (now !== undefined) value.set(key, now);
        else enter(child);
      }
      return;
    }
    for (const key of Object.keys(value)) {
      const child: unknown = Reflect.get(value, key);
      const now = typeof child === 'object' && child !== null ? layers.get(child) : undefined;
      if (now !== undefined) Reflect.set(value, key, now);
      else enter(child);
    }
    // what a model shows in place of its fields may hang in private ones
    if (treeChildren in value && typeof value[treeChildren] === 'function') {
      for (const child of Object.values(Object(value[treeChildren]()))) enter(child);
    }
  };
  enter(model);
}

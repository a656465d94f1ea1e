/**
 * The layers of a model, and other parts, by their paths, and looking on while they are called. Owns the walk and the way back; `summary` and
 * `capture` say what is to be seen.
 */
import { isParameter, type Shape, treeChildren } from '@nn/core';
import { snakeCase } from './layer.ts';

/** What is watched: anything with a `forward`. */
export interface Watched {
  forward(...inputs: readonly unknown[]): unknown;
  multiplyAdds?(inputs: readonly Shape[], output: Shape): number;
  toString(): string;
}

/** A layer where it stands in a model. */
export interface Found {
  /** As in the names of its parameters: 'layers.0'; '' is the model. */
  readonly path: string;
  /** Layers above it. */
  readonly depth: number;
  readonly layer: Watched;
}

/** Every layer once, in the order of fields, parents before children. */
export function layersOf(model: unknown): Found[] {
  return partsOf(model, isLayer).map(({ path, depth, part }) => ({ path, depth, layer: part }));
}

/** Every object of a model that is of a kind, once, in the order of fields, parents before children. */
export function partsOf<T extends object>(
  model: unknown,
  is: (value: object) => value is T,
): { readonly path: string; readonly depth: number; readonly part: T }[] {
  const found: { path: string; depth: number; part: T }[] = [];
  const visited = new Set<object>();
  const enter = (value: unknown, path: string, depth: number): void => {
    if (typeof value !== 'object' || value === null || visited.has(value)) return;
    if (isTensorLike(value) || ArrayBuffer.isView(value)) return;
    visited.add(value);
    let below = depth;
    if (is(value)) {
      found.push({ path, depth, part: value });
      if (path !== '') below++;
    }
    for (const [name, child] of childrenOf(value)) {
      enter(child, path === '' ? name : `${path}.${name}`, below);
    }
  };
  enter(model, '', 0);
  return found;
}

function isLayer(value: object): value is Watched {
  return 'forward' in value && typeof value.forward === 'function';
}

function isTensorLike(value: object): boolean {
  return isParameter(value) || ('shape' in value && 'dtype' in value);
}

/** What stands below, by the names that parameters have: those of fields in snake_case, others as they are. */
function childrenOf(value: object): Iterable<readonly [string, unknown]> {
  if (treeChildren in value && typeof value[treeChildren] === 'function') {
    const children: unknown = value[treeChildren]();
    return typeof children === 'object' && children !== null ? Object.entries(children) : [];
  }
  if (value instanceof Map) return [...value].map(([name, child]) => [String(name), child] as const);
  return Object.entries(value).map(([field, child]) => [snakeCase(field), child] as const);
}

/**
 * Calls `seen` after each call of the layer's `forward`, until what `watch` returns is called. With `replace` the layer gives
 * what `seen` returns; with `around` that function makes the call.
 */
export function watch(
  layer: Watched,
  seen: (inputs: readonly unknown[], output: unknown) => unknown,
  options: { readonly replace?: boolean; readonly around?: <T>(call: () => T) => T } = {},
): () => void {
  const own = Object.getOwnPropertyDescriptor(layer, 'forward');
  const forward = layer.forward;
  Object.defineProperty(layer, 'forward', {
    configurable: true,
    writable: true,
    value(...inputs: readonly unknown[]): unknown {
      const call = (): unknown => forward.apply(layer, [...inputs]);
      const output = options.around === undefined ? call() : options.around(call);
      const made = seen(inputs, output);
      return options.replace === true ? made : output;
    },
  });
  return () => {
    if (own === undefined) Reflect.deleteProperty(layer, 'forward');
    else Object.defineProperty(layer, 'forward', own);
  };
}

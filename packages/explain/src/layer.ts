/**
 * One layer of a model while it is called: what it gives, and what it gives instead. Owns finding it; nothing is registered,
 * and the model is afterwards as it was.
 */
import { isTensor, type Tensor, ValueError } from '@nn/core';
import { type Layer, layersOf, type Watched, watch } from '@nn/layers';
import type { Explained } from './model.ts';

/** A layer inside of a model: the layer itself, or its path ('body.0', as in the names of its parameters). */
export type LayerChoice = string | Layer;

/** Throws ValueError where the model has no such layer. */
export function findLayer(operation: string, model: Explained, choice: LayerChoice): Watched {
  if (typeof choice !== 'string') {
    if (typeof choice === 'object' && choice !== null && typeof choice.forward === 'function') return choice;
    throw new ValueError(operation, 'the layer is neither a path nor a layer: give one, { layer: model.conv }.');
  }
  if (typeof model === 'function') {
    throw new ValueError(
      operation,
      `a function has no layer '${choice}': give the layer itself, { layer: model.conv }, or the model.`,
    );
  }
  const layers = layersOf(model).filter(({ path }) => path !== '');
  const found = layers.find(({ path }) => path === choice);
  if (found !== undefined) return found.layer;
  const paths = layers.map(({ path }) => path);
  const some = `${paths.slice(0, 8).join(', ')}${paths.length > 8 ? `, ... ${paths.length - 8} more` : ''}`;
  throw new ValueError(operation, `the model has no layer '${choice}': there are ${some || 'none'}.`, { paths });
}

/** Makes a call, with what the layer gave on the way. */
export function activationAt<T>(
  operation: string,
  layer: Watched,
  call: () => T,
): { readonly result: T; readonly activation: Tensor } {
  const seen: unknown[] = [];
  const restore = watch(layer, (_, output) => seen.push(output));
  try {
    return { result: call(), activation: theOne(operation, layer, seen) };
  } finally {
    restore();
  }
}

/** Makes a call in which the layer gives `value`, whatever it is given. */
export function replacedAt<T>(layer: Watched, value: Tensor, call: () => T): T {
  const restore = watch(layer, () => value, { replace: true });
  try {
    return call();
  } finally {
    restore();
  }
}

function theOne(operation: string, layer: Watched, seen: readonly unknown[]): Tensor {
  const [activation] = seen;
  if (seen.length === 1 && isTensor(activation)) return activation;
  const what = seen.length === 1 ? 'gives no single tensor' : `was called ${seen.length} times`;
  throw new ValueError(
    operation,
    `the layer ${String(layer)} ${what} when the model is called: choose one that is called once and gives a tensor.`,
  );
}

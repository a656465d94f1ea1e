/** The results of a model's inner layers, of one call. Owns their names; watch.ts looks on. */
import { checkOptions, isTensor, type Tensor, ValueError } from '@nn/core';
import type { Layer } from './layer.ts';
import { type Found, layersOf, watch } from './watch.ts';

export interface CaptureOptions {
  /** Of which layers: a path or the beginning of paths ('body', 'body.0'), a regular expression, or a test. Default: all. */
  readonly which?: string | RegExp | ((path: string) => boolean);
}

/** What a call gave, and what the layers inside of it gave. */
export interface Captured<T> {
  readonly output: T;
  /**
   * By the path of the layer: 'body.0'. Of a layer that gives a record, 'lstm.output', 'lstm.hidden'; of one that was called
   * again, 'body.0#2'.
   */
  readonly activations: ReadonlyMap<string, Tensor>;
}

/**
 * Calls a model and keeps what its inner layers gave: for pictures of features, losses on them, and explanations. The tensors
 * are those of the call itself, so gradients go to them and through them. The model is as it was afterwards. PyTorch's forward
 * hooks; torchvision's `create_feature_extractor`.
 *
 * In place of an input there may be a function that makes the call. Throws ValueError where no layer fits.
 *
 * @example
 * import { gradients, ones } from '@nn/core';
 * import { capture, Linear, ReLU, Sequential } from '@nn/layers';
 * const model = new Sequential(new Linear(4, 3), new ReLU(), new Linear(3, 1));
 * const { output, activations } = capture(model, ones([2, 4]));
 * console.log([...activations].map(([path, x]) => `${path}: ${x.shape.join('x')}`).join(', ')); // => 0: 2x3, 1: 2x3, 2: 2x1
 * const [slope] = gradients(output.sum(), [activations.get('1') ?? output]);
 * console.log(slope.shape); // => [2, 3]
 */
export function capture(model: Layer, input: Tensor, options?: CaptureOptions): Captured<Tensor>;
export function capture<T>(model: object, call: () => T, options?: CaptureOptions): Captured<T>;
export function capture(
  model: object,
  input: Tensor | (() => unknown),
  options: CaptureOptions = {},
): Captured<unknown> {
  checkOptions('capture', options, ['which']);
  const { which } = options;
  const inner = layersOf(model).filter(({ path }) => path !== '');
  const chosen = inner.filter(({ path }) => which === undefined || fits(which, path));
  if (chosen.length === 0) throw nothingFits(which, inner);
  const activations = new Map<string, Tensor>();
  const restores = chosen.map(({ path, layer }) => watch(layer, (_, output) => keep(activations, path, output)));
  try {
    return { output: typeof input === 'function' ? input() : call(model, input), activations };
  } finally {
    for (const restore of restores) restore();
  }
}

function call(model: object, input: Tensor): unknown {
  if ('forward' in model && typeof model.forward === 'function') return model.forward(input);
  throw new ValueError(
    'capture',
    'the model has no forward: give a function that makes the call in place of an input.',
  );
}

function fits(which: string | RegExp | ((path: string) => boolean), path: string): boolean {
  if (typeof which === 'function') return which(path);
  if (typeof which === 'string') return path === which || path.startsWith(`${which}.`);
  return path.search(which) >= 0; // unlike test, it has no memory of the last call
}

function nothingFits(which: CaptureOptions['which'], layers: readonly Found[]): ValueError {
  const paths = layers.map(({ path }) => path);
  const some = `${paths.slice(0, 8).join(', ')}${paths.length > 8 ? `, ... ${paths.length - 8} more` : ''}`;
  const there = paths.length === 0 ? 'the model has none inside' : `there are ${some}`;
  return new ValueError('capture', `no layer fits ${String(which ?? 'anything')}: ${there}.`, { paths });
}

function keep(activations: Map<string, Tensor>, path: string, output: unknown): void {
  if (isTensor(output)) {
    let name = path;
    for (let time = 2; activations.has(name); time++) name = `${path}#${time}`;
    activations.set(name, output);
  } else if (typeof output === 'object' && output !== null) {
    for (const [key, value] of Object.entries(output)) if (isTensor(value)) keep(activations, `${path}.${key}`, value);
  }
}

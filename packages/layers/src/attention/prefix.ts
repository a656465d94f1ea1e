/**
 * Keys and values that stand in front of those of a call and are seen by every query, as adapters learn them (Li and Liang 2021).
 * Owns how scores and weights come together with theirs, and which layers of a model may have them; what is learned is in
 * @nn/compress.
 */
import { concat, ShapeError, showShape, type Tensor } from '@nn/core';
import { sizeAt } from '../layer.ts';
import { partsOf } from '../watch.ts';

/** Keys [..., P, D] and values [..., P, E] in front of others. */
export interface KeysAndValues {
  readonly key: Tensor;
  readonly value: Tensor;
}

/** What an attention layer asks for in each call, where it has one. */
export interface AttentionPrefix {
  /** How many keys there are now; 0 where none is in use. */
  readonly length: number;
  /** Keys and values [heads of keys, length, width of a head]; null where none is in use. */
  keysAndValues(): KeysAndValues | null;
}

/**
 * Attention that may have a prefix: it asks for it in each call and gives it to `attention` as `prefix`. Layers of your own are
 * found by these fields.
 */
export interface PrefixableAttention {
  prefix: AttentionPrefix | null;
  readonly heads: number;
  /** Heads of keys and values, where they are fewer. */
  readonly keyValueHeads?: number;
  /** Width of a head. */
  readonly headDimension: number;
}

/**
 * The attention layers of a model that may have a prefix, by path, each once.
 *
 * @example
 * import { attentionLayersOf, TransformerEncoderLayer } from '@nn/layers';
 * const layer = new TransformerEncoderLayer(8, 2, { feedForward: 16 });
 * console.log(attentionLayersOf({ layer }).map(({ path }) => path)); // => [ 'layer.self_attn' ]
 */
export function attentionLayersOf(
  model: unknown,
): { readonly path: string; readonly attention: PrefixableAttention }[] {
  return partsOf(model, isPrefixable).map(({ path, part }) => ({ path, attention: part }));
}

function isPrefixable(value: object): value is PrefixableAttention {
  if (!('prefix' in value && 'heads' in value && 'headDimension' in value)) return false;
  return typeof value.heads === 'number' && typeof value.headDimension === 'number' && typeof value.prefix === 'object';
}

/** Throws ShapeError for a prefix whose keys are not as wide as queries, or values as values. */
export function checkPrefix({ key, value }: KeysAndValues, query: Tensor, values: Tensor): void {
  const fits = key.rank >= 2 && value.rank >= 2 && sizeAt(key, -2) === sizeAt(value, -2);
  if (fits && sizeAt(key, -1) === sizeAt(query, -1) && sizeAt(value, -1) === sizeAt(values, -1)) return;
  throw new ShapeError(
    'attention',
    `a prefix is keys [..., P, ${sizeAt(query, -1)}] and values [..., P, ${sizeAt(values, -1)}], got ${showShape(key.shape)} and ${showShape(value.shape)}.`,
    { key: key.shape, value: value.shape },
  );
}

/** The scores of a prefix before those of the other keys: [..., L, P + S]. No mask hides it, and it has no distance. */
export function withPrefix(query: Tensor, scores: Tensor, scale: number, prefix: KeysAndValues | undefined): Tensor {
  if (prefix === undefined) return scores;
  const own = query.matmul(prefix.key.transpose()).mul(scale);
  return concat([own.expand([...scores.shape.slice(0, -1), sizeAt(own, -1)]), scores], -1);
}

/** What lies over the prefix and what lies over the other keys, of weights or the like [..., L, P + S]. */
export function apart(
  weights: Tensor,
  prefix: KeysAndValues | undefined,
): { readonly front: Tensor | null; readonly rest: Tensor } {
  if (prefix === undefined) return { front: null, rest: weights };
  const length = sizeAt(prefix.key, -2);
  const [front = weights, rest = weights] = weights.split([length, sizeAt(weights, -1) - length], -1);
  return { front, rest };
}

/** Weights [..., L, P + S] times the values of a prefix and the others. */
export function weighed(weights: Tensor, value: Tensor, prefix: KeysAndValues | undefined): Tensor {
  const { front, rest } = apart(weights, prefix);
  const sum = rest.matmul(value);
  return front === null || prefix === undefined ? sum : sum.add(front.matmul(prefix.value));
}

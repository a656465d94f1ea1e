/**
 * Attention between projections, whatever they are called: heads apart, through the cache, together again. Owns shapes; the scores
 * are `attention` of @nn/layers, the projections those of the architectures.
 */
import type { Tensor } from '@nn/core';
import { attention, type KeysAndValues, type KeyValueCache } from '@nn/layers';

export interface HeadsOptions {
  readonly heads: number;
  /** Heads of keys and values, each shared by several of queries. Default: as many as heads. */
  readonly keyValueHeads?: number;
  readonly causal?: boolean;
  readonly cache?: KeyValueCache | undefined;
  /** Keys and values [heads of keys, P, width] in front of the others, which all queries see. */
  readonly prefix?: KeysAndValues | null | undefined;
  /** bool that broadcasts to [N, heads, L, S]; with a cache S is its capacity. */
  readonly hidden?: Tensor | null;
  /** float32 that broadcasts to [N, heads, L, S], added to the scores. */
  readonly bias?: Tensor | undefined;
  readonly scale?: number;
  readonly window?: number | null;
  readonly dropout?: number;
}

/** [N, L, heads * width] to [N, heads, L, width]. */
export function splitHeads(x: Tensor, heads: number): Tensor {
  const [batch = 0, length = 0, width = 0] = x.shape;
  return x.reshape([batch, length, heads, width / heads]).permute([0, 2, 1, 3]);
}

/** [N, heads, L, width] to [N, L, heads * width]. */
function joinHeads(x: Tensor): Tensor {
  const [batch = 0, heads = 0, length = 0, width = 0] = x.shape;
  return x.permute([0, 2, 1, 3]).reshape([batch, length, heads * width]);
}

/** Queries [N, heads, L, width] over keys and values [N, heads, S, width], to [N, L, heads * width] and the weights [N, heads, L, S]. */
export function attendHeads(
  layer: string,
  query: Tensor,
  { key, value }: KeysAndValues,
  options: HeadsOptions,
): { readonly output: Tensor; readonly weights: Tensor } {
  const { heads, keyValueHeads = heads, cache, prefix, hidden, bias, scale, window, dropout = 0 } = options;
  const filled = cache?.append(layer, key, value);
  const group = heads / keyValueHeads;
  // heads that share keys and values stand in an axis of their own
  const apart = (x: Tensor): Tensor => (group === 1 ? x : splitAxis(x, keyValueHeads, group));
  const shared = (x: Tensor): Tensor => (group === 1 ? x : x.unsqueeze(-3));
  const { output, weights } = attention(apart(query), shared(filled?.key ?? key), shared(filled?.value ?? value), {
    causal: options.causal === true || filled !== undefined,
    dropout,
    ...(scale !== undefined && { scale }),
    ...(typeof window === 'number' && { window }),
    ...(filled && { positions: filled.positions }),
    ...(prefix && { prefix: { key: shared(prefix.key), value: shared(prefix.value) } }),
    ...(hidden && { hidden: apart(hidden) }),
    ...(bias && { bias: apart(bias) }),
  });
  const together = (x: Tensor): Tensor => (group === 1 ? x : x.flatten(1, 2));
  return { output: joinHeads(together(output)), weights: together(weights) };
}

/** [N, heads, ...] to [N, keyValueHeads, group, ...]; an axis of one stays one. */
function splitAxis(x: Tensor, keyValueHeads: number, group: number): Tensor {
  const [batch = 0, heads = 0, ...rest] = x.shape;
  return heads === 1 ? x.unsqueeze(2) : x.reshape([batch, keyValueHeads, group, ...rest]);
}

/** Attention whose scores come from a sum instead of a product. */
import { checkOptions, type Parameter, ShapeError, showShape, type Tensor } from '@nn/core';
import { requireWhole, sizeAt, uniformParameter } from '../layer.ts';
import { sequenceMask } from '../mask.ts';
import { dropout, requireRate } from '../noise/dropout.ts';
import { checkVisibility, positionsOf, seen, sightOf, type Visibility } from './visibility.ts';

export interface AdditiveAttentionOptions {
  /** Whether each value of the sums has a weight to learn. Default true. */
  readonly scale?: boolean;
  /** Share of the weights that is dropped in training. Default 0. */
  readonly dropout?: number;
}

/** Which keys each query sees. Shapes broadcast to [N, L, S]. */
export interface AdditiveAttentionMasks extends Visibility {
  /** [N]: how many keys of each row are real; hides the others. */
  readonly lengths?: Tensor;
  /** Whether a query sees only keys at its own position and before. */
  readonly causal?: boolean;
}

/**
 * Attention with the scores sum(scale tanh(query + key)): query [N, L, dimension], key and value [N, S, ...] to [N, L, ...].
 * (Bahdanau, Cho and Bengio 2015; Keras' `AdditiveAttention`, which takes value before key.)
 *
 * `scale` is [dimension], uniform in ±sqrt(3 / dimension), as in Keras. Key and value default to the query and the key. Throws
 * ShapeError for sizes that do not fit.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { AdditiveAttention } from '@nn/layers';
 * console.log(new AdditiveAttention(8).forward(zeros([4, 3, 8]), zeros([4, 10, 8])).shape); // => [4, 3, 8]
 */
export class AdditiveAttention {
  readonly dimension: number;
  readonly dropout: number;
  /** [dimension] */
  scale: Parameter | null;

  constructor(dimension: number, options: AdditiveAttentionOptions = {}) {
    this.dimension = dimension;
    requireWhole(String(this), 'dimension', dimension);
    checkOptions(String(this), options, ['scale', 'dropout']);
    this.dropout = options.dropout ?? 0;
    requireRate(this.dropout, String(this));
    this.scale = options.scale === false ? null : uniformParameter([dimension], Math.sqrt(3 / dimension));
  }

  forward(query: Tensor, key: Tensor = query, value: Tensor = key, masks: AdditiveAttentionMasks = {}): Tensor {
    return this.withWeights(query, key, value, masks).output;
  }

  /** As `forward`, with the weights [N, L, S] beside the output. */
  withWeights(
    query: Tensor,
    key: Tensor = query,
    value: Tensor = key,
    masks: AdditiveAttentionMasks = {},
  ): { readonly output: Tensor; readonly weights: Tensor } {
    this.#check(query, key, value);
    checkVisibility(String(this), masks, ['visible', 'hidden', 'bias', 'lengths', 'causal']);
    const { lengths, hidden } = masks;
    const [queries, keys] = [sizeAt(query, 1), sizeAt(key, 1)];
    const padding = lengths && sequenceMask(lengths, keys).logicalNot().unsqueeze(1);
    const both = hidden && padding ? hidden.logicalOr(padding) : (hidden ?? padding);
    const { lengths: _, ...others } = masks;
    const options = { ...others, ...(both && { hidden: both }) };
    const sums = query.unsqueeze(2).add(key.unsqueeze(1)).tanh();
    const scores = (this.scale === null ? sums : sums.mul(this.scale)).sum(-1);
    const weights = seen(scores, options, sightOf(options, positionsOf({}, 0, queries, keys))).softmax(-1);
    return { output: dropout(weights, this.dropout).matmul(value), weights };
  }

  #check(query: Tensor, key: Tensor, value: Tensor): void {
    const isWhole = query.rank === 3 && key.rank === 3 && value.rank === 3;
    const fits = isWhole && query.shape[2] === this.dimension && key.shape[2] === this.dimension;
    if (
      fits &&
      query.shape[0] === key.shape[0] &&
      showShape(key.shape.slice(0, 2)) === showShape(value.shape.slice(0, 2))
    )
      return;
    throw new ShapeError(
      String(this),
      `takes a query [N, L, ${this.dimension}], a key [N, S, ${this.dimension}] and a value [N, S, ...], got ${showShape(query.shape)}, ${showShape(key.shape)} and ${showShape(value.shape)}.`,
      { layer: String(this), query: query.shape, key: key.shape, value: value.shape },
    );
  }

  toString(): string {
    return `AdditiveAttention(${this.dimension})`;
  }
}

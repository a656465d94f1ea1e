/** A table of vectors that is also the way back, from vectors to scores of what they stand for. */
import { checkOptions, type Parameter, type Tensor, ValueError } from '@nn/core';
import { requireLastAxis, uniformParameter } from '../layer.ts';
import { Embedding, type EmbeddingOptions } from './embedding.ts';

export interface ReversibleEmbeddingOptions extends EmbeddingOptions {
  /** Whether both ways have one table. Default true. */
  readonly tied?: boolean;
  /** Scores stay between -cap and cap: cap tanh(score / cap). Default: no cap. */
  readonly softCap?: number;
}

/**
 * `Embedding` whose `reverse` gives a score for each index: vectors [..., dimension] to [..., count], by the same table (Press and
 * Wolf 2017), or with `tied: false` by `reverse_weight` [dimension, count] of its own. As Keras' `ReversibleEmbedding`, whose call
 * takes `reverse=True`. Throws ShapeError for vectors of another width.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { ReversibleEmbedding } from '@nn/layers';
 * const words = new ReversibleEmbedding(100, 16);
 * console.log(words.reverse(words.forward(tensor([[5, 7, 5]]))).shape); // => [1, 3, 100]
 */
export class ReversibleEmbedding extends Embedding {
  readonly softCap: number | null;
  /** [dimension, count], without `tied`. */
  reverseWeight: Parameter | null;

  constructor(count: number, dimension: number, options: ReversibleEmbeddingOptions = {}) {
    checkOptions('ReversibleEmbedding', options, ['paddingIndex', 'tied', 'softCap']);
    const { tied = true, softCap, ...inner } = options;
    super(count, dimension, inner);
    if (softCap !== undefined && !(softCap > 0)) {
      throw new ValueError('ReversibleEmbedding', `softCap is ${softCap}: it must be above 0.`, { softCap });
    }
    this.softCap = softCap ?? null;
    this.reverseWeight = tied ? null : uniformParameter([dimension, count], 1 / Math.sqrt(dimension));
  }

  /** Scores of all indices: [..., dimension] to [..., count]. */
  reverse(vectors: Tensor): Tensor {
    requireLastAxis(String(this), vectors, this.dimension);
    const scores = vectors.matmul(this.reverseWeight ?? this.weight.transpose());
    return this.softCap === null ? scores : scores.div(this.softCap).tanh().mul(this.softCap);
  }

  override toString(): string {
    return `ReversibleEmbedding(${this.count}, ${this.dimension})`;
  }
}

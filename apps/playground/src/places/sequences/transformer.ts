/**
 * A decoder that is written out so that its attention can be looked at: characters and their places become vectors, blocks let
 * each look back at those before it, and the last vectors tell what comes next. (Vaswani et al. 2017; norms first.)
 */
import { arange, full, type Tensor, tril, where } from '@nn/core';
import { Embedding, LayerNorm, Linear } from '@nn/layers';
import { contextLength } from './protocol.ts';

/** [N, L, D] to [N, H, L, D / H]. */
function heads(x: Tensor, count: number): Tensor {
  const [n = 1, length = 1, width = 1] = x.shape;
  return x.reshape([n, length, count, width / count]).permute([0, 2, 1, 3]);
}

class Block {
  readonly firstNorm: LayerNorm;
  readonly secondNorm: LayerNorm;
  /** Queries, keys and values side by side. */
  readonly look: Linear;
  readonly gather: Linear;
  readonly widen: Linear;
  readonly narrow: Linear;
  readonly #heads: number;

  constructor(width: number, headCount: number) {
    this.#heads = headCount;
    this.firstNorm = new LayerNorm(width);
    this.secondNorm = new LayerNorm(width);
    this.look = new Linear(width, 3 * width);
    this.gather = new Linear(width, width);
    this.widen = new Linear(width, 4 * width);
    this.narrow = new Linear(4 * width, width);
  }

  /** `seen` takes the attention weights, [N, H, L, L]. */
  forward(x: Tensor, seen: Tensor[]): Tensor {
    const [n = 1, length = 1, width = 1] = x.shape;
    const parts = this.look.forward(this.firstNorm.forward(x)).split(3, 2);
    const [queries, keys, values] = parts.map((part) => heads(part, this.#heads)) as [Tensor, Tensor, Tensor];
    // softmax(Q K^T / sqrt(d)), with nothing of what comes later
    const scores = queries.matmul(keys.transpose()).mul(1 / Math.sqrt(width / this.#heads));
    const isPast = tril(full([length, length], 1)).greater(0);
    const weights = where(isPast, scores, -1e9).softmax(-1);
    seen.push(weights);
    const mixed = weights.matmul(values).permute([0, 2, 1, 3]).reshape([n, length, width]);
    const y = x.add(this.gather.forward(mixed));
    return y.add(this.narrow.forward(this.widen.forward(this.secondNorm.forward(y)).gelu()));
  }
}

export class Transformer {
  readonly characters: Embedding;
  readonly places: Embedding;
  readonly blocks: readonly Block[];
  readonly norm: LayerNorm;
  readonly scores: Linear;

  constructor(vocabularySize: number, width: number, layers: number, headCount: number) {
    this.characters = new Embedding(vocabularySize, width);
    this.places = new Embedding(contextLength, width);
    this.blocks = Array.from({ length: layers }, () => new Block(width, headCount));
    this.norm = new LayerNorm(width);
    this.scores = new Linear(width, vocabularySize);
  }

  /** Logits [N, L, vocabulary] of what comes after each of the characters [N, L]; `seen` takes the attention of each block. */
  forward(ids: Tensor, seen: Tensor[] = []): Tensor {
    const places = arange(0, ids.shape[1] ?? 1, 1, { dtype: 'int32' });
    const start = this.characters.forward(ids).add(this.places.forward(places));
    const end = this.blocks.reduce((x, block) => block.forward(x, seen), start);
    return this.scores.forward(this.norm.forward(end));
  }
}

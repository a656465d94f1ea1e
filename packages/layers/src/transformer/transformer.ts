/** Encoder and decoder together, as the first transformer was. Embeddings and positions are the model's. */
import { checkOptions, parameters, ShapeError, showShape, type Tensor } from '@nn/core';
import type { AttentionMasks } from '../attention/multihead.ts';
import { xavierUniform } from '../initializers/initializers.ts';

import { LayerNorm } from '../normalization/normalization.ts';
import { type DecoderMasks, TransformerDecoderLayer } from './decoder-layer.ts';
import { TransformerEncoderLayer } from './encoder-layer.ts';
import { layerOptionNames, type TransformerLayerOptions } from './feed-forward.ts';
import { TransformerDecoder, TransformerEncoder } from './stacks.ts';

export interface TransformerOptions extends TransformerLayerOptions {
  /** Default 512. */
  readonly dimension?: number;
  /** Default 8. */
  readonly heads?: number;
  /** Default 6. */
  readonly encoderLayers?: number;
  /** Default 6. */
  readonly decoderLayers?: number;
}

/** What the source sees of itself, the target of itself, and the target of the source. */
export interface TransformerMasks extends DecoderMasks {
  readonly source?: AttentionMasks;
}

/**
 * The transformer: source [S, N, dimension] and target [T, N, dimension] to [T, N, dimension]; N first with `batchFirst`.
 * (Vaswani et al. 2017.) Embeddings, positions and the last Linear layer are the model's.
 *
 * Parameters and defaults are those of PyTorch's `nn.Transformer`: `encoder.layers.0...`, `encoder.norm`, `decoder...`; all
 * matrices start from Xavier's uniform numbers. The target does not see what comes later with `{ target: { causal: true } }`.
 * Throws ShapeError for widths that differ.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { Transformer } from '@nn/layers';
 * const small = { dimension: 8, heads: 2, encoderLayers: 1, decoderLayers: 1, feedForward: 16 };
 * const model = new Transformer(small);
 * console.log(model.forward(zeros([10, 4, 8]), zeros([5, 4, 8]), { target: { causal: true } }).shape); // => [5, 4, 8]
 */
export class Transformer {
  readonly dimension: number;
  readonly heads: number;
  readonly batchFirst: boolean;
  readonly encoder: TransformerEncoder<TransformerEncoderLayer>;
  readonly decoder: TransformerDecoder<TransformerDecoderLayer>;

  constructor(options: TransformerOptions = {}) {
    const own = ['dimension', 'heads', 'encoderLayers', 'decoderLayers'];
    checkOptions('Transformer', options, [...own, ...layerOptionNames]);
    const { dimension = 512, heads = 8, encoderLayers = 6, decoderLayers = 6, ...inner } = options;
    this.dimension = dimension;
    this.heads = heads;
    this.batchFirst = inner.batchFirst ?? false;
    const { epsilon = 1e-5, bias = true } = inner;
    const norm = (): LayerNorm => new LayerNorm(dimension, { epsilon, bias });
    this.encoder = new TransformerEncoder(() => new TransformerEncoderLayer(dimension, heads, inner), encoderLayers, {
      norm: norm(),
    });
    this.decoder = new TransformerDecoder(() => new TransformerDecoderLayer(dimension, heads, inner), decoderLayers, {
      norm: norm(),
    });
    for (const weight of parameters(this)) if (weight.rank > 1) weight.assign(xavierUniform(weight.shape));
  }

  forward(source: Tensor, target: Tensor, masks: TransformerMasks = {}): Tensor {
    checkOptions(String(this), masks, ['source', 'target', 'memory']);
    const batch = this.batchFirst ? 0 : 1;
    if (source.rank !== 3 || target.rank !== 3 || source.shape[batch] !== target.shape[batch]) {
      throw new ShapeError(
        String(this),
        `source ${showShape(source.shape)} and target ${showShape(target.shape)} must be ${this.batchFirst ? '[N, length' : '[length, N'}, ${this.dimension}] with the same N.`,
        { layer: String(this), source: source.shape, target: target.shape },
      );
    }
    const { source: ofSource, ...others } = masks;
    return this.decoder.forward(target, this.encoder.forward(source, ofSource), others);
  }

  toString(): string {
    return `Transformer(${this.dimension}, ${this.heads})`;
  }
}

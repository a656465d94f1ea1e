/** ConvNeXt and the vision transformer: patches, layer normalisation, GELU. */
import { concat, type Parameter, type Tensor } from '@nn/core';
import {
  Conv2d,
  Dropout,
  Flatten,
  GELU,
  gelu,
  type Layer,
  type LayerLike,
  LayerNorm,
  Linear,
  MultiheadAttention,
  Permute,
  Sequential,
} from '@nn/layers';
import {
  type ClassifierOptions,
  drawn,
  filled,
  LayerNorm2d,
  nameChildren,
  Stack,
  spatialMean,
  stochasticDepth,
} from './parts.ts';

const epsilon = 1e-6;

/** Each channel filtered by 7 x 7, then a perceptron of the channels at each place. */
class ConvNeXtBlock implements Layer {
  readonly layerScale: Parameter;
  readonly block: Sequential;
  readonly #rate: number;

  constructor(channels: number, rate: number) {
    this.layerScale = filled([channels, 1, 1], 1e-6);
    this.block = new Sequential(
      new Conv2d(channels, channels, 7, { padding: 3, groups: channels }),
      new Permute([0, 2, 3, 1]),
      new LayerNorm(channels, { epsilon }),
      new Linear(channels, 4 * channels),
      new GELU(),
      new Linear(4 * channels, channels),
      new Permute([0, 3, 1, 2]),
    );
    this.#rate = rate;
  }

  forward(x: Tensor): Tensor {
    return x.add(stochasticDepth(this.block.forward(x).mul(this.layerScale), this.#rate));
  }
}

class ConvNeXt implements Layer {
  readonly features: Sequential;
  readonly classifier: Sequential;

  constructor(widths: readonly number[], depths: readonly number[], classes: number, rate: number) {
    const total = depths.reduce((sum, depth) => sum + depth, 0);
    let done = 0;
    const layers: LayerLike[] = [
      new Sequential(new Conv2d(3, widths[0]!, 4, { stride: 4 }), new LayerNorm2d(widths[0]!, { epsilon })),
    ];
    depths.forEach((depth, k) => {
      const width = widths[k]!;
      layers.push(
        new Sequential(...Array.from({ length: depth }, () => new ConvNeXtBlock(width, (rate * done++) / (total - 1)))),
      );
      const next = widths[k + 1];
      if (next !== undefined)
        layers.push(new Sequential(new LayerNorm2d(width, { epsilon }), new Conv2d(width, next, 2, { stride: 2 })));
    });
    const last = widths.at(-1)!;
    this.features = new Sequential(...layers);
    this.classifier = new Sequential(new LayerNorm2d(last, { epsilon }), new Flatten(1), new Linear(last, classes));
  }

  forward(x: Tensor): Tensor {
    const features = this.features.forward(x);
    return this.classifier.forward(spatialMean(features).unsqueeze(2).unsqueeze(3));
  }
}

export interface ConvNeXtOptions extends ClassifierOptions {
  /** The rate at which the last block is left out in training, rising from 0; 0.1 where not given. */
  readonly stochasticDepth?: number;
}

/** Liu et al. (2022), as torchvision's `convnext_tiny`. */
export const convNeXtTiny = ({ classes = 1000, stochasticDepth: rate = 0.1 }: ConvNeXtOptions = {}): Layer =>
  new ConvNeXt([96, 192, 384, 768], [3, 3, 9, 3], classes, rate);

export interface VisionTransformerOptions extends ClassifierOptions {
  /** Pixels of a side of the picture, and of a patch. */
  readonly imageSize?: number;
  readonly patchSize?: number;
  readonly layers?: number;
  readonly heads?: number;
  readonly hidden?: number;
  /** Units inside of each perceptron. */
  readonly mlp?: number;
  readonly dropout?: number;
  readonly channels?: number;
}

/** A layer of the encoder, normalised before attention and before the perceptron. */
class EncoderLayer implements Layer {
  readonly #ln1: LayerNorm;
  readonly #attention: MultiheadAttention;
  readonly #ln2: LayerNorm;
  readonly #mlp: Sequential;
  readonly #dropout: Dropout;

  constructor(hidden: number, heads: number, mlp: number, dropout: number) {
    this.#ln1 = new LayerNorm(hidden, { epsilon });
    this.#attention = new MultiheadAttention(hidden, heads, { batchFirst: true });
    this.#ln2 = new LayerNorm(hidden, { epsilon });
    this.#dropout = new Dropout(dropout);
    this.#mlp = new Sequential(
      new Linear(hidden, mlp),
      gelu,
      new Dropout(dropout),
      new Linear(mlp, hidden),
      new Dropout(dropout),
    );
    nameChildren(this, () => ({ ln_1: this.#ln1, self_attention: this.#attention, ln_2: this.#ln2, mlp: this.#mlp }));
  }

  forward(x: Tensor): Tensor {
    const attended = x.add(this.#dropout.forward(this.#attention.forward(this.#ln1.forward(x))));
    return attended.add(this.#mlp.forward(this.#ln2.forward(attended)));
  }
}

/** The encoder with its positions, as torchvision names it: `pos_embedding`, `layers.encoder_layer_0`, `ln`. */
class Encoder {
  readonly posEmbedding: Parameter;
  readonly layers: Stack;
  readonly ln: LayerNorm;
  constructor(tokens: number, layers: readonly EncoderLayer[], hidden: number) {
    this.posEmbedding = drawn([1, tokens, hidden], 0.02);
    this.layers = new Stack(Object.fromEntries(layers.map((layer, k) => [`encoder_layer_${k}`, layer])));
    this.ln = new LayerNorm(hidden, { epsilon });
  }
}

/**
 * Dosovitskiy et al. (2021): patches as words, one more word whose last state is classified. Names are those of torchvision's
 * `VisionTransformer`; `vitB16` and `vitTiny16` have the known sizes, here everything may be chosen.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { VisionTransformer } from '@nn/vision';
 * const model = new VisionTransformer({ imageSize: 28, patchSize: 7, channels: 1, layers: 2, heads: 2, hidden: 16, mlp: 32, classes: 10 });
 * console.log(model.forward(zeros([2, 1, 28, 28])).shape); // => [ 2, 10 ]
 */
export class VisionTransformer implements Layer {
  readonly classToken: Parameter;
  readonly convProj: Conv2d;
  readonly encoder: Encoder;
  readonly heads: Stack;

  constructor(options: VisionTransformerOptions = {}) {
    const {
      imageSize = 224,
      patchSize = 16,
      layers = 12,
      heads = 12,
      hidden = 768,
      mlp = 3072,
      dropout = 0,
      channels = 3,
      classes = 1000,
    } = options;
    this.classToken = filled([1, 1, hidden], 0);
    this.convProj = new Conv2d(channels, hidden, patchSize, { stride: patchSize });
    const tokens = Math.floor(imageSize / patchSize) ** 2 + 1;
    const all = Array.from({ length: layers }, () => new EncoderLayer(hidden, heads, mlp, dropout));
    this.encoder = new Encoder(tokens, all, hidden);
    this.heads = new Stack({ head: new Linear(hidden, classes) });
  }

  forward(x: Tensor): Tensor {
    const patches = this.convProj.forward(x).flatten(2).transpose(1, 2);
    const [count, , hidden] = patches.shape as [number, number, number];
    const words = concat([this.classToken.expand([count, 1, hidden]), patches], 1).add(this.encoder.posEmbedding);
    const states = this.encoder.ln.forward(this.encoder.layers.forward(words));
    return this.heads.forward(states.at('...', 0, [null, null]));
  }
}

/** 86 million parameters, as torchvision's `vit_b_16`. */
export const vitB16 = (options: VisionTransformerOptions = {}): VisionTransformer => new VisionTransformer(options);
/** 5.7 million parameters (Touvron et al. 2021): a quarter of the width, three heads. */
export const vitTiny16 = (options: VisionTransformerOptions = {}): VisionTransformer =>
  new VisionTransformer({ heads: 3, hidden: 192, mlp: 768, ...options });

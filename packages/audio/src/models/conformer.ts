/** The Conformer (Gulati et al. 2020): attention for what is far, convolution for what is near. Names and arithmetic are those of torchaudio's `Conformer`, so that its state dictionaries load. */
import { checkOptions, ShapeError, type Tensor, tensor, ValueError } from '@nn/core';
import {
  BatchNorm1d,
  Conv1d,
  Conv2d,
  Dropout,
  GLU,
  GroupNorm,
  type Layer,
  LayerNorm,
  Linear,
  MultiheadAttention,
  ReLU,
  Sequential,
  SiLU,
} from '@nn/layers';

export interface ConformerOptions {
  /** The width of the input and of everything between. */
  readonly dimension: number;
  readonly heads: number;
  /** The width inside of the feed-forward parts. */
  readonly feedForward: number;
  readonly layers: number;
  /** Odd: how many frames a convolution sees; 31 by default. */
  readonly kernelSize?: number;
  /** Share of values dropped in training; 0 by default. */
  readonly dropout?: number;
  /** Whether convolutions are normalised over all channels of a sound, not over the batch; false by default. */
  readonly groupNorm?: boolean;
  /** Whether convolution comes before attention; false by default. */
  readonly convolutionFirst?: boolean;
}

const known = [
  'dimension',
  'heads',
  'feedForward',
  'layers',
  'kernelSize',
  'dropout',
  'groupNorm',
  'convolutionFirst',
] as const;

class FeedForward implements Layer {
  readonly sequential: Sequential;

  constructor(width: number, hidden: number, dropout: number) {
    this.sequential = new Sequential(
      new LayerNorm(width),
      new Linear(width, hidden),
      new SiLU(),
      new Dropout(dropout),
      new Linear(hidden, width),
      new Dropout(dropout),
    );
  }

  forward(x: Tensor): Tensor {
    return this.sequential.forward(x);
  }
}

class ConvolutionModule implements Layer {
  readonly layerNorm: LayerNorm;
  readonly sequential: Sequential;

  constructor(width: number, kernelSize: number, dropout: number, groupNorm: boolean) {
    this.layerNorm = new LayerNorm(width);
    this.sequential = new Sequential(
      new Conv1d(width, 2 * width, 1),
      new GLU({ axis: 1 }),
      new Conv1d(width, width, kernelSize, { padding: (kernelSize - 1) / 2, groups: width }),
      groupNorm ? new GroupNorm(1, width) : new BatchNorm1d(width),
      new SiLU(),
      new Conv1d(width, width, 1),
      new Dropout(dropout),
    );
  }

  /** [N, T, width] */
  forward(x: Tensor): Tensor {
    return this.sequential.forward(this.layerNorm.forward(x).transpose(1, 2)).transpose(1, 2);
  }
}

class ConformerLayer {
  readonly ffn1: FeedForward;
  readonly selfAttnLayerNorm: LayerNorm;
  readonly selfAttn: MultiheadAttention;
  readonly convModule: ConvolutionModule;
  readonly ffn2: FeedForward;
  readonly finalLayerNorm: LayerNorm;
  readonly #dropout: Dropout;
  readonly #isConvolutionFirst: boolean;

  constructor({ dimension, heads, feedForward, kernelSize = 31, dropout = 0, ...rest }: ConformerOptions) {
    this.ffn1 = new FeedForward(dimension, feedForward, dropout);
    this.selfAttnLayerNorm = new LayerNorm(dimension);
    this.selfAttn = new MultiheadAttention(dimension, heads, { dropout, batchFirst: true });
    this.convModule = new ConvolutionModule(dimension, kernelSize, dropout, rest.groupNorm ?? false);
    this.ffn2 = new FeedForward(dimension, feedForward, dropout);
    this.finalLayerNorm = new LayerNorm(dimension);
    this.#dropout = new Dropout(dropout);
    this.#isConvolutionFirst = rest.convolutionFirst ?? false;
  }

  forward(input: Tensor, lengths: Tensor | undefined): Tensor {
    let x = this.ffn1.forward(input).mul(0.5).add(input);
    if (this.#isConvolutionFirst) x = x.add(this.convModule.forward(x));
    const normed = this.selfAttnLayerNorm.forward(x);
    const attended = this.selfAttn.forward(normed, normed, normed, { ...(lengths && { lengths }) });
    x = x.add(this.#dropout.forward(attended));
    if (!this.#isConvolutionFirst) x = x.add(this.convModule.forward(x));
    return this.finalLayerNorm.forward(this.ffn2.forward(x).mul(0.5).add(x));
  }
}

/**
 * Layers of attention and convolution, [N, T, dimension] to the same. `lengths` says how many frames of each row are real; the others are hidden from attention, as in torchaudio.
 *
 * @example
 * import { Conformer } from '@nn/audio';
 * import { zeros } from '@nn/core';
 * const conformer = new Conformer({ dimension: 16, heads: 4, feedForward: 32, layers: 2, kernelSize: 7 });
 * console.log(conformer.forward(zeros([2, 20, 16]), { lengths: [20, 12] }).shape); // => [ 2, 20, 16 ]
 */
export class Conformer {
  readonly conformerLayers: readonly ConformerLayer[];

  constructor(options: ConformerOptions) {
    checkOptions('Conformer', options, known);
    const { layers, kernelSize = 31 } = options;
    if (!Number.isInteger(layers) || layers < 1 || kernelSize % 2 !== 1) {
      throw new ValueError(
        'Conformer',
        `layers ${layers} must be a whole number from 1, kernelSize ${kernelSize} odd.`,
      );
    }
    this.conformerLayers = Array.from({ length: layers }, () => new ConformerLayer(options));
  }

  forward(x: Tensor, options: { readonly lengths?: readonly number[] } = {}): Tensor {
    const lengths = options.lengths && tensor(Int32Array.from(options.lengths));
    return this.conformerLayers.reduce((y, layer) => layer.forward(y, lengths), x);
  }
}

export interface ConformerRecognizerOptions extends Omit<ConformerOptions, 'convolutionFirst'> {
  /** Rows of the features, as mels. */
  readonly features: number;
  /** With the blank, which is class 0. */
  readonly classes: number;
}

/**
 * A recogniser for CTC: two convolutions that keep a quarter of the frames, a Conformer, and log-probabilities [T', N, classes] for the loss `ctc` and for `ctcBeamDecode`. Features are
 * [N, features, T].
 *
 * @example
 * import { ConformerRecognizer } from '@nn/audio';
 * import { zeros } from '@nn/core';
 * const options = { features: 20, classes: 11, dimension: 16, heads: 4, feedForward: 32, layers: 1, kernelSize: 7 };
 * const { logProbabilities, lengths } = new ConformerRecognizer(options).forward(zeros([2, 20, 101]), { lengths: [101, 61] });
 * console.log(logProbabilities.shape, lengths); // => [ 26, 2, 11 ] [ 26, 16 ]
 */
export class ConformerRecognizer {
  readonly subsampling: Sequential;
  readonly projection: Linear;
  readonly conformer: Conformer;
  readonly readout: Linear;

  constructor(options: ConformerRecognizerOptions) {
    const { features, classes, ...rest } = options;
    const { dimension } = rest;
    if (!Number.isInteger(features) || features < 4) {
      throw new ValueError('ConformerRecognizer', `features is ${features}: it must be a whole number from 4.`);
    }
    this.subsampling = new Sequential(
      new Conv2d(1, dimension, 3, { stride: 2, padding: 1 }),
      new ReLU(),
      new Conv2d(dimension, dimension, 3, { stride: 2, padding: 1 }),
      new ReLU(),
    );
    this.projection = new Linear(dimension * quarter(features), dimension);
    this.conformer = new Conformer(rest);
    this.readout = new Linear(dimension, classes);
  }

  forward(
    x: Tensor,
    options: { readonly lengths?: readonly number[] } = {},
  ): { readonly logProbabilities: Tensor; readonly lengths: readonly number[] } {
    if (x.rank !== 3) {
      throw new ShapeError('ConformerRecognizer', `takes features [N, features, T], got [${x.shape.join(', ')}].`, {
        shape: x.shape,
      });
    }
    const [batch = 0, , frames = 0] = x.shape;
    const lengths = (options.lengths ?? new Array<number>(batch).fill(frames)).map(quarter);
    // [N, dimension, F', T'] to [N, T', dimension F']
    const fewer = this.subsampling.forward(x.unsqueeze(1)).permute([0, 3, 1, 2]).flatten(2);
    const y = this.conformer.forward(this.projection.forward(fewer), options.lengths ? { lengths } : {});
    return { logProbabilities: this.readout.forward(y).logSoftmax(-1).transpose(0, 1), lengths };
  }
}

const halved = (size: number): number => Math.floor((size + 1) / 2);
const quarter = (size: number): number => halved(halved(size));

/**
 * The paper's Conformer (S): 16 layers of width 144 with 4 heads, convolutions over 31 frames; about 9 million weights. 80 mels in, a class for each label and the blank out.
 */
export function conformerSmall(options: {
  readonly classes: number;
  readonly features?: number;
  readonly dropout?: number;
}): ConformerRecognizer {
  checkOptions('conformerSmall', options, ['classes', 'features', 'dropout']);
  const { classes, features = 80, dropout = 0.1 } = options;
  return new ConformerRecognizer({
    ...{ features, classes, dropout, dimension: 144, heads: 4, feedForward: 576, layers: 16, kernelSize: 31 },
  });
}

/** Networks that tell short sounds apart: M5 on samples (Dai et al. 2017), with the names of PyTorch's tutorial, and DS-CNN on MFCC (Zhang et al. 2017). */
import { checkOptions, ShapeError, type Tensor, ValueError } from '@nn/core';
import { BatchNorm1d, BatchNorm2d, Conv1d, Conv2d, type Layer, Linear, MaxPool1d, Sequential } from '@nn/layers';

export interface M5Options {
  /** Logits that come out; 35 by default, the words of Speech Commands. */
  readonly classes?: number;
  /** Channels of the sound; 1 by default. */
  readonly inputs?: number;
  /** How far the first filters, of 80 samples, are apart; 16 by default, for sounds at 8000 Hz. */
  readonly stride?: number;
  /** Filters of the first two layers, twice as many in the others; 32 by default. */
  readonly width?: number;
}

/**
 * M5: four convolutions on samples, each with batch normalisation and a maximum of 4, and the mean over time. Sounds [N, 1, length] to logits [N, classes]. Names are those of PyTorch's tutorial
 * (`conv1`, `bn1`, ..., `fc1`), which gives log-probabilities [N, 1, classes] of them.
 *
 * @example
 * import { M5 } from '@nn/audio';
 * import { zeros } from '@nn/core';
 * console.log(new M5({ classes: 10 }).forward(zeros([2, 1, 8000])).shape); // => [ 2, 10 ]
 */
export class M5 implements Layer {
  readonly conv1: Conv1d;
  readonly bn1: BatchNorm1d;
  readonly conv2: Conv1d;
  readonly bn2: BatchNorm1d;
  readonly conv3: Conv1d;
  readonly bn3: BatchNorm1d;
  readonly conv4: Conv1d;
  readonly bn4: BatchNorm1d;
  readonly fc1: Linear;
  readonly #pool = new MaxPool1d(4);

  constructor(options: M5Options = {}) {
    checkOptions('M5', options, ['classes', 'inputs', 'stride', 'width']);
    const { classes = 35, inputs = 1, stride = 16, width = 32 } = options;
    this.conv1 = new Conv1d(inputs, width, 80, { stride });
    this.bn1 = new BatchNorm1d(width);
    this.conv2 = new Conv1d(width, width, 3);
    this.bn2 = new BatchNorm1d(width);
    this.conv3 = new Conv1d(width, 2 * width, 3);
    this.bn3 = new BatchNorm1d(2 * width);
    this.conv4 = new Conv1d(2 * width, 2 * width, 3);
    this.bn4 = new BatchNorm1d(2 * width);
    this.fc1 = new Linear(2 * width, classes);
  }

  forward(x: Tensor): Tensor {
    const layers = [
      [this.conv1, this.bn1],
      [this.conv2, this.bn2],
      [this.conv3, this.bn3],
      [this.conv4, this.bn4],
    ] as const;
    const features = layers.reduce((y, [conv, norm]) => this.#pool.forward(norm.forward(conv.forward(y)).relu()), x);
    return this.fc1.forward(features.mean(2));
  }
}

/** A convolution of each channel by itself, then one across channels, each with its normalisation. */
class SeparableBlock implements Layer {
  readonly depthwise: Conv2d;
  readonly norm1: BatchNorm2d;
  readonly pointwise: Conv2d;
  readonly norm2: BatchNorm2d;

  constructor(channels: number, stride: number) {
    this.depthwise = new Conv2d(channels, channels, 3, { stride, padding: 1, groups: channels, bias: false });
    this.norm1 = new BatchNorm2d(channels);
    this.pointwise = new Conv2d(channels, channels, 1, { bias: false });
    this.norm2 = new BatchNorm2d(channels);
  }

  forward(x: Tensor): Tensor {
    const filtered = this.norm1.forward(this.depthwise.forward(x)).relu();
    return this.norm2.forward(this.pointwise.forward(filtered)).relu();
  }
}

export interface DsCnnOptions {
  /** The paper's three; 'small' by default: 22,000 weights. */
  readonly size?: 'small' | 'medium' | 'large';
  /** Logits that come out; 12 by default. */
  readonly classes?: number;
}

/** Channels, how far the first filters are apart in coefficients and frames, and the stride of each block. */
const sizes = {
  small: { channels: 64, stride: [2, 2], blocks: [1, 1, 1, 1] },
  medium: { channels: 172, stride: [1, 2], blocks: [2, 1, 1, 1] },
  large: { channels: 276, stride: [1, 2], blocks: [2, 1, 1, 1, 1] },
} as const;

/**
 * DS-CNN, which finds keywords on small devices: a convolution of 4 coefficients x 10 frames, depthwise separable ones, and the mean. MFCC [N, coefficients, frames] (the paper's: 10, 49) to
 * logits [N, classes].
 *
 * @example
 * import { DsCnn } from '@nn/audio';
 * import { zeros } from '@nn/core';
 * console.log(new DsCnn().forward(zeros([2, 10, 49])).shape); // => [ 2, 12 ]
 */
export class DsCnn implements Layer {
  readonly conv: Conv2d;
  readonly norm: BatchNorm2d;
  readonly blocks: Sequential;
  readonly fc: Linear;

  constructor(options: DsCnnOptions = {}) {
    checkOptions('DsCnn', options, ['size', 'classes']);
    const { size = 'small', classes = 12 } = options;
    if (!Object.hasOwn(sizes, size)) {
      throw new ValueError('DsCnn', `no size '${String(size)}': 'small', 'medium' or 'large'.`, { size });
    }
    const { channels, stride, blocks } = sizes[size];
    this.conv = new Conv2d(1, channels, [4, 10], { stride, padding: [1, 5], bias: false });
    this.norm = new BatchNorm2d(channels);
    this.blocks = new Sequential(...blocks.map((each) => new SeparableBlock(channels, each)));
    this.fc = new Linear(channels, classes);
  }

  forward(x: Tensor): Tensor {
    if (x.rank !== 3) {
      throw new ShapeError('DsCnn', `takes features [N, coefficients, frames], got [${x.shape.join(', ')}].`, {
        shape: x.shape,
      });
    }
    const first = this.norm.forward(this.conv.forward(x.unsqueeze(1))).relu();
    return this.fc.forward(this.blocks.forward(first).mean([2, 3]));
  }
}

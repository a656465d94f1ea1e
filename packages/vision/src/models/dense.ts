/** DenseNet-121 and ShuffleNet v2: networks that put channels beside each other instead of adding them. */
import { channelShuffle, concat, type Tensor } from '@nn/core';
import { AvgPool2d, BatchNorm2d, type Conv2d, type Layer, Linear, MaxPool2d, relu, Sequential } from '@nn/layers';
import { type ClassifierOptions, convNorm, convolution, Stack, spatialMean } from './parts.ts';

/** What went in, and 32 channels more. */
class DenseLayer implements Layer {
  readonly norm1: BatchNorm2d;
  readonly conv1: Conv2d;
  readonly norm2: BatchNorm2d;
  readonly conv2: Conv2d;

  constructor(inputs: number, growth: number) {
    this.norm1 = new BatchNorm2d(inputs);
    this.conv1 = convolution(inputs, 4 * growth, 1);
    this.norm2 = new BatchNorm2d(4 * growth);
    this.conv2 = convolution(4 * growth, growth, 3);
  }

  forward(x: Tensor): Tensor {
    const few = this.conv1.forward(this.norm1.forward(x).relu());
    return concat([x, this.conv2.forward(this.norm2.forward(few).relu())], 1);
  }
}

class DenseNet implements Layer {
  readonly features: Stack;
  readonly classifier: Linear;

  constructor(features: Stack, channels: number, classes: number) {
    this.features = features;
    this.classifier = new Linear(channels, classes);
  }

  forward(x: Tensor): Tensor {
    return this.classifier.forward(spatialMean(this.features.forward(x).relu()));
  }
}

/** Huang et al. (2017), as torchvision's `densenet121`. */
export function denseNet121({ classes = 1000 }: ClassifierOptions = {}): Layer {
  const growth = 32;
  let channels = 64;
  const parts: Record<string, Layer | typeof relu> = {
    conv0: convolution(3, channels, 7, { stride: 2 }),
    norm0: new BatchNorm2d(channels),
    relu0: relu,
    pool0: new MaxPool2d(3, { stride: 2, padding: 1 }),
  };
  [6, 12, 24, 16].forEach((count, k) => {
    const block: Record<string, Layer> = {};
    for (let layer = 1; layer <= count; layer++, channels += growth)
      block[`denselayer${layer}`] = new DenseLayer(channels, growth);
    parts[`denseblock${k + 1}`] = new Stack(block);
    if (k === 3) return;
    parts[`transition${k + 1}`] = new Stack({
      norm: new BatchNorm2d(channels),
      relu,
      conv: convolution(channels, channels / 2, 1),
      pool: new AvgPool2d(2),
    });
    channels /= 2;
  });
  parts.norm5 = new BatchNorm2d(channels);
  return new DenseNet(new Stack(parts), channels, classes);
}

/** Half of the channels go around, then all are shuffled; with a stride both halves are filtered. */
class ShuffleBlock implements Layer {
  readonly branch1: Sequential;
  readonly branch2: Sequential;
  readonly #stride: number;

  constructor(inputs: number, outputs: number, stride: number) {
    const half = outputs / 2;
    const first = stride > 1 ? inputs : half;
    const filtered = (channels: number): Layer[] =>
      [...convNorm(channels, channels, 3, { stride, groups: channels })] as Layer[];
    const mixed = (channels: number): (Layer | typeof relu)[] =>
      [...convNorm(channels, half, 1, { activation: relu })] as Layer[];
    this.branch1 = new Sequential(...(stride > 1 ? [...filtered(inputs), ...mixed(inputs)] : []));
    this.branch2 = new Sequential(...mixed(first), ...filtered(half), ...mixed(half));
    this.#stride = stride;
  }

  forward(x: Tensor): Tensor {
    const [left, right] = this.#stride > 1 ? [this.branch1.forward(x), x] : (x.split(2, 1) as [Tensor, Tensor]);
    return channelShuffle(concat([left, this.branch2.forward(right)], 1), 2);
  }
}

class ShuffleNet implements Layer {
  readonly conv1: Sequential;
  readonly stage2: Sequential;
  readonly stage3: Sequential;
  readonly stage4: Sequential;
  readonly conv5: Sequential;
  readonly fc: Linear;
  readonly #pool = new MaxPool2d(3, { stride: 2, padding: 1 });

  constructor(widths: readonly [number, number, number, number, number], classes: number) {
    const stage = (k: 1 | 2 | 3, count: number): Sequential => {
      const [inputs, outputs] = [widths[(k - 1) as 0 | 1 | 2], widths[k]];
      const rest = Array.from({ length: count - 1 }, () => new ShuffleBlock(outputs, outputs, 1));
      return new Sequential(new ShuffleBlock(inputs, outputs, 2), ...rest);
    };
    this.conv1 = convNorm(3, widths[0], 3, { stride: 2, activation: relu });
    this.stage2 = stage(1, 4);
    this.stage3 = stage(2, 8);
    this.stage4 = stage(3, 4);
    this.conv5 = convNorm(widths[3], widths[4], 1, { activation: relu });
    this.fc = new Linear(widths[4], classes);
  }

  forward(x: Tensor): Tensor {
    const start = this.#pool.forward(this.conv1.forward(x));
    const stages = [this.stage2, this.stage3, this.stage4, this.conv5];
    return this.fc.forward(spatialMean(stages.reduce((value, stage) => stage.forward(value), start)));
  }
}

/** Ma et al. (2018), as torchvision's `shufflenet_v2_x0_5`. */
export const shuffleNetV2Half = ({ classes = 1000 }: ClassifierOptions = {}): Layer =>
  new ShuffleNet([24, 48, 96, 192, 1024], classes);
/** As torchvision's `shufflenet_v2_x1_0`. */
export const shuffleNetV2 = ({ classes = 1000 }: ClassifierOptions = {}): Layer =>
  new ShuffleNet([24, 116, 232, 464, 1024], classes);

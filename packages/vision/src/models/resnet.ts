/** Residual networks (He et al. 2016), by torchvision's names: `conv1`, `bn1`, `layer1.0.conv1`, ..., `fc`. */
import type { Tensor } from '@nn/core';
import { BatchNorm2d, type Conv2d, type Layer, Linear, MaxPool2d, Sequential } from '@nn/layers';
import { type ClassifierOptions, convNorm, convolution, spatialMean } from './parts.ts';

/** Two convolutions of 3 x 3 and a shortcut. */
class BasicBlock implements Layer {
  static readonly expansion = 1;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly downsample: Sequential | null;

  constructor(inputs: number, width: number, stride: number) {
    this.conv1 = convolution(inputs, width, 3, { stride });
    this.bn1 = new BatchNorm2d(width);
    this.conv2 = convolution(width, width, 3);
    this.bn2 = new BatchNorm2d(width);
    this.downsample = stride === 1 && inputs === width ? null : convNorm(inputs, width, 1, { stride });
  }

  forward(x: Tensor): Tensor {
    const first = this.bn1.forward(this.conv1.forward(x)).relu();
    return this.bn2
      .forward(this.conv2.forward(first))
      .add(this.downsample?.forward(x) ?? x)
      .relu();
  }
}

/** Down to few channels by 1 x 1, 3 x 3 there, and back up; the stride is in the middle, as in torchvision ("v1.5"). */
class Bottleneck implements Layer {
  static readonly expansion = 4;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly conv3: Conv2d;
  readonly bn3: BatchNorm2d;
  readonly downsample: Sequential | null;

  constructor(inputs: number, width: number, stride: number) {
    const outputs = 4 * width;
    this.conv1 = convolution(inputs, width, 1);
    this.bn1 = new BatchNorm2d(width);
    this.conv2 = convolution(width, width, 3, { stride });
    this.bn2 = new BatchNorm2d(width);
    this.conv3 = convolution(width, outputs, 1);
    this.bn3 = new BatchNorm2d(outputs);
    this.downsample = stride === 1 && inputs === outputs ? null : convNorm(inputs, outputs, 1, { stride });
  }

  forward(x: Tensor): Tensor {
    const first = this.bn1.forward(this.conv1.forward(x)).relu();
    const second = this.bn2.forward(this.conv2.forward(first)).relu();
    return this.bn3
      .forward(this.conv3.forward(second))
      .add(this.downsample?.forward(x) ?? x)
      .relu();
  }
}

/** The network: [N, 3, height, width] to logits [N, classes]; `features` gives what is before the last layer. */
export class ResNet implements Layer {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  readonly layer4: Sequential;
  readonly fc: Linear;
  readonly #pool = new MaxPool2d(3, { stride: 2, padding: 1 });

  constructor(
    Block: typeof BasicBlock | typeof Bottleneck,
    counts: readonly [number, number, number, number],
    classes: number,
  ) {
    this.conv1 = convolution(3, 64, 7, { stride: 2 });
    this.bn1 = new BatchNorm2d(64);
    let inputs = 64;
    const [layer1, layer2, layer3, layer4] = counts.map((count, stage) => {
      const width = 64 * 2 ** stage;
      const blocks = Array.from({ length: count }, (_, k) => {
        const block = new Block(inputs, width, k === 0 && stage > 0 ? 2 : 1);
        inputs = width * Block.expansion;
        return block;
      });
      return new Sequential(...blocks);
    }) as [Sequential, Sequential, Sequential, Sequential];
    this.layer1 = layer1;
    this.layer2 = layer2;
    this.layer3 = layer3;
    this.layer4 = layer4;
    this.fc = new Linear(inputs, classes);
  }

  /** The means of the last channels, [N, 512 or 2048]: what a head for another task takes. */
  features(x: Tensor): Tensor {
    const start = this.#pool.forward(this.bn1.forward(this.conv1.forward(x)).relu());
    const stages = [this.layer1, this.layer2, this.layer3, this.layer4];
    return spatialMean(stages.reduce((value, stage) => stage.forward(value), start));
  }

  forward(x: Tensor): Tensor {
    return this.fc.forward(this.features(x));
  }
}

/**
 * ResNet of 18 layers, 11.7 million parameters.
 *
 * @example
 * import { namedParameters, zeros } from '@nn/core';
 * import { resnet18 } from '@nn/vision';
 * const model = resnet18({ classes: 5 });
 * console.log(model.forward(zeros([1, 3, 64, 64])).shape, namedParameters(model).has('layer2.0.downsample.1.running_var')); // => [ 1, 5 ] true
 */
export const resnet18 = ({ classes = 1000 }: ClassifierOptions = {}): ResNet =>
  new ResNet(BasicBlock, [2, 2, 2, 2], classes);
/** ResNet of 34 layers, 21.8 million parameters. */
export const resnet34 = ({ classes = 1000 }: ClassifierOptions = {}): ResNet =>
  new ResNet(BasicBlock, [3, 4, 6, 3], classes);
/** ResNet of 50 layers, 25.6 million parameters. */
export const resnet50 = ({ classes = 1000 }: ClassifierOptions = {}): ResNet =>
  new ResNet(Bottleneck, [3, 4, 6, 3], classes);
/** ResNet of 101 layers, 44.5 million parameters. */
export const resnet101 = ({ classes = 1000 }: ClassifierOptions = {}): ResNet =>
  new ResNet(Bottleneck, [3, 4, 23, 3], classes);
/** ResNet of 152 layers, 60.2 million parameters. */
export const resnet152 = ({ classes = 1000 }: ClassifierOptions = {}): ResNet =>
  new ResNet(Bottleneck, [3, 8, 36, 3], classes);

/** Networks without shortcuts: LeNet, AlexNet, VGG, SqueezeNet. */
import { concat, type Tensor } from '@nn/core';
import {
  AdaptiveAvgPool2d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  type Layer,
  type LayerLike,
  Linear,
  MaxPool2d,
  relu,
  Sequential,
} from '@nn/layers';
import { type ClassifierOptions, convolution, linear, spatialMean } from './parts.ts';

export interface LeNetOptions {
  readonly classes?: number;
  readonly channels?: number;
  /** Pixels of a side; 28 where not given. */
  readonly size?: number;
}

/**
 * LeCun et al. (1998) with relu and max pooling: two convolutions, three linear layers. [N, 1, 28, 28] to logits [N, 10].
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { LeNet } from '@nn/vision';
 * console.log(new LeNet().forward(zeros([2, 1, 28, 28])).shape); // => [ 2, 10 ]
 */
export class LeNet implements Layer {
  readonly conv1: Conv2d;
  readonly conv2: Conv2d;
  readonly fc1: Linear;
  readonly fc2: Linear;
  readonly fc3: Linear;
  readonly #pool = new MaxPool2d(2);

  constructor({ classes = 10, channels = 1, size = 28 }: LeNetOptions = {}) {
    this.conv1 = new Conv2d(channels, 6, 5, { padding: 2 });
    this.conv2 = new Conv2d(6, 16, 5);
    const side = Math.floor((Math.floor(size / 2) - 4) / 2);
    this.fc1 = new Linear(16 * side * side, 120);
    this.fc2 = new Linear(120, 84);
    this.fc3 = new Linear(84, classes);
  }

  forward(x: Tensor): Tensor {
    const first = this.#pool.forward(this.conv1.forward(x).relu());
    const second = this.#pool.forward(this.conv2.forward(first).relu());
    const flat = this.fc1.forward(second.flatten(1)).relu();
    return this.fc3.forward(this.fc2.forward(flat).relu());
  }
}

/** Features, a pool to one size, a classifier: what AlexNet and VGG are. */
class PlainNet implements Layer {
  readonly features: Sequential;
  readonly classifier: Sequential;
  readonly #pool: AdaptiveAvgPool2d;

  constructor(features: Sequential, side: number, classifier: Sequential) {
    this.features = features;
    this.classifier = classifier;
    this.#pool = new AdaptiveAvgPool2d(side);
  }

  forward(x: Tensor): Tensor {
    return this.classifier.forward(this.#pool.forward(this.features.forward(x)).flatten(1));
  }
}

export interface PlainOptions extends ClassifierOptions {
  /** 0.5 where not given. */
  readonly dropout?: number;
  /** Units of the two hidden layers of the classifier; 4096 where not given. */
  readonly hidden?: number;
}

/** Krizhevsky (2014), as torchvision's `alexnet`: pictures of at least 63 pixels a side. */
export function alexNet({ classes = 1000, dropout = 0.5, hidden = 4096 }: PlainOptions = {}): Layer {
  const pool = (): MaxPool2d => new MaxPool2d(3, { stride: 2 });
  const features = new Sequential(
    ...[new Conv2d(3, 64, 11, { stride: 4, padding: 2 }), relu, pool()],
    ...[new Conv2d(64, 192, 5, { padding: 2 }), relu, pool()],
    ...[new Conv2d(192, 384, 3, { padding: 1 }), relu, new Conv2d(384, 256, 3, { padding: 1 }), relu],
    ...[new Conv2d(256, 256, 3, { padding: 1 }), relu, pool()],
  );
  const classifier = new Sequential(
    ...[new Dropout(dropout), new Linear(256 * 36, hidden), relu],
    ...[new Dropout(dropout), new Linear(hidden, hidden), relu, new Linear(hidden, classes)],
  );
  return new PlainNet(features, 6, classifier);
}

const widths = { 11: [1, 1, 2, 2, 2], 13: [2, 2, 2, 2, 2], 16: [2, 2, 3, 3, 3], 19: [2, 2, 4, 4, 4] } as const;

/** Simonyan and Zisserman (2015), as torchvision's `vgg11` to `vgg19_bn`: five groups of 3 x 3 convolutions. */
function vgg(
  depth: keyof typeof widths,
  { classes = 1000, dropout = 0.5, hidden = 4096, batchNorm = false }: PlainOptions & { readonly batchNorm?: boolean },
): Layer {
  const layers: LayerLike[] = [];
  let inputs = 3;
  widths[depth].forEach((count, group) => {
    const outputs = Math.min(512, 64 * 2 ** group);
    for (let k = 0; k < count; k++) {
      layers.push(
        convolution(inputs, outputs, 3, { bias: true }),
        ...(batchNorm ? [new BatchNorm2d(outputs)] : []),
        relu,
      );
      inputs = outputs;
    }
    layers.push(new MaxPool2d(2));
  });
  const classifier = new Sequential(
    ...[linear(512 * 49, hidden), relu, new Dropout(dropout)],
    ...[linear(hidden, hidden), relu, new Dropout(dropout), linear(hidden, classes)],
  );
  return new PlainNet(new Sequential(...layers), 7, classifier);
}

export type VggOptions = PlainOptions & {
  /** With batch normalisation behind each convolution, as `vgg16_bn`. */
  readonly batchNorm?: boolean;
};

/** VGG of 11 layers. */
export const vgg11 = (options: VggOptions = {}): Layer => vgg(11, options);
/** VGG of 13 layers. */
export const vgg13 = (options: VggOptions = {}): Layer => vgg(13, options);
/** VGG of 16 layers. */
export const vgg16 = (options: VggOptions = {}): Layer => vgg(16, options);
/** VGG of 19 layers. */
export const vgg19 = (options: VggOptions = {}): Layer => vgg(19, options);

/** Few channels by 1 x 1, then many by 1 x 1 and 3 x 3 beside each other. */
class Fire implements Layer {
  readonly squeeze: Conv2d;
  readonly expand1x1: Conv2d;
  readonly expand3x3: Conv2d;

  constructor(inputs: number, squeezed: number, outputs: number) {
    this.squeeze = new Conv2d(inputs, squeezed, 1);
    this.expand1x1 = new Conv2d(squeezed, outputs, 1);
    this.expand3x3 = new Conv2d(squeezed, outputs, 3, { padding: 1 });
  }

  forward(x: Tensor): Tensor {
    const few = this.squeeze.forward(x).relu();
    return concat([this.expand1x1.forward(few).relu(), this.expand3x3.forward(few).relu()], 1);
  }
}

class SqueezeNet implements Layer {
  readonly features: Sequential;
  readonly classifier: Sequential;

  constructor(features: Sequential, classes: number, dropout: number) {
    this.features = features;
    this.classifier = new Sequential(new Dropout(dropout), new Conv2d(512, classes, 1), relu);
  }

  forward(x: Tensor): Tensor {
    return spatialMean(this.classifier.forward(this.features.forward(x)));
  }
}

export interface SqueezeNetOptions extends ClassifierOptions {
  readonly dropout?: number;
}

/** Fires by what they take and squeeze to, 'pool' between them. Each gives eight times what it squeezes to, four from each half. */
function squeezeNet(
  first: Conv2d,
  items: readonly (readonly [number, number] | 'pool')[],
  { classes = 1000, dropout = 0.5 }: SqueezeNetOptions,
): Layer {
  const layers = items.map((item) =>
    item === 'pool' ? new MaxPool2d(3, { stride: 2, ceilMode: true }) : new Fire(item[0], item[1], 4 * item[1]),
  );
  return new SqueezeNet(new Sequential(first, relu, ...layers), classes, dropout);
}

/** Iandola et al. (2016), version 1.0. */
export function squeezeNet1_0(options: SqueezeNetOptions = {}): Layer {
  const fires = [
    [96, 16],
    [128, 16],
    [128, 32],
    'pool',
    [256, 32],
    [256, 48],
    [384, 48],
    [384, 64],
    'pool',
    [512, 64],
  ] as const;
  return squeezeNet(new Conv2d(3, 96, 7, { stride: 2 }), ['pool', ...fires], options);
}

/** Version 1.1: as good with 2.4 times fewer products. */
export function squeezeNet1_1(options: SqueezeNetOptions = {}): Layer {
  const fires = [
    [64, 16],
    [128, 16],
    'pool',
    [128, 32],
    [256, 32],
    'pool',
    [256, 48],
    [384, 48],
    [384, 64],
    [512, 64],
  ] as const;
  return squeezeNet(new Conv2d(3, 64, 3, { stride: 2 }), ['pool', ...fires], options);
}

/** Networks of inverted residuals: MobileNet v2 and v3, EfficientNet-B0. Few channels between blocks, many inside, where each is filtered on its own. */
import type { Tensor } from '@nn/core';
import {
  BatchNorm2d,
  type BatchNormOptions,
  Dropout,
  HardSwish,
  hardSigmoid,
  hardSwish,
  type Layer,
  type LayerLike,
  ReLU6,
  relu,
  Sequential,
  sigmoid,
  silu,
} from '@nn/layers';
import {
  type ClassifierOptions,
  convNorm,
  convolution,
  divisible,
  linear,
  SqueezeExcitation,
  spatialMean,
  stochasticDepth,
} from './parts.ts';

export interface MobileNetOptions extends ClassifierOptions {
  /** 0.2 where not given. */
  readonly dropout?: number;
  /** Of the batch normalisations, where torchvision's differ. */
  readonly norm?: BatchNormOptions;
}

/** `features`, the mean, `classifier`. */
class MobileNet implements Layer {
  readonly features: Sequential;
  readonly classifier: Sequential;

  constructor(features: Sequential, classifier: Sequential) {
    this.features = features;
    this.classifier = classifier;
  }

  forward(x: Tensor): Tensor {
    return this.classifier.forward(spatialMean(this.features.forward(x)));
  }
}

/** v2's block: `conv`, with the last convolution and its normalisation beside the others. */
class InvertedResidualV2 implements Layer {
  readonly conv: Sequential;
  readonly #isShortcut: boolean;

  constructor(inputs: number, outputs: number, stride: number, ratio: number) {
    const hidden = inputs * ratio;
    const relu6 = new ReLU6();
    this.conv = new Sequential(
      ...(ratio === 1 ? [] : [convNorm(inputs, hidden, 1, { activation: relu6 })]),
      convNorm(hidden, hidden, 3, { stride, groups: hidden, activation: relu6 }),
      convolution(hidden, outputs, 1),
      new BatchNorm2d(outputs),
    );
    this.#isShortcut = stride === 1 && inputs === outputs;
  }

  forward(x: Tensor): Tensor {
    const y = this.conv.forward(x);
    return this.#isShortcut ? x.add(y) : y;
  }
}

/** Sandler et al. (2018), as torchvision's `mobilenet_v2`. */
export function mobileNetV2({ classes = 1000, dropout = 0.2 }: Omit<MobileNetOptions, 'norm'> = {}): Layer {
  const relu6 = new ReLU6();
  // ratio, channels, blocks, stride of the first
  const stages = [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
  ] as const;
  let inputs = 32;
  const blocks = stages.flatMap(([ratio, outputs, count, stride]) =>
    Array.from({ length: count }, (_, k) => {
      const block = new InvertedResidualV2(inputs, outputs, k === 0 ? stride : 1, ratio);
      inputs = outputs;
      return block;
    }),
  );
  const features = new Sequential(
    convNorm(3, 32, 3, { stride: 2, activation: relu6 }),
    ...blocks,
    convNorm(320, 1280, 1, { activation: relu6 }),
  );
  return new MobileNet(features, new Sequential(new Dropout(dropout), linear(1280, classes)));
}

/** What a block of v3 or of EfficientNet is made by. */
interface BlockPlan {
  readonly inputs: number;
  readonly hidden: number;
  readonly outputs: number;
  readonly kernel: number;
  readonly stride: number;
  readonly activation: LayerLike;
  /** Channels between squeeze and excitation; null without it. */
  readonly squeezed: number | null;
  readonly squeeze: readonly [activation: (x: Tensor) => Tensor, scale: (x: Tensor) => Tensor];
  readonly norm: BatchNormOptions;
  readonly depthRate: number;
}

/** Up by 1 x 1 (unless there is nothing to widen), each channel filtered, squeezed and excited, down by 1 x 1; and a shortcut. */
export class InvertedResidual implements Layer {
  readonly block: Sequential;
  readonly #isShortcut: boolean;
  readonly #depthRate: number;

  constructor(plan: BlockPlan) {
    const { inputs, hidden, outputs, kernel, stride, activation, squeezed, squeeze, norm, depthRate } = plan;
    this.block = new Sequential(
      ...(hidden === inputs ? [] : [convNorm(inputs, hidden, 1, { activation, norm })]),
      convNorm(hidden, hidden, kernel, { stride, groups: hidden, activation, norm }),
      ...(squeezed === null ? [] : [new SqueezeExcitation(hidden, squeezed, ...squeeze)]),
      convNorm(hidden, outputs, 1, { norm }),
    );
    this.#isShortcut = stride === 1 && inputs === outputs;
    this.#depthRate = depthRate;
  }

  forward(x: Tensor): Tensor {
    const y = this.block.forward(x);
    return this.#isShortcut ? x.add(stochasticDepth(y, this.#depthRate)) : y;
  }
}

type RowV3 = readonly [
  inputs: number,
  kernel: number,
  hidden: number,
  outputs: number,
  squeezes: boolean,
  isSwish: boolean,
  stride: number,
];

const rowsV3: Readonly<Record<'large' | 'small', readonly RowV3[]>> = {
  large: [
    [16, 3, 16, 16, false, false, 1],
    [16, 3, 64, 24, false, false, 2],
    [24, 3, 72, 24, false, false, 1],
    [24, 5, 72, 40, true, false, 2],
    [40, 5, 120, 40, true, false, 1],
    [40, 5, 120, 40, true, false, 1],
    [40, 3, 240, 80, false, true, 2],
    [80, 3, 200, 80, false, true, 1],
    [80, 3, 184, 80, false, true, 1],
    [80, 3, 184, 80, false, true, 1],
    [80, 3, 480, 112, true, true, 1],
    [112, 3, 672, 112, true, true, 1],
    [112, 5, 672, 160, true, true, 2],
    [160, 5, 960, 160, true, true, 1],
    [160, 5, 960, 160, true, true, 1],
  ],
  small: [
    [16, 3, 16, 16, true, false, 2],
    [16, 3, 72, 24, false, false, 2],
    [24, 3, 88, 24, false, false, 1],
    [24, 5, 96, 40, true, true, 2],
    [40, 5, 240, 40, true, true, 1],
    [40, 5, 240, 40, true, true, 1],
    [40, 5, 120, 48, true, true, 1],
    [48, 5, 144, 48, true, true, 1],
    [48, 5, 288, 96, true, true, 2],
    [96, 5, 576, 96, true, true, 1],
    [96, 5, 576, 96, true, true, 1],
  ],
};

/** The features of v3, in torchvision's order; with a reduced tail the last blocks have half the channels, as detectors use them. */
export function featuresV3(size: 'large' | 'small', norm: BatchNormOptions, reducedTail = false): LayerLike[] {
  const rows = rowsV3[size];
  const half = (channels: number, isTail: boolean): number => (reducedTail && isTail ? channels / 2 : channels);
  const firstOfTail = rows.findLastIndex(([, , , , , , stride]) => stride === 2);
  const blocks = rows.map(([inputs, kernel, hidden, outputs, squeezes, isSwish, stride], k) => {
    const isTail = k >= firstOfTail;
    const inside = half(hidden, k > firstOfTail);
    return new InvertedResidual({
      inputs: half(inputs, k > firstOfTail),
      hidden: inside,
      outputs: half(outputs, isTail),
      ...{ kernel, stride, norm, depthRate: 0, squeeze: [relu, hardSigmoid] },
      activation: isSwish ? new HardSwish() : relu,
      squeezed: squeezes ? divisible(Math.floor(inside / 4)) : null,
    });
  });
  const last = half(rows.at(-1)![3], true);
  const activation = new HardSwish();
  return [
    convNorm(3, 16, 3, { stride: 2, activation, norm }),
    ...blocks,
    convNorm(last, 6 * last, 1, { activation, norm }),
  ];
}

function mobileNetV3(size: 'large' | 'small', options: MobileNetOptions): Layer {
  const { classes = 1000, dropout = 0.2, norm = { epsilon: 0.001, momentum: 0.01 } } = options;
  const [inputs, hidden] = size === 'large' ? [960, 1280] : [576, 1024];
  const classifier = new Sequential(linear(inputs, hidden), hardSwish, new Dropout(dropout), linear(hidden, classes));
  return new MobileNet(new Sequential(...featuresV3(size, norm)), classifier);
}

/** Howard et al. (2019), as torchvision's `mobilenet_v3_large`. */
export const mobileNetV3Large = (options: MobileNetOptions = {}): Layer => mobileNetV3('large', options);
/** The same, small: 2.5 million parameters. */
export const mobileNetV3Small = (options: MobileNetOptions = {}): Layer => mobileNetV3('small', options);

export interface EfficientNetOptions extends MobileNetOptions {
  /** The rate at which the last block is left out in training, rising from 0; 0.2 where not given. */
  readonly stochasticDepth?: number;
}

/** Tan and Le (2019), as torchvision's `efficientnet_b0`. */
export function efficientNetB0(options: EfficientNetOptions = {}): Layer {
  const { classes = 1000, dropout = 0.2, norm = {}, stochasticDepth: rate = 0.2 } = options;
  // ratio, kernel, stride, inputs, outputs, blocks
  const stages = [
    [1, 3, 1, 32, 16, 1],
    [6, 3, 2, 16, 24, 2],
    [6, 5, 2, 24, 40, 2],
    [6, 3, 2, 40, 80, 3],
    [6, 5, 1, 80, 112, 3],
    [6, 5, 2, 112, 192, 4],
    [6, 3, 1, 192, 320, 1],
  ] as const;
  const total = stages.reduce((sum, [, , , , , count]) => sum + count, 0);
  let done = 0;
  const features = stages.map(
    ([ratio, kernel, stride, first, outputs, count]) =>
      new Sequential(
        ...Array.from({ length: count }, (_, k) => {
          const inputs = k === 0 ? first : outputs;
          return new InvertedResidual({
            ...{ inputs, hidden: inputs * ratio, outputs, kernel, norm, activation: silu, squeeze: [silu, sigmoid] },
            stride: k === 0 ? stride : 1,
            squeezed: Math.max(1, Math.floor(inputs / 4)),
            depthRate: (rate * done++) / total,
          });
        }),
      ),
  );
  const all = new Sequential(
    convNorm(3, 32, 3, { stride: 2, activation: silu, norm }),
    ...features,
    convNorm(320, 1280, 1, { activation: silu, norm }),
  );
  return new MobileNet(all, new Sequential(new Dropout(dropout), linear(1280, classes)));
}

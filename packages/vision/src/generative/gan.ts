/**
 * Two networks against each other (Goodfellow et al. 2014): one makes pictures of noise, one tells them from real ones. The pair of DCGAN (Radford et al.
 * 2016), with the parameter names of PyTorch's example; the losses are functions, the loop takes turns.
 */
import {
  checkOptions,
  hostNormalLater,
  normal,
  onesLike,
  parameter,
  type Tensor,
  ValueError,
  zerosLike,
} from '@nn/core';
import {
  BatchNorm2d,
  bceWithLogits,
  Conv2d,
  ConvTranspose2d,
  type Layer,
  LeakyReLU,
  relu,
  Sequential,
  tanh,
} from '@nn/layers';

export interface DcganOptions {
  /** Sides of the square pictures: 4 times a power of 2, from 8; 64 where not given. */
  readonly size?: number;
  /** Of the pictures; 3 where not given. */
  readonly channels?: number;
  /** Channels of the largest maps; 64 where not given. */
  readonly width?: number;
}

/** Widths of the maps from the 4 x 4 one to the largest. */
function widthsOf(operation: string, size: number, width: number): number[] {
  const levels = Math.log2(size / 4);
  if (!(Number.isInteger(levels) && levels >= 1)) {
    throw new ValueError(operation, `size is ${size}: it must be 8, 16, 32 or a further power of 2.`, { size });
  }
  return Array.from({ length: levels }, (_, k) => width * 2 ** (levels - 1 - k));
}

/** Weights of a normal distribution of deviation 0.02, around 1 for normalisations, as in the paper. */
function drawn<T extends Conv2d | ConvTranspose2d | BatchNorm2d>(layer: T): T {
  const { shape, size } = layer.weight!;
  const offset = layer instanceof BatchNorm2d ? 1 : 0;
  const draw = hostNormalLater(size);
  layer.weight = parameter(() => draw().map((value) => offset + 0.02 * value), { shape });
  return layer;
}

/**
 * Noise [N, latent, 1, 1] to pictures [N, channels, size, size] of -1 to 1.
 *
 * @example
 * import { cpu } from '@nn/backend-cpu';
 * import { setDefaultBackend } from '@nn/core';
 * import { DcganDiscriminator, DcganGenerator } from '@nn/vision';
 * setDefaultBackend(cpu());
 * const generator = new DcganGenerator({ size: 16, channels: 1, width: 4, latent: 8 });
 * const discriminator = new DcganDiscriminator({ size: 16, channels: 1, width: 4 });
 * const made = generator.forward(generator.noise(5));
 * console.log(made.shape, discriminator.forward(made).shape); // => [ 5, 1, 16, 16 ] [ 5 ]
 */
export class DcganGenerator implements Layer {
  readonly main: Sequential;
  readonly latent: number;

  constructor(options: DcganOptions & { readonly latent?: number } = {}) {
    checkOptions('DcganGenerator', options, ['size', 'channels', 'width', 'latent']);
    const { size = 64, channels = 3, width = 64, latent = 100 } = options;
    const widths = widthsOf('DcganGenerator', size, width);
    this.latent = latent;
    const wider = (inputs: number, outputs: number, isFirst: boolean): ConvTranspose2d =>
      drawn(
        new ConvTranspose2d(inputs, outputs, 4, { stride: isFirst ? 1 : 2, padding: isFirst ? 0 : 1, bias: false }),
      );
    this.main = new Sequential(
      ...widths.flatMap((outputs, k) => [
        wider(k === 0 ? latent : widths[k - 1]!, outputs, k === 0),
        drawn(new BatchNorm2d(outputs)),
        relu,
      ]),
      wider(widths.at(-1)!, channels, false),
      tanh,
    );
  }

  /** Standard normal numbers to make pictures of: [count, latent, 1, 1]. */
  noise(count: number): Tensor {
    return normal([count, this.latent, 1, 1]);
  }

  forward(noise: Tensor): Tensor {
    return this.main.forward(noise);
  }
}

/** Pictures [N, channels, size, size] to logits [N]: above 0 where they look real. */
export class DcganDiscriminator implements Layer {
  readonly main: Sequential;

  constructor(options: DcganOptions = {}) {
    checkOptions('DcganDiscriminator', options, ['size', 'channels', 'width']);
    const { size = 64, channels = 3, width = 64 } = options;
    const widths = widthsOf('DcganDiscriminator', size, width).reverse();
    const leaky = new LeakyReLU({ slope: 0.2 });
    this.main = new Sequential(
      ...widths.flatMap((outputs, k) => {
        const halved = drawn(
          new Conv2d(k === 0 ? channels : widths[k - 1]!, outputs, 4, { stride: 2, padding: 1, bias: false }),
        );
        return k === 0 ? [halved, leaky] : [halved, drawn(new BatchNorm2d(outputs)), leaky];
      }),
      drawn(new Conv2d(widths.at(-1)!, 1, 4, { bias: false })),
    );
  }

  forward(x: Tensor): Tensor {
    return this.main.forward(x).flatten(0);
  }
}

/**
 * What the discriminator makes small: the cross entropy of telling real pictures from made ones, 2 log 2 where it guesses. Give it logits of made pictures
 * through which no gradient runs: `generator.forward(noise).stopGradient()`.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { discriminatorLoss, generatorLoss } from '@nn/vision';
 * const unsure = tensor([0, 0]);
 * console.log((await discriminatorLoss(unsure, unsure).item()).toFixed(4), (await generatorLoss(unsure).item()).toFixed(4)); // => 1.3863 0.6931
 */
export function discriminatorLoss(real: Tensor, made: Tensor): Tensor {
  return bceWithLogits(real, onesLike(real)).add(bceWithLogits(made, zerosLike(made)));
}

/** What the generator makes small, -log of being taken for real: the form of Goodfellow et al. (2014) whose gradient does not vanish. */
export function generatorLoss(made: Tensor): Tensor {
  return bceWithLogits(made, onesLike(made));
}

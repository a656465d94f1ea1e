/**
 * Pictures through a narrow place and back: the autoencoder, and the variational one, whose codes are normally distributed, so that new pictures can be
 * drawn. The loss is a function of tensors beside the network; the loop is yours, or `Training`.
 */
import { checkOptions, normal, type Tensor, ValueError } from '@nn/core';
import { BatchNorm2d, bceWithLogits, Conv2d, ConvTranspose2d, type Layer, Linear, Sequential, silu } from '@nn/layers';
import type { Size } from '../images/image.ts';

export interface AutoencoderOptions {
  readonly size: Size;
  /** Of the pictures; 1 where not given. */
  readonly channels?: number;
  /** Numbers of a code; 16 where not given. */
  readonly latent?: number;
  /** Channels after the first halving, twice as many after each further one; 16 where not given. */
  readonly width?: number;
  /** How often the picture is halved; 2 where not given. The sides must be divisible by 2 ** depth. */
  readonly depth?: number;
}

/** Halvings and doublings between pictures and codes; `outputs` numbers come out of the encoder. */
function halves(operation: string, options: AutoencoderOptions, codes: number) {
  checkOptions(operation, options, ['size', 'channels', 'latent', 'width', 'depth']);
  const { size, channels = 1, latent = 16, width = 16, depth = 2 } = options;
  const factor = 2 ** depth;
  const inner: readonly [number, number] = [size.height / factor, size.width / factor];
  if (!inner.every((side) => Number.isInteger(side) && side > 0)) {
    throw new ValueError(
      operation,
      `${size.width} x ${size.height} pixels cannot be halved ${depth} times: the sides must be divisible by ${factor}.`,
      { ...size, depth },
    );
  }
  const widths = [channels, ...Array.from({ length: depth }, (_, k) => width * 2 ** k)];
  const top = widths.at(-1)!;
  const flat = top * inner[0] * inner[1];
  const down = widths
    .slice(1)
    .flatMap((outputs, k) => [
      new Conv2d(widths[k]!, outputs, 4, { stride: 2, padding: 1, bias: false }),
      new BatchNorm2d(outputs),
      silu,
    ]);
  const up = widths.slice(0, -1).flatMap((outputs, k) => {
    const wider = new ConvTranspose2d(widths[k + 1]!, outputs, 4, { stride: 2, padding: 1 });
    return [k === 0 ? [wider] : [wider, new BatchNorm2d(outputs), silu]];
  });
  return {
    latent,
    encoder: new Sequential(...down, (x: Tensor) => x.flatten(1), new Linear(flat, codes * latent)),
    decoder: new Sequential(
      new Linear(latent, flat),
      (x: Tensor) => silu(x).reshape([-1, top, ...inner]),
      ...up.reverse().flat(),
    ),
  };
}

/**
 * Pictures to codes and back to pictures, both by convolutions (Hinton and Salakhutdinov 2006).
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { Autoencoder } from '@nn/vision';
 * const model = new Autoencoder({ size: { width: 28, height: 28 }, latent: 8 });
 * console.log(model.encode(zeros([2, 1, 28, 28])).shape, model.forward(zeros([2, 1, 28, 28])).shape); // => [ 2, 8 ] [ 2, 1, 28, 28 ]
 */
export class Autoencoder implements Layer {
  readonly encoder: Sequential;
  readonly decoder: Sequential;

  /** Throws a `ValueError` for sides that cannot be halved. */
  constructor(options: AutoencoderOptions) {
    const { encoder, decoder } = halves('Autoencoder', options, 1);
    this.encoder = encoder;
    this.decoder = decoder;
  }

  /** [N, channels, height, width] to codes [N, latent]. */
  encode(x: Tensor): Tensor {
    return this.encoder.forward(x);
  }

  /** Codes [N, latent] to pictures: logits where `bceWithLogits` is the loss, values where it is `mse`. */
  decode(codes: Tensor): Tensor {
    return this.decoder.forward(codes);
  }

  forward(x: Tensor): Tensor {
    return this.decode(this.encode(x));
  }
}

/** A normal distribution for each number of a code. */
export interface GaussianCodes {
  /** [N, latent]. */
  readonly mean: Tensor;
  /** The logarithm of the variance, [N, latent]. */
  readonly logVariance: Tensor;
}

/**
 * How far normal distributions are from the standard one, in nats: [N], the Kullback-Leibler divergence
 * (mean^2 + variance - 1 - log variance) / 2 over all numbers of a code (Kingma and Welling 2014, appendix B).
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { gaussianDivergence } from '@nn/vision';
 * console.log(await gaussianDivergence({ mean: tensor([[1, 2]]), logVariance: tensor([[0, 0]]) }).array()); // => [ 2.5 ]
 */
export function gaussianDivergence({ mean, logVariance }: GaussianCodes): Tensor {
  const each = mean.square().add(logVariance.exp()).sub(logVariance).sub(1).mul(0.5);
  return each.flatten(1).sum(1);
}

/** The two parts of the negative evidence lower bound, each the mean over the batch, in nats. */
export interface EvidenceLoss {
  readonly reconstruction: Tensor;
  readonly divergence: Tensor;
}

/**
 * An autoencoder whose codes are drawn: the encoder gives a mean and a variance for each number (Kingma and Welling 2014). Make the two parts of `loss`
 * small together; then `decode` turns standard normal numbers into pictures.
 *
 * @example
 * import { cpu } from '@nn/backend-cpu';
 * import { setDefaultBackend, uniform } from '@nn/core';
 * import { VariationalAutoencoder } from '@nn/vision';
 * setDefaultBackend(cpu());
 * const model = new VariationalAutoencoder({ size: { width: 16, height: 16 }, latent: 4 });
 * const { reconstruction, divergence } = model.loss(uniform([2, 1, 16, 16]));
 * console.log((await reconstruction.item()) > 0, (await divergence.item()) >= 0, model.sample(3).shape); // => true true [ 3, 1, 16, 16 ]
 */
export class VariationalAutoencoder {
  readonly encoder: Sequential;
  readonly decoder: Sequential;
  readonly latent: number;

  /** Throws a `ValueError` for sides that cannot be halved. */
  constructor(options: AutoencoderOptions) {
    const { encoder, decoder, latent } = halves('VariationalAutoencoder', options, 2);
    this.encoder = encoder;
    this.decoder = decoder;
    this.latent = latent;
  }

  /** [N, channels, height, width] to the distributions of the codes. */
  encode(x: Tensor): GaussianCodes {
    const [mean, logVariance] = this.encoder.forward(x).split(2, 1);
    return { mean: mean!, logVariance: logVariance! };
  }

  /** Codes [N, latent] to logits of pictures [N, channels, height, width]. */
  decode(codes: Tensor): Tensor {
    return this.decoder.forward(codes);
  }

  /** Pictures of 0 to 1 through the means of their codes, without chance, and back. */
  reconstruct(x: Tensor): Tensor {
    return this.decode(this.encode(x).mean).sigmoid();
  }

  /** New pictures [count, channels, height, width] of 0 to 1, from standard normal codes. Call it in evaluation mode. */
  sample(count: number): Tensor {
    return this.decode(normal([count, this.latent])).sigmoid();
  }

  /**
   * The negative evidence lower bound of pictures of 0 to 1, in its two parts: what one drawn code loses of each picture, the sum over its pixels of the
   * binary cross entropy, and how far the codes are from standard ones. Their sum bounds -log p(x) from above; `divergence` times beta is beta-VAE.
   */
  loss(x: Tensor): EvidenceLoss {
    const codes = this.encode(x);
    const logits = this.decode(drawCodes(codes));
    return {
      reconstruction: bceWithLogits(logits, x, { reduction: 'none' }).flatten(1).sum(1).mean(),
      divergence: gaussianDivergence(codes).mean(),
    };
  }
}

/** mean + deviation times a standard normal number: a draw that gradients pass through. */
function drawCodes({ mean, logVariance }: GaussianCodes): Tensor {
  return normal(mean.shape).mul(logVariance.mul(0.5).exp()).add(mean);
}

/**
 * How much one sample may change a step: the norm of its gradient is clipped, of all parameters together, of each layer, or
 * at a norm that follows the gradients. Owns the factors and what noise they need.
 */
import { checkOptions, type Parameter, parameter, type Tensor, ValueError, zeros } from '@nn/core';
import type { Contribution } from './gradients/contribution.ts';

export interface AdaptiveClipping {
  /** The share of samples that shall stay as they are. Default 0.5, the median. */
  readonly quantile?: number;
  /** How fast the norm follows: it is multiplied by exp(-learningRate * (share - quantile)). Default 0.2. */
  readonly learningRate?: number;
  /** Standard deviation of the noise of the count. Default batchSize / 20. */
  readonly countNoise?: number;
}

/** `flat`: one norm for all parameters together; `perLayer`: norm / sqrt(layers) for each layer; or adaptive. */
export type Clipping = 'flat' | 'perLayer' | AdaptiveClipping;

/** Clipped gradients of one batch. */
export interface Clipped {
  /** For each contribution the factor of each sample: [N]. */
  readonly factors: readonly Tensor[];
  /** 1 for samples that were clipped anywhere: [N]. */
  readonly isClipped: Tensor;
}

/** As Opacus, so that a norm of 0 divides nothing. */
const small = 1e-6;

/** Clips, and where it is adaptive follows the norms. */
export class Clipper {
  readonly #clipping: Clipping;
  /** The norm, which adaptive clipping moves; saved with checkpoints. */
  readonly norm: Parameter;

  constructor(operation: string, norm: number, clipping: Clipping) {
    if (!(norm > 0 && Number.isFinite(norm))) {
      throw new ValueError(operation, `clip is ${norm}: it must be a finite number above 0.`, { clip: norm });
    }
    if (typeof clipping === 'object') {
      checkOptions(operation, clipping, ['quantile', 'learningRate', 'countNoise']);
      const { quantile = 0.5, learningRate = 0.2, countNoise = 1 } = clipping;
      if (!(quantile > 0 && quantile < 1 && learningRate > 0 && countNoise > 0)) {
        throw new ValueError(
          operation,
          'adaptive clipping needs a quantile between 0 and 1, a learningRate and a countNoise above 0.',
          { ...clipping },
        );
      }
    } else if (clipping !== 'flat' && clipping !== 'perLayer') {
      throw new ValueError(
        operation,
        `clipping is '${String(clipping)}': it must be 'flat', 'perLayer' or the options of adaptive clipping.`,
        { clipping },
      );
    }
    this.#clipping = clipping;
    this.norm = parameter([norm], { buffer: true, name: 'clip' });
  }

  /** The factors min(1, norm / (norm of the sample's gradient + 1e-6)), 0 where the mask is. */
  clip(uses: readonly Contribution[], mask: Tensor, groupOf: (member: Parameter) => object): Clipped {
    const groups = new Map<object, Tensor>();
    const keys = uses.map(({ parameter: member }) => (this.#clipping === 'perLayer' ? groupOf(member) : this));
    uses.forEach((use, k) => {
      const before = groups.get(keys[k]!);
      const squares = use.squaredNorms();
      groups.set(keys[k]!, before === undefined ? squares : before.add(squares));
    });
    // sqrt(layers) norms of norm / sqrt(layers) are together no longer than norm
    const limit = this.norm.stopGradient().div(Math.sqrt(Math.max(1, groups.size)));
    let isClipped = zeros([mask.shape[0]!]);
    const factors = new Map<object, Tensor>();
    for (const [key, squares] of groups) {
      const norms = squares.sqrt();
      factors.set(key, limit.div(norms.add(small)).minimum(1).mul(mask));
      isClipped = isClipped.maximum(norms.greater(limit).cast('float32').mul(mask));
    }
    return { factors: keys.map((key) => factors.get(key)!), isClipped };
  }

  /**
   * The noise multiplier of the gradients, so that with the noisy count they are as private as `noiseMultiplier` alone:
   * (s^-2 - (2 s_b)^-2)^-1/2. Throws ValueError where the count takes all. (Andrew et al. 2021, theorem 1.)
   */
  noiseOfGradients(operation: string, noiseMultiplier: number, batchSize: number): number {
    if (typeof this.#clipping !== 'object' || noiseMultiplier === 0) return noiseMultiplier;
    const countNoise = this.#countNoise(batchSize);
    const rest = noiseMultiplier ** -2 - (2 * countNoise) ** -2;
    if (rest > 0) return rest ** -0.5;
    throw new ValueError(
      operation,
      `countNoise is ${countNoise}: with noiseMultiplier ${noiseMultiplier} it must be above ${noiseMultiplier / 2}, or the count of clipped samples tells more than all is to tell.`,
      { countNoise, noiseMultiplier },
    );
  }

  /** Moves an adaptive norm: `noise` is a standard normal number. */
  follow(isClipped: Tensor, mask: Tensor, batchSize: number, noise: () => Tensor): void {
    if (typeof this.#clipping !== 'object') return;
    const { quantile = 0.5, learningRate = 0.2 } = this.#clipping;
    // each count is halved around 1/2, so that one sample moves the sum by 1/2
    const kept = mask.sub(isClipped).sub(mask.mul(0.5)).sum();
    const share = kept
      .add(noise().mul(this.#countNoise(batchSize)))
      .div(batchSize)
      .add(0.5);
    this.norm.assign(this.norm.mul(share.sub(quantile).mul(-learningRate).exp()));
  }

  #countNoise(batchSize: number): number {
    return (typeof this.#clipping === 'object' ? this.#clipping.countNoise : undefined) ?? batchSize / 20;
  }
}

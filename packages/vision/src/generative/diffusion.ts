/**
 * Diffusion: pictures are drowned in noise step by step, a network learns what noise was added, and taking it away again makes new pictures. Schedules, the
 * loss, and the sampler of DDIM, of which that of DDPM is a case. The network is any function of noisy pictures and the numbers of their steps.
 */
import {
  type AbortSignalLike,
  checkOptions,
  evaluate,
  noGradient,
  normal,
  randomInteger,
  type Shape,
  type Tensor,
  tensor,
  ValueError,
} from '@nn/core';
import { meanSquaredError } from '@nn/layers';

/** Noisy pictures [N, ...] and the numbers of their steps [N], int32 from 0, to the noise in them [N, ...]. */
export type Denoiser = (x: Tensor, step: Tensor) => Tensor;

/** The variances of the steps, rising evenly: from 0.0001 to 0.02 over 1,000 steps (Ho et al. 2020); of fewer steps each is that much larger. */
export function linearSchedule(steps: number): Float64Array {
  const scale = 1000 / steps;
  const [first, last] = [1e-4 * scale, 0.02 * scale];
  return Float64Array.from({ length: steps }, (_, t) =>
    Math.min(0.999, steps === 1 ? last : first + ((last - first) * t) / (steps - 1)),
  );
}

/** The variances of the steps by which what is left of a picture follows cos^2((t / T + s) / (1 + s) pi / 2), s = 0.008 (Nichol and Dhariwal 2021). */
export function cosineSchedule(steps: number): Float64Array {
  const left = (t: number): number => Math.cos(((t / steps + 0.008) / 1.008) * (Math.PI / 2)) ** 2;
  return Float64Array.from({ length: steps }, (_, t) => Math.min(0.999, 1 - left(t + 1) / left(t)));
}

export interface DiffusionOptions {
  /** The variance that each step adds, 0 to 1: `cosineSchedule(200)` where not given. */
  readonly variances?: ArrayLike<number>;
}

export interface SampleOptions {
  /** Steps that are taken, spread over all; all where not given. */
  readonly steps?: number;
  /** How much chance: 1 is DDPM, where each step adds noise; 0, where not given, is DDIM: the noise that is begun with decides. */
  readonly eta?: number;
  /** Cuts what is thought to be the picture, after each step, at -1 and 1; true where not given. */
  readonly clip?: boolean;
  /** The noise to begin with, in place of new: equal noise makes equal pictures where `eta` is 0. */
  readonly noise?: Tensor;
  readonly signal?: AbortSignalLike;
}

/**
 * The process of Ho et al. (2020): x_t = sqrt(a_t) x_0 + sqrt(1 - a_t) noise, with a_t the product of 1 - variance up to step t. Pictures are -1 to 1.
 *
 * @example
 * import { cpu } from '@nn/backend-cpu';
 * import { setDefaultBackend, type Tensor } from '@nn/core';
 * import { cosineSchedule, Diffusion } from '@nn/vision';
 * setDefaultBackend(cpu());
 * const diffusion = new Diffusion({ variances: cosineSchedule(50) });
 * // a network that knows: all pictures are 0.5
 * const knowing = (x: Tensor, step: Tensor) => diffusion.noiseOf(x, x.mul(0).add(0.5), step);
 * const made = await diffusion.sample(knowing, [1, 1, 1, 2], { steps: 5 });
 * console.log((await made.flatten().array(1)).map((value) => value.toFixed(3)).join()); // => 0.500,0.500
 */
export class Diffusion {
  /** Of each step, what is left of the picture's variance: a_t. */
  readonly left: Float64Array;

  /** Throws a `ValueError` for variances that are not above 0 and below 1. */
  constructor(options: DiffusionOptions = {}) {
    checkOptions('Diffusion', options, ['variances']);
    const variances = options.variances ?? cosineSchedule(200);
    this.left = new Float64Array(variances.length);
    let product = 1;
    for (let t = 0; t < variances.length; t++) {
      const variance = variances[t]!;
      if (!(variance > 0 && variance < 1)) {
        throw new ValueError('Diffusion', `the variance of step ${t} is ${variance}: it must be above 0 and below 1.`, {
          t,
        });
      }
      product *= 1 - variance;
      this.left[t] = product;
    }
    if (variances.length === 0) throw new ValueError('Diffusion', 'there is no step.');
  }

  get steps(): number {
    return this.left.length;
  }

  /** sqrt(a_t) and sqrt(1 - a_t) of the steps [N], as factors of [N, ...]. */
  #shares(step: Tensor, rank: number): readonly [Tensor, Tensor] {
    const table = (of: (left: number) => number): Tensor =>
      tensor(Float32Array.from(this.left, of))
        .gather(step)
        .reshape([-1, ...new Array<number>(rank - 1).fill(1)]);
    return [table(Math.sqrt), table((left) => Math.sqrt(1 - left))];
  }

  /** Pictures [N, ...] as they are at their steps [N], with this noise. */
  noised(x: Tensor, noise: Tensor, step: Tensor): Tensor {
    const [picture, added] = this.#shares(step, x.rank);
    return x.mul(picture).add(noise.mul(added));
  }

  /** The noise in noisy pictures, where the pictures are known. */
  noiseOf(noisy: Tensor, x: Tensor, step: Tensor): Tensor {
    const [picture, added] = this.#shares(step, x.rank);
    return noisy.sub(x.mul(picture)).div(added);
  }

  /** How far the network is from the noise that was added, at steps drawn at random: the mean square, L_simple of Ho et al. (2020). */
  loss(network: Denoiser, x: Tensor): Tensor {
    const step = randomInteger([x.shape[0]!], 0, this.steps);
    const noise = normal(x.shape);
    return meanSquaredError(network(this.noised(x, noise, step), step), noise);
  }

  /**
   * New pictures of a shape [N, ...], in evaluation mode. A step from a_t to the a_s before it (Song et al. 2021, equation 12):
   * x_s = sqrt(a_s) x_0 + sqrt(1 - a_s - sigma^2) noise + sigma z, with x_0 what the network's noise leaves, and
   * sigma = eta sqrt((1 - a_s) / (1 - a_t)) sqrt(1 - a_t / a_s). With all steps and eta 1 that is DDPM.
   */
  async sample(network: Denoiser, shape: Shape, options: SampleOptions = {}): Promise<Tensor> {
    checkOptions('sample', options, ['steps', 'eta', 'clip', 'noise', 'signal']);
    const { steps = this.steps, eta = 0, clip = true, signal } = options;
    if (!(Number.isInteger(steps) && steps >= 1 && steps <= this.steps)) {
      throw new ValueError('sample', `steps is ${steps}: a whole number from 1 to the ${this.steps} of the schedule.`, {
        steps,
      });
    }
    let x = options.noise ?? normal(shape);
    for (let k = steps - 1; k >= 0; k--) {
      signal?.throwIfAborted();
      const left = this.left[this.#stepOf(k, steps)]!;
      const before = k === 0 ? 1 : this.left[this.#stepOf(k - 1, steps)]!;
      const sigma = eta * Math.sqrt((1 - before) / (1 - left)) * Math.sqrt(1 - left / before);
      const step = tensor(new Int32Array(shape[0]!).fill(this.#stepOf(k, steps)));
      const next = noGradient(() =>
        evaluate(() => {
          let noise = network(x, step);
          let picture = x.sub(noise.mul(Math.sqrt(1 - left))).div(Math.sqrt(left));
          if (clip) {
            picture = picture.clamp(-1, 1);
            noise = x.sub(picture.mul(Math.sqrt(left))).div(Math.sqrt(1 - left));
          }
          const rest = Math.sqrt(Math.max(0, 1 - before - sigma ** 2));
          const mean = picture.mul(Math.sqrt(before)).add(noise.mul(rest));
          return eta === 0 ? mean : mean.add(normal(shape).mul(sigma));
        }),
      );
      // a leaf again, so that no step remembers those before it
      x = tensor(await next.data('float32'), { shape, borrow: true });
    }
    return x;
  }

  /** The step of the schedule that is the k-th of so many: the last one is always among them. */
  #stepOf(k: number, count: number): number {
    return Math.ceil(((k + 1) * this.steps) / count) - 1;
  }
}

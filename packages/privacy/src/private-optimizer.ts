/**
 * A step of DP-SGD around any optimizer: gradients of single samples, clipped and summed, noise, the expected size of the
 * batch, and the accounting of it. Owns the order of these; each is a file of its own. (Abadi et al. 2016.)
 */
import { checkOptions, normal, onReplay, type Tensor, tensor, ValueError } from '@nn/core';
import { PrivacyAccountant, type PrivacyBudget } from './accounting/accountant.ts';
import type { AccountingMethod } from './accounting/epsilon.ts';
import { Clipper, type Clipping } from './clipping.ts';
import { CryptographicNumbers, type RandomSource } from './cryptographic.ts';
import { SampleGradients } from './gradients/sample-gradients.ts';
import { originOf, type PoissonLoader, takeBatch } from './loader.ts';

/** What a private step asks of an optimizer: every one of `@nn/optim` that takes gradients has it. */
export interface GradientOptimizer {
  readonly parameters: readonly object[];
  apply(gradients: readonly (Tensor | null)[], ...also: readonly Tensor[]): Promise<void>;
}

export interface PrivateOptimizerOptions {
  /** Standard deviation of the noise, as a multiple of `clip`; `noiseFor` finds it for an epsilon. */
  readonly noiseMultiplier: number;
  /** What the norm of one sample's gradient is clipped to. Default 1. */
  readonly clip?: number;
  /** Default 'flat'. */
  readonly clipping?: Clipping;
  /** `ghost`: norms without gradients, for models made of layers; `vmap`: the gradient of each sample, for every model. Default 'ghost'. */
  readonly method?: 'ghost' | 'vmap';
  /** Of the noise. Default 'seeded'. What is to be private in earnest needs 'cryptographic'. */
  readonly random?: RandomSource;
  /** No step is made that would spend more. */
  readonly budget?: PrivacyBudget;
  /** How epsilon is counted. Default 'rdp'. */
  readonly accounting?: AccountingMethod;
}

/** What a step tells: for looking at, not for publishing, for none of it is noised. */
export interface PrivateStep {
  /** The mean loss of the samples that were drawn; of none, NaN. */
  readonly loss: Tensor;
  /** The share of them whose gradients were clipped. */
  readonly clipped: Tensor;
}

/** The fields of a batch, and who is in it. */
interface MaskedBatch {
  readonly mask: Tensor;
  readonly count: number;
}

/**
 * Trains a model with differential privacy: what it learns of any one sample is bounded by epsilon.
 *
 * Each sample's gradient is clipped, the sum gets noise of `noiseMultiplier * clip`, and is divided by the expected size of a
 * batch; the optimizer does what it does. Batches come from a `PoissonLoader`; others, and those used before, are refused with
 * a ValueError, as are layers that mix samples, such as BatchNorm. Random numbers are predictable by default:
 * docs/guides/privacy.md says what a release in earnest needs. Not within `compile`.
 *
 * @example
 * import { setSeed } from '@nn/core';
 * import { moons } from '@nn/data';
 * import { crossEntropy, Linear, Sequential, Tanh } from '@nn/layers';
 * import { Adam } from '@nn/optim';
 * import { PoissonLoader, PrivateOptimizer } from '@nn/privacy';
 * setSeed(1);
 * const loader = new PoissonLoader(moons(1000), { batchSize: 50, seed: 1 });
 * const model = new Sequential(new Linear(2, 16), new Tanh(), new Linear(16, 2));
 * const optimizer = new PrivateOptimizer(new Adam(model, { learningRate: 0.05 }), model, { noiseMultiplier: 1 });
 * for (const batch of loader) {
 *   await optimizer.step(batch, ({ inputs, targets }) => crossEntropy(model.forward(inputs), targets, { reduction: 'none' }));
 * }
 * console.log(optimizer.accountant.epsilon(1e-5).toFixed(2)); // => 2.48
 */
export class PrivateOptimizer {
  static readonly name: string = 'PrivateOptimizer';

  readonly noiseMultiplier: number;
  /** What was spent; a checkpoint of this optimizer keeps it. */
  readonly accountant: PrivacyAccountant;
  readonly budget: PrivacyBudget | null;
  readonly optimizer: GradientOptimizer;
  readonly clipper: Clipper;
  readonly #gradients: SampleGradients;
  readonly #secret: CryptographicNumbers | null;
  /** How many steps the budget still allows of one loader, as of so many steps. */
  #allowed: { readonly loader: PoissonLoader; readonly until: number } | null = null;

  constructor(optimizer: GradientOptimizer, model: object, options: PrivateOptimizerOptions) {
    const known = ['noiseMultiplier', 'clip', 'clipping', 'method', 'random', 'budget', 'accounting'];
    checkOptions('PrivateOptimizer', options, known);
    const {
      noiseMultiplier,
      clip = 1,
      clipping = 'flat',
      method = 'ghost',
      random = 'seeded',
      budget = null,
    } = options;
    if (!(noiseMultiplier >= 0 && Number.isFinite(noiseMultiplier))) {
      throw new ValueError(
        'PrivateOptimizer',
        `noiseMultiplier is ${noiseMultiplier}: it must be a finite number from 0.`,
        {
          noiseMultiplier,
        },
      );
    }
    if (method !== 'ghost' && method !== 'vmap') {
      throw new ValueError('PrivateOptimizer', `method is '${String(method)}': it must be 'ghost' or 'vmap'.`, {
        method,
      });
    }
    if (random !== 'seeded' && random !== 'cryptographic') {
      throw new ValueError(
        'PrivateOptimizer',
        `random is '${String(random)}': it must be 'seeded' or 'cryptographic'.`,
        { random },
      );
    }
    if (budget !== null && !(budget.epsilon > 0 && budget.delta > 0 && budget.delta < 1)) {
      throw new ValueError('PrivateOptimizer', 'the budget needs an epsilon above 0 and a delta between 0 and 1.', {
        budget,
      });
    }
    this.optimizer = optimizer;
    this.noiseMultiplier = noiseMultiplier;
    this.budget = budget;
    this.accountant = new PrivacyAccountant(options.accounting);
    this.clipper = new Clipper('PrivateOptimizer', clip, clipping);
    this.#gradients = new SampleGradients('PrivateOptimizer', model, method);
    this.#secret = random === 'cryptographic' ? new CryptographicNumbers() : null;
  }

  /** Whether the budget allows another step on this loader; true where there is none. */
  allows(loader: PoissonLoader): boolean {
    if (this.budget === null) return true;
    const { steps } = this.accountant;
    if (this.#allowed?.loader !== loader) {
      const more = this.accountant.stepsWithin(this.budget, loader, this.noiseMultiplier);
      this.#allowed = { loader, until: steps + more };
    }
    return steps < this.#allowed.until;
  }

  /**
   * One step on a batch of a `PoissonLoader`. `lossesOf` gives the loss of each row, [rows]: a loss with
   * `{ reduction: 'none' }`. Throws ValueError for other batches, and where the budget is spent; nothing has changed then.
   */
  async step<B extends MaskedBatch>(batch: B, lossesOf: (batch: B) => Tensor): Promise<PrivateStep> {
    const loader = originOf('step', batch);
    if (!this.allows(loader)) throw this.#spent();
    const { mask, count } = batch;
    const trained = this.optimizer.parameters;
    const noise = this.clipper.noiseOfGradients('step', this.noiseMultiplier, loader.batchSize);
    const { losses, uses } = this.#gradients.of({ ...batch }, mask, lossesOf);
    const stray = uses.find(({ parameter }) => !trained.includes(parameter));
    if (stray !== undefined) {
      throw new ValueError(
        'step',
        `the optimizer does not hold ${stray.parameter.name || 'a parameter'} of the model: give it the whole model.`,
      );
    }
    const { factors, isClipped } = this.clipper.clip(uses, mask, (member) => this.#gradients.layerOf(member));
    const scale = this.clipper.norm.stopGradient().mul(noise);
    const gradients = new Map<object, Tensor>(
      uses.map((use, k) => {
        const sum = use.weighted(factors[k]!.stopGradient());
        const noisy = noise === 0 ? sum : sum.add(this.#normal(use.parameter.shape).mul(scale));
        return [use.parameter, noisy.div(loader.batchSize)];
      }),
    );
    const told = { loss: losses.sum().div(count), clipped: isClipped.sum().div(Math.max(1, count)) };
    refuseReplay();
    takeBatch('step', batch);
    this.accountant.record(loader, this.noiseMultiplier);
    this.clipper.follow(isClipped, mask, loader.batchSize, () => this.#normal([]));
    try {
      await this.optimizer.apply(
        trained.map((member) => gradients.get(member) ?? null),
        told.loss,
        told.clipped,
      );
    } catch (error) {
      // no noised sum was told to anybody
      this.accountant.takeBack(1);
      throw error;
    }
    return told;
  }

  #spent(): ValueError {
    const { epsilon = 0, delta = 0 } = this.budget ?? {};
    return new ValueError(
      'step',
      `the budget of epsilon ${epsilon} at delta ${delta} is spent after ${this.accountant.steps} steps (epsilon ${this.accountant.epsilon(delta).toFixed(3)}): end the loop where allows(loader) is false.`,
      { epsilon, delta, steps: this.accountant.steps },
    );
  }

  /** Standard normal numbers, of the device by the seed or of the cryptographic source. */
  #normal(shape: readonly number[]): Tensor {
    const numbers = this.#secret;
    if (numbers === null) return normal(shape);
    const size = shape.reduce((product, length) => product * length, 1);
    return tensor(
      Float32Array.from({ length: size }, () => numbers.normal()),
      { shape },
    );
  }
}

/** Within `compile` steps would be repeated without being counted. */
function refuseReplay(): void {
  onReplay(() => {
    throw new ValueError('step', 'a private step is not counted within compile: call it in a plain loop.');
  });
}

/**
 * Loss scaling, dynamic: gradients of float16 lose what is below 6e-8, so the loss is multiplied before and the gradients are divided
 * after. Owns the scale and whether a step counts; the update is the optimizer's, in the same program.
 */
import {
  checkOptions,
  gradientsOrNull,
  isCompiling,
  type Parameter,
  parameter,
  type Tensor,
  ValueError,
  where,
} from '@nn/core';
import type { Optimizer, Rider, Rule } from './optimizer.ts';
import { changesAlways, type ScaledSteps, scaledSteps } from './skipped-steps.ts';

export interface GradScalerOptions {
  /** What losses are multiplied by at first. Default 65536. */
  readonly initialScale?: number;
  /** What the scale is multiplied by after `growthInterval` steps in a row whose gradients were finite. Default 2. */
  readonly growthFactor?: number;
  /** What it is multiplied by after one whose gradients were not. Default 0.5. */
  readonly backoffFactor?: number;
  /** Default 2000. */
  readonly growthInterval?: number;
}

/**
 * Dynamic loss scaling for float16: `step` multiplies the loss by the scale, divides the gradients by it before anything else sees
 * them, and leaves everything as it was, counts included, where one of them is not finite; then the scale is halved. After
 * `growthInterval` steps without that it is doubled. bfloat16 has the range of float32 and needs none of this.
 * (Micikevicius et al. 2017; PyTorch's `torch.cuda.amp.GradScaler`.)
 *
 * In a compiled function a skipped step still counts for schedules and for the corrections of Adam. Throws ValueError for a growth
 * factor of 1 or less, a backoff factor outside 0 to 1, and an interval that is no whole number from 1.
 *
 * @example
 * import { autocast, parameter, tensor } from '@nn/core';
 * import { GradScaler, SGD } from '@nn/optim';
 * const w = parameter([[1]]);
 * const optimizer = new SGD([w], { learningRate: 0.5 });
 * const scaler = new GradScaler();
 * const loss = autocast('float16', () => tensor([[1]]).matmul(w).square().sum());
 * await scaler.step(optimizer, loss);
 * console.log(await w.array(), await scaler.scale.item(), await scaler.skippedSteps.item()); // => [[0]] 65536 0
 */
export class GradScaler {
  static readonly name: string = 'GradScaler';

  /** What the next loss is multiplied by. */
  readonly scale: Parameter;
  /** Steps since the scale last changed. */
  readonly growthTracker: Parameter;
  /** Steps that were left out because a gradient was not finite. */
  readonly skippedSteps: Parameter;
  readonly #options: Required<GradScalerOptions>;
  readonly #attached = new WeakMap<object, ScaledSteps>();

  constructor(options: GradScalerOptions = {}) {
    checkOptions('GradScaler', options, ['initialScale', 'growthFactor', 'backoffFactor', 'growthInterval']);
    const { initialScale = 65536, growthFactor = 2, backoffFactor = 0.5, growthInterval = 2000 } = options;
    const say = (name: string, value: unknown, rule: string): never => {
      throw new ValueError('GradScaler', `${name} is ${String(value)}: it must be ${rule}.`, { [name]: value });
    };
    // float32, as it is kept: infinite, every step would be left out
    const kept = Math.fround(initialScale);
    if (!(kept > 0 && Number.isFinite(kept))) say('initialScale', initialScale, 'a number above 0 that float32 has');
    if (!(growthFactor > 1 && Number.isFinite(growthFactor))) say('growthFactor', growthFactor, 'a number above 1');
    if (!(backoffFactor > 0 && backoffFactor < 1)) say('backoffFactor', backoffFactor, 'between 0 and 1');
    if (!(Number.isInteger(growthInterval) && growthInterval >= 1)) {
      say('growthInterval', growthInterval, 'a whole number from 1');
    }
    this.#options = { initialScale, growthFactor, backoffFactor, growthInterval };
    this.scale = parameter(initialScale, { buffer: true });
    this.growthTracker = parameter(new Int32Array(1), { shape: [], buffer: true });
    this.skippedSteps = parameter(new Int32Array(1), { shape: [], buffer: true });
  }

  /** As `optimizer.step(loss, ...also)`, with scaled gradients in between; nothing changes where one of them is not finite. */
  async step<R extends Rule>(optimizer: Optimizer<R>, loss: Tensor, ...also: readonly Tensor[]): Promise<void> {
    const steps = this.#stepsOf(optimizer);
    const found = gradientsOrNull(loss.mul(this.scale), optimizer.parameters);
    const inverse = this.scale.reciprocal();
    const gradients = found.map((gradient, k) => {
      return gradient === null || optimizer.parameters[k]?.trainable !== true ? null : gradient.mul(inverse);
    });
    const before = isCompiling() ? null : this.skippedSteps.mul(1);
    steps.isStepping = true;
    let done: Promise<void>;
    try {
      done = optimizer.apply(gradients, loss, ...also, ...(before === null ? [] : [before]));
    } finally {
      steps.isStepping = false;
    }
    await done;
    if (before === null) return;
    const [then, now] = await Promise.all([before.item(), this.skippedSteps.item()]);
    if (now > then) optimizer.uncount();
  }

  #stepsOf<R extends Rule>(optimizer: Optimizer<R>): ScaledSteps {
    const known = this.#attached.get(optimizer);
    if (known !== undefined) return known;
    const steps = { scale: this.scale, isStepping: false };
    this.#attached.set(optimizer, steps);
    scaledSteps.set(optimizer, steps);
    optimizer.attach((...given) => (steps.isStepping ? this.#ride(...given) : []));
    return steps;
  }

  /** What rides in the program of a step: all new values only where gradients are finite, and the next scale. */
  #ride(gradients: readonly Tensor[], _: Tensor | undefined, __: () => number, values: Parameters<Rider>[3]): Updates {
    const { growthFactor, backoffFactor, growthInterval } = this.#options;
    // x * 0 is 0, and NaN where x is NaN or infinite
    const areFinite = gradients
      .map((gradient) => gradient.mul(0).sum())
      .reduce((a, b) => a.add(b))
      .equal(0);
    const steps = this.growthTracker.add(1);
    const grows = steps.equal(growthInterval);
    const grown = this.scale.mul(growthFactor);
    // past the largest float32 it stays
    const next = where(grows.logicalAnd(grown.less(Number.MAX_VALUE)), grown, this.scale);
    return [
      ...[...values]
        .filter(([target]) => !changesAlways.has(target))
        .map(([target, value]) => [target, where(areFinite, value, target)] as const),
      [this.scale, where(areFinite, next, this.scale.mul(backoffFactor))],
      [this.growthTracker, where(areFinite, where(grows, 0, steps), 0)],
      [this.skippedSteps, where(areFinite, this.skippedSteps, this.skippedSteps.add(1))],
    ];
  }
}

type Updates = (readonly [Parameter, Tensor])[];

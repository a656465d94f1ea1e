/**
 * A flag for numbers that are not finite, which rides in the programs of an optimizer's steps and costs one pass over each
 * gradient. Owns the flag and the message; it is read with the loss.
 */
import { type NumberSource, numberSource, type Parameter, parameter, type Tensor, ValueError, where } from '@nn/core';
import type { Optimizer, Rule } from './optimizer.ts';
import { changesAlways, scaledSteps } from './skipped-steps.ts';

/** The first step whose loss or gradients were not finite, as the device saw it. */
interface NotFinite {
  readonly step: number;
  readonly what: 'loss' | 'gradient';
  /** Whether a `GradScaler` left it out, with a scale of 1 or less. */
  readonly isSkipped: boolean;
}

const watches = new WeakMap<object, FiniteWatch>();

/**
 * The value of a loss that a step of the optimizer computed. Throws ValueError when it is not finite, or when the loss or a
 * gradient of any step since the first call was not: it names that step. From the first call on each step carries a flag
 * for this, in its own program, which is read together with the loss.
 *
 * A step that a `GradScaler` left out changed nothing and is no fault: such a loss is given as it is, infinite or NaN where it
 * overflowed. It is one once the scale is 1 or less and the numbers are not finite even so.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { readLoss, SGD } from '@nn/optim';
 * const x = parameter([4]);
 * const optimizer = new SGD([x], { learningRate: 0.1 });
 * const loss = x.sqrt().sum();
 * await optimizer.step(loss);
 * console.log(await readLoss(optimizer, loss)); // => 2
 */
export async function readLoss<R extends Rule>(optimizer: Optimizer<R>, loss: Tensor): Promise<number> {
  const known = watches.get(optimizer);
  if (known === undefined) {
    const watch = new FiniteWatch();
    watches.set(optimizer, watch);
    optimizer.attach((gradients, of, stepCount) => watch.updates(optimizer, gradients, of, stepCount));
  }
  const [value, found] = await Promise.all([loss.item(), known?.read()]);
  if (!found && (Number.isFinite(value) || (await isScaling(optimizer)))) return value;
  known?.reset();
  throw errorOf(optimizer, found ?? null, value);
}

/** Whether a scaler still has room below its scale: then what is not finite may be so by the scale alone, and was left out. */
async function isScaling(optimizer: object): Promise<boolean> {
  const scale = await scaledSteps.get(optimizer)?.scale.item();
  return scale !== undefined && scale >= 1;
}

class FiniteWatch {
  /** 0 at first; 4 step + (0 for the loss, 1 for a gradient) + (2 of a step that was left out) from the first such step on. */
  #first: Parameter | null = null;

  updates(
    optimizer: object,
    gradients: readonly Tensor[],
    loss: Tensor | undefined,
    stepCount: () => number,
  ): (readonly [Parameter, Tensor])[] {
    const backend = gradients[0]?.backend ?? null;
    if (this.#first === null || (this.#first.backend !== null && this.#first.backend !== backend)) {
      this.#first = parameter(new Int32Array(1), { shape: [], buffer: true, ...(backend && { backend }) });
      changesAlways.add(this.#first);
    }
    // x * 0 is 0, and NaN where x is NaN or infinite
    const spread = gradients.map((gradient) => gradient.mul(0).sum()).reduce((a, b) => a.add(b));
    const steps = scaledSteps.get(optimizer);
    const scale = steps?.isStepping === true ? steps.scale : null;
    const code = (of: 0 | 1): NumberSource => numberSource(() => 4 * stepCount() + of + (scale === null ? 0 : 2));
    const ofGradients = where(spread.equal(0), this.#first.mul(0), code(1));
    const either = loss === undefined ? ofGradients : where(loss.mul(0).sum().equal(0), ofGradients, code(0));
    // above 1 the scale may be what is too large: the scaler leaves the step out and tries less
    const found = scale === null ? either : where(scale.lessEqual(1), either, 0);
    return [[this.#first, where(this.#first.equal(0), found, this.#first)]];
  }

  async read(): Promise<NotFinite | null> {
    const code = (await this.#first?.item()) ?? 0;
    if (code === 0) return null;
    return { step: code >> 2, what: code % 2 === 0 ? 'loss' : 'gradient', isSkipped: (code & 2) !== 0 };
  }

  reset(): void {
    const first = this.#first;
    first?.assign(first.mul(0));
  }
}

function errorOf<R extends Rule>(optimizer: Optimizer<R>, found: NotFinite | null, loss: number): ValueError {
  const { stepCount } = optimizer;
  const { step, what, isSkipped } = found ?? { step: stepCount, what: 'loss', isSkipped: scaledSteps.has(optimizer) };
  const when = found === null ? `after ${stepCount} steps` : `of step ${step}`;
  return new ValueError(
    optimizer.constructor.name,
    `${what === 'loss' ? 'the loss' : 'a gradient'} ${when} is not finite${
      isSkipped
        ? ' though it is scaled by no more than 1: GradScaler leaves each such step out, and the parameters stay as they ' +
          'are. Look at that batch, and at what overflows in float16'
        : ', so neither are the parameters from then on: go back to a checkpoint, and look at that batch, at the ' +
          'learning rate, or clip the gradients'
    }. debug({ eager: true }) before that step names the operation.`,
    { step, what, loss },
  );
}

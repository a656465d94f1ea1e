/**
 * A flag for numbers that are not finite, which rides in the programs of an optimizer's steps and costs one pass over each
 * gradient. Owns the flag and the message; it is read with the loss.
 */
import { type NumberSource, numberSource, type Parameter, parameter, type Tensor, ValueError, where } from '@nn/core';
import type { Optimizer, Rule } from './optimizer.ts';

/** The first step whose loss or gradients were not finite, as the device saw it. */
interface NotFinite {
  readonly step: number;
  readonly what: 'loss' | 'gradient';
}

const watches = new WeakMap<object, FiniteWatch>();

/**
 * The value of a loss that a step of the optimizer computed. Throws ValueError when it is not finite, or when the loss or a
 * gradient of any step since the first call was not: it names that step. From the first call on each step carries a flag
 * for this, in its own program, which is read together with the loss.
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
    optimizer.attach((gradients, of, stepCount) => watch.updates(gradients, of, stepCount));
  }
  const [value, found] = await Promise.all([loss.item(), known?.read()]);
  if (!found && Number.isFinite(value)) return value;
  known?.reset();
  throw errorOf(optimizer, found ?? null, value);
}

class FiniteWatch {
  /** 0 at first; 2 step + (0 for the loss, 1 for a gradient) from the first such step on. */
  #first: Parameter | null = null;

  updates(
    gradients: readonly Tensor[],
    loss: Tensor | undefined,
    stepCount: () => number,
  ): (readonly [Parameter, Tensor])[] {
    const backend = gradients[0]?.backend ?? null;
    if (this.#first === null || (this.#first.backend !== null && this.#first.backend !== backend)) {
      this.#first = parameter(new Int32Array(1), { shape: [], buffer: true, ...(backend && { backend }) });
    }
    // x * 0 is 0, and NaN where x is NaN or infinite
    const spread = gradients.map((gradient) => gradient.mul(0).sum()).reduce((a, b) => a.add(b));
    const code = (of: 0 | 1): NumberSource => numberSource(() => 2 * stepCount() + of);
    const ofGradients = where(spread.equal(0), this.#first.mul(0), code(1));
    const found = loss === undefined ? ofGradients : where(loss.mul(0).sum().equal(0), ofGradients, code(0));
    return [[this.#first, where(this.#first.equal(0), found, this.#first)]];
  }

  async read(): Promise<NotFinite | null> {
    const code = (await this.#first?.item()) ?? 0;
    return code === 0 ? null : { step: code >> 1, what: code % 2 === 0 ? 'loss' : 'gradient' };
  }

  reset(): void {
    const first = this.#first;
    first?.assign(first.mul(0));
  }
}

function errorOf<R extends Rule>(optimizer: Optimizer<R>, found: NotFinite | null, loss: number): ValueError {
  const { stepCount } = optimizer;
  const { step, what } = found ?? { step: stepCount, what: 'loss' };
  const when = found === null ? `after ${stepCount} steps` : `of step ${step}`;
  return new ValueError(
    optimizer.constructor.name,
    `${what === 'loss' ? 'the loss' : 'a gradient'} ${when} is not finite, so neither are the ` +
      'parameters from then on: go back to a checkpoint, and look at that batch, at the learning rate, or clip the ' +
      'gradients. debug({ eager: true }) before that step names the operation.',
    { step, what, loss },
  );
}

/**
 * Training that speaks seldom, for slow links: each rank takes many steps of its own, then all move to a common place. Plain
 * averages are local SGD (Stich, 2019); with momentum of the moves it is DiLoCo (Douillard et al., 2023).
 */
import { type Parameter, replace, type Tensor, tensor, ValueError } from '@nn/core';
import type { Optimizer, Rule } from '@nn/optim';
import { broadcastParameters } from './agree.ts';
import type { Group } from './group.ts';
import { checkWaiting } from './waiting.ts';

export interface LocalSgdOptions {
  /** Steps of each rank between two moves; 50 where not given. */
  readonly every?: number;
  /** How far the common place moves towards the mean of all ranks; 1, which is their mean, where not given. DiLoCo: 0.7. */
  readonly learningRate?: number;
  /** Nesterov's momentum of the moves; 0 where not given. DiLoCo: 0.9. */
  readonly momentum?: number;
}

/** An optimizer that joins with those of the other ranks every so many steps; `localSgd` makes one. */
export class LocalSgd {
  static readonly name: string = 'LocalSgd';

  readonly optimizer: Optimizer<Rule>;
  readonly group: Group;
  readonly #every: number;
  readonly #learningRate: number;
  readonly #momentum: number;
  /** Where all were when they last met, and how they have been moving. */
  readonly #common: Float32Array[] = [];
  readonly #velocity: Float32Array[] = [];

  /** @internal `localSgd` makes these. */
  constructor(optimizer: Optimizer<Rule>, group: Group, options: LocalSgdOptions) {
    const { every = 50, learningRate = 1, momentum = 0 } = options;
    if (!Number.isInteger(every) || every < 1) {
      throw new ValueError('localSgd', `every is ${every}: a whole number of steps, 1 or more.`, { every });
    }
    if (!(momentum >= 0 && momentum < 1) || !(learningRate > 0)) {
      throw new ValueError(
        'localSgd',
        `learningRate ${learningRate} is above 0, momentum ${momentum} from 0 to below 1.`,
      );
    }
    [this.optimizer, this.group] = [optimizer, group];
    [this.#every, this.#learningRate, this.#momentum] = [every, learningRate, momentum];
  }

  get stepCount(): number {
    return this.optimizer.stepCount;
  }

  /** A step of this rank; after every so many all ranks meet. */
  step(loss: Tensor, ...also: readonly Tensor[]): Promise<void> {
    checkWaiting('LocalSgd.step');
    return this.#step(loss, also);
  }

  async #step(loss: Tensor, also: readonly Tensor[]): Promise<void> {
    await this.optimizer.step(loss, ...also);
    if (this.optimizer.stepCount % this.#every === 0) await this.meet();
  }

  /** Moves all ranks to the common place: also at the end, before the model is used. */
  async meet(): Promise<void> {
    const { size } = this.group;
    const updates: (readonly [Parameter, Tensor])[] = [];
    for (const [at, parameter] of this.optimizer.parameters.entries()) {
      const common = this.#common[at]!;
      const velocity = this.#velocity[at]!;
      const change = Float32Array.from(await parameter.data(), (value, place) => common[place]! - value);
      await this.group.allReduce(change, 'sum', { fixed: true });
      for (let place = 0; place < change.length; place++) {
        // the mean change is the gradient of the outer step: v = m v + g, and x -= r (g + m v)
        const outer = change[place]! / size;
        velocity[place] = this.#momentum * velocity[place]! + outer;
        const move = this.#momentum === 0 ? outer : outer + this.#momentum * velocity[place]!;
        common[place] = common[place]! - this.#learningRate * move;
      }
      const { shape, backend } = parameter;
      updates.push([parameter, tensor(common.slice(), { shape: [...shape], ...(backend && { backend }) })]);
    }
    await replace(updates);
  }

  /** @internal Begins with the parameters of rank 0. */
  async begin(): Promise<void> {
    await broadcastParameters(this.group, this.optimizer.parameters);
    for (const parameter of this.optimizer.parameters) {
      this.#common.push(Float32Array.from(await parameter.data()));
      this.#velocity.push(new Float32Array(parameter.size));
    }
  }
}

/**
 * Lets each rank of a group train on its own, and brings them together every so many steps: between sites, or over slow links,
 * where a message a step is too much. All ranks call it before the first forward pass, and go on with the parameters of rank 0.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { alone, localSgd } from '@nn/distributed';
 * import { SGD } from '@nn/optim';
 * const x = parameter([3]);
 * const optimizer = await localSgd(new SGD([x], { learningRate: 0.25 }), alone(), { every: 2 });
 * for (let step = 0; step < 2; step++) await optimizer.step(x.square().sum());
 * console.log(await x.array()); // => [ 0.75 ]
 */
export async function localSgd<R extends Rule>(
  optimizer: Optimizer<R>,
  group: Group,
  options: LocalSgdOptions = {},
): Promise<LocalSgd> {
  // the cast: which rule it has does not matter to what is called here
  const local = new LocalSgd(optimizer as unknown as Optimizer<Rule>, group, options);
  await local.begin();
  return local;
}

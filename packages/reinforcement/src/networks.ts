/** Networks of agents: what they give, and plain ones of a few layers for observations that are short rows of numbers. */
import { full, type Parameter, parameter, type Tensor, ValueError } from '@nn/core';
import { Linear, orthogonal } from '@nn/layers';
import { type Space, sizeOf } from './spaces.ts';

export interface NetworkOptions {
  /** Neurons of the hidden layers; two of 64 by default. */
  readonly hidden?: readonly number[];
  /** Between them; tanh by default. */
  readonly activation?: 'tanh' | 'relu';
}

/** What has spaces: an environment, or many. */
export interface Spaces {
  readonly observationSpace: Space;
  readonly actionSpace: Space;
}

/** A policy and a value, of observations [N, size]. */
export interface PolicyOutputs {
  /** For a `Discrete` space the logits [N, n]; for a `Box` the means [N, numbers]. */
  readonly policy: Tensor;
  /** For a `Box` the logarithms of the standard deviations, [numbers] or [N, numbers]. */
  readonly logScale?: Tensor;
  /** [N]: the discounted sum of rewards to come. */
  readonly value: Tensor;
}

export interface PolicyModel {
  /** `observations` is [N, size], rows of numbers; a convolutional network reshapes them. */
  forward(observations: Tensor): PolicyOutputs;
}

/**
 * Linear layers with an activation between them. With `gain` the weights begin orthogonal, those of the last layer times `gain`, and biases are 0, as
 * the implementations of PPO begin; without it all begin as `Linear` does, as those of DQN and SAC do: values of large orthogonal weights are
 * overrated from the start, and maxima of them more.
 */
export class Mlp {
  readonly layers: readonly Linear[];
  readonly #activation: 'tanh' | 'relu';

  constructor(
    sizes: readonly number[],
    { activation = 'tanh', gain }: { readonly activation?: 'tanh' | 'relu'; readonly gain?: number } = {},
  ) {
    if (activation !== 'tanh' && activation !== 'relu') {
      throw new ValueError('Mlp', `activation '${String(activation)}' is neither 'tanh' nor 'relu'.`, { activation });
    }
    this.#activation = activation;
    this.layers = sizes.slice(1).map((outputs, i) => {
      const layer = new Linear(sizes[i]!, outputs);
      if (gain === undefined) return layer;
      const isLast = i === sizes.length - 2;
      layer.weight.assign(orthogonal(layer.weight.shape, { gain: isLast ? gain : Math.SQRT2 }));
      layer.bias?.assign(full([outputs], 0));
      return layer;
    });
  }

  forward(x: Tensor): Tensor {
    return this.layers.reduce((y, layer, i) => {
      const next = layer.forward(y);
      if (i === this.layers.length - 1) return next;
      return this.#activation === 'tanh' ? next.tanh() : next.relu();
    }, x);
  }
}

/**
 * A policy and a value, each with hidden layers of its own (Andrychowicz et al. 2021 find that better than shared ones). For a `Box` the
 * logarithms of the standard deviations are parameters that do not depend on the observation.
 *
 * @example
 * import { CartPole, PolicyNetwork } from '@nn/reinforcement';
 * import { zeros } from '@nn/core';
 * const { policy, value } = new PolicyNetwork(new CartPole()).forward(zeros([5, 4]));
 * console.log(policy.shape, value.shape); // => [5, 2] [5]
 */
export class PolicyNetwork implements PolicyModel {
  readonly actor: Mlp;
  readonly critic: Mlp;
  readonly logScale: Parameter | null;

  constructor(
    { observationSpace, actionSpace }: Spaces,
    { hidden = [64, 64], activation = 'tanh' }: NetworkOptions = {},
  ) {
    const inputs = sizeOf(observationSpace);
    this.actor = new Mlp([inputs, ...hidden, sizeOf(actionSpace)], { activation, gain: 0.01 });
    this.critic = new Mlp([inputs, ...hidden, 1], { activation, gain: 1 });
    this.logScale = actionSpace.kind === 'box' ? parameter(full([sizeOf(actionSpace)], 0)) : null;
  }

  forward(observations: Tensor): PolicyOutputs {
    return {
      policy: this.actor.forward(observations),
      value: this.critic.forward(observations).squeeze(1),
      ...(this.logScale && { logScale: this.logScale }),
    };
  }
}

/** Values of actions, of observations [N, size]: [N, n]. */
export interface ActionValueModel {
  forward(observations: Tensor): Tensor;
}

/**
 * The value of each action of a `Discrete` space. `dueling` (Wang et al. 2016) learns the value of the observation and what each action
 * adds to it apart: Q = V + A - mean A.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { ActionValueNetwork, CartPole } from '@nn/reinforcement';
 * console.log(new ActionValueNetwork(new CartPole(), { dueling: true }).forward(zeros([3, 4])).shape); // => [3, 2]
 */
export class ActionValueNetwork implements ActionValueModel {
  readonly body: Mlp;
  /** Where the value is apart: how many outputs are advantages. */
  readonly #choices: number;

  constructor(
    { observationSpace, actionSpace }: Spaces,
    { hidden = [128, 128], activation = 'relu', dueling = false }: NetworkOptions & { readonly dueling?: boolean } = {},
  ) {
    const inputs = sizeOf(observationSpace);
    const choices = sizeOf(actionSpace);
    // The last layer gives the advantages and, where they are apart, one number more: the value.
    this.body = new Mlp([inputs, ...hidden, choices + (dueling ? 1 : 0)], { activation });
    this.#choices = dueling ? choices : 0;
  }

  forward(observations: Tensor): Tensor {
    const outputs = this.body.forward(observations);
    if (this.#choices === 0) return outputs;
    const [advantages, value] = outputs.split([this.#choices, 1], 1) as [Tensor, Tensor];
    return value.add(advantages).sub(advantages.mean(1, { keepAxes: true }));
  }
}

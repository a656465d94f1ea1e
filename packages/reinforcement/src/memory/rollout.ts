/**
 * A rollout: what some steps in all environments gave under one policy, as the arrays that an update takes. One call of the
 * compiled policy serves all environments in a step.
 */
import { type CompiledFunction, compile, concat, type Tensor, tensor } from '@nn/core';
import type { PolicyModel } from '../networks.ts';
import { bounded, drawActions } from '../policy.ts';
import type { RandomStream } from '../random.ts';
import type { Space } from '../spaces.ts';
import type { Episode, VectorEnvironment } from '../vector.ts';
import type { AdvantageInput } from './advantages.ts';

export interface Rollout extends AdvantageInput {
  readonly steps: number;
  /** [steps, environments, size] */
  readonly observations: Float32Array;
  /** Integers [steps, environments], or numbers [steps, environments, numbers] as they were drawn, before the bounds. */
  readonly actions: Int32Array | Float32Array;
  readonly logProbabilities: Float32Array;
  /** 1 for each action that was allowed, where the environments say so. */
  readonly legal: Uint8Array | null;
  readonly episodes: readonly Episode[];
}

/** Runs a policy in environments. It keeps the compiled policy, and nothing else between two rollouts. */
export class RolloutCollector {
  readonly #environments: VectorEnvironment;
  readonly #random: RandomStream;
  /** [N, size] to [N, outputs + 1]: the outputs of the policy, then the value; one read for both. */
  readonly #policy: CompiledFunction<[Tensor], Tensor>;

  constructor(environments: VectorEnvironment, model: PolicyModel, random: RandomStream) {
    this.#environments = environments;
    this.#random = random;
    this.#policy = compile((observations: Tensor): Tensor => {
      const { policy, logScale, value } = model.forward(observations);
      const scale = logScale === undefined ? [] : [logScale.expand(policy.shape)];
      return concat([policy, ...scale, value.unsqueeze(1)], 1);
    });
  }

  /** The outputs of the policy without the values, and the values, for observations [count, size]. */
  async outputs(
    observations: Float32Array,
    count: number,
  ): Promise<{ readonly rows: Float32Array; readonly values: Float32Array }> {
    const shape = [count, observations.length / count];
    const both = await (await this.#policy(tensor(observations, { shape }))).data('float32');
    const width = both.length / count - 1;
    const rows = new Float32Array(count * width);
    const values = new Float32Array(count);
    for (let i = 0; i < count; i++) {
      rows.set(both.subarray(i * (width + 1), i * (width + 1) + width), i * width);
      values[i] = both[(i + 1) * (width + 1) - 1]!;
    }
    return { rows, values };
  }

  async collect(steps: number): Promise<Rollout> {
    const environments = this.#environments;
    const { count, size, actionSpace } = environments;
    const space: Space = actionSpace;
    const width = space.kind === 'discrete' ? 1 : space.low.length;
    const choices = space.kind === 'discrete' && environments.hasLegalActions ? space.n : 0;
    const total = steps * count;
    const rollout = {
      steps,
      environments: count,
      observations: new Float32Array(total * size),
      actions: space.kind === 'discrete' ? new Int32Array(total) : new Float32Array(total * width),
      logProbabilities: new Float32Array(total),
      legal: choices > 0 ? new Uint8Array(total * choices) : null,
      rewards: new Float32Array(total),
      values: new Float32Array(total),
      nextValues: new Float32Array(total),
      terminated: new Uint8Array(total),
      ended: new Uint8Array(total),
      episodes: [] as Episode[],
    };
    let observations = environments.observations;
    for (let t = 0; t < steps; t++) {
      const at = t * count;
      const { rows, values } = await this.outputs(observations, count);
      const legal = choices > 0 ? environments.legalActions() : undefined;
      const { actions, logProbabilities } = drawActions(space, rows, count, this.#random, legal);
      const step = environments.step(bounded(space, actions));
      rollout.observations.set(observations, at * size);
      rollout.actions.set(actions, at * width);
      rollout.logProbabilities.set(logProbabilities, at);
      if (legal !== undefined) rollout.legal?.set(legal, at * choices);
      rollout.rewards.set(step.rewards, at);
      rollout.values.set(values, at);
      if (t > 0) this.#passBack(rollout, values, at - count);
      rollout.terminated.set(step.terminated, at);
      for (let i = 0; i < count; i++) rollout.ended[at + i] = step.terminated[i]! | step.truncated[i]!;
      // The last observation of an episode that a limit ended is seen by no later step: its value is asked for here.
      if (step.truncated.includes(1)) {
        const { values: last } = await this.outputs(step.outcomes, count);
        for (let i = 0; i < count; i++) if (step.truncated[i] === 1) rollout.nextValues[at + i] = last[i]!;
      }
      rollout.episodes.push(...step.episodes);
      observations = step.observations;
    }
    const { values } = await this.outputs(observations, count);
    this.#passBack(rollout, values, total - count);
    return rollout;
  }

  /** The values of a step are the next values of the one before, where no episode ended between them. */
  #passBack({ nextValues, ended }: Rollout, values: Float32Array, at: number): void {
    for (let i = 0; i < values.length; i++) if (ended[at + i] === 0) nextValues[at + i] = values[i]!;
  }
}

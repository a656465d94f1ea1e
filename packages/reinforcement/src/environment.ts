/**
 * The contract of an environment, which is Gymnasium's (Towers et al. 2024): `reset` begins an episode, `step` takes an
 * action. What ends an episode is told apart: `terminated` is the end of the task, after which nothing can be earned;
 * `truncated` is a limit from outside, after which the future still has its value.
 */
import { type Stateful, ValueError } from '@nn/core';
import type { Scene } from './render/scene.ts';
import { type ElementOf, type Space, whyOutside } from './spaces.ts';

/** Numbers that an environment tells beside an observation, for logs; agents do not see them. */
export type Info = Readonly<Record<string, number | string | boolean>>;

export interface Start<O extends Space = Space> {
  readonly observation: ElementOf<O>;
  readonly info: Info;
}

export interface Step<O extends Space = Space> extends Start<O> {
  readonly reward: number;
  /** The task has ended: won, lost, fallen over. */
  readonly terminated: boolean;
  /** A limit from outside has ended the episode, as a number of steps. */
  readonly truncated: boolean;
}

export interface ResetOptions {
  /** Begins the random stream anew; without it the stream goes on. */
  readonly seed?: number;
}

/**
 * One object with two methods is an environment. With `hostState` and `loadHostState` (see `Stateful` of core) a training
 * resumes in the middle of its episodes; with `render` it can be watched. An observation belongs to whoever got it: a new array
 * each step.
 */
export interface Environment<O extends Space = Space, A extends Space = Space> extends Partial<Stateful> {
  readonly name: string;
  readonly observationSpace: O;
  readonly actionSpace: A;
  reset(options?: ResetOptions): Start<O>;
  step(action: ElementOf<A>): Step<O>;
  render?(): Scene;
  /** Which actions are allowed now, 1 or 0 for each, where a discrete space has some that are not. */
  legalActions?: (() => Uint8Array) | undefined;
}

/** The action, or a `ValueError` that names what is wrong with it. */
export function checkAction<A extends Space>({ name, actionSpace }: Environment<Space, A>, action: ElementOf<A>): void {
  const why = whyOutside(actionSpace, action);
  if (why === null) return;
  throw new ValueError(`${name}.step`, `the action is outside of its space: ${why}.`, { action });
}

/** Throws a `ValueError` where an environment gives a reward that is not finite, or an observation outside of its space. */
export function checkStep<O extends Space>(
  { name, observationSpace }: Environment<O>,
  { observation, reward }: { readonly observation: ElementOf<O>; readonly reward?: number },
): void {
  if (reward !== undefined && !Number.isFinite(reward)) {
    throw new ValueError(`${name}.step`, `the reward is ${reward}; an environment must give a finite number.`, {
      reward,
    });
  }
  const why = whyOutside(observationSpace, observation);
  if (why === null) return;
  throw new ValueError(
    `${name}.${reward === undefined ? 'reset' : 'step'}`,
    `the observation is outside of its space: ${why}. Mend the environment, or widen its \`observationSpace\`.`,
  );
}

/** What an environment says that is stepped without an episode under way. */
export function noEpisode(name: string): ValueError {
  return new ValueError(
    `${name}.step`,
    'no episode is under way; call `reset()` before the first step and after each end.',
  );
}

/** What the page and the worker of the agents say to one another. */
import type { Scene } from '@nn/reinforcement';

export const worlds = ['cartpole', 'snake'] as const;
export type World = (typeof worlds)[number];

/** Squares of a side of Snake's board. */
export const boardSize = 8;
/** Points on each side of the value map of CartPole. */
export const mapSide = 36;
/** What CartPole observes: a name of the words, and how far the map goes to both sides. */
export const quantities = [
  { name: 'position', reach: 2.4 },
  { name: 'speed', reach: 3 },
  { name: 'angle', reach: 0.21 },
  { name: 'turning', reach: 3 },
] as const;
export type Axes = readonly [across: number, up: number];

export interface AgentSettings {
  readonly world: World;
  readonly learningRate: number;
  readonly discount: number;
  readonly entropyWeight: number;
  readonly hidden: number;
  readonly seed: number;
  /** Which two quantities span the value map; the others are 0. */
  readonly axes: Axes;
}

/** What the agent does and thinks at a moment of an episode that is watched. */
export interface Moment {
  readonly scene: Scene;
  readonly observation: Float32Array;
  readonly probabilities: Float32Array;
  /** The sum of discounted rewards that it expects. */
  readonly value: number;
}

export interface Episode {
  readonly moments: readonly Moment[];
  readonly total: number;
  /** Steps of training behind the policy that plays. */
  readonly steps: number;
}

export interface AgentFrame {
  readonly steps: number;
  readonly episodes: number;
  /** Of the last hundred episodes; NaN before the first. */
  readonly meanReturn: number;
  readonly best: number;
  /** Steps of training and returns of the episodes that ended since the frame before. */
  readonly ended: readonly (readonly [step: number, total: number, mean: number])[];
  /** How undecided the policy is, in nats. */
  readonly entropy: number;
  /** CartPole: the map, [mapSide, mapSide] from the top left. Snake: the value of each of its states, by `snakeState`. */
  readonly values: Float32Array;
  /** Counts the beginnings: what came before another one is no longer of interest. */
  readonly run: number;
}

export interface AgentCalls {
  begin(settings: AgentSettings): null;
  axes(axes: Axes): null;
  watch(): Promise<Episode>;
}

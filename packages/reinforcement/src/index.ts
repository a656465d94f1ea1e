/** Environments with Gymnasium's contract, agents, and games of two players. */
export { A2C, type ActorCriticOptions, REINFORCE } from './agents/actor-critic.ts';
export { AgentProgress, type Learner, type LearningReport, type LearnOptions, learn } from './agents/agent.ts';
export { AlphaZero, type AlphaZeroOptions } from './agents/alpha-zero.ts';
export { DQN, type DQNOptions } from './agents/dqn.ts';
export { type PlayedPosition, playGames, type SelfPlayOptions } from './agents/play-games.ts';
export { PPO, type PPOOptions } from './agents/ppo.ts';
export { SAC, type SACOptions } from './agents/sac.ts';
export {
  type MessagePortLike,
  type PlayedGames,
  playInWorkers,
  type SelfPlay,
  serveSelfPlay,
} from './agents/self-play-workers.ts';
export { Tabular, type TabularOptions } from './agents/tabular.ts';
export type { Environment, Info, ResetOptions, Start, Step } from './environment.ts';
export { Acrobot } from './environments/acrobot.ts';
export { CartPole } from './environments/cart-pole.ts';
export { Game2048, push2048 } from './environments/game-2048.ts';
export { CliffWalking, GridWorld, type GridWorldOptions } from './environments/grid-world.ts';
export { MountainCar } from './environments/mountain-car.ts';
export { Pendulum } from './environments/pendulum.ts';
export type { LimitOptions } from './environments/simulation.ts';
export { Snake, type SnakeOptions } from './environments/snake.ts';
export { type Actor, type Evaluation, evaluatePolicy } from './evaluate.ts';
export { ConnectFour, type ConnectFourOptions, type RowPosition, TicTacToe } from './games/connect.ts';
export type { Game, Player, Position, Symmetry } from './games/game.ts';
export { Go, type GoOptions, type GoPosition } from './games/go.ts';
export {
  eloDifference,
  type GamePlayer,
  judgePlayer,
  type MatchOptions,
  type MatchResult,
  type PlayerJudgement,
  playMatch,
  reachablePositions,
} from './games/match.ts';
export {
  type GameModel,
  GameNetwork,
  type GameNetworkOptions,
  type GameOutputs,
  networkGuess,
} from './games/network.ts';
export { Othello } from './games/othello.ts';
export { type AdvantageInput, type AdvantageOptions, generalizedAdvantages } from './memory/advantages.ts';
export { RunningMoments } from './memory/moments.ts';
export { NStep, type SingleStep } from './memory/n-step.ts';
export { PrioritizedReplay, type PriorityOptions } from './memory/prioritized-replay.ts';
export { Replay, type ReplayBatch, type ReplaySizes, type Transition } from './memory/replay.ts';
export { type Rollout, RolloutCollector } from './memory/rollout.ts';
export { follow } from './memory/target.ts';
export {
  type ActionValueModel,
  ActionValueNetwork,
  Mlp,
  type NetworkOptions,
  type PolicyModel,
  PolicyNetwork,
  type PolicyOutputs,
  type Spaces,
} from './networks.ts';
export { RandomStream } from './random.ts';
export { type Canvas2D, type Colours, drawScene } from './render/canvas.ts';
export type { BoardScene, Cell, DrawnScene, Ink, Point, Scene, SceneShape } from './render/scene.ts';
export { type SceneTextOptions, sceneText } from './render/text.ts';
export { exponentialSchedule, linearSchedule } from './schedules.ts';
export { AlphaBeta, type AlphaBetaOptions, type Judgement } from './search/alpha-beta.ts';
export {
  evenGuess,
  type Guess,
  type Guesser,
  type SearchResult,
  SearchTree,
  searchTrees,
  type TreeSearchOptions,
} from './search/tree-search.ts';
export {
  type Box,
  box,
  type Discrete,
  discrete,
  type ElementOf,
  type Space,
  sampleOf,
  sizeOf,
  whyOutside,
} from './spaces.ts';
export { type Episode, VectorEnvironment, type VectorOptions, type VectorStep } from './vector.ts';
export { FrameStack } from './wrappers/frame-stack.ts';
export { NormalizeObservation, NormalizeReward } from './wrappers/normalize.ts';
export { Recorder, type Recording } from './wrappers/recorder.ts';
export { TimeLimit } from './wrappers/time-limit.ts';
export { Wrapper } from './wrappers/wrapper.ts';

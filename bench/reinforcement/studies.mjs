/** What is learned for docs/reinforcement-results.md: environments, agents and their settings. Settings are published ones where a source is named. */
import { linearRamp } from '@nn/optim';
import {
  ActionValueNetwork,
  CartPole,
  DQN,
  linearSchedule,
  Pendulum,
  PPO,
  SAC,
  VectorEnvironment,
} from '@nn/reinforcement';

/**
 * @typedef {object} Study
 * @property {string} name
 * @property {string} title
 * @property {number} steps environment steps of a run
 * @property {string} goal what 100 episodes should reach
 * @property {() => import('@nn/reinforcement').Environment} environment
 * @property {string} settings in words
 * @property {(seed: number) => import('@nn/reinforcement').Learner & import('@nn/reinforcement').Actor} make
 */

const poles = (/** @type {number} */ count, /** @type {number} */ seed) =>
  new VectorEnvironment(() => new CartPole(), count, { seed: 1000 * seed });
const pendulums = (/** @type {number} */ count, /** @type {number} */ seed) =>
  new VectorEnvironment(() => new Pendulum(), count, { seed: 1000 * seed });

/** @type {readonly Study[]} */
export const studies = [
  {
    name: 'cartpole-ppo',
    title: 'CartPole, PPO',
    steps: 100_000,
    goal: '475',
    environment: () => new CartPole(),
    settings:
      '8 environments, rollouts of 32, 20 epochs of one batch, discount 0.98, lambda 0.8, learning rate 1e-3 falling to 0 (those of RL Baselines3 Zoo)',
    make: (seed) => {
      const [steps, options] = [
        100_000,
        { rolloutSteps: 32, minibatches: 1, epochs: 20, discount: 0.98, lambda: 0.8, seed },
      ];
      const updates = Math.ceil(steps / 256) * 20;
      return new PPO(poles(8, seed), {
        ...options,
        learningRate: linearRamp(1e-3, { steps: updates, from: 1, to: 0 }),
      });
    },
  },
  {
    name: 'cartpole-dqn',
    title: 'CartPole, DQN',
    steps: 50_000,
    goal: '475',
    environment: () => new CartPole(),
    settings:
      'double, 10 steps of rewards in a transition, two layers of 128, an update of 128 transitions a step, targets that follow by 0.01, learning rate 5e-4 falling to 0, exploration from 1 to 0.04 in 8,000 steps',
    make: (seed) => {
      const environments = poles(1, seed);
      return new DQN(environments, {
        model: () => new ActionValueNetwork(environments, { hidden: [128, 128] }),
        ...{
          steps: 10,
          batchSize: 128,
          rolloutSteps: 2,
          updates: 2,
          targetEvery: 1,
          targetRate: 0.01,
          capacity: 100_000,
        },
        learningRate: linearRamp(5e-4, { steps: 50_000, from: 1, to: 0 }),
        exploration: linearSchedule(1, 0.04, 8000),
        seed,
      });
    },
  },
  {
    name: 'pendulum-sac',
    title: 'Pendulum, SAC',
    steps: 20_000,
    goal: '-150',
    environment: () => new Pendulum(),
    settings:
      'all as they are by default: one environment, two layers of 64, an update of 256 transitions a step, learning rate 1e-3',
    make: (seed) => new SAC(pendulums(1, seed), { seed }),
  },
  {
    name: 'pendulum-ppo',
    title: 'Pendulum, PPO',
    steps: 100_000,
    goal: '-150',
    environment: () => new Pendulum(),
    settings:
      '4 environments, rollouts of 1,024, 10 epochs of 64 batches, discount 0.9, lambda 0.95, learning rate 1e-3',
    make: (seed) =>
      new PPO(pendulums(4, seed), {
        rolloutSteps: 1024,
        minibatches: 64,
        epochs: 10,
        discount: 0.9,
        learningRate: 1e-3,
        seed,
      }),
  },
];

/**
 * Self-play with tree search: the search plays better than the network alone, and the network learns what the search found.
 *
 *     loss = mean (-pi . log p + (z - v)^2)
 *
 * with pi the share of visits of each move, z how the game ended for who was to move, p and v what the network says. Silver et al.
 * (2018), "A general reinforcement learning algorithm that masters chess, shogi and Go through self-play". All games of an iteration are
 * played side by side, one call of the network for all; each position is learned in all its symmetries.
 */
import { type CompiledFunction, checkOptions, compile, stack, type Tensor, tensor } from '@nn/core';
import { AdamW, type Schedule } from '@nn/optim';
import type { Game, Player, Position } from '../games/game.ts';
import { type GameModel, GameNetwork, networkGuess } from '../games/network.ts';
import { Replay } from '../memory/replay.ts';
import { RandomStream, streams } from '../random.ts';
import { type Guesser, SearchTree, searchTrees } from '../search/tree-search.ts';
import type { Episode } from '../vector.ts';
import { AgentProgress, type LearningReport } from './agent.ts';
import { type PlayedPosition, playGames, type SelfPlayOptions, selfPlayDefaults } from './play-games.ts';
import type { SelfPlay } from './self-play-workers.ts';

export interface AlphaZeroOptions<P extends Position = Position> extends SelfPlayOptions {
  /** A `GameNetwork` by default. */
  readonly model?: GameModel;
  /** 2e-3 by default. */
  readonly learningRate?: number | Schedule;
  /** 1e-4 by default. */
  readonly weightDecay?: number;
  /** Positions that are kept, their symmetries counted; 40,000 by default. */
  readonly capacity?: number;
  /** 128 by default. */
  readonly batchSize?: number;
  /** Updates after the games of an iteration; by default as many as show each new position twice. */
  readonly updates?: number;
  /** Who plays the games: this thread by default, or `playInWorkers(workers)`. */
  readonly selfPlay?: SelfPlay<P>;
  readonly seed?: number;
}

const defaults = {
  ...selfPlayDefaults,
  learningRate: 2e-3,
  weightDecay: 1e-4,
  capacity: 40_000,
  batchSize: 128,
  seed: 0,
};

/** @inheritDoc */
export class AlphaZero<P extends Position> {
  readonly game: Game<P>;
  readonly model: GameModel;
  readonly optimizer: AdamW;
  /** Boards, with the policy as the action and the outcome as the reward. */
  readonly replay: Replay;
  readonly random: RandomStream;
  readonly progress: AgentProgress = new AgentProgress();
  /** The network, for searches and opponents. */
  readonly guesser: Guesser<P>;
  readonly #options: Required<Omit<AlphaZeroOptions, 'model' | 'updates' | 'selfPlay'>> &
    Pick<AlphaZeroOptions, 'updates'>;
  readonly #selfPlay: SelfPlay<P>;
  readonly #update: CompiledFunction<[Tensor, Tensor, Tensor], Tensor>;

  constructor(game: Game<P>, options: AlphaZeroOptions<P> = {}) {
    checkOptions('AlphaZero', options, ['model', 'updates', 'selfPlay', ...Object.keys(defaults)]);
    const { model, selfPlay, ...rest } = options;
    this.#options = { ...defaults, ...rest };
    const { learningRate, weightDecay, capacity, seed } = this.#options;
    this.game = game;
    this.model = model ?? new GameNetwork(game);
    this.optimizer = new AdamW(this.model, { learningRate, weightDecay });
    const area = game.planes * game.rows * game.columns;
    this.replay = new Replay(capacity, { observation: area, action: game.moves });
    this.random = new RandomStream(seed, streams.search);
    this.guesser = networkGuess(game, this.model);
    this.#selfPlay = selfPlay ?? ((_, random, asked) => playGames(game, this.guesser, random, asked));
    this.#update = compile((boards: Tensor, policies: Tensor, outcomes: Tensor) => {
      const { policy, value } = this.model.forward(boards);
      const policyLoss = policy.logSoftmax(1).mul(policies).sum(1).mean().neg();
      const valueLoss = value.sub(outcomes).square().mean();
      const numbers = stack([policyLoss, valueLoss]);
      this.optimizer.step(policyLoss.add(valueLoss), numbers);
      return numbers;
    });
  }

  /** Games against itself, and updates. The returns that it reports are those of who began. */
  async iterate(): Promise<LearningReport> {
    const { simulations, games, openingMoves, exploration, noise } = this.#options;
    const options = { simulations, games, openingMoves, exploration, noise };
    const { positions, winners } = await this.#selfPlay(this.model, this.random, options);
    return this.learnFrom(positions, winners);
  }

  /** Takes positions that were played here or in workers, and updates the network. */
  async learnFrom(positions: readonly PlayedPosition<P>[], winners: readonly (Player | 0)[]): Promise<LearningReport> {
    const { batchSize, updates } = this.#options;
    const added = this.#remember(positions);
    const count = updates ?? Math.ceil((2 * added) / batchSize);
    let numbers: Tensor | undefined;
    for (let update = 0; update < count; update++) {
      const batch = this.replay.sample(batchSize, this.random);
      numbers = await this.#update(
        tensor(batch.observations, { shape: [batchSize, this.game.planes, this.game.rows, this.game.columns] }),
        tensor(batch.actions, { shape: [batchSize, this.game.moves] }),
        tensor(batch.rewards),
      );
    }
    const [policyLoss, valueLoss] = Array.from((await numbers?.data('float32')) ?? []);
    const steps = Math.round(positions.length / Math.max(1, winners.length));
    const episodes = winners.map((total, environment): Episode => ({ environment, total, steps, truncated: false }));
    return this.progress.report(positions.length, episodes, { policyLoss, valueLoss } as Record<string, number>);
  }

  #remember(positions: readonly PlayedPosition<P>[]): number {
    const { game, replay } = this;
    const area = game.rows * game.columns;
    const symmetries = game.symmetries();
    for (const { position, policy, outcome } of positions) {
      const board = game.encode(position);
      for (const { squares, moves } of symmetries) {
        const observation = board.map((_, at) => {
          const plane = Math.floor(at / area) * area;
          return board[plane + squares[at - plane]!]!;
        });
        const action = policy.map((_, move) => policy[moves[move]!]!);
        replay.add({ observation, action, reward: outcome, nextObservation: [], discount: 0 });
      }
    }
    return positions.length * symmetries.length;
  }

  /** The best move of a position after so many simulations, without noise; with 0 the network's own. */
  async move(position: P, simulations: number = this.#options.simulations): Promise<number> {
    const [move] = await this.moves([position], simulations);
    return move!;
  }

  /** The best moves of positions, searched side by side. */
  async moves(positions: readonly P[], simulations: number = this.#options.simulations): Promise<number[]> {
    if (simulations === 0) {
      const guesses = await this.guesser(positions);
      return positions.map((position, i) => {
        const { priors } = guesses[i]!;
        return this.game.legalMoves(position).reduce((best, move) => (priors[move]! > priors[best]! ? move : best));
      });
    }
    const trees = positions.map((position) => new SearchTree(this.game, position, this.#options.exploration));
    await searchTrees(trees, this.guesser, simulations + 1);
    return trees.map((tree) => {
      const { visits } = tree.result();
      return visits.indexOf(Math.max(...visits));
    });
  }
}

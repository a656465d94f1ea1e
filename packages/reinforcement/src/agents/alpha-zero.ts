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

export interface SelfPlayOptions {
  /** Simulations for each move; 50 by default. */
  readonly simulations?: number;
  /** Games that are played side by side; 32 by default. */
  readonly games?: number;
  /** Moves at the beginning that are drawn by their visits; the best after that. 8 by default. */
  readonly openingMoves?: number;
  /** 1.5 by default. */
  readonly exploration?: number;
  /** The share of noise at the first move of each search; 0.25 by default. */
  readonly noise?: number;
}

export interface AlphaZeroOptions extends SelfPlayOptions {
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
  readonly seed?: number;
}

/** A position that was played, and what is to be learned of it. */
export interface PlayedPosition<P extends Position> {
  readonly position: P;
  /** The share of visits of each move. */
  readonly policy: Float32Array;
  /** How the game ended, for who was to move: 1, 0 or -1. */
  readonly outcome: number;
}

const selfPlay = { simulations: 50, games: 32, openingMoves: 8, exploration: 1.5, noise: 0.25 };
const defaults = { ...selfPlay, learningRate: 2e-3, weightDecay: 1e-4, capacity: 40_000, batchSize: 128, seed: 0 };

/**
 * Plays games against itself, side by side, to their ends. What `AlphaZero` does in each iteration, for loops of your own and for workers.
 *
 * @example
 * import { evenGuess, playGames, RandomStream, TicTacToe } from '@nn/reinforcement';
 * const game = new TicTacToe();
 * const { positions, winners } = await playGames(game, evenGuess(game), new RandomStream(1), { games: 2, simulations: 20 });
 * console.log(winners.length, positions.length >= 10); // => 2 true
 */
export async function playGames<P extends Position>(
  game: Game<P>,
  guesser: Guesser<P>,
  random: RandomStream,
  options: SelfPlayOptions = {},
): Promise<{ readonly positions: readonly PlayedPosition<P>[]; readonly winners: readonly (Player | 0)[] }> {
  checkOptions('playGames', options, Object.keys(selfPlay));
  const { simulations, games, openingMoves, exploration, noise } = { ...selfPlay, ...options };
  const played = Array.from({ length: games }, () => ({
    tree: new SearchTree(game, game.start(), exploration),
    history: [] as { readonly position: P; readonly policy: Float32Array }[],
    winner: null as Player | 0 | null,
  }));
  for (let move = 0; ; move++) {
    const open = played.filter(({ winner }) => winner === null);
    if (open.length === 0) break;
    const trees = open.map(({ tree }) => tree);
    await searchTrees(trees, guesser, 1); // guesses the first position, where it was not met before
    for (const tree of trees) tree.addNoise(random, noise);
    await searchTrees(trees, guesser, simulations - 1);
    for (const one of open) {
      const { visits } = one.tree.result();
      const total = visits.reduce((sum, count) => sum + count, 0);
      one.history.push({ position: one.tree.position, policy: visits.map((count) => count / total) });
      const chosen = move < openingMoves ? random.choose(visits) : visits.indexOf(Math.max(...visits));
      one.winner = game.winner(game.play(one.tree.position, chosen));
      if (one.winner === null) one.tree.advance(chosen);
    }
  }
  return {
    positions: played.flatMap(({ history, winner }) =>
      history.map(({ position, policy }) => ({ position, policy, outcome: (winner ?? 0) * position.player })),
    ),
    winners: played.map(({ winner }) => winner ?? 0),
  };
}

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
  readonly #options: Required<Omit<AlphaZeroOptions, 'model' | 'updates'>> & Pick<AlphaZeroOptions, 'updates'>;
  readonly #update: CompiledFunction<[Tensor, Tensor, Tensor], Tensor>;

  constructor(game: Game<P>, options: AlphaZeroOptions = {}) {
    checkOptions('AlphaZero', options, ['model', 'updates', ...Object.keys(defaults)]);
    const { model, ...rest } = options;
    this.#options = { ...defaults, ...rest };
    const { learningRate, weightDecay, capacity, seed } = this.#options;
    this.game = game;
    this.model = model ?? new GameNetwork(game);
    this.optimizer = new AdamW(this.model, { learningRate, weightDecay });
    const area = game.planes * game.rows * game.columns;
    this.replay = new Replay(capacity, { observation: area, action: game.moves });
    this.random = new RandomStream(seed, streams.search);
    this.guesser = networkGuess(game, this.model);
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
    const { positions, winners } = await playGames(this.game, this.guesser, this.random, options);
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

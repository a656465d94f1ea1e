/** Games against itself: a search for each of many games side by side, one call of the guesser for all. */
import { checkOptions } from '@nn/core';
import type { Game, Player, Position } from '../games/game.ts';
import type { RandomStream } from '../random.ts';
import { type Guesser, SearchTree, searchTrees } from '../search/tree-search.ts';

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

/** A position that was played, and what is to be learned of it. */
export interface PlayedPosition<P extends Position> {
  readonly position: P;
  /** The share of visits of each move. */
  readonly policy: Float32Array;
  /** How the game ended, for who was to move: 1, 0 or -1. */
  readonly outcome: number;
}

/** What is played where nothing else is asked for. */
export const selfPlayDefaults: Required<SelfPlayOptions> = {
  ...{ simulations: 50, games: 32, openingMoves: 8, exploration: 1.5, noise: 0.25 },
};

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
  checkOptions('playGames', options, Object.keys(selfPlayDefaults));
  const { simulations, games, openingMoves, exploration, noise } = { ...selfPlayDefaults, ...options };
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

/**
 * Monte Carlo tree search with a network in place of random play (Silver et al. 2018, "A general reinforcement learning algorithm that
 * masters chess, shogi and Go through self-play"): each simulation walks down the tree to a position that was not looked at yet,
 *
 *     move = argmax Q(s, a) + c P(s, a) sqrt(N(s)) / (1 + N(s, a))
 *
 * asks what it is worth, and adds that to all moves on the way. Many trees walk side by side, so that one call of the network serves all.
 */
import { ValueError } from '@nn/core';
import type { Game, Player, Position } from '../games/game.ts';
import type { RandomStream } from '../random.ts';

/** What is thought of a position before looking ahead. */
export interface Guess {
  /** For each of all moves, in any scale of 0 and more; those that are not allowed do not count. */
  readonly priors: ArrayLike<number>;
  /** From -1 to 1, for who is to move. */
  readonly value: number;
}

/** Guesses for positions, in their order: a network, or `evenGuess`. */
export type Guesser<P extends Position> = (positions: readonly P[]) => readonly Guess[] | Promise<readonly Guess[]>;

export interface TreeSearchOptions {
  /** How much the priors count beside what was found, c; 1.5 by default. */
  readonly exploration?: number;
  /** The share of Dirichlet noise in the priors of the first move; 0 by default, 0.25 in self-play. */
  readonly noise?: number;
  /** Of that noise, small for few moves at once; 10 over the number of moves by default. */
  readonly concentration?: number;
}

/** What a search found about a position. */
export interface SearchResult {
  /** How often each of all moves was tried. */
  readonly visits: Float32Array;
  /** What the position is worth for who is to move, -1 to 1. */
  readonly value: number;
  /** What each of all moves is worth for who is to move; NaN where it was not tried. */
  readonly moveValues: Float32Array;
}

interface Node<P extends Position> {
  readonly position: P;
  /** Who has won, 0 for a draw, null where the game goes on. */
  readonly winner: Player | 0 | null;
  readonly moves: readonly number[];
  priors: Float64Array | null;
  readonly visits: Int32Array;
  /** Sums of values for who moves here. */
  readonly totals: Float64Array;
  readonly children: (Node<P> | undefined)[];
  count: number;
  /** What was guessed, for who moves here. */
  guess: number;
}

/** A tree over one position. */
export class SearchTree<P extends Position> {
  readonly #game: Game<P>;
  readonly #exploration: number;
  #root: Node<P>;

  constructor(game: Game<P>, position: P, exploration: number = 1.5) {
    this.#game = game;
    this.#exploration = exploration;
    this.#root = this.#node(position);
    if (this.#root.moves.length === 0)
      throw new ValueError('SearchTree', 'the game is over: there is no move to look for.');
  }

  get position(): P {
    return this.#root.position;
  }

  #node(position: P): Node<P> {
    const winner = this.#game.winner(position);
    const moves = winner === null ? this.#game.legalMoves(position) : [];
    return {
      ...{ position, winner, moves, priors: null, count: 0, guess: 0, children: new Array(moves.length) },
      visits: new Int32Array(moves.length),
      totals: new Float64Array(moves.length),
    };
  }

  /** Goes on below a move: what was found there stays. */
  advance(move: number): void {
    const at = this.#root.moves.indexOf(move);
    this.#root = this.#root.children[at] ?? this.#node(this.#game.play(this.#root.position, move));
  }

  /** Mixes Dirichlet noise into the priors of the first move. They must have been guessed. */
  addNoise(random: RandomStream, share: number, concentration: number = 10 / this.#root.moves.length): void {
    const { priors } = this.#root;
    if (priors === null) return;
    const noise = priors.map(() => gamma(concentration, random));
    const total = noise.reduce((sum, x) => sum + x, 0);
    if (total > 0) for (let i = 0; i < priors.length; i++) priors[i]! += share * (noise[i]! / total - priors[i]!);
  }

  /** Walks down to a position that needs a guess, and gives it; null where the game was over there, which is counted at once. */
  walk(): { readonly position: P; readonly take: (guess: Guess) => void } | null {
    const path: { readonly node: Node<P>; readonly at: number }[] = [];
    let node = this.#root;
    while (node.priors !== null) {
      const at = this.#best(node);
      path.push({ node, at });
      const child = node.children[at] ?? this.#node(this.#game.play(node.position, node.moves[at]!));
      node.children[at] = child;
      node = child;
      if (node.winner !== null) {
        this.#add(path, node.winner);
        return null;
      }
    }
    const leaf = node;
    return {
      position: leaf.position,
      take: ({ priors, value }) => {
        leaf.priors = this.#normalized(leaf, priors);
        leaf.guess = value;
        leaf.count++;
        this.#add(path, value * leaf.position.player);
      },
    };
  }

  #normalized({ moves }: Node<P>, priors: ArrayLike<number>): Float64Array {
    const chosen = Float64Array.from(moves, (move) => Math.max(0, priors[move]!));
    const total = chosen.reduce((sum, x) => sum + x, 0);
    return total > 0 ? chosen.map((x) => x / total) : chosen.fill(1 / moves.length);
  }

  #best({ moves, priors, visits, totals, count, guess }: Node<P>): number {
    const spread = this.#exploration * Math.sqrt(count);
    let best = 0;
    let highest = Number.NEGATIVE_INFINITY;
    for (let at = 0; at < moves.length; at++) {
      const tried = visits[at]!;
      // A move that was not tried is thought to be as good as the position.
      const value = tried === 0 ? guess : totals[at]! / tried;
      const score = value + (spread * priors![at]!) / (1 + tried);
      if (score > highest) [highest, best] = [score, at];
    }
    return best;
  }

  /** `value` is for the player 1. */
  #add(path: readonly { readonly node: Node<P>; readonly at: number }[], value: number): void {
    for (const { node, at } of path) {
      node.visits[at]!++;
      node.totals[at]! += value * node.position.player;
      node.count++;
    }
  }

  result(): SearchResult {
    const { moves, visits, totals, guess } = this.#root;
    const result = {
      visits: new Float32Array(this.#game.moves),
      moveValues: new Float32Array(this.#game.moves).fill(Number.NaN),
    };
    let [total, tried] = [guess, 1];
    moves.forEach((move, at) => {
      result.visits[move] = visits[at]!;
      if (visits[at]! > 0) result.moveValues[move] = totals[at]! / visits[at]!;
      total += totals[at]!;
      tried += visits[at]!;
    });
    return { ...result, value: total / tried };
  }
}

/** A number of the gamma distribution of rate 1 (Marsaglia and Tsang 2000; below 1 by a power of a uniform number). */
function gamma(concentration: number, random: RandomStream): number {
  if (concentration < 1) return gamma(concentration + 1, random) * (1 - random.uniform()) ** (1 / concentration);
  const d = concentration - 1 / 3;
  for (;;) {
    const x = random.normal();
    const v = (1 + x / Math.sqrt(9 * d)) ** 3;
    if (v > 0 && Math.log(1 - random.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** Guesses nothing: all moves alike, all positions even. With many simulations that plays well at short games. */
export function evenGuess(game: Game): Guesser<Position> {
  const guess = { priors: new Float32Array(game.moves).fill(1), value: 0 };
  return (positions) => positions.map(() => guess);
}

/**
 * Adds so many simulations to each of the trees. In each round every tree walks to one position, and one call guesses them all.
 *
 * @example
 * import { evenGuess, SearchTree, searchTrees, TicTacToe } from '@nn/reinforcement';
 * const game = new TicTacToe();
 * const position = [0, 3, 1, 4].reduce((before, move) => game.play(before, move), game.start()); // X wins at 2
 * const tree = new SearchTree(game, position);
 * await searchTrees([tree], evenGuess(game), 100);
 * const { visits } = tree.result();
 * console.log(visits.indexOf(Math.max(...visits))); // => 2
 */
export async function searchTrees<P extends Position>(
  trees: readonly SearchTree<P>[],
  guesser: Guesser<P>,
  simulations: number,
): Promise<void> {
  for (let round = 0; round < simulations; round++) {
    const walks = trees.map((tree) => tree.walk()).filter((walk) => walk !== null);
    if (walks.length === 0) continue;
    const guesses = await guesser(walks.map(({ position }) => position));
    walks.forEach(({ take }, i) => {
      take(guesses[i]!);
    });
  }
}

/**
 * Exact search: what a position is worth when both play best, by negamax with alpha and beta (Knuth and Moore 1975) and a table of
 * positions that were met. The strong opponent that a learned player is measured against.
 */
import { ValueError } from '@nn/core';
import type { Game, Position } from '../games/game.ts';
import type { RandomStream } from '../random.ts';

export interface AlphaBetaOptions {
  /** Moves that are looked ahead; to the end by default. What lies beyond counts as a draw. */
  readonly depth?: number;
  /** Positions that the table may hold; 2 million by default. */
  readonly tableSize?: number;
}

/** What the search found: 1 won for who is to move, 0 a draw, -1 lost; a win that is sooner is worth more. */
export interface Judgement {
  readonly value: number;
  /** All moves that are worth as much. */
  readonly best: readonly number[];
}

interface Entry {
  readonly value: number;
  /** Whether the value is exact, at least or at most. */
  readonly bound: 0 | 1 | -1;
  readonly depth: number;
}

/** What each move towards the end takes off a won position: the soonest win is taken, the latest loss. */
const delay = 1 / 1024;

/**
 * A player who looks ahead.
 *
 * @example
 * import { AlphaBeta, TicTacToe } from '@nn/reinforcement';
 * const game = new TicTacToe();
 * console.log(new AlphaBeta(game).judge(game.start()).value); // => 0
 */
export class AlphaBeta<P extends Position> {
  readonly game: Game<P>;
  readonly depth: number;
  readonly #tableSize: number;
  readonly #table = new Map<string, Entry>();
  readonly #order: readonly number[];
  /** Positions that were looked at in all. */
  visited = 0;

  constructor(game: Game<P>, { depth = Number.POSITIVE_INFINITY, tableSize = 2_000_000 }: AlphaBetaOptions = {}) {
    if (!(depth >= 1))
      throw new ValueError('AlphaBeta', `depth ${depth} is not a number of moves of 1 and more.`, { depth });
    this.game = game;
    this.depth = depth;
    this.#tableSize = tableSize;
    // Moves in the middle first: they are more often good, and good moves first cut off more.
    const middle = (game.moves - 1) / 2;
    this.#order = Array.from({ length: game.moves }, (_, move) => move).sort(
      (a, b) => Math.abs(a - middle) - Math.abs(b - middle),
    );
  }

  /** The value of a position, and all moves that keep it. */
  judge(position: P): Judgement {
    const legal = this.game.legalMoves(position);
    if (legal.length === 0) return { value: this.#ended(position) ?? 0, best: [] };
    let value = Number.NEGATIVE_INFINITY;
    let best: number[] = [];
    for (const move of legal) {
      const next = this.game.play(position, move);
      const found = this.#after(next, position, this.depth - 1, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
      if (found > value) best = [];
      if (found >= value) best.push(move);
      value = Math.max(value, found);
    }
    return { value, best };
  }

  /** One of the best moves: the first, or a random one. */
  move(position: P, random?: RandomStream): number {
    const { best } = this.judge(position);
    return best[random?.integer(best.length) ?? 0]!;
  }

  #ended(position: P): number | null {
    const winner = this.game.winner(position);
    return winner === null ? null : winner * position.player;
  }

  /** The value of `next` for who moved to it from `before`: who has won nearer is better off. */
  #after(next: P, before: P, depth: number, alpha: number, beta: number): number {
    const sign = next.player === before.player ? 1 : -1;
    // bounds seen from the other side, and one move earlier
    const [low, high] = sign === 1 ? [alpha, beta] : [-beta, -alpha];
    const value = sign * this.#search(next, depth, low / (1 - delay), high / (1 - delay));
    return value === 0 ? 0 : value * (1 - delay);
  }

  #search(position: P, depth: number, alpha: number, beta: number): number {
    this.visited++;
    const ended = this.#ended(position);
    if (ended !== null) return ended;
    if (depth <= 0) return 0;
    const key = this.game.key(position);
    const known = this.#table.get(key);
    if (known !== undefined && known.depth >= depth) {
      if (known.bound === 0) return known.value;
      if (known.bound === 1 && known.value >= beta) return known.value;
      if (known.bound === -1 && known.value <= alpha) return known.value;
    }
    const legal = new Set(this.game.legalMoves(position));
    let value = Number.NEGATIVE_INFINITY;
    let low = alpha;
    for (const move of this.#order) {
      if (!legal.has(move)) continue;
      const found = this.#after(this.game.play(position, move), position, depth - 1, low, beta);
      value = Math.max(value, found);
      low = Math.max(low, value);
      if (low >= beta) break;
    }
    if (this.#table.size >= this.#tableSize) this.#table.clear();
    this.#table.set(key, { value, bound: value <= alpha ? -1 : value >= beta ? 1 : 0, depth });
    return value;
  }
}

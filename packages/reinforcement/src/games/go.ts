/** Go on small boards, by the rules that computers play by. */
import { ValueError } from '@nn/core';
import type { Scene } from '../render/scene.ts';
import { encodeStones, type Game, type Player, type Position, type Symmetry, stonesScene, turnings } from './game.ts';

export interface GoPosition extends Position {
  /** Passes in a row. */
  readonly passes: number;
  readonly moves: number;
  /** Boards that there were, which must not come back (positional superko). */
  readonly history: ReadonlySet<string>;
}

export interface GoOptions {
  /** Of a side, 2 to 13; 5 by default. */
  readonly size?: number;
  /** Points for who answers; 6.5 by default. */
  readonly komi?: number;
  /** After so many moves points are counted; 3 size x size by default. */
  readonly limit?: number;
}

/**
 * Go by the rules of Tromp and Taylor (1995): area scoring, no suicide, no board twice (positional superko). Moves are the squares, and
 * size x size to pass; two passes end the game. Stones are counted as they stand: play until the dead ones are captured.
 *
 * @example
 * import { Go } from '@nn/reinforcement';
 * const game = new Go({ size: 3, komi: 0 });
 * const end = [4, 9, 9].reduce((position, move) => game.play(position, move), game.start());
 * console.log(game.score(end), game.winner(end)); // => 9 1
 */
export class Go implements Game<GoPosition> {
  readonly name: string = 'Go';
  readonly rows: number;
  readonly columns: number;
  readonly moves: number;
  /** The stones of both, and whether who is to move answers: the komi is theirs. */
  readonly planes: number = 3;
  readonly #size: number;
  readonly #komi: number;
  readonly #limit: number;
  readonly #neighbours: readonly (readonly number[])[];

  constructor({ size = 5, komi = 6.5, limit = 3 * size * size }: GoOptions = {}) {
    if (!Number.isInteger(size) || size < 2 || size > 13) {
      throw new ValueError('Go', `size ${size} is not an integer from 2 to 13.`, { size });
    }
    [this.#size, this.#komi, this.#limit] = [size, komi, limit];
    this.rows = this.columns = size;
    this.moves = size * size + 1;
    this.#neighbours = Array.from({ length: size * size }, (_, square) => {
      const [row, column] = [Math.floor(square / size), square % size];
      return [
        ...(row > 0 ? [square - size] : []),
        ...(row < size - 1 ? [square + size] : []),
        ...(column > 0 ? [square - 1] : []),
        ...(column < size - 1 ? [square + 1] : []),
      ];
    });
  }

  start(): GoPosition {
    const board = new Int8Array(this.#size ** 2);
    return { player: 1, board, passes: 0, moves: 0, history: new Set([board.join('')]) };
  }

  /** The stones that hang together with one, and whether any of them has a free neighbour. */
  #group(board: Int8Array, square: number): { readonly stones: readonly number[]; readonly isFree: boolean } {
    const stones = [square];
    const seen = new Set(stones);
    let isFree = false;
    for (const stone of stones) {
      for (const next of this.#neighbours[stone]!) {
        if (board[next] === 0) isFree = true;
        if (board[next] !== board[square] || seen.has(next)) continue;
        seen.add(next);
        stones.push(next);
      }
    }
    return { stones, isFree };
  }

  /** The board after a stone was set and others were captured, or null where that is not allowed. */
  #placed({ board, player, history }: GoPosition, square: number): Int8Array | null {
    if (board[square] !== 0) return null;
    const after = board.slice();
    after[square] = player;
    for (const next of this.#neighbours[square]!) {
      if (after[next] !== -player) continue;
      const { stones, isFree } = this.#group(after, next);
      if (!isFree) for (const stone of stones) after[stone] = 0;
    }
    if (!this.#group(after, square).isFree) return null;
    return history.has(after.join('')) ? null : after;
  }

  #isOver({ passes, moves }: GoPosition): boolean {
    return passes >= 2 || moves >= this.#limit;
  }

  legalMoves(position: GoPosition): readonly number[] {
    if (this.#isOver(position)) return [];
    const squares = [...position.board.keys()].filter((square) => this.#placed(position, square) !== null);
    return [...squares, position.board.length];
  }

  play(position: GoPosition, move: number): GoPosition {
    const { board, player, passes, moves, history } = position;
    const next = { player: -player as Player, moves: moves + 1 };
    if (!this.#isOver(position)) {
      if (move === board.length) return { ...next, board, passes: passes + 1, history };
      const after = this.#placed(position, move);
      if (after !== null) return { ...next, board: after, passes: 0, history: new Set([...history, after.join('')]) };
    }
    const why = this.#isOver(position) ? 'the game is over' : 'it is taken, suicide, or brings a board back';
    throw new ValueError('Go.play', `${this.nameOf(move)} is not allowed: ${why}.`, { move });
  }

  /** The points of who began less those of who answered, without the komi: stones, and what only they enclose. */
  score({ board }: GoPosition): number {
    let score = 0;
    const seen = new Set<number>();
    board.forEach((stone, square) => {
      score += stone;
      if (stone !== 0 || seen.has(square)) return;
      const { stones } = this.#group(board, square);
      const touched = new Set<number>();
      for (const empty of stones) {
        seen.add(empty);
        for (const next of this.#neighbours[empty]!) if (board[next] !== 0) touched.add(board[next]!);
      }
      if (touched.size === 1) score += stones.length * [...touched][0]!;
    });
    return score;
  }

  winner(position: GoPosition): Player | 0 | null {
    return this.#isOver(position) ? (Math.sign(this.score(position) - this.#komi) as Player | 0) : null;
  }

  encode(position: GoPosition): Float32Array {
    const encoded = encodeStones(position, 3);
    if (position.player === -1) encoded.fill(1, 2 * position.board.length);
    return encoded;
  }

  key({ board, player, passes, moves }: GoPosition): string {
    return `${board.join('')}${player}${passes}/${moves}`;
  }

  symmetries(): readonly Symmetry[] {
    return turnings(this.#size, this.#size, 1);
  }

  nameOf(move: number): string {
    if (move === this.#size ** 2) return 'pass';
    return `${'abcdefghjklmn'[move % this.#size]}${this.#size - Math.floor(move / this.#size)}`;
  }

  scene(position: GoPosition, last?: number): Scene {
    return { ...stonesScene(position, this.#size, this.#size, last), caption: `${position.moves} moves` };
  }
}

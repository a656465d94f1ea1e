/** Othello: stones between two of the other colour turn. */
import { ValueError } from '@nn/core';
import type { Scene } from '../render/scene.ts';
import { encodeStones, type Game, type Player, type Position, type Symmetry, stonesScene, turnings } from './game.ts';

const directions = [-1, 0, 1]
  .flatMap((down) => [-1, 0, 1].map((right) => [down, right] as const))
  .filter(([a, b]) => a || b);

/**
 * Othello on a board of even size (8, or 6 and 4 to learn sooner). Moves are the squares, and size x size to pass, which is allowed only
 * to who has no other move. It ends when nobody has one; more stones win.
 *
 * @example
 * import { Othello } from '@nn/reinforcement';
 * const game = new Othello();
 * console.log(game.legalMoves(game.start()).map(game.nameOf, game)); // => [ 'd3', 'c4', 'f5', 'e6' ]
 */
export class Othello implements Game<Position> {
  readonly name: string = 'Othello';
  readonly rows: number;
  readonly columns: number;
  readonly moves: number;
  readonly planes: number = 2;
  readonly #size: number;

  constructor(size = 8) {
    if (!Number.isInteger(size) || size < 4 || size > 16 || size % 2 === 1) {
      throw new ValueError('Othello', `size ${size} is not an even number from 4 to 16.`, { size });
    }
    this.#size = size;
    this.rows = this.columns = size;
    this.moves = size * size + 1;
  }

  start(): Position {
    const board = new Int8Array(this.#size ** 2);
    const [low, high] = [this.#size / 2 - 1, this.#size / 2];
    board[low * this.#size + low] = board[high * this.#size + high] = -1;
    board[low * this.#size + high] = board[high * this.#size + low] = 1;
    return { player: 1, board };
  }

  /** The stones that a move turns. */
  #turned(board: Int8Array, player: Player, square: number): number[] {
    if (board[square] !== 0) return [];
    const size = this.#size;
    const turned: number[] = [];
    for (const [down, right] of directions) {
      let [row, column] = [Math.floor(square / size) + down, (square % size) + right];
      const between: number[] = [];
      while (row >= 0 && row < size && column >= 0 && column < size) {
        const at = row * size + column;
        if (board[at] === 0) break;
        if (board[at] === player) {
          turned.push(...between);
          break;
        }
        between.push(at);
        row += down;
        column += right;
      }
    }
    return turned;
  }

  #canMove(board: Int8Array, player: Player): boolean {
    return board.some((_, square) => this.#turned(board, player, square).length > 0);
  }

  legalMoves({ board, player }: Position): readonly number[] {
    const legal: number[] = [];
    board.forEach((_, square) => {
      if (this.#turned(board, player, square).length > 0) legal.push(square);
    });
    if (legal.length > 0) return legal;
    return this.#canMove(board, -player as Player) ? [board.length] : [];
  }

  play(position: Position, move: number): Position {
    const { board, player } = position;
    const other = -player as Player;
    if (move === board.length && this.legalMoves(position)[0] === move) return { player: other, board };
    const turned = this.#turned(board, player, move);
    if (turned.length === 0) {
      throw new ValueError('Othello.play', `${this.nameOf(move)} is not allowed: it turns no stone.`, { move });
    }
    const after = board.slice();
    after[move] = player;
    for (const square of turned) after[square] = player;
    return { player: other, board: after };
  }

  winner({ board, player }: Position): Player | 0 | null {
    if (this.#canMove(board, player) || this.#canMove(board, -player as Player)) return null;
    return Math.sign(board.reduce((sum, stone) => sum + stone, 0)) as Player | 0;
  }

  encode(position: Position): Float32Array {
    return encodeStones(position);
  }

  key({ board, player }: Position): string {
    return board.join('') + player;
  }

  symmetries(): readonly Symmetry[] {
    return turnings(this.#size, this.#size, 1);
  }

  nameOf(move: number): string {
    if (move === this.#size ** 2) return 'pass';
    return `${String.fromCharCode(97 + (move % this.#size))}${Math.floor(move / this.#size) + 1}`;
  }

  scene(position: Position, last?: number): Scene {
    const count = (player: Player): number => position.board.filter((stone) => stone === player).length;
    const caption = `X ${count(1)}, O ${count(-1)}`;
    return { ...stonesScene(position, this.#size, this.#size, last), caption };
  }
}

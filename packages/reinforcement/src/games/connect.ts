/** Games of so many in a row: tic-tac-toe, and Connect Four, where stones fall. */
import { ValueError } from '@nn/core';
import type { Scene } from '../render/scene.ts';
import { encodeStones, type Game, type Player, type Position, type Symmetry, stonesScene, turnings } from './game.ts';

export interface RowPosition extends Position {
  /** Who has so many in a row, 0 for nobody. */
  readonly won: Player | 0;
  readonly stones: number;
}

/** Of each square, the lines of so many squares in a row that go through it. */
function linesThrough(rows: number, columns: number, length: number): number[][][] {
  const through: number[][][] = Array.from({ length: rows * columns }, () => []);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (const [down, right] of [[0, 1] as const, [1, 0] as const, [1, 1] as const, [1, -1] as const]) {
        const [lastRow, lastColumn] = [row + down * (length - 1), column + right * (length - 1)];
        if (lastRow >= rows || lastColumn >= columns || lastColumn < 0) continue;
        const line = Array.from({ length }, (_, i) => (row + down * i) * columns + column + right * i);
        for (const square of line) through[square]!.push(line);
      }
    }
  }
  return through;
}

abstract class InARow implements Game<RowPosition> {
  abstract readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly planes: number = 2;
  abstract readonly moves: number;
  readonly #lines: readonly (readonly (readonly number[])[])[];

  constructor(rows: number, columns: number, length: number) {
    [this.rows, this.columns] = [rows, columns];
    this.#lines = linesThrough(rows, columns, length);
  }

  start(): RowPosition {
    return { player: 1, board: new Int8Array(this.rows * this.columns), won: 0, stones: 0 };
  }

  /** Where the stone of a move comes to lie, -1 where it cannot. */
  protected abstract squareOf(board: Int8Array, move: number): number;

  legalMoves({ board, won }: RowPosition): readonly number[] {
    if (won !== 0) return [];
    const legal: number[] = [];
    for (let move = 0; move < this.moves; move++) if (this.squareOf(board, move) >= 0) legal.push(move);
    return legal;
  }

  play({ board, player, won, stones }: RowPosition, move: number): RowPosition {
    const square = won === 0 ? this.squareOf(board, move) : -1;
    if (square < 0) {
      const why = won === 0 ? 'that place is taken, or none' : 'the game is over';
      throw new ValueError(`${this.name}.play`, `${this.nameOf(move)} is not allowed: ${why}.`, { move });
    }
    const after = board.slice();
    after[square] = player;
    const wins = this.#lines[square]!.some((line) => line.every((other) => after[other] === player));
    return { player: -player as Player, board: after, won: wins ? player : 0, stones: stones + 1 };
  }

  winner({ won, stones, board }: RowPosition): Player | 0 | null {
    if (won !== 0) return won;
    return stones === board.length ? 0 : null;
  }

  encode(position: RowPosition): Float32Array {
    return encodeStones(position);
  }

  key({ board, player }: RowPosition): string {
    return board.join('') + player;
  }

  abstract symmetries(): readonly Symmetry[];
  abstract nameOf(move: number): string;

  scene(position: RowPosition, last?: number): Scene {
    return stonesScene(position, this.rows, this.columns, last);
  }
}

/**
 * Three in a row on nine squares. Moves are the squares, 0 to 8 from the top left.
 *
 * @example
 * import { TicTacToe } from '@nn/reinforcement';
 * const game = new TicTacToe();
 * const end = [0, 3, 1, 4, 2].reduce((position, move) => game.play(position, move), game.start());
 * console.log(game.winner(end)); // => 1
 */
export class TicTacToe extends InARow {
  readonly name: string = 'TicTacToe';
  readonly moves: number = 9;

  constructor() {
    super(3, 3, 3);
  }

  protected squareOf(board: Int8Array, move: number): number {
    return board[move] === 0 ? move : -1;
  }

  symmetries(): readonly Symmetry[] {
    return turnings(3, 3);
  }

  nameOf(move: number): string {
    return String(move + 1);
  }
}

export interface ConnectFourOptions {
  /** 6 by default. */
  readonly rows?: number;
  /** 7 by default. */
  readonly columns?: number;
  /** How many in a row win; 4 by default. */
  readonly length?: number;
}

/**
 * Connect Four (Wexler and Strongin 1974): stones fall to the lowest free square of a column. Moves are the columns, 0 from the left.
 *
 * @example
 * import { ConnectFour } from '@nn/reinforcement';
 * const game = new ConnectFour();
 * const end = [3, 0, 3, 0, 3, 0, 3].reduce((position, move) => game.play(position, move), game.start());
 * console.log(game.winner(end), game.legalMoves(game.start()).length); // => 1 7
 */
export class ConnectFour extends InARow {
  readonly name: string = 'ConnectFour';
  readonly moves: number;

  constructor({ rows = 6, columns = 7, length = 4 }: ConnectFourOptions = {}) {
    for (const [name, value] of Object.entries({ rows, columns, length })) {
      if (Number.isInteger(value) && value >= 1 && value <= 32) continue;
      throw new ValueError('ConnectFour', `${name} ${value} is not an integer from 1 to 32.`, { [name]: value });
    }
    super(rows, columns, length);
    this.moves = columns;
  }

  protected squareOf(board: Int8Array, move: number): number {
    if (!(move >= 0 && move < this.columns)) return -1;
    for (let row = this.rows - 1; row >= 0; row--) {
      const square = row * this.columns + move;
      if (board[square] === 0) return square;
    }
    return -1;
  }

  symmetries(): readonly Symmetry[] {
    // Stones fall: only left and right may be exchanged, the first two of the turnings.
    return turnings(this.rows, this.columns)
      .slice(0, 2)
      .map(({ squares }) => ({ squares, moves: squares.slice(0, this.columns) }));
  }

  nameOf(move: number): string {
    return String(move + 1);
  }

  /** The square of the last move is that of the highest stone in its column. */
  override scene(position: RowPosition, last?: number): Scene {
    const column = last ?? -1;
    const row = Array.from({ length: this.rows }, (_, y) => y).find(
      (y) => position.board[y * this.columns + column] !== 0,
    );
    return super.scene(position, last === undefined || row === undefined ? undefined : row * this.columns + column);
  }
}

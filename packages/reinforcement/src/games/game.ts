/**
 * Board games of two players who move in turn and see everything. A game is a set of functions of positions, which are never changed:
 * a search keeps as many as it likes.
 */
import type { Scene } from '../render/scene.ts';

/** Who moves: 1 begins, -1 answers. */
export type Player = 1 | -1;

/** A position: whatever a game keeps, and these. */
export interface Position {
  readonly player: Player;
  /** Squares in rows from the top: 1, -1, or 0 for none. */
  readonly board: Int8Array;
}

export interface Game<P extends Position = Position> {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** How many moves there can be at all; a move is a number below. */
  readonly moves: number;
  /** The layers of `encode`. */
  readonly planes: number;
  start(): P;
  /** The moves that are allowed, in rising order; none where the game is over. */
  legalMoves(position: P): readonly number[];
  /** The position after a move. Throws a `ValueError` for one that is not allowed. */
  play(position: P, move: number): P;
  /** 1 or -1 for the player who has won, 0 for a draw, null while the game goes on. */
  winner(position: P): Player | 0 | null;
  /**
   * What a network sees, from the side of who is to move: [planes, rows, columns], the own stones, the other's, and what a game adds.
   */
  encode(position: P): Float32Array;
  /** A text that two positions share only where they are the same to play on. */
  key(position: P): string;
  /** Turned and mirrored, a position is as good: what becomes of its moves, the position itself among them. */
  symmetries(): readonly Symmetry[];
  /** The move's name, as players write it. */
  nameOf(move: number): string;
  scene(position: P, last?: number): Scene;
}

/** Where the squares and the moves of a turned board come from: new[i] = old[squares[i]]. */
export interface Symmetry {
  readonly squares: Int32Array;
  readonly moves: Int32Array;
}

/** Two layers: the stones of who is to move, and the other's. */
export function encodeStones({ board, player }: Position, planes = 2): Float32Array {
  const encoded = new Float32Array(planes * board.length);
  board.forEach((stone, square) => {
    if (stone !== 0) encoded[(stone === player ? 0 : board.length) + square] = 1;
  });
  return encoded;
}

/** The eight turnings of a square board, or four of another; `passes` moves after those of the squares stay as they are. */
export function turnings(rows: number, columns: number, passes = 0): Symmetry[] {
  const found: Symmetry[] = [];
  for (const transposes of rows === columns ? [false, true] : [false]) {
    for (const flipsRows of [false, true]) {
      for (const flipsColumns of [false, true]) {
        const squares = Int32Array.from({ length: rows * columns }, (_, square) => {
          const [row, column] = [Math.floor(square / columns), square % columns];
          const [y, x] = transposes ? [column, row] : [row, column];
          return (flipsRows ? rows - 1 - y : y) * columns + (flipsColumns ? columns - 1 - x : x);
        });
        const moves = Int32Array.from({ length: rows * columns + passes }, (_, move) => squares[move] ?? move);
        found.push({ squares, moves });
      }
    }
  }
  return found;
}

/** A board as a scene: X and O, or letters of a game's own. */
export function stonesScene(
  { board }: Position,
  rows: number,
  columns: number,
  last?: number,
  letters: readonly [string, string] = ['X', 'O'],
): Scene {
  return {
    kind: 'board',
    cells: Array.from({ length: rows }, (_, row) =>
      Array.from({ length: columns }, (_, column) => {
        const stone = board[row * columns + column]!;
        const marked = last === row * columns + column;
        if (stone === 0) return { text: '' };
        return {
          text: stone === 1 ? letters[0] : letters[1],
          ink: stone === 1 ? ('yellow' as const) : ('cyan' as const),
          marked,
        };
      }),
    ),
  };
}

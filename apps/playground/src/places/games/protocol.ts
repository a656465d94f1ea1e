/** What the page and the worker of the games say to one another. */
export const games = ['tictactoe', 'connect4'] as const;
export type GameName = (typeof games)[number];

/** Rows and columns of the boards. */
export const boards: Readonly<Record<GameName, readonly [rows: number, columns: number]>> = {
  tictactoe: [3, 3],
  connect4: [6, 7],
};

/** What is thought of one move, for who is to move: values from -1, lost, to 1, won. */
export interface MoveThought {
  readonly move: number;
  /** Where the stone would come to lie. */
  readonly square: number;
  /** How likely the network thinks that a good player makes it. */
  readonly prior: number;
  /** What the network says of the position after it; exact where the game is over there. */
  readonly value: number;
  /** The share of the search's visits, and what it found; null without a search. */
  readonly visits: number | null;
  readonly found: number | null;
  /** By exact search, for tic-tac-toe: 1 wins, 0 draws, -1 loses. */
  readonly truth: number | null;
}

export interface Thoughts {
  readonly board: Int8Array;
  readonly player: 1 | -1;
  /** Who has won, 0 for a draw, null while the game goes on. */
  readonly winner: 1 | -1 | 0 | null;
  /** The squares in a row that won. */
  readonly line: readonly number[];
  /** The square of the last move. */
  readonly last: number | null;
  /** For who is to move. */
  readonly value: number;
  readonly moves: readonly MoveThought[];
  /** What the network would play; -1 where the game is over. */
  readonly best: number;
}

export interface GameFrame {
  /** Games played against itself. */
  readonly games: number;
  readonly positions: number;
  readonly policyLoss: number;
  readonly valueLoss: number;
  /**
   * How well it plays so far, 0 to 1: of tic-tac-toe the share of all positions in which the network alone, without a search, plays
   * a best move; of Connect Four its score against a search without a network.
   */
  readonly strengths: readonly (readonly [games: number, strength: number])[];
  readonly run: number;
}

export interface GameCalls {
  begin(name: GameName, seed: number): null;
  /** Ends a turn that is under way, so that what is asked next need not wait. */
  leave(): null;
  /** What is thought after so many moves; with `simulations` above 0 by a search. */
  think(moves: readonly number[], simulations: number): Promise<Thoughts>;
}

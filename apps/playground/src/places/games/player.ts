/**
 * A network that learns a game by playing against itself (AlphaZero), and what it thinks of a position. Its searches let
 * messages in, so that a person who plays is answered while it learns. Messages are worker.ts.
 */
import { setSeed } from '@nn/core';
import {
  AlphaBeta,
  AlphaZero,
  ConnectFour,
  evenGuess,
  GameNetwork,
  type Guesser,
  playGames,
  playMatch,
  type RowPosition,
  reachablePositions,
  SearchTree,
  searchTrees,
  TicTacToe,
} from '@nn/reinforcement';
import { breathe } from '../breathe.ts';
import type { GameFrame, GameName, MoveThought, Thoughts } from './protocol.ts';

/** Small enough that a turn takes a second or less. */
const plans = {
  tictactoe: { games: 16, simulations: 25, openingMoves: 6, channels: 16, blocks: 1, hidden: 32, measureEvery: 1 },
  connect4: { games: 8, simulations: 30, openingMoves: 10, channels: 16, blocks: 1, hidden: 32, measureEvery: 8 },
} as const;
const longestSlice = 12;

/** A turn ends without a result. */
class Left extends Error {}

export class GameLearner {
  readonly #name: GameName;
  readonly #game: TicTacToe | ConnectFour;
  readonly #agent: AlphaZero<RowPosition>;
  readonly #exact: AlphaBeta<RowPosition> | null;
  readonly #run: number;
  #isLeft = false;
  #lastBreath = 0;
  #games = 0;
  #losses: readonly [number, number] = [Number.NaN, Number.NaN];
  readonly #strengths: (readonly [number, number])[] = [];
  /** Of tic-tac-toe: all positions in which there is a choice, and the moves that are best there. */
  #book: readonly { readonly position: RowPosition; readonly best: readonly number[] }[] | null = null;

  constructor(name: GameName, seed: number, run: number) {
    const { games, simulations, openingMoves, ...rest } = plans[name];
    setSeed(seed);
    this.#name = name;
    this.#run = run;
    this.#game = name === 'tictactoe' ? new TicTacToe() : new ConnectFour();
    this.#exact = name === 'tictactoe' ? new AlphaBeta(this.#game) : null;
    this.#agent = new AlphaZero(this.#game, {
      ...{ games, simulations, openingMoves, seed, capacity: 20_000 },
      model: new GameNetwork(this.#game, { channels: rest.channels, blocks: rest.blocks, hidden: rest.hidden }),
      selfPlay: (_, random, asked) => playGames(this.#game, this.#breathing, random, asked),
    });
  }

  leave(): void {
    this.#isLeft = true;
  }

  /** The network's guesses; now and then messages are let in before one. */
  readonly #breathing: Guesser<RowPosition> = async (positions) => {
    if (performance.now() > this.#lastBreath + longestSlice) {
      await breathe();
      this.#lastBreath = performance.now();
    }
    if (this.#isLeft) throw new Left();
    return this.#agent.guesser(positions);
  };

  /** Games against itself, and what is learned of them. */
  async turn(): Promise<void> {
    try {
      if (this.#strengths.length === 0) await this.#measure();
      const { values } = await this.#agent.iterate();
      this.#games += plans[this.#name].games;
      this.#losses = [values.policyLoss ?? Number.NaN, values.valueLoss ?? Number.NaN];
      if (this.#agent.progress.iterations % plans[this.#name].measureEvery === 0) await this.#measure();
    } catch (error) {
      if (!(error instanceof Left)) throw error;
    }
  }

  async #measure(): Promise<void> {
    const strength = this.#exact === null ? await this.#matchScore() : await this.#bestMoves(this.#exact);
    this.#strengths.push([this.#games, strength]);
  }

  /** The share of positions in which the network alone plays a best move. */
  async #bestMoves(exact: AlphaBeta<RowPosition>): Promise<number> {
    this.#book ??= reachablePositions(this.#game)
      .map((position) => ({ position, best: exact.judge(position).best }))
      .filter(({ position, best }) => best.length > 0 && best.length < this.#game.legalMoves(position).length);
    const moves = await this.#agent.moves(
      this.#book.map(({ position }) => position),
      0,
    );
    return this.#book.filter(({ best }, i) => best.includes(moves[i] as number)).length / this.#book.length;
  }

  /** The score of a match against the same search with even guesses. */
  async #matchScore(): Promise<number> {
    const { simulations } = plans[this.#name];
    const even = evenGuess(this.#game);
    const withGuesses = (guesser: Guesser<RowPosition>) => (positions: readonly RowPosition[]) =>
      this.#searched(positions, guesser, simulations);
    const { score } = await playMatch(
      this.#game,
      withGuesses(this.#breathing),
      withGuesses(async (positions) => even(positions)),
      { games: 20, seed: this.#strengths.length },
    );
    return score;
  }

  async #searched(
    positions: readonly RowPosition[],
    guesser: Guesser<RowPosition>,
    simulations: number,
  ): Promise<number[]> {
    const trees = positions.map((position) => new SearchTree(this.#game, position));
    await searchTrees(trees, guesser, simulations);
    return trees.map((tree) => largest(tree.result().visits));
  }

  look(): GameFrame {
    const [policyLoss, valueLoss] = this.#losses;
    const { steps: positions } = this.#agent.progress;
    return { games: this.#games, positions, policyLoss, valueLoss, strengths: [...this.#strengths], run: this.#run };
  }

  async think(moves: readonly number[], simulations: number): Promise<Thoughts> {
    const game = this.#game;
    const positions = [game.start()];
    for (const move of moves) positions.push(game.play(positions.at(-1) as RowPosition, move));
    const position = positions.at(-1) as RowPosition;
    const before = positions.at(-2);
    const { board, player } = position;
    const winner = game.winner(position);
    const last = before === undefined ? null : board.findIndex((stone, square) => stone !== before.board[square]);
    const shown = { board, player, winner, last, line: winner ? lineOf(board, game, winner) : [] };
    const legal = game.legalMoves(position);
    if (legal.length === 0) return { ...shown, value: winner === null ? 0 : winner * player, moves: [], best: -1 };
    const after = legal.map((move) => game.play(position, move));
    const [guess, ...guesses] = await this.#agent.guesser([position, ...after]);
    const priors = legal.map((move) => guess?.priors[move] ?? 0);
    const total = priors.reduce((sum, prior) => sum + prior, 0) || 1;
    const search = simulations > 0 ? new SearchTree(game, position) : null;
    if (search !== null) await searchTrees([search], this.#patient, simulations + 1);
    const result = search?.result() ?? null;
    const visited = result?.visits.reduce((sum, count) => sum + count, 0) ?? 1;
    const thoughts = legal.map((move, i): MoveThought => {
      const next = after[i] as RowPosition;
      const ended = game.winner(next);
      return {
        move,
        square: next.board.findIndex((stone, square) => stone !== board[square]),
        prior: (priors[i] as number) / total,
        value: ended === null ? (guesses[i]?.value ?? 0) * next.player * player : ended * player,
        visits: result === null ? null : (result.visits[move] ?? 0) / visited,
        found: result === null || Number.isNaN(result.moveValues[move]) ? null : (result.moveValues[move] as number),
        truth: this.#exact === null ? null : truthOf(this.#exact, next, ended, player),
      };
    });
    const scores = thoughts.map(({ prior, visits }) => visits ?? prior);
    const best = thoughts[largest(scores)]?.move ?? -1;
    return { ...shown, value: result?.value ?? guess?.value ?? 0, moves: thoughts, best };
  }

  /** For a person's question, which is answered also when the training is left. */
  readonly #patient: Guesser<RowPosition> = async (positions) => {
    if (performance.now() > this.#lastBreath + longestSlice) {
      await breathe();
      this.#lastBreath = performance.now();
    }
    return this.#agent.guesser(positions);
  };
}

function truthOf(exact: AlphaBeta<RowPosition>, next: RowPosition, ended: 1 | -1 | 0 | null, player: 1 | -1): number {
  return ended === null ? Math.sign(exact.judge(next).value) * next.player * player : ended * player;
}

const largest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((best, value, i, all) => (value > (all[best] as number) ? i : best), 0);

/** The squares in a row of the player who has won. */
function lineOf(board: Int8Array, { rows, columns, name }: TicTacToe | ConnectFour, winner: 1 | -1): number[] {
  const length = name === 'TicTacToe' ? 3 : 4;
  const found = new Set<number>();
  for (let square = 0; square < board.length; square++) {
    for (const [down, right] of [[0, 1] as const, [1, 0] as const, [1, 1] as const, [1, -1] as const]) {
      const line = Array.from({ length }, (_, i) => {
        const [row, column] = [Math.floor(square / columns) + i * down, (square % columns) + i * right];
        return row < rows && column >= 0 && column < columns ? row * columns + column : -1;
      });
      if (line.every((at) => at >= 0 && board[at] === winner)) for (const at of line) found.add(at);
    }
  }
  return [...found];
}

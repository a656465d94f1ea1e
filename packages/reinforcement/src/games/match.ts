/** Players against each other: matches side by side, strength as Elo, and all positions of a small game. */
import { checkOptions, ValueError } from '@nn/core';
import { RandomStream, streams } from '../random.ts';
import { AlphaBeta } from '../search/alpha-beta.ts';
import type { Game, Player, Position } from './game.ts';

/** A move for each of the positions: `agent.moves`, a search, a person. */
export type GamePlayer<P extends Position> = (
  positions: readonly P[],
) => readonly number[] | Promise<readonly number[]>;

export interface MatchOptions {
  /** 100 by default; the first player begins every other one. */
  readonly games?: number;
  /** Random moves at the beginning, so that no game is played twice; 2 by default. Two games in a row share them. */
  readonly openingMoves?: number;
  /** 0 by default. */
  readonly seed?: number;
}

/** How a match ended for the first player. */
export interface MatchResult {
  readonly wins: number;
  readonly draws: number;
  readonly losses: number;
  /** Wins and half of the draws, as a share of all games. */
  readonly score: number;
}

const defaults = { games: 100, openingMoves: 2, seed: 0 };

/**
 * Plays games between two players, all side by side, so that a network is asked about many positions at once. Each opening is played twice, with either
 * of them to begin.
 *
 * @example
 * import { AlphaBeta, playMatch, RandomStream, TicTacToe } from '@nn/reinforcement';
 * const game = new TicTacToe();
 * const exact = new AlphaBeta(game);
 * const random = new RandomStream(1);
 * const anything = new RandomStream(2);
 * const { wins, losses } = await playMatch(
 *   game,
 *   (positions) => positions.map((position) => exact.move(position, random)),
 *   (positions) => positions.map((position) => game.legalMoves(position)[anything.integer(game.legalMoves(position).length)] ?? 0),
 *   { games: 20, openingMoves: 1 },
 * );
 * console.log(wins > 12, losses); // => true 0
 */
export async function playMatch<P extends Position>(
  game: Game<P>,
  first: GamePlayer<P>,
  second: GamePlayer<P>,
  options: MatchOptions = {},
): Promise<MatchResult> {
  checkOptions('playMatch', options, Object.keys(defaults));
  const { games, openingMoves, seed } = { ...defaults, ...options };
  if (!Number.isInteger(games) || games < 1) {
    throw new ValueError('playMatch', `${games} is not a number of games; pass an integer of 1 and more.`, { games });
  }
  const random = new RandomStream(seed, streams.search);
  const openings = Array.from({ length: Math.ceil(games / 2) }, () => openingOf(game, openingMoves, random));
  // game i: its opening, and which player (1 or -1 of the game) the first one is
  const positions = Array.from({ length: games }, (_, i) => openings[i >> 1]!);
  const sides = positions.map((_, i): Player => (i % 2 === 0 ? 1 : -1));
  for (let asksFirst = true, idle = 0; idle < 2; asksFirst = !asksFirst) {
    const turns = positions.flatMap((position, i) => {
      const isFirsts = position.player === sides[i];
      return isFirsts === asksFirst && game.winner(position) === null ? [i] : [];
    });
    idle = turns.length === 0 ? idle + 1 : 0; // neither has a move left: all games are over
    if (idle > 0) continue;
    const moves = await (asksFirst ? first : second)(turns.map((i) => positions[i]!));
    turns.forEach((i, at) => {
      positions[i] = game.play(positions[i]!, moves[at]!);
    });
  }
  const outcomes = positions.map((position, i) => (game.winner(position) ?? 0) * sides[i]!);
  const count = (wanted: number): number => outcomes.filter((outcome) => outcome === wanted).length;
  const [wins, draws, losses] = [count(1), count(0), count(-1)];
  return { wins, draws, losses, score: (wins + draws / 2) / games };
}

/** A position after so many random moves, from which the game goes on. */
function openingOf<P extends Position>(game: Game<P>, moves: number, random: RandomStream): P {
  for (let attempt = 0; attempt < 1000; attempt++) {
    let position = game.start();
    for (let move = 0; move < moves && game.winner(position) === null; move++) {
      const legal = game.legalMoves(position);
      position = game.play(position, legal[random.integer(legal.length)]!);
    }
    if (game.winner(position) === null) return position;
  }
  throw new ValueError('playMatch', `${moves} random moves end the game: pass fewer \`openingMoves\`.`, { moves });
}

/**
 * The difference in strength that a score tells of (Elo 1978): 400 log10(score / (1 - score)). A score of 0 or 1 is taken as half a game short of it,
 * of so many games.
 *
 * @example
 * import { eloDifference } from '@nn/reinforcement';
 * console.log(eloDifference(0.5, 100), Math.round(eloDifference(0.75, 100))); // => 0 191
 */
export function eloDifference(score: number, games: number): number {
  const within = Math.min(1 - 0.5 / games, Math.max(0.5 / games, score));
  return 400 * Math.log10(within / (1 - within)) + 0;
}

/**
 * All positions that can be reached, those where the game is over among them, each once. For games that are small: tic-tac-toe has 5,478.
 *
 * @example
 * import { reachablePositions, TicTacToe } from '@nn/reinforcement';
 * console.log(reachablePositions(new TicTacToe()).length); // => 5478
 */
export function reachablePositions<P extends Position>(game: Game<P>): P[] {
  const start = game.start();
  const known = new Map([[game.key(start), start]]);
  // a Map goes on with what is added while it is walked through
  for (const position of known.values()) {
    for (const move of game.legalMoves(position)) {
      const next = game.play(position, move);
      const key = game.key(next);
      if (!known.has(key)) known.set(key, next);
    }
  }
  return [...known.values()];
}

/** What the moves of a player are worth, over many positions. */
export interface PlayerJudgement {
  /** Positions in which it moved: those where the game goes on. */
  readonly positions: number;
  /** Moves after which a position was lost that was not. None: it never loses, whoever plays against it. */
  readonly losing: number;
  /** Moves that gave a won position away, for a draw or worse. */
  readonly missed: number;
}

/**
 * Asks a player for a move in each of the positions, and an exact search what that was worth. Without a losing move in all positions of a game, a
 * player is proven never to lose.
 *
 * @example
 * import { AlphaBeta, judgePlayer, TicTacToe } from '@nn/reinforcement';
 * const game = new TicTacToe();
 * const shortsighted = new AlphaBeta(game, { depth: 1 });
 * const { positions, losing } = await judgePlayer(game, (all) => all.map((position) => shortsighted.move(position)));
 * console.log(positions, losing > 0); // => 4520 true
 */
export async function judgePlayer<P extends Position>(
  game: Game<P>,
  player: GamePlayer<P>,
  positions: readonly P[] = reachablePositions(game),
): Promise<PlayerJudgement> {
  const exact = new AlphaBeta(game);
  const open = positions.filter((position) => game.winner(position) === null);
  const moves = await player(open);
  let [losing, missed] = [0, 0];
  open.forEach((position, i) => {
    const before = Math.sign(exact.judge(position).value);
    const next = game.play(position, moves[i]!);
    const winner = game.winner(next);
    const value = winner === null ? Math.sign(exact.judge(next).value) * next.player : winner;
    const after = value * position.player;
    if (after < 0 && before >= 0) losing++;
    if (before > 0 && after < before) missed++;
  });
  return { positions: open.length, losing, missed };
}

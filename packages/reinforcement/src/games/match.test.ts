import { describe, expect, it } from 'vitest';
import { RandomStream } from '../random.ts';
import { AlphaBeta } from '../search/alpha-beta.ts';
import { ConnectFour, type RowPosition, TicTacToe } from './connect.ts';
import { eloDifference, type GamePlayer, judgePlayer, playMatch, reachablePositions } from './match.ts';
import { Othello } from './othello.ts';

const game = new TicTacToe();
const exact = new AlphaBeta(game);
const anything = (seed: number): GamePlayer<RowPosition> => {
  const random = new RandomStream(seed);
  return (positions) =>
    positions.map((position) => {
      const legal = game.legalMoves(position);
      return legal[random.integer(legal.length)]!;
    });
};
const perfect: GamePlayer<RowPosition> = (positions) => positions.map((position) => exact.move(position));

it('tic-tac-toe has 5,478 positions, 958 of them ends: 626 won by who begins, 316 by the other, 16 draws', () => {
  const positions = reachablePositions(game);
  const ends = positions.map((position) => game.winner(position)).filter((winner) => winner !== null);
  const count = (wanted: number) => ends.filter((winner) => winner === wanted).length;
  expect([positions.length, ends.length, count(1), count(-1), count(0)]).toEqual([5478, 958, 626, 316, 16]);
});

describe('playMatch', () => {
  it('knows who won, whoever began', async () => {
    const options = { games: 60, openingMoves: 0, seed: 1 };
    const won = await playMatch(game, perfect, anything(1), options);
    const lost = await playMatch(game, anything(1), perfect, options);
    expect([won.losses, lost.wins]).toEqual([0, 0]);
    expect(won.wins).toBeGreaterThan(45);
    expect(won.score).toBe((won.wins + won.draws / 2) / 60);
    expect(await playMatch(game, perfect, perfect, options)).toEqual({ wins: 0, draws: 60, losses: 0, score: 0.5 });
  });

  it('plays each opening twice, with either to begin: equal players are even', async () => {
    const first: GamePlayer<RowPosition> = (positions) => positions.map((position) => game.legalMoves(position)[0]!);
    const { wins, losses, draws } = await playMatch(game, first, first, { games: 40, openingMoves: 3, seed: 2 });
    expect([wins - losses, wins + draws + losses]).toEqual([0, 40]);
    expect(wins).toBeGreaterThan(0);
  });

  it('goes on where one player has to move twice', async () => {
    const othello = new Othello(4);
    const first: GamePlayer<ReturnType<typeof othello.start>> = (positions) =>
      positions.map((position) => othello.legalMoves(position)[0]!);
    const { wins, draws, losses } = await playMatch(othello, first, first, { games: 10 });
    expect(wins + draws + losses).toBe(10);
  });

  it('refuses what cannot be played', async () => {
    await expect(playMatch(game, perfect, perfect, { games: 0 })).rejects.toThrow('0 is not a number of games');
    const tiny = new ConnectFour({ rows: 1, columns: 2, length: 2 });
    await expect(
      playMatch(
        tiny,
        () => [0],
        () => [0],
        { openingMoves: 2 },
      ),
    ).rejects.toThrow('playMatch: 2 random moves end the game: pass fewer `openingMoves`.');
  });
});

it('Elo is 400 for ten to one, and finite for all games won', () => {
  expect(eloDifference(10 / 11, 11)).toBeCloseTo(400, 9);
  expect(eloDifference(0.2, 10)).toBeCloseTo(-eloDifference(0.8, 10), 9);
  expect(eloDifference(1, 100)).toBeCloseTo(400 * Math.log10(99.5 / 0.5), 9);
});

describe('judgePlayer', () => {
  it('proves that the perfect player never loses and misses no win, over all positions', async () => {
    expect(await judgePlayer(game, perfect)).toEqual({ positions: 4520, losing: 0, missed: 0 });
  });

  it('counts the losing moves of others, each position once', async () => {
    // X has 1 and 2 and takes 3, or O does: any other move of O loses, any other move of X misses the win
    const threat = [0, 4, 1].reduce((position, move) => game.play(position, move), game.start());
    const play = (move: number) => judgePlayer(game, (all) => all.map(() => move), [threat]);
    expect(await play(2)).toEqual({ positions: 1, losing: 0, missed: 0 });
    expect(await play(8)).toEqual({ positions: 1, losing: 1, missed: 0 });
    const won = [0, 3, 1, 5].reduce((position, move) => game.play(position, move), game.start());
    expect(await judgePlayer(game, (all) => all.map(() => 8), [won])).toEqual({ positions: 1, losing: 1, missed: 1 });
    const any = await judgePlayer(game, anything(3));
    expect(any.losing).toBeGreaterThan(500);
    expect(any.missed).toBeGreaterThan(500);
  });
});

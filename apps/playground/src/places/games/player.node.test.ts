import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend } from '@nn/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { GameLearner } from './player.ts';

beforeAll(() => setDefaultBackend(cpu()));

describe('what is thought of a position', () => {
  test('a move that wins is worth 1, by the network, the search and the exact search; the search takes it', async () => {
    const learner = new GameLearner('tictactoe', 1, 1);
    const { moves, best, player } = await learner.think([0, 3, 1, 4], 200); // X has 0 and 1, and wins at 2
    expect(player).toBe(1);
    expect(best).toBe(2);
    expect(moves.find(({ move }) => move === 2)).toMatchObject({ square: 2, value: 1, found: 1, truth: 1 });
    expect(moves.map(({ move }) => move)).toEqual([2, 5, 6, 7, 8]);
    expect(moves.reduce((sum, { prior }) => sum + prior, 0)).toBeCloseTo(1, 5);
    expect(moves.reduce((sum, { visits }) => sum + (visits ?? 0), 0)).toBeCloseTo(1, 5);
    // whoever does not stop O at 5 has lost
    expect(moves.find(({ move }) => move === 6)?.truth).toBe(-1);
  });

  test('values are for who is to move: what the second player wins is worth 1 to it', async () => {
    const learner = new GameLearner('connect4', 1, 1);
    const { moves, player, last } = await learner.think([0, 3, 0, 3, 1, 3, 1], 0);
    expect(player).toBe(-1);
    expect(last).toBe(4 * 7 + 1);
    expect(moves.find(({ move }) => move === 3)).toMatchObject({
      square: 2 * 7 + 3,
      value: 1,
      visits: null,
      truth: null,
    });
  });

  test('a game that is over has a winner, its line and no moves', async () => {
    const learner = new GameLearner('connect4', 1, 1);
    const { winner, line, moves, best, value } = await learner.think([0, 3, 0, 3, 1, 3, 1, 3], 50);
    expect(winner).toBe(-1);
    expect(line).toEqual([17, 24, 31, 38]);
    expect([moves, best, value]).toEqual([[], -1, -1]);
  });
});

test('it learns: after some games against itself more of its moves are best', async () => {
  const learner = new GameLearner('tictactoe', 1, 1);
  for (let turn = 0; turn < 24; turn++) await learner.turn();
  const { strengths, games } = learner.look();
  expect(games).toBe(24 * 16);
  expect(strengths).toHaveLength(25);
  expect(strengths.at(-1)?.[1]).toBeGreaterThan((strengths[0]?.[1] ?? 1) + 0.1);
});

test('a turn that is left ends without a result', async () => {
  const learner = new GameLearner('connect4', 1, 1);
  const turn = learner.turn();
  learner.leave();
  await turn;
  expect(learner.look()).toMatchObject({ games: 0, strengths: [] });
});

/** The tasks of agents and games, in this process: few steps, a terminal that keeps what is written, a keyboard with lines of its own. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend } from '@nn/core';
import { alone } from '@nn/distributed';
import { TicTacToe } from '@nn/reinforcement';
import { recordTerminal } from '@nn/train';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Context } from '../context.ts';
import type { Result } from '../result.ts';
import { runBoardGame } from './board-games.ts';
import { runCartpole } from './cartpole.ts';
import { runSnake } from './snake.ts';

const folder = mkdtempSync(join(tmpdir(), 'nn-games-'));
beforeAll(() => setDefaultBackend(cpu()));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a task with these lines on the keyboard, and gives what it wrote and told. */
async function run(task: (context: Context) => Promise<boolean>, lines: readonly string[], isAborted = false) {
  const { terminal, text } = recordTerminal({ isTTY: false });
  const asked: string[] = [];
  const left = [...lines];
  const results: Omit<Result, 'seed'>[] = [];
  const context: Context = {
    terminal,
    interrupt: { signal: { aborted: isAborted } as Context['interrupt']['signal'], exitCode: 130 },
    group: alone(),
    settings: { task: 'cartpole', seed: 1, steps: 256, learningRate: 1e-3 },
    ...{ output: folder, outputOption: '', from: folder, evaluates: false, showsDashboard: false, writesReport: false },
    ...{ watches: true, plays: true },
    openKeyboard: () => ({
      ask: async (question) => {
        asked.push(question);
        return left.shift() ?? null;
      },
      close: () => asked.push('closed'),
    }),
    tell: (result) => results.push(result),
  };
  const isDone = await task(context);
  return { isDone, text: text(), asked, result: results[0] };
}

test('cartpole learns, shows an episode and lets people try', async () => {
  const { isDone, text, asked, result } = await run(runCartpole, ['l', 'rx', 'llllllllllllllllllll']);
  expect([isDone, asked.length, asked.at(-1)]).toEqual([true, 4, 'closed']);
  expect(text).toContain('step 0, angle');
  expect(text).toContain("'x' is neither l nor r.");
  expect(text).toMatch(/You kept it up for 1\d steps\./);
  expect(result?.figures['mean return']).toBeGreaterThan(8);
  expect(result?.baselines['random return']).toBeLessThan(40);
});

test('snake plays on its own, and people may', async () => {
  const { isDone, text, result } = await run(runSnake, ['', 'rr', 'q']);
  expect(isDone).toBe(true);
  expect(text).toContain('The best of 10 games:');
  expect(text).toContain('apples 0, step 3');
  expect(text).toContain('You ate 0 apples.');
  expect(Object.keys(result?.figures ?? {})).toContain('best return');
});

test('a board game is learned, judged in all positions, saved, and played against', async () => {
  const game = new TicTacToe();
  const task = {
    ...({ task: 'tictactoe', title: 'Tic-tac-toe', game, steps: 20, simulations: 4 } as const),
    ...{ network: { channels: 4, blocks: 0, hidden: 8 }, settings: { simulations: 8, games: 4, learningRate: 1e-3 } },
  };
  const { isDone, text, asked, result } = await run((context) => runBoardGame(task, context), ['5', '5', 'what', 'q']);
  expect([isDone, asked.length]).toEqual([true, 5]);
  expect(text).toContain('in all 4,520 positions');
  expect(text).toMatch(/It plays \d, and thinks that it wins with [\d.]+ %\./);
  expect(text).toMatch(/'what' is not possible here\. Possible: \d, /);
  expect(text).toContain('You left.');
  expect(result?.figures['losing moves']).toBeLessThan(result?.baselines['losing moves at random'] ?? 0);
  expect(existsSync(join(folder, 'tictactoe.safetensors'))).toBe(true);
});

test('what is stopped says so, and tells no figures', async () => {
  const { isDone, text, result } = await run(runCartpole, [], true);
  expect([isDone, result]).toEqual([false, undefined]);
  expect(text).toContain('Stopped. This task keeps no checkpoint');
});

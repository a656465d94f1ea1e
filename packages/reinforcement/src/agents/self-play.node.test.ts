/** Self-play in worker threads, whose module is bundled as users of plain Node would. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { cpu } from '@nn/backend-cpu/javascript';
import { ShapeError, setDefaultBackend, setSeed } from '@nn/core';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RowPosition, TicTacToe } from '../games/connect.ts';
import { GameNetwork, networkGuess } from '../games/network.ts';
import { RandomStream, streams } from '../random.ts';
import { AlphaZero } from './alpha-zero.ts';
import { playGames } from './play-games.ts';
import { playInWorkers } from './self-play-workers.ts';

let home = '';
const workers: Worker[] = [];
const start = (): Worker => {
  const worker = new Worker(join(home, 'worker.mjs'));
  workers.push(worker);
  return worker;
};
/** The same two for all tests. */
const two = (): Worker[] => (workers.length === 0 ? [start(), start()] : workers.slice(0, 2));
beforeAll(async () => {
  setDefaultBackend(cpu());
  home = mkdtempSync(join(tmpdir(), 'nn-self-play-'));
  await build({
    entryPoints: [join(import.meta.dirname, 'self-play-worker-tests.ts')],
    ...{ outfile: join(home, 'worker.mjs'), bundle: true, platform: 'node', format: 'esm', conditions: ['@nn/source'] },
    logLevel: 'error',
  });
});
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.terminate()));
  rmSync(home, { recursive: true });
});

const game = new TicTacToe();
const makeModel = (hidden = 8) => {
  setSeed(5);
  return new GameNetwork(game, { channels: 4, blocks: 0, hidden });
};
const options = { simulations: 8, games: 5 };

test('two workers play what this thread would have played with their seeds', async () => {
  const model = makeModel();
  const played = await playInWorkers<RowPosition>(two())(model, new RandomStream(1), options);
  const seeds = new RandomStream(1);
  const here = [];
  for (const games of [3, 2]) {
    const random = new RandomStream(seeds.integer(2 ** 24), streams.search);
    here.push(await playGames(game, networkGuess(game, model), random, { ...options, games }));
  }
  expect(played.winners).toEqual(here.flatMap(({ winners }) => winners));
  expect(played.positions).toEqual(here.flatMap(({ positions }) => positions));
});

test('an agent learns from what its workers play, with the weights that it has by then', async () => {
  const learned = async () => {
    const agent = new AlphaZero(game, {
      ...{ model: makeModel(), batchSize: 16, updates: 4, learningRate: 0.05, seed: 2, ...options },
      selfPlay: playInWorkers<RowPosition>(two()),
    });
    return [await agent.iterate(), await agent.iterate()];
  };
  // whichever worker is done first
  expect(await learned()).toEqual(await learned());
});

test('names the worker that fails, and why', async () => {
  const ask = (model: GameNetwork, worker: Worker) =>
    playInWorkers<RowPosition>([worker])(model, new RandomStream(1), options);
  await expect(ask(makeModel(9), two()[0]!)).rejects.toThrow(
    /^playInWorkers: worker 0 failed: serveSelfPlay: the worker's model and the agent's differ in hidden\.weight, .*: build both alike\.$/,
  );
  const cause: unknown = await ask(makeModel(9), two()[0]!).catch((error) => error.cause);
  expect(cause).toBeInstanceOf(ShapeError);
  expect(cause).toMatchObject({ data: { wrong: expect.arrayContaining(['hidden.weight']) } });
  const dying = start();
  const play = playInWorkers<RowPosition>([dying]);
  const asked = play(makeModel(), new RandomStream(1), { ...options, games: 500 });
  const told = expect(asked).rejects.toThrow(/^playInWorkers: worker 0 failed: it ended with code \d\.$/);
  await dying.terminate();
  await told;
  await expect(play(makeModel(), new RandomStream(1), options)).rejects.toThrow('worker 0 failed: it ended with code');
  expect(() => playInWorkers([])).toThrow('there are no workers');
});

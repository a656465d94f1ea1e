/**
 * Self-play in worker threads, and what came of it: each move judged by an exact search where the game is small enough, matches
 * against searches of growing depth where it is not.
 */
import { cpus } from 'node:os';
import { Worker } from 'node:worker_threads';
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, setSeed } from '@nn/core';
import {
  AlphaBeta,
  AlphaZero,
  eloDifference,
  GameNetwork,
  judgePlayer,
  learn,
  playInWorkers,
  playMatch,
  RandomStream,
} from '@nn/reinforcement';
import { print } from '../harness/print.mjs';
import { proofs } from './proofs.mjs';

/** @typedef {import('@nn/reinforcement').RowPosition} RowPosition */
/** @typedef {{ name: string, title: string, settings: string, iterations: number, positions: number, seconds: number, workers: number, rows: string[][] }} Proven */

/** Positions are asked in parts, so that the trees of a part fit in memory. @param {AlphaZero<RowPosition>} agent @param {number} simulations */
function playerOf(agent, simulations) {
  return async (/** @type {readonly RowPosition[]} */ positions) => {
    const moves = [];
    for (let at = 0; at < positions.length; at += 512) {
      moves.push(...(await agent.moves(positions.slice(at, at + 512), simulations)));
    }
    return moves;
  };
}

/** Different positions of games in which half of the moves are random. @param {import('./proofs.mjs').Proof['game']} game @param {number} count */
function drawnPositions(game, count) {
  const random = new RandomStream(7);
  /** @type {Map<string, RowPosition>} */
  const found = new Map();
  while (found.size < count) {
    let position = game.start();
    while (game.winner(position) === null) {
      if (position.stones >= 4) found.set(game.key(position), position);
      const legal = game.legalMoves(position);
      position = game.play(position, legal[random.integer(legal.length)] ?? 0);
    }
  }
  return [...found.values()].slice(0, count);
}

/** @param {number} share */
const percent = (share) => `${(100 * share).toFixed(2)} %`;

/** @param {import('./proofs.mjs').Proof} proof @param {AlphaZero<RowPosition>} agent */
async function judge({ name, game }, agent) {
  if (name === 'tictactoe') {
    const rows = [['simulations a move', 'positions', 'losing moves', 'wins given away']];
    for (const simulations of [0, 25, 100, 400]) {
      const { positions, losing, missed } = await judgePlayer(game, playerOf(agent, simulations));
      rows.push([String(simulations), String(positions), String(losing), String(missed)]);
    }
    return rows;
  }
  if (name === 'connect-5x4') {
    const rows = [
      [
        'simulations a move',
        'positions',
        'losing moves',
        'wins given away',
        'games against the exact player: won, drawn, lost',
      ],
    ];
    const positions = drawnPositions(game, 2000);
    const exact = new AlphaBeta(game);
    for (const simulations of [0, 100, 400]) {
      const judged = await judgePlayer(game, playerOf(agent, simulations), positions);
      const random = new RandomStream(3);
      const perfect = (/** @type {readonly RowPosition[]} */ all) =>
        all.map((position) => exact.move(position, random));
      const match = await playMatch(game, playerOf(agent, simulations), perfect, {
        games: 200,
        openingMoves: 2,
        seed: 5,
      });
      rows.push([
        String(simulations),
        String(judged.positions),
        `${judged.losing} (${percent(judged.losing / judged.positions)})`,
        `${judged.missed} (${percent(judged.missed / judged.positions)})`,
        `${match.wins}, ${match.draws}, ${match.losses}`,
      ]);
    }
    return rows;
  }
  const rows = [['search of depth', 'won, drawn, lost', 'score', 'Elo above it', 'the same without a network']];
  for (const depth of [1, 2, 3, 4, 5]) {
    const search = new AlphaBeta(game, { depth });
    const random = new RandomStream(depth);
    const opponent = (/** @type {readonly RowPosition[]} */ all) =>
      all.map((position) => search.move(position, random));
    const options = { games: 40, openingMoves: 2, seed: 9 };
    const match = await playMatch(game, playerOf(agent, 200), opponent, options);
    const blind = new AlphaZero(game, { model: new GameNetwork(game, { channels: 4, blocks: 0, hidden: 4 }) });
    const without = await playMatch(game, playerOf(blind, 200), opponent, options);
    const elo = (/** @type {number} */ score) => Math.round(eloDifference(score, 40)).toString();
    rows.push([
      String(depth),
      `${match.wins}, ${match.draws}, ${match.losses}`,
      percent(match.score),
      elo(match.score),
      elo(without.score),
    ]);
    print(rows.at(-1)?.join('  '));
  }
  return rows;
}

/** @param {string} only @returns {Promise<Proven[]>} */
export async function proveAll(only) {
  setDefaultBackend(cpu());
  const found = [];
  for (const proof of proofs.filter(({ name }) => name.includes(only))) {
    const { name, title, game, network, iterations, settings } = proof;
    setSeed(1);
    const threads = Math.max(1, Math.min(2, cpus().length));
    const workers = Array.from(
      { length: threads },
      () => new Worker(new URL('self-play-worker.mjs', import.meta.url), { workerData: name }),
    );
    const started = performance.now();
    const agent = new AlphaZero(game, {
      ...settings,
      model: new GameNetwork(game, network),
      seed: 1,
      selfPlay: playInWorkers(workers),
    });
    for await (const { iterations: done, steps, values } of learn(agent, { steps: Number.POSITIVE_INFINITY })) {
      const { policyLoss = 0, valueLoss = 0 } = values;
      if (done % 5 === 0)
        print(
          `${title}: iteration ${done}, ${steps} positions, losses ${policyLoss.toFixed(3)} ${valueLoss.toFixed(3)}`,
        );
      if (done === iterations) break;
    }
    await Promise.all(workers.map((worker) => worker.terminate()));
    const seconds = Math.round((performance.now() - started) / 1000);
    const rows = await judge(proof, agent);
    for (const row of rows) print(row.join('  '));
    const words = `${settings.games} games an iteration, ${settings.simulations} simulations a move, ${network.channels} channels, ${network.blocks} residual ${network.blocks === 1 ? 'block' : 'blocks'}`;
    found.push({
      name,
      title,
      settings: words,
      iterations,
      positions: agent.progress.steps,
      seconds,
      workers: threads,
      rows,
    });
  }
  return found;
}

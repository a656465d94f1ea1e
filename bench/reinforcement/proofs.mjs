/** The games that are learned by self-play for docs/reinforcement-results.md, and their settings. */
import { ConnectFour, TicTacToe } from '@nn/reinforcement';

/**
 * @typedef {object} Proof
 * @property {string} name
 * @property {string} title
 * @property {import('@nn/reinforcement').ConnectFour | import('@nn/reinforcement').TicTacToe} game
 * @property {import('@nn/reinforcement').GameNetworkOptions} network
 * @property {number} iterations
 * @property {Omit<import('@nn/reinforcement').AlphaZeroOptions<import('@nn/reinforcement').RowPosition>, 'model' | 'selfPlay'>} settings
 */

/** @type {readonly Proof[]} */
export const proofs = [
  {
    name: 'tictactoe',
    title: 'tic-tac-toe',
    game: new TicTacToe(),
    network: { channels: 16, blocks: 1, hidden: 64 },
    iterations: 40,
    settings: { simulations: 50, games: 64, openingMoves: 9, noise: 0.5, learningRate: 3e-3, capacity: 60_000 },
  },
  {
    name: 'connect-5x4',
    title: 'Connect Four on 5 x 4',
    game: new ConnectFour({ rows: 4, columns: 5 }),
    network: { channels: 24, blocks: 2, hidden: 64 },
    iterations: 50,
    settings: { simulations: 80, games: 64, openingMoves: 10, learningRate: 2e-3, capacity: 40_000 },
  },
  {
    name: 'connect-6x7',
    title: 'Connect Four on 6 x 7',
    game: new ConnectFour(),
    network: { channels: 24, blocks: 1, hidden: 64 },
    iterations: 25,
    settings: { simulations: 50, games: 48, openingMoves: 12, learningRate: 3e-3, capacity: 40_000 },
  },
];

/** @param {string} name */
export function proofOf(name) {
  const proof = proofs.find((candidate) => candidate.name === name);
  if (proof === undefined) throw new Error(`there is no game ${name}.`);
  return proof;
}

/** The module of the workers in self-play.node.test.ts. */
import { parentPort } from 'node:worker_threads';
import { cpu } from '@nn/backend-cpu/javascript';
import { setDefaultBackend } from '@nn/core';
import { TicTacToe } from '../games/connect.ts';
import { GameNetwork } from '../games/network.ts';
import { serveSelfPlay } from './self-play-workers.ts';

setDefaultBackend(cpu());
const game = new TicTacToe();
if (parentPort) serveSelfPlay(parentPort, game, new GameNetwork(game, { channels: 4, blocks: 0, hidden: 8 }));

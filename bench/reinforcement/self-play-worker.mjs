/** A worker thread of games.mjs: plays games against itself with the weights that it is sent. */
import { parentPort, workerData } from 'node:worker_threads';
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend } from '@nn/core';
import { GameNetwork, serveSelfPlay } from '@nn/reinforcement';
import { proofOf } from './proofs.mjs';

setDefaultBackend(cpu());
const { game, network } = proofOf(workerData);
if (parentPort) serveSelfPlay(parentPort, game, new GameNetwork(game, network));

/** The worker of the games. A turn lets messages in, so a person's move is answered while the network plays against itself. */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, ValueError } from '@nn/core';
import { serve } from '../serve.ts';
import { GameLearner } from './player.ts';
import type { GameCalls, GameFrame } from './protocol.ts';

setDefaultBackend(cpu());

let learner: GameLearner | null = null;
let runs = 0;

function current(): GameLearner {
  if (learner === null) throw new ValueError('/no-experiment', 'There is no experiment yet.');
  return learner;
}

serve<GameFrame>({
  commands: {
    begin: (name, seed) => {
      learner = new GameLearner(name, seed, ++runs);
      return null;
    },
  } satisfies Pick<GameCalls, 'begin'>,
  questions: {
    leave: () => {
      learner?.leave();
      return null;
    },
    think: (moves, simulations) => current().think(moves, simulations),
  } satisfies Pick<GameCalls, 'leave' | 'think'>,
  turn: () => current().turn(),
  look: () => current().look(),
});

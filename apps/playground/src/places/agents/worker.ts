/** The worker of the agents. */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, ValueError } from '@nn/core';
import { serve } from '../serve.ts';
import { AgentLearner } from './learner.ts';
import type { AgentCalls, AgentFrame } from './protocol.ts';

setDefaultBackend(cpu());

let learner: AgentLearner | null = null;
let runs = 0;

function current(): AgentLearner {
  if (learner === null) throw new ValueError('/no-experiment', 'There is no experiment yet.');
  return learner;
}

serve<AgentFrame>({
  commands: {
    begin: (settings) => {
      learner = new AgentLearner(settings, ++runs);
      return null;
    },
    axes: (axes) => {
      current().axes = axes;
      return null;
    },
  } satisfies Pick<AgentCalls, 'begin' | 'axes'>,
  questions: { watch: () => current().watch() } satisfies Pick<AgentCalls, 'watch'>,
  turn: () => current().turn(),
  look: () => current().look(),
});

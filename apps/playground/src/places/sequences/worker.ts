/** The worker of the sequences. */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, ValueError } from '@nn/core';
import { serve } from '../serve.ts';
import type { SequenceCalls, SequenceFrame } from './protocol.ts';
import { TextLearner } from './writer.ts';

setDefaultBackend(cpu());

let learner: TextLearner | null = null;
let runs = 0;

function current(): TextLearner {
  if (learner === null) throw new ValueError('/no-experiment', 'There is no experiment yet.');
  return learner;
}

serve<SequenceFrame | null>({
  commands: {
    begin: (settings) => {
      learner = new TextLearner(settings, ++runs);
      return learner.facts;
    },
  } satisfies Pick<SequenceCalls, 'begin'>,
  questions: {
    inspect: (text) => current().inspect(text),
    write: (text, length, steering, seed) => current().write(text, length, steering, seed),
  } satisfies Pick<SequenceCalls, 'inspect' | 'write'>,
  turn: () => current().turn(),
  look: () => learner?.look() ?? null,
});

/** The worker of the senses. */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, ValueError } from '@nn/core';
import { serve } from '../serve.ts';
import { playedWord } from './digits.ts';
import { SenseLearner } from './learner.ts';
import type { SenseCalls, SenseFrame } from './protocol.ts';

setDefaultBackend(cpu());

let learner: SenseLearner | null = null;
let spoken = 0;

function current(): SenseLearner {
  if (learner === null) throw new ValueError('/no-experiment', 'There is no experiment yet.');
  return learner;
}

serve<SenseFrame | null>({
  commands: {
    begin: async (settings) => {
      learner = await SenseLearner.begin(settings);
      return null;
    },
    restart: (seed) => {
      current().restart(seed);
      return null;
    },
    addClass: () => {
      current().addClass();
      return null;
    },
    removeClass: (label) => {
      current().removeClass(label);
      return null;
    },
    clear: (label) => {
      current().clear(label);
      return null;
    },
    add: async (label, samples) => {
      await current().add(label, samples);
      return null;
    },
  } satisfies Pick<SenseCalls, 'begin' | 'restart' | 'addClass' | 'removeClass' | 'clear' | 'add'>,
  questions: {
    judge: (sample) => current().judge(sample),
    hear: (samples) => current().hear(samples),
    speak: (digit) => playedWord(digit, spoken++),
    take: async (as, names, version) => (await import('./take.ts')).takenAlong(current(), as, names, version),
  } satisfies Pick<SenseCalls, 'judge' | 'hear' | 'speak' | 'take'>,
  turn: () => current().turn(),
  look: () => learner?.look() ?? null,
});

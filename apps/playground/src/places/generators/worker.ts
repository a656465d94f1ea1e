/** The worker of the generators. */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, ValueError } from '@nn/core';
import { serve } from '../serve.ts';
import { Autoencoder } from './autoencoder.ts';
import { Gan } from './gan.ts';
import type { GeneratorCalls, GeneratorFrame } from './protocol.ts';

setDefaultBackend(cpu());

let learner: Gan | Autoencoder | null = null;
let runs = 0;

function current(): Gan | Autoencoder {
  if (learner === null) throw new ValueError('/no-experiment', 'There is no experiment yet.');
  return learner;
}

function autoencoder(): Autoencoder {
  const made = current();
  if (made instanceof Autoencoder) return made;
  throw new ValueError('/no-experiment', 'There is no experiment yet.');
}

serve<GeneratorFrame>({
  commands: {
    begin: (settings) => {
      runs++;
      learner = settings.kind === 'gan' ? new Gan(settings, runs) : new Autoencoder(settings, runs);
      return null;
    },
  } satisfies Pick<GeneratorCalls, 'begin'>,
  questions: {
    decode: (x, y) => autoencoder().decode(x, y),
    pass: (index) => autoencoder().pass(index),
  } satisfies Pick<GeneratorCalls, 'decode' | 'pass'>,
  turn: () => current().turn(),
  look: () => current().look(),
});

/** The module of the workers in workers.*.test.ts: serves a training and trials, as users write it. */
import { type Served, serveTraining, serveTrials } from '../index.ts';
import { makeTraining, type Settings, trial } from './worker-tests.ts';

export const served: Served<Settings, { readonly loss: number; readonly accuracy: number }> =
  serveTraining(makeTraining);
serveTrials(trial);

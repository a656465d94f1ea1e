/** The module of the workers in workers.*.test.ts: serves a training and trials, as users write it. */
import { serveTraining, serveTrials } from '../index.ts';
import { makeTraining, trial } from './worker-tests.ts';

export const served = serveTraining(makeTraining);
serveTrials(trial);

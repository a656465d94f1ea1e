/** Serves the run of closed-pages.test.ts. */
import { type Served, serveTraining } from '../index.ts';
import { begin, type Settings } from './closed-run-tests.ts';

export const served: Served<Settings, { readonly loss: number; readonly accuracy: number }> = serveTraining(begin);

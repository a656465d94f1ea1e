/**
 * The fixed algorithms by the hint that asks for them. A nest is right without any, so an engine that is to be small
 * carries some: what it lacks runs as plain loops.
 */
import { contraction } from './contraction.ts';
import { conv } from './conv.ts';
import { rank } from './rank.ts';
import { scan } from './scan.ts';
import { scatterAdd } from './scatter-add.ts';

export interface Algorithms {
  readonly contraction?: typeof contraction;
  readonly conv?: typeof conv;
  readonly rank?: typeof rank;
  readonly scan?: typeof scan;
  readonly scatterAdd?: typeof scatterAdd;
}

export const algorithms: Algorithms = { contraction, conv, rank, scan, scatterAdd };

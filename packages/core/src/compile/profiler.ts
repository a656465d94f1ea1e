/** Where running profiles collect the times of programs, and recordings the programs themselves. */
import type { Program } from '../backend.ts';
import type { Plan } from './plan.ts';
import type { Trace } from './trace.ts';

export interface ProfiledRun {
  readonly program: Program;
  readonly paths: readonly string[] | undefined;
  /** When the run began, in milliseconds. */
  readonly start: number;
  readonly milliseconds: readonly number[];
}

/** One list for each `profile` that is under way: they may be inside one another, or overlap. */
export const profiles: Set<ProfiledRun[]> = new Set();

/** Hears of the plan that a graph gets, and of each run of a plan. */
export interface Recording {
  readonly found: (plan: Plan, trace: Trace) => void;
  readonly ran: (plan: Plan) => void;
}

export const recordings: Set<Recording> = new Set();

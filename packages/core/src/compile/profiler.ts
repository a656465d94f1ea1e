/** Where running profiles collect the times of programs. */
import type { Program } from '../backend.ts';

export interface ProfiledRun {
  readonly program: Program;
  readonly paths: readonly string[] | undefined;
  /** When the run began, in milliseconds. */
  readonly start: number;
  readonly milliseconds: readonly number[];
}

/** One list for each `profile` that is under way: they may be inside one another, or overlap. */
export const profiles: Set<ProfiledRun[]> = new Set();

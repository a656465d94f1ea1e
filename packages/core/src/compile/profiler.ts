/** Where a running profile collects the times of programs. */
import type { Program } from '../backend.ts';

export interface ProfiledRun {
  readonly program: Program;
  readonly paths: readonly string[] | undefined;
  /** When the run began, in milliseconds. */
  readonly start: number;
  readonly milliseconds: readonly number[];
}

export const profiler: { runs: ProfiledRun[] | null } = { runs: null };

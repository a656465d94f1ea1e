/** What the page of the race and its worker say to one another. */
import type { OptimizerName } from '../../model/spec.ts';
import type { SurfaceName } from './surfaces.ts';

export interface RaceSettings {
  readonly surface: SurfaceName;
  readonly start: readonly [number, number];
  readonly rates: Readonly<Record<OptimizerName, number>>;
  readonly steps: number;
}

/** Where an optimizer was: x, y and loss of each step, one after the other; it ends early where the numbers do. */
export interface Path {
  readonly optimizer: OptimizerName;
  readonly places: Float32Array;
}

/** Points on each side of the picture of a surface. */
export const raceGrid = 180;

export interface RaceCalls {
  readonly paths: (settings: RaceSettings) => Promise<readonly Path[]>;
  /** From top left, row by row, [raceGrid * raceGrid]. */
  readonly heights: (surface: SurfaceName) => Promise<Float32Array>;
}

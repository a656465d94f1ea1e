/** What a task is given: where to print, when to stop, what was asked for. */
import { relative } from 'node:path';
import type { Group } from '@nn/distributed';
import type { Terminal } from '@nn/train';
import type { Interrupt } from '@nn/train/node';
import type { Keyboard } from './acting.ts';
import type { DigitData } from './digit-data.ts';
import type { Settings } from './options.ts';
import type { RunNotes } from './output-folder.ts';
import type { Result } from './result.ts';

/** Where a saved model tells the page of apps/playground what it is of. */
export const playgroundKey = 'nn.playground';

export interface Context {
  readonly terminal: Terminal;
  readonly interrupt: Interrupt;
  /** Those that train together; rank 0 prints and saves. */
  readonly group: Group;
  readonly settings: Settings;
  /** The digits of --data, read before the first task so that mistakes show at once. */
  readonly digits?: DigitData;
  /** The folder for models and checkpoints. */
  readonly output: string;
  /** Whether the checkpoint is only tested. */
  readonly evaluates: boolean;
  /** A screen with curves in place of a bar. */
  readonly showsDashboard: boolean;
  /** Whether each task writes an HTML report beside its model. */
  readonly writesReport: boolean;
  /** Whether an agent is shown as it acts, and whether the user plays. */
  readonly watches: boolean;
  readonly plays: boolean;
  readonly openKeyboard: () => Keyboard;
  /** What a command needs to find that folder again: ` --output FOLDER`, or nothing where it is the default. */
  readonly outputOption: string;
  /** Where the user stands; printed paths are relative to it. */
  readonly from: string;
  /** What the task reached, for programs: printed where it was asked for. */
  readonly tell: (result: Omit<Result, 'seed'>) => void;
  /** The notes of the checkpoint that this task goes on from. */
  readonly resumed?: RunNotes;
}

/** A path as the user would write it. */
export function shownPath(path: string, { from }: Pick<Context, 'from'>): string {
  const short = relative(from, path);
  return short.length < path.length ? short : path;
}

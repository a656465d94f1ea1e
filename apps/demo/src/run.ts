/**
 * What both tasks do around their `Training`: take up the run that was left, show how far it is, keep a checkpoint on the way,
 * and say how to go on after Ctrl-C. The loop is that of @nn/train; a run that is stopped, even by kill -9, and resumed makes
 * the same steps as one that is not.
 */
import { join } from 'node:path';
import { type Callback, dashboard, progress, type Terminal } from '@nn/train';
import { checkpoint, type HtmlReportOptions, htmlReport, resume } from '@nn/train/node';
import { type Context, shownPath } from './context.ts';
import { count, seconds } from './format.ts';
import { checkpointName, runNotes } from './output-folder.ts';
import type { TaskName } from './task-list.ts';

/** The part of a training that is used here. */
interface Runnable {
  readonly parts: Readonly<Record<string, object>>;
  readonly stepCount: number;
  run(): Promise<{ readonly why: string; readonly step: number }>;
}

export interface Shown {
  readonly task: TaskName;
  readonly title: string;
  /** A line for each epoch. */
  readonly epochs: boolean;
  /** Drawn over the progress bar. */
  readonly above?: () => Promise<readonly string[]>;
  /** What the report of `--report` says of the task. */
  readonly report?: Omit<HtmlReportOptions, 'path' | 'title'>;
}

/** What every task shows as it trains, as the command line asks for it. */
export function shownBy(
  { task, title, epochs, above, report }: Shown,
  { terminal, output, settings, showsDashboard, writesReport }: Context,
): Callback<{ readonly loss: number }>[] {
  const shown = showsDashboard
    ? dashboard({ terminal, title })
    : progress({ terminal, epochs, ...(above && { above }) });
  if (!writesReport) return [shown];
  return [shown, htmlReport({ path: join(output, `${task}.html`), title, settings: { ...settings }, ...report })];
}

/** The same, and a checkpoint on the way: at every read, with so many seconds `between` two at least. */
export function callbacksOf(shown: Shown, context: Context, between = 1): Callback<{ readonly loss: number }>[] {
  const { output, settings } = context;
  const notes = runNotes({ task: shown.task, settings });
  return [...shownBy(shown, context), checkpoint({ folder: output, every: 1, seconds: between, atStart: true, notes })];
}

/**
 * Trains to the end, or until Ctrl-C: then the run is saved and the answer is false. Where the checkpoint is only tested it is read, and
 * no step is made. `steps`: of the whole training.
 */
export async function train(training: Runnable, steps: number, context: Context): Promise<boolean> {
  const { terminal, output } = context;
  const ofAll = (): string => `${count(training.stepCount)} of ${count(steps)} steps`;
  if (context.resumed) {
    await resume(training, output);
    terminal.text(`  ${context.evaluates ? 'Tested as it was' : 'Resumed'} after ${ofAll()}.`);
  }
  if (context.evaluates) return true;
  const { why } = await training.run();
  terminal.clear();
  if (why !== 'aborted') return true;
  terminal.text(`  ${terminal.paint(`Stopped after ${ofAll()}.`, 'yellow')}`);
  const path = join(output, checkpointName);
  terminal.text(`  Saved ${shownPath(path, context)}. Go on with: npm start -- --resume${context.outputOption}`);
  return false;
}

/** What stands before the name of a saved file: how long the training took, where there was one. */
export const trainedIn = (milliseconds: number, { evaluates }: Context): string =>
  evaluates ? '' : `Trained in ${seconds(milliseconds)}. `;

/** What a task says that was stopped and keeps no checkpoint, for it is over in seconds. */
export function tellStopped({ terminal }: Context): false {
  terminal.text(`  ${terminal.paint('Stopped. This task keeps no checkpoint: start it anew.', 'yellow')}`);
  return false;
}

/** The report of a task, where one was asked for. */
export function tellReport(task: TaskName, terminal: Terminal, context: Context): void {
  if (!context.writesReport) return;
  terminal.text(`  The report is ${shownPath(join(context.output, `${task}.html`), context)}: open it in a browser.`);
}

/**
 * `npm start`: reads the options, opens the device, runs the tasks one after the other. Errors that the user can mend are one
 * line and exit code 1; an interrupted run ends with 128 and the number of the signal.
 */
import { join } from 'node:path';
import process from 'node:process';
import { setDefaultBackend } from '@nn/core';
import type { Group } from '@nn/distributed';
import { Terminal } from '@nn/train';
import { type Interrupt, watchInterrupts } from '@nn/train/node';
import { openKeyboard } from './acting.ts';
import { type Context, shownPath } from './context.ts';
import { openDevice } from './device.ts';
import { digitsOfFolder } from './digit-data.ts';
import { lineOf } from './failure.ts';
import { seconds } from './format.ts';
import { defaultSettings, helpText, listText, parseOptions, type Settings } from './options.ts';
import { keepOtherRun, openOutput, readRun, removeRun, resumedSettings } from './output-folder.ts';
import { isSilent, openGroup } from './ranks.ts';
import { lineOfResult } from './result.ts';
import { loadTask, type TaskName, taskNames } from './task-list.ts';

async function main(interrupt: Interrupt): Promise<number> {
  // npm runs scripts in the folder of package.json and tells where the user stands.
  const from = process.env.INIT_CWD ?? process.cwd();
  const defaultOutput = join(import.meta.dirname, '..', 'output');
  const options = parseOptions(process.argv.slice(2), { from, output: defaultOutput });
  if (options.help || options.list) {
    for (const line of (options.list ? listText() : helpText()).split('\n')) terminal.text(line);
    return 0;
  }
  const started = performance.now();
  const { output } = options;
  const isKnown = options.resume || options.evaluate;
  const run = isKnown ? await readRun(output, options.resume ? '--resume' : '--evaluate') : undefined;
  const settings: Settings = run ? resumedSettings(options.settings, run) : { ...defaultSettings, ...options.settings };
  const opened = await openGroup(options.workers, run?.task ?? settings.task);
  together.group = opened;
  const isFirst = opened.rank === 0;
  if (!isFirst) terminal = new Terminal({ write: () => true }, {});
  if (isFirst) await openOutput(output);
  const ofDigits: readonly TaskName[] = ['digits', 'generate', 'transfer', 'private', 'federated', 'energy'];
  const isForDigits = settings.data !== undefined && tasksOf(settings).some((name) => ofDigits.includes(name));
  const digits = isForDigits ? await digitsOfFolder(settings.data, interrupt.signal) : undefined;
  const { backend, description } = await openDevice(options.backend);
  setDefaultBackend(backend);

  terminal.line();
  terminal.text(
    `  ${terminal.paint('nn', 'bold', 'cyan')}  ${terminal.paint(`backend ${description}, seed ${settings.seed}${ranksIn(opened)}`, 'dim')}`,
  );
  const aside = run || !isFirst ? undefined : await keepOtherRun(output);
  if (aside !== undefined) {
    terminal.text(
      `  The checkpoint of an earlier run, which --resume would have gone on with, is now ${shownPath(aside, { from })}.`,
    );
  }
  const names = run && options.evaluate ? [run.task] : tasksOf(settings, run?.task);
  for (const name of names) {
    const outputOption = output === defaultOutput ? '' : ` --output ${output}`;
    const context: Context = {
      ...{ terminal, interrupt, group: opened, settings, output, outputOption, from },
      ...{ evaluates: options.evaluate, showsDashboard: options.dashboard, writesReport: options.report },
      ...{ watches: options.watch, plays: options.play, openKeyboard: () => openKeyboard(interrupt) },
      tell: (result) => {
        if (options.json) terminal.line(lineOfResult({ ...result, seed: settings.seed }));
      },
      ...(digits && { digits }),
      ...(run?.task === name && { resumed: run }),
    };
    terminal.line();
    const runTask = await loadTask(name);
    const isDone = await runTask(context);
    if (!isDone) {
      await opened.close();
      return interrupt.exitCode;
    }
  }
  await opened.barrier();
  // after a whole run nobody reads the checkpoint any more
  if (isFirst && !options.evaluate) await removeRun(output);
  terminal.line();
  terminal.line(`  Done in ${seconds(performance.now() - started)}.`);
  await opened.close();
  return 0;
}

/** For the headline: who trains together. */
function ranksIn({ size, name }: Group): string {
  return size === 1 ? '' : `, ${size} ranks by ${name}`;
}

/** The tasks to run, from the one that is resumed. */
function tasksOf({ task }: Settings, resumed?: TaskName): readonly TaskName[] {
  const all: readonly TaskName[] = task === 'all' ? taskNames : task === 'start' ? ['moons', 'digits'] : [task];
  return resumed === undefined ? all : all.slice(all.indexOf(resumed));
}

let terminal = new Terminal(isSilent() ? { write: () => true } : process.stdout, process.env);
/** Told of an error that ends this process. */
const together: { group: Group | null } = { group: null };
const interrupt = watchInterrupts(() => terminal.clear());
process.on('exit', () => terminal.release());
// A reader that has seen enough (`npm start | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
try {
  process.exitCode = await main(interrupt);
} catch (error) {
  if (interrupt.signal.aborted && error instanceof Error && error.name === 'AbortError')
    process.exit(interrupt.exitCode);
  const line = lineOf(error);
  if (line === undefined) throw error;
  terminal.clear();
  // before there is a group all fail alike
  const { group } = together;
  if (group !== null || !isSilent()) process.stderr.write(`${line}\n`);
  if (group !== null && group.size > 1) group.abort(line);
  process.exitCode = 1;
}

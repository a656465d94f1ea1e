/**
 * `npm start`: reads the options, opens the device, runs the tasks one after the other. Errors that the user can mend are one
 * line and exit code 1; an interrupted run ends with 128 and the number of the signal.
 */
import { join } from 'node:path';
import process from 'node:process';
import { setDefaultBackend } from '@nn/core';
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
import { lineOfResult } from './result.ts';
import { loadTask, type TaskName, taskNames } from './task-list.ts';

async function main(terminal: Terminal, interrupt: Interrupt): Promise<number> {
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
  const run = options.resume ? await readRun(output) : undefined;
  await openOutput(output);
  const settings: Settings = run ? resumedSettings(options.settings, run) : { ...defaultSettings, ...options.settings };
  const ofDigits: readonly TaskName[] = ['digits', 'generate', 'transfer', 'private', 'federated'];
  const isForDigits = settings.data !== undefined && tasksOf(settings).some((name) => ofDigits.includes(name));
  const digits = isForDigits ? await digitsOfFolder(settings.data, interrupt.signal) : undefined;
  const { backend, description } = await openDevice(options.backend);
  setDefaultBackend(backend);

  terminal.line();
  terminal.text(
    `  ${terminal.paint('nn', 'bold', 'cyan')}  ${terminal.paint(`backend ${description}, seed ${settings.seed}`, 'dim')}`,
  );
  const aside = run ? undefined : await keepOtherRun(output);
  if (aside !== undefined) {
    terminal.text(
      `  The checkpoint of an earlier run, which --resume would have gone on with, is now ${shownPath(aside, { from })}.`,
    );
  }
  for (const name of tasksOf(settings, run?.task)) {
    const outputOption = output === defaultOutput ? '' : ` --output ${output}`;
    const context: Context = {
      ...{ terminal, interrupt, settings, output, outputOption, from },
      ...{ showsDashboard: options.dashboard, writesReport: options.report },
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
    if (!isDone) return interrupt.exitCode;
  }
  await removeRun(output);
  terminal.line();
  terminal.line(`  Done in ${seconds(performance.now() - started)}.`);
  return 0;
}

/** The tasks to run, from the one that is resumed. */
function tasksOf({ task }: Settings, resumed?: TaskName): readonly TaskName[] {
  const all: readonly TaskName[] = task === 'all' ? taskNames : task === 'start' ? ['moons', 'digits'] : [task];
  return resumed === undefined ? all : all.slice(all.indexOf(resumed));
}

const terminal = new Terminal(process.stdout, process.env);
const interrupt = watchInterrupts(() => terminal.clear());
process.on('exit', () => terminal.release());
// A reader that has seen enough (`npm start | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
try {
  process.exitCode = await main(terminal, interrupt);
} catch (error) {
  if (interrupt.signal.aborted && error instanceof Error && error.name === 'AbortError')
    process.exit(interrupt.exitCode);
  const line = lineOf(error);
  if (line === undefined) throw error;
  terminal.clear();
  process.stderr.write(`${line}\n`);
  process.exitCode = 1;
}

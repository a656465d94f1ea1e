/** What the commands of the packages that read files have in common: `inspect FILE`, as a table or as JSON. For Node. */
import { isNNError } from '@nn/core';

export interface InspectCommand<Report> {
  /** What the command says about itself. */
  readonly usage: string;
  /** Reads a path or an address; the text of the report is its table. */
  inspect(path: string): Promise<Report>;
  /** What programs are given of a report. */
  facts(report: Report): object;
  /** The exit code of what could be read; 0 where not given. */
  exitCode?(report: Report): number;
}

const print = (text: string): boolean => process.stdout.write(`${text}\n`);
const complain = (text: string): boolean => process.stderr.write(`${text}\n`);

/** The exit code: 0 (or what the command says), 1 for a file that cannot be read, 2 for words that are no command. */
async function run<Report>(command: InspectCommand<Report>, words: readonly string[]): Promise<number> {
  const { usage } = command;
  const flags = words.filter((word) => word.startsWith('-'));
  const [verb, path, ...more] = words.filter((word) => !word.startsWith('-'));
  if (flags.some((flag) => flag === '--help' || flag === '-h')) {
    print(usage);
    return 0;
  }
  const unknown = flags.find((flag) => flag !== '--json');
  if (verb !== 'inspect' || path === undefined || more.length > 0 || unknown !== undefined) {
    complain(unknown === undefined ? usage : `no option ${unknown}\n\n${usage}`);
    return 2;
  }
  try {
    const report = await command.inspect(path);
    print(flags.includes('--json') ? JSON.stringify(command.facts(report), null, 2) : String(report));
    return command.exitCode?.(report) ?? 0;
  } catch (error) {
    if (!isNNError(error)) throw error;
    complain(error.message);
    return 1;
  }
}

/** Runs the command with the words that the process was given. */
export function runInspectCommand<Report>(command: InspectCommand<Report>): void {
  // A reader that has seen enough (`| head`) closes the pipe: no fault.
  process.stdout.on('error', (error) => {
    if (Object(error).code !== 'EPIPE') throw error;
  });
  run(command, process.argv.slice(2)).then((code) => {
    process.exitCode = code;
  });
}

#!/usr/bin/env node
/**
 * The command of this package: `npx @nn/keras inspect FILE` prints what a file of Keras or TensorFlow.js holds. It knows the
 * public names of the package alone.
 */
import { isNNError } from '@nn/core';
import { inspectKeras, type KerasReport } from '@nn/keras';

const usage = `Prints what a file of Keras or TensorFlow.js holds: .keras, .h5, weights, model.json.

  npx @nn/keras inspect FILE          arrays, inputs, layers, what is not supported
  npx @nn/keras inspect FILE --json   the same for programs

FILE is a path or https://...`;

function json({ format, version, layers, arrays, elements }: KerasReport): string {
  return JSON.stringify({ format, version, layers, arrays, elements }, null, 2);
}

const print = (text: string): boolean => process.stdout.write(`${text}\n`);
const complain = (text: string): boolean => process.stderr.write(`${text}\n`);

/** Runs the command; the result is the exit code: 0, 1 for a file that cannot be read, 2 for words that are no command. */
async function run(words: readonly string[]): Promise<number> {
  const flags = words.filter((word) => word.startsWith('-'));
  const [command, path, ...more] = words.filter((word) => !word.startsWith('-'));
  if (flags.some((flag) => flag === '--help' || flag === '-h')) {
    print(usage);
    return 0;
  }
  const unknown = flags.find((flag) => flag !== '--json');
  if (command !== 'inspect' || path === undefined || more.length > 0 || unknown !== undefined) {
    complain(unknown === undefined ? usage : `no option ${unknown}\n\n${usage}`);
    return 2;
  }
  try {
    const report = await inspectKeras(path);
    print(flags.includes('--json') ? json(report) : String(report));
    return 0;
  } catch (error) {
    if (!isNNError(error)) throw error;
    complain(error.message);
    return 1;
  }
}

// A reader that has seen enough (`| head`) closes the pipe: no fault.
process.stdout.on('error', (error) => {
  if (Object(error).code !== 'EPIPE') throw error;
});
run(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});

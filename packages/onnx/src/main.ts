#!/usr/bin/env node
/**
 * The command of this package: `npx @nn/onnx inspect FILE` prints what a file of ONNX holds and what of it would not run. It
 * knows the public names of the package alone.
 */
import { isNNError } from '@nn/core';
import { inspectOnnx, type OnnxReport } from '@nn/onnx';

const usage = `Prints what a file of ONNX holds: versions, inputs, outputs, nodes, weights, and what is not supported.

  npx @nn/onnx inspect FILE          a table: nodes, inputs, outputs, weights, what is not supported
  npx @nn/onnx inspect FILE --json   the same for programs

FILE is a path, https://..., or hf://owner/name/file@revision. The result is 0, 1 for a file that is no ONNX, and 3 where loadOnnx would refuse it.`;

function json({ opsets, metadata, ...facts }: OnnxReport): string {
  return JSON.stringify(
    { ...facts, opsets: Object.fromEntries(opsets), metadata: Object.fromEntries(metadata) },
    null,
    2,
  );
}

const print = (text: string): boolean => process.stdout.write(`${text}\n`);
const complain = (text: string): boolean => process.stderr.write(`${text}\n`);

/** Runs the command; the result is the exit code. */
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
    const report = await inspectOnnx(path);
    print(flags.includes('--json') ? json(report) : String(report));
    return report.unsupported.length === 0 ? 0 : 3;
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

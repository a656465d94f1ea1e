#!/usr/bin/env node
/**
 * The command of this package: `npx @nn/onnx inspect FILE` prints what a file of ONNX holds and what of it would not run. It
 * knows the public names of the package alone.
 */
import { inspectOnnx } from '@nn/onnx';
import { runInspectCommand } from '@nn/serialize/formats';

const usage = `Prints what a file of ONNX holds: versions, inputs, outputs, nodes, weights, and what is not supported.

  npx @nn/onnx inspect FILE          a table: nodes, inputs, outputs, weights, what is not supported
  npx @nn/onnx inspect FILE --json   the same for programs

FILE is a path, https://..., or hf://owner/name/file@revision. The result is 0, 1 for a file that is no ONNX, and 3 where loadOnnx would refuse it.`;

runInspectCommand({
  usage,
  inspect: inspectOnnx,
  facts: ({ opsets, metadata, ...facts }) => ({
    ...facts,
    opsets: Object.fromEntries(opsets),
    metadata: Object.fromEntries(metadata),
  }),
  exitCode: ({ unsupported }) => (unsupported.length === 0 ? 0 : 3),
});

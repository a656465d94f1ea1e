#!/usr/bin/env node
/**
 * The command of this package: `npx @nn/keras inspect FILE` prints what a file of Keras or TensorFlow.js holds. It knows the
 * public names of the package alone.
 */
import { inspectKeras } from '@nn/keras';
import { runInspectCommand } from '@nn/serialize/formats';

const usage = `Prints what a file of Keras or TensorFlow.js holds: .keras, .h5, weights, model.json.

  npx @nn/keras inspect FILE          arrays, inputs, layers, what is not supported
  npx @nn/keras inspect FILE --json   the same for programs

FILE is a path or https://...`;

runInspectCommand({
  usage,
  inspect: inspectKeras,
  facts: ({ format, version, layers, arrays, elements }) => ({ format, version, layers, arrays, elements }),
});

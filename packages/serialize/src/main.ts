#!/usr/bin/env node
/**
 * The command of this package: `npx @nn/serialize inspect FILE` prints what a file of weights holds. It knows the public
 * names of the package alone.
 */
import { inspectWeights } from '@nn/serialize';
import { runInspectCommand } from '@nn/serialize/formats';

const usage = `Prints what a file of weights holds: safetensors, PyTorch, NumPy, GGUF, an index of shards.

  npx @nn/serialize inspect FILE          a table: tensors, metadata, what is not supported
  npx @nn/serialize inspect FILE --json   the same for programs

FILE is a path, a folder, https://..., or hf://owner/name/file@revision; of an address only the header is read.`;

runInspectCommand({
  usage,
  inspect: inspectWeights,
  facts: ({ format, tensors, elements, bytes, metadata, containers, skipped }) => ({
    ...{ format, tensors, elements, bytes },
    metadata: Object.fromEntries(metadata),
    ...{ containers, skipped },
  }),
});

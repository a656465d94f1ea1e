/** Runs one program on one backend from beginning to end. */
import type { Backend, TensorData } from '@nn/core';
import type { RandomCase } from './random-kernels.ts';

/** Uploads the inputs, runs the program once, downloads its outputs and releases everything. */
export async function runCase<B extends object>(backend: Backend<B>, test: RandomCase): Promise<TensorData[]> {
  const { program } = test;
  const inputs = test.inputs.map(({ data, type }) => backend.upload(data, type));
  const executable = await backend.compile(program);
  const outputs = executable.run(inputs, test.scalars);
  const results = await Promise.all(outputs.map((output) => backend.download(output)));
  const donated = new Set(program.donations.map(({ input }) => input));
  for (const output of outputs) backend.release(output);
  inputs.forEach((input, number) => {
    if (!donated.has(number)) backend.release(input);
  });
  executable.release();
  return results;
}

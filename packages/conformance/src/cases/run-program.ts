/** Runs a program on a backend by the contract alone, without core: uploads, runs, downloads, releases. */
import type { Backend, BufferType, Executable, Program, TensorData } from '@nn/core';
import { runCase } from '../run-case.ts';

export interface Input {
  readonly data: TensorData;
  readonly type: BufferType;
}

export function floats(values: readonly number[], shape: readonly number[] = [values.length]): Input {
  return { data: Float32Array.from(values), type: { dtype: 'float32', shape } };
}

export function integers(values: readonly number[], shape: readonly number[] = [values.length]): Input {
  return { data: Int32Array.from(values), type: { dtype: 'int32', shape } };
}

export function uploadAll(backend: Backend, inputs: readonly Input[]): object[] {
  return inputs.map(({ data, type }) => backend.upload(data, type));
}

/** The outputs of one run. */
export function runProgram(
  backend: Backend,
  program: Program,
  inputs: readonly Input[],
  scalars: readonly number[] = [],
): Promise<TensorData[]> {
  return runCase(backend, { program, inputs, scalars: Float64Array.from(scalars) });
}

/** Releases what is left after a run: all but the donated inputs. */
export function releaseAll(
  backend: Backend,
  { donations }: Program,
  inputs: readonly object[],
  outputs: readonly object[],
): void {
  inputs.forEach((buffer, input) => {
    if (!donations.some((donation) => donation.input === input)) backend.release(buffer);
  });
  for (const output of outputs) backend.release(output);
}

/** Compiles, and hands the executable to `work`; releases it afterwards. */
export async function withExecutable<T>(
  backend: Backend,
  program: Program,
  work: (executable: Executable) => Promise<T>,
): Promise<T> {
  const executable = await backend.compile(program);
  try {
    return await work(executable);
  } finally {
    executable.release();
  }
}

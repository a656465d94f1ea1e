/** Programs of one kernel and their runs, for the tests of this folder. */
import type { Backend, Body, DType, Kernel, Program, TensorData } from '@nn/core';
import { WasmEngine } from './engine.ts';
import type { WasmBuffer } from './executable.ts';

/** A program whose inputs are the kernel's reads, of the given shapes. */
export function programOf(kernel: Kernel, shapes: readonly (readonly number[])[]): Program {
  const inputs = kernel.reads.map((dtype, read) => ({ dtype, shape: shapes[read]!, slot: read }));
  const write = inputs.length;
  return {
    buffers: [...inputs, { dtype: kernel.dtype, shape: kernel.domain, slot: write }],
    inputs: inputs.length,
    donations: [],
    scalars: kernel.scalars,
    steps: [
      {
        kernel,
        write,
        reads: kernel.reads.map((_, buffer) => ({ buffer, offset: 0 })),
        scalars: kernel.scalars.map((_, slot) => slot),
      },
    ],
    groups: [],
    outputs: [write],
  };
}

/** Runs the kernel once and gives everything back. */
export async function runKernel(
  engine: WasmEngine,
  kernel: Kernel,
  data: readonly TensorData[],
  scalars: readonly number[] = [],
): Promise<TensorData> {
  const program = programOf(
    kernel,
    data.map((array) => [array.length]),
  );
  const executable = await engine.compile(program);
  const inputs = data.map((array, read) => engine.upload(array, program.buffers[read] as WasmBuffer['type']));
  const [output] = executable.run(inputs, Float64Array.from(scalars)) as [WasmBuffer];
  const result = await engine.download(output);
  for (const buffer of [...inputs, output]) engine.release(buffer);
  executable.release();
  return result;
}

/** `out[i] = op(a[i], b[i] ...)` on vectors. */
export function pointwiseKernel(op: string, dtypes: readonly DType[], dtype: DType, size: number): Kernel {
  const value = [
    { dtype: 'int32', op: 'axis', axis: 0 },
    ...dtypes.map((read, at) => ({ dtype: read, op: 'load', read: at, index: 0 })),
    { dtype, op, args: dtypes.map((_, at) => at + 1) },
  ] as Body;
  return { key: `${op} ${dtypes} ${dtype} ${size}`, domain: [size], dtype, reads: dtypes, scalars: [], value };
}

/** A backend that notes how its steps run. */
export function watched(options: Partial<ConstructorParameters<typeof WasmEngine>[0]> = {}): {
  backend: Backend;
  engine: WasmEngine;
  paths: string[];
} {
  const engine = new WasmEngine({ fused: false, ...options });
  const paths: string[] = [];
  const backend: Backend = {
    name: 'watched',
    limits: engine.limits,
    upload: (data, type) => engine.upload(data, type),
    download: (buffer) => engine.download(buffer as Parameters<WasmEngine['download']>[0]),
    release: (buffer) => engine.release(buffer as Parameters<WasmEngine['release']>[0]),
    idle: () => engine.idle(),
    compile: async (program: Program) => {
      const executable = await engine.compile(program);
      paths.push(...executable.paths);
      return executable;
    },
  };
  return { backend, engine, paths };
}

/** Whether the conformance kit runs whole, with every engine: by `NN_KIT=whole`. */
export const isWhole: boolean = (import.meta as { env?: { NN_KIT?: string } }).env?.NN_KIT === 'whole';

/** The programs that core writes for a computation, with the data of each run: what a backend would have been asked to do. */
import type { Backend, BufferType, Executable, Limits, Program, Tensor, TensorData } from '@nn/core';
import { type ReferenceBuffer, reference } from './reference.ts';
import { encode } from './reference-storage.ts';

/** One run: the program, what went in, and what came out of the oracle. */
export interface CapturedRun {
  readonly program: Program;
  readonly inputs: readonly { readonly data: TensorData; readonly type: BufferType }[];
  readonly scalars: readonly number[];
  readonly outputs: readonly TensorData[];
}

/** Computes what `build` gives on the oracle, with the limits of another backend, and keeps every run. */
export async function captureRuns(
  limits: Limits,
  build: (backend: Backend) => readonly Tensor[] | Promise<readonly Tensor[]>,
): Promise<CapturedRun[]> {
  const capture = new Capture(limits);
  const results = await build(capture);
  await Promise.all(results.map((x) => x.data()));
  return capture.runs;
}

class Capture implements Backend<ReferenceBuffer> {
  readonly name = 'capture';
  readonly limits: Limits;
  readonly runs: CapturedRun[] = [];
  readonly #inner: Backend<ReferenceBuffer>;

  constructor(limits: Limits) {
    this.#inner = reference({ limits });
    this.limits = this.#inner.limits;
  }

  upload(data: TensorData, type: BufferType): ReferenceBuffer {
    return this.#inner.upload(data, type);
  }

  download(buffer: ReferenceBuffer): TensorData | Promise<TensorData> {
    return this.#inner.download(buffer);
  }

  release(buffer: ReferenceBuffer): void {
    this.#inner.release(buffer);
  }

  async compile(program: Program): Promise<Executable<ReferenceBuffer>> {
    const executable = await this.#inner.compile(program);
    return {
      run: (inputs, scalars) => {
        const before = inputs.map((buffer) => ({ data: dataOf(buffer), type: buffer.type }));
        const outputs = executable.run(inputs, scalars);
        this.runs.push({ program, inputs: before, scalars: [...scalars], outputs: outputs.map(dataOf) });
        return outputs;
      },
      release: () => executable.release(),
    };
  }

  idle(): Promise<void> {
    return this.#inner.idle();
  }
}

function dataOf({ elements, type }: ReferenceBuffer): TensorData {
  return encode((elements as Float64Array).slice(), type.dtype);
}

/** The same program with no permission to be faster: no hints, no groups, every buffer in memory of its own. */
export function plainProgram(program: Program): Program {
  const steps = program.steps.map(({ inPlace: _, ...step }) => {
    const { hint, ...kernel } = step.kernel;
    return { ...step, kernel: hint === undefined ? step.kernel : { ...kernel, key: `${kernel.key} without hint` } };
  });
  const buffers = program.buffers.map((buffer, slot) => ({ ...buffer, slot }));
  return { ...program, buffers, steps, groups: [], donations: [] };
}

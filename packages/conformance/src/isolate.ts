/**
 * The backend as one case sees it: the same device behind an object of its own, so that core starts afresh, and whatever
 * the case leaves behind is released when it ends.
 */
import type { Backend, BufferType, Executable, Program, TensorData } from '@nn/core';

export class IsolatedBackend implements Backend {
  readonly name: string;
  readonly limits: Backend['limits'];
  readonly #inner: Backend;
  readonly #buffers = new Set<object>();
  readonly #executables = new Set<Executable>();
  #isClosed = false;

  constructor(inner: Backend) {
    this.#inner = inner;
    this.name = inner.name;
    this.limits = inner.limits;
  }

  upload(data: TensorData, type: BufferType): object {
    const buffer = this.#inner.upload(data, type);
    this.#buffers.add(buffer);
    return buffer;
  }

  download(buffer: object): TensorData | Promise<TensorData> {
    return this.#inner.download(buffer);
  }

  release(buffer: object): void {
    // Core gives memory back when the garbage collector says that nobody can reach it: after the case, that is done.
    if (this.#isClosed) return;
    this.#buffers.delete(buffer);
    this.#inner.release(buffer);
  }

  compile(program: Program): Executable | Promise<Executable> {
    const made = this.#inner.compile(program);
    return made instanceof Promise ? made.then((inner) => this.#wrap(program, inner)) : this.#wrap(program, made);
  }

  idle(): Promise<void> {
    return this.#inner.idle();
  }

  /** Ends the case: everything that it still held goes back to the device. */
  async close(): Promise<void> {
    await this.#inner.idle();
    this.#isClosed = true;
    for (const buffer of this.#buffers) this.#inner.release(buffer);
    for (const executable of this.#executables) executable.release();
    this.#buffers.clear();
    this.#executables.clear();
  }

  #wrap({ donations }: Program, inner: Executable): Executable {
    this.#executables.add(inner);
    const settle = (inputs: readonly object[], outputs: readonly object[]): readonly object[] => {
      for (const { input } of donations) this.#buffers.delete(inputs[input]!);
      for (const output of outputs) this.#buffers.add(output);
      return outputs;
    };
    const wrapped: Executable = {
      run: (inputs, scalars) => settle(inputs, inner.run(inputs, scalars)),
      release: () => {
        if (this.#executables.delete(inner)) inner.release();
      },
    };
    if (inner.profile === undefined) return wrapped;
    const profile = inner.profile.bind(inner);
    return {
      ...wrapped,
      profile: async (inputs, scalars) => {
        const result = await profile(inputs, scalars);
        return { outputs: settle(inputs, result.outputs), milliseconds: result.milliseconds };
      },
    };
  }
}

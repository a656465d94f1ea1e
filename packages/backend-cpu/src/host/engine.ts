/** An engine that computes on typed arrays of the JavaScript heap, in any dialect. It is done when `run` returns. */
import type { BufferType, Executable, Limits, Program, TensorData } from '@nn/core';
import { commonLimits, type Engine, type EngineInfo } from '../engine.ts';
import type { Fetched } from '../fetched.ts';
import { sizeOf } from '../shape.ts';
import type { Dialect } from './dialect.ts';
import { HostExecutable } from './executable.ts';
import { halves, hasHalves } from './halves.ts';
import { Kernels } from './kernels.ts';
import type { Hinted } from './making.ts';
import { blockOf, blockSize, HostBuffer, Memory } from './memory.ts';
import { Region } from './region.ts';

const limits: Limits = { ...commonLimits, maxReads: 1024, maxBindings: 1025 };

export class HostEngine implements Engine<HostBuffer> {
  readonly name: 'javascript' | 'interpreter';
  readonly limits: Limits = limits;
  readonly #memory = new Memory();
  readonly #scratch = new Region();
  readonly #workspace = new Region();
  readonly #kernels: Kernels;
  readonly #algorithms: Fetched<Hinted> | null;

  constructor(dialect: Dialect, algorithms: Fetched<Hinted> | null) {
    this.name = dialect.name;
    this.#algorithms = algorithms;
    this.#kernels = new Kernels(
      dialect,
      this.#workspace,
      (kernel, making) => algorithms?.code?.(kernel, making) ?? null,
    );
  }

  upload(data: TensorData, type: BufferType): HostBuffer {
    const block = this.#memory.take(blockSize(type));
    block.view(type.dtype).set(data);
    return new HostBuffer(this.#memory, type, block);
  }

  download(buffer: HostBuffer): TensorData | Promise<TensorData> {
    try {
      const block = blockOf(buffer, this.#memory, 'download');
      return block.view(buffer.type.dtype).slice(0, sizeOf(buffer.type.shape));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  release(buffer: HostBuffer): void {
    const block = blockOf(buffer, this.#memory, 'release');
    buffer.block = null;
    this.#memory.give(block);
  }

  compile(program: Program): Executable<HostBuffer> | Promise<Executable<HostBuffer>> {
    const algorithms = this.#algorithms;
    const make = (): HostExecutable => new HostExecutable(program, this.#kernels, this.#memory, this.#scratch);
    const wanted = [
      ...(program.steps.some(({ kernel }) => kernel.hint) ? [algorithms] : []),
      ...(hasHalves(program) ? [halves] : []),
    ];
    const missing = wanted.filter((code) => code?.code === null);
    return missing.length === 0 ? make() : Promise.all(missing.map((code) => code?.fetch())).then(make);
  }

  async idle(): Promise<void> {
    // `run` has done all the work when it returns.
  }

  engineInfo(): EngineInfo {
    return {
      kernels: this.#kernels.count,
      memory: {
        used: this.#memory.used,
        pooled: this.#memory.pooled,
        scratch: this.#scratch.bytes.byteLength + this.#workspace.bytes.byteLength,
      },
      details: {},
    };
  }
}

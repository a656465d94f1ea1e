/**
 * A backend that writes down what core asks of another one: uploads, downloads, releases, programs, runs, and how many
 * buffers live. Tests of the compiler read the record; tests of failure make the next call fail.
 */
import {
  type Backend,
  BackendError,
  type BufferType,
  type Executable,
  type Limits,
  type Program,
  type TensorData,
} from '@nn/core';
import { reference } from './reference.ts';

/** The calls of the contract that are counted, and that can be made to fail. */
export type Call = 'upload' | 'download' | 'release' | 'compile' | 'run' | 'idle';

/** One call, in the order in which they came. */
export type Entry =
  | { readonly call: 'upload' | 'download' | 'release'; readonly type: BufferType }
  | { readonly call: 'compile'; readonly program: Program }
  | { readonly call: 'run'; readonly program: Program; readonly scalars: readonly number[] }
  | { readonly call: 'idle' };

/** A number of buffers and their bytes. */
export interface Amount {
  readonly count: number;
  readonly bytes: number;
}

export interface RecordingBackend extends Backend {
  readonly entries: readonly Entry[];
  /** The compiled programs, in order. */
  readonly programs: readonly Program[];
  /** How often each call was made since the start, or since `clear`; calls that failed count. */
  readonly counts: Readonly<Record<Call, number>>;
  /** The buffers that core holds now. */
  readonly live: Amount;
  /** The most that it ever held. */
  readonly peak: Amount;
  /** Makes the next call of this kind fail with `error` (`after` later ones first succeed). */
  fail(call: Call, error?: Error, after?: number): void;
  /** Forgets entries, programs and counts; live buffers and pending failures stay, the peak falls to what lives. */
  clear(): void;
}

/**
 * Records what is asked of `inner`.
 *
 * @example
 * import { recording } from '@nn/conformance';
 * const backend = recording();
 * const buffer = backend.upload(new Float32Array(3), { dtype: 'float32', shape: [3] });
 * console.log(backend.live); // => { count: 1, bytes: 12 }
 * backend.release(buffer);
 * console.log(backend.live.count, backend.peak.count); // => 0 1
 */
export function recording(inner: Backend = reference()): RecordingBackend {
  return new Recording(inner);
}

const bytesPerElement = { float32: 4, int32: 4, bool: 1, float16: 2, bfloat16: 2, int8: 1, uint8: 1 } as const;

function bytesOf({ dtype, shape }: BufferType): number {
  return shape.reduce((size, extent) => size * extent, bytesPerElement[dtype]);
}

class Recording implements RecordingBackend {
  readonly name: string;
  readonly limits: Limits;
  entries: Entry[] = [];
  programs: Program[] = [];
  counts: Record<Call, number> = { upload: 0, download: 0, release: 0, compile: 0, run: 0, idle: 0 };
  peak: Amount = { count: 0, bytes: 0 };
  readonly #inner: Backend;
  readonly #types = new Map<object, BufferType>();
  readonly #failures: { call: Call; error: Error; after: number }[] = [];
  #bytes = 0;

  constructor(inner: Backend) {
    this.#inner = inner;
    this.name = `recording ${inner.name}`;
    this.limits = inner.limits;
  }

  get live(): Amount {
    return { count: this.#types.size, bytes: this.#bytes };
  }

  fail(call: Call, error: Error = new BackendError(call, 'made to fail by a test.'), after = 0): void {
    this.#failures.push({ call, error, after });
  }

  clear(): void {
    this.entries = [];
    this.programs = [];
    this.counts = { upload: 0, download: 0, release: 0, compile: 0, run: 0, idle: 0 };
    this.peak = this.live;
  }

  upload(data: TensorData, type: BufferType): object {
    this.#note({ call: 'upload', type });
    const buffer = this.#inner.upload(data, type);
    this.#add(buffer, type);
    return buffer;
  }

  async download(buffer: object): Promise<TensorData> {
    this.#note({ call: 'download', type: this.#typeOf(buffer, 'download') });
    return this.#inner.download(buffer);
  }

  release(buffer: object): void {
    this.#note({ call: 'release', type: this.#typeOf(buffer, 'release') });
    this.#inner.release(buffer);
    this.#remove(buffer);
  }

  compile(program: Program): Executable | Promise<Executable> {
    this.#note({ call: 'compile', program });
    this.programs.push(program);
    const compiled = this.#inner.compile(program);
    return compiled instanceof Promise
      ? compiled.then((executable) => this.#wrap(program, executable))
      : this.#wrap(program, compiled);
  }

  async idle(): Promise<void> {
    this.#note({ call: 'idle' });
    return this.#inner.idle();
  }

  #wrap(program: Program, executable: Executable): Executable {
    const settle = (inputs: readonly object[], outputs: readonly object[]): readonly object[] => {
      for (const { input } of program.donations) this.#remove(inputs[input]!);
      outputs.forEach((output, number) => {
        const { dtype, shape } = program.buffers[program.outputs[number]!]!;
        this.#add(output, { dtype, shape });
      });
      return outputs;
    };
    const begin = (inputs: readonly object[], scalars: Float64Array): void => {
      this.#note({ call: 'run', program, scalars: [...scalars] });
      for (const input of inputs) this.#typeOf(input, 'run');
    };
    const wrapped: Executable = {
      run: (inputs, scalars) => {
        begin(inputs, scalars);
        return settle(inputs, executable.run(inputs, scalars));
      },
      release: () => executable.release(),
      ...(executable.paths && { paths: executable.paths }),
    };
    const profile = executable.profile?.bind(executable);
    if (profile === undefined) return wrapped;
    return {
      ...wrapped,
      profile: async (inputs, scalars) => {
        begin(inputs, scalars);
        const result = await profile(inputs, scalars);
        return { outputs: settle(inputs, result.outputs), milliseconds: result.milliseconds };
      },
    };
  }

  /** Writes the call down, and makes it fail where a test wants that. */
  #note(entry: Entry): void {
    this.entries.push(entry);
    this.counts[entry.call] += 1;
    const at = this.#failures.findIndex(({ call }) => call === entry.call);
    if (at < 0) return;
    const failure = this.#failures[at]!;
    if (failure.after > 0) failure.after -= 1;
    else {
      this.#failures.splice(at, 1);
      throw failure.error;
    }
  }

  #typeOf(buffer: object, operation: string): BufferType {
    const type = this.#types.get(buffer);
    if (type === undefined) throw new BackendError(operation, 'the buffer is released, donated or of another backend.');
    return type;
  }

  #add(buffer: object, type: BufferType): void {
    this.#types.set(buffer, type);
    this.#bytes += bytesOf(type);
    this.peak = {
      count: Math.max(this.peak.count, this.#types.size),
      bytes: Math.max(this.peak.bytes, this.#bytes),
    };
  }

  #remove(buffer: object): void {
    this.#bytes -= bytesOf(this.#typeOf(buffer, 'release'));
    this.#types.delete(buffer);
  }
}

/**
 * The WebAssembly engine: buffers are blocks of one linear memory, programs are modules generated at run time.
 * Uploads and downloads are the only copies; a program's intermediates live in one scratch region shared by all.
 */
import { BackendError, type BufferType, type Limits, type Program, type TensorData } from '@nn/core';
import { type CpuOptions, commonLimits, type Engine, type EngineInfo } from '../engine.ts';
import { sizeOf } from '../shape.ts';
import { arrayKinds, bytesPerElement } from '../storage.ts';
import { features } from './code/features.ts';
import { host, type Target, type TileRows } from './code/module-context.ts';
import { WasmBuffer, WasmExecutable } from './executable.ts';
import { libraryBytes } from './kernels/library.ts';
import { fetchWays } from './kernels/special.ts';
import { widen } from './kernels/wide.ts';
import { Lane } from './lane.ts';
import { LinearMemory } from './memory.ts';
import type { NativePrograms } from './native.ts';
import { type CompiledProgram, compileProgram } from './program/program.ts';
import { chooseThreads, ThreadPool } from './threads/pool.ts';

/** Functions that take the place of some of the library's, with the tiles of products that they want. */
export interface LibraryTier {
  /** Rows of the tiles that `multiply` computes: how the library packs what it is given. */
  readonly tileRows: TileRows;
  /** The functions over a memory. */
  link(memory: Uint8Array): LinkedTier;
  /**
   * The same for a worker: source of an expression, a function of a memory that gives the `functions` by name, and `open`, a
   * function of the name of a program and of the host's functions, which gives what `NativeCode.link` gives.
   */
  readonly source: string;
}

export interface LinkedTier {
  readonly functions: Readonly<Record<string, (...words: number[]) => void>>;
  /** Called when the memory has grown: it may lie elsewhere. */
  move(memory: Uint8Array): void;
}

/** The engine, or the reason why there is none here. */
export function wasmEngine(options: CpuOptions): Engine<WasmBuffer> | { readonly unavailable: string } {
  const found = features();
  if (!found.simd) return { unavailable: found.reason };
  const { threads, reason } = chooseThreads(options.threads);
  const fused = found.relaxed && !options.deterministic;
  try {
    return new WasmEngine({ fused, relaxedDots: found.relaxed, threads, reason, wide: options.wide === true });
  } catch (cause) {
    return { unavailable: `there is no linear memory to be had (${cause instanceof Error ? cause.message : cause})` };
  }
}

export class WasmEngine implements Engine<WasmBuffer> {
  readonly name = 'wasm';
  readonly limits: Limits = {
    ...commonLimits,
    maxReads: 32,
    maxBindings: 33,
  };
  readonly memory: LinearMemory;
  /** The order of what touches that memory. */
  readonly lane: Lane = new Lane();
  target: Target;
  #kernels = 0;
  #scratch = { address: 0, bytes: 0 };
  #programs = 0;
  #codeBytes = 0;
  #library: WebAssembly.ModuleImports | null = null;
  #tier: LinkedTier | null = null;
  /** Where the functions of the tier believe the memory to be. */
  #tierMemory: ArrayBufferLike | null = null;
  #notes: EngineInfo['details'] = {};
  /** Where whole programs become native code. */
  programs: NativePrograms | null = null;
  /** Counts the changes of the library, after which what was linked to it is linked anew. */
  version = 0;

  /** Workers, where threads were asked for and are possible. */
  pool: ThreadPool | null;
  readonly #reason: string | null;
  /** Why vectors are not joined to 256 bits though that was asked for. */
  readonly #narrow: string | null;

  constructor(options: {
    readonly fused: boolean;
    readonly relaxedDots?: boolean;
    readonly tileRows?: TileRows;
    readonly threads?: number;
    readonly reason?: string | null;
    readonly wide?: boolean;
  }) {
    // Separate multiplications need one more register.
    const { fused, relaxedDots = fused, threads = 1, reason = null, wide = false } = options;
    const { tileRows = fused && features().recent ? 6 : 4 } = options;
    this.memory = new LinearMemory(threads > 1);
    this.memory.beforeGrowing = () => this.lane.settle();
    this.#narrow = wide ? widen({ fused, tileRows }) : null;
    this.target = {
      fused,
      relaxedDots,
      tileRows,
      wide: wide && this.#narrow === null,
      memory: this.memory.type,
      threads,
    };
    this.#reason = reason;
    this.pool = threads > 1 ? new ThreadPool(this.memory, threads, libraryBytes(this.target)) : null;
  }

  upload(data: TensorData, type: BufferType): WasmBuffer {
    const bytes = bytesPerElement(type.dtype) * sizeOf(type.shape);
    const address = this.memory.allocate(bytes);
    if (data instanceof Float32Array) this.memory.floats.set(data, address / 4);
    else this.memory.bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), address);
    return new WasmBuffer(this, type, address, bytes);
  }

  download(buffer: WasmBuffer): TensorData | Promise<TensorData> {
    try {
      this.check(buffer, 'download');
    } catch (error) {
      return Promise.reject(error);
    }
    const { address, bytes, type } = buffer;
    return this.lane.give(() =>
      type.dtype === 'float32'
        ? this.memory.floats.slice(address / 4, (address + bytes) / 4)
        : new arrayKinds[type.dtype](this.memory.bytes.slice(address, address + bytes).buffer, 0, sizeOf(type.shape)),
    );
  }

  release(buffer: WasmBuffer): void {
    this.check(buffer, 'release');
    buffer.alive = false;
    const { address, capacity } = buffer;
    this.lane.do(() => this.memory.free(address, capacity));
  }

  compile(program: Program): WasmExecutable | Promise<WasmExecutable> {
    return fetchWays(program)?.then(() => this.make(program)) ?? this.make(program);
  }

  /** Of a program whose ways are all there. */
  make(program: Program): WasmExecutable {
    const compiled = compileProgram(program, this.target);
    const made = new WasmExecutable(this, program, compiled);
    this.count(compiled, 1);
    return made;
  }

  /** Counts what lives. */
  count({ kernels, bytes }: CompiledProgram, by: 1 | -1): void {
    this.#kernels += by * kernels;
    this.#programs += by;
    this.#codeBytes += by * bytes.length;
  }

  /** The functions that all programs share. */
  get library(): WebAssembly.ModuleImports {
    if (this.#library === null) {
      const module = new WebAssembly.Module(libraryBytes(this.target));
      const { exports } = new WebAssembly.Instance(module, { memory: { memory: this.memory.memory }, host });
      this.#library = { ...exports, ...this.#tier?.functions } as WebAssembly.ModuleImports;
    }
    return this.#library;
  }

  /** Puts other functions in the place of the library's, from the next run on. */
  raise(tier: LibraryTier): void {
    this.lane.settle();
    this.#tierMemory = this.memory.bytes.buffer;
    this.#tier = tier.link(this.memory.bytes);
    this.target = { ...this.target, tileRows: tier.tileRows };
    if (this.pool && !this.pool.failure) {
      const { threads } = this.pool;
      this.pool.end();
      this.pool = new ThreadPool(this.memory, threads, libraryBytes(this.target), tier.source);
    }
    this.#library = null;
    this.version++;
  }

  /** Facts for people, beside the engine's own. */
  note(details: EngineInfo['details']): void {
    this.#notes = details;
  }

  /** Before a run: other code is told where the memory is, if it has grown. */
  settle(): void {
    if (this.#tier === null) return; // most engines: asking a view for its buffer is a twentieth of a small step
    const { buffer } = this.memory.bytes;
    if (this.#tierMemory === buffer) return;
    this.#tierMemory = buffer;
    this.#tier.move(this.memory.bytes);
  }

  async idle(): Promise<void> {
    await this.lane.give(() => undefined);
  }

  engineInfo(): EngineInfo {
    const { used, pooled } = this.memory;
    return {
      kernels: this.#kernels,
      memory: { used: used - this.#scratch.bytes, pooled, scratch: this.#scratch.bytes },
      details: {
        multiplyAdd: this.target.fused ? 'relaxed (fused)' : 'two roundings',
        vectorBits: this.target.wide ? 256 : 128,
        ...(this.#narrow !== null && { notWide: this.#narrow }),
        threads: this.pool && !this.pool.failure ? this.pool.threads : 1,
        ...this.#singleThread(),
        programs: this.#programs,
        codeBytes: this.#codeBytes,
        linearMemory: this.memory.size,
        ...this.#notes,
        ...this.programs?.details,
        ...(this.lane.runs > 0 && { runsBesideEventLoop: this.lane.runs }),
      },
    };
  }

  /** Why there is one thread, if there is one. */
  #singleThread(): { readonly singleThread?: string } {
    const reason = this.pool ? this.pool.failure : this.#reason;
    return reason === null ? {} : { singleThread: reason };
  }

  check(buffer: WasmBuffer, operation: string): void {
    if (!(buffer instanceof WasmBuffer) || buffer.owner !== this) {
      throw new BackendError(operation, 'this buffer does not belong to this backend.');
    }
    if (!buffer.alive) throw new BackendError(operation, 'this buffer was released or donated before.');
  }

  /** The address of a region of at least `bytes` bytes that is free between calls. */
  scratch(bytes: number): number {
    if (bytes > this.#scratch.bytes) {
      this.lane.settle();
      // Nothing in it is wanted any more: the larger one may lie in its place.
      if (this.#scratch.bytes > 0) this.memory.free(this.#scratch.address, this.#scratch.bytes);
      this.#scratch = { address: 0, bytes: 0 };
      this.#scratch = { address: this.memory.allocate(bytes), bytes };
    }
    return this.#scratch.address;
  }
}

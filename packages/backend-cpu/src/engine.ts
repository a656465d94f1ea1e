/**
 * The seam between `cpu()` and the ways to execute programs: each engine is a backend with memory of its own.
 * `backend.ts` chooses one and checks what comes from outside; nothing else in the package knows more than one engine.
 */
import type { Backend, Limits } from '@nn/core';

/** WebAssembly; loops in generated JavaScript; or loops in fixed code, where a policy forbids to generate any. */
export type EngineName = 'wasm' | 'javascript' | 'interpreter';

export interface CpuOptions {
  /** The way to execute programs. `auto`, the default, takes the fastest that works here; the others insist. */
  readonly engine?: EngineName | 'auto';
  /** Gives equal bits on every machine: no multiply-add with a single rounding. For the engine `wasm`; false by default. */
  readonly deterministic?: boolean;
  /**
   * Threads that share large steps, the caller included; 1 by default. `auto`: one for each processor. Results do not
   * depend on it. For the engine `wasm`, in Node and in cross-origin isolated pages; `info()` says why there is only one.
   */
  readonly threads?: number | 'auto';
  /**
   * Lets V8 join neighbouring vectors of 128 bits into one of 256: products take up to half the time, with equal bits. For
   * the engine `wasm` in Node from 23.5 on, on x64 with AVX2; `info()` says whether it holds, and why not. False by default,
   * because it sets `--experimental-wasm-revectorize`, a flag that V8 calls experimental and that holds for all WebAssembly of
   * the process from then on.
   */
  readonly wide?: boolean;
}

export interface EngineInfo {
  /** The number of distinct kernels in the engine's cache. */
  readonly kernels: number;
  readonly memory: {
    /** Bytes in buffers that core holds. */
    readonly used: number;
    /** Bytes of released buffers, kept for the next outputs. */
    readonly pooled: number;
    /** Bytes for intermediates and inside kernels, one region for all programs. */
    readonly scratch: number;
  };
  /** What else is worth knowing about this engine. */
  readonly details: Readonly<Record<string, string | number | boolean>>;
}

/** What all engines have in common. */
export const commonLimits: Omit<Limits, 'maxReads' | 'maxBindings'> = {
  dtypes: ['float32', 'int32', 'bool', 'float16', 'bfloat16', 'int8', 'uint8'],
  maxLength: 2 ** 30,
  exactInt32: true,
  inPlace: true,
  loops: true,
  hostMemory: true,
  maxResident: { count: 4096, bytes: 256 * 2 ** 20 },
};

/**
 * A way to execute programs. Uploads arrive checked (kind, length, dtype among the limits); handles need not be of this
 * engine, nor alive: it throws a `BackendError` for those.
 */
export interface Engine<B extends object = object> extends Backend<B> {
  readonly name: EngineName;
  engineInfo(): EngineInfo;
}

/** Makes an engine, or says why it cannot work here (a policy, a missing feature), in words that follow "because". */
export type EngineFactory = (options: CpuOptions) => Engine | { readonly unavailable: string };

/**
 * `@nn/backend-cpu/tier`: for packages that bring other code for functions of the WebAssembly engine's library, as
 * `@nn/backend-native` does. The engine starts with its own functions; once others are there, they take their place between
 * two runs, on the same memory, under the same plans and threads. Not for programs that train networks.
 */
import { type CpuBackend, makeCpu } from '../backend.ts';
import type { CpuOptions } from '../engine.ts';
import { type LibraryTier, WasmEngine, wasmEngine } from './engine.ts';

export type { CpuBackend, CpuInfo } from '../backend.ts';
export type { CpuOptions, EngineInfo, EngineName } from '../engine.ts';
export type { LibraryTier, LinkedTier } from './engine.ts';

/** A backend whose functions may be replaced. */
export interface TieredCpu {
  readonly backend: CpuBackend;
  /** Whether multiply-add may round once, in the functions that are brought. */
  readonly fused: boolean;
  /** Puts other functions in the place of the engine's own, from the next run on. */
  raise(tier: LibraryTier): void;
  /** Adds facts to `info().details`, in the place of those that were added before. */
  note(details: Readonly<Record<string, string | number | boolean>>): void;
}

/** As `cpu()` of `@nn/backend-cpu/wasm`. Throws a `BackendError` where there is no WebAssembly. */
export function tieredCpu(options: CpuOptions = {}): TieredCpu {
  const made: WasmEngine[] = [];
  const backend = makeCpu(options, {
    wasm: (given) => {
      const engine = wasmEngine(given);
      if (engine instanceof WasmEngine) made.push(engine);
      return engine;
    },
  });
  // makeCpu throws where there is none
  const own = made[0]!;
  return {
    backend,
    fused: options.deterministic !== true,
    raise: (tier) => own.raise(tier),
    note: (details) => own.note(details),
  };
}

/** `@nn/backend-cpu/wasm`: the WebAssembly engine alone, without what `cpu()` falls back to where it cannot work. */
import { type CpuBackend, makeCpu } from '../backend.ts';
import type { CpuOptions } from '../engine.ts';
import { wasmEngine } from './engine.ts';

export type { CpuBackend, CpuInfo } from '../backend.ts';
export type { CpuOptions, EngineInfo, EngineName } from '../engine.ts';

/**
 * A backend that computes in WebAssembly, as `cpu({ engine: 'wasm' })` of `@nn/backend-cpu` does.
 * Throws a `BackendError` where there is no WebAssembly with SIMD, or a policy forbids to compile it.
 *
 * @example
 * import { cpu } from '@nn/backend-cpu/wasm';
 * console.log(cpu().info().engine); // => wasm
 */
export function cpu(options: CpuOptions = {}): CpuBackend {
  return makeCpu(options, { wasm: wasmEngine });
}

/** The `cpu()` of the main entry: the fastest engine that works, out of all. */
import { algorithms } from './algorithms/fetched.ts';
import { type CpuBackend, makeCpu } from './backend.ts';
import type { CpuOptions } from './engine.ts';
import { interpreterEngine } from './interpreter/engine.ts';
import { javascriptEngine } from './javascript/engine.ts';
import { wasmEngine } from './wasm/engine.ts';

/**
 * A backend that computes on the CPU with no native code, in Node and in browsers.
 * Throws a `BackendError` when the engine that `options` insists on cannot work here.
 *
 * @example
 * import { cpu } from '@nn/backend-cpu';
 * console.log(cpu({ engine: 'interpreter' }).info().engine); // => interpreter
 */
export function cpu(options: CpuOptions = {}): CpuBackend {
  return makeCpu(options, {
    wasm: wasmEngine,
    javascript: javascriptEngine(algorithms),
    interpreter: interpreterEngine,
  });
}

/**
 * `@nn/backend-cpu/javascript`: the engine that generates JavaScript alone, for bundles that have to be small. It carries
 * no packed convolution: convolutions are plain loops here.
 */
import { type CpuBackend, makeCpu } from '../backend.ts';
import type { CpuOptions } from '../engine.ts';
import { javascriptEngine } from './engine.ts';

export type { CpuBackend, CpuInfo } from '../backend.ts';
export type { CpuOptions, EngineInfo, EngineName } from '../engine.ts';

/**
 * A backend that computes in generated JavaScript, as `cpu({ engine: 'javascript' })` of `@nn/backend-cpu` does, but
 * for convolutions, which take about three times as long.
 * Throws a `BackendError` where a policy forbids to generate functions.
 *
 * @example
 * import { cpu } from '@nn/backend-cpu/javascript';
 * console.log(cpu().info().engine); // => javascript
 */
export function cpu(options: CpuOptions = {}): CpuBackend {
  return makeCpu(options, { javascript: javascriptEngine(null) });
}

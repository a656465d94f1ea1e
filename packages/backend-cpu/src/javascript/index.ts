/**
 * `@nn/backend-cpu/javascript`: the engine that generates JavaScript alone, for bundles that have to be small. It carries
 * none of the fixed algorithms: all kernels are the plain loops that they mean.
 */
import { type CpuBackend, makeCpu } from '../backend.ts';
import type { CpuOptions } from '../engine.ts';
import { javascriptEngine } from './engine.ts';

export type { CpuBackend, CpuInfo } from '../backend.ts';
export type { CpuOptions, EngineInfo, EngineName } from '../engine.ts';

/**
 * A backend that computes in generated JavaScript, as `cpu({ engine: 'javascript' })` of `@nn/backend-cpu` does, but
 * without its algorithms: every kernel is plain loops. That is as fast for networks like 2-8-1; layers of 32 units take
 * 1.6 times as long, those of several hundred 2.6 times, convolutions three times, and the time of a sort or a running
 * sum grows with the square of the length.
 * Throws a `BackendError` where a policy forbids to generate functions.
 *
 * @example
 * import { cpu } from '@nn/backend-cpu/javascript';
 * console.log(cpu().info().engine); // => javascript
 */
export function cpu(options: CpuOptions = {}): CpuBackend {
  return makeCpu(options, { javascript: javascriptEngine(null) });
}

/**
 * `@nn/backend-cpu/javascript`: the engine that generates JavaScript alone, for bundles that have to be small. Of the
 * fixed algorithms it carries the matrix product: everything else is plain loops.
 */
import { contraction } from '../algorithms/contraction.ts';
import { type CpuBackend, makeCpu } from '../backend.ts';
import type { CpuOptions } from '../engine.ts';
import { javascriptEngine } from './engine.ts';

export type { CpuBackend, CpuInfo } from '../backend.ts';
export type { CpuOptions, EngineInfo, EngineName } from '../engine.ts';

/**
 * A backend that computes in generated JavaScript, as `cpu({ engine: 'javascript' })` of `@nn/backend-cpu` does, with
 * one algorithm, the packed matrix product. What else has one there is plain loops here: convolutions take about three
 * times as long, and the time of a sort or a running sum grows with the square of the length.
 * Throws a `BackendError` where a policy forbids to generate functions.
 *
 * @example
 * import { cpu } from '@nn/backend-cpu/javascript';
 * console.log(cpu().info().engine); // => javascript
 */
export function cpu(options: CpuOptions = {}): CpuBackend {
  return makeCpu(options, { javascript: javascriptEngine({ contraction }) });
}

import { testConformance } from '@nn/conformance/vitest';
import { type GpuBackend, gpu } from './index.ts';

/**
 * The software device of the test browser makes numbers below 1.2e-38 zero; in these operations that shows.
 */
const flushed =
  'neg abs sign floor ceil erf relu silu truth sum max min add sub mul maximum minimum less lessEqual equal where'.split(
    ' ',
  );

const options = {
  functionError: 1e-6,
  randomCases: 20,
  lacks: Object.fromEntries(flushed.map((name) => [`subnormal/${name}`, 'SwiftShader makes them zero'] as const)),
  release: (backend: unknown): void => (backend as GpuBackend).destroy(),
};

testConformance('gpu on webgl2', () => gpu({ mode: 'webgl2' }), options);
testConformance('gpu on webgpu', () => gpu({ mode: 'webgpu' }), options);

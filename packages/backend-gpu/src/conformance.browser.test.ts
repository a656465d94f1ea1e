import { conformanceCases, runConformanceCase, skipOf } from '@nn/conformance';
import { testConformance } from '@nn/conformance/vitest';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { makeBackend } from './backend.ts';
import { loadGpuJs } from './facade.ts';
import { GlDevice } from './gl-device.ts';
import { type GpuBackend, gpu } from './index.ts';
import { WebGpuDevice } from './webgpu-device.ts';

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

describe.each(['webgl2', 'webgpu'] as const)('the fast forms of hints at every size on %s', (mode) => {
  let backend: GpuBackend;
  beforeAll(async () => {
    const library = await loadGpuJs();
    const device = mode === 'webgl2' ? new GlDevice(library) : await WebGpuDevice.open(library);
    backend = makeBackend(device, { lacks: {}, functionError: 1e-6 }, true);
  });
  afterAll(() => backend.destroy());
  for (const conformanceCase of conformanceCases({ randomCases: 10 })) {
    if (conformanceCase.group !== 'programs') continue;
    it(conformanceCase.name, async ({ skip }) => {
      const context = { backend, options: { functionError: 1e-6 } };
      const reason = skipOf(conformanceCase, context);
      if (reason !== null) skip(reason);
      await runConformanceCase(conformanceCase, context);
    });
  }
});

import { conformanceCases, runConformanceCase, skipOf } from '@nn/conformance';
import { testConformance } from '@nn/conformance/vitest';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { makeBackend } from '../backend.ts';
import { probe } from '../device/limits.ts';
import { type GpuMode, openDevice } from '../gpu.ts';
import type { GpuBackend } from '../index.ts';

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

/**
 * As gpu() makes it, but for the kernels that are kept: the kit has 2,400 different ones and comes back to most of them,
 * with the gradients of an operation and with the operation between others. Compiling is what takes long here.
 */
async function open(mode: GpuMode, always = false): Promise<GpuBackend> {
  const device = await openDevice(mode);
  return makeBackend(device, await probe(device), { always, kernels: 4096 });
}

/**
 * Both devices are handed the same loops; what differs is how a loop is written and how it is launched, which special numbers,
 * programs and functions show, all run on both: the programs below, with hints and without them. Of values, graphs, and the
 * same loops in other orders, each runs a part, and WebGL 2, whose compiler takes twice as long, a smaller one; `NN_KIT=whole
 * npm test` runs everything.
 */
const isWhole = (import.meta as { env?: { NN_KIT?: string } }).env?.NN_KIT === 'whole';
testConformance('gpu on webgl2', () => open('webgl2'), {
  ...options,
  every: isWhole
    ? {}
    : { values: 6, gradients: 24, fusion: 24, programs: 5, 'random graphs': 4, 'functions of tensors': 6 },
});
testConformance('gpu on webgpu', () => open('webgpu'), {
  ...options,
  every: isWhole
    ? {}
    : { values: 3, gradients: 8, fusion: 12, programs: 4, 'random graphs': 2, 'functions of tensors': 3 },
});

describe.each(['webgl2', 'webgpu'] as const)('the fast forms of hints at every size on %s', (mode) => {
  let backend: GpuBackend;
  beforeAll(async () => {
    backend = await open(mode, true);
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

import { testConformance } from '@nn/conformance/vitest';
import { describe, it } from 'vitest';
import { type GpuBackend, gpu } from '../index.ts';
import { nodeDevices } from './node-tests.ts';

for (const { mode, reason } of await nodeDevices()) {
  if (reason === null) {
    testConformance(`gpu on ${mode}`, () => gpu({ mode }), {
      functionError: 1e-6,
      randomCases: 20,
      release: (backend) => (backend as GpuBackend).destroy(),
    });
  } else describe(`gpu on ${mode} conforms`, () => it('to the kit', ({ skip }) => skip(reason)));
}

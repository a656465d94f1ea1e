import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { available, gpu } from '../index.ts';
import { testDevice } from '../testing/device-tests.ts';
import { nodeDevices } from '../testing/node-tests.ts';
import { testNumbers } from '../testing/numbers-tests.ts';
import { testSwap } from '../testing/swap-tests.ts';
import { loadGpuJs } from './facade.ts';
import { HeadlessDevice } from './headless-device.ts';
import { withNavigatorGpu } from './navigator.ts';
import { WebGpuDevice } from './webgpu-device.ts';

const devices = await nodeDevices();

for (const { mode, reason } of devices) {
  if (reason !== null) describe(mode, () => it('works', ({ skip }) => skip(reason)));
  else {
    testDevice(mode, async () => {
      const library = await loadGpuJs();
      return mode === 'headlessgl' ? HeadlessDevice.open(library) : withNavigatorGpu(() => WebGpuDevice.open(library));
    });
    testNumbers(mode);
    testSwap(mode);
    it(`ends the process by itself on ${mode}`, () => {
      const program = `import { gpu } from '@nn/backend-gpu';
        import { tensor } from '@nn/core';
        const backend = await gpu({ mode: '${mode}' });
        console.log(...(await tensor([1, 2], { backend }).mul(3).data()));`;
      const flags = ['--conditions=@nn/source', '--import', import.meta.resolve('tsx'), '--input-type=module'];
      const output = execFileSync(process.execPath, [...flags, '--eval', program], {
        cwd: import.meta.dirname,
        env: { ...process.env, NODE_PATH: join(process.cwd(), 'node_modules') },
        stdio: ['ignore', 'pipe', 'ignore'],
        timeout: 100_000,
      });
      expect(String(output).trim()).toBe('3 6');
    });
  }
}

describe('gpu() in Node', () => {
  it('takes the first device that works', async ({ skip }) => {
    const first = devices.find(({ reason }) => reason === null);
    if (first === undefined) return skip('no device here');
    const backend = await gpu();
    expect(backend.info().mode).toBe(first.mode);
    backend.destroy();
  });

  it('leaves the globals as they were', async () => {
    const globals = (): unknown[] => [
      Object.getOwnPropertyDescriptor(globalThis, 'GPU'),
      Object.getOwnPropertyDescriptor(globalThis, 'navigator'),
      typeof navigator === 'object' && 'gpu' in navigator,
    ];
    const before = globals();
    await available();
    expect(globals()).toEqual(before);
  });
});

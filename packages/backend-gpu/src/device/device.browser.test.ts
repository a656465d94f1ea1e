import { isNNError } from '@nn/core';
import { describe, expect, it, vi } from 'vitest';
import { available, gpu } from '../index.ts';
import { testDevice } from '../testing/device-tests.ts';
import { loadGpuJs } from './facade.ts';
import { GlDevice } from './gl-device.ts';
import { WebGpuDevice } from './webgpu-device.ts';

/** How often the browser made and deleted textures and buffers since the call. */
function countResources(): () => number {
  let live = 0;
  const change = (by: number) => (): void => {
    live += by;
  };
  const wrap = (prototype: object, method: string, after: () => void): void => {
    const original = Reflect.get(prototype, method) as (...args: unknown[]) => unknown;
    vi.spyOn(prototype as Record<string, (...args: unknown[]) => unknown>, method).mockImplementation(function (
      this: unknown,
      ...args
    ) {
      after();
      return original.apply(this, args);
    });
  };
  wrap(WebGL2RenderingContext.prototype, 'createTexture', change(1));
  wrap(WebGL2RenderingContext.prototype, 'deleteTexture', change(-1));
  wrap(WebGL2RenderingContext.prototype, 'createBuffer', change(1));
  wrap(WebGL2RenderingContext.prototype, 'deleteBuffer', change(-1));
  for (const [name, method, by] of [
    ['GPUDevice', 'createBuffer', 1],
    ['GPUBuffer', 'destroy', -1],
  ] as const) {
    const type: unknown = Reflect.get(globalThis, name);
    if (typeof type === 'function') wrap(type.prototype as object, method, change(by));
  }
  return () => live;
}

describe('gpu()', () => {
  it('finds both ways in this browser and names the device', async () => {
    const list = await available();
    expect(list).toEqual([
      { mode: 'webgl2', usable: true, detail: expect.stringMatching(/./) },
      { mode: 'headlessgl', usable: false, detail: 'headless-gl is for Node.' },
      { mode: 'webgpu', usable: true, detail: expect.stringMatching(/./) },
    ]);
  });

  it("leaves the page's GPU and navigator.gpu as they were", async () => {
    const before = Object.getOwnPropertyDescriptor(globalThis, 'GPU');
    const native = navigator.gpu;
    await loadGpuJs();
    expect(Object.getOwnPropertyDescriptor(globalThis, 'GPU')).toEqual(before);
    expect(navigator.gpu).toBe(native);
  });

  it('does not end a device that is in use when it looks for others', async () => {
    const backend = await gpu({ mode: 'webgpu' });
    await available();
    const buffer = backend.upload(Float32Array.of(3), { dtype: 'float32', shape: [1] });
    expect(await backend.download(buffer)).toEqual(Float32Array.of(3));
    backend.destroy();
  });

  it('says what was tried where there is no context', async () => {
    vi.spyOn(OffscreenCanvas.prototype, 'getContext').mockReturnValue(null);
    const error = await gpu({ mode: 'webgl2' }).catch((reason: unknown) => reason);
    expect(isNNError(error) && error.message).toBe(
      'gpu: no usable device. webgl2: this browser gives no WebGL 2 context. Allow hardware acceleration in the browser, try another browser, or use the CPU backend.',
    );
  });

  it('refuses a device that computes wrong sums', async () => {
    vi.spyOn(GlDevice.prototype, 'read').mockResolvedValue(new Float32Array(6));
    await expect(gpu({ mode: 'webgl2' })).rejects.toThrow(/computes wrong sums \(0 instead of \d+/);
  });
});

testDevice('webgl2', async () => new GlDevice(await loadGpuJs()), countResources);
testDevice('webgpu', async () => WebGpuDevice.open(await loadGpuJs()), countResources);

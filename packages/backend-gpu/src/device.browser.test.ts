import { BackendError, isNNError, type Program } from '@nn/core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { makeBackend } from './backend.ts';
import type { Device } from './device.ts';
import { loadGpuJs } from './facade.ts';
import { GlDevice } from './gl-device.ts';
import { available, type GpuBackend, type GpuMode, gpu } from './index.ts';
import { KernelCache } from './kernel-cache.ts';
import { elementWise, oneStep } from './test-programs.ts';
import { WebGpuDevice } from './webgpu-device.ts';

const none = new Float64Array(0);
const modes: readonly GpuMode[] = ['webgl2', 'webgpu'];

async function open(mode: GpuMode): Promise<Device> {
  const library = await loadGpuJs();
  return mode === 'webgl2' ? new GlDevice(library) : WebGpuDevice.open(library);
}

const addOne = (length: number, donate?: number): Program =>
  oneStep(
    elementWise(length, 1, (body, a) => void body.alu('add', 'float32', a as number, body.number(1))),
    [length],
    donate,
  );

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

describe.each(modes)('%s', (mode) => {
  let backend: GpuBackend;
  beforeAll(async () => {
    backend = await gpu({ mode });
  });
  afterAll(() => backend.destroy());

  it.each([1, 2, 3, 4, 5, 1023, 4096, 100_001])('gives back %i numbers as they were', async (length) => {
    const data = Float32Array.from({ length }, (_, at) => at * 0.5 - 7);
    const buffer = backend.upload(data, { dtype: 'float32', shape: [length] });
    expect(await backend.download(buffer)).toEqual(data);
    backend.release(buffer);
  });

  it('keeps integers and truth values', async () => {
    const integers = Int32Array.of(-5, 0, 7, 16_777_216, -16_777_216);
    const truths = Uint8Array.of(1, 0, 1);
    const a = backend.upload(integers, { dtype: 'int32', shape: [5] });
    const b = backend.upload(truths, { dtype: 'bool', shape: [3] });
    expect(await backend.download(a)).toEqual(integers);
    expect(await backend.download(b)).toEqual(truths);
    backend.release(a);
    backend.release(b);
  });

  it('copies what it uploads before it returns', async () => {
    const data = Float32Array.of(1, 2, 3);
    const buffer = backend.upload(data, { dtype: 'float32', shape: [3] });
    data.fill(0);
    expect(await backend.download(buffer)).toEqual(Float32Array.of(1, 2, 3));
    backend.release(buffer);
  });

  it('refuses a buffer that was released or donated', async () => {
    const executable = await backend.compile(addOne(3, 0));
    const buffer = backend.upload(Float32Array.of(1, 2, 3), { dtype: 'float32', shape: [3] });
    const [output] = executable.run([buffer], none);
    expect(() => executable.run([buffer], none)).toThrow('a buffer was used after it was released or donated');
    backend.release(output!);
    await expect(backend.download(output!)).rejects.toThrow(BackendError);
    executable.release();
  });

  it('compiles an element-wise program once for all sizes', async () => {
    const before = backend.info().counters.compiled;
    for (const length of [8, 80, 8000]) (await backend.compile(addOne(length))).release();
    expect(backend.info().counters.compiled - before).toBeLessThanOrEqual(1);
  });

  it('says which kernel the device did not compile', async () => {
    const body = elementWise(4, 1, (writer, a) => void writer.alu('add', 'float32', a as number, 0));
    const program = oneStep(body, [4]);
    await expect(backend.compile(program)).rejects.toThrow(/did not compile a kernel/);
    // and works on
    const executable = await backend.compile(addOne(4));
    executable.release();
  });

  it('makes no texture or buffer over 10,000 runs', async () => {
    const live = countResources();
    const executable = await backend.compile(addOne(256, 0));
    let buffer = backend.upload(new Float32Array(256), { dtype: 'float32', shape: [256] });
    const step = (): void => {
      buffer = executable.run([buffer], none)[0]!;
    };
    for (let at = 0; at < 10; at++) step();
    const start = live();
    for (let at = 0; at < 10_000; at++) {
      step();
      if (at % 500 === 0) await backend.idle();
    }
    expect((await backend.download(buffer))[0]).toBe(10_010);
    expect(live()).toBe(start);
    backend.release(buffer);
    executable.release();
  });

  it('computes on after kernels were evicted', async () => {
    const device = await open(mode);
    const cache = new KernelCache(device, 2);
    const { plan } = await import('./plan.ts');
    const own = makeBackend(device, { lacks: {}, functionError: 0 });
    const run = async (factor: number): Promise<number> => {
      const nest = elementWise(4, 1, (body, a) => void body.alu('mul', 'float32', a as number, body.number(factor)));
      const executable = await plan(oneStep(nest, [4]), device, cache);
      const input = own.upload(Float32Array.of(1, 2, 3, 4), { dtype: 'float32', shape: [4] });
      const [output] = executable.run([input], none);
      const result = await own.download(output!);
      executable.release();
      own.release(input);
      own.release(output!);
      return result[3]!;
    };
    for (let factor = 2; factor < 9; factor++) expect(await run(factor)).toBe(4 * factor);
    expect(device.counters.kernels).toBeLessThanOrEqual(3);
    own.destroy();
  });

  it('times each step', async () => {
    const executable = await backend.compile(addOne(64));
    const input = backend.upload(new Float32Array(64), { dtype: 'float32', shape: [64] });
    const { outputs, milliseconds } = await executable.profile!([input], none);
    expect(milliseconds).toHaveLength(1);
    expect(milliseconds[0]).toBeGreaterThan(0);
    for (const buffer of [input, ...outputs]) backend.release(buffer);
    executable.release();
  });
});

describe.each(modes)('%s when the device is lost', (mode) => {
  it('throws from every call and never gives zeros', async () => {
    const backend = await gpu({ mode });
    const executable = await backend.compile(addOne(4));
    const buffer = backend.upload(Float32Array.of(1, 2, 3, 4), { dtype: 'float32', shape: [4] });
    const pending = backend.download(buffer).then(
      (data) => [...data],
      (error: unknown) => error,
    );
    backend.destroy();
    const early = await pending;
    if (Array.isArray(early)) expect(early).toEqual([1, 2, 3, 4]);
    else expect(early).toBeInstanceOf(BackendError);
    // the browser tells of the loss in its own time
    await new Promise((resolve) => setTimeout(resolve, 50));
    const lost = expect.objectContaining({ data: expect.objectContaining({ lost: true }) });
    await expect(backend.download(buffer)).rejects.toEqual(lost);
    await expect(backend.idle()).rejects.toEqual(lost);
    expect(() => executable.run([buffer], none)).toThrow('was lost');
    expect(() => backend.upload(Float32Array.of(1), { dtype: 'float32', shape: [1] })).toThrow('was lost');
    // a new device works
    const next = await gpu({ mode });
    const again = next.upload(Float32Array.of(5), { dtype: 'float32', shape: [1] });
    expect(await next.download(again)).toEqual(Float32Array.of(5));
    next.destroy();
  });
});

/**
 * Owns: what every device does, as tests: numbers come back, memory does not grow, kernels are shared, loss is told.
 * Does not own: which devices there are (`device.browser.test.ts`, `device.node.test.ts`).
 */
import { BackendError, type Program } from '@nn/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeBackend } from '../backend.ts';
import type { Device } from '../device/device.ts';
import { type GpuBackend, type GpuMode, gpu } from '../index.ts';
import { KernelCache } from '../program/kernel-cache.ts';
import { elementWise, oneStep } from './test-programs.ts';

const none = new Float64Array(0);

const addOne = (length: number, donate?: number): Program =>
  oneStep(
    elementWise(length, 1, (body, a) => void body.alu('add', 'float32', a as number, body.number(1))),
    [length],
    donate,
  );

/** `count` starts to count textures and buffers, where something beside the backend can; gives how many there are more. */
export function testDevice(mode: GpuMode, open: () => Promise<Device>, count?: () => () => number): void {
  describe(mode, () => {
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
      const live = count?.() ?? (() => backend.info().counters.live);
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
      const device = await open();
      const cache = new KernelCache(device, 2);
      const { plan } = await import('../program/plan.ts');
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

  describe(`${mode} when the device is lost`, () => {
    it('throws from every call and never gives zeros', async () => {
      const backend = await gpu({ mode });
      const executable = await backend.compile(addOne(4));
      const buffer = backend.upload(Float32Array.of(1, 2, 3, 4), { dtype: 'float32', shape: [4] });
      const pending = Promise.resolve(backend.download(buffer)).then(
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
}

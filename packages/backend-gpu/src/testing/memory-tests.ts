/** Owns: the tests of memory that comes back from a device, for any device: models come and go, and nobody disposes of them. */

import { recording } from '@nn/conformance';
import { compile, parameter, setDefaultBackend, type Tensor, tensor, zeros } from '@nn/core';
import { crossEntropy, Linear, ReLU, Sequential } from '@nn/layers';
import { Adam } from '@nn/optim';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GpuBackend, type GpuMode, gpu } from '../index.ts';

/** 31 MB each: nearly twice what values of variables may hold before cold ones move to the host. */
const rounds = 60;
const most = 2 ** 30;
const labels = Int32Array.from({ length: 8 }, (_, at) => at % 3);

/** Trains a model that nobody has afterwards, by steps of its own and by a compiled one. Every result is read. */
async function trainOne(x: Tensor, y: Tensor): Promise<void> {
  const model = new Sequential(new Linear(4, 16), new ReLU(), new Linear(16, 3));
  const optimizer = new Adam(model, { learningRate: 0.02 });
  const first = crossEntropy(model.forward(x), y);
  await optimizer.step(first);
  await first.item();
  const step = compile((input: Tensor) => {
    const loss = crossEntropy(model.forward(input), y);
    void optimizer.step(loss);
    return loss;
  });
  for (let call = 0; call < 4; call++) await (await step(x)).item();
}

/** What cannot be reached is collected, and registries are told. */
async function collect(): Promise<void> {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('These tests collect garbage: start the browser with --js-flags=--expose-gc.');
  for (let turn = 0; turn < 4; turn++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export function testMemory(mode: GpuMode): void {
  describe(`memory of dropped models on ${mode}`, () => {
    let device: GpuBackend;
    beforeAll(async () => {
      device = await gpu({ mode });
    });
    afterAll(() => device.destroy());

    it('comes back: as many buffers live after ten models as after four', async () => {
      const backend = recording(device);
      setDefaultBackend(backend);
      const [x, y] = [zeros([8, 4]), tensor(labels)];
      const live: number[] = [];
      for (let model = 0; model < 10; model++) {
        await trainOne(x, y);
        await collect();
        live.push(backend.live.count);
      }
      expect(live[9], `live buffers after each model: ${live}`).toBeLessThanOrEqual(live[3]!);
    });

    it('comes back in time: what was dropped never holds more than values of variables may', async () => {
      setDefaultBackend(device);
      const values = new Float32Array(31 * 2 ** 18);
      const before = device.info().counters.bytes;
      let peak = 0;
      for (let round = 0; round < rounds; round++) {
        const weight = parameter(values, { borrow: true });
        await weight.at([0, 10]).sum().item();
        peak = Math.max(peak, device.info().counters.bytes - before);
      }
      // nothing here collects but the library itself
      expect(peak).toBeLessThan(most + values.byteLength);
    });
  });
}

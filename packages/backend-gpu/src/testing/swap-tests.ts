/** Owns: the tests of training that moves between the CPU and a device, for any device. */
import { cpu } from '@nn/backend-cpu';
import { type Backend, move, setDefaultBackend, setSeed, tensor } from '@nn/core';
import { crossEntropy, Dropout, Linear, ReLU, Sequential } from '@nn/layers';
import { Adam } from '@nn/optim';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GpuBackend, type GpuMode, gpu } from '../index.ts';

const classes = 3;
const inputs = Float32Array.from({ length: 24 * 6 }, (_, at) => Math.sin(at * 1.7) + (at % 5) / 5);
const labels = Int32Array.from({ length: 24 }, (_, at) => (at * at) % classes);

/** The losses of a run that moves to the next backend whenever its steps are done. */
async function train(parts: readonly (readonly [Backend, number])[]): Promise<number[]> {
  setSeed(7);
  setDefaultBackend(parts[0]![0]);
  const model = new Sequential(new Linear(6, 16), new ReLU(), new Dropout(0.2), new Linear(16, classes));
  const optimizer = new Adam(model, { learningRate: 0.02 });
  const losses: number[] = [];
  for (const [backend, steps] of parts) {
    setDefaultBackend(backend);
    await move(model, optimizer, backend);
    const x = tensor(inputs, { shape: [24, 6] });
    const y = tensor(labels);
    for (let step = 0; step < steps; step++) {
      const loss = crossEntropy(model.forward(x), y);
      await optimizer.step(loss);
      losses.push(await loss.item());
    }
  }
  return losses;
}

export function testSwap(mode: GpuMode): void {
  describe(`training that moves between the CPU and ${mode}`, () => {
    let device: GpuBackend;
    const host = cpu();
    beforeAll(async () => {
      device = await gpu({ mode });
    });
    afterAll(() => device.destroy());

    it('has the losses of a run on either', async () => {
      const onHost = await train([[host, 150]]);
      const onDevice = await train([[device, 150]]);
      const mixed = await train([
        [host, 50],
        [device, 50],
        [host, 50],
      ]);
      for (const [step, loss] of onHost.entries()) {
        expect(onDevice[step], `step ${step} on the device`).toBeCloseTo(loss, 3);
        expect(mixed[step], `step ${step} of the mixed run`).toBeCloseTo(loss, 3);
      }
      expect(onHost[149]).toBeLessThan(onHost[0]! * 0.8);
    });

    it('refuses tensors of two backends in one operation, and names both', () => {
      const a = tensor([1, 2], { backend: host });
      const b = tensor([1, 2], { backend: device });
      expect(() => a.add(b)).toThrow(/'cpu' and 'gpu'/);
    });
  });
}

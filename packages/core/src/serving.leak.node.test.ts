/** Models that come and go on the real engines: memory, programs and kernels stay bounded, without a word from anybody. */
import { cpu, type EngineName } from '@nn/backend-cpu';
import { Linear, ReLU, Sequential } from '@nn/layers';
import { Adam } from '@nn/optim';
import { expect, test, vi } from 'vitest';
import { evaluate, parameter, setDefaultBackend, type Tensor, tensor } from './index.ts';

const megabyte = 2 ** 20;
const engines: EngineName[] = ['wasm', 'javascript'];

test.each(engines)(
  'parameters of 16 MB that are read once, 700 MB of them, on %s',
  async (engine) => {
    const backend = cpu({ engine });
    setDefaultBackend(backend);
    let peak = 0;
    for (let round = 0; round < 44; round++) {
      const weight = parameter(new Float32Array(4 * megabyte), { borrow: true });
      await weight.at([0, 10]).sum().item();
      peak = Math.max(peak, backend.info().memory.used);
    }
    // nothing here collects but the library itself, at 256 MB; two parameters more may be under way by then
    expect(peak / megabyte).toBeLessThan(300);
  },
  120_000,
);

test.each(engines)(
  'folds of a model with its optimizer, on %s',
  async (engine) => {
    const backend = cpu({ engine });
    setDefaultBackend(backend);
    const x = tensor(new Float32Array(4 * 512), { shape: [4, 512] });
    let peak = 0;
    for (let fold = 0; fold < 60; fold++) {
      const model = new Sequential(new Linear(512, 512), new ReLU(), new Linear(512, 512));
      const optimizer = new Adam(model, { learningRate: 0.01 });
      for (let step = 0; step < 2; step++) await optimizer.step((model.forward(x) as Tensor).square().mean());
      peak = Math.max(peak, backend.info().memory.used);
    }
    // 6 MB a fold, 360 MB in all
    expect(peak / megabyte).toBeLessThan(220);
  },
  120_000,
);

test('models of many widths: programs and kernels are bounded', async () => {
  vi.spyOn(console, 'warn').mockReturnValue(); // each width is compiled anew: that is what this is about
  const backend = cpu({ engine: 'wasm' });
  setDefaultBackend(backend);
  const kernels: number[] = [];
  for (let width = 1; width <= 900; width++) {
    const model = new Linear(2, width);
    await evaluate(() => model.forward(tensor([[1, 2]]))).data();
    if (width % 100 === 0) kernels.push(backend.info().kernels);
  }
  expect(kernels[8]).toBeLessThanOrEqual((kernels[5] as number) * 1.4);
});

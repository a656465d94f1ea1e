/** Whoever looks at a training a thousand times, reading maps and gradients each time, holds memory flat from the first looks on. */
import { cpu } from '@nn/backend-cpu';
import { expect, test } from 'vitest';
import { compile, evaluate, gradients, parameter, setDefaultBackend, type Tensor, tensor } from './index.ts';

test.each(['wasm', 'javascript'] as const)(
  '1,000 looks: %s',
  async (engine) => {
    const backend = cpu({ engine });
    setDefaultBackend(backend);
    const weight = parameter(new Float32Array(64 * 100).fill(0.01), { shape: [64, 100] });
    const x = tensor(new Float32Array(250 * 64).fill(0.5), { shape: [250, 64] });
    const look = compile((inputs: Tensor) =>
      evaluate(() => {
        const output = inputs.matmul(weight).tanh();
        return { output, slope: gradients(output.square().mean(), [weight])[0] as Tensor };
      }),
    );
    const used: number[] = [];
    for (let count = 1; count <= 1000; count++) {
      const { output, slope } = await look(x); // 100 kB and 25.6 kB
      await Promise.all([output.data(), slope.data()]);
      if (count >= 200 && count % 100 === 0) used.push(backend.info().memory.used);
    }
    expect(Math.max(...used) - Math.min(...used)).toBeLessThan(130_000);
    expect(Math.max(...used)).toBeLessThan(10 * 2 ** 20);
  },
  60_000,
);

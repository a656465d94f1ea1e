/** Measured work is the same work: on every engine, as a compiled function whose calls overlap, and unawaited. */
import { compile, parameter, profile, type Tensor, tensor } from '@nn/core';
import { expect, it } from 'vitest';
import { cpu } from './cpu.ts';
import { watched } from './wasm/testing.ts';

it.each(['wasm', 'javascript', 'interpreter'] as const)(
  '%s is measured without changing what happens',
  async (engine) => {
    const backend = cpu({ engine });
    const total = parameter(tensor([0, 0], { backend }));
    const step = compile((x: Tensor) => {
      total.assign(total.add(x));
      return total.mul(2);
    });
    const x = tensor([1, 2], { backend });
    await x.data();
    for (let turn = 0; turn < 3; turn++) await step(x);
    const report = await profile(async () => {
      const [first, second, between] = await Promise.all([step(x), step(x), total.data()]);
      expect(await second.array()).toEqual([10, 20]);
      expect(await first.array()).toEqual([8, 16]);
      expect([...between]).toEqual([3, 6]);
    });
    expect(report.kernels.reduce((calls, kernel) => calls + kernel.calls, 0)).toBeGreaterThanOrEqual(2);
    expect(report.kernels.every(({ path }) => path !== '')).toBe(true);

    const unawaited = await profile(() => {
      void x.mul(3).data();
    });
    expect(unawaited.kernels).toHaveLength(1);
  },
);

it('steps that run with the one before have no time of their own, and say so', async () => {
  const { backend, paths } = watched();
  const x = tensor(new Float32Array(64 * 64), { shape: [64, 64], backend });
  const { kernels } = await profile(() => x.softmax(1).data());
  expect(paths.slice(1)).toEqual(paths.slice(1).map(() => 'loops, with step 0'));
  for (const { path, milliseconds, gigaflops } of kernels) {
    if (path !== 'loops') expect([milliseconds, gigaflops]).toEqual([0, 0]);
  }
  expect(kernels.length).toBeGreaterThan(1);
});

/** 100,000 training steps in one loop hold memory flat, whether losses are read or not, and however often is awaited. */
import { cpu } from '@nn/backend-cpu';
import { expect, test } from 'vitest';
import { getDefaultBackend, parameter, setDefaultBackend, type Tensor, tensor } from './index.ts';
import { descend } from './testing.ts';

const steps = 25_000;

interface Memory {
  readonly heap: number;
  readonly arrays: number;
}

/** What is in use after everything that can be collected was collected. */
async function memory(): Promise<Memory> {
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc?.();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { heap: heapUsed, arrays: arrayBuffers };
}

test.each([
  ['no loss is read, every step awaited', 1, 0],
  ['no loss is read, every tenth step awaited', 10, 0],
  ['every loss is read', 1, 1],
  ['every tenth loss is read, every tenth step awaited', 10, 10],
])(
  '25,000 steps: %s',
  async (_, awaited, read) => {
    setDefaultBackend(cpu({ engine: 'javascript' }));
    const weight = parameter([[0.5], [0.25]]);
    let kept: Tensor | null = null;
    const run = async (count: number): Promise<void> => {
      for (let step = 1; step <= count; step++) {
        const x = tensor([
          [step % 7, 1],
          [2, step % 3],
        ]);
        const loss = x.matmul(weight).tanh().square().mean();
        const done = descend(loss, [weight], 0.001);
        if (step % awaited === 0) await done;
        if (read > 0 && step % read === 0) await loss.item();
        kept = loss; // the newest loss may keep its own step alive, and nothing more
      }
    };
    await run(steps / 5);
    const before = await memory();
    await run((4 * steps) / 5);
    const after = await memory();
    expect((kept as Tensor | null)?.size).toBe(1);
    expect(after.heap - before.heap).toBeLessThan(400_000);
    expect(after.arrays - before.arrays).toBeLessThan(400_000);
    expect(getDefaultBackend().name).toBe('cpu');
  },
  60_000,
);

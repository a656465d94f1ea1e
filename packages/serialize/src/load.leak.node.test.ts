/** The memory of loading: beside the model that is there, no more than 1.2 times its size, whatever the format of the file on disk. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { cpu } from '@nn/backend-cpu';
import { parameter, setDefaultBackend } from '@nn/core';
import { expect, it } from 'vitest';
import { loadModel } from './model.ts';
import { encodeNpz } from './numpy/write.ts';
import { encodeTorch } from './pytorch/write.ts';
import { encodeSafetensors } from './safetensors.ts';

const count = 20;
const size = 512 * 1024;
const bytes = count * size * 4;

it('takes no more than 1.2 times the model, from files of every format', async () => {
  setDefaultBackend(cpu());
  const folder = mkdtempSync(join(tmpdir(), 'nn-memory-'));
  try {
    for (const [name, encode] of [
      ['m.safetensors', encodeSafetensors],
      ['m.pt', encodeTorch],
      ['m.npz', encodeNpz],
    ] as const) {
      const path = join(folder, name);
      writeFileSync(
        path,
        encode(
          Array.from({ length: count }, (_, k) => [
            `w${k}`,
            { dtype: 'float32', shape: [size], data: new Float32Array(size).fill(k) },
          ]),
        ),
      );
      const model = Object.fromEntries(
        Array.from({ length: count }, (_, k) => [`w${k}`, parameter(new Float32Array(size))]),
      );
      for (let k = 0; k < 3; k++) {
        globalThis.gc?.();
        await wait(20);
      }
      const before = process.memoryUsage().arrayBuffers;
      let peak = 0;
      const sample = (): void => {
        peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
      };
      const timer = setInterval(sample, 1);
      await loadModel(path, model);
      clearInterval(timer);
      sample();
      expect(peak / bytes, name).toBeLessThan(1.2);
      expect(peak / bytes, name).toBeGreaterThan(0.3);
      expect((await model[`w${count - 1}`]?.data())?.[0], name).toBe(count - 1);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpu } from '@nn/backend-cpu';
import { parameter, setDefaultBackend } from '@nn/core';
import { beforeAll, expect, it } from 'vitest';
import { loadCheckpoint, saveCheckpoint } from './checkpoint.ts';
import { loadModel, saveModel } from './model.ts';

beforeAll(() => {
  setDefaultBackend(cpu());
});

it('models and checkpoints go through files', async () => {
  const folder = await fs.mkdtemp(join(tmpdir(), 'nn-model-'));
  try {
    const model = { a: parameter(new Float32Array([1, 2]), { shape: [2] }) };
    const other = { a: parameter(new Float32Array([0, 0]), { shape: [2] }) };
    await saveModel(join(folder, 'model.safetensors'), model);
    await loadModel(join(folder, 'model.safetensors'), other);
    expect([...(await other.a.data())]).toEqual([1, 2]);
    const third = { a: parameter(new Float32Array([0, 0]), { shape: [2] }) };
    await saveCheckpoint(join(folder, 'run.safetensors'), { model });
    await loadCheckpoint(join(folder, 'run.safetensors'), { model: third });
    expect([...(await third.a.data())]).toEqual([1, 2]);
    expect((await fs.readdir(folder)).sort()).toEqual(['model.safetensors', 'run.safetensors']);
    await expect(loadModel(join(folder, 'none'), other)).rejects.toThrow('cannot be read');
  } finally {
    await fs.rm(folder, { recursive: true });
  }
});

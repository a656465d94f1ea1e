import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpu } from '@nn/backend-cpu';
import { parameter, setDefaultBackend } from '@nn/core';
import { beforeAll, expect, it } from 'vitest';
import { encodeCheckpoint, loadCheckpoint, saveCheckpoint } from './checkpoint.ts';
import { inspectWeights } from './inspect/inspect.ts';
import { encodeModel, loadModel, saveModel } from './model.ts';
import { loadPipeline } from './model-pipeline.ts';
import { loadTensors } from './tensors.ts';

beforeAll(() => {
  setDefaultBackend(cpu());
});

it('saves end on a signal, and the files stay as they were', async () => {
  const folder = await fs.mkdtemp(join(tmpdir(), 'nn-model-'));
  try {
    const model = { a: parameter([1, 2]) };
    const paths = ['model', 'run'].map((name) => join(folder, `${name}.safetensors`)) as [string, string];
    const save = (options: { readonly signal?: AbortSignal }): Promise<unknown>[] => [
      saveModel(paths[0], model, options),
      saveCheckpoint(paths[1], { model }, options),
    ];
    await Promise.all(save({}));
    const before = await Promise.all(paths.map((path) => fs.readFile(path)));
    model.a.assign(model.a.mul(3));
    const controller = new AbortController();
    const saving = save({ signal: controller.signal });
    controller.abort(new Error('the window was closed'));
    for (const each of saving) await expect(each).rejects.toThrow('the window was closed');
    for (const each of save({ signal: controller.signal })) await expect(each).rejects.toThrow('window was closed');
    for (const encode of [
      encodeModel(model, { signal: controller.signal }),
      encodeCheckpoint({ model }, { signal: controller.signal }),
    ]) {
      await expect(encode).rejects.toThrow('the window was closed');
    }
    // the next save goes through, after all that were ended
    await Promise.all(save({ signal: new AbortController().signal }));
    const after = await Promise.all(paths.map((path) => fs.readFile(path)));
    expect(after.map((bytes, k) => bytes.equals(before[k]!))).toEqual([false, false]);
    expect((await fs.readdir(folder)).sort()).toEqual(['model.safetensors', 'run.safetensors']);
    await loadModel(paths[0], model);
    expect(await model.a.array()).toEqual([3, 6]);
  } finally {
    await fs.rm(folder, { recursive: true });
  }
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
    const none = join(folder, 'none');
    const message = `${none} cannot be read: there is no such file: check the path.`;
    await expect(loadModel(none, other)).rejects.toThrow(`loadModel: ${message}`);
    await expect(loadCheckpoint(none, { model: third })).rejects.toThrow(`loadCheckpoint: ${message}`);
    await expect(loadTensors(none)).rejects.toThrow(`loadTensors: ${message}`);
    await expect(inspectWeights(none)).rejects.toThrow(`inspectWeights: ${message}`);
    const build = (): never => {
      throw new Error('nothing is built');
    };
    await expect(loadPipeline(none, build)).rejects.toThrow(`loadPipeline: ${message}`);
  } finally {
    await fs.rm(folder, { recursive: true });
  }
});

/** Files of weights that others wrote, in ../shared beside the project: each tensor has the checksum that PyTorch's values have. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import fixtures from '../fixtures/shared-weights.json' with { type: 'json' };
import { loadTensors } from './tensors.ts';
import { crc32 } from './zip/crc32.ts';

/** Beside the project, or beside the folder that holds its worktrees. */
const places = ['../../../../shared/fixtures/', '../../../../../shared/fixtures/'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);
const folder = places.find((path) => existsSync(`${path}torch`));
if (folder === undefined)
  console.log('skipped: the files of weights of others are not beside the project (../shared/fixtures/torch)');

interface Expected {
  readonly type: string;
  readonly shape: readonly number[];
  readonly crc32: number;
}
const cases: readonly { readonly path: string; readonly tensors: Readonly<Record<string, Expected | undefined>> }[] =
  fixtures.cases;

for (const { path, tensors } of cases) {
  it.skipIf(folder === undefined || !existsSync(`${folder}${path}`))(path, async () => {
    for (const source of [`${folder}${path}`, readFileSync(`${folder}${path}`)]) {
      const loaded = await loadTensors(source, { narrow: true });
      const found = Object.fromEntries(
        [...loaded.tensors].map(([name, { shape, data }]) => [
          name,
          {
            type: tensors[name]?.type,
            shape,
            crc32: crc32(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
          },
        ]),
      );
      expect(found).toEqual(tensors);
    }
  });
}

it.skipIf(folder === undefined)('a tar of 2017, made by hand by another project', async () => {
  const path = 'torch/burn/crates/burn-store/src/pytorch/tests/reader/test_data/tar_float32.tar';
  const { tensors } = await loadTensors(`${folder}${path}`);
  expect([...(tensors.get('tensor')?.data ?? [])]).toEqual([1, 2.5, -3.7, 0].map(Math.fround));
});

it.skipIf(folder === undefined)('arrays of NumPy that another project wrote', async () => {
  const path = `${folder}npy/candle/candle-core/tests/`;
  const { tensors } = await loadTensors(`${path}test.npz`);
  expect(Object.fromEntries([...tensors].map(([name, { shape }]) => [name, shape]))).toEqual({
    x: [10],
    x_plus_one: [10],
  });
  const array = (await loadTensors(`${path}test.npy`)).tensors.get('array');
  expect([...(array?.data ?? [])]).toEqual([...(tensors.get('x')?.data ?? [])]);
});

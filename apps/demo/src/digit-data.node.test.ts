import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { digits, encodeIdx } from '@nn/data';
import { afterAll, describe, expect, test } from 'vitest';
import { digitsOfFolder, drawnDigits } from './digit-data.ts';
import { distortImages } from './distortion.ts';

const root = mkdtempSync(join(tmpdir(), 'nn-digits-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folders = 0;

/** A folder with the four files; `change` may spoil them. */
function folderWith(change: (files: Record<string, Uint8Array>) => void = () => {}): string {
  const folder = mkdtempSync(join(root, `${folders++}-`));
  const { inputs, targets } = digits(20).fields;
  const images = encodeIdx({ data: inputs.data, shape: [20, 28, 28] });
  const labels = encodeIdx({ data: Uint8Array.from(targets.data), shape: [20] });
  const files: Record<string, Uint8Array> = {
    'train-images-idx3-ubyte': images,
    'train-labels-idx1-ubyte.gz': gzipSync(labels),
    't10k-images-idx3-ubyte.gz': gzipSync(images),
    't10k-labels-idx1-ubyte': labels,
  };
  change(files);
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  return folder;
}

describe('digitsOfFolder', () => {
  test('reads plain and gzip files', async () => {
    const { train, test: unseen, size } = await digitsOfFolder(folderWith());
    expect([train.size, unseen.size, size]).toEqual([20, 20, 28]);
    expect(train.fields.inputs.data).toEqual(digits(20).fields.inputs.data);
    expect([...unseen.fields.targets.data.slice(0, 3)]).toEqual([0, 1, 2]);
  });

  test.each<[string, (files: Record<string, Uint8Array>) => void]>([
    [
      'it has neither train-images-idx3-ubyte nor train-images-idx3-ubyte.gz.',
      (files) => delete files['train-images-idx3-ubyte'],
    ],
    [
      'shape [20, 28, 28] of uint8 needs 15696 bytes, there are 1000; it is truncated.',
      (files) => {
        files['train-images-idx3-ubyte'] = (files['train-images-idx3-ubyte'] as Uint8Array).slice(0, 1000);
      },
    ],
    [
      'train-labels-idx1-ubyte.gz: gunzip: the gzip data is damaged or truncated',
      (files) => {
        files['train-labels-idx1-ubyte.gz'] = (files['train-labels-idx1-ubyte.gz'] as Uint8Array).slice(0, 20);
      },
    ],
    [
      'this is not IDX',
      (files) => {
        files['t10k-labels-idx1-ubyte'] = new TextEncoder().encode('<html>not found</html>');
      },
    ],
    [
      'the t10k labels hold 25; this network reads the digits 0 to 9.',
      (files) => {
        files['t10k-labels-idx1-ubyte'] = encodeIdx({ data: new Uint8Array(20).fill(25), shape: [20] });
      },
    ],
    [
      'the t10k labels hold 10; this network reads the digits 0 to 9.',
      (files) => {
        files['t10k-labels-idx1-ubyte'] = encodeIdx({ data: new Uint8Array(20).fill(10), shape: [20] });
      },
    ],
    [
      'images are 8 x 8; this network takes squares of 16 or more.',
      (files) => {
        const small = encodeIdx({ data: new Uint8Array(20 * 64), shape: [20, 8, 8] });
        files['train-images-idx3-ubyte'] = small;
        files['t10k-images-idx3-ubyte.gz'] = gzipSync(small);
      },
    ],
  ])('says: %s', async (message, spoil) => {
    await expect(digitsOfFolder(folderWith(spoil))).rejects.toThrow(message);
  });

  test('takes squares of 16 pixels, the smallest that the network can', async () => {
    const images = encodeIdx({ data: new Uint8Array(20 * 256), shape: [20, 16, 16] });
    const folder = folderWith((files) => {
      files['train-images-idx3-ubyte'] = images;
      files['t10k-images-idx3-ubyte.gz'] = gzipSync(images);
    });
    expect((await digitsOfFolder(folder)).size).toBe(16);
  });

  test('stops reading when it is told to', async () => {
    const reason = new Error('enough');
    await expect(digitsOfFolder(folderWith(), AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  test('says where there is no folder', async () => {
    await expect(digitsOfFolder(join(root, 'nowhere'))).rejects.toThrow('there is no such folder.');
  });

  test('reads the files of MNIST', async (context) => {
    const folder = join(import.meta.dirname, '../../../../shared/data/mnist10k');
    if (!existsSync(folder)) return context.skip('the folder ../shared/data/mnist10k is absent');
    const { train, test: unseen, size } = await digitsOfFolder(folder);
    expect([train.size, unseen.size, size]).toEqual([7500, 1500, 28]);
    const classes = new Set(train.fields.targets.data);
    expect([...classes].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    // MNIST's mean ink is 33.3 of 255 (0.1307 in the usual scale).
    const mean = train.fields.inputs.data.reduce((sum, ink) => sum + ink, 0) / train.fields.inputs.data.length;
    expect(mean).toBeGreaterThan(31);
    expect(mean).toBeLessThan(36);
  });
});

test('drawn digits of the test are none of the training', () => {
  const { train, test: unseen } = drawnDigits(3, 20, 20);
  expect(train.fields.targets.data).toEqual(unseen.fields.targets.data);
  expect(train.fields.inputs.data).not.toEqual(unseen.fields.inputs.data);
});

describe('distortImages', () => {
  const images = digits(4).fields.inputs;
  const identity = { per: 'array', offset: [0], divisor: [1] } as const;

  test('is decided by seed, epoch and sample alone', () => {
    const all = distortImages(images, Int32Array.of(0, 1, 2, 3), { seed: 1, epoch: 2 }, identity);
    const one = distortImages(images, Int32Array.of(2), { seed: 1, epoch: 2 }, identity);
    expect(one.data).toEqual(all.data.slice(2 * 784, 3 * 784));
    expect(one.shape).toEqual([1, 1, 28, 28]);
    const later = distortImages(images, Int32Array.of(2), { seed: 1, epoch: 3 }, identity);
    expect(later.data).not.toEqual(one.data);
  });

  test('keeps about the ink of an image, and its range', () => {
    const { data } = distortImages(images, Int32Array.of(0, 1, 2, 3), { seed: 1, epoch: 0 }, identity);
    const before = images.data.reduce((sum, ink) => sum + ink, 0);
    const after = data.reduce((sum, ink) => sum + ink, 0);
    expect(after / before).toBeGreaterThan(0.8);
    expect(after / before).toBeLessThan(1.2);
    expect(Math.min(...data)).toBe(0);
    expect(Math.max(...data)).toBeLessThanOrEqual(255);
  });

  test('normalises', () => {
    const plain = distortImages(images, Int32Array.of(1), { seed: 1, epoch: 0 }, identity);
    const moved = distortImages(images, Int32Array.of(1), { seed: 1, epoch: 0 }, { ...identity, offset: [100] });
    expect(moved.data[0]).toBe((plain.data[0] as number) - 100);
  });
});

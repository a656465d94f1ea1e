/**
 * Images of digits to train and to test: drawn ones, or those of a folder with the four files of MNIST. It finds and checks
 * the files; their format is `@nn/data`'s.
 */
import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AbortSignalLike, isNNError } from '@nn/core';
import { type Classified, digits, gunzip, readIdxImages } from '@nn/data';
import { Failure } from './failure.ts';

export interface DigitData {
  readonly train: Classified<Uint8Array>;
  readonly test: Classified<Uint8Array>;
  /** Pixels along each side. */
  readonly size: number;
  /** What they are, for people: 'drawn digits'. */
  readonly name: string;
}

/** Training with at least this many pixels a side leaves something of an image after two convolutions. */
const leastSize = 16;

/** Digits of many hands, none of the test's among those of the training. */
export function drawnDigits(seed: number, trainSize: number, testSize: number): DigitData {
  return {
    train: digits(trainSize, { seed }),
    test: digits(testSize, { seed: seed + 1 }),
    size: 28,
    name: 'drawn digits',
  };
}

/** The digits of a folder. Throws a `Failure` or a `FormatError` that names the file, and the reason of an aborted signal. */
export async function digitsOfFolder(folder: string, signal?: AbortSignalLike): Promise<DigitData> {
  if (!existsSync(folder)) throw new Failure(`--data ${folder}: there is no such folder.`);
  if (!statSync(folder).isDirectory()) {
    throw new Failure(`--data ${folder}: this is a file; name the folder that holds the four files of MNIST.`);
  }
  const train = await readPair(folder, 'train', signal);
  const test = await readPair(folder, 't10k', signal);
  const [, , height, width] = train.fields.inputs.shape as [number, number, number, number];
  if (test.fields.inputs.shape.slice(1).join() !== train.fields.inputs.shape.slice(1).join()) {
    throw new Failure(
      `--data ${folder}: training images are ${height} x ${width}, test images ${test.fields.inputs.shape.slice(2).join(' x ')}; they must be equal.`,
    );
  }
  if (height !== width || height < leastSize) {
    throw new Failure(
      `--data ${folder}: images are ${height} x ${width}; this network takes squares of ${leastSize} or more.`,
    );
  }
  for (const [name, { fields }] of Object.entries({ train, t10k: test })) {
    const strange = fields.targets.data.find((label) => label > 9);
    if (strange !== undefined) {
      throw new Failure(`--data ${folder}: the ${name} labels hold ${strange}; this network reads the digits 0 to 9.`);
    }
  }
  return { train, test, size: height, name: 'handwritten digits' };
}

async function readPair(
  folder: string,
  part: 'train' | 't10k',
  signal: AbortSignalLike | undefined,
): Promise<Classified<Uint8Array>> {
  const images = find(folder, `${part}-images-idx3-ubyte`);
  const labels = find(folder, `${part}-labels-idx1-ubyte`);
  return readIdxImages(await unpack(images, signal), await unpack(labels, signal), {
    images,
    labels,
    ...(signal && { signal }),
  });
}

/** The bytes of a file, and of what it holds where its name says that it is packed. */
async function unpack(path: string, signal: AbortSignalLike | undefined): Promise<Uint8Array> {
  signal?.throwIfAborted();
  const bytes = await readFile(path);
  if (!path.endsWith('.gz')) return bytes;
  try {
    return await gunzip(bytes, undefined, signal && { signal });
  } catch (error) {
    throw isNNError(error) ? new Failure(`${path}: ${error.message}`) : error;
  }
}

/** The file, plain or gzip. */
function find(folder: string, name: string): string {
  const found = [name, `${name}.gz`].map((file) => join(folder, file)).find((path) => existsSync(path));
  if (found === undefined) throw new Failure(`--data ${folder}: it has neither ${name} nor ${name}.gz.`);
  return found;
}

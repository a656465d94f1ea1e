/** Files that NumPy wrote, with the values that it reads back; and what is written here, read again. */
import { isNNError } from '@nn/core';
import { describe, expect, it } from 'vitest';
import fixtures from '../../fixtures/numpy.json' with { type: 'json' };
import { loadTensors } from '../tensors.ts';
import { decode, expectedTensors, type FileCase, inOrder } from '../testing/cases.ts';
import { encodeNpy, parseNpy } from './npy.ts';
import { encodeNpz } from './write.ts';

const cases: readonly FileCase[] = fixtures.cases;
const fileOf = (name: string): Uint8Array => decode(cases.find((item) => item.name === name)?.file ?? '');

describe('files of NumPy', () => {
  for (const { name, file, tensors } of cases) {
    it(name, async () => {
      const loaded = await loadTensors(decode(file), { narrow: true });
      expect(loaded.format).toBe('NumPy');
      expect(inOrder(loaded.tensors)).toEqual(expectedTensors(tensors));
      const [array] = loaded.tensors.values();
      if (Object.keys(tensors).join() === 'array') expect(parseNpy(decode(file), { narrow: true })).toEqual(array);
    });
  }

  it('tell what is no tensor', async () => {
    const { skipped } = await loadTensors(fileOf('savez'), { narrow: true });
    expect(skipped).toEqual([
      "text: an array of '<U1', which has no counterpart here",
      'objects: an array of Python objects, which are pickled; save it with a dtype of numbers',
      'records: an array of records; save each field on its own',
      "complex: an array of '<c16', which has no counterpart here",
    ]);
    expect(() => parseNpy(fileOf('objects, version 1'))).toThrow(
      'NumPy: the file is an array of Python objects, which are pickled',
    );
  });

  it('that are cut off or damaged are refused', async () => {
    for (const name of ['fortran, version 1', 'fortran, version 3', 'savez_compressed']) {
      const whole = fileOf(name);
      for (let length = 0; length < whole.length; length += whole.length > 1000 ? 7 : 1) {
        const loading = loadTensors(whole.subarray(0, length), { narrow: true });
        await expect(loading, String(length)).rejects.toMatchObject({ code: 'format' });
      }
    }
    const changed = fileOf('savez');
    changed[changed.indexOf(0x93) + 128] = 0x7f;
    await expect(loadTensors(changed, { narrow: true })).rejects.toThrow(
      /has another checksum than its directory says; the file is damaged/,
    );
  });

  it('do not unpack what their header does not announce', async () => {
    // Ten megabytes of zeros behind the header of an array of two numbers.
    const array = encodeNpy({ dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) });
    const bytes = encodeNpz([['x', { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) }]]);
    const view = new DataView(bytes.buffer);
    const directory = bytes.length - 22 - 46 - 5;
    view.setUint32(directory + 24, 10_000_000, true);
    await expect(loadTensors(bytes)).rejects.toThrow(
      "zip: 'x.npy' claims 10000000 bytes, its 136 in the archive cannot hold them.",
    );
    expect(array.length).toBe(136);
  });
});

describe('encodeNpy and encodeNpz', () => {
  const tensors = [
    ['floats', { dtype: 'float32', shape: [2, 1], data: Float32Array.of(1.5, -2) }],
    ['integers', { dtype: 'int32', shape: [3], data: Int32Array.of(1, -2, 3) }],
    ['halves', { dtype: 'float16', shape: [1], data: Uint16Array.of(0x3c00) }],
    ['bytes', { dtype: 'uint8', shape: [], data: Uint8Array.of(200) }],
    ['flags', { dtype: 'bool', shape: [2], data: Uint8Array.of(1, 0) }],
  ] as const;

  it('are read again as they were', async () => {
    const read = await loadTensors(encodeNpz(tensors), { widen: false });
    expect([...read.tensors]).toEqual(tensors);
    for (const [, tensor] of tensors) expect(parseNpy(encodeNpy(tensor), { widen: false })).toEqual(tensor);
  });

  it('write bfloat16 as float32, which NumPy has', () => {
    expect(parseNpy(encodeNpy({ dtype: 'bfloat16', shape: [1], data: Uint16Array.of(0x3fc0) })).data).toEqual(
      Float32Array.of(1.5),
    );
  });

  it('name what does not fit', () => {
    const wrong = { dtype: 'float32', shape: [3], data: Float32Array.of(1) } as const;
    expect(() => encodeNpy(wrong)).toThrow(
      'encodeNpy: 1 elements of 4 bytes are given, float32 of shape [3] needs 3 of 4.',
    );
    expect(() => encodeNpz([tensors[0], tensors[0]])).toThrow("encodeNpz: the name 'floats' is there twice.");
  });
});

it('errors are typed', async () => {
  const error = await loadTensors(new TextEncoder().encode('PK\x03\x04 no archive at all')).catch(
    (reason: unknown) => reason,
  );
  expect(isNNError(error) && error.message).toBe(
    'zip: the archive has no directory at its end; the file is cut off. Download or copy it again.',
  );
});

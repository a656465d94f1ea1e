/** Files that h5py made to point out of themselves or to claim more than they hold: each is refused, and says where and why. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { reference } from '@nn/conformance';
import { FormatError, setDefaultBackend } from '@nn/core';
import { describe, expect, test } from 'vitest';
import { loadKeras, loadKerasTensors } from './index.ts';

setDefaultBackend(reference());

const fixture = (name: string): Buffer => readFileSync(join(import.meta.dirname, '../fixtures', name));
const files: readonly { readonly name: string; readonly file: string }[] = JSON.parse(String(fixture('hostile.json')));
const words = new Uint8Array(fixture('words.h5'));
const place = 'model_weights/bidirectional_2/row/bidirectional_2/backward_lstm_7/lstm_cell/bias';

/** What is said of each; a link inside of the file is none of them. */
const complaints: Readonly<Record<string, string>> = {
  'external link': `'${place}' is a link to another file or to nothing, which models of Keras do not have; it is not followed.`,
  'dangling link': `'${place}' is a link to another file or to nothing, which models of Keras do not have; it is not followed.`,
  'virtual dataset': `'${place}' is made of arrays of other files (a virtual dataset), which models of Keras are not.`,
  'external storage': `'${place}' of the HDF5 file cannot be read: unable to open external raw data file.`,
  cycle: 'the groups of the HDF5 file are nested more than 64 deep; it holds itself, or is damaged.',
  nesting: 'the groups of the HDF5 file are nested more than 64 deep; it holds itself, or is damaged.',
  bomb: `'${place}' claims 4000000000 bytes in a file of 30312; that is no array of weights.`,
  'dense bomb': `'${place}' claims 40000000 bytes in a file of 71823; that is no array of weights.`,
};

describe('a hostile .h5 is refused as a model and as weights:', () => {
  test.each(files.filter(({ name }) => name !== 'soft link'))('$name', async ({ name, file }) => {
    const bytes = new Uint8Array(inflateSync(Buffer.from(file, 'base64')));
    await expect(loadKeras(bytes)).rejects.toThrow(FormatError);
    await expect(loadKerasTensors(bytes)).rejects.toThrow(complaints[name]);
    // the library of HDF5 reads others after it
    expect((await loadKerasTensors(words)).size).toBe(9);
  });

  test('but a link inside of the file is the array that it leads to', async () => {
    const { file } = files.find(({ name }) => name === 'soft link')!;
    const tensors = await loadKerasTensors(new Uint8Array(inflateSync(Buffer.from(file, 'base64'))));
    const name = [...(await loadKerasTensors(words))].find(([, { shape }]) => shape.join() === '12')![0];
    expect(tensors.get(name)!.data).toEqual((await loadKerasTensors(words)).get(name)!.data);
  });
});

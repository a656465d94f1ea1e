import { expect, it } from 'vitest';
import { readBytes } from './files.ts';

it('reads bytes, buffers and files dropped on a page', async () => {
  const bytes = Uint8Array.of(1, 2, 3);
  expect(await readBytes('load', bytes)).toBe(bytes);
  expect(await readBytes('load', bytes.slice().buffer)).toEqual(bytes);
  expect(await readBytes('load', new Blob([bytes.slice()]))).toEqual(bytes);
  expect(await readBytes('load', new Response(bytes.slice()))).toEqual(bytes);
});

it('says what it takes, where a model comes first or an array of another kind', async () => {
  for (const wrong of [{}, Float32Array.of(1), null]) {
    await expect(Reflect.apply(readBytes, undefined, ['load', wrong])).rejects.toThrow('a path or bytes are expected');
  }
});

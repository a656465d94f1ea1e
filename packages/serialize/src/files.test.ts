import { expect, it } from 'vitest';
import { readBytes } from './files.ts';

it('reads bytes, buffers and files dropped on a page', async () => {
  const bytes = Uint8Array.of(1, 2, 3);
  expect(await readBytes(bytes)).toBe(bytes);
  expect(await readBytes(bytes.slice().buffer)).toEqual(bytes);
  expect(await readBytes(new Blob([bytes.slice()]))).toEqual(bytes);
});

import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { readCsv } from './csv.ts';
import { encodeIdx, readIdx } from './idx.ts';

it('reads bytes of another realm, as of an iframe or a test runner', async () => {
  const foreign = runInNewContext('[new Uint8Array([120, 10, 49]), new Uint8Array([120, 10, 49]).buffer]');
  for (const bytes of foreign) {
    expect(bytes instanceof Uint8Array || bytes instanceof ArrayBuffer).toBe(false);
    expect((await readCsv(bytes)).columns).toEqual([{ name: 'x', kind: 'number', values: Float64Array.of(1) }]);
  }
});

it('writes arrays of another realm by their own type', async () => {
  const data = runInNewContext('new Float32Array([1.5, 2])');
  expect((await readIdx(encodeIdx({ data, shape: [2] }))).data).toEqual(Float32Array.of(1.5, 2));
});

it('reads a table where there is no TextDecoder', async () => {
  const decoder = globalThis.TextDecoder;
  const bytes = new TextEncoder().encode(`Stadt\n${'Zürich 城市 😀\n'.repeat(1000)}`);
  try {
    Reflect.deleteProperty(globalThis, 'TextDecoder');
    const { columns } = await readCsv(bytes);
    expect([columns[0]?.values.length, columns[0]?.values[999]]).toEqual([1000, 'Zürich 城市 😀']);
    await expect(readCsv(Uint8Array.of(0x61, 0xc0, 0x80))).rejects.toThrow('the bytes are not UTF-8 text');
  } finally {
    globalThis.TextDecoder = decoder;
  }
});

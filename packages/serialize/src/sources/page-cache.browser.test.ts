/** The Cache Storage of a page, with a server that answers in the page itself. */
import { afterEach, expect, it } from 'vitest';
import { encodeSafetensors } from '../safetensors.ts';
import { loadTensors } from '../tensors.ts';
import type { DownloadFetch } from './download-options.ts';

const count = 100_000;
const fileOf = (value: number): Uint8Array =>
  encodeSafetensors([['x', { dtype: 'float32', shape: [count], data: new Float32Array(count).fill(value) }]]);
const address = 'https://example.org/m.safetensors';

/** A server with ranges, or without; `failAt` counts requests. */
function server(file: () => Uint8Array, tag: () => string | null, options: { ranges?: boolean; failAt?: number } = {}) {
  const asked: string[] = [];
  const fetch: DownloadFetch = async (_, { headers }) => {
    const range = headers.Range ?? 'all';
    asked.push(range);
    if (asked.length - 1 === options.failAt) throw new TypeError('network down');
    const bytes = file();
    const state = tag();
    const shared: Record<string, string> = state === null ? {} : { ETag: state };
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
    if (options.ranges === false || from === undefined)
      return new Response(bytes.slice(), { headers: { ...shared, 'Content-Length': String(bytes.length) } });
    const end = Math.min(Number(to) + 1, bytes.length);
    const headersOfPart = { ...shared, 'Content-Range': `bytes ${from}-${end - 1}/${bytes.length}` };
    return new Response(bytes.slice(Number(from), end), { status: 206, headers: headersOfPart });
  };
  return { asked, fetch };
}

const cacheName = `nn-test-${Math.random()}`;
afterEach(() => caches.delete(cacheName));
const load = async (fetch: DownloadFetch, options: object = {}): Promise<number | undefined> =>
  (await loadTensors(address, { fetch, cache: cacheName, retryDelay: 1, ...options })).tensors.get('x')?.data[
    count - 1
  ];

it('reads a file in parts where nothing is kept', async () => {
  const { asked, fetch } = server(
    () => fileOf(3),
    () => '"a"',
  );
  expect(await load(fetch, { cache: false })).toBe(3);
  expect(asked).toEqual(['bytes=0-65535', `bytes=65536-${fileOf(3).length - 1}`]);
});

it.each([{ ranges: true }, { ranges: false }])('keeps a file as long as its ETag is the same: %o', async (options) => {
  let [value, tag] = [3, '"a"'];
  const { asked, fetch } = server(
    () => fileOf(value),
    () => tag,
    options,
  );
  expect(await load(fetch)).toBe(3);
  asked.length = 0;
  value = 4;
  expect(await load(fetch)).toBe(3);
  expect(asked).toEqual(['bytes=0-65535']);
  tag = '"b"';
  expect(await load(fetch)).toBe(4);
  // where there is no network, what is kept is taken
  const offline = server(
    () => fileOf(5),
    () => tag,
    { failAt: 0 },
  );
  expect(await load(offline.fetch, { attempts: 1 })).toBe(4);
});

it('keeps nothing of a download that failed, and checks a hash without having all in memory', async () => {
  const failing = server(
    () => fileOf(3),
    () => '"a"',
    { failAt: 1 },
  );
  await expect(load(failing.fetch, { attempts: 1 })).rejects.toThrow('network down');
  expect(await (await caches.open(cacheName)).keys()).toEqual([]);
  const { fetch } = server(
    () => fileOf(3),
    () => '"a"',
  );
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', fileOf(3).slice()));
  const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  expect(await load(fetch, { sha256 })).toBe(3);
  await expect(load(fetch, { sha256: '0'.repeat(64) })).rejects.toThrow('download: the file has the SHA-256');
});

/** Files at addresses, from a server on this machine that behaves as servers do: with ranges and without, redirecting, failing, cutting off, lying. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cpu } from '@nn/backend-cpu';
import { parameter, setDefaultBackend } from '@nn/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeCheckpoint, loadCheckpoint } from '../checkpoint.ts';
import type { HostTensor } from '../element-types.ts';
import { inspectWeights } from '../inspect/inspect.ts';
import { loadModel } from '../model.ts';
import { encodeNpz } from '../numpy/write.ts';
import { encodeTorch } from '../pytorch/write.ts';
import { encodeSafetensors } from '../safetensors.ts';
import { loadTensors } from '../tensors.ts';
import type { DownloadProgress } from './download-options.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

const size = 200_000;
const host = (value: number, count = size): HostTensor => ({
  dtype: 'float32',
  shape: [count],
  data: new Float32Array(count).fill(value),
});
const names = ['a', 'b', 'c'] as const;
const tensors = names.map((name, at) => [name, host(at + 1)] as const);
const file = encodeSafetensors(tensors);
const hash = createHash('sha256').update(file).digest('hex');

/** What the server does with a path; what is not here is a file of `files`. */
const routes = new Map<string, Handler>();
const files = new Map<string, Uint8Array>();
/** What was asked for: 'path range'. */
let asked: string[] = [];
let sent = 0;
let server: Server;
let other: Server;
let origin = '';

/** Serves bytes as most servers do. */
function serve(bytes: Uint8Array, request: IncomingMessage, response: ServerResponse, tag = '"one"'): void {
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
  const headers = { ETag: tag, 'Accept-Ranges': 'bytes' };
  if (from === undefined) {
    response.writeHead(200, { ...headers, 'Content-Length': bytes.length }).end(bytes);
    sent += bytes.length;
    return;
  }
  const end = Math.min(Number(to) + 1, bytes.length);
  if (Number(from) >= bytes.length) {
    response.writeHead(416, { ...headers, 'Content-Range': `bytes */${bytes.length}` }).end();
    return;
  }
  const part = bytes.subarray(Number(from), end);
  sent += part.length;
  response
    .writeHead(206, {
      ...headers,
      'Content-Length': part.length,
      'Content-Range': `bytes ${from}-${end - 1}/${bytes.length}`,
    })
    .end(part);
}

/** Serves bytes whole, whatever is asked for. */
const withoutRanges =
  (
    bytes: Uint8Array,
    headers: Readonly<Record<string, string | number>> = { 'Content-Length': bytes.length },
  ): Handler =>
  (_, response) => {
    response.writeHead(200, { ETag: '"one"', ...headers }).end(bytes);
  };

const handle: Handler = (request, response) => {
  const path = decodeURI((request.url ?? '').replace(/\?.*/, ''));
  asked.push(`${path} ${request.headers.range ?? 'all'}`);
  const route = routes.get(path);
  const bytes = files.get(path);
  if (route) return route(request, response);
  return bytes ? serve(bytes, request, response) : response.writeHead(404).end('no such file');
};

const listen = async (made: Server): Promise<string> => {
  await new Promise<void>((done) => made.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(made.address() as AddressInfo).port}`;
};

beforeAll(async () => {
  setDefaultBackend(cpu());
  server = createServer(handle);
  origin = await listen(server);
});
beforeEach(() => {
  asked = [];
  sent = 0;
  routes.clear();
  files.clear();
  files.set('/m.safetensors', file);
});
const folders: string[] = [];
afterAll(async () => {
  for (const made of [server, other]) made?.closeAllConnections();
  await Promise.all([server, other].map((made) => made && new Promise((done) => made.close(done))));
  for (const folder of folders) rmSync(folder, { recursive: true });
});
const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'nn-remote-'));
  folders.push(folder);
  return folder;
};

const quick = { retryDelay: 1, stallTimeout: 5000 };
const address = (path: string): string => `${origin}${path}`;
async function valuesOf(source: string, options: object = {}): Promise<(number | undefined)[]> {
  const { tensors: loaded } = await loadTensors(source, { ...quick, ...options });
  return names.map((name) => loaded.get(name)?.data.at(-1));
}

describe('a file of a server with ranges', () => {
  it('is read by two requests: its beginning, and all that is needed', async () => {
    expect(await valuesOf(address('/m.safetensors'))).toEqual([1, 2, 3]);
    expect(asked).toEqual(['/m.safetensors bytes=0-65535', `/m.safetensors bytes=65536-${file.length - 1}`]);
    expect(sent).toBe(file.length);
  });

  it('gives one tensor without the others', async () => {
    const { tensors: loaded } = await loadTensors(address('/m.safetensors'), {
      ...quick,
      only: (name) => name === 'c',
    });
    expect([...loaded.keys(), loaded.get('c')?.data.at(0)]).toEqual(['c', 3]);
    expect(asked).toHaveLength(2);
    expect(sent).toBe(65_536 + 4 * size);
    expect((await inspectWeights(address('/m.safetensors'))).elements).toBe(3 * size);
    expect(asked).toHaveLength(3);
  });

  it.each([
    ['a file of PyTorch', encodeTorch(tensors)],
    ['an archive of NumPy', encodeNpz(tensors)],
  ])('may be %s', async (_, bytes) => {
    files.set('/m', bytes);
    expect(await valuesOf(address('/m'))).toEqual([1, 2, 3]);
    expect(asked.length).toBeLessThan(7);
    expect(sent).toBeLessThan(1.05 * bytes.length + 2 * 65_536);
  });

  it('may be small, empty, or what is asked for by a URL', async () => {
    files.set('/small', encodeSafetensors([['a', host(7, 2)]]));
    expect((await valuesOf(address('/small')))[0]).toBe(7);
    const { tensors: loaded } = await loadTensors(new URL(address('/small')));
    expect(loaded.get('a')?.data.at(0)).toBe(7);
    files.set('/empty', new Uint8Array(0));
    await expect(valuesOf(address('/empty'))).rejects.toThrow('0 bytes are too few');
  });

  it('becomes a model, or a checkpoint', async () => {
    const model = { weight: parameter([0, 0]) };
    files.set('/model', encodeSafetensors([['weight', host(4, 2)]]));
    await loadModel(address('/model'), model);
    expect(await model.weight.array()).toEqual([4, 4]);
    files.set('/run', await encodeCheckpoint({ model }, { notes: { epoch: 3 } }));
    expect((await loadCheckpoint(address('/run'), { model })).notes).toEqual({ epoch: 3 });
  });

  it('tells how far it is', async () => {
    const told: DownloadProgress[] = [];
    await valuesOf(address('/m.safetensors'), { onProgress: (progress: DownloadProgress) => told.push(progress) });
    expect(told.at(-1)).toEqual({ loaded: file.length, total: file.length, address: address('/m.safetensors') });
    expect(told.every(({ loaded }, at) => loaded >= (told[at - 1]?.loaded ?? 0))).toBe(true);
    told.length = 0;
    await valuesOf(address('/m.safetensors'), {
      only: (name: string) => name === 'c',
      onProgress: (progress: DownloadProgress) => told.push(progress),
    });
    expect(told.at(-1)).toMatchObject({ loaded: 65_536 + 4 * size, total: 65_536 + 4 * size });
  });

  it('goes on where it was cut, and gives up where it always is', async () => {
    let cuts = 0;
    const cutting: Handler = (request, response) => {
      const [, from] = /^bytes=(\d+)-/.exec(request.headers.range ?? '') ?? [];
      if (Number(from) === 0 || cuts++ >= 3) return serve(file, request, response);
      const headers = { ETag: '"one"', 'Content-Range': `bytes ${from}-${file.length - 1}/${file.length}` };
      response.writeHead(206, { ...headers, 'Content-Length': file.length - Number(from) });
      return response.write(file.subarray(Number(from), Number(from) + 300_000), () => response.destroy());
    };
    routes.set('/cut', cutting);
    expect(await valuesOf(address('/cut'))).toEqual([1, 2, 3]);
    expect(asked.length).toBeGreaterThan(4);
    const starts = asked.slice(1).map((line) => Number(/bytes=(\d+)/.exec(line)?.[1]));
    expect(starts.every((start, at) => start >= (starts[at - 1] ?? 0))).toBe(true);

    routes.set('/never', (request, response) =>
      /=0-/.test(request.headers.range ?? '') ? serve(file, request, response) : response.destroy(),
    );
    await expect(valuesOf(address('/never'), { attempts: 3 })).rejects.toThrow(
      /^download: http:\/\/127\.0\.0\.1:\d+\/never: the connection failed \(.*\) after 3 attempts: try again later\.$/,
    );
  });

  it('is refused where it changed in the middle', async () => {
    let requests = 0;
    routes.set('/changing', (request, response) => serve(file, request, response, `"${requests++}"`));
    await expect(valuesOf(address('/changing'))).rejects.toThrow(
      'the file became another one while it was read: load it anew.',
    );
    const longer = encodeSafetensors([...tensors, ['d', host(4)]]);
    routes.set('/growing', (request, response) => serve(requests++ % 2 ? longer : file, request, response, ''));
    requests = 0;
    await expect(valuesOf(address('/growing'))).rejects.toMatchObject({ kind: 'format/download/changed' });
  });

  it.each([
    ['of another place', 'bytes 5-65535/900000'],
    ['of no place', 'bytes'],
    ['that ends before it begins', 'bytes 0-0/0'],
    ['of unknown size', 'bytes 0-65535/*'],
  ])('is refused where a part is %s', async (_, range) => {
    routes.set('/lying', (_request, response) =>
      response.writeHead(206, { 'Content-Range': range }).end(file.subarray(0, 65_536)),
    );
    await expect(valuesOf(address('/lying'))).rejects.toThrow(
      `bytes 0 to 65536 were asked for, and the answer is '${range}'.`,
    );
  });
});

describe('a file of a server without ranges', () => {
  it.each([
    ['that says its length', withoutRanges(file)],
    ['that says no length', withoutRanges(file, {})],
  ])('%s comes whole', async (_, route) => {
    routes.set('/whole', route);
    const told: DownloadProgress[] = [];
    expect(
      await valuesOf(address('/whole'), { onProgress: (progress: DownloadProgress) => told.push(progress) }),
    ).toEqual([1, 2, 3]);
    expect(asked).toHaveLength(1);
    expect(told.at(-1)).toMatchObject({ loaded: file.length, total: file.length });
  });

  it('begins anew where it was cut', async () => {
    let requests = 0;
    routes.set('/cut', (request, response) => {
      if (requests++ >= 2) return withoutRanges(file)(request, response);
      response.writeHead(200, { ETag: '"one"', 'Content-Length': file.length });
      return response.write(file.subarray(0, 300_000), () => response.destroy());
    });
    expect(await valuesOf(address('/cut'))).toEqual([1, 2, 3]);
    expect(requests).toBe(3);
  });

  it('is refused where it is cut off without a word', async () => {
    // Without a length the end of the connection is the end of the file: its header knows better.
    routes.set('/short', (_, response) => response.writeHead(200, { ETag: '"one"' }).end(file.subarray(0, 500_000)));
    await expect(valuesOf(address('/short'))).rejects.toThrow('outside of the');
  });
});

describe('what is no file', () => {
  it.each([
    [401, 'the server refuses the file (401): it needs a token'],
    [403, 'the server refuses the file (403): it needs a token'],
    [404, 'there is no such file (404): look at its name, its folder and its revision.'],
    [410, 'there is no such file (410)'],
    [418, 'the answer is 418, not a file.'],
    [204, 'the answer is 204, not a file.'],
  ])('by the status %i', async (status, words) => {
    routes.set('/none', (_, response) => response.writeHead(status).end());
    await expect(valuesOf(address('/none?token=secret'))).rejects.toThrow(`${address('/none?...')}: ${words}`);
    expect(asked).toHaveLength(1);
  });

  it.each([429, 500, 502, 503, 504])('at first, by the status %i', async (status) => {
    let requests = 0;
    routes.set('/busy', (request, response) =>
      requests++ < 2 ? response.writeHead(status, { 'Retry-After': '0' }).end() : serve(file, request, response),
    );
    expect(await valuesOf(address('/busy'))).toEqual([1, 2, 3]);
    requests = -10;
    await expect(valuesOf(address('/busy'), { attempts: 2 })).rejects.toThrow(
      `the answer is ${status} after 2 attempts: try again later.`,
    );
  });

  it('waits as long as the server says, and not for hours', async () => {
    routes.set('/later', (_, response) => response.writeHead(429, { 'Retry-After': '7200' }).end());
    await expect(valuesOf(address('/later'))).rejects.toThrow(
      'the answer is 429 after 1 of 5 attempts, and asks for 7200 s: try again later.',
    );
    let requests = 0;
    routes.set('/soon', (request, response) =>
      requests++ === 0
        ? response.writeHead(503, { 'Retry-After': new Date(Date.now() + 1000).toUTCString() }).end()
        : serve(file, request, response),
    );
    expect(await valuesOf(address('/soon'))).toEqual([1, 2, 3]);
  });

  it('a page, a pointer', async () => {
    files.set('/page', new TextEncoder().encode('<!DOCTYPE html><html>Please log in</html>'));
    await expect(valuesOf(address('/page'))).rejects.toThrow('this is a web page, not a file of weights');
    files.set(
      '/pointer',
      new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1\n'),
    );
    await expect(valuesOf(address('/pointer'))).rejects.toThrow('this is a pointer of Git LFS');
  });

  it('a server that says nothing, or is not there', async () => {
    routes.set('/silent', () => undefined);
    await expect(valuesOf(address('/silent'), { stallTimeout: 30, attempts: 2 })).rejects.toThrow(
      'nothing came for 30 ms after 2 attempts',
    );
    await expect(valuesOf('http://127.0.0.1:9/x', { attempts: 1 })).rejects.toThrow(
      /the connection failed \(.*\) after one attempt/,
    );
  });

  it.each([
    ['https://user:word@example.org/x', 'an address may hold no name and password: send them in a header'],
    ['https://', "'https://' is no address."],
    ['hf://owner', "'hf://owner' names no file of the hub: hf://owner/name/model.safetensors"],
    ['hf://owner/name', 'names no file of the hub'],
    ['hf://owner/name/file@', 'names no file of the hub'],
  ])('by its address: %s', async (source, words) => {
    await expect(loadTensors(source)).rejects.toThrow(words);
    expect(asked).toEqual([]);
  });

  it('ends where its reader leaves', async () => {
    for (const path of ['/m.safetensors', '/stuck']) {
      const leaving = new AbortController();
      routes.set('/stuck', () => leaving.abort(new Error('the page was left')));
      const loading = loadTensors(address(path), {
        signal: leaving.signal,
        onProgress: ({ loaded }) => loaded > 65_536 && leaving.abort(new Error('the page was left')),
      });
      await expect(loading).rejects.toThrow('the page was left');
    }
  });
});

describe('addresses of a hub', () => {
  it.each([
    ['hf://owner/name/m.safetensors', '/owner/name/resolve/main/m.safetensors'],
    ['hf://owner/name/folder/m x.bin@v1.0', '/owner/name/resolve/v1.0/folder/m x.bin'],
    ['hf://owner/name@abc/m.bin', '/owner/name/resolve/abc/m.bin'],
    ['hf://models/owner/name/m.bin', '/owner/name/resolve/main/m.bin'],
    ['hf://datasets/owner/name/m.bin', '/datasets/owner/name/resolve/main/m.bin'],
  ])('%s', async (source, path) => {
    files.set(path, file);
    expect(await valuesOf(source, { mirror: `${origin}/` })).toEqual([1, 2, 3]);
  });

  it('may have a revision with slashes', async () => {
    routes.set('/owner/name/resolve/refs%2Fpr%2F1/m.bin', (request, response) => serve(file, request, response));
    expect(await valuesOf('hf://owner/name/m.bin@refs/pr/1', { mirror: origin })).toEqual([1, 2, 3]);
  });

  it('lead to other servers, which see no token', async () => {
    const seen: (string | undefined)[] = [];
    other = createServer((request, response) => {
      seen.push(request.headers.authorization);
      serve(file, request, response);
    });
    const elsewhere = await listen(other);
    routes.set('/owner/name/resolve/main/m.bin', (request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(302, { Location: `${elsewhere}/blob` }).end();
    });
    const headers = { Authorization: 'Bearer secret' };
    expect(await valuesOf('hf://owner/name/m.bin', { mirror: origin, headers })).toEqual([1, 2, 3]);
    expect(seen).toEqual(['Bearer secret', undefined, 'Bearer secret', undefined]);
  });

  it('may be the index of a model in several files', async () => {
    const map = { a: 'one.safetensors', b: 'two.safetensors' };
    files.set(
      '/o/n/resolve/main/model.safetensors.index.json',
      new TextEncoder().encode(JSON.stringify({ weight_map: map })),
    );
    files.set('/o/n/resolve/main/one.safetensors', encodeSafetensors([['a', host(1, 2)]]));
    files.set('/o/n/resolve/main/two.safetensors', encodeSafetensors([['b', host(2, 2)]]));
    expect(await valuesOf('hf://o/n/model.safetensors.index.json', { mirror: origin })).toEqual([1, 2, undefined]);
  });
});

describe('sha256', () => {
  it('is that of the file, wherever it comes from', async () => {
    const path = join(newFolder(), 'm.safetensors');
    writeFileSync(path, file);
    const sources = [address('/m.safetensors'), path, pathToFileURL(path).href];
    for (const source of sources) expect(await valuesOf(source, { sha256: hash.toUpperCase() })).toEqual([1, 2, 3]);
    expect((await loadTensors(file, { sha256: hash })).tensors.size).toBe(3);
    const wrong = hash.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
    for (const source of [...sources, file]) {
      await expect(loadTensors(source, { sha256: wrong })).rejects.toThrow(
        `download: the file has the SHA-256 ${hash}, ${wrong} is asked for; it is another file, or damaged.`,
      );
    }
    await expect(loadTensors(file, { sha256: 'abc' })).rejects.toThrow(
      "sha256 is 'abc', not 64 digits of hexadecimal.",
    );
    await expect(loadTensors(newFolder(), { sha256: hash })).rejects.toThrow('sha256 is that of one file');
  });
});

describe('a cache in a folder', () => {
  it('keeps a file as long as the server names the same ETag', async () => {
    const cache = join(newFolder(), 'inner');
    let tag = '"one"';
    let bytes = file;
    routes.set('/kept', (request, response) => serve(bytes, request, response, tag));
    const told: DownloadProgress[] = [];
    const onProgress = (progress: DownloadProgress): unknown => told.push(progress);
    expect(await valuesOf(address('/kept'), { cache, onProgress })).toEqual([1, 2, 3]);
    expect(told.at(-1)).toMatchObject({ loaded: file.length, total: file.length });
    expect(sent).toBe(file.length);
    sent = 0;
    expect(await valuesOf(address('/kept'), { cache, sha256: hash })).toEqual([1, 2, 3]);
    expect(sent).toBeLessThanOrEqual(65_536);
    expect(readdirSync(cache)).toHaveLength(2);
    [tag, bytes] = ['"two"', encodeSafetensors([...tensors, ['d', host(4)]])];
    const { tensors: loaded } = await loadTensors(address('/kept'), { ...quick, cache });
    expect([...loaded.keys()]).toEqual(['a', 'b', 'c', 'd']);
    expect(readdirSync(cache)).toHaveLength(2);
  });

  it('serves where no server can be reached, and does not hide that a file is gone', async () => {
    const cache = newFolder();
    let answer: Handler = (request, response) => serve(file, request, response);
    routes.set('/kept', (request, response) => answer(request, response));
    await valuesOf(address('/kept'), { cache });
    answer = (_, response) => response.destroy();
    expect(await valuesOf(address('/kept'), { cache, attempts: 1 })).toEqual([1, 2, 3]);
    answer = (_, response) => response.writeHead(404).end();
    await expect(valuesOf(address('/kept'), { cache })).rejects.toThrow('there is no such file (404)');
  });

  it('holds nothing of a download that failed, and nothing that was damaged', async () => {
    const cache = newFolder();
    routes.set('/cut', (request, response) =>
      /=0-/.test(request.headers.range ?? '') ? serve(file, request, response) : response.destroy(),
    );
    await expect(valuesOf(address('/cut'), { cache, attempts: 2 })).rejects.toThrow('the connection failed');
    expect(readdirSync(cache)).toEqual([]);
    await valuesOf(address('/m.safetensors'), { cache });
    const [data = ''] = readdirSync(cache).filter((name) => name.endsWith('.bin'));
    writeFileSync(join(cache, data), 'cut off');
    expect(await valuesOf(address('/m.safetensors'), { cache })).toEqual([1, 2, 3]);
    const [note = ''] = readdirSync(cache).filter((name) => name.endsWith('.json'));
    writeFileSync(join(cache, note), '{"file": "../../etc/passwd"');
    expect(await valuesOf(address('/m.safetensors'), { cache })).toEqual([1, 2, 3]);
  });

  it('takes nothing from a server that names no state, and says where it cannot write', async () => {
    const cache = newFolder();
    routes.set('/nameless', (_, response) => response.writeHead(200, { 'Content-Length': file.length }).end(file));
    for (let turn = 0; turn < 2; turn++) expect(await valuesOf(address('/nameless'), { cache })).toEqual([1, 2, 3]);
    expect(asked).toHaveLength(2);
    writeFileSync(join(cache, 'a-file'), '');
    await expect(valuesOf(address('/m.safetensors'), { cache: join(cache, 'a-file', 'inner') })).rejects.toThrow(
      /^download: the cache in .*inner cannot be written: ENOTDIR/,
    );
  });
});

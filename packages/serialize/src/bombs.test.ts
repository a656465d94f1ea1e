/** Small files that claim to become large ones: refused before the memory is taken, unless who loads them allows it. */
import { cpu } from '@nn/backend-cpu';
import { parameter, setDefaultBackend } from '@nn/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { inspectWeights } from './inspect/inspect.ts';
import { loadModel } from './model.ts';
import { encodeNpz } from './numpy/write.ts';
import { unpickle } from './pytorch/pickle.ts';
import { flatten } from './pytorch/state-dict.ts';
import { call } from './pytorch/tensors.ts';
import { encodeTorch } from './pytorch/write.ts';
import { encodeSafetensors } from './safetensors.ts';
import { loadTensors } from './tensors.ts';
import { crc32 } from './zip/crc32.ts';
import { encodeZip } from './zip/write.ts';

beforeAll(() => setDefaultBackend(cpu()));

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** An archive with one deflated member. */
async function deflatedArchive(name: string, content: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([content as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new CompressionStream('deflate-raw'));
  const packed = new Uint8Array(await new Response(stream).arrayBuffer());
  const bytes = encodeZip([[name, packed]]);
  const view = new DataView(bytes.buffer);
  const directory = view.getUint32(bytes.length - 6, true);
  for (const [method, sizes] of [
    [8, 14],
    [directory + 10, directory + 16],
  ] as const) {
    view.setUint16(method, 8, true);
    view.setUint32(sizes, crc32(content), true);
    view.setUint32(sizes + 8, content.length, true);
  }
  return bytes;
}

describe('an archive that unpacks to far more than it has', () => {
  const zeros = { dtype: 'float32', shape: [500_000], data: new Float32Array(500_000) } as const;
  const inside = encodeNpz([['x', zeros]]);
  // The member's own bytes stand behind its header of 30 bytes, its name, and what aligns it.
  const start = 30 + 5 + new DataView(inside.buffer).getUint16(28, true);
  const array = inside.slice(start, start + 128 + 4 * 500_000);

  it('is refused, or read where that is allowed', async () => {
    const bomb = await deflatedArchive('x.npy', array);
    expect(bomb.length).toBeLessThan(4000);
    await expect(loadTensors(bomb, { maxBytes: 1_000_000 })).rejects.toThrow(
      /^loadTensors: the tensors of a file of \d+ bytes become 2000000, more than four times, and than maxBytes, which is 1000000: take some of them by \{ only \}, or, where you trust the file, pass \{ maxBytes: 2000000 \}\.$/,
    );
    const model = { x: parameter(new Float32Array(500_000).fill(1)) };
    await expect(loadModel(bomb, model, { maxBytes: 1_000_000 })).rejects.toThrow(
      /unpacks from \d+ bytes to 2000128, more than four times, and than maxBytes, which is 1000000/,
    );
    expect((await model.x.data())[0]).toBe(1);
    expect((await inspectWeights(bomb, { maxBytes: 1_000_000 })).tensors[0]?.unread).toContain(
      'pass { maxBytes: 2000128 }',
    );
    expect((await loadTensors(bomb)).tensors.get('x')?.data.length).toBe(500_000);
  });
});

it('members that lie on one another are refused', () => {
  const archive = encodeNpz([
    ['a', { dtype: 'float32', shape: [8], data: new Float32Array(8) }],
    ['b', { dtype: 'float32', shape: [8], data: new Float32Array(8) }],
  ]);
  const view = new DataView(archive.buffer);
  const directory = view.getUint32(archive.length - 6, true);
  const second = directory + 46 + view.getUint16(directory + 28, true) + view.getUint16(directory + 30, true);
  view.setUint32(second + 42, 0, true);
  return expect(loadTensors(archive)).rejects.toThrow(
    "zip: 'a.npy' and 'b.npy' overlap in the archive; it is damaged.",
  );
});

describe('tensors of PyTorch', () => {
  /** A file in which `count` tensors of different shapes repeat one number to `size` each. */
  function views(count: number, size: number): Uint8Array {
    const number = (value: number): string =>
      `J${String.fromCharCode(value & 255, (value >> 8) & 255, (value >> 16) & 255, 0)}`;
    const text = (value: string): string => `X${String.fromCharCode(value.length)}\0\0\0${value}`;
    const storage = `(${text('storage')}ctorch\nFloatStorage\n${text('0')}${text('cpu')}K\x01tQ`;
    const one = (k: number): string =>
      `${text(`x${k}`)}ctorch._utils\n_rebuild_tensor_v2\n(${storage}K\0${number(size + k)}\x85K\0\x85\x89}tR`;
    const pickle = bytesOf(`\x80\x02}(${Array.from({ length: count }, (_, k) => one(k)).join('')}u.`);
    return encodeZip([
      ['model/data.pkl', pickle],
      ['model/data/0', new Uint8Array(4)],
    ]);
  }

  it('that repeat few bytes together more than allowed are refused, one of them is read', async () => {
    const file = views(100, 10_000);
    await expect(loadTensors(file, { maxBytes: 1_000_000 })).rejects.toThrow(
      /^loadTensors: .* become 4019800, more than four times/,
    );
    const { tensors } = await loadTensors(file, { maxBytes: 1_000_000, only: (name) => name === 'x3' });
    expect(tensors.get('x3')?.shape).toEqual([10_003]);
  });

  it('that are one under two names have one value', async () => {
    const weight = { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) } as const;
    const { tensors } = await loadTensors(
      encodeTorch([
        ['a', weight],
        ['b', weight],
      ]),
    );
    expect(tensors.get('a')).toBe(tensors.get('b'));
  });

  it('are described by no more values than are allowed', () => {
    const run = (text: string, maxBytes: number): unknown =>
      unpickle(bytesOf(text), { call, maxBytes, persistent: (identifier) => identifier }).value;
    const dictionaries = `\x80\x02(${'}'.repeat(10_000)}l.`;
    expect(run(dictionaries, 2 ** 22)).toHaveLength(10_000);
    expect(() => run(dictionaries, 2 ** 20)).toThrow(
      /^pickle: byte \d+: the values of the pickle take more than 1048576 bytes, which is maxBytes; it is no file of weights\.$/,
    );
    expect(() => run(`\x80\x02N${'\x94'.repeat(100_000)}.`, 2 ** 20)).toThrow('the values of the pickle take more');
    // A key above many others: its name would be written out for each.
    const long = new Map([['k'.repeat(5000), new Map([['a', 1]])]]);
    expect(() => flatten(long, 10)).toThrow('PyTorch: a name in the file has more than 4096 letters: kkk');
  });
});

it('a safetensors file that is cut off is called that, whatever its first bytes look like', async () => {
  // The length of the header is 0x0480, as a pickle of the protocol 4 begins.
  const metadata = { format: 'pt', padding: '' };
  const encode = (): Uint8Array =>
    encodeSafetensors([['x', { dtype: 'float32', shape: [1], data: Float32Array.of(1) }]], metadata);
  metadata.padding = ' '.repeat(0x480 - (encode().length - 12));
  const file = encode();
  expect([...file.subarray(0, 2)]).toEqual([0x80, 0x04]);
  await expect(loadTensors(file.subarray(0, 100))).rejects.toThrow(
    'safetensors: the header needs 1160 bytes, the file has 100; it is truncated.',
  );
  await expect(loadTensors(file.subarray(0, 8))).rejects.toThrow(
    'the header needs 1160 bytes, the file has 8; it is truncated.',
  );
});

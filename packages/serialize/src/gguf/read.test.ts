/** Files that the Python package of llama.cpp wrote, with the values that it reads back, equal to the bit; and damaged ones. */
import { describe, expect, it } from 'vitest';
import fixtures from '../../fixtures/gguf.json' with { type: 'json' };
import { inspectWeights } from '../inspect/inspect.ts';
import { loadTensors } from '../tensors.ts';
import { decode } from '../testing/cases.ts';

interface Expected {
  readonly type: string;
  readonly shape: readonly number[];
  readonly kind: string;
  readonly values: string;
}
const cases: readonly {
  readonly name: string;
  readonly file: string;
  readonly tensors: Readonly<Record<string, Expected | undefined>>;
}[] = fixtures.cases;
const fileOf = (name: string): Uint8Array => decode(cases.find((item) => item.name === name)?.file ?? '');
const bits = (data: ArrayBufferView): number[] => [
  ...new Uint32Array(data.buffer, data.byteOffset, data.byteLength / 4),
];

/** A file with one tensor, by hand; `pairs` are already encoded. */
function made(tensor: {
  readonly type?: number;
  readonly shape?: readonly number[];
  readonly offset?: number;
  readonly data?: number;
  readonly version?: number;
  readonly pairs?: readonly (readonly number[])[];
  readonly names?: readonly string[];
}): Uint8Array {
  const { type = 0, shape = [2], offset = 0, data = 8, version = 3, pairs = [], names = ['x'] } = tensor;
  const u32 = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 255);
  const u64 = (value: number): number[] => [...u32(value % 2 ** 32), ...u32(Math.floor(value / 2 ** 32))];
  const text = (words: string): number[] =>
    [...u64(words.length), ...words].map((part) => (typeof part === 'string' ? part.charCodeAt(0) : part));
  const head = [
    ...[0x47, 0x47, 0x55, 0x46],
    ...u32(version),
    ...u64(names.length),
    ...u64(pairs.length),
    ...pairs.flat(),
  ];
  const info = (name: string): number[] => [
    ...text(name),
    ...u32(shape.length),
    ...[...shape].reverse().flatMap(u64),
    ...u32(type),
    ...u64(offset),
  ];
  const header = [...head, ...names.flatMap(info)];
  return Uint8Array.from([...header, ...new Array<number>(((32 - (header.length % 32)) % 32) + data).fill(0)]);
}

const pair = (key: string, kind: number, ...value: number[]): number[] => [
  key.length,
  ...new Array<number>(7).fill(0),
  ...Array.from(key, (character) => character.charCodeAt(0)),
  ...[kind, 0, 0, 0],
  ...value,
];

describe('files of llama.cpp', () => {
  for (const { name, file, tensors } of cases) {
    it(`${name}: every value has the bits that its own package reads`, async () => {
      const loaded = await loadTensors(decode(file), { narrow: true });
      expect([loaded.format, loaded.skipped]).toEqual(['GGUF', []]);
      expect([...loaded.tensors.keys()]).toEqual(Object.keys(tensors));
      const report = await inspectWeights(decode(file));
      for (const [key, { shape, data, dtype }] of loaded.tensors) {
        const expected = tensors[key]!;
        expect(shape).toEqual(expected.shape);
        expect(dtype).toBe(expected.kind === 'f' ? 'float32' : 'int32');
        expect(bits(data), key).toEqual(bits(decode(expected.values)));
        expect(report.tensors.find((item) => item.name === key)?.type).toBe(expected.type);
      }
    });
  }

  it('keep halves as they are where nothing is widened', async () => {
    const { tensors } = await loadTensors(fileOf('plain'), { widen: false, only: (name) => /f16|q4/.test(name) });
    expect([...tensors].map(([name, { dtype }]) => `${name} ${dtype}`)).toEqual([
      'f16 float16',
      'bf16 bfloat16',
      'q4_0 float32',
    ]);
  });

  it('have texts and numbers beside the tensors', async () => {
    const { metadata } = await loadTensors(fileOf('plain'), { only: () => false });
    expect(Object.fromEntries(metadata)).toEqual({
      'general.alignment': '64',
      'general.architecture': 'llama',
      'general.name': 'klein, größer',
      'llama.block_count': '2',
      'llama.epsilon': '0.00001',
      'llama.causal': 'true',
      'tokenizer.tokens': '["<s>","a","ä"]',
      'tokenizer.scores': '[0.5,-1,0.25]',
      'tokenizer.types': '[1,2,-3]',
      large: '9223372036854775809',
    });
  });

  it('name types that are not read, and read the tensors beside them', async () => {
    const bytes = made({ type: 23, shape: [256], data: 136 });
    expect((await inspectWeights(bytes)).tensors).toEqual([
      {
        name: 'x',
        type: 'IQ4_XS',
        shape: [256],
        bytes: 136,
        unread: 'is IQ4_XS, which is not read here; quantise the model to Q4_K, Q8_0 or F16 instead',
      },
    ]);
    await expect(loadTensors(bytes)).rejects.toThrow("GGUF: 'x' is IQ4_XS, which is not read here");
    expect((await loadTensors(made({ type: 77 }))).skipped).toEqual([
      'x: elements of the type 77, which is not known here',
    ]);
  });
});

describe('damaged files of llama.cpp', () => {
  it.each([
    ['of another version', made({ version: 1 }), 'the file has the version 1; 2 and 3 are read here'],
    [
      'of the other byte order',
      made({ version: 0x03000000 }),
      'the file was written by a machine of the other byte order',
    ],
    ['with a tensor outside', made({ offset: 32 }), "'x' ends at byte 104, the file has 72; it is truncated."],
    [
      'with rows that are no blocks',
      made({ type: 2, shape: [8] }),
      'is Q4_0, whose rows have multiples of 32 elements',
    ],
    ['with too many axes', made({ shape: [1, 1, 1, 1, 2] }), "'x' has 5 axes, 4 are the limit."],
    ['of endless size', made({ shape: [2 ** 40, 2 ** 40] }), 'is larger than any file'],
    ['with a name twice', made({ names: ['x', 'x'] }), "the tensor 'x' is there twice."],
    ['with bytes for two tensors', made({ names: ['x', 'y'] }), "'x' and 'y' overlap; the file is damaged."],
    ['with a key twice', made({ pairs: [pair('a', 0, 1), pair('a', 0, 1)] }), "the key 'a' is there twice."],
    ['with an unknown value', made({ pairs: [pair('a', 99, 1)] }), "'a' has a value of the kind 99"],
    [
      'with an unknown list',
      made({ pairs: [pair('a', 9, 99, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0)] }),
      "'a' is a list of the kind 99",
    ],
    [
      'with an endless list',
      made({ pairs: [pair('a', 9, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0)] }),
      'the header goes on behind byte',
    ],
    ['with a text that is none', made({ names: ['\xff'] }), 'is not UTF-8; the file is damaged.'],
    [
      'of no alignment',
      made({ pairs: [pair('general.alignment', 4, 0, 0, 0, 0)] }),
      'general.alignment is 0, no size of bytes.',
    ],
  ])('%s', async (_, bytes, words) => {
    await expect(loadTensors(bytes)).rejects.toThrow(words);
    await expect(loadTensors(bytes)).rejects.toMatchObject({ code: 'format' });
  });

  it('cut off at any byte', async () => {
    const whole = fileOf('plain');
    for (let length = 0; length < whole.length; length += length < 800 ? 1 : 37) {
      await expect(loadTensors(whole.subarray(0, length)), String(length)).rejects.toMatchObject({ code: 'format' });
    }
    await expect(loadTensors(whole, { maxHeaderBytes: 100 })).rejects.toThrow(
      'more than 100 bytes, which is maxHeaderBytes',
    );
    await expect(loadTensors(whole, { maxTensors: 3 })).rejects.toThrow('the file has 10 tensors, maxTensors is 3.');
  });
});

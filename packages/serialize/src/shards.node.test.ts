/** Models in several files: a folder, files that were dropped, a map; whole, incomplete, contradictory, hostile. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpu } from '@nn/backend-cpu';
import { parameter, setDefaultBackend } from '@nn/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HostTensor } from './element-types.ts';
import { inspectWeights } from './inspect/inspect.ts';
import { loadModel } from './model.ts';
import { encodeTorch } from './pytorch/write.ts';
import { encodeSafetensors } from './safetensors.ts';
import { loadTensors } from './tensors.ts';

beforeAll(() => setDefaultBackend(cpu()));
const folder = mkdtempSync(join(tmpdir(), 'nn-shards-'));
afterAll(() => rmSync(folder, { recursive: true }));

const host = (...values: number[]): HostTensor => ({
  dtype: 'float32',
  shape: [values.length],
  data: Float32Array.from(values),
});
const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const [one, two] = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'] as const;
const shards = {
  [one]: encodeSafetensors(
    [
      ['body.weight', host(1, 2)],
      ['body.bias', host(3)],
    ],
    { format: 'pt' },
  ),
  [two]: encodeSafetensors([['head.weight', host(4, 5, 6)]], { format: 'pt' }),
};
const index = json({
  metadata: { total_size: 24 },
  weight_map: { 'body.weight': one, 'body.bias': one, 'head.weight': two },
});
const whole = { 'model.safetensors.index.json': index, ...shards, 'config.json': json({}), 'README.md': json('') };

function write(name: string, files: Readonly<Record<string, Uint8Array>>): string {
  const path = join(folder, name);
  mkdirSync(path);
  for (const [file, bytes] of Object.entries(files)) writeFileSync(join(path, file), bytes);
  return path;
}
const model = () => ({
  body: { weight: parameter([0, 0]), bias: parameter([0]) },
  head: { weight: parameter([0, 0, 0]) },
});
const mapOf = (files: Readonly<Record<string, Uint8Array>>): Map<string, Uint8Array> => new Map(Object.entries(files));
const fileList = (files: Readonly<Record<string, Uint8Array>>): File[] =>
  Object.entries(files).map(([name, bytes]) => new File([bytes.slice()], name));

describe('a model in several files is loaded', () => {
  const path = write('whole', whole);
  it.each([
    ['from its folder', path],
    ['from its index', join(path, 'model.safetensors.index.json')],
    ['from files that were dropped', fileList(whole)],
    ['from a map', mapOf(whole)],
    ['from numbered files without an index', write('numbered', shards)],
    [
      'from the only file of weights in a folder',
      write('single', {
        'model.safetensors': encodeSafetensors([
          ['body.weight', host(1, 2)],
          ['body.bias', host(3)],
          ['head.weight', host(4, 5, 6)],
        ]),
        'config.json': json({}),
      }),
    ],
    [
      'from a model of PyTorch',
      mapOf({
        'pytorch_model.bin.index.json': json({
          weight_map: { 'body.weight': 'a.bin', 'body.bias': 'a.bin', 'head.weight': 'b.bin' },
        }),
        'a.bin': encodeTorch([
          ['body.weight', host(1, 2)],
          ['body.bias', host(3)],
        ]),
        'b.bin': encodeTorch([['head.weight', host(4, 5, 6)]]),
      }),
    ],
  ])('%s', async (_, source) => {
    const loaded = model();
    await loadModel(source, loaded);
    expect([
      await loaded.body.weight.array(),
      await loaded.body.bias.array(),
      await loaded.head.weight.array(),
    ]).toEqual([[1, 2], [3], [4, 5, 6]]);
  });

  it('and inspected as one file', async () => {
    const report = await inspectWeights(path);
    expect([report.format, report.elements, report.metadata.get('total_size')]).toEqual(['safetensors', 6, '24']);
    expect(report.tensors.map(({ name }) => name)).toEqual(['body.bias', 'body.weight', 'head.weight']);
  });

  it('and what stands where the index does not have it is left out, and told', async () => {
    const files = {
      ...whole,
      [two]: encodeSafetensors([
        ['head.weight', host(4, 5, 6)],
        ['body.bias', host(9)],
      ]),
    };
    const { tensors, skipped } = await loadTensors(mapOf(files));
    expect([...(tensors.get('body.bias')?.data ?? [])]).toEqual([3]);
    expect(skipped).toEqual([`body.bias: in ${two}, where the index does not have it`]);
  });
});

describe('refused, and nothing changed', () => {
  const badIndex = (map: unknown): Map<string, Uint8Array> =>
    mapOf({ ...whole, 'model.safetensors.index.json': json({ weight_map: map }) });
  const { [one]: first, ...without } = whole;
  it.each([
    ['a file that is missing', mapOf(without), `'${one}' is missing among the files that were handed over.`],
    ['one that is missing in a folder', write('incomplete', without), 'cannot be read: there is no such file'],
    ['an index alone', index, 'this is the index of a model in 2 files: load it from its folder or address'],
    ['a number that is missing', mapOf({ [two]: shards[two] }), `of 00002 files, 1 are missing: ${one}.`],
    [
      'two models',
      mapOf({ ...shards, 'other-00001-of-00001.safetensors': shards[two] }),
      'the folder holds two models',
    ],
    [
      'several files',
      mapOf({ 'a.pt': first, 'b.pt': first }),
      'holds several files of weights, and no index: name one of a.pt, b.pt.',
    ],
    ['no weights', write('empty', { 'config.json': json({}) }), 'holds no file of weights'],
    [
      'a SavedModel',
      write('saved', { 'saved_model.pb': json({}) }),
      'this is a graph of TensorFlow as protobuf (a SavedModel)',
    ],
    ['a tensor that is absent', badIndex({ 'no.weight': one }), `the index has 'no.weight' in ${one}, which lacks it.`],
    ['a path upwards', badIndex({ x: '../secret' }), `the index has 'x' in "../secret", which is no file beside it.`],
    ['an absolute path', badIndex({ x: '/etc/passwd' }), 'which is no file beside it'],
    ['a drive', badIndex({ x: 'C:secret' }), 'which is no file beside it'],
    ['an address', badIndex({ x: 'https://example.org/a' }), 'which is no file beside it'],
    ['the folder above', badIndex({ x: '..' }), 'which is no file beside it'],
    ['a number as file', badIndex({ x: 1 }), "the index has 'x' in 1, which is no file beside it."],
    ['a list as map', badIndex(null), 'this is JSON'],
    [
      'a name twice',
      mapOf({
        ...whole,
        'model.safetensors.index.json': new TextEncoder().encode(`{"weight_map": {"x": "${one}", "x": "${two}"}}`),
      }),
      "the index has 'x' twice.",
    ],
    ['an index that names itself', badIndex({ x: 'model.safetensors.index.json' }), 'an index names another index'],
    ['a tensor in two files', mapOf({ [one]: shards[two], [two]: shards[two] }), "'head.weight' is in two files."],
  ])('%s', async (_, source, words) => {
    const untouched = model();
    await expect(loadModel(source, untouched)).rejects.toThrow(words);
    await expect(loadModel(source, untouched)).rejects.toMatchObject({ code: 'format' });
    expect(await untouched.body.weight.array()).toEqual([0, 0]);
  });

  it('what is no list of files', async () => {
    for (const [source, words] of [
      [[1, 2], 'a list of files is expected: each with its name.'],
      [[], 'a path or bytes are expected, and come first.'],
      [[new File([], 'a'), new File([], 'a')], "the file 'a' is there twice."],
    ] as const) {
      await expect(Reflect.apply(loadTensors, undefined, [source])).rejects.toThrow(words);
    }
  });
});

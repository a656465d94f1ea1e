/**
 * Damaged files of every format that is read here: each loads, or is refused by a typed error; a model is then as it was, and what
 * was loaded is no more than four times the file or the limit. NN_MUTATIONS sets how many of each format are tried.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { cpu } from '@nn/backend-cpu';
import { isNNError, type Parameter, parameter, setDefaultBackend } from '@nn/core';
import { Linear, ReLU, Sequential } from '@nn/layers';
import { encodeOnnx, loadOnnx } from '@nn/onnx';
import {
  type Bytes,
  encodeNpy,
  encodeNpz,
  encodeSafetensors,
  encodeTorch,
  type HostTensor,
  loadModel,
  loadTensors,
} from '@nn/serialize';
import { beforeAll, describe, expect, it } from 'vitest';
import { damaged, truncated } from './mutate.ts';

beforeAll(() => setDefaultBackend(cpu()));

const rounds = Number(process.env.NN_MUTATIONS ?? 200);
const maxBytes = 2 ** 16;

/** Truncations of a file of kilobytes are tried here and there, all of them in a long run. */
const stepOf = (file: Uint8Array): number =>
  process.env.NN_MUTATIONS === undefined ? Math.ceil(file.length / 400) : 1;

const fixtures = join(import.meta.dirname, '../../packages/serialize/fixtures');
/** Files that the formats' own libraries wrote, by the names of their cases. */
function written(file: string, wanted: (name: string) => boolean): Uint8Array[] {
  const { cases } = JSON.parse(readFileSync(join(fixtures, file), 'utf8')) as {
    readonly cases: readonly { readonly name: string; readonly file: string }[];
  };
  return cases.filter(({ name }) => wanted(name)).map((found) => Buffer.from(found.file, 'base64'));
}

const numbers = Float32Array.from({ length: 12 }, (_, k) => k - 5);
const tensors: readonly (readonly [string, HostTensor])[] = [
  ['layer.weight', { dtype: 'float32', shape: [3, 4], data: numbers }],
  ['layer.bias', { dtype: 'float32', shape: [3], data: numbers.slice(3, 6) }],
  ['steps', { dtype: 'int32', shape: [2], data: Int32Array.of(1, -2) }],
  ['mask', { dtype: 'bool', shape: [2, 2], data: Uint8Array.of(1, 0, 0, 1) }],
  ['bytes', { dtype: 'uint8', shape: [5], data: Uint8Array.of(1, 2, 3, 4, 5) }],
];

/** The index of a model in two files, and the files: what is damaged is one of the three. */
const parts: readonly (readonly [string, Uint8Array])[] = [
  [
    'model.safetensors.index.json',
    new TextEncoder().encode(
      JSON.stringify({
        metadata: { total_size: 84 },
        weight_map: Object.fromEntries(tensors.map(([name], k) => [name, k < 2 ? 'a.safetensors' : 'b.bin'])),
      }),
    ),
  ],
  ['a.safetensors', encodeSafetensors(tensors.slice(0, 2))],
  ['b.bin', encodeTorch(tensors.slice(2))],
];

const isOfTorch = (name: string): boolean => !/types|odd|legacy|tar|TorchScript/.test(name);

/** Of each format the whole files, and how one becomes a source. */
const formats: readonly [
  name: string,
  files: readonly Uint8Array[],
  sourceOf?: (bytes: Uint8Array, round: number) => ReadonlyMap<string, Bytes>,
][] = [
  ['safetensors', [encodeSafetensors(tensors, { format: 'pt' })]],
  ['PyTorch, archive', [encodeTorch(tensors), ...written('torch.json', isOfTorch)]],
  ['PyTorch, pickles in a row', written('torch.json', (name) => /legacy/.test(name) && !/types|odd|module/.test(name))],
  ['PyTorch, tar', written('torch.json', (name) => name === 'tar')],
  ['NumPy, archive', [encodeNpz(tensors), ...written('numpy.json', (name) => name.startsWith('savez'))]],
  [
    'NumPy, array',
    [...tensors.map(([, tensor]) => encodeNpy(tensor)), ...written('numpy.json', (name) => /version/.test(name))],
  ],
  ['GGUF', written('gguf.json', () => true)],
  [
    'several files',
    parts.map(([, bytes]) => bytes),
    (bytes, round) => new Map(parts.map(([name, whole], k) => [name, k === round % parts.length ? bytes : whole])),
  ],
];

/** A model whose parameters are those of a file, with other values. */
async function modelOf(file: Uint8Array | ReadonlyMap<string, Bytes>): Promise<Record<string, Parameter>> {
  const { tensors: read } = await loadTensors(file, { narrow: true });
  return Object.fromEntries(
    [...read].map(([name, { shape, dtype, data }]) => [
      name,
      parameter(
        data.map(() => 1),
        { shape, dtype },
      ),
    ]),
  );
}

async function contents(model: Record<string, Parameter>): Promise<string> {
  return JSON.stringify(await Promise.all(Object.values(model).map((each) => each.data())));
}

/** The error, where it is typed; every other one is a fault. */
function refusal(error: unknown): string {
  if (!isNNError(error) || error.code !== 'format') throw error;
  expect(error.message.length).toBeLessThan(4100);
  return error.message;
}

describe.each(formats)('%s', (name, files, sourceOf = (bytes) => bytes as never) => {
  async function tryFile(bytes: Uint8Array, round: number, model: Record<string, Parameter>): Promise<boolean> {
    const source = sourceOf(bytes, round);
    const before = await contents(model);
    const strict = round % 2 === 0;
    const refused = await loadModel(source, model, { strict, skipMismatched: !strict, narrow: true, maxBytes }).then(
      () => undefined,
      refusal,
    );
    if (refused !== undefined) expect(await contents(model)).toBe(before);
    const loaded = await loadTensors(source, { narrow: true, maxBytes }).catch(refusal);
    if (typeof loaded === 'string') return false;
    const taken = [...new Set(loaded.tensors.values())].reduce((sum, { data }) => sum + data.byteLength, 0);
    const size =
      sourceOf === undefined ? bytes.length : parts.reduce((sum, [, part]) => sum + part.length, bytes.length);
    // A block of GGUF becomes at most so much more.
    expect(taken).toBeLessThanOrEqual(name === 'GGUF' ? 12.2 * size : Math.max(maxBytes, 4 * size));
    return true;
  }

  it(
    `${rounds} damaged files`,
    async () => {
      let [round, loaded, slowest] = [0, 0, 0];
      const models = await Promise.all(files.map((file, k) => modelOf(sourceOf(file, k))));
      for (const bytes of damaged(files, rounds, 17)) {
        const start = performance.now();
        if (await tryFile(bytes, round, models[round % models.length]!)) loaded++;
        slowest = Math.max(slowest, performance.now() - start);
        round++;
      }
      expect(loaded).toBeGreaterThan(0);
      expect(loaded).toBeLessThan(rounds);
      report(name, loaded, slowest);
    },
    Math.max(120_000, 20 * rounds),
  );

  it('every truncation of a small one', async () => {
    const small = files.reduce((a, b) => (a.length <= b.length ? a : b));
    const at = files.indexOf(small);
    const model = await modelOf(sourceOf(small, at));
    for (const bytes of truncated(small, stepOf(small))) await tryFile(bytes, at, model);
  });
});

describe('ONNX', () => {
  const network = (): Sequential => new Sequential(new Linear(3, 4), new ReLU(), new Linear(4, 2));

  it(
    `${rounds} damaged files`,
    async () => {
      const files = [
        await encodeOnnx(network(), [1, 3], { dynamic: { batch: 0 } }),
        await encodeOnnx(network(), [2, 3]),
      ];
      let [loaded, slowest] = [0, 0];
      for (const bytes of damaged(files, rounds, 18)) {
        const start = performance.now();
        await loadOnnx(bytes).then(() => loaded++, refusal);
        slowest = Math.max(slowest, performance.now() - start);
      }
      expect(loaded).toBeGreaterThan(0);
      expect(loaded).toBeLessThan(rounds);
      report('ONNX', loaded, slowest);
    },
    Math.max(120_000, 20 * rounds),
  );

  it('every truncation of a small one', async () => {
    for (const bytes of truncated(await encodeOnnx(new Linear(2, 1), [1, 2]))) await loadOnnx(bytes).catch(refusal);
  });
});

/** What a long run has found. */
function report(name: string, loaded: number, slowest: number): void {
  if (process.env.NN_MUTATIONS === undefined) return;
  const { maxRSS } = process.resourceUsage();
  process.stdout.write(
    `${name}: ${rounds} files, ${loaded} loaded, ${rounds - loaded} refused, slowest ${Math.round(slowest)} ms, peak of the process ${Math.round(maxRSS / 1024)} MB\n`,
  );
}

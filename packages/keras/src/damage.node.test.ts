/**
 * Damaged files of every kind: each gives a model or a typed error, and nothing of a model that is there is changed. The damage is
 * drawn from one seed; NN_MUTATIONS sets the number of rounds for each kind and prints the slowest.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { reference } from '@nn/conformance';
import { isNNError, setDefaultBackend } from '@nn/core';
import { RandomSequence } from '@nn/data';
import { encodeZip, openBytes } from '@nn/serialize/formats';
import { ready } from 'h5wasm';
import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from './config/json.ts';
import { isList, isObject } from './config/json.ts';
import { openArchive } from './formats/archive.ts';
import { encodeTfjs, type KerasSource, loadKeras, loadKerasTensors } from './index.ts';

setDefaultBackend(reference());

const rounds = Number(process.env.NN_MUTATIONS ?? 60);
const file = (name: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(readFileSync(join(import.meta.dirname, '../fixtures', name)));
const text = (json: Json): Uint8Array => new TextEncoder().encode(JSON.stringify(json));

/** A copy with some bytes changed, cut, doubled or put in. */
function damage(bytes: Uint8Array, random: RandomSequence): Uint8Array<ArrayBuffer> {
  let result = Uint8Array.from(bytes);
  for (let change = random.integer(3); change >= 0; change--) {
    const at = random.integer(random.integer(2) ? Math.min(result.length, 4096) : result.length);
    const kind = random.integer(8);
    const value = random.integer(2) ? random.integer(256) : [0, 1, 255, 127, 128][random.integer(5)]!;
    if (kind < 5) result[at] = value;
    else if (kind === 5) result.fill(value, at, at + 8);
    else if (kind === 6) result = result.slice(0, at + 1);
    else result = Uint8Array.from([...result.subarray(0, at), ...result.subarray(0, 16), ...result.subarray(at)]);
  }
  return result;
}

const odd: readonly Json[] = [
  ...[null, -1, 0, 1.5, 1e9, 2 ** 53, '', 'relu', '__proto__', 'constructor', [], {}, true, [[]], [null, 1e6, 1e6, 64]],
  { class_name: 'Dense', config: { units: 1e9 } },
  { ['__proto__']: { units: 3 } },
];

/** A copy of a description in which something is something else, missing, or there twice. */
function distorted(json: Json, random: RandomSequence): Json {
  const isHere = random.integer(6) === 0;
  if (isList(json) && json.length > 0) {
    const at = random.integer(json.length);
    if (isHere && random.integer(2)) return [...json, json[at]!];
    if (isHere) return json.filter((_, k) => k !== at);
    return json.map((item, k) => (k === at ? distorted(item, random) : item));
  }
  if (isObject(json) && Object.keys(json).length > 0) {
    const keys = Object.keys(json);
    const key = keys[random.integer(keys.length)]!;
    const { [key]: value = null, ...rest } = json;
    if (isHere) return random.integer(2) ? rest : { ...rest, [`${key}_`]: value };
    const changed: JsonObject = { ...rest, [key]: distorted(value, random) };
    // in the order in which they stood
    return Object.fromEntries(keys.map((name) => [name, changed[name]!]));
  }
  return odd[random.integer(odd.length)]!;
}

/** Where the stack of C begins: a text that is handed to it lies there. */
async function stackOfLibrary(): Promise<number> {
  const module = await ready;
  let place = 0;
  Reflect.set(module, '_place', (pointer: number) => {
    place = pointer;
  });
  module.ccall('place', null, ['string'], ['']);
  return place;
}

async function tryAll(name: string, make: (random: RandomSequence) => KerasSource): Promise<void> {
  const random = new RandomSequence(5);
  let [read, slowest] = [0, 0];
  const reasons = new Map<string, number>();
  for (let round = 0; round < rounds; round++) {
    const source = make(random);
    const start = performance.now();
    try {
      await loadKeras(source);
      read++;
    } catch (error) {
      if (!isNNError(error)) throw new Error(`${name}, round ${round}: ${error}`, { cause: error });
      reasons.set(error.code, (reasons.get(error.code) ?? 0) + 1);
    }
    slowest = Math.max(slowest, performance.now() - start);
  }
  if (process.env.NN_MUTATIONS)
    process.stdout.write(
      `${name}: ${read} of ${rounds} read, the slowest ${slowest.toFixed(0)} ms, ${JSON.stringify([...reasons])}\n`,
    );
  // damage that nothing survives, or that changes nothing, would prove nothing
  expect(read).toBeLessThan(rounds);
}

describe(`${rounds} damaged files of each kind`, () => {
  const pictures = file('pictures.keras');
  const opened = openBytes('loadKeras', pictures).then(openArchive);
  const stack = stackOfLibrary();

  test('.keras, its bytes', () => tryAll('.keras', (random) => damage(pictures, random)), 600_000);

  test('.keras, the description in it', async () => {
    for (const name of ['pictures.keras', 'nested.keras']) {
      const { description, weights } = await openArchive(await openBytes('loadKeras', file(name)));
      await tryAll(`description of ${name}`, (random) =>
        encodeZip([
          ['metadata.json', text({ keras_version: '3.15.1' })],
          ['config.json', text(distorted(description, random))],
          ['model.weights.h5', weights],
        ]),
      );
    }
  }, 600_000);

  test('.keras, the weights in it', async () => {
    const { description, weights } = await opened;
    await tryAll('weights of .keras', (random) =>
      encodeZip([
        ['metadata.json', text({ keras_version: '3.15.1' })],
        ['config.json', text(description)],
        ['model.weights.h5', damage(weights, random)],
      ]),
    );
  }, 600_000);

  test('.h5', () => {
    const words = file('words.h5');
    return tryAll('.h5', (random) => damage(words, random));
  }, 600_000);

  test('model.json and its shard', async () => {
    const files = await encodeTfjs(await loadKeras(pictures));
    const json: Json = JSON.parse(new TextDecoder().decode(files.get('model.json')));
    const shard = files.get('model.weights.bin')!;
    await tryAll('model.json', (random) => {
      const isShard = random.integer(8) === 0;
      const bytes = isShard ? shard.subarray(0, random.integer(shard.length)) : shard;
      return new Map([
        ['model.json', text(isShard ? json : distorted(json, random))],
        ['model.weights.bin', bytes],
      ]);
    });
  }, 600_000);

  test('the library of HDF5 has not grown by what they claim, has nothing open and nothing on its stack, and reads others', async () => {
    const { HEAPU8, FS } = await ready;
    // two of the first three hundred .h5 claim 0.5 and 2 GB
    expect(HEAPU8.length).toBeLessThan(100 * 2 ** 20);
    expect((await loadKerasTensors(file('words.h5'))).size).toBe(9);
    const opened: readonly unknown[] = Reflect.get(FS, 'streams');
    expect(opened.slice(3).filter(Boolean)).toEqual([]);
    expect(await stackOfLibrary()).toBe(await stack);
  });

  test('every truncation of a small .h5 is an error that says so', async () => {
    const words = file('words.h5');
    const step = process.env.NN_MUTATIONS ? 1 : 997;
    for (let length = 0; length < words.length - 1; length += step) {
      const error: unknown = await loadKeras(words.subarray(0, length)).then(
        () => null,
        (reason: unknown) => reason,
      );
      // what lies behind the last array is not missed
      if (error !== null) expect(isNNError(error)).toBe(true);
      if (length < 8192) expect(error).not.toBeNull();
    }
  }, 600_000);
});

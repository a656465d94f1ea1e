/**
 * Archives of Keras 3 (`.keras`): the description, the weights, and nothing else that is looked at. The archive itself is read
 * by `@nn/serialize`, which refuses bombs, doubled names and damaged members.
 */
import { excerpt, FormatError } from '@nn/core';
import { type ByteReader, type Member, readDirectory, readMember } from '@nn/serialize/formats';
import { type Json, parseJson, textOf } from '../config/json.ts';

export interface KerasArchive {
  readonly description: Json;
  readonly version: string | undefined;
  /** The HDF5 file of its weights. */
  readonly weights: Uint8Array;
}

const mostMembers = 10_000;

/** Keras' own limit: an archive that unpacks to more than this many times its size is no model. */
const densest = 100;

function fail(words: string, data?: Readonly<Record<string, unknown>>): never {
  throw new FormatError('loadKeras/archive', words, data);
}

export function isArchive(head: Uint8Array): boolean {
  return head[0] === 0x50 && head[1] === 0x4b && head[2] === 0x03 && head[3] === 0x04;
}

export async function openArchive(reader: ByteReader): Promise<KerasArchive> {
  const members = await readDirectory(reader, mostMembers);
  const config = members.get('config.json');
  if (!config) return fail(otherArchive([...members.keys()]));
  const limit = densest * reader.size + 2 ** 20;
  const total = [...members.values()].reduce((sum, { size }) => sum + size, 0);
  if (total > limit) return fail(`the archive of ${reader.size} bytes unpacks to ${total}; no model does.`, { total });
  const read = async (member: Member): Promise<Uint8Array> => readMember(reader, member, limit);
  const metadata = members.get('metadata.json');
  const description = parseJson(await read(config), 'config.json of the archive');
  const facts = metadata ? parseJson(await read(metadata), 'metadata.json of the archive') : null;
  const weights = members.get('model.weights.h5');
  if (!weights) return fail(withoutWeights([...members.keys()]));
  return { description, version: textOf(facts, 'keras_version'), weights: await read(weights) };
}

function withoutWeights(names: readonly string[]): string {
  if (names.includes('model.weights.npz')) {
    return 'the weights of the archive are in model.weights.npz, as pickles that are not read: save it with h5py installed.';
  }
  if (names.some((name) => /^model.*\.weights\.(h5|json)$/.test(name))) {
    return 'the weights of the archive are in several files (shards), which are not read: save it without max_shard_size.';
  }
  return 'the archive has no model.weights.h5; it is cut off, or no model of Keras.';
}

function otherArchive(names: readonly string[]): string {
  if (names.some((name) => /(^|\/)data\.pkl$/.test(name)))
    return 'this is a file of PyTorch, not of Keras: loadModel(source, model) of @nn/serialize reads its weights.';
  const shown = names
    .slice(0, 3)
    .map((name) => excerpt(name, 40))
    .join(', ');
  return `the archive has no config.json, so it is no model of Keras${shown === '' ? '' : `; it holds ${shown}`}.`;
}

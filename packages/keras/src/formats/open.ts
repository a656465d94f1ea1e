/**
 * Opens whatever holds a Keras model: `.keras`, `.h5`, `model.json` with shards, a description alone. The content tells which,
 * never the name; what is something else is refused with what it is and what to do.
 */
import { type AbortSignalLike, excerpt, FormatError, untilAborted, ValueError } from '@nn/core';
import type { NamedFile, Source } from '@nn/serialize';
import { anyKind, openBytes } from '@nn/serialize/formats';
import { fieldOf, isObject, type Json, parseJson, textOf } from '../config/json.ts';
import type { Generation } from '../config/settings.ts';
import { type StoredWeights, weightsOf } from '../weights/stored.ts';
import { isArchive, openArchive } from './archive.ts';
import { type HdfFile, isHdf, openHdf } from './hdf5.ts';
import { isTfjs, tfjsDescription, tfjsWeights } from './tfjs.ts';

/** A path (in Node), an address, bytes, a Blob or File; of models in several files also the set of them, by name. */
export type KerasSource = Source | ReadonlyMap<string, Source>;

export type KerasFormat = 'keras' | 'h5' | 'tfjs' | 'json';

/** A file that is open: what of a model it holds. */
export interface KerasFile {
  readonly format: KerasFormat;
  /** `{ class_name, config }`, null where the file holds weights alone. */
  readonly description: Json;
  /** The version of Keras that wrote it, as it says. */
  readonly version: string | undefined;
  readonly generation: Generation;
  /** Null for a description alone. */
  readonly weights: StoredWeights | null;
  close(): void;
}

export interface OpenOptions {
  readonly signal?: AbortSignalLike | undefined;
}

function fail(reason: string, words: string, data?: Readonly<Record<string, unknown>>): never {
  throw new FormatError(`loadKeras/${reason}`, words, data);
}

/** Opens a source; who opened it closes it. */
export async function openKeras(source: KerasSource, options: OpenOptions = {}): Promise<KerasFile> {
  const files = filesOf(source);
  const first = files.first;
  const bytes = await read(first, options);
  const head = bytes.subarray(0, 512);
  if (isHdf(head)) return openHdfModel(bytes);
  if (isArchive(head)) {
    const archive = await openArchive(await openBytes('loadKeras', bytes));
    const file = await openHdf(archive.weights);
    return closing(file, () => ({
      format: 'keras',
      description: archive.description,
      version: archive.version,
      generation: generationOf(archive.version ?? '3', archive.description),
      weights: weightsOf(file),
      close: file.close,
    }));
  }
  const start = head.findIndex((byte) => byte > 0x20 && byte !== 0xef && byte !== 0xbb && byte !== 0xbf);
  if (head[start] === 0x7b) return openJson(parseJson(bytes.subarray(start), 'the file'), files.shard, options);
  return fail('foreign', describeOther(head));
}

/** Closes a file where what is made of it fails. */
function closing(file: HdfFile, make: () => KerasFile): KerasFile {
  try {
    return make();
  } catch (error) {
    file.close();
    throw error;
  }
}

async function openHdfModel(bytes: Uint8Array): Promise<KerasFile> {
  const file = await openHdf(bytes);
  return closing(file, () => {
    const text = file.texts('', 'model_config')?.[0];
    const version = file.texts('', 'keras_version')?.[0] ?? file.texts('model_weights', 'keras_version')?.[0];
    const description = text === undefined ? null : parseJson(text, 'the description of the model');
    return {
      format: 'h5',
      description,
      version,
      generation: generationOf(version, description),
      weights: weightsOf(file),
      close: file.close,
    };
  });
}

async function openJson(json: Json, shard: (path: string) => Source, options: OpenOptions): Promise<KerasFile> {
  if (isTfjs(json)) {
    const hasModel = fieldOf(json, 'modelTopology') !== undefined && fieldOf(json, 'modelTopology') !== null;
    const { description, version } = hasModel ? tfjsDescription(json) : { description: null, version: undefined };
    const weights = await tfjsWeights(json, async (path) => read(shard(path), options));
    const close = (): void => undefined;
    return { format: 'tfjs', description, version, generation: generationOf(version, description), weights, close };
  }
  if (textOf(json, 'class_name') === undefined) {
    return fail('json', 'this JSON is neither a model of Keras (model.to_json()) nor of TensorFlow.js (model.json).');
  }
  const version = textOf(json, 'keras_version');
  const generation = generationOf(version, json);
  return { format: 'json', description: json, version, generation, weights: null, close: () => undefined };
}

/** The generation by the version that the file names, or else by how it describes layers. */
function generationOf(version: string | undefined, description: Json): Generation {
  const major = /^(?:tfjs-layers )?(\d+)\./.exec(version ?? '')?.[1];
  if (
    isObject(description) &&
    textOf(description, 'module') !== undefined &&
    fieldOf(description, 'registered_name') !== undefined
  ) {
    // tf.keras 2.13 describes layers as Keras 3 does, and computes as Keras 2
    return major === '2' ? 2 : 3;
  }
  if (major === '1') return 1;
  return major === '3' ? 3 : 2;
}

interface Files {
  readonly first: Source;
  /** The source of a shard that lies beside the first. */
  shard(path: string): Source;
}

/** The file to begin with, and where the others are. */
function filesOf(source: KerasSource): Files {
  const set = setOf(source);
  if (set) {
    const names = [...set.keys()];
    const name =
      set.size === 1
        ? names[0]
        : (names.find((key) => /(^|\/)model\.json$/.test(key)) ?? names.find((key) => key.endsWith('.json')));
    const first = name === undefined ? undefined : set.get(name);
    if (name === undefined || first === undefined) {
      throw new ValueError(
        'loadKeras',
        `there is no model.json among the files ${names
          .slice(0, 5)
          .map((key) => `'${excerpt(key)}'`)
          .join(', ')}.`,
        { names },
      );
    }
    const folder = name.slice(0, name.lastIndexOf('/') + 1);
    return {
      first,
      shard: (path) => {
        // files dropped on a page have no folders
        const found = set.get(folder + path) ?? set.get(path) ?? set.get(path.slice(path.lastIndexOf('/') + 1));
        return (
          found ??
          fail('shard', `the file '${excerpt(path)}' is not among those given; give all files of the model.`, {
            path,
            names,
          })
        );
      },
    };
  }
  // the cast: what is no set of files is one source
  const single = source as Source;
  return {
    first: single,
    shard: (path) => {
      if (typeof single !== 'string') {
        return fail(
          'shard',
          `the model's weights are in '${excerpt(path)}': give all of its files, new Map([['model.json', ...], ['${excerpt(path)}', ...]]), or a path or address.`,
          { path },
        );
      }
      if (isAddress(single)) return new URL(path, single).href;
      const at = Math.max(single.lastIndexOf('/'), single.lastIndexOf('\\'));
      return single.slice(0, at + 1) + path;
    },
  };
}

function setOf(source: KerasSource): ReadonlyMap<string, Source> | null {
  if (Array.isArray(source))
    return new Map(
      source.map((file: NamedFile & { readonly webkitRelativePath?: string }) => [
        file.webkitRelativePath || file.name,
        file,
      ]),
    );
  return Object.prototype.toString.call(source) === '[object Map]' ? (source as ReadonlyMap<string, Source>) : null;
}

const isAddress = (path: string): boolean => /^https?:\/\//i.test(path);

/** All bytes of a source. */
async function read(source: Source, { signal }: OpenOptions): Promise<Uint8Array> {
  if (typeof source === 'string' && isAddress(source)) return download(source, signal);
  const reader = await openBytes('loadKeras', source, signal);
  try {
    return await reader.read(0, reader.size);
  } finally {
    await reader.close();
  }
}

async function download(address: string, signal: AbortSignalLike | undefined): Promise<Uint8Array> {
  const failed = (why: string): never =>
    fail('download', `${excerpt(address, 200)} cannot be loaded: ${why}`, { address });
  const response = await untilAborted(fetch(address), signal).catch((error: unknown) => {
    signal?.throwIfAborted();
    return failed(error instanceof Error ? error.message : String(error));
  });
  if (!response.ok) return failed(`the server answered ${response.status} ${response.statusText}.`);
  return new Uint8Array(await untilAborted(response.arrayBuffer(), signal));
}

/** What a file is that is no model of Keras. */
function describeOther(head: Uint8Array): string {
  const text = String.fromCharCode(...head.subarray(0, 16));
  // EF BF BD stands where a text conversion met what is no UTF-8: the first byte of HDF5 is one
  if (text.includes('\xef\xbf\xbdHDF') || /^\xc2?\x89HDF/.test(text)) {
    return 'the file went through a conversion of text, and its numbers are lost: copy or download it again as binary.';
  }
  if (head.length === 0) return 'the file is empty.';
  if (/^[\s\S]{4}TFL3/.test(text))
    return 'this is a model of TensorFlow Lite (.tflite), which is not read: save the Keras model that it was made of as .keras or .h5.';
  const other = anyKind(head);
  if (other?.includes('protobuf'))
    return "this is a SavedModel of TensorFlow, or another graph as protobuf, which is not read: in Python, model.save('model.keras').";
  return (
    other ??
    'this is no model of Keras: .keras, .h5, a model.json of TensorFlow.js, and the text of model.to_json() are read.'
  );
}

/**
 * TensorFlow.js' LayersModels: `model.json` and its shards of weights, quantized or not. What lies where is told by the
 * manifest; the files come from whoever opened them. Graph models are refused.
 */
import { excerpt, FormatError } from '@nn/core';
import { fieldOf, isList, isObject, type Json, shapeOf, shown, textOf } from '../config/json.ts';
import type { StoredArray, StoredGroup, StoredWeights } from '../weights/stored.ts';
import { asFloats } from './numbers.ts';

/** Gives the bytes of a file by the path that the manifest has for it. */
export type ShardReader = (path: string) => Promise<Uint8Array>;

function fail(words: string, data?: Readonly<Record<string, unknown>>): never {
  throw new FormatError('loadKeras/tfjs', words, data);
}

/** Whether JSON is a model of TensorFlow.js, or weights alone. */
export function isTfjs(json: Json): boolean {
  return fieldOf(json, 'weightsManifest') !== undefined || fieldOf(json, 'modelTopology') !== undefined;
}

/** The model's description `{ class_name, config }`, in either of its two wrappings. */
export function tfjsDescription(json: Json): { readonly description: Json; readonly version: string | undefined } {
  const topology = fieldOf(json, 'modelTopology');
  if (textOf(json, 'format') === 'graph-model' || isList(fieldOf(topology, 'node'))) {
    return fail(
      'this is a graph model of TensorFlow.js, whose operations are not layers: convert the Keras model itself, or save it as .keras or .h5.',
    );
  }
  if (topology === undefined)
    return fail('the file holds weights without a model; give them to loadKerasWeights(source, model).');
  const description = fieldOf(topology, 'model_config') ?? topology;
  // tfjs itself writes model_config as text in places
  return {
    description: isObject(description)
      ? description
      : fail(`modelTopology is ${shown(description)}; an object is expected.`),
    version: textOf(topology, 'keras_version'),
  };
}

interface Quantization {
  readonly type: 'U8' | 'U16' | 'F16';
  readonly scale: number;
  readonly min: number;
}

function quantizationOf(value: Json | undefined, name: string): Quantization | null {
  if (value === undefined || value === null) return null;
  const dtype = textOf(value, 'dtype');
  if (dtype === 'float16') return { type: 'F16', scale: 1, min: 0 };
  const [scale, min] = [fieldOf(value, 'scale'), fieldOf(value, 'min')];
  if ((dtype !== 'uint8' && dtype !== 'uint16') || typeof scale !== 'number' || typeof min !== 'number') {
    return fail(
      `the quantization of '${excerpt(name)}' is ${shown(value)}; uint8, uint16 with scale and min, or float16 are read.`,
      { name },
    );
  }
  return { type: dtype === 'uint8' ? 'U8' : 'U16', scale, min };
}

const elementTypes = { float32: 'F32', int32: 'I32', bool: 'BOOL' } as const;

/** The weights that the manifest lists, in its order; those of optimizers are left out. */
export async function tfjsWeights(json: Json, read: ShardReader): Promise<StoredWeights> {
  const manifest = fieldOf(json, 'weightsManifest');
  if (!isList(manifest)) return fail('the file has no weightsManifest.');
  const arrays: StoredArray[] = [];
  for (const group of manifest) {
    const [paths, weights] = [fieldOf(group, 'paths'), fieldOf(group, 'weights')];
    if (!isList(paths) || !isList(weights))
      return fail(`a group of weights is ${shown(group)}; paths and weights are expected.`);
    const bytes = await joined(paths, read);
    let at = 0;
    for (const weight of weights) {
      const entry = entryOf(weight);
      const end = at + entry.size;
      if (end > bytes.length) {
        return fail(
          `the shards end at byte ${bytes.length}, '${excerpt(entry.name)}' at ${end}; a shard is cut off or missing.`,
          { name: entry.name },
        );
      }
      // a group's tensors follow each other without gaps, so that few are aligned
      const part = bytes.subarray(at, end);
      if (!entry.isOptimizer) arrays.push({ name: entry.name, shape: entry.shape, read: () => entry.decode(part) });
      at = end;
    }
    if (at !== bytes.length)
      return fail(
        `the shards have ${bytes.length} bytes, the weights of their group end at ${at}; the files are of different models.`,
      );
  }
  return { kind: 'groups', groups: grouped(arrays) };
}

async function joined(paths: readonly Json[], read: ShardReader): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (const path of paths) {
    if (typeof path !== 'string') return fail(`a path of a shard is ${shown(path)}.`);
    if (/^([a-z][a-z0-9+.-]*:|[/\\])|(^|[/\\])\.\.([/\\]|$)/i.test(path)) {
      return fail(`the shard '${excerpt(path)}' lies outside of the model's folder; it is not read.`, { path });
    }
    parts.push(await read(path.replace(/^\.\//, '')));
  }
  if (parts.length === 1) return parts[0]!;
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

interface Entry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly size: number;
  readonly isOptimizer: boolean;
  decode(bytes: Uint8Array): Float32Array;
}

function entryOf(weight: Json): Entry {
  const name = textOf(weight, 'name');
  const shape = shapeOf(weight, 'shape');
  const dtype = textOf(weight, 'dtype');
  const isShape = (sizes: typeof shape): sizes is readonly number[] => sizes?.every((size) => size !== null) === true;
  if (name === undefined || !isShape(shape))
    return fail(`an entry of the manifest is ${shown(weight)}; name and shape are expected.`);
  const count = shape.reduce((product, size) => product * size, 1);
  const quantization = quantizationOf(fieldOf(weight, 'quantization'), name);
  const isOptimizer = textOf(weight, 'group') === 'optimizer';
  if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool') {
    return fail(`'${excerpt(name)}' is of the type ${excerpt(String(dtype))}; float32, int32 and bool are read.`, {
      name,
    });
  }
  const type = quantization?.type ?? elementTypes[dtype];
  const width = type === 'BOOL' || type === 'U8' ? 1 : type === 'U16' || type === 'F16' ? 2 : 4;
  return {
    ...{ name, shape, isOptimizer },
    size: count * width,
    decode: (bytes) => {
      const values = asFloats(name, type, bytes);
      if (!quantization || type === 'F16') return values;
      // value = q scale + min; whole numbers are rounded
      const { scale, min } = quantization;
      return values.map((q) => (dtype === 'int32' ? Math.round(q * scale + min) : q * scale + min));
    },
  };
}

/** Arrays that follow each other under the same first name are of one layer. */
function grouped(arrays: readonly StoredArray[]): StoredGroup[] {
  const groups: { name: string; arrays: StoredArray[] }[] = [];
  for (const array of arrays) {
    const at = array.name.indexOf('/');
    const name = at < 0 ? array.name : array.name.slice(0, at);
    const last = groups.at(-1);
    if (last?.name === name) last.arrays.push(array);
    else groups.push({ name, arrays: [array] });
  }
  return groups;
}

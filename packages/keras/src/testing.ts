/** For tests: models in memory, from descriptions and arrays as fixtures have them. */
import { type Tensor, tensor } from '@nn/core';
import { encodeZip } from '@nn/serialize/formats';
import { fieldOf, type Json } from './config/json.ts';
import { encodeHdf } from './formats/hdf5-write.ts';

/** An array of numbers as fixtures have it. */
export interface Packed {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** A model that Keras wrote: its description, the arrays of its `.keras` by path, and the names of the same in its `.h5`. */
export interface GoldenModel {
  readonly name: string;
  readonly description: Json;
  readonly weights: readonly (Packed & { readonly path: string })[];
  readonly legacy: {
    readonly groups: Readonly<Record<string, readonly string[]>>;
    /** The path of each array, in the order of the groups. */
    readonly paths: readonly string[];
  } | null;
  readonly inputs: readonly Packed[];
  readonly outputs: readonly Packed[];
}

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** A `model.json` with one shard. */
export function tfjsFiles(
  model: Json,
  weights: readonly (Packed & { readonly name: string })[],
): Map<string, Uint8Array> {
  const entries = weights.map(({ name, shape }) => ({ name, shape, dtype: 'float32' }));
  const values = Float32Array.from(weights.flatMap(({ data }) => data));
  const version = (model as { readonly keras_version?: string }).keras_version ?? '2.12.0';
  const description = {
    format: 'layers-model',
    modelTopology: { keras_version: version, backend: 'tensorflow', model_config: model },
    weightsManifest: [{ paths: ['weights.bin'], weights: entries }],
  };
  return new Map([
    ['model.json', json(description)],
    ['weights.bin', new Uint8Array(values.buffer)],
  ]);
}

/** A fixture's input; models that begin with indices take whole numbers. */
export function inputTensor({ shape, data }: Packed, dtype = 'float32'): Tensor {
  return /int/.test(dtype) ? tensor(Int32Array.from(data), { shape }) : tensor(Float32Array.from(data), { shape });
}

/** The `.keras` of a fixture, put together again. */
export async function archiveOf({ description, weights }: GoldenModel): Promise<Uint8Array> {
  const arrays = weights.map(({ path, shape, data }) => ({ path, shape, data: Float32Array.from(data) }));
  return encodeZip([
    ['metadata.json', json({ keras_version: '3.15.1', date_saved: '2026-11-29@08:00:00' })],
    ['config.json', json(description)],
    ['model.weights.h5', await encodeHdf({ texts: [], groups: ['layers', 'vars'], arrays })],
  ]);
}

/** The `.h5` of a fixture, put together again. */
export async function legacyFileOf({ description, weights, legacy }: GoldenModel): Promise<Uint8Array> {
  const groups = Object.entries(legacy?.groups ?? {});
  const names = groups.flatMap(([layer, own]) => own.map((name) => `model_weights/${layer}/${name}`));
  const config = { class_name: fieldOf(description, 'class_name'), config: fieldOf(description, 'config') };
  const arrays = names.map((path, k) => {
    const found = weights.find((array) => array.path === legacy?.paths[k]);
    return { path, shape: found?.shape ?? [], data: Float32Array.from(found?.data ?? []) };
  });
  return encodeHdf({
    groups: groups.map(([layer]) => `model_weights/${layer}`),
    texts: [
      ['', 'keras_version', '3.15.1'],
      ['', 'backend', 'jax'],
      ['', 'model_config', JSON.stringify(config)],
      ['model_weights', 'layer_names', groups.map(([layer]) => layer)],
      ...groups.map(([layer, own]): [string, string, readonly string[]] => [
        `model_weights/${layer}`,
        'weight_names',
        own,
      ]),
    ],
    arrays,
  });
}

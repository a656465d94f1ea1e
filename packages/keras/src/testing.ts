/** For tests: models of TensorFlow.js in memory, from a description and weights by name. */
import type { Json } from './config/json.ts';

/** An array of numbers as fixtures have it. */
export interface Packed {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** A `model.json` with one shard. */
export function tfjsFiles(
  model: Json,
  weights: readonly (Packed & { readonly name: string })[],
): Map<string, Uint8Array> {
  const entries = weights.map(({ name, shape }) => ({ name, shape, dtype: 'float32' }));
  const values = Float32Array.from(weights.flatMap(({ data }) => data));
  const version = (model as { readonly keras_version?: string }).keras_version ?? '2.12.0';
  const json = {
    format: 'layers-model',
    modelTopology: { keras_version: version, backend: 'tensorflow', model_config: model },
    weightsManifest: [{ paths: ['weights.bin'], weights: entries }],
  };
  return new Map([
    ['model.json', new TextEncoder().encode(JSON.stringify(json))],
    ['weights.bin', new Uint8Array(values.buffer)],
  ]);
}

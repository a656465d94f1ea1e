/** One pass that makes a trained network ready for inference. Owns the order of the steps; each is a function of its own. */
import { freeze, isParameter, type Shape } from '@nn/core';
import {
  AlphaDropout,
  Dropout,
  Dropout1d,
  Dropout2d,
  Dropout3d,
  FeatureAlphaDropout,
  GaussianDropout,
  GaussianNoise,
  Identity,
  layersOf,
  removeWeightNorm,
} from '@nn/layers';
import { mergeWeights } from '../adapters/adapters.ts';
import { settlePrefixes } from '../adapters/prefix.ts';
import { replaceLayer } from '../model.ts';
import { removePruning } from '../prune/pruning.ts';
import { foldBatchNorm } from './fold.ts';

/** What was done, by path. */
export interface InferenceReport {
  readonly mergedAdapters: readonly string[];
  readonly bakedMasks: readonly string[];
  readonly bakedNorms: readonly string[];
  readonly foldedNorms: readonly string[];
  /** Dropout and noise, which do nothing in evaluation. */
  readonly removed: readonly string[];
}

/**
 * Makes a trained network ready for inference, in place: merges adapters, makes pruning and weight norms last, folds BatchNorm into
 * the layers before, takes out dropout and noise, and freezes what is left. A prefix in use stays, computed to the end. It computes what it did in evaluation, to rounding, with
 * fewer steps. `inputShape` is an example's.
 *
 * @example
 * import { cpu } from '@nn/backend-cpu';
 * import { readyForInference } from '@nn/compress';
 * import { parameters, setDefaultBackend } from '@nn/core';
 * import { BatchNorm1d, Dropout, Linear, ReLU, Sequential } from '@nn/layers';
 * setDefaultBackend(cpu());
 * const model = new Sequential(new Linear(4, 8), new BatchNorm1d(8), new ReLU(), new Dropout(0.5), new Linear(8, 2));
 * const { foldedNorms, removed } = await readyForInference(model, [1, 4]);
 * console.log(foldedNorms, removed, parameters(model).length); // => [ '1' ] [ '3' ] 0
 */
export async function readyForInference(
  model: { readonly forward: (...inputs: never[]) => unknown },
  inputShape: Shape | readonly Shape[],
): Promise<InferenceReport> {
  const mergedAdapters = mergeWeights(model, true);
  settlePrefixes(model);
  const bakedMasks = removePruning(model);
  const bakedNorms = layersOf(model).flatMap(({ path, layer }) => {
    const hasNorm = isParameter(Reflect.get(layer, 'weightG')) && isParameter(Reflect.get(layer, 'weightV'));
    if (hasNorm) removeWeightNorm(layer);
    return hasNorm ? [path] : [];
  });
  const foldedNorms = await foldBatchNorm(model, inputShape);
  const removed = layersOf(model).flatMap(({ path, layer }) => {
    if (path === '' || !silent.some((kind) => layer instanceof kind)) return [];
    replaceLayer('readyForInference', model, layer, new Identity());
    return [path];
  });
  freeze(model, () => true);
  return { mergedAdapters, bakedMasks, bakedNorms, foldedNorms, removed };
}

const silent = [
  ...[Dropout, Dropout1d, Dropout2d, Dropout3d],
  ...[AlphaDropout, FeatureAlphaDropout, GaussianDropout, GaussianNoise],
];

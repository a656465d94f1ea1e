/**
 * The parameters of a model as safetensors, by PyTorch's names, and back.
 * What a training run needs beside them is `checkpoint.ts`; names come from core's walk over the model's fields.
 */
import type { AbortSignalLike, Parameter } from '@nn/core';
import { checkOptions, namedParameters, untilAborted } from '@nn/core';
import type { DecodeOptions } from './element-types.ts';
import type { Source, WriteOptions } from './files.ts';
import { readBytes, writeInOrder } from './files.ts';
import { applyValues, matchParameters, readValues, reportMismatch } from './parameters.ts';
import type { ParseOptions } from './safetensors.ts';
import { encodeSafetensors, parseSafetensors } from './safetensors.ts';

export interface SaveModelOptions extends WriteOptions {
  /** Texts to store beside the tensors; 'format' is 'pt' where not given, which other readers ask for. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface LoadModelOptions extends Pick<DecodeOptions, 'narrow'>, ParseOptions {
  /**
   * Whether every name must be on both sides; true where not given. Otherwise names on one side alone are left out and
   * told in the result. Shapes and dtypes must fit in any case.
   */
  readonly strict?: boolean;
  /**
   * Leaves out tensors whose shape or dtype differs, as those of a new head with other classes, and tells them in the
   * result; those parameters stay as they were.
   */
  readonly skipMismatched?: boolean;
  /** Ends the loading before anything was changed: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignalLike;
  /** The model's name for a name in the file, null to leave it out: for files with a prefix or other names. */
  readonly rename?: (name: string) => string | null;
}

/** What a load left out. */
export interface NameDifference {
  /** In the model, not in the file. */
  readonly missing: readonly string[];
  /** In the file, not in the model. */
  readonly unexpected: readonly string[];
  /** Left out by `skipMismatched`: a sentence each, which begins with the name. */
  readonly mismatched: readonly string[];
}

const known = ['strict', 'skipMismatched', 'rename', 'narrow', 'signal', 'maxHeaderBytes', 'maxTensors'];

/**
 * The model's parameters and running statistics as the bytes of a safetensors file.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { encodeModel, parseSafetensors } from '@nn/serialize';
 * const bytes = await encodeModel({ layer: { weight: parameter([1, 2]) } });
 * console.log([...parseSafetensors(bytes).tensors.keys()]); // => [ 'layer.weight' ]
 */
export async function encodeModel(model: object, options: SaveModelOptions = {}): Promise<Uint8Array> {
  checkOptions('saveModel', options, ['metadata', 'signal']);
  options.signal?.throwIfAborted();
  const values = await untilAborted(readValues(namedParameters(model)), options.signal);
  return encodeSafetensors(values, { format: 'pt', ...options.metadata });
}

/**
 * Writes the model's parameters and running statistics to a safetensors file that PyTorch can load, atomically.
 * In a browser use `encodeModel`.
 *
 * @example
 * import { mkdtempSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { Linear } from '@nn/layers';
 * import { loadModel, saveModel } from '@nn/serialize';
 * const path = `${mkdtempSync(`${tmpdir()}/`)}/linear.safetensors`;
 * await saveModel(path, new Linear(2, 1));
 * console.log(await loadModel(path, new Linear(2, 1))); // => { missing: [], unexpected: [], mismatched: [] }
 */
export async function saveModel(path: string, model: object, options: SaveModelOptions = {}): Promise<void> {
  await writeInOrder(path, encodeModel(model, options), options.signal);
}

/**
 * Gives a model the values in a safetensors file, as one written by PyTorch. All or nothing: whatever does not fit is
 * a `FormatError` that lists all such names, and leaves the model as it was. PyTorch's `num_batches_tracked` is
 * skipped where the model has none. A parameter that the model has in two places (tied weights) is found under either
 * name, or both.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { encodeModel, loadModel } from '@nn/serialize';
 * const bytes = await encodeModel({ module: { weight: parameter([1, 2]) } });
 * const model = { weight: parameter([0, 0]) };
 * await loadModel(bytes, model, { rename: (name) => name.replace('module.', '') });
 * console.log(await model.weight.array()); // => [ 1, 2 ]
 */
export async function loadModel(
  source: Source,
  model: object,
  options: LoadModelOptions = {},
): Promise<NameDifference> {
  checkOptions('loadModel', options, known);
  const { strict = true, rename = (name: string) => name, narrow = false, skipMismatched = false, signal } = options;
  const { maxHeaderBytes, maxTensors } = options;
  const bytes = await readBytes(source, signal);
  const file = parseSafetensors(bytes, {
    ...(maxHeaderBytes && { maxHeaderBytes }),
    ...(maxTensors && { maxTensors }),
  });
  const expected: ReadonlyMap<string, Parameter> = namedParameters(model, { aliases: true });
  const match = matchParameters(expected, file.tensors, {
    rename: (name) => {
      const renamed = rename(name);
      const isKnown = renamed === null || expected.has(renamed);
      return !isKnown && renamed.endsWith('num_batches_tracked') ? null : renamed;
    },
    narrow,
  });
  reportMismatch('loadModel', match, { strict, skipMismatched });
  applyValues(match.values);
  return { missing: match.missing, unexpected: match.unexpected, mismatched: match.mismatched };
}

/**
 * A model's parameters and running statistics as a file, and back, by PyTorch's names. Which formats are read is
 * `open-weights.ts`, pairing `parameters.ts`, the disk `files.ts`; names come from core's walk over the model's fields.
 */
import type { AbortSignalLike, Parameter } from '@nn/core';
import { checkOptions, excerpt, namedParameters, untilAborted, ValueError } from '@nn/core';
import type { DecodeOptions, HostTensor } from './element-types.ts';
import type { WriteOptions } from './files.ts';
import { writeInOrder } from './files.ts';
import { modelName, type Rename } from './names.ts';
import { type OpenOptions, openOptionNames, openWeights } from './open-weights.ts';
import { applyValues, type Mismatch, pairParameters, readPairs, readValues, refuseMismatch } from './parameters.ts';
import { encodeSafetensors } from './safetensors.ts';
import type { Source } from './sources/reader.ts';
import type { WeightsEntry, WeightsFile } from './weights.ts';

/** The formats that are written: safetensors, an archive that `torch.load` reads, an archive that `numpy.load` reads. */
export type SaveFormat = 'safetensors' | 'pytorch' | 'npz';

export interface SaveModelOptions extends WriteOptions {
  /** Texts to store beside the tensors; 'format' is 'pt' where not given, which other readers ask for. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** What is written; where not given, what the path ends with says: '.pt', '.pth' and '.bin' PyTorch's, '.npz' NumPy's, else safetensors. */
  readonly format?: SaveFormat;
}

export interface LoadModelOptions extends Pick<DecodeOptions, 'narrow'>, OpenOptions {
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
  /**
   * The model's name for a name in the file: a function, null to leave it out, or pairs of pattern and replacement. What
   * DataParallel and compile of PyTorch put in front ('module.', '_orig_mod.') is taken away without it.
   */
  readonly rename?: Rename;
  /**
   * The dictionary of a checkpoint that holds the model, as 'state_dict' or 'ema.model'; where not given, the whole file, or
   * the one dictionary in which names fit. `rename` is given names without it.
   */
  readonly key?: string;
}

/** What a load left out. */
export interface NameDifference {
  /** In the model, not in the file. */
  readonly missing: readonly string[];
  /** In the file, not in the model. */
  readonly unexpected: readonly string[];
  /** Left out by `skipMismatched`. */
  readonly mismatched: readonly Mismatch[];
  /** What is no tensor in the file, as the epoch in a checkpoint of PyTorch: a sentence each, which begins with its name. */
  readonly skipped: readonly string[];
}

const known = ['strict', 'skipMismatched', 'rename', 'key', 'narrow', ...openOptionNames];

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
  checkOptions('saveModel', options, ['metadata', 'signal', 'format']);
  const { metadata, signal, format = 'safetensors' } = options;
  signal?.throwIfAborted();
  if (format !== 'safetensors' && format !== 'pytorch' && format !== 'npz') {
    throw new ValueError(
      'saveModel',
      `format is '${excerpt(String(format))}'; 'safetensors', 'pytorch' and 'npz' are written.`,
    );
  }
  if (metadata && format !== 'safetensors') {
    throw new ValueError(
      'saveModel',
      `a file of the format '${format}' has no place for metadata; leave metadata out, or write safetensors.`,
    );
  }
  const parameters = namedParameters(model);
  if (parameters.size === 0) {
    throw new ValueError(
      'saveModel',
      'the model has no parameters: layers are found in fields, arrays and maps, not in #private fields, sets or closures.',
    );
  }
  const values = await untilAborted(readValues(parameters), signal);
  if (format === 'safetensors') return encodeSafetensors(values, { format: 'pt', ...metadata });
  if (format === 'npz') {
    const { encodeNpz } = await import('./numpy/write.ts');
    return encodeNpz(values);
  }
  const { encodeTorch } = await import('./pytorch/write.ts');
  return encodeTorch(withAliases(model, values));
}

/** The values under every name: those of tied weights are the same object, and are written once. */
function withAliases(
  model: object,
  values: readonly (readonly [string, HostTensor])[],
): (readonly [string, HostTensor])[] {
  const byName = new Map(values);
  const names = new Map([...namedParameters(model)].map(([name, parameter]) => [parameter, name]));
  return [...namedParameters(model, { aliases: true })].flatMap(([name, parameter]) => {
    const value = byName.get(names.get(parameter) ?? name);
    return value ? [[name, value] as const] : [];
  });
}

/**
 * Writes the model's parameters and running statistics to a file, atomically: safetensors, or what the path's ending or
 * `format` says. `torch.load(path, weights_only=True)` reads a '.pt', `numpy.load(path)` a '.npz'. In a browser use `encodeModel`.
 *
 * @example
 * import { mkdtempSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { Linear } from '@nn/layers';
 * import { loadModel, saveModel } from '@nn/serialize';
 * const path = `${mkdtempSync(`${tmpdir()}/`)}/linear.safetensors`;
 * await saveModel(path, new Linear(2, 1));
 * console.log(await loadModel(path, new Linear(2, 1))); // => { missing: [], unexpected: [], mismatched: [], skipped: [] }
 */
export async function saveModel(path: string, model: object, options: SaveModelOptions = {}): Promise<void> {
  await writeInOrder(path, encodeModel(model, { format: formatOf(path), ...options }), options.signal);
}

function formatOf(path: string): SaveFormat {
  if (/\.(pt|pth|bin)$/i.test(path)) return 'pytorch';
  return /\.npz$/i.test(path) ? 'npz' : 'safetensors';
}

/**
 * Gives a model the values in a file of weights: safetensors, PyTorch (.pt, .pth, .bin of every version), NumPy (.npz), GGUF;
 * the content tells which, not the name. A model in several files is its folder, its index, or a list of its files. The source may be an
 * address, 'https://...' or 'hf://owner/name/file@revision', of which only what is needed is fetched. All or nothing: whatever does not fit is a `FormatError` that puts both sides next to
 * each other, and leaves the model as it was. Nothing in a file is run. Tensors are read one after the other, so that a large file on disk
 * takes no more memory than the model. PyTorch's `num_batches_tracked` is skipped where the model has none. A parameter that the
 * model has in two places (tied weights) is found under either name, or both.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { encodeModel, loadModel } from '@nn/serialize';
 * const bytes = await encodeModel({ encoder: { weight: parameter([1, 2]) } }, { format: 'pytorch' });
 * const model = { weight: parameter([0, 0]) };
 * await loadModel(bytes, model, { rename: [['encoder', '']] });
 * console.log(await model.weight.array()); // => [ 1, 2 ]
 */
export async function loadModel(
  source: Source,
  model: object,
  options: LoadModelOptions = {},
): Promise<NameDifference> {
  checkOptions('loadModel', options, known);
  if (typeof model !== 'object' || model === null || source === model) {
    throw new ValueError(
      'loadModel',
      `the file comes first, then the model that gets its values, got ${excerpt(String(model))}: loadModel('model.safetensors', model).`,
    );
  }
  const rename = await renamingOf(options.rename);
  const file = await openWeights('loadModel', source, options);
  try {
    const expected = namedParameters(model, { aliases: true });
    const { stored, hint } = await partOf(file, expected, rename, options.key);
    const pairing = pairParameters(expected, stored, (name) => modelNameOf(name, expected, rename));
    const sides = { expected, stored, ...(hint !== undefined && { hint }) };
    await refuseMismatch('loadModel', pairing, options, sides);
    const match = await readPairs(pairing, { narrow: false, ...options });
    await refuseMismatch('loadModel', match, options, sides);
    options.signal?.throwIfAborted();
    applyValues(match.values);
    const { missing, unexpected, mismatched } = match;
    return { missing, unexpected, mismatched, skipped: file.skipped };
  } finally {
    await file.close();
  }
}

/** `rename` as a function. Throws a `ValueError` for patterns that are none. */
async function renamingOf(rename: Rename | undefined): Promise<(name: string) => string | null> {
  if (rename === undefined) return (name) => name;
  if (typeof rename === 'function') return rename;
  const { renaming } = await import('./rename.ts');
  return renaming('loadModel', rename);
}

/** The model's name for a name of the file, null for what is left out. */
function modelNameOf(
  name: string,
  expected: ReadonlyMap<string, Parameter>,
  rename: (name: string) => string | null,
): string | null {
  const renamed = rename(name);
  if (renamed === null) return null;
  const found = modelName(renamed, expected);
  return !expected.has(found) && found.endsWith('num_batches_tracked') ? null : found;
}

/** The tensors of the dictionary that holds the model, by their names in it. */
async function partOf(
  file: WeightsFile,
  expected: ReadonlyMap<string, Parameter>,
  rename: (name: string) => string | null,
  key: string | undefined,
): Promise<{ readonly stored: ReadonlyMap<string, WeightsEntry>; readonly hint?: string }> {
  const fits = (name: string): boolean => expected.has(modelNameOf(name, expected, rename) ?? '');
  const names = [...file.entries.keys()];
  if (key === undefined && names.some(fits)) return { stored: file.entries };
  const { chooseKey, quotedList } = await import('./choose-key.ts');
  const chosen = chooseKey('loadModel', names, file.containers, key, fits);
  if (chosen.key === '') {
    const hint = chosen.others.length > 0 && {
      hint: `The file holds dictionaries of tensors: ${quotedList(chosen.others)}; choose one by { key }.`,
    };
    return { stored: file.entries, ...hint };
  }
  const prefix = `${chosen.key}.`;
  const inside = [...file.entries].filter(([name]) => name.startsWith(prefix));
  return { stored: new Map(inside.map(([name, entry]) => [name.slice(prefix.length), entry])) };
}

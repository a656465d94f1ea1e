/**
 * Between parameters and stored tensors: reads values, pairs them by name, and gives them to a model in one go.
 * Pairing finds all that does not fit before anything is read, reading before anything changes. Shared by `model.ts` and
 * `checkpoint.ts`; what does not fit is told here as facts, its text is `report.ts`.
 */
import type { AbortSignalLike, DType, Parameter, Tensor } from '@nn/core';
import { isNNError, tensor } from '@nn/core';
import type { DecodeOptions, HostTensor } from './element-types.ts';
import { expectReads, type WeightsEntry } from './weights.ts';

/** A tensor of the file that does not fit its parameter, which is named as in the model. */
export type Mismatch =
  | {
      readonly reason: 'shape';
      readonly name: string;
      readonly file: readonly number[];
      readonly here: readonly number[];
    }
  /** The type of the elements in the file, and the parameter's. */
  | { readonly reason: 'dtype'; readonly name: string; readonly file: string; readonly here: string }
  /** Values that the parameter cannot hold, as float64 without `narrow`; `words` say why. */
  | {
      readonly reason: 'values';
      readonly name: string;
      readonly file: string;
      readonly here: string;
      readonly words: string;
    }
  /** Another name of the file, `other`, became this one too. */
  | { readonly reason: 'twice'; readonly name: string; readonly other: string }
  /** The parameter is also called `other`, and the file has other values for that. */
  | { readonly reason: 'tied'; readonly name: string; readonly other: string };

/** Names of a file beside those of a model, before any value was read. */
export interface Pairing {
  readonly pairs: readonly Pair[];
  /** Further names of a parameter that stands in two places: what the file has for them must be the same. */
  readonly doubles: readonly (readonly [Pair, Pair])[];
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
  readonly mismatched: readonly Mismatch[];
}

/** The pairs that fit, and all that does not. */
export interface Match extends Omit<Pairing, 'pairs' | 'doubles'> {
  readonly values: readonly (readonly [Parameter, Tensor])[];
}

interface Pair {
  readonly name: string;
  readonly parameter: Parameter;
  readonly entry: WeightsEntry;
}

/** The values of parameters at this moment; the reads are asked together, so they are of one state. */
export async function readValues(parameters: ReadonlyMap<string, Parameter>): Promise<[string, HostTensor][]> {
  return Promise.all(
    [...parameters].map(async ([name, parameter]): Promise<[string, HostTensor]> => {
      const { dtype, shape } = parameter;
      return [name, { dtype, shape, data: await parameter.data() }];
    }),
  );
}

/** Pairs parameters with stored tensors by name; nothing is read, and no parameter changes. */
export function pairParameters(
  expected: ReadonlyMap<string, Parameter>,
  stored: ReadonlyMap<string, WeightsEntry>,
  rename: (name: string) => string | null = (name) => name,
): Pairing {
  const unexpected: string[] = [];
  const mismatched: Mismatch[] = [];
  const doubles: [Pair, Pair][] = [];
  const seen = new Map<Parameter, Pair>();
  const pairs: Pair[] = [];
  for (const [name, entry] of stored) {
    const wanted = rename(name);
    if (wanted === null) continue;
    const parameter = expected.get(wanted);
    if (!parameter) {
      unexpected.push(name);
      continue;
    }
    const pair = { name: wanted, parameter, entry };
    const before = seen.get(parameter);
    if (before) {
      // One parameter under two names: files of PyTorch may hold it twice, and then the same bytes.
      if (before.name === wanted) {
        mismatched.push({ reason: 'twice', name: wanted, other: name });
      } else if (before.entry.place === undefined || before.entry.place !== entry.place) doubles.push([before, pair]);
      continue;
    }
    seen.set(parameter, pair);
    if (entry.shape.join() === parameter.shape.join()) pairs.push(pair);
    else mismatched.push({ reason: 'shape', name: wanted, file: entry.shape, here: parameter.shape });
  }
  // A parameter with several names misses under its first.
  const missing = new Map<Parameter, string>();
  for (const [name, parameter] of expected) {
    if (!seen.has(parameter) && !missing.has(parameter)) missing.set(parameter, name);
  }
  return { pairs, doubles, missing: [...missing.values()], unexpected, mismatched };
}

const isHalf = (dtype: DType): boolean => dtype === 'float16' || dtype === 'bfloat16';

/** What reading may be told and tells; `narrow` is absent where nothing may be rounded. */
interface ReadOptions extends Pick<DecodeOptions, 'narrow'> {
  readonly signal?: AbortSignalLike | undefined;
}

/** Reads the values of a pairing, one tensor after the other in the file's order; no parameter changes. */
export async function readPairs(pairing: Pairing, options: ReadOptions = {}): Promise<Match> {
  const { pairs, doubles, missing, unexpected } = pairing;
  const mismatched = [...pairing.mismatched];
  const values = new Map<Pair, Tensor>();
  expectReads(pairs.map(({ entry }) => entry));
  for (const pair of [...pairs].sort((a, b) => a.entry.order - b.entry.order)) {
    options.signal?.throwIfAborted();
    const value = await convert(pair, options, mismatched);
    if (!value) continue;
    const { parameter, name, entry } = pair;
    const isRounded = isHalf(parameter.dtype) && (value.dtype === 'float32' || isHalf(value.dtype));
    if (value.dtype === parameter.dtype || (isRounded && options.narrow === true)) {
      const place = parameter.backend ? { backend: parameter.backend } : {};
      const read = tensor(value.data, { shape: value.shape, dtype: value.dtype, borrow: true, ...place });
      values.set(pair, value.dtype === parameter.dtype ? read : read.cast('float32').cast(parameter.dtype));
    } else if (isRounded && options.narrow === false) {
      const words = `'${name}' is ${entry.type}, which ${parameter.dtype} cannot keep exactly; pass { narrow: true } to round`;
      mismatched.push({ reason: 'values', name, file: entry.type, here: parameter.dtype, words });
    } else mismatched.push({ reason: 'dtype', name, file: entry.type, here: parameter.dtype });
  }
  for (const [first, second] of doubles) {
    if (!(await areSame(first, second, options))) {
      mismatched.push({ reason: 'tied', name: first.name, other: second.name });
    }
  }
  // In the file's order of names, as it was paired.
  const applied = pairs.flatMap((pair) => {
    const value = values.get(pair);
    return value ? [[pair.parameter, value] as const] : [];
  });
  return { values: applied, missing, unexpected, mismatched };
}

/** Whether two entries hold the same bits. */
async function areSame(first: Pair, second: Pair, options: ReadOptions): Promise<boolean> {
  if (first.entry.type !== second.entry.type || first.entry.shape.join() !== second.entry.shape.join()) return false;
  const [a, b] = [await convert(first, options, []), await convert(second, options, [])];
  if (!a || !b) return true; // what cannot be read is told of the first
  const [left, right] = [a, b].map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)) as [
    Uint8Array,
    Uint8Array,
  ];
  return left.length === right.length && left.every((byte, i) => byte === right[i]);
}

/** The stored values for this parameter; where they cannot be read, why is added to `mismatched`. */
async function convert(
  { name, parameter, entry }: Pair,
  { narrow = false }: ReadOptions,
  mismatched: Mismatch[],
): Promise<HostTensor | undefined> {
  try {
    const computes = parameter.dtype === 'float32' || parameter.dtype === 'int32' || parameter.dtype === 'bool';
    return await entry.read(name, { narrow, widen: computes });
  } catch (error) {
    // Of the values, not of the file: a file that is damaged is refused as a whole.
    if (isNNError(error) && error.code === 'format' && error.data.name === name) {
      const words = error.message.replace(/^\w+: |\.$/g, '');
      mismatched.push({ reason: 'values', name, file: entry.type, here: parameter.dtype, words });
      return undefined;
    }
    throw error;
  }
}

/** Which names may stand on one side alone, and what else is compared. */
export interface MatchOptions {
  readonly strict?: boolean;
  readonly skipMismatched?: boolean;
  /** States of objects on the host, by the objects' names, that are on one side alone. */
  readonly missingStates?: readonly string[];
  readonly unexpectedStates?: readonly string[];
}

/** Both sides, for shapes and for names that are near. */
export interface Sides {
  readonly expected: ReadonlyMap<string, Parameter>;
  readonly stored: ReadonlyMap<string, WeightsEntry>;
  /** What else could be the matter, as a sentence. */
  readonly hint?: string;
}

/** Throws a `FormatError` that lists what does not fit; names on one side alone only where `strict`. */
export async function refuseMismatch(
  operation: string,
  match: Pick<Pairing, 'missing' | 'unexpected' | 'mismatched'>,
  options: MatchOptions = {},
  sides?: Sides,
): Promise<void> {
  const { strict = true, skipMismatched = false, missingStates = [], unexpectedStates = [] } = options;
  const alone = [match.missing, match.unexpected, missingStates, unexpectedStates].some((names) => names.length > 0);
  if ((strict && alone) || (!skipMismatched && match.mismatched.length > 0)) {
    const { mismatchError } = await import('./report.ts');
    throw mismatchError(operation, match, options, sides);
  }
}

/** Gives all parameters their values; nothing here can fail for a match without mismatches. */
export function applyValues(values: Match['values']): void {
  for (const [parameter, value] of values) parameter.assign(value);
}

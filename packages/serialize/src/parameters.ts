/**
 * Between parameters and stored tensors: reads values, pairs them by name, and gives them to a model in one go.
 * Pairing finds all that does not fit before anything is read, reading before anything changes. Shared by `model.ts` and
 * `checkpoint.ts`; the text of what does not fit is `report.ts`.
 */
import type { AbortSignalLike, Parameter, Tensor } from '@nn/core';
import { isNNError, tensor } from '@nn/core';
import type { DecodeOptions, HostTensor } from './element-types.ts';
import { quoted } from './safetensors.ts';
import type { WeightsEntry } from './weights.ts';

/** Names of a file beside those of a model, before any value was read. */
export interface Pairing {
  readonly pairs: readonly Pair[];
  /** Further names of a parameter that stands in two places: what the file has for them must be the same. */
  readonly doubles: readonly (readonly [Pair, Pair])[];
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
  /** A sentence for each pair whose shape or dtype differs, or whose values cannot be read. */
  readonly mismatched: readonly string[];
  /** Of these, what differs in shape or dtype. */
  readonly differences: readonly Difference[];
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

interface Difference {
  readonly name: string;
  /** The shape, or the element type, in the file and in the model. */
  readonly file: string;
  readonly here: string;
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
  const mismatched: string[] = [];
  const differences: Difference[] = [];
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
        mismatched.push(`${quoted(wanted)} is given twice, the second time by ${quoted(name)}`);
      } else if (before.entry.place === undefined || before.entry.place !== entry.place) doubles.push([before, pair]);
      continue;
    }
    seen.set(parameter, pair);
    if (entry.shape.join() === parameter.shape.join()) pairs.push(pair);
    else differ(pair, shapeText(entry.shape), shapeText(parameter.shape), differences, mismatched);
  }
  // A parameter with several names misses under its first.
  const missing = new Map<Parameter, string>();
  for (const [name, parameter] of expected) {
    if (!seen.has(parameter) && !missing.has(parameter)) missing.set(parameter, name);
  }
  return { pairs, doubles, missing: [...missing.values()], unexpected, mismatched, differences };
}

export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

function differ({ name }: Pair, file: string, here: string, differences: Difference[], mismatched: string[]): void {
  differences.push({ name, file, here });
  mismatched.push(`${quoted(name)} ${file.startsWith('[') ? 'has the shape' : 'is'} ${file} in the file, ${here} here`);
}

/** What reading may be told and tells. */
interface ReadOptions extends Pick<DecodeOptions, 'narrow'> {
  readonly signal?: AbortSignalLike | undefined;
}

/** Reads the values of a pairing, one tensor after the other in the file's order; no parameter changes. */
export async function readPairs(pairing: Pairing, options: ReadOptions = {}): Promise<Match> {
  const { pairs, doubles, missing, unexpected } = pairing;
  const mismatched = [...pairing.mismatched];
  const differences = [...pairing.differences];
  const values = new Map<Pair, Tensor>();
  for (const pair of [...pairs].sort((a, b) => a.entry.order - b.entry.order)) {
    options.signal?.throwIfAborted();
    const value = await convert(pair, options, mismatched);
    if (!value) continue;
    const { parameter } = pair;
    if (value.dtype !== parameter.dtype) differ(pair, pair.entry.type, parameter.dtype, differences, mismatched);
    else {
      const place = parameter.backend ? { backend: parameter.backend } : {};
      values.set(pair, tensor(value.data, { shape: value.shape, dtype: value.dtype, borrow: true, ...place }));
    }
  }
  for (const [first, second] of doubles) {
    if (!(await areSame(first, second, options))) {
      mismatched.push(
        `${quoted(first.name)} and ${quoted(second.name)} are one parameter here, and two different tensors in the file`,
      );
    }
  }
  // In the file's order of names, as it was paired.
  const applied = pairs.flatMap((pair) => {
    const value = values.get(pair);
    return value ? [[pair.parameter, value] as const] : [];
  });
  return { values: applied, missing, unexpected, mismatched, differences };
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

/** The stored values for this parameter; where they cannot be read, a sentence of why is added to `mismatched`. */
async function convert(
  { name, parameter, entry }: Pair,
  { narrow = false }: ReadOptions,
  mismatched: string[],
): Promise<HostTensor | undefined> {
  try {
    const computes = parameter.dtype === 'float32' || parameter.dtype === 'int32' || parameter.dtype === 'bool';
    return await entry.read(name, { narrow, widen: computes });
  } catch (error) {
    // Of the values, not of the file: a file that is damaged is refused as a whole.
    if (isNNError(error) && error.code === 'format' && error.data.name === name) {
      mismatched.push(error.message.replace(/^\w+: |\.$/g, ''));
      return undefined;
    }
    throw error;
  }
}

/** Gives all parameters their values; nothing here can fail for a match without mismatches. */
export function applyValues(values: Match['values']): void {
  for (const [parameter, value] of values) parameter.assign(value);
}

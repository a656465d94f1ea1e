/**
 * Between parameters and stored tensors: reads values, pairs them by name, and gives them to a model in one go.
 * Pairing finds all that does not fit before anything changes. Shared by `model.ts` and `checkpoint.ts`.
 */
import type { Parameter, Tensor } from '@nn/core';
import { excerpt, FormatError, isNNError, tensor } from '@nn/core';
import type { DecodeOptions, HostTensor } from './element-types.ts';
import type { StoredTensor } from './safetensors.ts';
import { decodeTensor, quoted } from './safetensors.ts';

/** The pairs that fit, and all that does not. */
export interface Match {
  readonly values: readonly (readonly [Parameter, Tensor])[];
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
  /** A sentence for each pair whose shape or dtype differs, or whose values cannot be read. */
  readonly mismatched: readonly string[];
  /** Of these, what differs in shape or dtype. */
  readonly differences: readonly Difference[];
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

/** Pairs parameters with stored tensors by name and makes the tensors; no parameter changes. */
export function matchParameters(
  expected: ReadonlyMap<string, Parameter>,
  stored: ReadonlyMap<string, StoredTensor>,
  options: DecodeOptions & { readonly rename?: (name: string) => string | null } = {},
): Match {
  const { rename = (name: string) => name } = options;
  const values: [Parameter, Tensor][] = [];
  const unexpected: string[] = [];
  const mismatched: string[] = [];
  const differences: Difference[] = [];
  const seen = new Map<Parameter, { readonly name: string; readonly found: StoredTensor }>();
  for (const [name, found] of stored) {
    const wanted = rename(name);
    if (wanted === null) continue;
    const parameter = expected.get(wanted);
    if (!parameter) {
      unexpected.push(name);
      continue;
    }
    const before = seen.get(parameter);
    if (before) {
      // One parameter under two names: files of PyTorch may hold it twice, and then the same bytes.
      if (before.name === wanted) {
        mismatched.push(`${quoted(wanted)} is given twice, the second time by ${quoted(name)}`);
      } else if (!isSame(before.found, found)) {
        mismatched.push(
          `${quoted(before.name)} and ${quoted(wanted)} are one parameter here, and two different tensors in the file`,
        );
      }
      continue;
    }
    seen.set(parameter, { name: wanted, found });
    const value = convert(wanted, parameter, found, options);
    if (typeof value === 'string') mismatched.push(value);
    else if ('here' in value) {
      const { name, file, here } = value;
      differences.push(value);
      const what = file.startsWith('[') ? 'has the shape' : 'is';
      mismatched.push(`${quoted(name)} ${what} ${file} in the file, ${here} here`);
    } else values.push([parameter, value]);
  }
  // A parameter with several names misses under its first.
  const missing = new Map<Parameter, string>();
  for (const [name, parameter] of expected) {
    if (!seen.has(parameter) && !missing.has(parameter)) missing.set(parameter, name);
  }
  return { values, missing: [...missing.values()], unexpected, mismatched, differences };
}

function isSame(a: StoredTensor, b: StoredTensor): boolean {
  return (
    a.type === b.type &&
    a.shape.join() === b.shape.join() &&
    a.bytes.length === b.bytes.length &&
    a.bytes.every((byte, i) => byte === b.bytes[i])
  );
}

/** The stored values as a tensor for this parameter, or what does not fit. */
function convert(
  name: string,
  parameter: Parameter,
  found: StoredTensor,
  options: DecodeOptions,
): Tensor | Difference | string {
  if (
    found.shape.length !== parameter.shape.length ||
    found.shape.some((size, axis) => size !== parameter.shape[axis])
  ) {
    return { name, file: `[${found.shape.join(', ')}]`, here: `[${parameter.shape.join(', ')}]` };
  }
  try {
    const compute = parameter.dtype === 'float32' || parameter.dtype === 'int32' || parameter.dtype === 'bool';
    const { dtype, shape, data } = decodeTensor(name, found, { ...options, widen: compute });
    if (dtype !== parameter.dtype) return { name, file: found.type, here: parameter.dtype };
    const place = parameter.backend ? { backend: parameter.backend } : {};
    return tensor(data, { shape, dtype, borrow: true, ...place });
  } catch (error) {
    if (isNNError(error) && error.code === 'format') return error.message.replace(/^safetensors: |\.$/g, '');
    throw error;
  }
}

interface ReportOptions {
  readonly strict?: boolean;
  readonly skipMismatched?: boolean;
  /** States of objects on the host, by the objects' names, that are on one side alone. */
  readonly missingStates?: readonly string[];
  readonly unexpectedStates?: readonly string[];
}

/** Throws a `FormatError` that lists what does not fit; names on one side alone only where `strict`. */
export function reportMismatch(operation: string, match: Match, options: ReportOptions = {}): void {
  const { strict = true, skipMismatched = false, missingStates = [], unexpectedStates = [] } = options;
  const { missing, unexpected, mismatched, differences } = match;
  const parts: string[] = [];
  const states = (names: readonly string[]): string[] => names.map((name) => `the state of ${name}`);
  const [lacks, has] = [
    [...missing, ...states(missingStates)],
    [...unexpected, ...states(unexpectedStates)],
  ];
  if (strict && lacks.length > 0) parts.push(`missing in the file: ${list(lacks)}`);
  if (strict && has.length > 0) parts.push(`unexpected in the file: ${list(has)}`);
  if (!skipMismatched && mismatched.length > 0) parts.push(`different: ${list(mismatched)}`);
  if (parts.length === 0) return;
  throw new FormatError(
    `${operation}/mismatch`,
    `the file does not fit, and nothing was changed; ${parts.join('; ')}.`,
    {
      missing,
      unexpected,
      mismatched,
      differences,
      missingStates,
      unexpectedStates,
    },
  );
}

/** Gives all parameters their values; nothing here can fail for a match without mismatches. */
export function applyValues(values: Match['values']): void {
  for (const [parameter, value] of values) parameter.assign(value);
}

function list(names: readonly string[]): string {
  const shown = names
    .slice(0, 8)
    .map((name) => excerpt(name, 200))
    .join(', ');
  return names.length > 8 ? `${shown} and ${names.length - 8} more` : shown;
}

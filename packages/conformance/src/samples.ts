/**
 * The numbers that cases start from. All are short binary fractions, so that every backend and the oracle begin with
 * exactly the same values; all follow from the case, so a failure can be repeated.
 */
import { type Backend, type DType, randomValue, type Shape, type Tensor, type TensorData, tensor } from '@nn/core';

/**
 * What an input is filled with.
 * - `any`: -2 to 2. `positive`: 1/4 to 4. `unit`: -7/8 to 7/8. `nonzero`: as `any` without the values below 1/4.
 * - `distinct`: all different, for operations that choose. `tied`: few values, many of them equal.
 * - `whole`: -8 to 8. `bool`: 0 or 1.
 */
export type Kind = 'any' | 'positive' | 'unit' | 'nonzero' | 'distinct' | 'tied' | 'whole' | 'bool';

/** An input of a case: random numbers of a kind, or the numbers themselves. */
export type Sample =
  | { readonly shape: Shape; readonly kind?: Kind; readonly dtype?: 'float32' | 'int32' | 'bool' }
  | { readonly shape: Shape; readonly values: readonly number[]; readonly dtype?: DType };

/** Float32 values from -2 to 2. */
export function any(...shape: number[]): Sample {
  return { shape };
}

export function sample(kind: Kind, ...shape: number[]): Sample {
  return { shape, kind };
}

/** int32 values, by default from -8 to 8. */
export function whole(...shape: number[]): Sample {
  return { shape, kind: 'whole', dtype: 'int32' };
}

export function bool(...shape: number[]): Sample {
  return { shape, kind: 'bool', dtype: 'bool' };
}

export function given(values: readonly number[], shape: Shape = [values.length], dtype: DType = 'float32'): Sample {
  return { shape, values, dtype };
}

/** int32 numbers as they stand: indices. */
export function indices(values: readonly number[], shape: Shape = [values.length]): Sample {
  return given(values, shape, 'int32');
}

export function dtypeOf(input: Sample): DType {
  return input.dtype ?? 'float32';
}

/** The numbers of a sample; `seed` tells the inputs of all cases apart. */
export function dataOf(input: Sample, seed: number): TensorData {
  const size = input.shape.reduce((product, extent) => product * extent, 1);
  const values = 'values' in input ? input.values : draw(input.kind ?? 'any', size, seed);
  switch (dtypeOf(input)) {
    case 'int32':
      return Int32Array.from(values);
    case 'int8':
      return Int8Array.from(values);
    case 'bool':
    case 'uint8':
      return Uint8Array.from(values);
    case 'float16':
    case 'bfloat16':
      return Uint16Array.from(values);
    default:
      return Float32Array.from(values);
  }
}

/** The sample as a tensor on a backend. */
export function tensorOf(input: Sample, seed: number, backend: Backend): Tensor {
  return tensor(dataOf(input, seed), { shape: input.shape, dtype: dtypeOf(input), backend });
}

/** Weights for the elements of a result, so that its gradient has no symmetry to hide behind. */
export function weights(size: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => (((7 * i) % 11) - 4.5) / 8);
}

/** A seed from a name. */
export function seedOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash | 0;
}

function draw(kind: Kind, size: number, seed: number): number[] {
  const below = (count: number, i: number): number => Math.floor(randomValue(seed, 0x5a3, i) * count);
  const between = (low: number, high: number, i: number): number => low + below((high - low) * 64 + 1, i) / 64;
  const all = (value: (i: number) => number): number[] => Array.from({ length: size }, (_, i) => value(i));
  switch (kind) {
    case 'any':
      return all((i) => between(-2, 2, i));
    case 'positive':
      return all((i) => between(0.25, 4, i));
    case 'unit':
      return all((i) => between(-0.875, 0.875, i));
    case 'nonzero':
      return all((i) => between(0.25, 2, i) * (below(2, i + size) === 0 ? -1 : 1));
    case 'tied':
      return all((i) => below(3, i) - 1);
    case 'whole':
      return all((i) => below(17, i) - 8);
    case 'bool':
      return all((i) => below(2, i));
    case 'distinct': {
      // multiples of 1/16 in random order, none of them 0
      const order = all((i) => (2 * i + 1 - size) / 16);
      for (let i = size - 1; i > 0; i--) {
        const k = below(i + 1, i);
        [order[i], order[k]] = [order[k]!, order[i]!];
      }
      return order.map((value) => (value === 0 ? 1 / 32 : value));
    }
  }
}

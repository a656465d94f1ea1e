/** What the tests against PyTorch share: tensors of the fixtures, their cotangent, and how near is near. Only for tests. */
import { concat, type Tensor, tensor } from '@nn/core';

/** A tensor in a fixture; numbers that JSON lacks are words. */
export interface Packed {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
}

export function isPacked(value: unknown): value is Packed {
  return typeof value === 'object' && value !== null && 'dtype' in value && 'shape' in value && 'data' in value;
}

export function unpack({ dtype, shape, data }: Packed): Tensor {
  const numbers = data.map(Number);
  if (dtype === 'int32') return tensor(Int32Array.from(numbers), { shape });
  if (dtype === 'bool') return tensor(Uint8Array.from(numbers), { shape, dtype: 'bool' });
  return tensor(Float32Array.from(numbers), { shape });
}

/** sum(output * cotangent), with one cotangent through all outputs in order. */
export function weigh(outputs: readonly Tensor[]): Tensor {
  const joined = concat(
    outputs.map((output) => output.reshape([-1])),
    0,
  );
  const cotangent = Float32Array.from({ length: joined.size }, (_, i) => (((7 * i) % 11) - 5) / 8);
  return joined.mul(tensor(cotangent)).sum();
}

export interface Tolerance {
  readonly absolute?: number;
  readonly relative?: number;
}

export async function expectNear(
  what: string,
  actual: Tensor,
  expected: unknown,
  { absolute = 1e-5, relative = 2e-5 }: Tolerance = {},
): Promise<void> {
  if (!isPacked(expected)) throw new Error(`${what} has no expected values`);
  if (`${actual.shape}` !== `${expected.shape}`)
    throw new Error(`${what}: [${actual.shape}], expected [${expected.shape}]`);
  const values = await actual.data();
  expected.data.map(Number).forEach((number, i) => {
    const value = values[i] ?? Number.NaN;
    const isNear = Object.is(value, number) || Math.abs(value - number) <= absolute + relative * Math.abs(number);
    if (!isNear) throw new Error(`${what}[${i}]: ${value}, expected ${number}`);
  });
}

export const entries = (values: object): [string, unknown][] => Object.entries(values);

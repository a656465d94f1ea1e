/** What the tests against committed fixtures share: cases as the scripts in scripts/golden write them, and their comparison. */
import { type Backend, type DType, gradientsOrNull, type Tensor, tensor } from '@nn/core';
import { expect } from 'vitest';
import { expectData, type Tolerance } from './compare.ts';
import { readAll } from './operation.ts';
import { reference } from './reference.ts';

export interface Packed {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
}

export interface Golden<Attributes> {
  readonly operation: string;
  readonly attributes: Attributes;
  readonly inputs: readonly Packed[];
  readonly output: Packed | readonly Packed[];
  readonly gradients: readonly (Packed | null)[];
  readonly secondGradients?: readonly (Packed | null)[];
}

export const backend: ReturnType<typeof reference> = reference();

function numbersOf({ data }: Packed): number[] {
  return data.map((value) => (value === '-0' ? -0 : Number(value)));
}

export function load(packed: Packed, on: Backend = backend): Tensor {
  const { dtype, shape } = packed;
  const data = numbersOf(packed);
  const values =
    dtype === 'float32' ? new Float32Array(data) : dtype === 'int32' ? new Int32Array(data) : new Uint8Array(data);
  return tensor(values, { shape, dtype: dtype as DType, backend: on });
}

/** The fixture's weights: ((7 i) mod 11 - 5) / 8 for the i-th element of all float outputs in a row. */
function weighted(outputs: readonly Tensor[]): Tensor {
  let start = 0;
  return outputs
    .filter(({ dtype }) => dtype === 'float32')
    .map((output) => {
      const weight = Float32Array.from({ length: output.size }, (_, i) => (((7 * (start + i)) % 11) - 5) / 8);
      start += output.size;
      return output.mul(tensor(weight, { shape: output.shape, backend })).sum();
    })
    .reduce((a, b) => a.add(b));
}

/** Fixtures have nine digits; results leave the oracle as float32. */
export const close: Tolerance = { relative: 2e-7, absolute: 1e-8 };

export async function expectAll(
  found: readonly Tensor[],
  right: readonly Packed[],
  tolerance: Tolerance,
  label: string,
): Promise<void> {
  const values = await readAll(found);
  expect(values.length).toBe(right.length);
  values.forEach((value, k) => {
    const expected = right[k]!;
    expect(`${label} ${value.dtype} [${value.shape}]`).toBe(`${label} ${expected.dtype} [${expected.shape}]`);
    expectData(value.data, numbersOf(expected), tolerance, label);
  });
}

/** The type that JSON imports have says less than the script promises. */
export const casesOf = <Attributes>(file: { readonly cases: readonly object[] }): readonly Golden<Attributes>[] =>
  file.cases as readonly Golden<Attributes>[];

export const listOf = (output: Packed | readonly Packed[]): readonly Packed[] => ('data' in output ? [output] : output);

/** First and second gradients of what `apply` makes of the inputs. */
export async function checkGradients<Attributes>(
  golden: Golden<Attributes>,
  apply: (golden: Golden<Attributes>, inputs: readonly Tensor[]) => readonly Tensor[],
): Promise<void> {
  const { gradients, secondGradients } = golden;
  const inputs = golden.inputs.map((input) => load(input));
  const targets = inputs.filter((_, k) => gradients[k] !== null && gradients[k] !== undefined);
  if (targets.length === 0) return;
  const right = gradients.filter((gradient): gradient is Packed => gradient !== null);
  const first = gradientsOrNull(weighted(apply(golden, inputs)), targets);
  // PyTorch gives zeros where core says that there is nothing
  const found = first.map((gradient, k) => gradient ?? targets[k]!.mul(0));
  await expectAll(found, right, { relative: 1e-6, absolute: 1e-7 }, `${golden.operation}, gradient`);
  if (secondGradients === undefined) return;
  const total = first.flatMap((gradient) => (gradient === null ? [] : [gradient.sum()])).reduce((a, b) => a.add(b));
  const second = gradientsOrNull(total, targets).map((gradient, k) => gradient ?? targets[k]!.mul(0));
  const rightSecond = secondGradients.filter((gradient): gradient is Packed => gradient !== null);
  await expectAll(second, rightSecond, { relative: 2e-6, absolute: 1e-6 }, `${golden.operation}, second gradient`);
}

/** What the tests against committed fixtures share: cases as the scripts in scripts/golden write them, and their comparison. */
import * as core from '@nn/core';
import { type Backend, type DType, gradientsOrNull, isTensor, type Tensor, tensor } from '@nn/core';
import { describe, expect, test } from 'vitest';
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

/** First and second gradients of what `apply` makes of the inputs. `slope`: the absolute error they may have where digits cancel. */
export async function checkGradients<Attributes>(
  golden: Golden<Attributes>,
  apply: (golden: Golden<Attributes>, inputs: readonly Tensor[]) => readonly Tensor[] | Promise<readonly Tensor[]>,
  slope = 0,
): Promise<void> {
  const { gradients, secondGradients } = golden;
  const inputs = golden.inputs.map((input) => load(input));
  const targets = inputs.filter((_, k) => gradients[k] !== null && gradients[k] !== undefined);
  if (targets.length === 0) return;
  const right = gradients.filter((gradient): gradient is Packed => gradient !== null);
  const first = gradientsOrNull(weighted(await apply(golden, inputs)), targets);
  // PyTorch gives zeros where core says that there is nothing
  const found = first.map((gradient, k) => gradient ?? targets[k]!.mul(0));
  await expectAll(found, right, { relative: 1e-6, absolute: Math.max(slope, 1e-7) }, `${golden.operation}, gradient`);
  if (secondGradients === undefined) return;
  const total = first.flatMap((gradient) => (gradient === null ? [] : [gradient.sum()])).reduce((a, b) => a.add(b));
  const second = gradientsOrNull(total, targets).map((gradient, k) => gradient ?? targets[k]!.mul(0));
  const rightSecond = secondGradients.filter((gradient): gradient is Packed => gradient !== null);
  await expectAll(
    second,
    rightSecond,
    { relative: 2e-6, absolute: Math.max(10 * slope, 1e-6) },
    `${golden.operation}, second gradient`,
  );
}

/** What scripts/golden/{vocabulary,order}.py write: a function of core, or a method of the first input, by its name. */
interface Call {
  /** As JavaScript names them; { input: k } is the k-th tensor. */
  readonly arguments: readonly unknown[];
  /** The absolute error allowed, where digits cancel near a zero. */
  readonly absolute?: number;
  /** The same of gradients. */
  readonly slope?: number;
}

async function call({ operation, attributes }: Golden<Call>, inputs: readonly Tensor[]): Promise<readonly Tensor[]> {
  const place = (value: unknown): unknown => {
    if (value === 'Infinity' || value === '-Infinity') return Number(value);
    if (Array.isArray(value)) return value.map(place);
    const isInput = typeof value === 'object' && value !== null && 'input' in value;
    if (isInput) return inputs[Number(value.input)];
    const isOptions = typeof value === 'object' && value !== null;
    return isOptions ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, place(item)])) : value;
  };
  const named = Object.entries(core).find(([name]) => name === operation)?.[1] ?? inputs[0]?.[operation as 'at'];
  if (typeof named !== 'function') throw new Error(`core has no function ${operation}`);
  const result: unknown = await Reflect.apply(named, inputs[0], attributes.arguments.map(place));
  if (isTensor(result)) return [result];
  return Object.values(result as object).filter(isTensor);
}

const rounding = reference({ rounding: 'float32' });

const titled = (cases: readonly Golden<Call>[]) =>
  cases.map(
    (golden, k) => [`${k} ${golden.operation} ${JSON.stringify(golden.attributes.arguments)}`, golden] as const,
  );

/** What float32 may lose besides its last place: seven steps of it, and a little where terms cancel. */
const inFloat32 = { relative: 8e-7, absolute: 4e-7 };

/** Tests of a file: values in double precision and in float32, first and second gradients. */
export function testGolden(title: string, file: { readonly cases: readonly object[] }): void {
  describe(title, () => {
    test.each(titled(casesOf<Call>(file)))('%s', async (_, golden) => {
      const { absolute = 0, slope = 0 } = golden.attributes;
      const right = listOf(golden.output);
      const at = (tolerance: Tolerance): Tolerance => ({
        ...tolerance,
        absolute: Math.max(absolute, tolerance.absolute),
      });
      const double = golden.inputs.map((input) => load(input));
      await expectAll(await call(golden, double), right, at(close), golden.operation);
      const single = golden.inputs.map((input) => load(input, rounding));
      await expectAll(await call(golden, single), right, at(inFloat32), `${golden.operation} in float32`);
      await checkGradients(golden, call, slope);
    });
  });
}

/** Tests of a file: values alone, in float32. */
export function testSpecial(title: string, file: { readonly cases: readonly object[] }): void {
  describe(title, () => {
    test.each(titled(casesOf<Call>(file)))('%s', async (_, golden) => {
      const inputs = golden.inputs.map((input) => load(input, rounding));
      const { absolute = 3e-45 } = golden.attributes;
      await expectAll(
        await call(golden, inputs),
        listOf(golden.output),
        { relative: 1e-6, absolute },
        golden.operation,
      );
    });
  });
}

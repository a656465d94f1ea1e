/** The oracle itself against PyTorch: values, gradients and second gradients of the committed fixtures. */
import {
  averagePool,
  concat,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  type DType,
  einsum,
  eye,
  gradientsOrNull,
  type IndexItem,
  linspace,
  maxPool,
  oneHot,
  stack,
  type Tensor,
  tensor,
  where,
} from '@nn/core';
import { describe, expect, test } from 'vitest';
import contract from '../fixtures/contract.json' with { type: 'json' };
import move from '../fixtures/move.json' with { type: 'json' };
import reduce from '../fixtures/reduce.json' with { type: 'json' };
import scalar from '../fixtures/scalar.json' with { type: 'json' };
import special from '../fixtures/special.json' with { type: 'json' };
import { expectData, type Tolerance } from './compare.ts';
import { readAll } from './operation.ts';
import { reference } from './reference.ts';

interface Packed {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
}

interface Golden {
  readonly operation: string;
  readonly attributes: Attributes;
  readonly inputs: readonly Packed[];
  readonly output: Packed | readonly Packed[];
  readonly gradients: readonly (Packed | null)[];
  readonly secondGradients?: readonly (Packed | null)[];
}

/** What the script wrote down, each for the operations that have it. */
interface Attributes {
  readonly axes: readonly number[] | null;
  readonly keepAxes: boolean;
  readonly correction: number;
  readonly order: number | readonly number[];
  readonly axis: number;
  readonly descending: boolean;
  readonly k: number;
  readonly shape: readonly number[];
  readonly from: number;
  readonly to: number;
  readonly axisA: number;
  readonly axisB: number;
  readonly widths: readonly (readonly [number, number])[];
  readonly value: number;
  readonly starts: readonly number[];
  readonly stops: readonly number[];
  readonly steps: readonly number[];
  readonly items: readonly IndexItem[];
  readonly sizes: readonly number[];
  readonly count: number;
  readonly classes: number;
  readonly n: number;
  readonly start: number;
  readonly stop: number;
  readonly equation: string;
  readonly size: readonly number[];
  readonly dtype: DType;
  readonly low: number;
  readonly high: number;
  readonly approximate: 'none' | 'tanh';
  readonly exponent: number;
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly outputPadding: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
  readonly countIncludesPadding: boolean;
}

type Apply = (inputs: readonly Tensor[], attributes: Attributes) => Tensor | readonly Tensor[];

const backend = reference();
const options = { backend };

/** Methods that take (...operands) or (axes, { keepAxes, ... }) as the fixture names them. */
const applied: Readonly<Record<string, Apply>> = {
  xor: ([a, b]) => a!.bitwiseXor(b!),
  where: ([c, a, b]) => where(c!, a!, b!),
  cast: ([x], { dtype }) => x!.cast(dtype),
  clamp: ([x], { low, high }) => x!.clamp(low, high),
  gelu: ([x], { approximate }) => x!.gelu(approximate),
  pow: ([a, b], { exponent }) => a!.pow(b ?? exponent),
  ...Object.fromEntries(
    ['sum', 'mean', 'max', 'min', 'prod', 'variance', 'standardDeviation', 'logSumExp', 'any', 'all', 'norm'].map(
      (name): [string, Apply] => [
        name,
        ([x], { axes, order, ...rest }) =>
          x![name as 'sum'](axes ?? undefined, { ...rest, ...(order !== undefined && { order: Number(order) }) }),
      ],
    ),
  ),
  argMax: ([x], { axis, keepAxes }) => x!.argMax(axis, { keepAxes }),
  argMin: ([x], { axis, keepAxes }) => x!.argMin(axis, { keepAxes }),
  softmax: ([x], { axis }) => x!.softmax(axis),
  logSoftmax: ([x], { axis }) => x!.logSoftmax(axis),
  cumsum: ([x], { axis }) => x!.cumsum(axis),
  sort: ([x], { axis, descending }) => Object.values(x!.sort(axis, { descending })),
  argSort: ([x], { axis, descending }) => x!.argSort(axis, { descending }),
  topK: ([x], { k, axis }) => Object.values(x!.topK(k, axis)),
  reshape: ([x], { shape }) => x!.reshape(shape),
  flatten: ([x], { from, to }) => x!.flatten(from, to),
  squeeze: ([x], { axes }) => x!.squeeze(axes ?? undefined),
  unsqueeze: ([x], { axis }) => x!.unsqueeze(axis),
  permute: ([x], { order }) => x!.permute([order].flat()),
  transpose: ([x], { axisA, axisB }) => x!.transpose(axisA, axisB),
  expand: ([x], { shape }) => x!.expand(shape),
  flip: ([x], { axes }) => x!.flip(axes ?? undefined),
  pad: ([x], { widths, value }) => x!.pad(widths, value),
  slice: ([x], { starts, stops, steps }) => x!.slice(starts, stops, steps),
  at: ([x], { items }) => x!.at(...items),
  split: ([x], { sizes, count, axis }) => x!.split(sizes ?? count, axis),
  concat: (pieces, { axis }) => concat(pieces, axis),
  stack: (pieces, { axis }) => stack(pieces, axis),
  gather: ([x, i], { axis }) => x!.gather(i!, axis),
  takeAlong: ([x, i], { axis }) => x!.takeAlong(i!, axis),
  scatterAdd: ([x, i, u], { axis }) => x!.scatterAdd(i!, u!, axis),
  update: ([x, value], { starts }) => x!.update(starts, value!),
  oneHot: ([i], { classes }) => oneHot(i!, classes),
  eye: (_, { n }) => eye(n, options),
  linspace: (_, { start, stop, count }) => linspace(start, stop, count, options),
  dot: ([a, b]) => a!.matmul(b!),
  einsum: (x, { equation }) => einsum(equation, ...x),
  conv1d: ([x, w], given) => conv1d(x!, w!, given),
  conv2d: ([x, w], given) => conv2d(x!, w!, given),
  conv3d: ([x, w], given) => conv3d(x!, w!, given),
  convTranspose1d: ([x, w], given) => convTranspose1d(x!, w!, given),
  convTranspose2d: ([x, w], given) => convTranspose2d(x!, w!, given),
  convTranspose3d: ([x, w], given) => convTranspose3d(x!, w!, given),
  maxPool: ([x], given) => maxPool(x!, given),
  averagePool: ([x], given) => averagePool(x!, given),
};

function apply({ operation, attributes }: Golden, inputs: readonly Tensor[]): readonly Tensor[] {
  const special = applied[operation];
  if (special !== undefined) {
    const result = special(inputs, attributes);
    return Array.isArray(result) ? result : [result as Tensor];
  }
  const [first, ...others] = inputs;
  const method = first![operation as 'add'] as ((...operands: readonly Tensor[]) => Tensor) | undefined;
  if (method === undefined) throw new Error(`no operation is named ${operation}`);
  return [method.apply(first, others)];
}

function numbersOf({ data }: Packed): number[] {
  return data.map((value) => (value === '-0' ? -0 : Number(value)));
}

function load(packed: Packed, on = backend): Tensor {
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
const close: Tolerance = { relative: 2e-7, absolute: 1e-8 };

async function expectAll(found: readonly Tensor[], right: readonly Packed[], tolerance: Tolerance, label: string) {
  const values = await readAll(found);
  expect(values.length).toBe(right.length);
  values.forEach((value, k) => {
    const expected = right[k]!;
    expect(`${label} ${value.dtype} [${value.shape}]`).toBe(`${label} ${expected.dtype} [${expected.shape}]`);
    expectData(value.data, numbersOf(expected), tolerance, label);
  });
}

/** The type that JSON imports have says less than the script promises. */
const casesOf = (file: { readonly cases: readonly object[] }): readonly Golden[] => file.cases as readonly Golden[];

const listOf = (output: Golden['output']): readonly Packed[] => ('data' in output ? [output] : output);

async function checkGradients(golden: Golden): Promise<void> {
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

describe.each(Object.entries({ scalar, reduce, move, contract }))('%s operations are as in PyTorch', (_, file) => {
  const cases = casesOf(file);
  test.each(
    cases.map((golden, k) => [`${k} ${golden.operation} ${JSON.stringify(golden.attributes)}`, golden] as const),
  )('%s', async (_, golden) => {
    const inputs = golden.inputs.map((input) => load(input));
    await expectAll(apply(golden, inputs), listOf(golden.output), close, golden.operation);
    await checkGradients(golden);
  });
});

describe('special numbers are as in PyTorch', () => {
  const single = reference({ rounding: 'float32' });
  const cases = casesOf(special);
  test.each(cases.map((golden) => [golden.operation, golden] as const))('%s', async (_, golden) => {
    const inputs = golden.inputs.map((input) => load(input, single));
    await expectAll(
      apply(golden, inputs),
      listOf(golden.output),
      { relative: 1e-6, absolute: 3e-45 },
      golden.operation,
    );
  });
});

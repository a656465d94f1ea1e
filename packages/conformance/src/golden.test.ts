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
  type IndexItem,
  linspace,
  maxPool,
  oneHot,
  stack,
  type Tensor,
  where,
} from '@nn/core';
import { describe, test } from 'vitest';
import contract from '../fixtures/contract.json' with { type: 'json' };
import move from '../fixtures/move.json' with { type: 'json' };
import reduce from '../fixtures/reduce.json' with { type: 'json' };
import scalar from '../fixtures/scalar.json' with { type: 'json' };
import special from '../fixtures/special.json' with { type: 'json' };
import { backend, casesOf, checkGradients, close, expectAll, type Golden, listOf, load } from './golden-tests.ts';
import { reference } from './reference.ts';

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

function apply({ operation, attributes }: Golden<Attributes>, inputs: readonly Tensor[]): readonly Tensor[] {
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

describe.each(Object.entries({ scalar, reduce, move, contract }))('%s operations are as in PyTorch', (_, file) => {
  const cases = casesOf<Attributes>(file);
  test.each(
    cases.map((golden, k) => [`${k} ${golden.operation} ${JSON.stringify(golden.attributes)}`, golden] as const),
  )('%s', async (_, golden) => {
    const inputs = golden.inputs.map((input) => load(input));
    await expectAll(apply(golden, inputs), listOf(golden.output), close, golden.operation);
    await checkGradients(golden, apply);
  });
});

describe('special numbers are as in PyTorch', () => {
  const single = reference({ rounding: 'float32' });
  const cases = casesOf<Attributes>(special);
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

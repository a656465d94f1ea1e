/** The functions of tensors against PyTorch: values, gradients, second gradients, and in float32 the unusual numbers. */
import * as core from '@nn/core';
import { isTensor, type Tensor } from '@nn/core';
import { describe, test } from 'vitest';
import picture from '../fixtures/vocabulary-picture.json' with { type: 'json' };
import product from '../fixtures/vocabulary-product.json' with { type: 'json' };
import scalar from '../fixtures/vocabulary-scalar.json' with { type: 'json' };
import shape from '../fixtures/vocabulary-shape.json' with { type: 'json' };
import special from '../fixtures/vocabulary-special.json' with { type: 'json' };
import type { Tolerance } from './compare.ts';
import { backend, casesOf, checkGradients, close, expectAll, type Golden, listOf, load } from './golden-tests.ts';
import { reference } from './reference.ts';

interface Attributes {
  /** As JavaScript names them; { input: k } is the k-th tensor. */
  readonly arguments: readonly unknown[];
  /** The absolute error allowed, where digits cancel near a zero. */
  readonly absolute?: number;
}

const rounding = reference({ rounding: 'float32' });
// gradients of nothing come from no device
core.setDefaultBackend(backend);

/** Calls the function of core that the case names. */
function apply({ operation, attributes }: Golden<Attributes>, inputs: readonly Tensor[]): readonly Tensor[] {
  const place = (value: unknown): unknown => {
    if (value === 'Infinity' || value === '-Infinity') return Number(value);
    if (Array.isArray(value)) return value.map(place);
    const isInput = typeof value === 'object' && value !== null && 'input' in value;
    if (isInput) return inputs[Number(value.input)];
    const isOptions = typeof value === 'object' && value !== null;
    return isOptions ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, place(item)])) : value;
  };
  const named = Object.entries(core).find(([name]) => name === operation)?.[1];
  if (typeof named !== 'function') throw new Error(`core has no function ${operation}`);
  const result: unknown = Reflect.apply(named, null, attributes.arguments.map(place));
  if (isTensor(result)) return [result];
  return Object.values(result as object).filter(isTensor);
}

const named = (cases: readonly Golden<Attributes>[]) =>
  cases.map(
    (golden, k) => [`${k} ${golden.operation} ${JSON.stringify(golden.attributes.arguments)}`, golden] as const,
  );

/** What float32 may lose besides its last place: seven steps of it, and a little where terms cancel. */
const inFloat32 = { relative: 8e-7, absolute: 4e-7 };

describe.each(Object.entries({ scalar, shape, picture, product }))('%s functions are as in PyTorch', (_, file) => {
  test.each(named(casesOf<Attributes>(file)))('%s', async (_, golden) => {
    const { absolute = 0 } = golden.attributes;
    const right = listOf(golden.output);
    const at = (tolerance: Tolerance): Tolerance => ({
      ...tolerance,
      absolute: Math.max(absolute, tolerance.absolute),
    });
    await expectAll(
      apply(
        golden,
        golden.inputs.map((input) => load(input)),
      ),
      right,
      at(close),
      golden.operation,
    );
    const single = golden.inputs.map((input) => load(input, rounding));
    await expectAll(apply(golden, single), right, at(inFloat32), `${golden.operation} in float32`);
    await checkGradients(golden, apply);
  });
});

describe('unusual numbers are as in PyTorch', () => {
  test.each(named(casesOf<Attributes>(special)))('%s', async (_, golden) => {
    const inputs = golden.inputs.map((input) => load(input, rounding));
    const { absolute = 3e-45 } = golden.attributes;
    await expectAll(apply(golden, inputs), listOf(golden.output), { relative: 1e-6, absolute }, golden.operation);
  });
});

/** `vmap` of every operation of the kit equals a loop over rows, in values and gradients, whatever inputs have rows. */
import { gradientsOrNull, stack, type Tensor, tensor, vmap } from '@nn/core';
import { describe, test } from 'vitest';
import { operations } from './cases/primitives.ts';
import { bundles } from './cases/tensor-functions.ts';
import { expectClose } from './compare.ts';
import { listOf, type Operation, readAll, weighted } from './operation.ts';
import { reference } from './reference.ts';
import { dataOf, dtypeOf, type Sample, seedOf } from './samples.ts';

const backend = reference();
const rows = 3;

/** Row `row` of an input: other numbers of the same kind, or the given ones in another order. */
function rowOf(sample: Sample, seed: number, row: number): Tensor {
  const data = dataOf(sample, seed + 1000 * row);
  if ('values' in sample && data.length > 0) {
    const moved = row % data.length;
    const values = data.slice();
    values.forEach((_, i) => {
      values[i] = data[(i + moved) % data.length]!;
    });
    return tensor(values, { shape: sample.shape, dtype: dtypeOf(sample), backend });
  }
  return tensor(data, { shape: sample.shape, dtype: dtypeOf(sample), backend });
}

/** The results of an operation and the gradients of its float inputs. */
function withGradients(op: Operation): (...inputs: Tensor[]) => Tensor[] {
  return (...inputs) => {
    const results = listOf(op.apply(inputs, backend));
    if (op.differentiable === false) return [...results];
    const targets = inputs.filter(({ dtype }) => dtype === 'float32');
    const found = gradientsOrNull(weighted(results, backend), targets);
    return [...results, ...found.flatMap((gradient) => (gradient === null ? [] : [gradient]))];
  };
}

async function expectRows(op: Operation, isMapped: (input: number) => boolean): Promise<void> {
  const inputs = op.inputs.map((sample, k) =>
    Array.from({ length: isMapped(k) ? rows : 1 }, (_, row) => rowOf(sample, seedOf(op.name) + k, row)),
  );
  const fn = withGradients(op);
  const all = vmap(fn, { in: inputs.map((_, k) => (isMapped(k) ? 0 : null)), random: 'same' })(
    ...inputs.map((list, k) => (isMapped(k) ? stack(list) : list[0]!)),
  );
  const each = Array.from({ length: rows }, (_, row) => fn(...inputs.map((list) => list[row] ?? list[0]!)));
  const found = await readAll(all);
  const right = await readAll(all.map((_, k) => stack(each.map((results) => results[k]!))));
  const close = { relative: 1e-6, absolute: 1e-6 };
  for (const [k, values] of right.entries()) expectClose(found[k]!, values, close, `${op.name}, result ${k}`);
}

/** The loop over rows is what takes time: large cases are there for the kernels of backends. */
const isSmall = ({ inputs }: Operation): boolean =>
  inputs.every(({ shape }) => shape.reduce((size, n) => size * n, 1) <= 600);

// a draw has the same numbers in every row and in every turn of the loop only where it is one draw
const all = operations().filter((op) => op.inputs.length > 0 && op.needs === undefined && isSmall(op));

describe('all inputs have rows', () => {
  test.each(all.map((op) => [op.name, op] as const))('%s', async (_, op) => {
    await expectRows(op, () => true);
  });
});

describe('functions of tensors, all inputs have rows', () => {
  const functions = bundles().flatMap((bundle) => bundle.operations);
  test.each(functions.map((op) => [op.name, op] as const))('%s', async (_, op) => {
    await expectRows(op, () => true);
  });
});

describe('one input has rows', () => {
  test.each(all.filter(({ inputs }) => inputs.length > 1).map((op) => [op.name, op] as const))('%s', async (_, op) => {
    for (let input = 0; input < op.inputs.length; input++) await expectRows(op, (k) => k === input);
  });
});

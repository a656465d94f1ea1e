/** Rule 1 of life: the key is equal exactly for graphs of equal structure. Rule 7: numbers of users are not structure. */
import { reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import { StaleTensorError } from '../errors.ts';
import { leaf, type Node } from '../graph/node.ts';
import { concat, parameter, replace, type Tensor, tensor, uniform, zeros } from '../index.ts';
import { prepare } from '../testing.ts';
import { sameKey } from './key-stream.ts';
import { traceGraph } from './trace.ts';

prepare(reference());

const keyOf = (...roots: readonly Tensor[]): Int32Array =>
  traceGraph(
    roots.map(({ node }) => node),
    false,
    [],
  ).key;

/** Whether two graphs of fresh leaves have one key. */
function alike(a: readonly Tensor[] | Tensor, b: readonly Tensor[] | Tensor): boolean {
  const same = sameKey(keyOf(...[a].flat()), keyOf(...[b].flat()));
  const hashes = [a, b].map(
    (roots) =>
      traceGraph(
        [roots].flat().map(({ node }) => node),
        false,
        [],
      ).hash,
  );
  if (same) expect(hashes[0]).toBe(hashes[1]);
  return same;
}

const vector = (...values: number[]): Tensor => tensor(values);

describe('rule 1: the key differs with', () => {
  test('sharing of leaves: x * x is not x * y', () => {
    const x = vector(1, 2);
    expect(alike(x.mul(x), x.mul(vector(1, 2)))).toBe(false);
  });

  test('sharing inside the graph: one exp used twice is not two', () => {
    const x = vector(1);
    const y = x.exp();
    expect(alike(y.add(y.sin()), x.exp().add(x.exp().sin()))).toBe(false);
  });

  test('the dtype', () => {
    expect(alike(tensor([1]).neg(), tensor(Int32Array.of(1)).neg())).toBe(false);
    expect(alike(zeros([2]), zeros([2], { dtype: 'int32' }))).toBe(false);
  });

  test('the shape', () => {
    expect(alike(vector(1, 2).exp(), vector(1, 2, 3).exp())).toBe(false);
    expect(alike(zeros([2, 3]).exp(), zeros([3, 2]).exp())).toBe(false);
  });

  test('attributes', () => {
    const x = tensor([
      [1, 2],
      [3, 4],
    ]);
    expect(alike(x.sum(0), x.sum(1))).toBe(false);
    expect(
      alike(
        x.pad([
          [0, 1],
          [0, 0],
        ]),
        x.pad([
          [1, 0],
          [0, 0],
        ]),
      ),
    ).toBe(false);
    expect(alike(x.cast('int32'), x.cast('bool'))).toBe(false);
    expect(alike(concat([x, x], 0).exp(), concat([x, x], 1).reshape([4, 2]).exp())).toBe(false);
  });

  test('the operation', () => {
    const x = vector(1);
    expect(alike(x.exp(), x.sin())).toBe(false);
  });

  test('the order of operands and of roots', () => {
    const [x, y] = [vector(1), vector(2)];
    expect(alike(x.exp().sub(y), y.sub(x.exp()))).toBe(false);
    expect(alike([x.exp(), y.sin()], [y.sin(), x.exp()])).toBe(false);
    const z = x.exp();
    expect(alike([z, z.sin()], [z.sin(), z])).toBe(false);
  });

  test('the set of roots', () => {
    const x = vector(1);
    const y = x.exp();
    expect(alike([y], [y, y.sin()])).toBe(false);
  });

  test('which leaves are given away', () => {
    const p = parameter([1]);
    const root = [p.mul(2).node];
    const kept = traceGraph(root, false, [null]);
    const given = traceGraph(root, false, [p.node.storage]);
    expect(sameKey(kept.key, given.key)).toBe(false);
    expect(given.donors).toEqual([0]);
  });
});

describe('rule 1: the key does not differ with', () => {
  test('the numbers in a batch', () => {
    expect(alike(vector(1, 2).exp(), vector(8, 9).exp())).toBe(true);
  });

  test('names and stopGradient', () => {
    const x = vector(1);
    expect(alike(x.stopGradient().exp(), x.exp())).toBe(true);
  });
});

describe('rule 7: numbers of users are lifted:', () => {
  test('factors, also 0 and 1', () => {
    const x = vector(1, 2);
    for (const rate of [0, 1, -0, 0.1, Number.NaN]) expect(alike(x.mul(rate), x.mul(7))).toBe(true);
  });

  test('starts of slices', () => {
    const x = vector(1, 2, 3, 4, 5, 6);
    const batch = (i: number): Tensor => x.at([2 * i, 2 * i + 2]).exp();
    expect(alike(batch(0), batch(1))).toBe(true);
    expect(alike(batch(0), batch(2))).toBe(true);
  });

  test('starts of updates', () => {
    const x = vector(1, 2, 3);
    expect(alike(x.update([0], [9]), x.update([2], [9]))).toBe(true);
  });

  test('seeds and draws', () => {
    expect(alike(uniform([3]), uniform([3]))).toBe(true);
  });

  test('but one number in two places is one number', () => {
    const trace = traceGraph([vector(1).mul(3).add(4).node], false, []);
    expect(trace.numbers.map(({ attributes }) => attributes)).toEqual([3, 4]);
  });
});

test('rule 1: two handles on one memory are one leaf, and not two', () => {
  const x = vector(1, 2);
  const handle = (): Node => leaf(x.node.storage as NonNullable<Node['storage']>);
  const product = (a: Node, b: Node): Node => {
    const { node } = vector(1, 2).mul(vector(1, 2));
    node.inputs = [a, b];
    return node;
  };
  const shared = traceGraph([product(handle(), handle())], false, []);
  expect(shared.leaves).toHaveLength(1);
  expect(sameKey(shared.key, keyOf(vector(1, 2).mul(vector(1, 2))))).toBe(false);
  expect(sameKey(shared.key, traceGraph([product(handle(), handle())], false, []).key)).toBe(true);
});

test('random tensors are leaves where the host draws them', () => {
  const root = uniform([4]).mul(2).node;
  expect(traceGraph([root], true, []).drawn).toHaveLength(1);
  expect(traceGraph([root], false, []).drawn).toHaveLength(0);
});

test('every node comes after its inputs', () => {
  const x = vector(1, 2);
  const y = x.exp();
  const { order } = traceGraph([y.add(y.mul(x)).node], false, []);
  for (const node of order)
    for (const input of node.inputs) expect(order.indexOf(input)).toBeLessThan(order.indexOf(node));
});

test('memory that a step took away is named', async () => {
  const weight = parameter([1, 2], { name: 'weight' });
  const stale = weight.mul(3);
  await replace([[weight, weight.add(1)]]);
  expect(() => traceGraph([stale.node], false, [])).toThrow(StaleTensorError);
  expect(() => traceGraph([stale.node], false, [])).toThrow(/needs the value of weight from before the last step/);
});

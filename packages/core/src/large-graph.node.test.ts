/**
 * Graphs of tens of thousands of nodes: nothing overflows the stack, and nothing looks at every pair of nodes (1e9 of
 * them here), which would not end within the time that the tests have.
 */
import { reference } from '@nn/conformance';
import { expect, test } from 'vitest';
import { deviceOf } from './compile/device.ts';
import { traceGraph } from './compile/trace.ts';
import { inputsFirst } from './graph/walk.ts';
import { concat, gradients, stack, type Tensor, tensor } from './index.ts';

// programs of this size are checked by what they compute, not by validate, which is not made for them
const backend = reference();

/** A few seconds are enough, on a busy machine as well. */
const timeout = 30_000;

const stepsOf = (...roots: readonly Tensor[]): number =>
  deviceOf(backend).prepare(
    roots.map(({ node }) => node),
    [],
  ).plan.program.steps.length;

const nodesOf = (...roots: readonly Tensor[]): number =>
  inputsFirst(
    roots.map(({ node }) => node),
    ({ inputs }) => inputs,
  ).length;

const matrix = (rows: number, columns: number, scale: number): Tensor =>
  tensor(
    Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i + 1) * scale),
    {
      shape: [rows, columns],
      backend,
    },
  );

test('an LSTM through 500 steps in time, with its gradients', { timeout: 90_000 }, () => {
  const [inward, around, head] = [matrix(2, 8, 0.5), matrix(2, 8, 0.5), matrix(2, 1, 1)];
  const x = tensor(new Float32Array(1000).fill(0.5), { shape: [500, 1, 2], backend });
  let [h, c] = [matrix(1, 2, 0), matrix(1, 2, 0)];
  const outputs: Tensor[] = [];
  for (let time = 0; time < 500; time++) {
    const gates = x.at(time).matmul(inward).add(h.matmul(around));
    const [i, f, g, o] = gates.split(4, 1) as [Tensor, Tensor, Tensor, Tensor];
    c = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()));
    h = o.sigmoid().mul(c.tanh());
    outputs.push(h.matmul(head));
  }
  const loss = stack(outputs).square().mean();
  const slopes = gradients(loss, [inward, around, head]);
  expect(nodesOf(loss, ...slopes)).toBeGreaterThan(30_000);
  expect(stepsOf(loss, ...slopes)).toBeLessThan(15_000);
});

test('a chain of 30,000 operations, its gradient and its value', { timeout }, async () => {
  const x = tensor([1, 2], { backend });
  let y = x;
  for (let k = 0; k < 30_000; k++) y = k % 2 === 0 ? y.mul(2) : y.mul(0.5);
  const [slope] = gradients(y.sum(), [x]);
  expect(nodesOf(slope)).toBeGreaterThan(30_000);
  expect(traceGraph([slope.node], false, []).order.length).toBeGreaterThan(30_000);
  expect(await y.array()).toEqual([1, 2]);
});

test('one value with 8,000 consumers', { timeout }, () => {
  const x = tensor([1, 2], { backend });
  const shared = x.exp();
  const sums = Array.from({ length: 8_000 }, (_, k) => shared.mul(k));
  let level = sums;
  while (level.length > 1) {
    level = Array.from({ length: Math.ceil(level.length / 2) }, (_, i) => {
      const [a, b] = [level[2 * i] as Tensor, level[2 * i + 1]];
      return b === undefined ? a : a.add(b);
    });
  }
  const [slope] = gradients((level[0] as Tensor).sum(), [x]);
  expect(stepsOf(slope)).toBeGreaterThan(0);
});

test('1,000 slices of one tensor, whose gradient is one concatenation', { timeout }, async () => {
  const x = tensor(new Float32Array(1000).fill(3), { backend });
  const pieces = x.split(1000).reverse();
  const y = concat(pieces.map((piece, k) => piece.mul(k)));
  const [slope] = gradients(y.sum(), [x]);
  const data = await slope.data();
  expect([data[0], data[1], data[999]]).toEqual([999, 998, 0]);
});

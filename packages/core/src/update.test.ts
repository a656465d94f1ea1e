/** What optimizers are made of. */
import { reference } from '@nn/conformance';
import { expect, test } from 'vitest';
import { BackendError, numberSource, onReplay, parameter, replace, tensor } from './index.ts';
import { prepare } from './testing.ts';

prepare(reference());

test('replace moves all parameters at once, from their old values', async () => {
  const [x, v] = [parameter([1]), parameter([2])];
  await replace([
    [v, v.sub(x)],
    [x, x.add(v)],
  ]);
  expect([await x.array(), await v.array()]).toEqual([[3], [1]]);
});

test('replace swaps two parameters, step after step', async () => {
  const [a, b] = [parameter([1, 2]), parameter([3, 4])];
  const seen: unknown[] = [];
  for (let step = 0; step < 3; step++) {
    await replace([
      [a, b],
      [b, a],
    ]);
    seen.push([await a.array(), await b.array()]);
  }
  expect(seen).toEqual([
    [
      [3, 4],
      [1, 2],
    ],
    [
      [1, 2],
      [3, 4],
    ],
    [
      [3, 4],
      [1, 2],
    ],
  ]);
});

test('replace swaps two parameters through arithmetic in their own memory', async () => {
  const [a, b] = [parameter([1, 2]), parameter([3, 4])];
  for (let step = 0; step < 3; step++) {
    await replace([
      [a, b.mul(2)],
      [b, a.mul(2)],
    ]);
  }
  expect([await a.array(), await b.array()]).toEqual([
    [24, 32],
    [8, 16],
  ]);
});

test('replace with nothing to replace computes what is asked for along', async () => {
  const y = tensor([1, 2]).mul(2);
  await replace([], [y]);
  expect(y.node.storage).not.toBe(null);
});

test('replace casts to the dtype of the parameter', async () => {
  const count = parameter(Int32Array.of(1));
  await replace([[count, tensor([2.75])]]);
  expect([count.dtype, await count.array()]).toEqual(['int32', [2]]);
});

test('the last value of a parameter named twice counts', async () => {
  const x = parameter([1]);
  await replace([
    [x, tensor([2])],
    [x, tensor([3])],
  ]);
  expect(await x.array()).toEqual([3]);
});

test('values on two backends are refused before anything changes', () => {
  const [a, b] = [parameter([1], { backend: reference() }), parameter([1], { backend: reference() })];
  const update = () =>
    replace([
      [a, a.add(1)],
      [b, b.add(1)],
    ]);
  expect(update).toThrow(BackendError);
  expect(update).toThrow(
    "replace: its tensors live on two backends, 'reference' and 'reference': await move(model, optimizer, backend) first.",
  );
  expect(a.variable.isDirty).toBe(false);
});

test('outside of compile a number source is read once and a host effect is not repeated', async () => {
  let reads = 0;
  const y = tensor([1]).mul(numberSource(() => ++reads));
  onReplay(() => expect.fail('repeated'));
  await y.data();
  await y.sum().item();
  expect(reads).toBe(1);
});

test('a value that was asked for beside becoming that of a parameter outlives the parameter’s next one', async () => {
  const w = parameter([1]);
  const next = w.mul(2);
  await replace([[w, next]], [next]);
  await replace([[w, w.add(40)]], []);
  expect([await next.array(), await w.array()]).toEqual([[2], [42]]);
});

test('the old value of a parameter that was asked for in the same program is not given away', async () => {
  const w = parameter([1, 2]);
  const before = w.stopGradient();
  await replace([[w, w.add(1)]], [before]);
  expect([await before.array(), await w.array()]).toEqual([
    [1, 2],
    [2, 3],
  ]);
});

test('a loss keeps nothing of the step that it was made for', async () => {
  const w = parameter([1, 2]);
  const loss = w.square().sum();
  await replace([[w, w.mul(0.5)]], [loss]);
  expect(loss.node.inputs).toEqual([]);
  expect(await loss.item()).toBe(5);
});

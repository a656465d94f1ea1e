/** Indices outside of what they choose from: refused where they are known, reported in eager debugging. */
import { reference } from '@nn/conformance';
import { afterEach, expect, test } from 'vitest';
import {
  checkIndices,
  compile,
  debug,
  oneHot,
  parameter,
  replace,
  type Tensor,
  tensor,
  ValueError,
  where,
} from '../index.ts';
import { prepare, soon } from '../testing.ts';

prepare(reference());

afterEach(() => debug({ eager: false }));

const table = tensor([1, 2, 3]);
/** Computed, so that no value is known before it runs. */
const computed = (...values: number[]): Tensor => tensor(values, { dtype: 'int32' }).add(0);

test('indices whose values are on the host are checked there', () => {
  const message = 'index 7 is outside of axis 0 of [3]: indices go from 0 to 2.';
  expect(() => table.gather([0, 7])).toThrow(`gather: ${message}`);
  expect(() => table.gather(tensor([0, 7], { dtype: 'int32' }).reshape([2, 1]))).toThrow(`gather: ${message}`);
  expect(() => table.gather(tensor(Uint8Array.of(7)).cast('int32'))).toThrow(`gather: ${message}`);
  expect(() => table.gather([-1])).toThrow(ValueError);
  expect(() => table.takeAlong([7], 0)).toThrow(`takeAlong: ${message}`);
  expect(() =>
    tensor([
      [1, 2],
      [3, 4],
    ]).takeAlong([[0], [2]], -1),
  ).toThrow('takeAlong: index 2 is outside of axis 1 of [2, 2]: indices go from 0 to 1.');
});

test('computed ones are clamped, or ignored, and a read does not change that', async () => {
  const outside = computed(-1, 9);
  expect(await outside.array()).toEqual([-1, 9]);
  expect(await table.gather(outside).array()).toEqual([1, 3]);
  expect(await table.scatterAdd([7, 0], [5, 5]).array()).toEqual([6, 2, 3]);
  expect(await oneHot([7], 2).array()).toEqual([[0, 0]]);
});

test('an index that is ignored may be outside', () => {
  checkIndices('myLoss', tensor([0, -100, 1], { dtype: 'int32' }), 2, 'classes', -100);
  expect(() => checkIndices('myLoss', tensor([0, 2], { dtype: 'int32' }), 2, 'classes', -100)).toThrow(
    'myLoss: index 2 is outside of 2 classes: indices go from 0 to 1, and -100 is ignored.',
  );
});

test.each<[string, () => Tensor]>([
  ['gather', () => table.gather(computed(7))],
  ['takeAlong', () => table.takeAlong(computed(7), 0)],
  ['scatterAdd', () => table.scatterAdd(computed(7), [1])],
  ['scatterAdd', () => table.scatterAdd([7], [1])],
])('eager debugging names %s, the index and the line', async (name, make) => {
  debug({ eager: true });
  const text = `^${name}: index 7 is outside of axis 0 of \\[3\\]: indices go from 0 to 2 at .*index-range\\.test\\.ts\\S*:\\d+:\\d+\\.$`;
  await expect(make().sum().item()).rejects.toThrow(new RegExp(text));
  expect(await table.gather(computed(2)).array()).toEqual([3]); // and does not repeat itself
});

test('eager debugging looks at oneHot, and inside of compiled functions and steps, which change nothing', async () => {
  debug({ eager: true });
  await expect(oneHot(computed(2), 2).data()).rejects.toThrow(/^oneHot: index 2 is outside of 2 classes: .* at .*\.ts/);
  const weight = parameter([1, 2]);
  const train = compile((indices: Tensor) => {
    const loss = weight.gather(indices.mul(2)).sum();
    replace([[weight, weight.sub(1)]], [loss]);
    return loss;
  });
  await expect(train(tensor([1], { dtype: 'int32' }))).rejects.toThrow(
    /^gather: index 2 is outside of axis 0 of \[2\]/,
  );
  expect(await weight.array()).toEqual([1, 2]);
  await train(tensor([0], { dtype: 'int32' }));
  expect(await weight.array()).toEqual([0, 1]);
});

test('compiled functions check the values of their arguments in every call, as plain ones do', async () => {
  const rows = compile((indices: Tensor) => table.gather(indices.reshape([2])));
  const message = 'gather: index 7 is outside of axis 0 of [3]: indices go from 0 to 2.';
  const give = (...values: number[]): Promise<Tensor> => rows(tensor([values], { dtype: 'int32' }));
  await expect(give(0, 7)).rejects.toThrow(message); // the first call is traced,
  for (let call = 0; call < 4; call++) expect(await (await give(2, call % 3)).array()).toEqual([3, (call % 3) + 1]);
  await expect(give(7, 0)).rejects.toThrow(message); // the third and later ones are replayed
  await expect(soon(() => rows.atOnce(tensor([[0, 7]], { dtype: 'int32' })))).rejects.toThrow(message);
  expect(await (await give(1, 0)).array()).toEqual([2, 1]);
  // what was computed is on the device, where nothing can be looked at without waiting: clamped
  const outside = computed(-1, 9).reshape([1, 2]);
  expect(await (await rows(outside)).array()).toEqual([1, 3]);
});

test('a call of a compiled step that is refused changes nothing', async () => {
  const weight = parameter([1, 2]);
  const step = compile((indices: Tensor) => {
    checkIndices('MyLayer', indices, 2, 'rows');
    void replace([[weight, weight.sub(weight.gather(indices.cast('int32')))]]);
  });
  for (let call = 0; call < 3; call++) await step(tensor([0, 0]));
  const before = await weight.array();
  await expect(step(tensor([0, 2]))).rejects.toThrow('MyLayer: index 2 is outside of 2 rows: indices go from 0 to 1.');
  expect(await weight.array()).toEqual(before);
});

test('what a mask hides may be anything, what it shows is checked, in compiled functions too', async () => {
  const shown = (indices: Tensor, mask: Tensor): Tensor => table.gather(where(mask, indices, 0));
  const message = 'gather: index 7 is outside of axis 0 of [3]: indices go from 0 to 2.';
  const compiled = compile(shown);
  const [indices, mask] = [tensor([2, 7], { dtype: 'int32' }), (...rows: number[]) => tensor(rows)];
  expect(await shown(indices, mask(1, 0)).array()).toEqual([3, 1]);
  expect(() => shown(indices, mask(0, 1))).toThrow(message);
  for (let call = 0; call < 4; call++) {
    expect(await (await compiled(indices, mask(1, 0))).array()).toEqual([3, 1]);
    await expect(compiled(indices, mask(0, 1))).rejects.toThrow(message);
  }
  // a mask that was computed cannot be looked through
  expect(await shown(indices, mask(1, 1).mul(1)).array()).toEqual([3, 3]);
});

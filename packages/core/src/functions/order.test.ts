/** Indexing, order and statistics beyond the goldens: messages, ties, what stays lazy, and where results live. */
import { reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import * as core from '../index.ts';
import { prepare } from '../testing.ts';

const backend = prepare(reference());

const integers = (values: core.NestedNumbers): core.Tensor => core.tensor(values, { dtype: 'int32' });
const x = core.arange(24).reshape([2, 3, 4]).cast('float32');
const row = core.tensor([3, 1, 2]);
const computed = (mask: core.Tensor): core.Tensor => mask.logicalNot().logicalNot();

describe('messages name the operation, both facts and the fix', () => {
  test.each<[string, () => unknown, string]>([
    ['at', () => x.at(integers([0, 2])), 'at: index 2 is outside of axis 0 of [2, 3, 4]: indices go from -2 to 1.'],
    [
      'at from the end',
      () => x.at([null], integers([-4])),
      'at: index -4 is outside of axis 1 of [2, 3, 4]: indices go from -3 to 2.',
    ],
    ['at of floats', () => x.at(core.tensor([0])), "at: indices must be int32, got float32: use tensor.cast('int32')."],
    [
      'at of shapes that do not broadcast',
      () => x.at(integers([0, 1]), integers([0, 1, 2])),
      'at: shapes [2] and [3] do not broadcast: sizes 2 and 3 at axis -1 are neither equal nor 1.',
    ],
    [
      'at by too many',
      () => x.at(core.zeros([2, 3], { dtype: 'bool' }), 0, 0),
      'at: 4 indices for [2, 3, 4], which has 3 axes.',
    ],
    [
      'at by a mask of another shape',
      () => x.at(core.zeros([3], { dtype: 'bool' })),
      'at: a mask of [3] at axis 0 of [2, 3, 4] must be of [2].',
    ],
    [
      'at by a computed mask',
      () => row.at(row.greater(1)),
      'at: how many elements a computed mask chooses is known only when it is read: await maskedSelect(x, mask), or x.at(...(await nonzero(mask, { asTuple: true }))).',
    ],
    [
      'at of nothing',
      () => core.zeros([0, 2]).at(integers([0])),
      'at: axis 0 of [0, 2] is empty, there is nothing to choose from.',
    ],
    [
      'indexPut',
      () => core.indexPut(row, [[0, 2]], [[1], [2]]),
      'indexPut: values [2, 1] do not broadcast to [2], which the items choose of [3].',
    ],
    [
      'indexPut by a mask',
      () => core.indexPut(row, [core.tensor([true])], 1),
      'indexPut: a mask of [1] does not fit the first axes of [3].',
    ],
    [
      'scatter',
      () => core.scatter(row, [3], [1]),
      'scatter: index 3 is outside of axis 0 of [3]: indices go from 0 to 2.',
    ],
    [
      'scatter of too few',
      () => core.scatter(row, [0, 1], [1]),
      'scatter: indices [2] must be of the rank of [3], no larger than the values [1], nor than [3] but along axis 0.',
    ],
    [
      'scatterReduce',
      () => core.scatterReduce(row, [0], [1], 'amax' as 'max'),
      "scatterReduce: no reduction 'amax': sum, product, mean, max, min.",
    ],
    [
      'indexCopy',
      () => core.indexCopy(x, [0], [1]),
      'indexCopy: values [1] do not fit: [2, 3, 4] with indices [1] at axis 0 takes [1, 3, 4], and a vector of indices.',
    ],
    [
      'maskedScatter',
      () => core.maskedScatter([1], [true, true], [1]),
      'maskedScatter: a mask of [2] is larger than [1]: expand the tensor first.',
    ],
    [
      'maskedScatter of nothing',
      () => core.maskedScatter([1], [true], []),
      'maskedScatter: the source [0] is empty, there is nothing to take.',
    ],
    ['segmentReduce', () => core.segmentReduce(row, 'sum', {}), 'segmentReduce: needs either lengths or ids.'],
    [
      'segmentReduce by wrong lengths',
      () => core.segmentReduce(row, 'sum', { lengths: [1, 1] }),
      'segmentReduce: the lengths sum to 2, the axis has 3 elements.',
    ],
    [
      'segmentReduce by a negative length',
      () => core.segmentReduce(row, 'sum', { lengths: [4, -1] }),
      'segmentReduce: a length must be from 0, got -1.',
    ],
    [
      'segmentReduce without a count',
      () => core.segmentReduce(row, 'sum', { ids: [0, 0, 1] }),
      'segmentReduce: ids need the count of segments, a whole number from 0, got undefined.',
    ],
    [
      'segmentReduce by too few ids',
      () => core.segmentReduce(row, 'sum', { ids: [0], count: 1 }),
      'segmentReduce: ids [1] for axis 0 of [3]: needs a vector of 3.',
    ],
    [
      'indexPut of fractions into integers',
      () => core.indexPut(integers([1, 2]), [0], core.tensor([0.5])),
      "indexPut: float32 values do not fit into int32: x.cast('float32') takes them.",
    ],
    [
      'scatter of a list of fractions into integers',
      () => core.scatter(integers([1, 2]), [0], [1.5]),
      "scatter: float32 values do not fit into int32: x.cast('float32') takes them.",
    ],
    [
      'mode of bytes',
      () => core.mode(core.zeros([1], { dtype: 'uint8' })),
      "mode: uint8 only stores; operations compute in float32, int32 and bool. Cast first: x.cast('float32').",
    ],
    ['cumprod', () => core.cumprod(row, 1), 'cumprod: axis 1 is out of range for rank 1: use -1 to 0.'],
    ['quantile', () => core.quantile(row, 1.5), 'quantile: a quantile must be from 0 to 1, got 1.5.'],
    [
      'quantile of NaN',
      () => core.quantile(row, [0, Number.NaN]),
      'quantile: a quantile must be from 0 to 1, got NaN.',
    ],
    [
      'quantile of nothing',
      () => core.quantile([], 0.5),
      'quantile: axis 0 of [0] is empty: there is nothing to choose from.',
    ],
    [
      'quantile by another way',
      () => core.quantile(row, 0.5, { interpolation: 'cubic' as 'linear' }),
      "quantile: no interpolation 'cubic': linear, lower, higher, nearest, midpoint.",
    ],
    ['kthValue', () => core.kthValue(row, 4), 'kthValue: k = 4 is not from 1 to 3, the size of axis 0 of [3].'],
    [
      'median',
      () => core.median(core.zeros([2, 0]), 1),
      'median: axis 1 of [2, 0] is empty: there is nothing to choose from.',
    ],
    ['mode', () => core.mode(core.zeros([0])), 'mode: axis 0 of [0] is empty: there is nothing to choose from.'],
    ['nanMax', () => core.nanMax(core.zeros([0])), 'max: axis 0 of [0] is empty, and nothing has no max.'],
    [
      'searchSorted',
      () => core.searchSorted(x, row),
      'searchSorted: sorted [2, 3, 4] and values [3]: needs [N], or [..., N] with [..., M] and equal leading axes.',
    ],
    ['bucketize', () => core.bucketize(row, x), 'bucketize: boundaries must be a vector, got [2, 3, 4].'],
    [
      'histogram',
      () => core.histogram(row, { bins: 0 }),
      'histogram: the number of bins must be a whole number from 1, got 0.',
    ],
    [
      'histogram of a wrong range',
      () => core.histogram(row, { range: [2, 1] }),
      'histogram: the range must be two finite numbers in ascending order, got [2, 1].',
    ],
    [
      'histogram with one edge',
      () => core.histogram(row, { bins: [1] }),
      'histogram: edges must be a vector of at least two, got [1].',
    ],
    [
      'histogram with other weights',
      () => core.histogram(row, { weights: [1] }),
      'histogram: 1 weights for 3 elements: one for each.',
    ],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(message);
  });

  test.each<[string, () => Promise<unknown>, string]>([
    ['bincount', () => core.bincount([1, -1]), 'bincount: a value must be a whole number from 0, got -1.'],
    ['bincount of a matrix', () => core.bincount([[1]]), 'bincount: needs a vector, got [1, 1].'],
    [
      'bincount by other weights',
      () => core.bincount([1], { weights: [1, 2] }),
      'bincount: weights [2] for 1 elements: one for each.',
    ],
    [
      'bincount to a fraction',
      () => core.bincount([1], { minLength: 0.5 }),
      'bincount: minLength must be a whole number from 0, got 0.5.',
    ],
    [
      'maskedSelect',
      () => core.maskedSelect([1, 2], [true, true, false]),
      'maskedSelect: shapes [2] and [3] do not broadcast: sizes 2 and 3 at axis -1 are neither equal nor 1.',
    ],
    ['unique', () => core.unique(row, { axis: 1 }), 'unique: axis 1 is out of range for rank 1: use -1 to 0.'],
  ])('%s', async (_, call, message) => {
    await expect(call()).rejects.toThrow(message);
  });
});

test('indices that are computed wrap from the end, and are clamped outside', async () => {
  const index = integers([-1, 1, -9, 9]).mul(1);
  expect(await row.at(index).array()).toEqual([2, 1, 3, 2]);
});

test('what is named twice keeps its last value, and its gradient goes there', async () => {
  const values = core.tensor([5, 6, 7]);
  expect(await core.scatter(row, [0, 2, 0], values).array()).toEqual([7, 1, 6]);
  expect(await core.indexPut(row, [integers([1, 1, 0])], values).array()).toEqual([7, 6, 2]);
  expect(await core.indexCopy(row, integers([2, 2, 2]).mul(1), values).array()).toEqual([3, 1, 7]);
  const [slope, kept] = core.gradients(core.scatter(row, [0, 2, 0], values).mul([1, 2, 3]).sum(), [values, row]);
  expect(await slope!.array()).toEqual([0, 3, 1]);
  expect(await kept!.array()).toEqual([0, 2, 0]);
});

test('whole numbers go into integers and bool, and stay whole', async () => {
  const whole = integers([1, 2, 3]);
  expect(await core.scatter(whole, [0, 2], [7, 8]).array()).toEqual([7, 2, 8]);
  expect(await core.indexAdd(whole, [1], [5], 0, { alpha: -2 }).array()).toEqual([1, -8, 3]);
  expect(await core.scatterReduce(whole, [0, 0, 1], [9, 4, -1], 'min', 0, { includeSelf: false }).array()).toEqual([
    4, -1, 3,
  ]);
  const lowest = -(2 ** 31);
  expect(await core.scatterReduce(whole, [1, 2], integers([lowest, 2 ** 31 - 1]), 'min').array()).toEqual([
    1,
    lowest,
    3,
  ]);
  expect(await core.indexPut(core.tensor([false, false]), [1], true).array()).toEqual([false, true]);
});

test('computed positions outside are ignored, masked sources that are too short are reported in debugging', async () => {
  const outside = integers([-1, 3, 1]).mul(1);
  expect(await core.scatter(row, outside, [7, 8, 9]).array()).toEqual([3, 9, 2]);
  expect(await core.scatterReduce(row, outside, [7, 8, 9], 'max').array()).toEqual([3, 9, 2]);
  expect(await core.indexAdd(row, outside, [7, 8, 9]).array()).toEqual([3, 10, 2]);
  core.debug({ eager: true });
  try {
    const filled = core.maskedScatter(row, row.greater(0), [8, 9]);
    await expect(filled.data()).rejects.toThrow('maskedScatter: index 2 is outside of the source [2]');
  } finally {
    core.debug({ eager: false });
  }
});

test('extremes that are equal share the gradient, with what stood there or without', async () => {
  const [base, values] = [core.tensor([2, 5]), core.tensor([2, 2, 1])];
  const slopes = (includeSelf: boolean): Promise<core.NestedArray[]> =>
    Promise.all(
      core
        .gradients(core.scatterReduce(base, [0, 0, 0], values, 'max', 0, { includeSelf }).sum(), [base, values])
        .map((slope) => slope!.array()),
    );
  const third = Math.fround(1 / 3);
  expect(await slopes(true)).toEqual([
    [third, 1],
    [third, third, 0],
  ]);
  expect(await slopes(false)).toEqual([
    [0, 1],
    [0.5, 0.5, 0],
  ]);
});

test('NaN is a value of its own each time, and the last', async () => {
  const { values, counts, inverse } = await core.unique([Number.NaN, 2, Number.NaN, 2]);
  expect(await values.array()).toEqual([2, Number.NaN, Number.NaN]);
  expect(await counts.array()).toEqual([2, 1, 1]);
  expect(await inverse.array()).toEqual([1, 0, 2, 0]);
});

test('rows that differ only behind equal NaN are ordered by what comes behind', async () => {
  const rows = core.tensor([
    [Number.NaN, 2],
    [Number.NaN, 1],
    [0, 9],
  ]);
  const { values } = await core.unique(rows, { axis: 0 });
  expect(await values.array()).toEqual([
    [0, 9],
    [Number.NaN, 1],
    [Number.NaN, 2],
  ]);
});

test('unique slices keep their axes, and gradients go to the first of equal ones', async () => {
  const wide = core.tensor([
    [1, 0, 1],
    [2, 5, 2],
  ]);
  const { values, counts } = await core.unique(wide, { axis: 1 });
  expect(await values.array()).toEqual([
    [0, 1],
    [5, 2],
  ]);
  expect(await counts.array()).toEqual([1, 2]);
  const [slope] = core.gradients(values.sum(), [wide]);
  expect(await slope!.array()).toEqual([
    [1, 1, 0],
    [1, 1, 0],
  ]);
});

test('what is chosen by values is differentiable, and lives where it was chosen from', async () => {
  const other = reference();
  const y = core.tensor([3, -1, 2], { backend: other });
  const chosen = await core.maskedSelect(y, y.greater(0));
  expect(chosen.backend).toBe(other);
  expect((await core.nonzero(y)).backend).toBe(other);
  expect((await core.unique(y)).counts.backend).toBe(other);
  const [slope] = core.gradients(chosen.mul(chosen).sum(), [y]);
  expect(await slope!.array()).toEqual([6, 0, 4]);
});

test('the gradient of what chooses nothing lives where its tensor does', async () => {
  const other = reference();
  const y = core.tensor([3, -1, 2], { backend: other });
  for (const nothing of [
    y.at([1, 1]),
    y.at([5, null]),
    y.gather(integers([])),
    y.at(core.tensor([false, false, false])),
  ]) {
    const [slope] = core.gradients(nothing.sum(), [y]);
    expect(slope!.backend).toBe(other);
    expect(await slope!.array()).toEqual([0, 0, 0]);
  }
  const rows = core.zeros([2, 0], { backend: other });
  const [empty] = core.gradients(rows.at([0, 1]).sum(), [rows]);
  expect(empty!.backend).toBe(other);
  expect(await empty!.array()).toEqual([[], []]);
});

test('inside of a compiled function indices are arguments, and values are not read', async () => {
  const choose = core.compile((from: core.Tensor, index: core.Tensor) =>
    core.indexPut(from, [index], from.at(index).mul(10)),
  );
  expect(await (await choose(row, integers([0, 2]))).array()).toEqual([30, 1, 20]);
  expect(await (await choose(row, integers([1, -1]))).array()).toEqual([3, 10, 20]);
  const read = core.compile((from: core.Tensor) => {
    let failure: unknown;
    core.nonzero(from).catch((error: unknown) => {
      failure = error;
    });
    return from.add(failure === undefined ? 0 : 1);
  });
  expect(await (await read(row)).array()).toEqual([3, 1, 2]);
});

test('moving ranges and quantiles do not compile again', async () => {
  let compiled = 0;
  const counting: core.Backend = Object.assign(Object.create(backend), {
    name: 'counting',
    limits: backend.limits,
    compile: (program: core.Program) => {
      compiled++;
      return backend.compile(program);
    },
  });
  const y = core.tensor([5, 1, 4, 2, 3], { backend: counting });
  const results: core.NestedArray[] = [];
  for (const k of [0, 1, 2]) {
    results.push(await core.indexPut(y, [[k, k + 2]], k).array());
    results.push(await core.quantile(y, k / 4).array());
    results.push(await core.histogram(y, { bins: 2, range: [k, 5] }).counts.array());
  }
  expect(compiled).toBe(3);
  expect(results.slice(3, 6)).toEqual([[5, 1, 1, 2, 3], 2, [2, 3]]);
});

test('running values over long rows agree with a loop', async () => {
  const values = Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i * i));
  const y = core.tensor(values);
  let best = Number.NEGATIVE_INFINITY;
  const right = values.map((value) => (best = Math.max(best, value)));
  expect(await core.cummax(y, 0).values.data()).toEqual(right);
  const signs = core.tensor(values.map((value) => (value < 0 ? -1 : 1)));
  let sign = 1;
  expect(await core.cumprod(signs, 0).data()).toEqual(values.map((value) => (sign *= value < 0 ? -1 : 1)));
});

test('searching by halves and by counting find the same places', async () => {
  const long = core.arange(100).div(4);
  const wanted = core.tensor([-1, 0, 0.1, 12.25, 24.75, 25]);
  const byCounting = wanted.unsqueeze(1).greater(long).cast('int32').sum(1);
  expect(await core.searchSorted(long, wanted).array()).toEqual(await byCounting.array());
  expect(computed(core.searchSorted(long, wanted).equal(byCounting)).dtype).toBe('bool');
});

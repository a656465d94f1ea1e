import { describe, expect, expectTypeOf, it } from 'vitest';
import { trainTestSplit } from '../splits/split.ts';
import type { DataArray } from './dataset.ts';
import { Dataset, dense, ragged } from './dataset.ts';
import { DataLoader } from './loader.ts';

const points = new Dataset({
  inputs: { data: new Float32Array([0, 1, 2, 3, 4, 5]), shape: [3, 2] },
  targets: { data: new Int32Array([7, 8, 9]), shape: [3] },
});

it('sequences are whole numbers unless another kind is asked for, and never changed in silence', () => {
  expect(ragged([[0.5], [], [-1.25, 2]], 'float32')).toEqual({
    data: Float32Array.of(0.5, -1.25, 2),
    offsets: Int32Array.of(0, 1, 1, 3),
    stepShape: [],
  });
  expect(ragged([[0.1]], 'float64').data).toEqual(Float64Array.of(0.1));
  expect(() => ragged([[1], [2, 0.5]])).toThrow(
    "ragged: sample 1 holds 0.5, which is no whole number of 32 bits: say 'float32' or 'float64'.",
  );
  expect(() => ragged([[2 ** 40]])).toThrow('ragged: sample 0 holds 1099511627776, which is no whole number');
  // JavaScript
  expect(() => ragged([['a'] as unknown as number[]], 'float32')).toThrow('sample 0 holds a, which is no number.');
  expect(() => dense([[1], ['2' as unknown as number]])).toThrow('dense: sample 1 holds 2, which is no number.');
  expect(() => dense([1, null as unknown as number])).toThrow('dense: sample 1 holds null, which is no number.');
  expect(() => dense([null as unknown as number])).toThrow('dense: sample 0 holds null, which is no number.');
  expect(() => dense([1], 'int64' as 'int32')).toThrow("dense: dtype is 'int64': choose float64 or float32 or int32.");
});

describe('Dataset', () => {
  it('counts samples along the first axis', () => {
    expect(points.size).toBe(3);
  });

  it('keeps the kinds of its arrays as types', () => {
    expectTypeOf(points.fields.inputs).toEqualTypeOf<{ data: Float32Array<ArrayBuffer>; shape: number[] }>();
    expectTypeOf(points.take([0])).toEqualTypeOf(points);
  });

  it('takes samples in the order asked, repeats included, as copies', () => {
    const taken = points.take([2, 0, 2]);
    expect(taken.fields.inputs).toEqual({ data: new Float32Array([4, 5, 0, 1, 4, 5]), shape: [3, 2] });
    expect(taken.fields.targets).toEqual({ data: new Int32Array([9, 7, 9]), shape: [3] });
    taken.fields.inputs.data[0] = 100;
    expect(points.fields.inputs.data[4]).toBe(4);
  });

  it('takes sequences of unequal lengths', () => {
    const words = new Dataset({ letters: ragged([[1], [], [2, 3, 4]]) });
    expect(words.size).toBe(3);
    const { letters } = words.take([2, 1, 0]).fields;
    expect(letters.data).toEqual(new Int32Array([2, 3, 4, 1]));
    expect(letters.offsets).toEqual(new Int32Array([0, 3, 3, 4]));
  });

  it('takes nothing as an empty dataset', () => {
    const none = points.take([]);
    expect(none.size).toBe(0);
    expect(none.fields.inputs.shape).toEqual([0, 2]);
  });

  it('adds and replaces fields', () => {
    const weights: DataArray<Float32Array> = { data: new Float32Array(3), shape: [3] };
    expect(Object.keys(points.with({ weights }).fields)).toEqual(['inputs', 'targets', 'weights']);
  });

  it('says what does not fit', () => {
    expect(() => points.take([3])).toThrow('Dataset.take: there is no sample 3 among 3.');
    expect(() => points.take([-1])).toThrow('there is no sample -1');
    expect(() => points.take([0.5])).toThrow('there is no sample 0.5');
    expect(() => new Dataset({})).toThrow('no fields');
    expect(() => new Dataset({ mask: { data: new Float32Array(1), shape: [1] } })).toThrow(
      "'mask' is taken by batches",
    );
    expect(() => new Dataset({ x: { data: new Float32Array(5), shape: [2, 3] } })).toThrow(
      "Dataset: 'x' has 5 elements, its shape [2, 3] needs 6.",
    );
    expect(() => new Dataset({ x: { data: new Float32Array(1), shape: [] } })).toThrow('no axis for its samples');
    expect(
      () => new Dataset({ x: { data: new Float32Array(2), shape: [2] }, y: { data: new Int32Array(3), shape: [3] } }),
    ).toThrow("Dataset: 'x' has 2 samples, 'y' has 3; they must be equal.");
    const data = new Int32Array(3);
    expect(() => new Dataset({ x: { data, offsets: Int32Array.of(0, 2), stepShape: [] } })).toThrow('run from 0 to 3');
    expect(() => new Dataset({ x: { data, offsets: Int32Array.of(0, 4, 3), stepShape: [] } })).toThrow(
      'fall at sample 1',
    );
  });
});

describe('dense', () => {
  it('makes fields of nested arrays, float32 or int32', () => {
    const rows = [
      [1, 2],
      [3, 4],
      [5, 6],
    ];
    const dataset = new Dataset({ inputs: dense(rows), targets: dense([2, 0, 1], 'int32') });
    expect(dataset.fields.inputs).toEqual({ data: Float64Array.of(1, 2, 3, 4, 5, 6), shape: [3, 2] });
    expect(dataset.fields.targets).toEqual({ data: Int32Array.of(2, 0, 1), shape: [3] });
    expectTypeOf(dataset.fields.targets.data).toEqualTypeOf<Int32Array>();
    expectTypeOf(dataset.fields.inputs.data).toEqualTypeOf<Float64Array>();
  });

  it('takes typed arrays as samples, booleans as 0 and 1, and images of any rank', () => {
    expect(dense([Uint8Array.of(1, 2), Uint8Array.of(3, 4)])).toEqual({
      data: Float64Array.of(1, 2, 3, 4),
      shape: [2, 2],
    });
    expect(dense([true, false], 'int32').data).toEqual(Int32Array.of(1, 0));
    expect(dense([[[1, 2]], [[3, 4]]]).shape).toEqual([2, 1, 2]);
    expect(dense([])).toEqual({ data: new Float64Array(0), shape: [0] });
  });

  it('names the sample that has another shape', () => {
    const of =
      (...samples: (number | number[])[]) =>
      () =>
        dense(samples);
    expect(of([1, 2], [3, 4], [5])).toThrow('dense: sample 2 does not have the shape [2] of the first');
    expect(of([1, 2], 3)).toThrow('dense: sample 1 does not have the shape [2] of the first');
    expect(of(1, [2, 3])).toThrow('dense: sample 1 does not have the shape [] of the first');
  });
});

describe('what JavaScript hands over', () => {
  const make = (Kind: typeof Dataset | typeof DataLoader, ...args: readonly unknown[]): unknown =>
    Reflect.construct(Kind, args);

  it('is refused with the way to make a dataset of it', () => {
    expect(() => make(Dataset, { inputs: [[1, 2]] })).toThrow("Dataset: 'inputs' must be { data, shape }");
    expect(() => make(DataLoader, [1, 2])).toThrow('DataLoader: takes a Dataset');
    const table: unknown = { name: 'a table', columns: [] };
    expect(() => Reflect.apply(trainTestSplit, undefined, [table])).toThrow(
      'trainTestSplit: takes a Dataset, as encodeTable(table, encoding)',
    );
  });

  it('as options that do not exist is refused', () => {
    expect(() => make(DataLoader, points, { batchsize: 3 })).toThrow(
      'DataLoader: no option batchsize: batchSize, shuffle,',
    );
  });
});

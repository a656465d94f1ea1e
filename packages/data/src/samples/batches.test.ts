import { describe, expect, it } from 'vitest';
import { gatherBatch, padSequences, padTo } from './batches.ts';
import { Dataset, ragged } from './dataset.ts';

describe('padTo', () => {
  it('finds the smallest bucket that holds a size, in any order of buckets', () => {
    expect([1, 4, 5, 16].map((size) => padTo(size, [16, 4, 8]))).toEqual([4, 4, 8, 16]);
    expect(padTo(3, 10)).toBe(10);
  });

  it('names the buckets where none is large enough', () => {
    expect(() => padTo(17, [4, 16])).toThrow('padTo: 17 is more than the largest of the buckets [4, 16].');
  });
});

describe('padSequences', () => {
  it('pads to the longest, or to a bucket, with the value asked', () => {
    const words = ragged([[1, 2, 3], [], [4]]);
    expect(padSequences(words)).toEqual({ data: new Int32Array([1, 2, 3, 0, 0, 0, 4, 0, 0]), shape: [3, 3] });
    expect(padSequences(words, [2, 4], -1)).toEqual({
      data: new Int32Array([1, 2, 3, -1, -1, -1, -1, -1, 4, -1, -1, -1]),
      shape: [3, 4],
    });
  });

  it('pads steps that have axes of their own', () => {
    const track = { data: new Float32Array([1, 2, 3, 4, 5, 6]), offsets: Int32Array.of(0, 1, 3), stepShape: [2] };
    expect(padSequences(track)).toEqual({ data: new Float32Array([1, 2, 0, 0, 3, 4, 5, 6]), shape: [2, 2, 2] });
  });
});

describe('gatherBatch', () => {
  const dataset = new Dataset({
    words: ragged([[1, 2], [3], [4, 5, 6]]),
    images: { data: new Uint8Array([0, 255, 51, 102, 0, 255]), shape: [3, 2] },
    targets: { data: new Int32Array([10, 11, 12]), shape: [3] },
  });

  it('gathers rows with nothing padded by itself', () => {
    const batch = gatherBatch(dataset, Int32Array.of(2, 0));
    expect(batch.arrays.targets).toEqual({ data: new Int32Array([12, 10]), shape: [2] });
    expect(batch.arrays.words).toEqual({ data: new Int32Array([4, 5, 6, 1, 2, 0]), shape: [2, 3] });
    expect(batch.lengths).toEqual({ words: new Int32Array([3, 2]) });
    expect(batch.mask).toEqual(new Float32Array([1, 1]));
    expect(batch.count).toBe(2);
  });

  it('pads rows and lengths to buckets, and marks the rows that are padding', () => {
    const batch = gatherBatch(dataset, Int32Array.of(1), {
      padding: { samples: [2, 4], length: 4, values: { targets: -1 } },
    });
    expect(batch.arrays.words).toEqual({ data: new Int32Array([3, 0, 0, 0, 0, 0, 0, 0]), shape: [2, 4] });
    expect(batch.arrays.targets).toEqual({ data: new Int32Array([11, -1]), shape: [2] });
    expect(batch.lengths.words).toEqual(new Int32Array([1, 0]));
    expect(batch.mask).toEqual(new Float32Array([1, 0]));
    expect(batch.count).toBe(1);
  });

  it('normalises the fields named and pads them afterwards', () => {
    const normalize = { images: { per: 'array', offset: [-51], divisor: [51] } } as const;
    const batch = gatherBatch(dataset, Int32Array.of(1), { padding: { samples: 2 }, normalize });
    expect(batch.arrays.images).toEqual({ data: new Float32Array([2, 3, 0, 0]), shape: [2, 2] });
  });
});

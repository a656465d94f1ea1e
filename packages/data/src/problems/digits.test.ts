import { describe, expect, it } from 'vitest';
import { normalize } from '../samples/normalization.ts';
import { digits } from './digits.ts';

/** The images as numbers from 0 to 1. */
function pixels(count: number, seed: number): Float32Array {
  return normalize(digits(count, { seed }).fields.inputs, { per: 'array', offset: [0], divisor: [255] }).data;
}

describe('digits', () => {
  it('makes bytes of the form of MNIST, classes in turn', () => {
    const { inputs, targets } = digits(25, { seed: 1 }).fields;
    expect(inputs.shape).toEqual([25, 1, 28, 28]);
    expect(inputs.data).toBeInstanceOf(Uint8Array);
    expect([...targets.data]).toEqual(Array.from({ length: 25 }, (_, i) => i % 10));
  });

  it('is decided by its seed, and a larger set begins with the smaller', () => {
    const small = digits(10, { seed: 3 }).fields.inputs.data;
    expect(digits(20, { seed: 3 }).fields.inputs.data.slice(0, 10 * 784)).toEqual(small);
    expect(digits(10, { seed: 4 }).fields.inputs.data).not.toEqual(small);
  });

  it('draws the same everywhere', () => {
    let hash = 0;
    for (const value of digits(30, { seed: 8 }).fields.inputs.data) hash = (Math.imul(hash, 31) + value) | 0;
    expect(hash).toMatchInlineSnapshot(`1816246645`);
  });

  it('leaves a margin of paper, and has the share of ink that handwriting has', () => {
    const { inputs } = digits(200, { seed: 2 }).fields;
    let ink = 0;
    inputs.data.forEach((value, i) => {
      const [row, column] = [Math.floor(i / 28) % 28, i % 28];
      if (row === 0 || row === 27 || column === 0 || column === 27) expect(value).toBeLessThan(150);
      ink += value / 255;
    });
    const share = ink / inputs.data.length; // 0.13 in MNIST.
    expect(share).toBeGreaterThan(0.09);
    expect(share).toBeLessThan(0.18);
  });

  it('draws no two alike, and the shapes themselves without distortion', () => {
    const image = (i: number, distortion: number): string =>
      digits(200, { distortion })
        .fields.inputs.data.slice(i * 784, (i + 1) * 784)
        .join();
    const hands = new Set([1, 11, 21, 31, 41, 51].map((i) => image(i, 1)));
    expect(hands.size).toBe(6);
    const plain = new Set(Array.from({ length: 20 }, (_, i) => image(1 + 10 * i, 0)));
    expect(plain.size).toBeLessThanOrEqual(3); // There are three ways to write a one.
  });

  it('draws at other sizes', () => {
    const { inputs } = digits(10, { size: 16 }).fields;
    expect(inputs.shape).toEqual([10, 1, 16, 16]);
    expect(Math.max(...inputs.data)).toBeGreaterThan(150);
  });

  it('refuses options that make no sense', () => {
    expect(() => digits(0)).toThrow('digits: count 0');
    expect(() => digits(1, { size: 4 })).toThrow('digits: size 4');
    expect(() => digits(1, { distortion: Number.NaN })).toThrow('digits: distortion NaN');
  });

  it('can be learned, but not by the mean image alone', () => {
    const [train, test] = [pixels(1000, 1), pixels(200, 2)];
    const means = new Float64Array(10 * 784);
    train.forEach((value, i) => {
      means[(Math.floor(i / 784) % 10) * 784 + (i % 784)]! += value / 100;
    });
    const nearest = (image: number, many: ArrayLike<number>, count: number): number => {
      let best = 0;
      let least = Number.POSITIVE_INFINITY;
      for (let other = 0; other < count; other++) {
        let distance = 0;
        for (let i = 0; i < 784; i++)
          distance += ((test[image * 784 + i] as number) - (many[other * 784 + i] as number)) ** 2;
        if (distance < least) [least, best] = [distance, other];
      }
      return best % 10;
    };
    const score = (many: ArrayLike<number>, count: number): number =>
      Array.from({ length: 200 }, (_, i) => (nearest(i, many, count) === i % 10 ? 1 : 0)).reduce<number>(
        (a, b) => a + b,
        0,
      ) / 200;
    const byMean = score(means, 10);
    const byNeighbour = score(train, 1000);
    expect(byMean).toBeGreaterThan(0.6);
    expect(byMean).toBeLessThan(0.9);
    expect(byNeighbour).toBeGreaterThan(byMean);
    expect(byNeighbour).toBeGreaterThan(0.8);
  });
});

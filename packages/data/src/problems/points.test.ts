import { describe, expect, it } from 'vitest';
import type { Classified } from '../samples/dataset.ts';
import { blobs, circles, moons, spirals, xor } from './points.ts';

function each(dataset: Classified, check: (x: number, y: number, type: number) => void): void {
  const { inputs, targets } = dataset.fields;
  targets.data.forEach((type, i) => {
    check(inputs.data[2 * i] as number, inputs.data[2 * i + 1] as number, type);
  });
}

const generators = { xor, moons, circles, spirals, blobs };

for (const [name, generate] of Object.entries(generators)) {
  describe(name, () => {
    it('makes the number of points asked, classes in turn', () => {
      const { fields, size } = generate(31, { seed: 2 });
      const classes = Math.max(...fields.targets.data) + 1;
      expect(size).toBe(31);
      expect(fields.inputs.shape).toEqual([31, 2]);
      expect([...fields.targets.data]).toEqual(Array.from({ length: 31 }, (_, i) => i % classes));
    });

    it('is decided by its seed', () => {
      expect(generate(20, { seed: 5 })).toEqual(generate(20, { seed: 5 }));
      expect(generate(20, { seed: 5 })).not.toEqual(generate(20, { seed: 6 }));
    });

    it('refuses counts and noise that make no sense', () => {
      expect(() => generate(0)).toThrow(`${name}: count 0 is not a whole number of points, 1 or more.`);
      expect(() => generate(5, { noise: -1 })).toThrow(`${name}: noise -1 is not a standard deviation`);
    });
  });
}

describe('shapes without noise', () => {
  it('xor: class 1 where the signs differ', () => {
    each(xor(400), (x, y, type) => expect(x * y < 0 ? 1 : 0).toBe(type));
    each(xor(400), (x, y) => expect(Math.max(Math.abs(x), Math.abs(y))).toBeLessThanOrEqual(1));
  });

  it('moons: each on its half circle', () => {
    each(moons(400, { noise: 0 }), (x, y, type) => {
      const [centerX, centerY] = type === 0 ? [0, 0] : [1, 0.5];
      expect(Math.hypot(x - centerX, y - centerY)).toBeCloseTo(1, 6);
      expect(type === 0 ? y >= 0 : y <= 0.5).toBe(true);
    });
  });

  it('circles: each on its circle', () => {
    each(circles(400, { noise: 0, factor: 0.3 }), (x, y, type) => {
      expect(Math.hypot(x, y)).toBeCloseTo(type === 0 ? 1 : 0.3, 6);
    });
  });

  it('spirals: the angle grows with the radius, shifted by class', () => {
    each(spirals(300, { noise: 0, classes: 3, turns: 1 }), (x, y, type) => {
      const turns = Math.atan2(x, y) / (2 * Math.PI) - Math.hypot(x, y) - type / 3;
      expect(Math.abs(turns - Math.round(turns))).toBeLessThan(1e-5);
    });
  });

  it('blobs: at the centres given', () => {
    const centers = [
      [3, 4],
      [-1, 0],
    ] as const;
    each(blobs(10, { noise: 0, centers }), (x, y, type) => expect([x, y]).toEqual(centers[type]));
  });
});

it('noise has the deviation asked', () => {
  let sum = 0;
  each(blobs(4000, { noise: 0.5, centers: [[0, 0]] }), (x, y) => {
    sum += x * x + y * y;
  });
  expect(Math.sqrt(sum / 8000)).toBeCloseTo(0.5, 1);
});

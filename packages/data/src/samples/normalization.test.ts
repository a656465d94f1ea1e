import { describe, expect, it } from 'vitest';
import golden from '../../fixtures/statistics.json' with { type: 'json' };
import { denormalize, fitNormalization, normalize } from './normalization.ts';

const array = { data: new Float32Array(golden.values), shape: golden.shape };

/** The largest difference, relative where numbers are above 1. */
function difference(actual: ArrayLike<number>, expected: readonly number[]): number {
  expect(actual.length).toBe(expected.length);
  return Math.max(
    ...expected.map((value, i) => Math.abs(value - (actual[i] as number)) / Math.max(1, Math.abs(value))),
  );
}

describe('fitNormalization', () => {
  for (const per of ['element', 'channel', 'array'] as const) {
    it(`finds the mean and deviation per ${per} that NumPy finds`, () => {
      const fit = fitNormalization(array, { per });
      expect(difference(fit.offset, golden[per].mean)).toBeLessThan(1e-12);
      expect(difference(fit.divisor, golden[per].deviation)).toBeLessThan(1e-12);
      expect(difference(normalize(array, fit).data, golden[per].standard)).toBeLessThan(1e-6);
    });

    it(`maps the extremes per ${per} to the range asked`, () => {
      const fit = fitNormalization(array, { per, kind: 'minMax', range: [-1, 1] });
      expect(difference(normalize(array, fit).data, golden[per].minMax)).toBeLessThan(1e-6);
    });
  }

  it('gives back the data when inverted', () => {
    const fit = fitNormalization(array);
    expect(difference(denormalize(normalize(array, fit), fit).data, golden.values)).toBeLessThan(1e-6);
  });

  it('survives JSON unchanged', () => {
    const fit = fitNormalization(array);
    expect(JSON.parse(JSON.stringify(fit))).toEqual(fit);
  });

  it('only moves what is constant', () => {
    const constant = { data: new Float32Array([3, 3, 3]), shape: [3, 1] };
    expect(normalize(constant, fitNormalization(constant)).data).toEqual(new Float32Array(3));
    expect(normalize(constant, fitNormalization(constant, { kind: 'minMax' })).data).toEqual(new Float32Array(3));
  });

  it('turns bytes into float32', () => {
    const bytes = { data: new Uint8Array([0, 51, 255]), shape: [3, 1] };
    const fit = fitNormalization(bytes, { kind: 'minMax', per: 'array' });
    expect(normalize(bytes, fit).data).toEqual(new Float32Array([0, 0.2, 1]));
  });

  it('says which sample is not a number', () => {
    const holes = { data: new Float32Array([1, 2, 3, Number.NaN]), shape: [2, 2] };
    expect(() => fitNormalization(holes)).toThrow('sample 1, element 1 is NaN; fill or drop missing values first');
  });

  it('gives no scale that is infinite', () => {
    const huge = { data: new Float64Array([1, 1e308, 2, -1.5e308]), shape: [2, 2] };
    expect(() => fitNormalization(huge)).toThrow(
      'fitNormalization: the numbers of element 1 are so large that their squares are infinite; divide them first.',
    );
    expect(() => fitNormalization(huge, { kind: 'minMax' })).toThrow('their differences are infinite');
  });

  it('is not taken where it makes numbers of nothing', () => {
    for (const [offset, divisor] of [
      [0, 0],
      [Number.NaN, 1],
      [0, Number.POSITIVE_INFINITY],
    ] as const) {
      const given = { per: 'array', offset: [offset], divisor: [divisor] } as const;
      for (const apply of [normalize, denormalize]) {
        expect(() => apply(array, given)).toThrow(
          `array 0 has the offset ${offset} and the divisor ${divisor}; both must be numbers, and the divisor not 0.`,
        );
      }
    }
  });

  it('says what does not fit', () => {
    const fit = fitNormalization(array);
    expect(() => normalize({ data: new Float32Array(4), shape: [2, 2] }, fit)).toThrow(
      'normalize: the normalisation has 12 numbers per element, samples of shape [2] need 2.',
    );
    expect(() => fitNormalization(array, { kind: 'minMax', range: [1, 1] })).toThrow('range [1, 1] is empty');
    expect(() => fitNormalization({ data: new Float32Array(0), shape: [0, 2] })).toThrow('no samples');
    expect(() => fitNormalization({ data: new Float32Array(2), shape: [2] }, { per: 'channel' })).toThrow(
      'no channels',
    );
  });
});

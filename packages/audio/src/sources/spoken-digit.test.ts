import { describe, expect, it } from 'vitest';
import { spokenDigit } from './spoken-digit.ts';

describe('a spoken digit', () => {
  it('is the same for the same numbers, and another for each of them', () => {
    const base = spokenDigit(4, { speaker: 2, take: 1, seed: 3 }).samples;
    expect(spokenDigit(4, { speaker: 2, take: 1, seed: 3 }).samples).toEqual(base);
    for (const other of [
      spokenDigit(5, { speaker: 2, take: 1, seed: 3 }),
      spokenDigit(4, { speaker: 1, take: 1, seed: 3 }),
      spokenDigit(4, { speaker: 2, take: 0, seed: 3 }),
      spokenDigit(4, { speaker: 2, take: 1, seed: 2 }),
    ]) {
      expect(other.samples).not.toEqual(base);
    }
  });

  it('lasts as long and is as loud as words are, at any rate', () => {
    for (let digit = 0; digit < 10; digit++) {
      for (const sampleRate of [8000, 16_000]) {
        const { samples, length } = spokenDigit(digit, { sampleRate });
        expect(length / sampleRate).toBeGreaterThan(0.1);
        expect(length / sampleRate).toBeLessThan(0.9);
        const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / length;
        expect(10 * Math.log10(power)).toBeCloseTo(-20, 3);
        expect(samples.every((sample) => Math.abs(sample) <= 1)).toBe(true);
      }
    }
  });

  it('is refused for what is none', () => {
    expect(() => spokenDigit(10)).toThrow('spokenDigit: digit is 10: it must be a whole number from 0 to 9.');
    expect(() => spokenDigit(1, { speaker: 1000 })).toThrow(
      'speaker is 1000: it must be a whole number from 0 to 999.',
    );
    expect(() => spokenDigit(1, { take: 0.5 })).toThrow('take is 0.5: it must be a whole number from 0 to 99.');
  });
});

/** Augmentation: the phase vocoder against torchaudio's, ratios and filters by their definitions, and the same numbers for an element wherever it stands. */
import { cpu } from '@nn/backend-cpu';
import { compile, gradients, ones, setDefaultBackend, type Tensor, tensor } from '@nn/core';
import { dataPipeline, RandomSequence } from '@nn/data';
import { beforeAll, describe, expect, it } from 'vitest';
import fixtures from '../../fixtures/features.json';
import { pitch } from '../features/pitch.ts';
import { meanSquare } from '../sounds/volume.ts';
import { type Waveform, waveformOf } from '../sounds/waveform.ts';
import { apart, floats, relative, testSignal } from '../testing.ts';
import {
  addNoise,
  inSequence,
  randomCut,
  randomGain,
  randomNoise,
  randomPitch,
  randomReverberation,
  randomShift,
  randomStretch,
  reverberate,
  type SoundAugmentation,
  sometimes,
} from './augment.ts';
import { convolved } from './host-transform.ts';
import { specAugment } from './spec-augment.ts';
import { shiftPitch, stretch } from './stretch.ts';

beforeAll(() => setDefaultBackend(cpu()));

describe('speed and pitch', () => {
  it.each(fixtures.stretches)('$operation by $by of $length', ({ operation, length, by, options, output }) => {
    const sound = waveformOf(testSignal(length), operation === 'stretch' ? 8000 : 4000);
    const found = operation === 'stretch' ? stretch(sound, by, options) : shiftPitch(sound, by);
    expect(relative(found.samples, floats(output))).toBeLessThan(1e-5);
  });

  it('change one without the other', () => {
    const voice = waveformOf(
      Float32Array.from({ length: 16000 }, (_, i) => Math.sin((2 * Math.PI * 200 * i) / 16000)),
      16000,
    );
    const middle = (sound: Waveform): number => pitch(sound)[20]!;
    expect(middle(stretch(voice, 0.7))).toBeCloseTo(200, -1);
    expect(middle(shiftPitch(voice, 7))).toBeCloseTo(200 * 2 ** (7 / 12), -1);
    expect(() => stretch(voice, 0)).toThrow('stretch: 0 times the speed: it must lie between 1/16 and 16.');
    expect(() => stretch(waveformOf(new Float32Array(9), 8000), 1.1)).toThrow(
      'stretch: a sound of 9 samples is too short for frames of 512: make it longer, or fftSize smaller.',
    );
    expect(() => shiftPitch(voice, 1, { fftSize: 400 })).toThrow(
      'shiftPitch: fftSize 400 must be a power of 2, hopLength 100 a whole number from 1 to half of it.',
    );
  });
});

describe('noise and rooms', () => {
  const sound = waveformOf(testSignal(4000), 8000);

  it.each(['white', 'pink', 'brown'] as const)(
    '%s noise stands at its ratio, and falls off as its color says',
    (color) => {
      const noisy = randomNoise({ decibels: [12, 12], color })(sound, new RandomSequence(2));
      const noise = noisy.samples.map((x, i) => x - sound.samples[i]!);
      expect(10 * Math.log10(meanSquare(sound.samples) / meanSquare(noise))).toBeCloseTo(12, 3);
      // differences of neighbours weigh the higher frequencies
      const rough = meanSquare(noise.slice(1).map((x, i) => x - noise[i]!)) / meanSquare(noise);
      const bounds = { white: [1.8, 2.2], pink: [0.2, 0.8], brown: [0, 0.02] }[color];
      expect(rough).toBeGreaterThan(bounds[0]!);
      expect(rough).toBeLessThan(bounds[1]!);
    },
  );

  it('takes recorded noise, from any place, again and again', () => {
    const hum = waveformOf(
      Float32Array.from({ length: 50 }, (_, i) => Math.sin(i)),
      8000,
    );
    const noisy = addNoise(sound, hum, 0);
    expect(meanSquare(noisy.samples.map((x, i) => x - sound.samples[i]!))).toBeCloseTo(meanSquare(sound.samples), 5);
    expect(randomNoise({ sounds: [hum] })(sound, new RandomSequence(1)).length).toBe(4000);
    expect(() => addNoise(sound, waveformOf(new Float32Array(4), 16000), 3)).toThrow(
      'addNoise: 3 decibels over 4 samples of noise at 16000 Hz, for a sound at 8000 Hz: both need one rate, and the noise a sample.',
    );
    expect(addNoise(waveformOf(new Float32Array(8), 8000), hum, 3).samples).toEqual(new Float32Array(8));
  });

  it.each([1, 2, 37, 300])('convolves with %i weights as the sum says', (count) => {
    const x = testSignal(700);
    const h = testSignal(count, 3);
    const expected = x.map((_, i) => {
      let sum = 0;
      for (let k = 0; k <= Math.min(i, count - 1); k++) sum += h[k]! * x[i - k]!;
      return sum;
    });
    expect(apart(convolved(x, h), expected)).toBeLessThan(1e-5);
  });

  it('keeps loudness and length in a room', () => {
    const heard = randomReverberation({ decay: [0.2, 0.2], direct: [0, 0] })(sound, new RandomSequence(4));
    expect([heard.length, meanSquare(heard.samples).toFixed(5)]).toEqual([4000, meanSquare(sound.samples).toFixed(5)]);
    expect(apart(heard.samples, sound.samples)).toBeGreaterThan(0.05);
    expect(() => reverberate(sound, waveformOf(new Float32Array(0), 8000))).toThrow(
      'reverberate: the impulse has 0 samples at 8000 Hz, the sound is at 8000 Hz: both need one rate.',
    );
  });
});

describe('what is drawn', () => {
  const sound = waveformOf(testSignal(1000), 8000);
  const every: Readonly<Record<string, SoundAugmentation>> = {
    gain: randomGain(),
    shift: randomShift({ seconds: 0.05 }),
    wrapped: randomShift({ seconds: 0.05, fill: 'wrap' }),
    noise: randomNoise(),
    stretch: randomStretch({ fftSize: 128 }),
    pitch: randomPitch({ fftSize: 128 }),
    room: randomReverberation({ decay: [0.01, 0.03] }),
    cut: randomCut({ seconds: 0.08 }),
    padded: randomCut({ seconds: 0.2 }),
    all: inSequence(sometimes(randomGain()), randomShift(), randomNoise()),
  };

  it.each(Object.entries(every))('%s follows from the seed alone, and differs between seeds', (_, augmentation) => {
    const once = augmentation(sound, new RandomSequence(7, 1));
    expect(augmentation(sound, new RandomSequence(7, 1))).toEqual(once);
    const others = [8, 9, 10].map((seed) => augmentation(sound, new RandomSequence(seed, 1)));
    expect(others.some(({ samples }) => !(apart(samples, once.samples) === 0))).toBe(true);
    expect(sound.samples).toEqual(testSignal(1000));
  });

  it('keeps what it promises: lengths, what went out comes in, silence', () => {
    const random = new RandomSequence(3);
    const wrapped = every.wrapped!(sound, random);
    expect([...wrapped.samples].sort()).toEqual([...sound.samples].sort());
    expect([every.cut!(sound, random).length, every.padded!(sound, random).length]).toEqual([640, 1600]);
    expect(meanSquare(every.padded!(sound, random).samples) * 1600).toBeCloseTo(meanSquare(sound.samples) * 1000, 3);
    expect(() => randomGain({ decibels: [3, -3] })).toThrow(
      'randomGain: decibels is [3, -3]: give the least, then the most.',
    );
  });

  it('is the same for an element in every batch of a pipeline', async () => {
    const heard = async (size: number): Promise<number[]> => {
      const pipeline = dataPipeline([1, 2, 3, 4].map((n) => ({ n })))
        .map((_, { random }) => ({ x: every.all!(sound, random).samples[500]! }))
        .batch(size, { seed: 5 });
      const values: number[] = [];
      for await (const { x } of pipeline) values.push(...(await x.array(1)));
      return values;
    };
    const one = await heard(1);
    expect(await heard(4)).toEqual(one);
    expect(new Set(one).size).toBe(4);
  });
});

describe('specAugment', () => {
  const augment = specAugment({ frequencyMasks: 2, frequencyWidth: 5, timeMasks: 1, timeWidth: 30, timeShare: 0.2 });
  const size = { frequencies: 12, frames: 40 };

  it('covers whole bands and stretches, as wide as drawn, and nothing else', async () => {
    const indices = Array.from({ length: 30 }, (_, i) => i);
    const drawn = augment.draw(size, { seed: 2, indices });
    const masks = (await drawn.array(3)) as number[][][];
    const covered = (await augment.apply(ones([30, 1, 12, 40]), drawn).array(4)) as number[][][][];
    const widths: number[][] = [[], [], []];
    masks.forEach((element, n) => {
      for (const [m, [from, to]] of element.entries()) widths[m]!.push(to! - from!);
      const isCovered = (f: number, t: number): boolean =>
        element.some(([from, to], m) => (m < 2 ? f >= from! && f < to! : t >= from! && t < to!));
      const expected = Array.from({ length: 12 }, (_, f) =>
        Array.from({ length: 40 }, (_, t) => Number(!isCovered(f, t))),
      );
      expect(covered[n]![0]).toEqual(expected);
    });
    expect(Math.max(...widths[0]!, ...widths[1]!)).toBe(4);
    expect(Math.max(...widths[2]!)).toBe(7);
  });

  it('is drawn for each element alone, anew in each epoch', async () => {
    const of = async (indices: number[], epoch: number): Promise<number[][][]> =>
      (await augment.draw(size, { seed: 2, epoch, indices }).array(3)) as number[][][];
    const together = await of([3, 8, 5], 1);
    expect((await of([8], 1))[0]).toEqual(together[1]);
    expect((await of([8], 2))[0]).not.toEqual(together[1]);
  });

  it('fills with the mean, runs compiled, lets slopes through where nothing is covered', async () => {
    const x = tensor(testSignal(2 * 12 * 40), { shape: [2, 12, 40] });
    const withMean = specAugment({ frequencyMasks: 1, frequencyWidth: 6, timeMasks: 0, fill: 'mean' });
    const drawn = withMean.draw(size, { seed: 9, indices: [1, 2] });
    const covered = withMean.apply(x, drawn);
    const step = compile((a: Tensor, b: Tensor) => withMean.apply(a, b));
    expect(apart(await (await step(x, drawn)).data(), await covered.data())).toBeLessThan(1e-6);
    const [slope] = gradients(augment.apply(x, augment.draw(size, { indices: [1, 2] })).sum(), [x]);
    expect(new Set(await slope!.data())).toEqual(new Set([0, 1]));
    expect(() => augment.apply(ones([12, 40]), drawn)).toThrow(
      'specAugment: takes spectrograms [N, ..., F, T] and their masks [N, 3, 2], got [12, 40] and [2, 1, 2].',
    );
  });
});

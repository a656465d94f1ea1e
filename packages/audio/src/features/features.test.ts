/** Features against torchaudio, and against librosa's and Whisper's formulas; their slopes; sound from spectrograms; pitch, energy and who speaks when. */
import { cpu } from '@nn/backend-cpu';
import { compile, gradcheck, gradients, setDefaultBackend, type Tensor, tensor, zeros } from '@nn/core';
import { RandomSequence } from '@nn/data';
import { beforeAll, describe, expect, it } from 'vitest';
import fixtures from '../../fixtures/features.json';
import { resampleSignal } from '../sounds/resample.ts';
import { waveformOf } from '../sounds/waveform.ts';
import { apart, floats, relative, testSignal } from '../testing.ts';
import { energy, voiceActivity } from './activity.ts';
import { decibels, deltas, logMelSpectrogram, melSpectrogram, mfcc } from './features.ts';
import { griffinLim, melToSpectrogram } from './inverse.ts';
import { hertzToMel, melFilterBank, melToHertz } from './mel.ts';
import { pitch } from './pitch.ts';
import { spectrogram } from './spectrogram.ts';

beforeAll(() => setDefaultBackend(cpu()));

type Feature = (x: Tensor, options: never) => Tensor;
const operations: Readonly<Record<string, Feature>> = {
  spectrogram,
  melSpectrogram,
  logMelSpectrogram,
  mfcc,
  decibels,
  griffinLim,
  deltas,
};

describe('as others compute them', () => {
  it.each(fixtures.cases.filter(({ operation }) => operation !== 'pitch'))(
    '$operation $options',
    async ({ operation, length, seed, options, shape, output }) => {
      const signal = tensor(testSignal(length, seed));
      const ofPower = ['decibels', 'griffinLim', 'deltas'].includes(operation);
      const x = ofPower ? spectrogram(signal, { fftSize: 32 }) : signal;
      const expected = floats(output);
      const isDecibels = /log|decibels|mfcc/.test(operation);
      for (const transform of ofPower ? [undefined] : (['products', 'fft'] as const)) {
        const y = operations[operation]!(x, { ...options, ...(transform && { transform }) } as never);
        expect(y.shape).toEqual(shape);
        const found = await y.data();
        // decibels of what is nearly 0 lose digits in float32: a hundredth of one is not heard
        if (isDecibels)
          expect(apart(found, expected)).toBeLessThan(
            'convention' in options && options.convention === 'whisper' ? 1e-3 : 2e-2,
          );
        else expect(relative(found, expected)).toBeLessThan(operation === 'griffinLim' ? 1e-3 : 3e-6);
      }
    },
  );

  it.each(fixtures.cases.filter(({ operation }) => operation === 'pitch'))(
    'pitch $options',
    ({ length, options, output }) => {
      const { sampleRate = 8000, ...rest } = options as { sampleRate?: number };
      const found = pitch(waveformOf(testSignal(length), sampleRate), rest);
      expect(relative(found, floats(output))).toBeLessThan(1e-6);
    },
  );

  it.each(fixtures.banks)('bank $options', async ({ options, output }) => {
    const bank = melFilterBank(options as Parameters<typeof melFilterBank>[0]);
    expect(relative(await bank.data(), floats(output))).toBeLessThan(1e-5);
  });

  it('mels and back', () => {
    expect(hertzToMel(1000, 'htk')).toBeCloseTo(999.985537, 6);
    expect([hertzToMel(1000, 'slaney'), hertzToMel(4000, 'slaney')].map((mel) => mel.toFixed(6))).toEqual([
      '15.000000',
      '35.163760',
    ]);
    for (const scale of ['htk', 'slaney'] as const) {
      for (const hertz of [0, 440, 999, 1000, 7999])
        expect(melToHertz(hertzToMel(hertz, scale), scale)).toBeCloseTo(hertz, 8);
    }
  });
});

describe('features in a network', () => {
  it('are the same for a batch, for one signal, and compiled', async () => {
    const options = { convention: 'torchaudio', fftSize: 64, mels: 10 } as const;
    const [a, b] = [testSignal(300, 1), testSignal(300, 4).map((x) => 10 * x)];
    const batch = tensor(Float32Array.from([...a, ...b]), { shape: [2, 1, 300] });
    const together = await mfcc(batch, { ...options, coefficients: 5 }).data();
    const alone = await mfcc(tensor(a), { ...options, coefficients: 5 }).data();
    expect(apart(together.slice(0, alone.length), alone)).toBeLessThan(1e-4);
    const heard = compile((x: Tensor) => mfcc(resampleSignal(x, { from: 3, to: 2 }), { ...options, coefficients: 5 }));
    for (const x of [a, b]) {
      const expected = mfcc(resampleSignal(tensor(x), { from: 3, to: 2 }), { ...options, coefficients: 5 });
      expect(apart(await (await heard(tensor(x))).data(), await expected.data())).toBe(0);
    }
    const step = compile((x: Tensor) => logMelSpectrogram(x, options));
    for (const x of [a, b]) {
      expect(apart(await (await step(tensor(x))).data(), await logMelSpectrogram(tensor(x), options).data())).toBe(0);
    }
  });

  it('have the slopes that differences give, and none where there is silence', async () => {
    const x = tensor(testSignal(40).map((v) => v * 2));
    await gradcheck((s: Tensor) => spectrogram(s, { fftSize: 8, power: 1 }).sum(0), [x], { tolerance: 0.02 });
    await gradcheck(
      (s: Tensor) =>
        melSpectrogram(s, { convention: 'torchaudio', fftSize: 16, mels: 4, sampleRate: 100 }).sqrt().mean(1),
      [x],
    );
    const silence = zeros([64]);
    const [slope] = gradients(spectrogram(silence, { fftSize: 16, power: 1 }).sum(), [silence]);
    expect(await slope!.abs().max().item()).toBe(0);
  });

  it('say what is missing', () => {
    const x = zeros([100]);
    // @ts-expect-error a convention must be named
    expect(() => melSpectrogram(x, {})).toThrow(
      "melSpectrogram: no convention 'undefined': name one of 'torchaudio', 'librosa', 'whisper'.",
    );
    // @ts-expect-error Whisper has none
    expect(() => mfcc(x, { convention: 'whisper' })).toThrow(
      "mfcc: the convention 'whisper' has no MFCC: 'torchaudio' or 'librosa'.",
    );
    // @ts-expect-error a sound is no tensor
    expect(() => spectrogram(waveformOf(new Float32Array(500), 8000))).toThrow(
      'spectrogram: takes a tensor [..., length]: of sounds waveformTensor([waveform]), of samples tensor(samples).',
    );
    expect(() => spectrogram(x)).toThrow(
      "spectrogram: a signal of 100 samples is too short for frames of 400 (padMode 'reflect'): withLength makes it longer.",
    );
    expect(() => spectrogram(x, { fftSize: 32, windowLength: 40 })).toThrow(
      'spectrogram: windowLength 40 is longer than the frame, fftSize 32.',
    );
    expect(() =>
      melFilterBank({ sampleRate: 8000, fftSize: 64, mels: 4, highFrequency: 5000, scale: 'htk', norm: 'none' }),
    ).toThrow('melFilterBank: filters from 0 to 5000 Hz: they must lie between 0 and half the rate, 4000.');
  });
});

describe('sound from spectrograms', () => {
  it('has nearly the spectrogram that it was made from', async () => {
    const options = { fftSize: 64, hopLength: 16 };
    const wanted = spectrogram(tensor(testSignal(600)), { ...options, power: 1 });
    const worse = async (iterations: number): Promise<number> => {
      const again = griffinLim(wanted, { ...options, power: 1, iterations, length: 600 });
      return spectrogram(again, { ...options, power: 1 })
        .sub(wanted)
        .norm()
        .div(wanted.norm())
        .item();
    };
    const [first, last] = [await worse(0), await worse(24)];
    expect(first).toBeGreaterThan(0.4);
    expect(last).toBeLessThan(0.15);
  });

  it('mels become powers whose mels are nearly the same', async () => {
    const options = { convention: 'torchaudio', fftSize: 128, mels: 16 } as const;
    const mels = melSpectrogram(tensor(testSignal(600)), options);
    const powers = melToSpectrogram(mels, options);
    const again = melFilterBank({ sampleRate: 16000, fftSize: 128, mels: 16, scale: 'htk', norm: 'none' })
      .transpose()
      .matmul(powers);
    expect(await powers.min().item()).toBeGreaterThanOrEqual(0);
    expect(await again.sub(mels).norm().div(mels.norm()).item()).toBeLessThan(0.1);
  });
});

describe('who speaks when', () => {
  const random = new RandomSequence(5);
  const noise = Float32Array.from({ length: 16000 }, () => random.normal(0, 0.003));
  const spoken = (parts: readonly (readonly [number, number])[]): Float32Array =>
    noise.map((x, i) =>
      parts.some(([from, to]) => i >= from * 8000 && i < to * 8000) ? x + 0.2 * Math.sin(i / 4) : x,
    );

  it('finds words in noise, joins those that are near, leaves out clicks', () => {
    const parts = [
      [0.3, 0.7],
      [0.8, 1],
      [1.5, 1.8],
      [1.9, 1.92],
    ] as const;
    const found = voiceActivity(waveformOf(spoken(parts), 8000), { shortestPause: 0.15 });
    expect(found.map(({ from, to }) => [from.toFixed(2), to.toFixed(2)])).toEqual([
      ['0.30', '1.00'],
      ['1.50', '1.92'],
    ]);
    expect(voiceActivity(waveformOf(spoken([[0.5, 0.52]]), 8000))).toEqual([]);
  });

  it('hears nothing in silence and noise, and all of what is loud throughout', () => {
    expect(voiceActivity(waveformOf(new Float32Array(8000), 8000))).toEqual([]);
    expect(
      voiceActivity(
        waveformOf(
          noise.map((x) => x / 10),
          8000,
        ),
      ),
    ).toEqual([]);
    expect(voiceActivity(waveformOf(spoken([[0, 2]]), 8000))).toEqual([{ from: 0, to: 2 }]);
  });

  it('energy is the mean square of frames', async () => {
    const x = testSignal(50);
    const found = await energy(tensor(x, { shape: [2, 25] }), { frameLength: 10, hopLength: 5 }).array(2);
    const expected = [0, 1].map((row) =>
      [0, 5, 10, 15].map((at) => x.slice(row * 25 + at, row * 25 + at + 10).reduce((sum, v) => sum + v * v, 0) / 10),
    );
    expect(apart(found.flat(), expected.flat())).toBeLessThan(1e-6);
  });
});

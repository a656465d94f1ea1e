/** Rates against torchaudio, on the host and on the device; silence as librosa trims it; and sounds put together and taken apart. */
import { cpu } from '@nn/backend-cpu';
import { gradients, setDefaultBackend, tensor } from '@nn/core';
import { dataPipeline } from '@nn/data';
import { beforeAll, describe, expect, it } from 'vitest';
import fixtures from '../../fixtures/sounds.json';
import { encodeWav } from '../codecs/wav-write.ts';
import { audioFolder, audioList } from '../sources/audio-sources.ts';
import { apart, floats } from '../testing.ts';
import { resample, resampleSignal } from './resample.ts';
import { normalizeVolume, trimSilence } from './volume.ts';
import {
  channelOf,
  cut,
  joined,
  mono,
  signal,
  waveformOf,
  waveformsOf,
  waveformTensor,
  withLength,
} from './waveform.ts';

beforeAll(() => setDefaultBackend(cpu()));

describe('another rate', () => {
  it.each(fixtures.rates)('$from to $to $options', async ({ from, to, options, input, output }) => {
    const given = options as Parameters<typeof resample>[2];
    const expected = floats(output);
    const host = resample(waveformOf(floats(input), from, 2), to, given);
    expect([host.sampleRate, host.channels]).toEqual([to, 2]);
    expect(apart(host.samples, expected)).toBeLessThan(2e-6);
    const x = tensor(floats(input), { shape: [1, 2, 300] });
    const device = resampleSignal(x, { from, to, ...given });
    expect(device.shape).toEqual([1, 2, expected.length / 2]);
    expect(apart(await device.data(), expected)).toBeLessThan(2e-6);
  });

  it('has the gradient of a linear function: the same filter, turned round', async () => {
    const x = tensor(Float32Array.from({ length: 30 }, (_, i) => Math.sin(i)));
    const y = resampleSignal(x, { from: 3, to: 2 });
    const weights = tensor(Float32Array.from({ length: 20 }, (_, i) => Math.cos(3 * i)));
    const [slope] = gradients(y.mul(weights).sum(), [x]);
    const along = await slope!.mul(x).sum().item();
    expect(along).toBeCloseTo(await y.mul(weights).sum().item(), 4);
  });

  it('keeps what has the rate, and refuses rates that it cannot have', () => {
    const sound = waveformOf(new Float32Array(3), 8000);
    expect(resample(sound, 8000)).toBe(sound);
    expect(() => resample(sound, 0)).toThrow('resample: to is 0: it must be a number of hertz above 0, as 16000.');
    expect(() => resample(sound, 8000.5)).toThrow('resample: to is 8000.5: rates must be whole numbers of hertz.');
    expect(() => resample(waveformOf(new Float32Array(3), 44101), 48000)).toThrow(
      'resample: between 44101 and 48000 Hz there are 48000 different filters of 44101 weights and more: choose rates with a common divisor.',
    );
  });
});

describe('volume and silence', () => {
  it.each(fixtures.trims)('$below decibels, $frameLength, $hopLength', ({ channels, input, range, ...options }) => {
    const sound = waveformOf(floats(input), 8000, channels);
    const { waveform, from, to } = trimSilence(sound, options);
    expect([from, to]).toEqual(range);
    expect(channelOf(waveform, channels - 1)).toEqual(channelOf(sound, channels - 1).slice(from, to));
  });

  it('brings sounds to a volume and leaves silence', () => {
    const sound = waveformOf(Float32Array.of(0.1, -0.2, 0.1, 0.2), 8000);
    const { samples } = normalizeVolume(sound, { rms: -20 });
    expect(samples.reduce((sum, x) => sum + x * x, 0) / 4).toBeCloseTo(0.01, 6);
    expect(normalizeVolume(sound, { peak: 0.5 }).samples[1]).toBeCloseTo(-0.5, 6);
    const silence = waveformOf(new Float32Array(4096), 8000);
    expect(normalizeVolume(silence).samples).toEqual(new Float32Array(4096));
    expect(trimSilence(silence)).toMatchObject({ from: 0, to: 0 });
    expect(() => normalizeVolume(sound, { peak: 1, rms: -20 })).toThrow(
      'normalizeVolume: peak and rms ask for two volumes: give one of them.',
    );
  });
});

describe('sounds', () => {
  const stereo = waveformOf(Float32Array.of(1, 2, 3, 4, 5, 6), 3, 2);

  it('are cut, joined, padded, mixed', () => {
    expect(cut(stereo, { from: 1 / 3, to: 1 }).samples).toEqual(Float32Array.of(2, 3, 5, 6));
    expect(joined([stereo, stereo], { pause: 1 / 3 }).samples).toEqual(
      Float32Array.of(1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 0, 4, 5, 6),
    );
    expect(withLength(stereo, 4).samples).toEqual(Float32Array.of(1, 2, 3, 0, 4, 5, 6, 0));
    expect(withLength(stereo, 1).samples).toEqual(Float32Array.of(1, 4));
    expect(mono(stereo).samples).toEqual(Float32Array.of(2.5, 3.5, 4.5));
    expect(() => joined([stereo, mono(stereo)])).toThrow(
      'joined: sound 1 has 1 channels at 3 Hz, the first 2 at 3 Hz: bring them together with mono and resample.',
    );
    expect(() => waveformOf(new Float32Array(3), 8000, 2)).toThrow(
      'waveformOf: 3 samples cannot be split among 2 channels: give all samples of the first channel, then of the next.',
    );
    expect(() => cut(stereo, { from: 2, to: 1 })).toThrow(
      'cut: from 2 to 1 seconds is no part: needs 0 <= from <= to.',
    );
  });

  it('become tensors and come back', async () => {
    const x = waveformTensor([stereo, withLength(stereo, 2)]);
    expect(x.shape).toEqual([2, 2, 3]);
    const [first, second] = await waveformsOf(x, 3);
    expect(first).toEqual(stereo);
    expect(second!.samples).toEqual(Float32Array.of(1, 2, 0, 4, 5, 0));
  });

  it('feed batches from folders and lists, and name the file that cannot be read', async () => {
    const file = (value: number): Blob => new Blob([encodeWav(waveformOf(new Float32Array(4).fill(value), 8000))]);
    const files = ['b/2.wav', 'a/1.WAV', 'a/text.txt'].map((path, i) => ({ path, file: file(i / 4) }));
    const folder = await audioFolder(files, { sampleRate: 16000, channels: 1 });
    expect([folder.length, folder.classes, [...folder.labels]]).toEqual([2, ['a', 'b'], [0, 1]]);
    const batches = dataPipeline(folder)
      .map(({ waveform, label }) => ({ inputs: signal(waveform), targets: label }))
      .batch(2, { dtypes: { targets: 'int32' } });
    for await (const { inputs, targets } of batches) {
      expect([inputs.shape, await targets.array()]).toEqual([
        [2, 1, 8],
        [0, 1],
      ]);
    }
    const broken = await audioFolder([{ path: 'a/1.wav', file: new Blob(['no sound']) }]);
    await expect(broken.get(0)).rejects.toThrow(
      'decodeAudio: a/1.wav: this is no sound that is known: WAV is read as it is, other formats with a decoder.',
    );
    const list = audioList([{ file: file(0.5), text: 'half' }]);
    const { waveform, text } = await list.get(0);
    expect([waveform.samples[3], text]).toEqual([0.5, 'half']);
    await expect(audioList([{ file: new File(['x'], 'y.wav') }]).get(0)).rejects.toThrow('decodeAudio: y.wav: ');
    await expect(list.get(1)).rejects.toThrow('audioList: there is no sound 1 among 1.');
  });
});

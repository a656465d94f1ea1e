/** A sound that comes in pieces, at another rate, is that of the whole. */
import { describe, expect, it } from 'vitest';
import { openMicrophone } from '../live/microphone.ts';
import { apart, testSignal } from '../testing.ts';
import { resample } from './resample.ts';
import { ResampleStream } from './resample-stream.ts';
import { waveformOf } from './waveform.ts';

describe('ResampleStream', () => {
  it.each([
    [48000, 16000, 128],
    [44100, 16000, 1024],
    [44100, 8000, 37],
    [8000, 11025, 500],
    [16000, 16000, 100],
  ])('%i to %i in pieces of %i', (from, to, size) => {
    const samples = testSignal(5000);
    const whole = resample(waveformOf(samples, from), to).samples;
    for (let turn = 0; turn < 2; turn++) {
      const stream = new ResampleStream({ from, to });
      const pieces: number[] = [];
      for (let at = 0; at < samples.length; at += size) pieces.push(...stream.push(samples.subarray(at, at + size)));
      // not all of it waits for the end
      expect(pieces.length).toBeGreaterThan(whole.length / 2);
      pieces.push(...stream.flush());
      expect(apart(pieces, whole)).toBe(0);
    }
  });

  it('refuses what resample refuses', () => {
    expect(() => new ResampleStream({ from: 44101, to: 48000 })).toThrow('choose rates with a common divisor.');
  });
});

it('there is no microphone where there is no page, and no sound of nothing', async () => {
  if (!('AudioContext' in globalThis)) {
    await expect(openMicrophone()).rejects.toThrow(
      'openMicrophone: there is no microphone here: it needs a page with a secure address (https, localhost), not Node or a worker.',
    );
  }
  await expect(openMicrophone({ seconds: 0 })).rejects.toThrow(
    'openMicrophone: sounds of 0 seconds, 10 of which may wait: both must be above 0, the wait at least one sound.',
  );
});

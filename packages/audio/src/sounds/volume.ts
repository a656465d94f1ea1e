/** How loud a sound is, and what follows from it: one loudness for all, and no silence before and behind. */
import { checkOptions, ValueError } from '@nn/core';
import { channelOf, eachChannel, type Waveform } from './waveform.ts';

export interface VolumeOptions {
  /** The largest sample afterwards; 1 by default. */
  readonly peak?: number;
  /** In its place the root of the mean square in decibels of full scale, as -20. */
  readonly rms?: number;
}

/**
 * The sound as loud as asked: all samples times one number, so that the largest is `peak`, or the root of their mean square is `rms` decibels. Silence
 * stays silence. Throws a `ValueError` where both are asked for.
 *
 * @example
 * import { normalizeVolume, waveformOf } from '@nn/audio';
 * console.log(normalizeVolume(waveformOf(Float32Array.of(0.1, -0.25), 8000)).samples[1]); // => -1
 */
export function normalizeVolume(waveform: Waveform, options: VolumeOptions = {}): Waveform {
  checkOptions('normalizeVolume', options, ['peak', 'rms']);
  const { peak, rms } = options;
  if (peak !== undefined && rms !== undefined) {
    throw new ValueError('normalizeVolume', 'peak and rms ask for two volumes: give one of them.', { peak, rms });
  }
  if (!((peak ?? 1) > 0) || !Number.isFinite(rms ?? 0)) {
    throw new ValueError('normalizeVolume', `peak ${peak}, rms ${rms}: peak is above 0, rms a number of decibels.`);
  }
  const { samples, length } = waveform;
  const now = rms === undefined ? largest(samples) : Math.sqrt(meanSquare(samples));
  const wanted = rms === undefined ? (peak ?? 1) : 10 ** (rms / 20);
  const factor = now > 0 ? wanted / now : 1;
  return eachChannel(waveform, length, (x, y) => {
    for (let i = 0; i < x.length; i++) y[i] = x[i]! * factor;
  });
}

/** The largest sample, whatever its sign. */
export function largest(samples: Float32Array): number {
  let most = 0;
  for (let i = 0; i < samples.length; i++) most = Math.max(most, Math.abs(samples[i]!));
  return most;
}

export function meanSquare(samples: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += samples[i]! * samples[i]!;
  return samples.length === 0 ? 0 : sum / samples.length;
}

export interface TrimOptions {
  /** How many decibels below the loudest frame counts as silence; 60 by default. */
  readonly below?: number;
  /** Samples of a frame; 2048 by default. */
  readonly frameLength?: number;
  /** How far frames are apart; a quarter of a frame by default. */
  readonly hopLength?: number;
}

/**
 * The sound without the silence before and behind it, as `librosa.effects.trim`: frames stand around multiples of `hopLength`, their mean square is that
 * of all channels, and what is kept reaches from the first frame that is not silent to the last one. Nothing is left of silence alone, which librosa keeps.
 *
 * @example
 * import { trimSilence, waveformOf } from '@nn/audio';
 * const sound = new Float32Array(4000).fill(0.5, 1000, 2000);
 * const { waveform, from, to } = trimSilence(waveformOf(sound, 8000), { frameLength: 64, hopLength: 16 });
 * console.log(waveform.length, from, to); // => 1056 976 2032
 */
export function trimSilence(
  waveform: Waveform,
  options: TrimOptions = {},
): { readonly waveform: Waveform; readonly from: number; readonly to: number } {
  checkOptions('trimSilence', options, ['below', 'frameLength', 'hopLength']);
  const { below = 60, frameLength = 2048, hopLength = Math.floor(frameLength / 4) } = options;
  if (
    !(below > 0) ||
    !Number.isInteger(frameLength) ||
    !Number.isInteger(hopLength) ||
    hopLength < 1 ||
    frameLength < 2
  ) {
    throw new ValueError(
      'trimSilence',
      `below ${below}, frameLength ${frameLength}, hopLength ${hopLength}: decibels above 0, and whole numbers of samples.`,
    );
  }
  const { channels, length } = waveform;
  const half = Math.floor(frameLength / 2);
  const frames = 1 + Math.floor(Math.max(0, length + 2 * half - frameLength) / hopLength);
  const levels = new Float64Array(frames);
  for (let channel = 0; channel < channels; channel++) {
    const x = channelOf(waveform, channel);
    for (let t = 0; t < frames; t++) {
      const start = Math.max(0, t * hopLength - half);
      const end = Math.min(length, t * hopLength - half + frameLength);
      let sum = 0;
      for (let i = start; i < end; i++) sum += x[i]! * x[i]!;
      levels[t] = levels[t]! + sum / (frameLength * channels);
    }
  }
  const quietest =
    Math.max(
      1e-10,
      levels.reduce((most, each) => Math.max(most, each), 0),
    ) *
    10 ** (-below / 10);
  const first = levels.findIndex((each) => each > quietest);
  const last = levels.findLastIndex((each) => each > quietest);
  const from = first === -1 ? 0 : first * hopLength;
  const to = first === -1 ? 0 : Math.min(length, (last + 1) * hopLength);
  return { waveform: eachChannel(waveform, to - from, (x, y) => y.set(x.subarray(from, to))), from, to };
}

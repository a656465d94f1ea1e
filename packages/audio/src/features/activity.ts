/** How loud a sound is over time, and where somebody speaks: by energy alone, against the quietest parts of the same sound. */
import { checkOptions, type Tensor, unfold, ValueError } from '@nn/core';
import { mono, type Waveform } from '../sounds/waveform.ts';
import { signalOf } from './spectrogram.ts';

export interface EnergyOptions {
  /** Samples of a frame; 400 by default. */
  readonly frameLength?: number;
  /** How far frames are apart; half a frame by default. */
  readonly hopLength?: number;
}

/**
 * The mean square of frames, signals [..., length] to [..., T]; frame t begins at t * hopLength. Differentiable, on any device.
 *
 * @example
 * import { energy } from '@nn/audio';
 * import { tensor } from '@nn/core';
 * console.log(await energy(tensor([0, 0, 1, -1, 2, 2]), { frameLength: 2, hopLength: 2 }).array()); // => [ 0, 1, 4 ]
 */
export function energy(x: Tensor, options: EnergyOptions = {}): Tensor {
  checkOptions('energy', options, ['frameLength', 'hopLength']);
  const { frameLength = 400, hopLength = Math.max(1, Math.floor(frameLength / 2)) } = options;
  const signals = signalOf('energy', x);
  const length = signals.shape.at(-1) ?? 0;
  if (!Number.isInteger(frameLength) || frameLength < 1 || frameLength > length || !(hopLength >= 1)) {
    throw new ValueError(
      'energy',
      `frames of ${frameLength} samples, ${hopLength} apart, do not fit a signal of ${length}: whole numbers from 1.`,
      { frameLength, hopLength, length },
    );
  }
  const rows = signals.square().reshape([signals.size / length, 1, length]);
  const means = unfold(rows, { size: [frameLength], stride: [hopLength] }).mean(1);
  return means.reshape([...signals.shape.slice(0, -1), means.shape.at(-1)!]);
}

export interface ActivityOptions {
  /** How many decibels above the quietest tenth of the frames is speech; 12 by default. */
  readonly above?: number;
  /** Below this many decibels of full scale nothing is speech; -60 by default. */
  readonly floor?: number;
  /** Seconds of a frame; 0.02 by default. */
  readonly frameTime?: number;
  /** Pauses that are shorter, in seconds, do not part a segment; 0.2 by default. */
  readonly shortestPause?: number;
  /** Segments that are shorter, in seconds, are left out; 0.06 by default. */
  readonly shortestSpeech?: number;
}

/** A part of a sound, in seconds. */
export interface Segment {
  readonly from: number;
  readonly to: number;
}

/**
 * Where somebody speaks, by energy: frames that are louder than the quietest tenth of this sound by `above` decibels. A sound that is loud throughout has no such tenth, and
 * counts as speech where it is above `floor` by as much.
 *
 * @example
 * import { voiceActivity, waveformOf } from '@nn/audio';
 * const sound = Float32Array.from({ length: 8000 }, (_, i) => (i >= 2000 && i < 5000 ? 0.5 : 0.001) * Math.sin(i / 3));
 * console.log(voiceActivity(waveformOf(sound, 8000))); // => [ { from: 0.24, to: 0.64 } ]
 */
export function voiceActivity(waveform: Waveform, options: ActivityOptions = {}): Segment[] {
  checkOptions('voiceActivity', options, ['above', 'floor', 'frameTime', 'shortestPause', 'shortestSpeech']);
  const { above = 12, floor = -60, frameTime = 0.02, shortestPause = 0.2, shortestSpeech = 0.06 } = options;
  const { samples, length, sampleRate } = mono(waveform);
  const size = Math.round(frameTime * sampleRate);
  if (size < 1) {
    throw new ValueError('voiceActivity', `frames of ${frameTime} seconds have no sample at ${sampleRate} Hz.`);
  }
  const levels = Array.from({ length: Math.ceil(length / size) }, (_, t) => {
    const part = samples.subarray(t * size, (t + 1) * size);
    return 10 * Math.log10(Math.max(1e-12, part.reduce((sum, x) => sum + x * x, 0) / part.length));
  });
  const sorted = [...levels].sort((a, b) => a - b);
  const quiet = sorted[Math.floor(sorted.length / 10)] ?? floor;
  const loudest = sorted.at(-1) ?? floor;
  // where hardly anything is quieter than the rest, the floor says what silence is
  const silence = loudest - quiet < above ? floor : Math.max(floor, quiet);
  const segments: { from: number; to: number }[] = [];
  levels.forEach((level, t) => {
    if (level <= silence + above) return;
    const [from, to] = [(t * size) / sampleRate, Math.min(length, (t + 1) * size) / sampleRate];
    const last = segments.at(-1);
    if (last && from - last.to < shortestPause) last.to = to;
    else segments.push({ from, to });
  });
  return segments.filter(({ from, to }) => to - from >= shortestSpeech - 1e-9);
}

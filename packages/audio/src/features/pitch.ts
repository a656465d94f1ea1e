/** How high a voice is, frame by frame: the lag at which a frame is most like itself, smoothed by a median; as torchaudio's `detect_pitch_frequency`. */
import { checkOptions, ValueError } from '@nn/core';
import { channelOf, type Waveform } from '../sounds/waveform.ts';

export interface PitchOptions {
  /** Seconds of a frame; 0.01 by default. */
  readonly frameTime?: number;
  /** Over how many frames the median is taken; 30 by default. */
  readonly window?: number;
  /** In hertz; 85 by default. */
  readonly lowFrequency?: number;
  /** In hertz; 3400 by default. */
  readonly highFrequency?: number;
}

const tiny = 1e-9;

/** Of equal or nearly equal likenesses, the one with the shorter lag: octaves below a voice are as like. */
const nearly = 0.99;

/**
 * The pitch of the first channel in hertz, a number for each frame but the last ones, over which the median does not reach; also where nobody speaks, so look at `voiceActivity` beside it. Throws
 * a `ValueError` for a sound of fewer frames than the median's window.
 *
 * @example
 * import { pitch, waveformOf } from '@nn/audio';
 * const voice = Float32Array.from({ length: 8000 }, (_, i) => Math.sin((2 * Math.PI * 200 * i) / 16000));
 * console.log(pitch(waveformOf(voice, 16000)).slice(0, 2)); // => Float32Array(2) [ 200, 200 ]
 */
export function pitch(waveform: Waveform, options: PitchOptions = {}): Float32Array {
  checkOptions('pitch', options, ['frameTime', 'window', 'lowFrequency', 'highFrequency']);
  const { frameTime = 0.01, window = 30, lowFrequency = 85, highFrequency = 3400 } = options;
  const { sampleRate } = waveform;
  if (!(lowFrequency > 0 && highFrequency > lowFrequency && highFrequency <= sampleRate / 2 && frameTime > 0)) {
    throw new ValueError(
      'pitch',
      `frames of ${frameTime} seconds, ${lowFrequency} to ${highFrequency} Hz at ${sampleRate} Hz: needs 0 < low < high <= half the rate.`,
    );
  }
  const x = channelOf(waveform, 0);
  const lags = Math.ceil(sampleRate / lowFrequency);
  const size = Math.ceil(sampleRate * frameTime);
  const frames = Math.ceil(x.length / size);
  const reach = Math.floor((window - 1) / 2);
  const count = frames + reach - window + 1;
  if (!Number.isInteger(window) || window < 1 || count < 1) {
    throw new ValueError(
      'pitch',
      `a median over ${window} frames does not fit ${frames} frames of ${size} samples: take a smaller window.`,
      { window, frames },
    );
  }
  const samples = new Float64Array(frames * size + lags);
  samples.set(x);
  const shortest = Math.ceil(sampleRate / highFrequency);
  const found = Array.from({ length: frames }, (_, t) => bestLag(samples, t * size, size, shortest, lags));
  const padded = [...new Array<number>(reach).fill(found[0]!), ...found];
  return Float32Array.from({ length: count }, (_, t) => {
    const near = padded.slice(t, t + window).sort((a, b) => a - b);
    // the lower of two in the middle, as PyTorch's median
    return sampleRate / (tiny + near[Math.floor((window - 1) / 2)]!);
  });
}

/** The lag at which the frame is most like what follows: sum x y / (|x|^2 |y|^2), which prefers what is softer, as torchaudio has it. */
function bestLag(x: Float64Array, start: number, size: number, shortest: number, lags: number): number {
  const norm = (from: number): number => {
    let sum = 0;
    for (let i = from; i < from + size; i++) sum += x[i]! * x[i]!;
    return (tiny + Math.sqrt(sum)) ** 2;
  };
  const own = norm(start);
  const half = Math.floor(lags / 2);
  let [best, at, bestOfHalf, atOfHalf] = [Number.NEGATIVE_INFINITY, 0, Number.NEGATIVE_INFINITY, 0];
  for (let k = shortest; k < lags; k++) {
    let sum = 0;
    for (let i = start; i < start + size; i++) sum += x[i]! * x[i + k + 1]!;
    const likeness = sum / own / norm(start + k + 1);
    if (likeness > best) [best, at] = [likeness, k];
    if (k < half && likeness > bestOfHalf) [bestOfHalf, atOfHalf] = [likeness, k];
  }
  return (bestOfHalf > nearly * best ? atOfHalf : at) + 1;
}

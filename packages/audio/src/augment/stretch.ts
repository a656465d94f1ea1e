/**
 * Slower and faster without another pitch, and another pitch at the same speed, on the host: a phase vocoder (Flanagan and Golden 1966; Laroche and Dolson 1999),
 * with the arithmetic of torchaudio's `phase_vocoder` and `pitch_shift`.
 */
import { checkOptions, ValueError } from '@nn/core';
import { eachChannel, type Waveform, withLength } from '../sounds/waveform.ts';
import { isPowerOfTwo, transformOnHost } from './host-transform.ts';

export interface StretchOptions {
  /** The length of a frame, a power of 2; 512 by default. */
  readonly fftSize?: number;
  /** How far frames are apart; a quarter of fftSize by default. */
  readonly hopLength?: number;
}

/** [frames, F] */
interface Spectra {
  readonly frames: number;
  readonly real: Float64Array;
  readonly imaginary: Float64Array;
}

interface Vocoder {
  readonly size: number;
  readonly hop: number;
  readonly half: number;
  readonly window: Float64Array;
}

function vocoderOf(operation: string, options: StretchOptions): Vocoder {
  checkOptions(operation, options, ['fftSize', 'hopLength']);
  const { fftSize: size = 512, hopLength: hop = Math.floor(size / 4) } = options;
  if (!isPowerOfTwo(size) || !Number.isInteger(hop) || hop < 1 || hop > size / 2) {
    throw new ValueError(
      operation,
      `fftSize ${size} must be a power of 2, hopLength ${hop} a whole number from 1 to half of it.`,
      { fftSize: size, hopLength: hop },
    );
  }
  const window = Float64Array.from({ length: size }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size));
  return { size, hop, half: size / 2 + 1, window };
}

/**
 * Frames around multiples of the hop, the ends reflected. Two of them are the real and the imaginary part of one transform z, from which
 * they come out again as (z_k + conj(z_(n - k))) / 2 and (z_k - conj(z_(n - k))) / 2i.
 */
function analysed(x: Float32Array, { size, hop, half, window }: Vocoder): Spectra {
  const frames = 1 + Math.floor(x.length / hop);
  const spectra = { frames, real: new Float64Array(frames * half), imaginary: new Float64Array(frames * half) };
  const [re, im] = [new Float64Array(size), new Float64Array(size)];
  const last = x.length - 1;
  const cut = (t: number, to: Float64Array): void => {
    for (let i = 0, from = t * hop - size / 2; i < size; i++, from++) {
      const at = from < 0 ? -from : from;
      to[i] = window[i]! * x[at > last ? 2 * last - at : at]!;
    }
  };
  for (let t = 0; t < frames; t += 2) {
    cut(t, re);
    if (t + 1 < frames) cut(t + 1, im);
    else im.fill(0);
    transformOnHost(re, im, false);
    for (let k = 0; k < half; k++) {
      const j = k === 0 ? 0 : size - k;
      const at = t * half + k;
      spectra.real[at] = (re[k]! + re[j]!) / 2;
      spectra.imaginary[at] = (im[k]! - im[j]!) / 2;
      if (t + 1 === frames) continue;
      spectra.real[at + half] = (im[k]! + im[j]!) / 2;
      spectra.imaginary[at + half] = (re[j]! - re[k]!) / 2;
    }
  }
  return spectra;
}

/**
 * Frames at moments `rate` apart: sizes between neighbours, phases that go on as fast as they did. A phase is a number of size 1, u, so that the phase
 * between two frames is the product n_(t + 1) conj(n_t), n = z / |z|, and whole turns need no care; silence has the phase 0.
 */
function vocoded({ frames, real, imaginary }: Spectra, { half }: Vocoder, rate: number): Spectra {
  const count = Math.ceil(frames / rate);
  const result = { frames: count, real: new Float64Array(count * half), imaginary: new Float64Array(count * half) };
  const size = new Float64Array((frames + 2) * half);
  for (let i = 0; i < frames * half; i++) size[i] = Math.sqrt(real[i]! * real[i]! + imaginary[i]! * imaginary[i]!);
  const [re, im] = [new Float64Array(half).fill(1), new Float64Array(half)];
  for (let k = 0; k < half; k++) {
    if (size[k] === 0) continue;
    re[k] = real[k]! / size[k]!;
    im[k] = imaginary[k]! / size[k]!;
  }
  for (let i = 0; i < count; i++) {
    const t = Math.floor(i * rate);
    const share = i * rate - t;
    for (let k = 0; k < half; k++) {
      const [here, there] = [t * half + k, (t + 1) * half + k];
      const [from, to] = [size[here]!, size[there]!];
      const much = share * to + (1 - share) * from;
      let [u, v] = [re[k]!, im[k]!];
      result.real[i * half + k] = much * u;
      result.imaginary[i * half + k] = much * v;
      if (to > 0)
        [u, v] = [(u * real[there]! - v * imaginary[there]!) / to, (u * imaginary[there]! + v * real[there]!) / to];
      if (from > 0)
        [u, v] = [(u * real[here]! + v * imaginary[here]!) / from, (v * real[here]! - u * imaginary[here]!) / from];
      // what rounding adds to the size is taken away, so that it does not grow
      const off = 1.5 - 0.5 * (u * u + v * v);
      re[k] = u * off;
      im[k] = v * off;
    }
  }
  return result;
}

/** The frames overlapped and added, over the windows' squares; two of them are the parts of one transform. */
function synthesised(
  { frames, real, imaginary }: Spectra,
  { size, hop, half, window }: Vocoder,
  length: number,
): Float32Array {
  const reach = size + hop * (frames - 1);
  const [sums, weights] = [new Float64Array(reach), new Float64Array(reach)];
  const [re, im] = [new Float64Array(size), new Float64Array(size)];
  const overlap = (t: number, signal: Float64Array): void => {
    for (let i = 0, at = t * hop; i < size; i++, at++) {
      sums[at] = sums[at]! + signal[i]! * window[i]!;
      weights[at] = weights[at]! + window[i]! * window[i]!;
    }
  };
  for (let t = 0; t < frames; t += 2) {
    const isPair = t + 1 < frames;
    for (let k = 0; k < half; k++) {
      const at = t * half + k;
      const isEnd = k === 0 || k === size / 2;
      // a + i b at k, conj(a) + i conj(b) at n - k
      const [ar, ai] = [real[at]!, isEnd ? 0 : imaginary[at]!];
      const [br, bi] = isPair ? [real[at + half]!, isEnd ? 0 : imaginary[at + half]!] : [0, 0];
      re[k] = ar - bi;
      im[k] = ai + br;
      if (isEnd) continue;
      re[size - k] = ar + bi;
      im[size - k] = br - ai;
    }
    transformOnHost(re, im, true);
    overlap(t, re);
    if (isPair) overlap(t + 1, im);
  }
  const start = size / 2;
  return Float32Array.from({ length }, (_, i) => {
    const weight = weights[start + i] ?? 0;
    return weight > 1e-11 ? sums[start + i]! / weight : 0;
  });
}

function stretchedChannel(x: Float32Array, y: Float32Array, rate: number, vocoder: Vocoder): void {
  y.set(synthesised(vocoded(analysed(x, vocoder), vocoder, rate), vocoder, y.length));
}

function checkSpeed(operation: string, rate: number, { length }: Waveform, { size }: Vocoder): void {
  if (!(rate > 0 && rate <= 16 && rate >= 1 / 16)) {
    throw new ValueError(operation, `${rate} times the speed: it must lie between 1/16 and 16.`, { rate });
  }
  if (length > size / 2) return;
  throw new ValueError(
    operation,
    `a sound of ${length} samples is too short for frames of ${size}: make it longer, or fftSize smaller.`,
    {
      length,
      fftSize: size,
    },
  );
}

/**
 * The sound `rate` times as fast, at the same pitch: length / rate samples.
 *
 * @example
 * import { stretch, waveformOf } from '@nn/audio';
 * const tone = waveformOf(Float32Array.from({ length: 8000 }, (_, i) => Math.sin(i / 3)), 8000);
 * console.log(stretch(tone, 0.8).length); // => 10000
 */
export function stretch(waveform: Waveform, rate: number, options: StretchOptions = {}): Waveform {
  const vocoder = vocoderOf('stretch', options);
  checkSpeed('stretch', rate, waveform, vocoder);
  const length = Math.round(waveform.length / rate);
  return eachChannel(waveform, length, (x, y) => stretchedChannel(x, y, rate, vocoder));
}

/**
 * The sound higher by this many semitones, lower where they are below 0, at the same speed.
 *
 * @example
 * import { shiftPitch, waveformOf } from '@nn/audio';
 * const tone = waveformOf(Float32Array.from({ length: 8000 }, (_, i) => Math.sin(i / 3)), 8000);
 * console.log(shiftPitch(tone, 2.5).length); // => 8000
 */
export function shiftPitch(waveform: Waveform, semitones: number, options: StretchOptions = {}): Waveform {
  const vocoder = vocoderOf('shiftPitch', options);
  const rate = 2 ** (-semitones / 12);
  checkSpeed('shiftPitch', rate, waveform, vocoder);
  const { sampleRate, length } = waveform;
  const stretched = Math.round(length / rate);
  const slow = eachChannel(waveform, stretched, (x, y) => stretchedChannel(x, y, rate, vocoder));
  const before = Math.floor(sampleRate / rate);
  const shifted = Math.ceil((sampleRate * stretched) / before);
  const result = eachChannel(slow, shifted, (x, y) => readAt(x, y, before, sampleRate));
  return withLength(result, length);
}

/** `resample` between rates without a common divisor, for which a table of filters would be too large: each weight is computed where it is needed. */
function readAt(x: Float32Array, y: Float32Array, from: number, to: number): void {
  const crossings = 6;
  const base = Math.min(from, to) * 0.99;
  const width = (crossings * from) / base;
  for (let i = 0; i < y.length; i++) {
    const center = (i * from) / to;
    const end = Math.min(x.length - 1, Math.ceil(center + width));
    let sum = 0;
    for (let k = Math.max(0, Math.floor(center - width)); k <= end; k++) {
      const t = ((k - center) * base) / from;
      if (Math.abs(t) >= crossings) continue;
      const angle = t * Math.PI;
      sum += x[k]! * (angle === 0 ? 1 : Math.sin(angle) / angle) * Math.cos(angle / crossings / 2) ** 2;
    }
    y[i] = (sum * base) / from;
  }
}

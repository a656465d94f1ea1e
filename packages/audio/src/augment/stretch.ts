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

interface Spectra {
  readonly frames: number;
  /** [frames, F] */
  readonly sizes: Float64Array;
  readonly angles: Float64Array;
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

/** Frames around multiples of the hop, the ends reflected. */
function analysed(x: Float32Array, { size, hop, half, window }: Vocoder): Spectra {
  const frames = 1 + Math.floor(x.length / hop);
  const sizes = new Float64Array(frames * half);
  const angles = new Float64Array(frames * half);
  const [real, imaginary] = [new Float64Array(size), new Float64Array(size)];
  const last = x.length - 1;
  for (let t = 0; t < frames; t++) {
    for (let i = 0; i < size; i++) {
      const at = Math.abs(t * hop - size / 2 + i);
      real[i] = window[i]! * x[at > last ? 2 * last - at : at]!;
    }
    imaginary.fill(0);
    transformOnHost(real, imaginary, false);
    for (let k = 0; k < half; k++) {
      sizes[t * half + k] = Math.hypot(real[k]!, imaginary[k]!);
      angles[t * half + k] = Math.atan2(imaginary[k]!, real[k]!);
    }
  }
  return { frames, sizes, angles };
}

/** Frames at moments `rate` apart: sizes between neighbours, phases that go on as fast as they did. */
function vocoded({ frames, sizes, angles }: Spectra, { hop, half }: Vocoder, rate: number): Spectra {
  const count = Math.ceil(frames / rate);
  const newSizes = new Float64Array(count * half);
  const newAngles = new Float64Array(count * half);
  const turn = 2 * Math.PI;
  for (let k = 0; k < half; k++) {
    const advance = (Math.PI * hop * k) / (half - 1);
    const at = (list: Float64Array, t: number): number => (t < frames ? list[t * half + k]! : 0);
    let phase = angles[k]!;
    for (let i = 0; i < count; i++) {
      const t = Math.floor(i * rate);
      const share = i * rate - t;
      newSizes[i * half + k] = share * at(sizes, t + 1) + (1 - share) * at(sizes, t);
      newAngles[i * half + k] = phase;
      const apart = at(angles, t + 1) - at(angles, t) - advance;
      phase += apart - turn * roundHalfEven(apart / turn) + advance;
    }
  }
  return { frames: count, sizes: newSizes, angles: newAngles };
}

function roundHalfEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  if (rest !== 0.5) return Math.round(x);
  return down % 2 === 0 ? down : down + 1;
}

/** The frames overlapped and added, over the windows' squares. */
function synthesised(
  { frames, sizes, angles }: Spectra,
  { size, hop, half, window }: Vocoder,
  length: number,
): Float32Array {
  const reach = size + hop * (frames - 1);
  const [sums, weights] = [new Float64Array(reach), new Float64Array(reach)];
  const [real, imaginary] = [new Float64Array(size), new Float64Array(size)];
  for (let t = 0; t < frames; t++) {
    for (let k = 0; k < half; k++) {
      const [r, angle] = [sizes[t * half + k]!, angles[t * half + k]!];
      real[k] = r * Math.cos(angle);
      imaginary[k] = r * Math.sin(angle);
      if (k === 0 || k === size / 2) imaginary[k] = 0;
      else {
        real[size - k] = real[k]!;
        imaginary[size - k] = -imaginary[k]!;
      }
    }
    transformOnHost(real, imaginary, true);
    for (let i = 0; i < size; i++) {
      sums[t * hop + i] = sums[t * hop + i]! + real[i]! * window[i]!;
      weights[t * hop + i] = weights[t * hop + i]! + window[i]! * window[i]!;
    }
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

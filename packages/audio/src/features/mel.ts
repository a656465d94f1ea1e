/** Frequencies as ears order them: the two mel scales that are in use, banks of triangular filters on them, and the cosine transform behind MFCC. */
import { checkOptions, type Tensor, tensor, ValueError } from '@nn/core';
import { checkRate } from '../sounds/waveform.ts';

/** 'htk': 2595 log10(1 + f / 700). 'slaney': straight to 1000 Hz, then by logarithms, as Malcolm Slaney's toolbox and librosa. */
export type MelScale = 'htk' | 'slaney';

const slope = 200 / 3;
const bend = 1000;
const step = Math.log(6.4) / 27;

function checkScale(operation: string, scale: MelScale): void {
  if (scale === 'htk' || scale === 'slaney') return;
  throw new ValueError(operation, `no scale '${String(scale)}': 'htk' or 'slaney'.`, { scale });
}

/**
 * Mels of a frequency in hertz.
 *
 * @example
 * import { hertzToMel } from '@nn/audio';
 * console.log(hertzToMel(4000, 'htk').toFixed(6), hertzToMel(4000, 'slaney').toFixed(6)); // => 2146.064528 35.163760
 */
export function hertzToMel(hertz: number, scale: MelScale): number {
  checkScale('hertzToMel', scale);
  if (scale === 'htk') return 2595 * Math.log10(1 + hertz / 700);
  return hertz < bend ? hertz / slope : bend / slope + Math.log(hertz / bend) / step;
}

/** The frequency in hertz of mels: the way back. */
export function melToHertz(mel: number, scale: MelScale): number {
  checkScale('melToHertz', scale);
  if (scale === 'htk') return 700 * (10 ** (mel / 2595) - 1);
  return mel < bend / slope ? mel * slope : bend * Math.exp(step * (mel - bend / slope));
}

export interface MelBankOptions {
  /** The rate of the signals, in hertz. */
  readonly sampleRate: number;
  /** The length of a frame's transform. */
  readonly fftSize: number;
  /** How many filters. */
  readonly mels: number;
  /** Where the first filter begins, in hertz; 0 by default. */
  readonly lowFrequency?: number;
  /** Where the last filter ends; half the rate by default. */
  readonly highFrequency?: number;
  readonly scale: MelScale;
  /** 'slaney' divides each filter by its width, 'none' leaves its peak at 1. */
  readonly norm: 'none' | 'slaney';
}

/**
 * Triangular filters that are equally wide in mels: [F, mels], F = fftSize / 2 + 1. Equal to torchaudio's `melscale_fbanks` and, with 'slaney' twice, to librosa's
 * `filters.mel` turned round.
 *
 * @example
 * import { melFilterBank } from '@nn/audio';
 * const bank = melFilterBank({ sampleRate: 16000, fftSize: 400, mels: 40, scale: 'htk', norm: 'none' });
 * console.log(bank.shape); // => [ 201, 40 ]
 */
export function melFilterBank(options: MelBankOptions): Tensor {
  const operation = 'melFilterBank';
  checkOptions(operation, options, ['sampleRate', 'fftSize', 'mels', 'lowFrequency', 'highFrequency', 'scale', 'norm']);
  const {
    sampleRate,
    fftSize,
    mels,
    lowFrequency: low = 0,
    highFrequency: high = sampleRate / 2,
    scale,
    norm,
  } = options;
  checkRate(operation, 'sampleRate', sampleRate);
  checkScale(operation, scale);
  if (!Number.isInteger(mels) || mels < 1 || !Number.isInteger(fftSize) || fftSize < 2) {
    throw new ValueError(operation, `mels ${mels} and fftSize ${fftSize} must be whole numbers, from 1 and 2.`);
  }
  if (!(low >= 0 && high > low && high <= sampleRate / 2)) {
    throw new ValueError(
      operation,
      `filters from ${low} to ${high} Hz: they must lie between 0 and half the rate, ${sampleRate / 2}.`,
      { lowFrequency: low, highFrequency: high },
    );
  }
  if (norm !== 'none' && norm !== 'slaney') {
    throw new ValueError(operation, `no norm '${String(norm)}': 'none' or 'slaney'.`, { norm });
  }
  const [first, last] = [hertzToMel(low, scale), hertzToMel(high, scale)];
  const corners = Array.from({ length: mels + 2 }, (_, i) =>
    melToHertz(first + ((last - first) * i) / (mels + 1), scale),
  );
  const count = Math.floor(fftSize / 2) + 1;
  const bank = new Float32Array(count * mels);
  for (let m = 0; m < mels; m++) {
    const [left, top, right] = [corners[m]!, corners[m + 1]!, corners[m + 2]!];
    const height = norm === 'slaney' ? 2 / (right - left) : 1;
    for (let k = 0; k < count; k++) {
      const hertz = (k * sampleRate) / fftSize;
      const rise = Math.min((hertz - left) / (top - left), (right - hertz) / (right - top));
      bank[k * mels + m] = Math.max(0, rise) * height;
    }
  }
  return tensor(bank, { shape: [count, mels], constant: true });
}

/** The cosine transform (type 2, orthonormal) to the first coefficients: [coefficients, size]. */
export function cosineTable(size: number, coefficients: number): Float32Array {
  const table = new Float32Array(coefficients * size);
  for (let k = 0; k < coefficients; k++) {
    const scale = Math.sqrt((k === 0 ? 1 : 2) / size);
    for (let n = 0; n < size; n++) table[k * size + n] = scale * Math.cos((Math.PI / size) * (n + 0.5) * k);
  }
  return table;
}

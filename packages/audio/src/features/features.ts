/**
 * What networks hear: mel spectrograms, their logarithms, MFCC. Libraries differ in frames, scale, norm and logarithm, and a network that learned with one convention is deaf to
 * the others; so each has its name here, and must be named. All are arithmetic on tensors: differentiable, on any device, in the program of the step.
 */
import { checkOptions, replicationPad, type Tensor, tensor, ValueError } from '@nn/core';
import { cosineTable, type MelScale, melFilterBank } from './mel.ts';
import { type SpectrogramOptions, signalOf, spectrogramNames, spectrogramOf } from './spectrogram.ts';

/** 'torchaudio': its transforms' defaults. 'librosa': its. 'whisper': the input of OpenAI's Whisper. */
export type Convention = 'torchaudio' | 'librosa' | 'whisper';

export interface MelOptions extends SpectrogramOptions {
  readonly convention: Convention;
  /** The rate of the signals; 16000 for torchaudio and whisper, 22050 for librosa. */
  readonly sampleRate?: number;
  /** How many filters: 128, for whisper 80. */
  readonly mels?: number;
  readonly lowFrequency?: number;
  readonly highFrequency?: number;
  readonly scale?: MelScale;
  readonly norm?: 'none' | 'slaney';
}

type Settled = Required<Pick<MelOptions, 'sampleRate' | 'mels' | 'scale' | 'norm' | 'fftSize'>>;

const conventions: Readonly<Record<Convention, Settled & SpectrogramOptions>> = {
  torchaudio: { sampleRate: 16000, fftSize: 400, mels: 128, scale: 'htk', norm: 'none' },
  librosa: {
    sampleRate: 22050,
    fftSize: 2048,
    hopLength: 512,
    padMode: 'constant',
    mels: 128,
    scale: 'slaney',
    norm: 'slaney',
  },
  whisper: { sampleRate: 16000, fftSize: 400, hopLength: 160, mels: 80, scale: 'slaney', norm: 'slaney' },
};

const melNames = [
  ...spectrogramNames,
  'convention',
  'sampleRate',
  'mels',
  'lowFrequency',
  'highFrequency',
  'scale',
  'norm',
] as const;

/** All options of a convention, with what was given in their place. */
export function settledOf<O extends MelOptions>(operation: string, options: O): O & Settled {
  const defaults = Object.hasOwn(conventions, options.convention) ? conventions[options.convention] : undefined;
  if (defaults === undefined) {
    const names = Object.keys(conventions).map((name) => `'${name}'`);
    throw new ValueError(operation, `no convention '${String(options.convention)}': name one of ${names.join(', ')}.`);
  }
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  // The one cast: what was given has the types of O, and the defaults are the rest.
  return { ...defaults, ...given } as O & Settled;
}

/** Banks that were made: a step asks for the same one again. */
const banks = new Map<string, Tensor>();

export function melBankOf(options: MelOptions & Settled): Tensor {
  const { sampleRate, fftSize, mels, scale, norm, lowFrequency, highFrequency } = options;
  const key = [sampleRate, fftSize, mels, scale, norm, lowFrequency, highFrequency].join();
  const found = banks.get(key);
  if (found) return found;
  const made = melFilterBank({
    ...{ sampleRate, fftSize, mels, scale, norm },
    ...(lowFrequency !== undefined && { lowFrequency }),
    ...(highFrequency !== undefined && { highFrequency }),
  });
  if (banks.size >= 8) banks.delete(banks.keys().next().value ?? '');
  banks.set(key, made);
  return made;
}

function melOf(operation: string, x: Tensor, options: MelOptions & Settled): Tensor {
  const result = melBankOf(options)
    .transpose()
    .matmul(spectrogramOf(operation, x, options));
  if (options.convention !== 'whisper') return result;
  // Whisper leaves the last frame out
  const starts = result.shape.map(() => 0);
  return result.slice(starts, [...result.shape.slice(0, -1), result.shape.at(-1)! - 1]);
}

/**
 * The power in filters that are equally wide in mels: signals [..., length] to [..., mels, T].
 *
 * @example
 * import { melSpectrogram } from '@nn/audio';
 * import { linspace } from '@nn/core';
 * const second = linspace(0, 2 * Math.PI * 440, 16000).sin();
 * console.log(melSpectrogram(second, { convention: 'torchaudio', mels: 64 }).shape); // => [ 64, 81 ]
 */
export function melSpectrogram(x: Tensor, options: MelOptions): Tensor {
  checkOptions('melSpectrogram', options, melNames);
  return melOf('melSpectrogram', signalOf('melSpectrogram', x), settledOf('melSpectrogram', options));
}

export interface DecibelOptions {
  /** What 0 decibels are; 1 by default, 'max' for the largest value of each spectrogram. */
  readonly reference?: number | 'max';
  /** Smaller values count as this; 1e-10 by default. */
  readonly floor?: number;
  /** How many decibels below the largest value of each spectrogram are told apart; all by default. */
  readonly range?: number;
  /** Whether the values are magnitudes, not powers; false by default. */
  readonly magnitude?: boolean;
}

/**
 * 10 log10 of powers [..., F, T], 20 log10 of magnitudes. The largest value is that of each spectrogram, so that what a batch holds changes none of its elements; torchaudio takes
 * that of all channels.
 *
 * @example
 * import { decibels } from '@nn/audio';
 * import { tensor } from '@nn/core';
 * console.log(await decibels(tensor([[1, 0.1, 0.001]]), { range: 20 }).array()); // => [ [ 0, -10, -20 ] ]
 */
export function decibels(x: Tensor, options: DecibelOptions = {}): Tensor {
  checkOptions('decibels', options, ['reference', 'floor', 'range', 'magnitude']);
  const { reference = 1, floor = 1e-10, range, magnitude = false } = options;
  if (!(floor > 0) || (range !== undefined && !(range > 0)) || (reference !== 'max' && !(reference > 0))) {
    throw new ValueError('decibels', `floor ${floor}, range ${range}, reference ${reference}: all must be above 0.`);
  }
  const values = signalOf('decibels', x);
  const factor = (magnitude ? 20 : 10) / Math.LN10;
  const most = (levels: Tensor): Tensor => levels.max([-2, -1], { keepAxes: true });
  const levels = values.maximum(floor).log().mul(factor);
  const relative =
    reference === 'max' ? levels.sub(most(levels)) : levels.sub(factor * Math.log(Math.max(floor, reference)));
  return range === undefined ? relative : relative.maximum(most(relative).sub(range));
}

/**
 * The logarithm of a mel spectrogram as each convention has it, [..., length] to [..., mels, T]: decibels for torchaudio (`AmplitudeToDB`), decibels down to 80 below the loudest for
 * librosa (`power_to_db`), and Whisper's (log10 + 4) / 4 down to 8 below the loudest. Whisper itself expects 30 seconds: `withLength` first.
 *
 * @example
 * import { logMelSpectrogram } from '@nn/audio';
 * import { zeros } from '@nn/core';
 * const silence = logMelSpectrogram(zeros([2, 16000]), { convention: 'whisper' });
 * console.log(silence.shape, await silence.max().item()); // => [ 2, 80, 100 ] -1.5
 */
export function logMelSpectrogram(x: Tensor, options: MelOptions): Tensor {
  checkOptions('logMelSpectrogram', options, melNames);
  return logMelOf('logMelSpectrogram', signalOf('logMelSpectrogram', x), settledOf('logMelSpectrogram', options));
}

function logMelOf(operation: string, x: Tensor, options: MelOptions & Settled): Tensor {
  const mel = melOf(operation, x, options);
  if (options.convention === 'torchaudio') return decibels(mel);
  if (options.convention === 'librosa') return decibels(mel, { range: 80 });
  // decibels are 10 log10: 8 below the loudest are 80 decibels
  return decibels(mel, { range: 80 }).add(40).div(40);
}

export interface MfccOptions extends Omit<MelOptions, 'convention'> {
  readonly convention: 'torchaudio' | 'librosa';
  /** How many coefficients are kept: 40 for torchaudio, 20 for librosa. */
  readonly coefficients?: number;
}

/**
 * Mel-frequency cepstral coefficients, [..., length] to [..., coefficients, T]: the cosine transform of decibels (down to 80 below the loudest) over mels, orthonormal.
 *
 * @example
 * import { mfcc } from '@nn/audio';
 * import { linspace } from '@nn/core';
 * const second = linspace(0, 2 * Math.PI * 440, 16000).sin();
 * console.log(mfcc(second, { convention: 'torchaudio', coefficients: 13 }).shape); // => [ 13, 81 ]
 */
export function mfcc(x: Tensor, options: MfccOptions): Tensor {
  checkOptions('mfcc', options, [...melNames, 'coefficients']);
  const settled = settledOf('mfcc', options);
  const { mels, convention, coefficients = convention === 'librosa' ? 20 : 40 } = settled;
  if (!['torchaudio', 'librosa'].includes(convention)) {
    throw new ValueError('mfcc', `the convention '${convention}' has no MFCC: 'torchaudio' or 'librosa'.`);
  }
  if (!Number.isInteger(coefficients) || coefficients < 1 || coefficients > mels) {
    throw new ValueError('mfcc', `coefficients is ${coefficients}: it must be a whole number from 1 to mels, ${mels}.`);
  }
  const signals = signalOf('mfcc', x);
  const levels = decibels(melOf('mfcc', signals, settled), { range: 80 });
  const table = tensor(cosineTable(mels, coefficients), {
    shape: [coefficients, mels],
    constant: true,
    ...(signals.backend && { backend: signals.backend }),
  });
  return table.matmul(levels);
}

/**
 * How features [..., F, T] change over time, as torchaudio's `compute_deltas`: the slope of a line through `window` frames, the ends repeated.
 *
 * @example
 * import { deltas } from '@nn/audio';
 * import { tensor } from '@nn/core';
 * console.log(await deltas(tensor([[0, 1, 2, 3, 4, 5]])).at(0, [2, 4]).array()); // => [ 1, 1 ]
 */
export function deltas(x: Tensor, options: { readonly window?: number } = {}): Tensor {
  checkOptions('deltas', options, ['window']);
  const { window = 5 } = options;
  if (!Number.isInteger(window) || window < 3 || window % 2 === 0) {
    throw new ValueError('deltas', `window is ${window}: it must be an odd number of frames from 3.`, { window });
  }
  const features = signalOf('deltas', x);
  const half = (window - 1) / 2;
  const frames = features.shape.at(-1)!;
  const padded = replicationPad(features.reshape([features.size / frames, frames]), [[half, half]]);
  // sum of n (x[t + n] - x[t - n]) / (2 sum of n^2)
  const scale = (half * (half + 1) * (2 * half + 1)) / 3;
  const part = (start: number): Tensor => padded.slice([0, start], [null, start + frames]);
  const terms = Array.from({ length: half }, (_, i) =>
    part(half + i + 1)
      .sub(part(half - i - 1))
      .mul((i + 1) / scale),
  );
  return terms.reduce((sum, term) => sum.add(term)).reshape(features.shape);
}

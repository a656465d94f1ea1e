/** From spectrograms back to sound: phases that fit the powers (Griffin and Lim 1984, with the momentum of Perraudin et al. 2013), and powers that fit mels. */
import {
  checkOptions,
  complex,
  hypot,
  imaginaryPart,
  istft,
  pinv,
  realPart,
  ShapeError,
  stft,
  type Tensor,
  tensor,
  ValueError,
} from '@nn/core';
import { RandomSequence } from '@nn/data';
import { type MelOptions, melBankOf, settledOf } from './features.ts';
import { type FrameOptions, framesOf, signalOf, windowOf } from './spectrogram.ts';

export interface GriffinLimOptions extends Omit<FrameOptions, 'center' | 'padMode'> {
  /** What the spectrogram holds: 2 for powers (the default), 1 for magnitudes. */
  readonly power?: number;
  /** How often the phases are corrected; 32 by default. */
  readonly iterations?: number;
  /** How far each correction goes on in the direction of the last, 0 to below 1; 0.99 by default. */
  readonly momentum?: number;
  /** Phases that are drawn to begin with ('random', the default), or all 0. */
  readonly start?: 'random' | 'zero';
  /** What the drawn phases follow from; 0 by default. */
  readonly seed?: number;
  /** The number of samples; by default as far as the frames reach. */
  readonly length?: number;
}

/**
 * A signal [..., length] whose spectrogram is nearly x [..., F, T], as torchaudio's `griffinlim`: phases are those of the signal that the powers gave with the phases before. It
 * takes the frames of `spectrogram`, centred.
 *
 * @example
 * import { griffinLim, spectrogram } from '@nn/audio';
 * import { linspace } from '@nn/core';
 * const tone = linspace(0, 40 * Math.PI, 801).sin();
 * const again = griffinLim(spectrogram(tone, { fftSize: 64 }), { fftSize: 64, length: 801 });
 * const [heard, wanted] = [spectrogram(again, { fftSize: 64 }), spectrogram(tone, { fftSize: 64 })];
 * console.log((await heard.sub(wanted).abs().mean().div(wanted.mean()).item()) < 0.2); // => true
 */
export function griffinLim(x: Tensor, options: GriffinLimOptions = {}): Tensor {
  checkOptions('griffinLim', options, [
    'fftSize',
    'windowLength',
    'hopLength',
    'power',
    'iterations',
    'momentum',
    'start',
    'seed',
    'length',
  ]);
  const { power = 2, iterations = 32, momentum = 0.99, start = 'random', seed = 0, length } = options;
  if (!(momentum >= 0 && momentum < 1) || !(power > 0) || !Number.isInteger(iterations) || iterations < 0) {
    throw new ValueError(
      'griffinLim',
      `momentum ${momentum}, power ${power}, iterations ${iterations}: momentum is from 0 to below 1, power above 0, iterations a whole number.`,
    );
  }
  const frames = framesOf('griffinLim', options);
  const given = signalOf('griffinLim', x);
  const half = Math.floor(frames.size / 2) + 1;
  if (given.rank < 2 || given.shape.at(-2) !== half) {
    throw new ShapeError(
      'griffinLim',
      `takes [..., F, T] with the F = ${half} frequencies of fftSize ${frames.size}, got [${given.shape.join(', ')}].`,
      { shape: given.shape },
    );
  }
  const [height, width] = given.shape.slice(-2) as [number, number];
  const rows = given.reshape([given.size / (height * width), height, width]);
  const sizes = power === 1 ? rows : power === 2 ? rows.sqrt() : rows.pow(1 / power);
  const window = tensor(windowOf(frames), { constant: true, ...(given.backend && { backend: given.backend }) });
  const shared = { fftSize: frames.size, hopLength: frames.hop, window };
  const toSignal = (real: Tensor, imaginary: Tensor): Tensor =>
    istft(complex(sizes.mul(real), sizes.mul(imaginary)), { ...shared, ...(length !== undefined && { length }) });

  const random = new RandomSequence(seed, 0x22000000);
  const angles = Float32Array.from({ length: rows.size }, () =>
    start === 'zero' ? 0 : random.uniform(0, 2 * Math.PI),
  );
  const phase = tensor(angles, { shape: rows.shape, ...(given.backend && { backend: given.backend }) });
  let [real, imaginary] = [phase.cos(), phase.sin()];
  let before: readonly [Tensor, Tensor] | undefined;
  const share = momentum / (1 + momentum);
  for (let turn = 0; turn < iterations; turn++) {
    const rebuilt = stft(toSignal(real, imaginary), shared);
    const now = [realPart(rebuilt), imaginaryPart(rebuilt)] as const;
    const [a, b] =
      before === undefined || share === 0 ? now : [now[0].sub(before[0].mul(share)), now[1].sub(before[1].mul(share))];
    const size = hypot(a, b).add(1e-16);
    [real, imaginary] = [a.div(size), b.div(size)];
    before = now;
  }
  const signal = toSignal(real, imaginary);
  return signal.reshape([...given.shape.slice(0, -2), signal.shape.at(-1)!]);
}

/**
 * Powers [..., F, T] that fit a mel spectrogram [..., mels, T] best (least squares, nothing below 0): with `griffinLim` the way from mels to sound. Takes the options with which it
 * was made.
 *
 * @example
 * import { melSpectrogram, melToSpectrogram } from '@nn/audio';
 * import { linspace } from '@nn/core';
 * const options = { convention: 'torchaudio', mels: 40 } as const;
 * const mels = melSpectrogram(linspace(0, 500, 4000).sin(), options);
 * console.log(melToSpectrogram(mels, options).shape); // => [ 201, 21 ]
 */
export function melToSpectrogram(x: Tensor, options: MelOptions): Tensor {
  const settled = settledOf('melToSpectrogram', options);
  const bank = melBankOf(settled);
  const mels = signalOf('melToSpectrogram', x);
  if (mels.rank < 2 || mels.shape.at(-2) !== settled.mels) {
    throw new ShapeError(
      'melToSpectrogram',
      `takes [..., mels, T] with ${settled.mels} mels, got [${mels.shape.join(', ')}].`,
      { shape: mels.shape },
    );
  }
  return pinv(bank.transpose()).matmul(mels).maximum(0);
}

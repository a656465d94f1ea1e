/** Short-time Fourier transforms: frames of a signal, windowed and transformed, and the way back by overlapping them. */
import { checkOptions, ShapeError, ValueError } from '../errors.ts';
import { real } from '../functions/operands.ts';
import { circularPad, reflectionPad, replicationPad } from '../functions/padding.ts';
import { constant, hostLeaf, type Node } from '../graph/node.ts';
import { divide, multiply } from '../ops/arithmetic.ts';
import { less, where } from '../ops/compare.ts';
import { like } from '../ops/pointwise.ts';
import { fold } from '../ops/pooling.ts';
import { expandTo, window as frames, narrow, padStatic, permute, reshape } from '../ops/views.ts';
import { show, sizeOf } from '../shape.ts';
import { type Tensor, type TensorLike, wrap } from '../tensor.ts';
import { pairs } from './complex.ts';
import { frameCount } from './frames.ts';
import { complexTransform, frameSpectra, realSignal } from './on-host.ts';
import { halfOf } from './real.ts';

export interface ShortTimeOptions {
  /** The length of the transform of each frame. */
  readonly fftSize: number;
  /** How far frames are apart; a quarter of fftSize by default. */
  readonly hopLength?: number;
  /** The length of the window, which stands in the middle of the frame; fftSize by default. */
  readonly windowLength?: number;
  /** [windowLength]; ones by default. `hannWindow(n)` is the usual one. */
  readonly window?: TensorLike;
  /** Whether frame t is centred at t * hopLength, for which the signal is padded at both ends; true by default. */
  readonly center?: boolean;
  /** Whether frames are scaled by 1 / sqrt(fftSize); false by default. */
  readonly normalized?: boolean;
  /** Whether only the frequencies up to the half are kept, the others being their conjugates; true by default. */
  readonly onesided?: boolean;
}

export interface StftOptions extends ShortTimeOptions {
  /** How a centred signal is padded; 'reflect' by default. */
  readonly padMode?: 'reflect' | 'replicate' | 'circular' | 'constant';
}

export interface IstftOptions extends ShortTimeOptions {
  /** The length of the signal; by default as far as the frames reach. */
  readonly length?: number;
}

interface Frames {
  readonly size: number;
  readonly hop: number;
  readonly window: Node;
  readonly isCentred: boolean;
  readonly isOneSided: boolean;
  readonly scale: number;
}

function framesOf(operation: string, options: ShortTimeOptions): Frames {
  const { fftSize: size, center: isCentred = true, normalized = false, onesided: isOneSided = true } = options;
  const { hopLength: hop = Math.floor(size / 4), windowLength = size } = options;
  for (const [name, value] of Object.entries({ fftSize: size, hopLength: hop, windowLength })) {
    if (Number.isInteger(value) && value >= 1) continue;
    throw new ValueError(operation, `${name} must be a whole number from 1, got ${value}.`, { [name]: value });
  }
  const given = options.window === undefined ? constant(1, 'float32', [windowLength]) : real(operation, options.window);
  if (given.shape.length !== 1 || given.shape[0] !== windowLength || windowLength > size) {
    throw new ShapeError(
      operation,
      `a window of ${show(given.shape)} for windowLength ${windowLength} and fftSize ${size}: it must be [windowLength], at most fftSize.`,
      { window: given.shape, windowLength, fftSize: size },
    );
  }
  const before = Math.floor((size - windowLength) / 2);
  const window = padStatic(given, { before: [before], after: [size - windowLength - before], step: [1] });
  return { size, hop, window, isCentred, isOneSided, scale: normalized ? 1 / Math.sqrt(size) : 1 };
}

/** The last two axes before that of the pairs exchanged. */
const turned = (z: Node): Node => {
  const order = z.shape.map((_, axis) => axis);
  const [a, b] = order.slice(-3, -1) as [number, number];
  return permute(z, order.with(-3, b).with(-2, a));
};

/**
 * The spectrum of signals [..., L] over time: [..., F, T, 2], F = fftSize / 2 + 1 frequencies of T frames. As PyTorch's `stft`;
 * the host computes the transforms. Throws ShapeError for a signal that is shorter than a frame.
 *
 * @example
 * import { hannWindow, linspace, magnitude, stft } from '@nn/core';
 * const wave = linspace(0, 16 * Math.PI, 65).cos(); // 8 samples a period
 * const spectrum = magnitude(stft(wave, { fftSize: 16, window: hannWindow(16) }));
 * console.log(spectrum.shape, await spectrum.at('...', 8).argMax().item()); // => [9, 17] 2
 */
export function stft(x: TensorLike, options: StftOptions): Tensor {
  checkOptions('stft', options, [
    'fftSize',
    'hopLength',
    'windowLength',
    'window',
    'center',
    'normalized',
    'onesided',
    'padMode',
  ]);
  const { size, hop, window, isCentred, isOneSided, scale } = framesOf('stft', options);
  let signal = real('stft', x);
  if (signal.shape.length === 0) throw new ShapeError('stft', 'a number is no signal: needs [..., L].');
  if (isCentred) signal = padEnds(signal, Math.floor(size / 2), options.padMode ?? 'reflect');
  const length = signal.shape.at(-1)!;
  if (length < size) {
    throw new ShapeError(
      'stft',
      `a frame of ${size} does not fit a signal of ${length}${isCentred ? ' with its padding' : ''}.`,
      {
        fftSize: size,
        length,
      },
    );
  }
  const outside = signal.shape.slice(0, -1);
  const axes = outside.length;
  if (signal.shape.includes(0)) {
    const shape = [...outside, isOneSided ? halfOf(size) : size, frameCount(length, { size, hop, scale }), 2];
    return wrap(constant(0, 'float32', shape));
  }
  if (isOneSided) {
    const spectra = frameSpectra(signal, expandTo(window, [...outside, size]), { size, hop, scale });
    return wrap(permute(spectra, [...outside.keys(), axes + 1, axes + 2, axes]));
  }
  const cut = multiply(frames(signal, { size: [size], stride: [hop], dilation: [1] }), window);
  const isReal = padStatic(reshape(cut, [...cut.shape, 1]), {
    before: [...cut.shape.map(() => 0), 0],
    after: [...cut.shape.map(() => 0), 1],
    step: [...cut.shape.map(() => 1), 1],
  });
  return wrap(turned(complexTransform(isReal, { behind: 0, scale, isInverse: false })));
}

function padEnds(x: Node, by: number, mode: NonNullable<StftOptions['padMode']>): Node {
  if (mode === 'reflect') return reflectionPad(wrap(x), [[by, by]]).node;
  if (mode === 'replicate') return replicationPad(wrap(x), [[by, by]]).node;
  if (mode === 'circular') return circularPad(wrap(x), [[by, by]]).node;
  if (mode !== 'constant') {
    throw new ValueError('stft', `no padMode '${String(mode)}': 'reflect', 'replicate', 'circular' or 'constant'.`);
  }
  const zeros = x.shape.map(() => 0);
  return padStatic(x, { before: zeros.with(-1, by), after: zeros.with(-1, by), step: x.shape.map(() => 1) });
}

/**
 * The signals [..., L] of spectra [..., F, T, 2]: the inverse of `stft` with the same options, by least squares where frames
 * disagree (Griffin and Lim 1984). NaN where no window reaches, as the signal is not known there. Of two-sided spectra only the
 * frequencies up to the half are read, as in PyTorch.
 *
 * @example
 * import { arange, hannWindow, istft, stft } from '@nn/core';
 * const options = { fftSize: 8, window: hannWindow(8) };
 * const signal = istft(stft(arange(16), options), options);
 * console.log((await signal.array(1)).slice(0, 4).map((x) => x.toFixed(3)).join(' ')); // => 0.000 1.000 2.000 3.000
 */
export function istft(z: TensorLike, options: IstftOptions): Tensor {
  checkOptions('istft', options, [
    'fftSize',
    'hopLength',
    'windowLength',
    'window',
    'center',
    'normalized',
    'onesided',
    'length',
  ]);
  const { size, hop, window, isCentred, isOneSided, scale } = framesOf('istft', options);
  const spectra = pairs('istft', z);
  const width = isOneSided ? halfOf(size) : size;
  if (spectra.shape.length < 3 || spectra.shape.at(-3) !== width) {
    throw new ShapeError(
      'istft',
      `${show(spectra.shape)} is not [..., F, T, 2] with the F = ${width} frequencies of fftSize ${size}.`,
      { shape: spectra.shape, fftSize: size },
    );
  }
  const rows = turned(spectra);
  const outside = rows.shape.slice(0, -2);
  const count = outside.at(-1)!;
  const reach = size + hop * (count - 1);
  const start = isCentred ? Math.floor(size / 2) : 0;
  const length = options.length ?? reach - start - (isCentred ? start : 0);
  if (count === 0 || length < 1 || start + length > reach) {
    throw new ShapeError('istft', `${count} frames reach ${Math.max(0, reach - start)} samples, not ${length}.`, {
      length,
    });
  }
  const shape = [...outside.slice(0, -1), reach];
  if (sizeOf(shape) === 0) return wrap(constant(0, 'float32', [...outside.slice(0, -1), length]));
  const back = 1 / (size * scale);
  const half = narrow(rows, rows.shape.length - 2, 0, halfOf(size));
  const signals = realSignal(half, { behind: 0, scale: back, length: size, isDoubled: true });
  const overlap = { size: [size], stride: [hop], dilation: [1] };
  const sums = fold(multiply(signals, window), shape, overlap);
  const weights = fold(expandTo(multiply(window, window), [count, size]), [reach], overlap);
  const inside = narrow(weights, 0, start, length);
  const known = where(less(inside, like(inside, 1e-11)), like(inside, Number.NaN), inside);
  return wrap(divide(narrow(sums, shape.length - 1, start, length), known));
}

export interface WindowOptions {
  /** Whether the window is one period of a periodic function, for transforms (the default), or symmetric, for filters. */
  readonly periodic?: boolean;
}

/** A sum of cosines over n samples. */
function cosines(operation: string, n: number, { periodic = true }: WindowOptions, weights: readonly number[]): Tensor {
  if (!Number.isInteger(n) || n < 1)
    throw new ValueError(operation, `the length must be a whole number from 1, got ${n}.`);
  const period = periodic ? n : n - 1;
  const value = (t: number): number =>
    n === 1 ? 1 : weights.reduce((sum, weight, k) => sum + weight * Math.cos((2 * Math.PI * k * t) / period), 0);
  return wrap(
    hostLeaf(
      Float32Array.from({ length: n }, (_, t) => value(t)),
      'float32',
      [n],
    ),
  );
}

/**
 * Hann's window [n]: 0.5 - 0.5 cos(2 pi t / n).
 *
 * @example
 * import { hannWindow } from '@nn/core';
 * console.log(await hannWindow(4).array()); // => [0, 0.5, 1, 0.5]
 */
export function hannWindow(n: number, options: WindowOptions = {}): Tensor {
  checkOptions('hannWindow', options, ['periodic']);
  return cosines('hannWindow', n, options, [0.5, -0.5]);
}

/**
 * Hamming's window [n]: 0.54 - 0.46 cos(2 pi t / n).
 *
 * @example
 * import { hammingWindow } from '@nn/core';
 * console.log((await hammingWindow(4).array(1)).map((x) => x.toFixed(2)).join(' ')); // => 0.08 0.54 1.00 0.54
 */
export function hammingWindow(n: number, options: WindowOptions = {}): Tensor {
  checkOptions('hammingWindow', options, ['periodic']);
  return cosines('hammingWindow', n, options, [0.54, -0.46]);
}

/**
 * Blackman's window [n]: 0.42 - 0.5 cos(2 pi t / n) + 0.08 cos(4 pi t / n).
 *
 * @example
 * import { blackmanWindow } from '@nn/core';
 * console.log((await blackmanWindow(4).array(1)).map((x) => Math.abs(x).toFixed(2)).join(' ')); // => 0.00 0.34 1.00 0.34
 */
export function blackmanWindow(n: number, options: WindowOptions = {}): Tensor {
  checkOptions('blackmanWindow', options, ['periodic']);
  return cosines('blackmanWindow', n, options, [0.42, -0.5, 0.08]);
}

/** Discrete Fourier transforms, by PyTorch's names and scales, on complex numbers as pairs in a last axis of 2. */
import { checkOptions, ShapeError, ValueError } from '../errors.ts';
import { roll } from '../functions/arrange.ts';
import { real } from '../functions/operands.ts';
import type { Node } from '../graph/node.ts';
import { constant, hostLeaf } from '../graph/node.ts';
import { narrow, padStatic } from '../ops/views.ts';
import { normalizeAxis, show } from '../shape.ts';
import { type Tensor, type TensorLike, wrap } from '../tensor.ts';
import { pairs } from './complex.ts';
import { complexTransform, halfSpectrum, realSignal } from './on-host.ts';
import { halfOf } from './real.ts';

/**
 * Which direction is scaled, for rows of n: 'backward' (the default) the inverse by 1 / n, 'forward' the transform by 1 / n,
 * 'ortho' both by 1 / sqrt(n).
 */
export type FourierNorm = 'backward' | 'forward' | 'ortho';

export interface FourierOptions {
  /** The length of the transform: the row is cut off, or filled with zeros. */
  readonly length?: number;
  /** The axis of the row, the axis of the pairs not counted; the last by default. */
  readonly axis?: number;
  readonly norm?: FourierNorm;
}

const rowOptions = ['length', 'axis', 'norm'];

export interface Fourier2Options {
  /** The sizes of the transform along both axes: what is longer is cut off, what is shorter filled with zeros. */
  readonly size?: readonly [number, number];
  /** The axes, the one of the pairs not counted; the last two by default. */
  readonly axes?: readonly [number, number];
  readonly norm?: FourierNorm;
}

function scaleOf(operation: string, norm: FourierNorm, n: number, isInverse: boolean): number {
  if (norm === 'ortho') return 1 / Math.sqrt(n);
  if (norm === 'backward') return isInverse ? 1 / n : 1;
  if (norm === 'forward') return isInverse ? 1 : 1 / n;
  throw new ValueError(operation, `no norm '${String(norm)}': 'backward', 'forward' or 'ortho'.`, { norm });
}

/** x with the axis cut off or filled with zeros. */
function resized(x: Node, axis: number, length: number): Node {
  const size = x.shape[axis]!;
  if (size === length) return x;
  if (size > length) return narrow(x, axis, 0, length);
  const zeros = x.shape.map(() => 0);
  const after = zeros.with(axis, length - size);
  return padStatic(x, { before: zeros, after, step: x.shape.map(() => 1) });
}

/** The axis of the row and its length, checked. `axes`: how many there are besides that of the pairs. */
function rowOf(
  operation: string,
  x: Node,
  axes: number,
  axis: number,
  length: number | undefined,
  usual: (size: number) => number,
) {
  if (axes === 0) throw new ShapeError(operation, `${show(x.shape)} has no axis to transform.`, { shape: x.shape });
  const at = normalizeAxis(operation, axis, axes);
  const n = length ?? usual(x.shape[at]!);
  if (!Number.isInteger(n) || n < 1) {
    throw new ValueError(
      operation,
      `the length must be a whole number from 1, got ${n}, along axis ${at} of ${show(x.shape)}.`,
      {
        length: n,
      },
    );
  }
  return { at, n, behind: axes - 1 - at };
}

/** What has rows but no elements is empty. */
const orEmpty = (shape: readonly number[], make: () => Node): Node =>
  shape.includes(0) ? constant(0, 'float32', shape) : make();

function complexRows(operation: string, z: Node, options: FourierOptions, isInverse: boolean): Node {
  checkOptions(operation, options, rowOptions);
  const { at, n, behind } = rowOf(operation, z, z.shape.length - 1, options.axis ?? -1, options.length, (size) => size);
  const rows = resized(z, at, n);
  const scale = scaleOf(operation, options.norm ?? 'backward', n, isInverse);
  return orEmpty(rows.shape, () => complexTransform(rows, { behind, scale, isInverse }));
}

function realRows(operation: string, x: Node, options: FourierOptions): Node {
  checkOptions(operation, options, rowOptions);
  const { at, n, behind } = rowOf(operation, x, x.shape.length, options.axis ?? -1, options.length, (size) => size);
  const rows = resized(x, at, n);
  const scale = scaleOf(operation, options.norm ?? 'backward', n, false);
  const shape = [...rows.shape.with(at, halfOf(n)), 2];
  return orEmpty(shape, () => halfSpectrum(rows, { behind, scale, length: n, isDoubled: false }));
}

function inverseRows(operation: string, z: Node, options: FourierOptions): Node {
  checkOptions(operation, options, rowOptions);
  const usual = (size: number): number => 2 * (size - 1);
  const { at, n, behind } = rowOf(operation, z, z.shape.length - 1, options.axis ?? -1, options.length, usual);
  const rows = resized(z, at, halfOf(n));
  const scale = scaleOf(operation, options.norm ?? 'backward', n, true);
  const shape = rows.shape.with(at, n).slice(0, -1);
  return orEmpty(shape, () => realSignal(rows, { behind, scale, length: n, isDoubled: true }));
}

/**
 * The discrete Fourier transform of complex rows [..., N, 2], of any length: [..., N, 2] with y_k = sum over t of x_t
 * exp(-2 pi i t k / N). Real rows are made complex by `complex(x)`, or transformed by `rfft`. The host computes it in
 * O(N log N) for every N, in double precision but for powers of 2 from 64 on.
 *
 * @example
 * import { complex, fft } from '@nn/core';
 * console.log(await fft(complex([1, 0, 0, 0])).array()); // => [[1, 0], [1, 0], [1, 0], [1, 0]]
 */
export function fft(z: TensorLike, options: FourierOptions = {}): Tensor {
  return wrap(complexRows('fft', pairs('fft', z), options, false));
}

/**
 * The inverse of `fft`, for rows [..., N, 2].
 *
 * @example
 * import { complex, fft, ifft, realPart } from '@nn/core';
 * console.log(await realPart(ifft(fft(complex([1, 2, 3, 4])))).array()); // => [1, 2, 3, 4]
 */
export function ifft(z: TensorLike, options: FourierOptions = {}): Tensor {
  return wrap(complexRows('ifft', pairs('ifft', z), options, true));
}

/**
 * The transform of real rows [..., N]: the first N / 2 + 1 numbers, [..., N / 2 + 1, 2]; the others are their conjugates.
 *
 * @example
 * import { rfft } from '@nn/core';
 * console.log(await rfft([1, 2, 3, 4]).array()); // => [[10, 0], [-2, 2], [-2, 0]]
 */
export function rfft(x: TensorLike, options: FourierOptions = {}): Tensor {
  return wrap(realRows('rfft', real('rfft', x), options));
}

/**
 * The inverse of `rfft`: real rows [..., length] of [..., length / 2 + 1, 2]. The length is even unless it is given: the same
 * pairs stand for 2 M - 2 and for 2 M - 1 numbers. Imaginary parts that a real row cannot have are not read.
 *
 * @example
 * import { irfft, rfft } from '@nn/core';
 * console.log(await irfft(rfft([1, 2, 3]), { length: 3 }).array()); // => [1, 2, 3]
 */
export function irfft(z: TensorLike, options: FourierOptions = {}): Tensor {
  return wrap(inverseRows('irfft', pairs('irfft', z), options));
}

/** The options of one axis of two, counted among `axes`. */
function alongAxis(operation: string, options: Fourier2Options, k: 0 | 1, count: number): FourierOptions {
  checkOptions(operation, options, ['size', 'axes', 'norm']);
  const { size, axes = [-2, -1], norm } = options;
  const [first, second] = axes.map((axis) => normalizeAxis(operation, axis, count));
  if (first === second) throw new ShapeError(operation, `axis ${first} is named twice.`, { axes });
  const length = size?.[k];
  return { axis: axes[k]!, ...(length === undefined ? {} : { length }), ...(norm === undefined ? {} : { norm }) };
}

function complexPlanes(operation: string, given: TensorLike, options: Fourier2Options, isInverse: boolean): Tensor {
  const z = pairs(operation, given);
  const count = z.shape.length - 1;
  const first = complexRows(operation, z, alongAxis(operation, options, 1, count), isInverse);
  return wrap(complexRows(operation, first, alongAxis(operation, options, 0, count), isInverse));
}

/**
 * The transform along two axes of complex planes [..., H, W, 2].
 *
 * @example
 * import { complex, fft2, realPart } from '@nn/core';
 * console.log(await realPart(fft2(complex([[1, 2], [3, 4]]))).array()); // => [[10, -2], [-4, 0]]
 */
export function fft2(z: TensorLike, options: Fourier2Options = {}): Tensor {
  return complexPlanes('fft2', z, options, false);
}

/**
 * The inverse of `fft2`, for planes [..., H, W, 2].
 *
 * @example
 * import { complex, fft2, ifft2, realPart } from '@nn/core';
 * console.log(await realPart(ifft2(fft2(complex([[1, 2], [3, 4]])))).array()); // => [[1, 2], [3, 4]]
 */
export function ifft2(z: TensorLike, options: Fourier2Options = {}): Tensor {
  return complexPlanes('ifft2', z, options, true);
}

/**
 * The transform along two axes of real planes [..., H, W]: [..., H, W / 2 + 1, 2], the second axis of them halved.
 *
 * @example
 * import { rfft2 } from '@nn/core';
 * console.log(await rfft2([[1, 2], [3, 4]]).array()); // => [[[10, 0], [-2, 0]], [[-4, 0], [0, 0]]]
 */
export function rfft2(x: TensorLike, options: Fourier2Options = {}): Tensor {
  const node = real('rfft2', x);
  const count = node.shape.length;
  const first = realRows('rfft2', node, alongAxis('rfft2', options, 1, count));
  return wrap(complexRows('rfft2', first, alongAxis('rfft2', options, 0, count), false));
}

/**
 * The inverse of `rfft2`: real planes [..., H, W] of [..., H, W / 2 + 1, 2], W even unless `size` says otherwise.
 *
 * @example
 * import { irfft2, rfft2 } from '@nn/core';
 * console.log(await irfft2(rfft2([[1, 2], [3, 4]])).array()); // => [[1, 2], [3, 4]]
 */
export function irfft2(z: TensorLike, options: Fourier2Options = {}): Tensor {
  const node = pairs('irfft2', z);
  const count = node.shape.length - 1;
  const first = complexRows('irfft2', node, alongAxis('irfft2', options, 0, count), true);
  return wrap(inverseRows('irfft2', first, alongAxis('irfft2', options, 1, count)));
}

/** The numbers of a vector that its length decides. */
function vectorOf(operation: string, n: number, count: number, value: (k: number) => number): Tensor {
  if (!Number.isInteger(n) || n < 1)
    throw new ValueError(operation, `the length must be a whole number from 1, got ${n}.`);
  return wrap(
    hostLeaf(
      Float32Array.from({ length: count }, (_, k) => value(k)),
      'float32',
      [count],
    ),
  );
}

/**
 * The frequencies of `fft`'s n results, in cycles per unit of the spacing: [n], from 0 up, then the negative ones.
 *
 * @example
 * import { fftFrequencies } from '@nn/core';
 * console.log(await fftFrequencies(4).array()); // => [0, 0.25, -0.5, -0.25]
 */
export function fftFrequencies(n: number, spacing = 1): Tensor {
  return vectorOf('fftFrequencies', n, n, (k) => (2 * k < n ? k : k - n) / (n * spacing));
}

/**
 * The frequencies of `rfft`'s results for rows of n: [n / 2 + 1].
 *
 * @example
 * import { rfftFrequencies } from '@nn/core';
 * console.log(await rfftFrequencies(4).array()); // => [0, 0.25, 0.5]
 */
export function rfftFrequencies(n: number, spacing = 1): Tensor {
  return vectorOf('rfftFrequencies', n, halfOf(n), (k) => k / (n * spacing));
}

function shifted(
  operation: string,
  x: TensorLike,
  axes: number | readonly number[] | undefined,
  by: (size: number) => number,
): Tensor {
  const { shape } = real(operation, x);
  const named = axes === undefined ? shape.map((_, axis) => axis) : [axes].flat();
  return roll(
    x,
    named.map((axis) => by(shape[normalizeAxis(operation, axis, shape.length)]!)),
    named,
  );
}

/**
 * Frequency 0 moved to the middle of the axes (all by default; of complex numbers name them, without that of the pairs).
 *
 * @example
 * import { fftFrequencies, fftShift } from '@nn/core';
 * console.log(await fftShift(fftFrequencies(4)).array()); // => [-0.5, -0.25, 0, 0.25]
 */
export function fftShift(x: TensorLike, axes?: number | readonly number[]): Tensor {
  return shifted('fftShift', x, axes, (size) => Math.floor(size / 2));
}

/**
 * The inverse of `fftShift`.
 *
 * @example
 * import { ifftShift } from '@nn/core';
 * console.log(await ifftShift([-1, 0, 1]).array()); // => [0, 1, -1]
 */
export function ifftShift(x: TensorLike, axes?: number | readonly number[]): Tensor {
  return shifted('ifftShift', x, axes, (size) => -Math.floor(size / 2));
}

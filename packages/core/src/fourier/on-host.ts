/**
 * The operations of the host under all Fourier transforms: three along one axis of many, where complex numbers are pairs in a last
 * axis of 2, and one of frames that overlap. The three are linear, so that the gradient of each is its adjoint, which is one of the three again.
 */
import type { Node } from '../graph/node.ts';
import type { Binary, TensorType, Unary } from '../graph/primitive.ts';
import { multiply } from '../ops/arithmetic.ts';
import { applyOnHost, defineOnHost, type HostPrimitive } from '../ops/on-host.ts';
import { fold } from '../ops/pooling.ts';
import { sum } from '../ops/reduce.ts';
import { window as framesOf, permute, reshape } from '../ops/views.ts';
import { type FrameShape, frameCount, transformFrames } from './frames.ts';
import { halfOf, invertReal, transformReal } from './real.ts';
import { transformOf } from './transform.ts';
import { vectorTransformOf } from './vectors.ts';

interface Whole {
  /** How many axes stand behind the transformed one, besides that of the pairs. */
  readonly behind: number;
  readonly scale: number;
  /** With exp(+2 pi i ...). */
  readonly isInverse: boolean;
}

interface Half {
  readonly behind: number;
  readonly scale: number;
  /** The number of real elements. */
  readonly length: number;
  /** Whether pairs that stand for two, for themselves and their conjugates, count twice. */
  readonly isDoubled: boolean;
}

/** The sizes around the transformed axis: how many elements lie between neighbours, and how many rows there are. */
function around({ shape }: TensorType, behind: number, isPair: boolean) {
  const axis = shape.length - 1 - behind - (isPair ? 1 : 0);
  const inner = shape.slice(axis + 1, isPair ? -1 : undefined).reduce((all, size) => all * size, 1);
  const outer = shape.slice(0, axis).reduce((all, size) => all * size, 1);
  return { axis, inner, outer, length: shape[axis]! };
}

const withSize = ({ shape }: TensorType, axis: number, size: number): number[] => {
  const other = [...shape];
  other[axis] = size;
  return other;
};

// y = F x of complex rows; the adjoint has the other sign in its exponent
const Complex: HostPrimitive<Whole, Unary> = defineOnHost<Whole, Unary>({
  name: 'fft',
  shape: ([x]) => x.shape,
  gradient: (g, _, __, options) => [complexTransform(g, { ...options, isInverse: !options.isInverse })],
  compute: ([given], result, [type], { behind, scale, isInverse }) => {
    const x = given as Float32Array;
    const { inner, outer, length } = around(type, behind, true);
    const vectors = inner === 1 ? vectorTransformOf(length) : null;
    if (vectors !== null) {
      for (let at = 0; at < x.length; at += 2 * length) {
        vectors.input.set(x.subarray(at, at + 2 * length));
        result.set(vectors.run(isInverse, scale), at);
      }
      return;
    }
    const transform = transformOf(length);
    const { input } = transform;
    const step = 2 * inner;
    for (let row = 0; row < outer * inner; row++) {
      const start = 2 * (Math.floor(row / inner) * length * inner + (row % inner));
      for (let k = 0, at = start; k < length; k++, at += step) {
        input[2 * k] = x[at]!;
        input[2 * k + 1] = x[at + 1]!;
      }
      const y = transform.run(isInverse);
      for (let k = 0, at = start; k < length; k++, at += step) {
        result[at] = scale * y[2 * k]!;
        result[at + 1] = scale * y[2 * k + 1]!;
      }
    }
  },
});

// y_k = sum over t of x_t exp(-2 pi i t k / n) for k up to n / 2
const HalfSpectrum: HostPrimitive<Half, Unary> = defineOnHost<Half, Unary>({
  name: 'rfft',
  shape: ([x], { behind, length }) => [...withSize(x, x.shape.length - 1 - behind, halfOf(length)), 2],
  gradient: (g, _, __, options) => [realSignal(g, options)],
  compute: ([given], result, [type], { behind, scale, length, isDoubled }) => {
    const weights = { ends: scale, others: isDoubled ? 2 * scale : scale };
    eachRow(given as Float32Array, result, around(type, behind, false), [length, 1], [halfOf(length), 2], (...row) =>
      transformReal(length, ...row, weights),
    );
  },
});

// y_t = Re (sum over k up to n / 2 of z_k exp(+2 pi i t k / n)); doubled, that is the sum over all k
const RealSignal: HostPrimitive<Half, Unary> = defineOnHost<Half, Unary>({
  name: 'irfft',
  shape: ([z], { behind, length }) => withSize(z, z.shape.length - 2 - behind, length).slice(0, -1),
  gradient: (g, _, __, options) => [halfSpectrum(g, options)],
  compute: ([given], result, [type], { behind, scale, length, isDoubled }) => {
    // a pair between the ends stands for itself and its conjugate, so that the sum over all counts it twice
    const weights = { ends: scale, others: isDoubled ? scale : scale / 2 };
    eachRow(given as Float32Array, result, around(type, behind, true), [halfOf(length), 2], [length, 1], (...row) =>
      invertReal(length, ...row, weights),
    );
  },
});

/**
 * Calls `work` for each row with where it lies and where its result belongs. `from` and `to`: how many elements a row has, and
 * of how many numbers each. Rows whose elements lie apart are brought together before, and spread after.
 */
function eachRow(
  x: Float32Array,
  result: Float32Array,
  { inner, outer }: { readonly inner: number; readonly outer: number },
  [length, size]: readonly [number, number],
  [newLength, newSize]: readonly [number, number],
  work: (x: Float32Array, from: number, to: Float32Array, at: number) => void,
): void {
  if (inner === 1) {
    for (let row = 0; row < outer; row++) work(x, row * length * size, result, row * newLength * newSize);
    return;
  }
  const [before, after] = [new Float32Array(length * size), new Float32Array(newLength * newSize)];
  for (let row = 0; row < outer * inner; row++) {
    const [block, place] = [Math.floor(row / inner), row % inner];
    for (let k = 0; k < length; k++) {
      for (let part = 0; part < size; part++)
        before[k * size + part] = x[((block * length + k) * inner + place) * size + part]!;
    }
    work(before, 0, after, 0);
    for (let k = 0; k < newLength; k++) {
      for (let part = 0; part < newSize; part++) {
        result[((block * newLength + k) * inner + place) * newSize + part] = after[k * newSize + part]!;
      }
    }
  }
}

// Y = F (x frame by frame * w): the way back is the adjoint of F, then x's frames overlap, and those of w are summed
const Frames: HostPrimitive<FrameShape, Binary> = defineOnHost<FrameShape, Binary>({
  name: 'stft',
  shape: ([x], frames) => {
    return [...x.shape.slice(0, -1), 2, halfOf(frames.size), frameCount(x.shape.at(-1)!, frames)];
  },
  gradient: (g, [x, window], _, { size, hop, scale }) => {
    const outer = g.shape.length - 3;
    const order = [...g.shape.keys()].slice(0, outer);
    const spectra = permute(g, [...order, outer + 2, outer + 1, outer]);
    const signals = realSignal(spectra, { behind: 0, scale, length: size, isDoubled: false });
    const overlap = { size: [size], stride: [hop], dilation: [1] };
    const weights = reshape(window, [...window.shape.slice(0, -1), 1, size]);
    return [
      fold(multiply(signals, weights), x.shape, overlap),
      sum(multiply(signals, framesOf(x, overlap)), signals.shape.length - 2),
    ];
  },
  compute: ([x, window], result, [type], frames) => {
    transformFrames(x as Float32Array, window as Float32Array, result, type.shape.at(-1)!, frames);
  },
});

/** Of complex rows [..., N, ..., 2]. */
export function complexTransform(x: Node, options: Whole): Node {
  return applyOnHost(Complex, [x], options, false);
}

/** Of real rows [..., N, ...]: [..., N / 2 + 1, ..., 2]. */
export function halfSpectrum(x: Node, options: Half): Node {
  return applyOnHost(HalfSpectrum, [x], options, false);
}

/** Of kept pairs [..., N / 2 + 1, ..., 2]: [..., N, ...]. */
export function realSignal(z: Node, options: Half): Node {
  return applyOnHost(RealSignal, [z], options, false);
}

/** Of the frames of real rows [..., L] under windows [..., size]: [..., 2, F, T], all real parts before all imaginary ones. */
export function frameSpectra(x: Node, window: Node, frames: FrameShape): Node {
  return applyOnHost(Frames, [x, window], frames, false);
}

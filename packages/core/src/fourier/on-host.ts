/**
 * The three operations of the host under all Fourier transforms, along one axis of many. Complex numbers are pairs in a last
 * axis of 2. All are linear, so that the gradient of each is its adjoint, which is one of the three again.
 */
import type { Node } from '../graph/node.ts';
import type { TensorType, Unary } from '../graph/primitive.ts';
import { applyOnHost, defineOnHost, type HostPrimitive } from '../ops/on-host.ts';
import { halfOf, realInverseOf, realTransformOf } from './real.ts';
import { transformOf } from './transform.ts';

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
    const { input, run } = transformOf(length);
    // the inverse is the transform of pairs with both parts exchanged
    const first = isInverse ? 1 : 0;
    const second = 1 - first;
    const step = 2 * inner;
    for (let row = 0; row < outer * inner; row++) {
      const start = 2 * (Math.floor(row / inner) * length * inner + (row % inner));
      for (let k = 0, at = start; k < length; k++, at += step) {
        input[2 * k + first] = x[at]!;
        input[2 * k + second] = x[at + 1]!;
      }
      const y = run();
      for (let k = 0, at = start; k < length; k++, at += step) {
        result[at] = scale * y[2 * k + first]!;
        result[at + 1] = scale * y[2 * k + second]!;
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
    const x = given as Float32Array;
    const { inner, outer } = around(type, behind, false);
    const { input, run } = realTransformOf(length);
    const half = halfOf(length);
    for (let row = 0; row < outer * inner; row++) {
      const [block, at] = [Math.floor(row / inner), row % inner];
      for (let t = 0, from = block * length * inner + at; t < length; t++, from += inner) input[t] = x[from]!;
      const y = run();
      for (let k = 0, to = 2 * (block * half * inner + at); k < half; k++, to += 2 * inner) {
        const times = isDoubled ? scale * countOf(k, length) : scale;
        result[to] = times * y[2 * k]!;
        result[to + 1] = times * y[2 * k + 1]!;
      }
    }
  },
});

// y_t = Re (sum over k up to n / 2 of z_k exp(+2 pi i t k / n)); doubled, that is the sum over all k
const RealSignal: HostPrimitive<Half, Unary> = defineOnHost<Half, Unary>({
  name: 'irfft',
  shape: ([z], { behind, length }) => withSize(z, z.shape.length - 2 - behind, length).slice(0, -1),
  gradient: (g, _, __, options) => [halfSpectrum(g, options)],
  compute: ([given], result, [type], { behind, scale, length, isDoubled }) => {
    const z = given as Float32Array;
    const { inner, outer } = around(type, behind, true);
    const { input, run } = realInverseOf(length);
    const half = halfOf(length);
    for (let row = 0; row < outer * inner; row++) {
      const [block, at] = [Math.floor(row / inner), row % inner];
      for (let k = 0, from = 2 * (block * half * inner + at); k < half; k++, from += 2 * inner) {
        const times = isDoubled ? scale : scale / countOf(k, length);
        input[2 * k] = times * z[from]!;
        input[2 * k + 1] = times * z[from + 1]!;
      }
      const y = run();
      for (let t = 0, to = block * length * inner + at; t < length; t++, to += inner) result[to] = y[t]!;
    }
  },
});

/** How many elements of a whole row a kept pair stands for. */
const countOf = (k: number, length: number): number => (k === 0 || 2 * k === length ? 1 : 2);

/** Of complex rows [..., N, ..., 2]. */
export function complexTransform(x: Node, options: Whole): Node {
  return applyOnHost(Complex, [x], options);
}

/** Of real rows [..., N, ...]: [..., N / 2 + 1, ..., 2]. */
export function halfSpectrum(x: Node, options: Half): Node {
  return applyOnHost(HalfSpectrum, [x], options);
}

/** Of kept pairs [..., N / 2 + 1, ..., 2]: [..., N, ...]. */
export function realSignal(z: Node, options: Half): Node {
  return applyOnHost(RealSignal, [z], options);
}

/**
 * Start values for parameters, drawn on the host from core's seeded stream. Owns the formulas of fans and gains.
 * Each returns a tensor: `layer.weight.assign(kaimingUniform(layer.weight.shape))`.
 */
import { hostNormal, hostUniform, type Shape, ShapeError, showShape, type Tensor, tensor, ValueError } from '@nn/core';
import { countOf } from '../layer.ts';

/** Activations that a gain is known for. */
export type Nonlinearity = 'linear' | 'sigmoid' | 'tanh' | 'relu' | 'leakyRelu' | 'selu';

/**
 * The factor by which an activation shrinks deviations, as in PyTorch's `calculate_gain`. `slope` is that of leakyRelu.
 *
 * @example
 * import { gainOf } from '@nn/layers';
 * console.log(gainOf('relu') ** 2); // => 2.0000000000000004
 */
export function gainOf(nonlinearity: Nonlinearity, slope = 0.01): number {
  switch (nonlinearity) {
    case 'tanh':
      return 5 / 3;
    case 'relu':
      return Math.SQRT2;
    case 'leakyRelu':
      return Math.sqrt(2 / (1 + slope ** 2));
    case 'selu':
      return 3 / 4;
    default:
      return 1;
  }
}

/** Inputs and outputs of one element of a weight [outputs, inputs, ...kernel]. */
export function fans(initializer: string, shape: Shape): { readonly fanIn: number; readonly fanOut: number } {
  const [outputs, inputs, ...kernel] = shape;
  if (outputs === undefined || inputs === undefined) {
    throw new ShapeError(
      initializer,
      `${showShape(shape)} has no fan: it needs the form [outputs, inputs, ...kernel]. For a bias use zeros.`,
      { shape },
    );
  }
  const taps = countOf(kernel);
  return { fanIn: inputs * taps, fanOut: outputs * taps };
}

/** Uniform in ±bound. */
export function uniformIn(shape: Shape, bound: number): Tensor {
  const values = hostUniform(countOf(shape)).map((value) => (2 * value - 1) * bound);
  return tensor(values, { shape, borrow: true });
}

/** Normal with mean 0. */
export function normalWith(shape: Shape, deviation: number): Tensor {
  const values = hostNormal(countOf(shape)).map((value) => value * deviation);
  return tensor(values, { shape, borrow: true });
}

export interface XavierOptions {
  /** Factor on the deviation, see `gainOf`. Default 1. */
  readonly gain?: number;
}

/**
 * Uniform in ±gain sqrt(6 / (fanIn + fanOut)). (Glorot and Bengio 2010.)
 *
 * @example
 * import { Linear, xavierUniform } from '@nn/layers';
 * const layer = new Linear(2, 4);
 * layer.weight.assign(xavierUniform(layer.weight.shape));
 * console.log(layer.weight.shape); // => [4, 2]
 */
export function xavierUniform(shape: Shape, options: XavierOptions = {}): Tensor {
  const { fanIn, fanOut } = fans('xavierUniform', shape);
  return uniformIn(shape, (options.gain ?? 1) * Math.sqrt(6 / (fanIn + fanOut)));
}

/**
 * Normal with deviation gain sqrt(2 / (fanIn + fanOut)). (Glorot and Bengio 2010.)
 *
 * @example
 * import { xavierNormal } from '@nn/layers';
 * console.log(xavierNormal([4, 2]).shape); // => [4, 2]
 */
export function xavierNormal(shape: Shape, options: XavierOptions = {}): Tensor {
  const { fanIn, fanOut } = fans('xavierNormal', shape);
  return normalWith(shape, (options.gain ?? 1) * Math.sqrt(2 / (fanIn + fanOut)));
}

export interface KaimingOptions {
  /** Which sums keep their deviation: those of the forward pass or those of the gradient. Default 'fanIn'. */
  readonly mode?: 'fanIn' | 'fanOut';
  /** The activation that follows. Default 'relu'. */
  readonly nonlinearity?: Nonlinearity;
  /** The slope of leakyRelu. Default 0.01. */
  readonly slope?: number;
}

function kaimingDeviation(initializer: string, shape: Shape, options: KaimingOptions): number {
  const { mode = 'fanIn', nonlinearity = 'relu', slope = 0.01 } = options;
  return gainOf(nonlinearity, slope) / Math.sqrt(fans(initializer, shape)[mode]);
}

/**
 * Uniform in ±gain sqrt(3 / fan). (He et al. 2015.)
 *
 * @example
 * import { kaimingUniform } from '@nn/layers';
 * console.log(kaimingUniform([4, 2], { nonlinearity: 'leakyRelu', slope: 0.2 }).shape); // => [4, 2]
 */
export function kaimingUniform(shape: Shape, options: KaimingOptions = {}): Tensor {
  return uniformIn(shape, Math.sqrt(3) * kaimingDeviation('kaimingUniform', shape, options));
}

/**
 * Normal with deviation gain / sqrt(fan). (He et al. 2015.)
 *
 * @example
 * import { kaimingNormal } from '@nn/layers';
 * console.log(kaimingNormal([8, 3, 3, 3], { mode: 'fanOut' }).shape); // => [8, 3, 3, 3]
 */
export function kaimingNormal(shape: Shape, options: KaimingOptions = {}): Tensor {
  return normalWith(shape, kaimingDeviation('kaimingNormal', shape, options));
}

/**
 * Uniform in ±sqrt(3 / fanIn). (LeCun et al. 1998.)
 *
 * @example
 * import { lecunUniform } from '@nn/layers';
 * console.log(lecunUniform([4, 2]).shape); // => [4, 2]
 */
export function lecunUniform(shape: Shape): Tensor {
  return uniformIn(shape, Math.sqrt(3 / fans('lecunUniform', shape).fanIn));
}

/**
 * Normal with deviation sqrt(1 / fanIn), cut off at two deviations and widened to keep it, as in Keras and JAX.
 * (LeCun et al. 1998; Klambauer et al. 2017 for selu.)
 *
 * @example
 * import { lecunNormal } from '@nn/layers';
 * console.log(lecunNormal([4, 2]).shape); // => [4, 2]
 */
export function lecunNormal(shape: Shape): Tensor {
  // 0.8796... is the deviation of the standard normal distribution cut off at ±2
  const deviation = Math.sqrt(1 / fans('lecunNormal', shape).fanIn) / 0.8796256610342398;
  return truncatedNormal(shape, { standardDeviation: deviation, low: -2 * deviation, high: 2 * deviation });
}

export interface TruncatedNormalOptions {
  /** Default 0. */
  readonly mean?: number;
  /** Default 1. */
  readonly standardDeviation?: number;
  /** Smallest value, in units of the values. Default -2. */
  readonly low?: number;
  /** Largest value. Default 2. */
  readonly high?: number;
}

/**
 * Normal, with values outside `low` to `high` drawn again, as PyTorch's `trunc_normal_`. Throws ValueError for an empty range.
 *
 * @example
 * import { truncatedNormal } from '@nn/layers';
 * console.log(truncatedNormal([4, 2], { standardDeviation: 0.02, low: -0.04, high: 0.04 }).shape); // => [4, 2]
 */
export function truncatedNormal(shape: Shape, options: TruncatedNormalOptions = {}): Tensor {
  const { mean = 0, standardDeviation: deviation = 1, low = -2, high = 2 } = options;
  const a = (low - mean) / deviation;
  const b = (high - mean) / deviation;
  if (!(a < b)) {
    throw new ValueError(
      'truncatedNormal',
      `nothing lies between low ${low} and high ${high}: low must be below high.`,
      {
        low,
        high,
        standardDeviation: deviation,
      },
    );
  }
  const values = new Float32Array(countOf(shape));
  const draw = b - a > 2.5 && a < 0 && b > 0 ? normalBetween : tailBetween;
  draw(values, a, b);
  for (let i = 0; i < values.length; i++) {
    // the clamp undoes rounding to float32, which may step over a bound
    values[i] = Math.min(high, Math.max(low, mean + deviation * values[i]!));
  }
  return tensor(values, { shape, borrow: true });
}

/** Rejection from the normal distribution: for ranges that hold much of it. */
function normalBetween(values: Float32Array, a: number, b: number): void {
  let filled = 0;
  while (filled < values.length) {
    for (const value of hostNormal(values.length - filled)) if (value >= a && value <= b) values[filled++] = value;
  }
}

/** Rejection from the uniform distribution, by the ratio of densities: for narrow ranges and tails. */
function tailBetween(values: Float32Array, a: number, b: number): void {
  const peak = a > 0 ? a : b < 0 ? b : 0;
  // beyond 8 deviations from the peak the density is below 1e-14 of it
  const from = Math.max(a, peak - 8);
  const to = Math.min(b, peak + 8);
  let filled = 0;
  while (filled < values.length) {
    const count = values.length - filled;
    const places = hostUniform(count);
    const chances = hostUniform(count);
    for (let i = 0; i < count; i++) {
      const value = from + (to - from) * places[i]!;
      if (chances[i]! < Math.exp((peak * peak - value * value) / 2)) values[filled++] = value;
    }
  }
}

export interface OrthogonalOptions {
  /** Factor on the matrix. Default 1. */
  readonly gain?: number;
}

/**
 * A matrix with orthonormal rows or columns (whichever are fewer) times `gain`, over the shape as [first, rest].
 * (Saxe et al. 2014.) Throws ShapeError below rank 2.
 *
 * @example
 * import { orthogonal } from '@nn/layers';
 * const q = orthogonal([3, 3]);
 * const product = await q.matmul(q.transpose()).array();
 * console.log(JSON.stringify(product, (_, x) => (typeof x === 'number' ? Math.abs(Math.round(x)) : x))); // => [[1,0,0],[0,1,0],[0,0,1]]
 */
export function orthogonal(shape: Shape, options: OrthogonalOptions = {}): Tensor {
  const rows = fans('orthogonal', shape) && (shape[0] ?? 0);
  const columns = countOf(shape.slice(1));
  const { gain = 1 } = options;
  const tall = Math.max(rows, columns);
  const wide = Math.min(rows, columns);
  const q = orthonormalColumns(Float64Array.from(hostNormal(tall * wide)), tall, wide);
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = rows >= columns ? row * wide + column : column * wide + row;
      values[row * columns + column] = gain * q[at]!;
    }
  }
  return tensor(values, { shape, borrow: true });
}

/**
 * Gram-Schmidt in double precision, each projection taken from what the ones before it left, on [tall, wide] row-major: what
 * it loses on random matrices is far below float32's rounding. Columns keep the side of the random ones, so that the result
 * is uniform over all such matrices.
 */
function orthonormalColumns(matrix: Float64Array, tall: number, wide: number): Float64Array {
  const get = (row: number, column: number): number => matrix[row * wide + column]!;
  for (let column = 0; column < wide; column++) {
    for (let other = 0; other < column; other++) {
      let dot = 0;
      for (let row = 0; row < tall; row++) dot += get(row, column) * get(row, other);
      for (let row = 0; row < tall; row++) matrix[row * wide + column] = get(row, column) - dot * get(row, other);
    }
    let square = 0;
    for (let row = 0; row < tall; row++) square += get(row, column) ** 2;
    const scale = 1 / Math.sqrt(square);
    for (let row = 0; row < tall; row++) matrix[row * wide + column] = get(row, column) * scale;
  }
  return matrix;
}

/**
 * Start values of another structure: convolutions that let channels through, sparse matrices, and Keras' general formula.
 * Those of one value are core's `zeros`, `ones`, `full`; Keras' RandomNormal and RandomUniform core's `normal`, `uniform`; the
 * identity matrix is `eye`.
 */
import {
  checkOptions,
  hostNormal,
  hostUniform,
  type Shape,
  ShapeError,
  showShape,
  type Tensor,
  tensor,
  ValueError,
} from '@nn/core';
import { countOf } from '../layer.ts';
import { fans, normalWith, truncatedNormal, uniformIn } from './initializers.ts';

export interface VarianceScalingOptions {
  /** Default 1. */
  readonly scale?: number;
  /** What the variance is divided by. Default 'fanIn'. */
  readonly mode?: 'fanIn' | 'fanOut' | 'fanAverage';
  /** Default 'truncatedNormal': cut off at two deviations and widened to keep the variance. */
  readonly distribution?: 'truncatedNormal' | 'normal' | 'uniform';
}

/**
 * Values of mean 0 and variance scale / fan. (Keras' VarianceScaling, of which its Glorot, He and Lecun are cases.)
 *
 * @example
 * import { varianceScaling } from '@nn/layers';
 * console.log(varianceScaling([4, 2], { scale: 2, mode: 'fanAverage' }).shape); // => [4, 2]
 */
export function varianceScaling(shape: Shape, options: VarianceScalingOptions = {}): Tensor {
  checkOptions('varianceScaling', options, ['scale', 'mode', 'distribution']);
  const { scale = 1, mode = 'fanIn', distribution = 'truncatedNormal' } = options;
  if (!(scale > 0)) throw new ValueError('varianceScaling', `the scale is ${scale}: it must be above 0.`, { scale });
  const { fanIn, fanOut } = fans('varianceScaling', shape);
  const fan = mode === 'fanIn' ? fanIn : mode === 'fanOut' ? fanOut : (fanIn + fanOut) / 2;
  const deviation = Math.sqrt(scale / Math.max(1, fan));
  if (distribution === 'uniform') return uniformIn(shape, Math.sqrt(3) * deviation);
  if (distribution === 'normal') return normalWith(shape, deviation);
  // 0.8796... is the deviation of the standard normal distribution cut off at ±2
  const wide = deviation / 0.8796256610342398;
  return truncatedNormal(shape, { standardDeviation: wide, low: -2 * wide, high: 2 * wide });
}

/**
 * A kernel [outputs, inputs, ...kernel] that lets as many channels through as it can: 1 at the middle where output and input
 * are the same channel (of their group), 0 elsewhere. (PyTorch's `dirac_`.) Throws ShapeError below rank 3.
 *
 * @example
 * import { dirac } from '@nn/layers';
 * console.log(await dirac([2, 1, 3]).array()); // => [[[0, 1, 0]], [[0, 0, 0]]]
 */
export function dirac(shape: Shape, options: { readonly groups?: number } = {}): Tensor {
  checkOptions('dirac', options, ['groups']);
  const { groups = 1 } = options;
  const [outputs = 0, inputs = 0, ...kernel] = shape;
  if (kernel.length === 0) {
    throw new ShapeError('dirac', `${showShape(shape)} is no kernel: it needs the form [outputs, inputs, ...kernel].`, {
      shape,
    });
  }
  if (!Number.isInteger(groups) || groups < 1 || outputs % groups !== 0) {
    throw new ShapeError('dirac', `${outputs} outputs do not divide into ${groups} groups.`, { shape, groups });
  }
  const values = new Float32Array(countOf(shape));
  const taps = countOf(kernel);
  const middle = kernel.reduce((at, size) => at * size + Math.floor(size / 2), 0);
  const each = outputs / groups;
  for (let output = 0; output < outputs; output++) {
    const input = output % each;
    if (input < inputs) values[(output * inputs + input) * taps + middle] = 1;
  }
  return tensor(values, { shape, borrow: true });
}

/**
 * Normal values, of which in each column a share `sparsity`, rounded up, is 0: [rows, columns]. (Martens 2010; PyTorch's
 * `sparse_`.)
 *
 * @example
 * import { sparse } from '@nn/layers';
 * const values = await sparse([10, 3], { sparsity: 0.75 }).data();
 * console.log(values.filter((value) => value === 0).length); // => 24
 */
export function sparse(
  shape: Shape,
  options: { readonly sparsity: number; readonly standardDeviation?: number },
): Tensor {
  checkOptions('sparse', options, ['sparsity', 'standardDeviation']);
  const { sparsity, standardDeviation = 0.01 } = options;
  const [rows = 0, columns = 0] = shape;
  if (shape.length !== 2)
    throw new ShapeError('sparse', `${showShape(shape)} is no matrix [rows, columns].`, { shape });
  if (!(sparsity >= 0 && sparsity <= 1)) {
    throw new ValueError('sparse', `the sparsity is ${sparsity}: it is the share of zeros, from 0 to 1.`, { sparsity });
  }
  const values = hostNormal(rows * columns).map((value) => value * standardDeviation);
  const zeros = Math.ceil(sparsity * rows);
  for (let column = 0; column < columns; column++) {
    const order = hostUniform(rows);
    const picked = Array.from(order.keys()).sort((a, b) => order[a]! - order[b]!);
    for (const row of picked.slice(0, zeros)) values[row * columns + column] = 0;
  }
  return tensor(values, { shape, borrow: true });
}

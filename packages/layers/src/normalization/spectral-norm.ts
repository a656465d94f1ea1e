/** A weight divided by its largest singular value. Owns the iteration that finds it. */
import { checkOptions, hostNormal, isTraining, type Parameter, parameter, type Tensor, ValueError } from '@nn/core';
import { requireWhole } from '../layer.ts';
import { parameterOf, parametrize } from './weight-norm.ts';

export interface SpectralNormOptions {
  /** The field of the layer. Default 'weight'. */
  readonly name?: string;
  /** Steps of the power iteration in each call of training. Default 1. */
  readonly iterations?: number;
  /** The smallest length to divide by. Default 1e-12. */
  readonly epsilon?: number;
  /** The axis of the outputs, which become the rows of a matrix; 1 for transposed convolutions. Default 0. */
  readonly axis?: number;
}

/** So many steps at first, as PyTorch's newer `parametrizations.spectral_norm` makes. */
const FIRST_STEPS = 15;

/**
 * Divides a layer's weight by its largest singular value, so that the layer stretches nothing by more than 1: for the critics of
 * GANs. (Miyato et al. 2018; PyTorch's `nn.utils.spectral_norm`; Keras' `SpectralNormalization`.) Each call in training goes on
 * with the power iteration, whose vectors are buffers; evaluation leaves them alone.
 *
 * Returns the layer, which has `weight_orig`, `weight_u` and `weight_v` now. Do this before an optimizer takes the parameters.
 * Throws ValueError for a layer without `forward` or such a field.
 *
 * @example
 * import { namedParameters } from '@nn/core';
 * import { Linear, spectralNorm } from '@nn/layers';
 * const layer = spectralNorm(new Linear(2, 3));
 * console.log([...namedParameters(layer).keys()].join()); // => bias,weight_orig,weight_u,weight_v
 */
export function spectralNorm<L extends { forward(...inputs: never[]): unknown }>(
  layer: L,
  options: SpectralNormOptions = {},
): L {
  checkOptions('spectralNorm', options, ['name', 'iterations', 'epsilon', 'axis']);
  const { name = 'weight', iterations = 1, epsilon = 1e-12, axis = 0 } = options;
  requireWhole('spectralNorm', 'iterations', iterations);
  const original = parameterOf('spectralNorm', layer, name);
  if (!Number.isInteger(axis) || axis < 0 || axis >= original.rank || original.rank < 2) {
    throw new ValueError('spectralNorm', `axis is ${axis}: ${name} has ${original.rank} axes, and takes at least 2.`, {
      axis,
    });
  }
  const rows = original.shape[axis] ?? 1;
  const order = [axis, ...original.shape.map((_, a) => a).filter((a) => a !== axis)];
  const matrix = (): Tensor => original.permute(order).reshape([rows, original.size / rows]);
  const [u, v] = [unitVector(rows), unitVector(original.size / rows)];
  const iterate = (steps: number): void => {
    const w = matrix().stopGradient();
    let [left, right]: [Tensor, Tensor] = [u, v];
    for (let step = 0; step < steps; step++) {
      right = unit(left.matmul(w), epsilon);
      left = unit(w.matmul(right), epsilon);
    }
    u.assign(left);
    v.assign(right);
  };
  const normalized = (): Tensor => {
    const [left, right] = [u.stopGradient(), v.stopGradient()];
    return original.div(left.mul(matrix().matmul(right)).sum());
  };
  iterate(FIRST_STEPS);
  let current: Tensor | null = null;
  parametrize(
    layer,
    name,
    { [`${name}Orig`]: original, [`${name}U`]: u, [`${name}V`]: v },
    () => current ?? normalized(),
  );
  const { forward } = layer;
  Object.defineProperty(layer, 'forward', {
    configurable: true,
    writable: true,
    // one weight for the whole call, however often it is asked for
    value(...inputs: never[]): unknown {
      if (isTraining()) iterate(iterations);
      current = normalized();
      try {
        return forward.apply(layer, inputs);
      } finally {
        current = null;
      }
    },
  });
  return layer;
}

function unit(x: Tensor, epsilon: number): Tensor {
  return x.div(x.norm().maximum(epsilon));
}

function unitVector(size: number): Parameter {
  const values = hostNormal(size);
  const length = Math.hypot(...values) || 1;
  return parameter(
    values.map((value) => value / length),
    { shape: [size], buffer: true },
  );
}

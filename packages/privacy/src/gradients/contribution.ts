/**
 * What one use of a parameter adds to each sample's gradient, in three forms that agree: the norm alone, the gradient of
 * each sample, the weighted sum over samples. Where a gradient is an outer product its norm needs no gradient: the "ghost
 * norm". Owns the arithmetic; which layer is which is `rules.ts`'.
 */
import { arange, einsum, type Parameter, type Tensor, zeros } from '@nn/core';

export interface Contribution {
  readonly parameter: Parameter;
  /** The square of the norm of each sample's gradient: [N]. */
  squaredNorms(): Tensor;
  /** The gradient of each sample: [N, ...shape of the parameter]. */
  perSample(): Tensor;
  /** The sum over samples of weight [N] times gradient: [...shape of the parameter]. */
  weighted(weights: Tensor): Tensor;
}

/** Of gradients that are there, one for each sample: [N, ...]. */
export function materialized(parameter: Parameter, gradients: Tensor): Contribution {
  const rows = gradients.reshape([gradients.shape[0]!, parameter.size]);
  return {
    parameter,
    squaredNorms: () => rows.square().sum(1),
    perSample: () => gradients,
    weighted: (weights) => weights.unsqueeze(0).matmul(rows).reshape(parameter.shape),
  };
}

/**
 * Of a weight [outputs, inputs] that is multiplied with `inputs` [N, T, inputs] where the results have the gradients
 * `slopes` [N, T, outputs]: each sample's gradient is D^T A. With one position its norm is |a| |d|; with more, the square is
 * the sum of (A A^T) (D D^T), which is less work than D^T A itself while 2 T^2 < inputs * outputs. (Goodfellow 2015; Li et
 * al. 2022; Bu et al. 2022.)
 */
export function product(parameter: Parameter, inputs: Tensor, slopes: Tensor): Contribution {
  const [rows, positions, width] = inputs.shape as readonly [number, number, number];
  const outputs = slopes.shape[2]!;
  const isGhost = positions === 1 || 2 * positions * positions < width * outputs;
  if (!isGhost) {
    const gradients = slopes.transpose(1, 2).matmul(inputs);
    return materialized(parameter, gradients.reshape([rows, ...parameter.shape]));
  }
  return {
    parameter,
    squaredNorms: () =>
      positions === 1
        ? inputs
            .square()
            .sum([1, 2])
            .mul(slopes.square().sum([1, 2]))
        : gram(inputs).mul(gram(slopes)).sum([1, 2]),
    perSample: () =>
      slopes
        .transpose(1, 2)
        .matmul(inputs)
        .reshape([rows, ...parameter.shape]),
    weighted: (weights) =>
      slopes
        .mul(weights.reshape([rows, 1, 1]))
        .reshape([rows * positions, outputs])
        .transpose()
        .matmul(inputs.reshape([rows * positions, width]))
        .reshape(parameter.shape),
  };
}

/** x x^T of each sample: [N, T, width] to [N, T, T]. */
const gram = (x: Tensor): Tensor => x.matmul(x.transpose(1, 2));

/** Of a bias that is added at all positions of `slopes` [N, T, outputs]. */
export function sum(parameter: Parameter, slopes: Tensor): Contribution {
  return materialized(parameter, slopes.sum(1));
}

/**
 * Of a table whose rows `indices` [N, T] were looked up, the results having the gradients `slopes` [N, T, width]: two
 * positions meet in the gradient where they name one row, so the square is the sum of (i = j) (D D^T).
 */
export function lookup(parameter: Parameter, indices: Tensor, slopes: Tensor): Contribution {
  const [rows, positions, width] = slopes.shape as readonly [number, number, number];
  const { shape } = parameter;
  const weighted = (weights: Tensor): Tensor =>
    scatter(
      slopes.mul(weights.reshape([rows, 1, 1])).reshape([rows * positions, width]),
      indices.reshape([rows * positions]),
      shape[0]!,
    );
  return {
    parameter,
    squaredNorms: () => {
      const same = indices.unsqueeze(2).equal(indices.unsqueeze(1)).cast('float32');
      return same.mul(gram(slopes)).sum([1, 2]);
    },
    perSample: () => einsum('ntv,ntd->nvd', oneHotOf(indices, shape[0]!), slopes),
    weighted,
  };
}

function scatter(slopes: Tensor, indices: Tensor, count: number): Tensor {
  return zeros([count, slopes.shape[1]!]).scatterAdd(indices, slopes, 0);
}

function oneHotOf(indices: Tensor, count: number): Tensor {
  const shape = [...indices.shape, count];
  return indices.unsqueeze(2).expand(shape).equal(arange(count).cast('int32')).cast('float32');
}

/** Several uses of one parameter: their gradients meet, so they are needed themselves. */
export function joined(uses: readonly Contribution[]): Contribution {
  const [first] = uses;
  if (first !== undefined && uses.length === 1) return first;
  const all = uses.map((use) => use.perSample()).reduce((a, b) => a.add(b));
  return materialized(first!.parameter, all);
}

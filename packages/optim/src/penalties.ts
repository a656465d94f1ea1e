/**
 * Regularisers: scalars that are added to a loss, of weights or, for activity regularisation, of what a layer answers.
 * Plain functions of tensors, so that the loss that is shown is the one that falls.
 */
import { eye, ShapeError, type Tensor, ValueError } from '@nn/core';

function sumOf(
  operation: string,
  tensors: Tensor | readonly Tensor[],
  of: (x: Tensor) => Tensor,
  factor: number,
): Tensor {
  const [first, ...rest] = 'shape' in tensors ? [tensors] : tensors;
  if (first === undefined) throw new ValueError(operation, 'there are no tensors.');
  return rest.reduce((sum, x) => sum.add(of(x).sum()), of(first).sum()).mul(factor);
}

/**
 * factor (default 0.01) times the sum of absolute values. Keras' `L1`; of a batch of activations divide by its size, as
 * Keras' `ActivityRegularization` does.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { l1Penalty } from '@nn/optim';
 * console.log(await l1Penalty([tensor([1, -2]), tensor([[3]])], 0.5).item()); // => 3
 */
export function l1Penalty(tensors: Tensor | readonly Tensor[], factor = 0.01): Tensor {
  return sumOf('l1Penalty', tensors, (x) => x.abs(), factor);
}

/**
 * factor (default 0.01) times the sum of squares. Keras' `L2`; with `l1Penalty` added, `L1L2`. The option `weightDecay` of
 * SGD is the same as a factor of half of it, and is not shown in the loss.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { l2Penalty } from '@nn/optim';
 * console.log(await l2Penalty(tensor([1, -2]), 0.5).item()); // => 2.5
 */
export function l2Penalty(tensors: Tensor | readonly Tensor[], factor = 0.01): Tensor {
  return sumOf('l2Penalty', tensors, (x) => x.square(), factor);
}

/**
 * factor (default 0.01) times the mean absolute cosine between two rows (or columns) of a matrix: 0 where all are at right
 * angles. Keras' `OrthogonalRegularizer`. Throws ShapeError for anything but a matrix of at least 2 of them.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { orthogonalPenalty } from '@nn/optim';
 * console.log(await orthogonalPenalty(tensor([[1, 0], [0, 3]])).item()); // => 0
 */
export function orthogonalPenalty(matrix: Tensor, factor = 0.01, mode: 'rows' | 'columns' = 'rows'): Tensor {
  const rows = mode === 'rows' ? matrix : matrix.rank === 2 ? matrix.transpose() : matrix;
  const [count = 0] = rows.shape;
  if (matrix.rank !== 2 || count < 2) {
    throw new ShapeError(
      'orthogonalPenalty',
      `needs a matrix of at least 2 ${mode}, got [${matrix.shape.join(', ')}].`,
      {
        shape: matrix.shape,
      },
    );
  }
  const unit = rows.div(rows.square().sum(1, { keepAxes: true }).maximum(1e-12).sqrt());
  const cosines = unit.matmul(unit.transpose());
  // each pair stands twice in the square
  const pairs = (count * (count - 1)) / 2;
  return cosines
    .mul(eye(count).neg().add(1))
    .abs()
    .sum()
    .mul((factor * 0.5) / pairs);
}

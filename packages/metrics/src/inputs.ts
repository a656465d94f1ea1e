/** What metrics take besides predictions and targets: weights and masks; and the checks of shapes that all share. */
import { arange, checkOptions, type Shape, ShapeError, showShape, type Tensor, ValueError, where } from '@nn/core';

/** Given to every update and every function of tensors. */
export interface Weighting {
  /** How much each sample counts: the shape of the targets, or of their first axes ([N]). 1 where not given. */
  readonly weights?: Tensor | undefined;
  /** Which samples count at all, as a loader gives it for a padded batch: bool, of the same shapes. */
  readonly mask?: Tensor | undefined;
}

/** What an update takes. */
export type Batch = readonly [predictions: Tensor, targets: Tensor, weighting?: Weighting];

/** What an update of a metric was given besides tensors; throws ValueError for a name that would be ignored. */
export function checkWeighting(metric: object, weighting: Weighting): Weighting {
  checkOptions(String(metric), weighting, ['weights', 'mask']);
  return weighting;
}

/** Throws ValueError unless an option is a whole number, `least` or more. */
export function checkWhole(operation: string, name: string, value: number, least: number = 1): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new ValueError(operation, `${name} is ${value}: it must be a whole number from ${least}.`, { [name]: value });
}

/** Throws ShapeError unless predictions and targets pair element by element. */
export function requireSameShape(operation: string, predictions: Tensor, targets: Tensor): void {
  const [given, expected] = [showShape(predictions.shape), showShape(targets.shape)];
  if (given === expected) return;
  throw new ShapeError(operation, `the predictions are ${given}, the targets ${expected}: reshape one of them.`, {
    predictions: predictions.shape,
    targets: targets.shape,
  });
}

/** Weights and mask as one float32 tensor of exactly `shape`; null where every element counts 1. */
export function weightsOf(operation: string, shape: Shape, { weights, mask }: Weighting): Tensor | null {
  const [factor, other] = [spread(operation, 'weights', weights, shape), spread(operation, 'mask', mask, shape)];
  return factor && other ? factor.mul(other) : (factor ?? other);
}

/** A factor per sample, repeated over the axes that follow those it has. */
function spread(operation: string, what: string, given: Tensor | undefined, shape: Shape): Tensor | null {
  if (given === undefined) return null;
  const { shape: own } = given;
  if (own.some((size, axis) => size !== shape[axis])) {
    throw new ShapeError(
      operation,
      `${what} ${showShape(own)} for samples ${showShape(shape)}: give one for each, or each of the first axes.`,
      { [what]: own, shape },
    );
  }
  const wide = given.cast('float32').reshape([...own, ...shape.slice(own.length).fill(1)]);
  return wide.expand(shape);
}

/**
 * Several weighted sums over the last axis in one kernel: terms that broadcast to a common shape [..., n] become
 * [terms, ...]. Row k of the result is the sum of term k.
 */
export function sumsOf(terms: readonly (Tensor | number)[], shape: Shape, weights: Tensor | null): Tensor {
  const full = [terms.length, ...shape];
  // the number of the row as wide as the result: then comparing it costs no kernel of its own
  const row = arange(terms.length)
    .reshape([terms.length, ...shape.map(() => 1)])
    .expand(full);
  const chosen = terms.reduceRight<Tensor | number>((rest, term, k) => where(row.equal(k), term, rest), 0) as Tensor;
  return (weights === null ? chosen : chosen.mul(weights)).expand(full).sum(-1);
}

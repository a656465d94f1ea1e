/**
 * What all losses share: the form `loss(prediction, target, options)`, masks, weights of samples, and how the losses of the
 * elements become one. Owns no formula.
 */
import { excerpt, isTensor, type Shape, ShapeError, showShape, type Tensor, tensor, ValueError, where } from '@nn/core';

import { keepOver, type MaskOptions } from '../mask.ts';

/** How the losses of the elements become one: their mean, their sum, or not at all. */
export type Reduction = 'mean' | 'sum' | 'none';

export interface LossOptions extends MaskOptions {
  /** Default 'mean': with a mask, over what counts. */
  readonly reduction?: Reduction;
  /**
   * A factor for each sample: [N], or more of the first axes of the losses. As in Keras, the mean still divides by how many
   * there are, not by the sum of the factors.
   */
  readonly sampleWeight?: Tensor | readonly number[];
}

/** The names in LossOptions, for `checkOptions`. */
export const lossOptions: readonly string[] = ['reduction', 'mask', 'sampleWeight'];

/** Applies weights and reduction to losses [N, ...], of which those count that the mask says. */
export function reduceLoss(loss: string, losses: Tensor, options: LossOptions): Tensor {
  const { reduction = 'mean', mask } = options;
  const weighed = weighSamples(loss, losses, options);
  if (mask === undefined) {
    if (reduction === 'mean') return weighed.mean();
    return reduction === 'sum' ? weighed.sum() : weighed;
  }
  const keep = keepOver(loss, mask, losses);
  const kept = where(keep, weighed, 0);
  if (reduction === 'none') return kept;
  return reduction === 'sum' ? kept.sum() : kept.sum().div(keep.expand(losses.shape).cast('float32').sum());
}

/** The losses times the weights of their samples; a weight in padding is not looked at. */
export function weighSamples(loss: string, losses: Tensor, { sampleWeight, mask }: LossOptions): Tensor {
  if (sampleWeight === undefined) return losses;
  const given = isList(sampleWeight) ? tensor(sampleWeight) : sampleWeight;
  const { shape } = losses;
  if (given.rank === 0 || given.rank > shape.length || given.shape.some((size, axis) => size !== shape[axis])) {
    throw new ShapeError(
      loss,
      `sampleWeight ${showShape(given.shape)} does not fit the losses ${showShape(shape)}: it must have their first axes, [N] or more.`,
      { loss, sampleWeight: given.shape, losses: shape },
    );
  }
  const weights = given.reshape([...given.shape, ...shape.slice(given.rank).map(() => 1)]);
  return losses.mul(mask === undefined ? weights : where(keepOver(loss, mask, losses), weights, 0));
}

/** Whether numbers came as a list: type predicates for arrays do not hold for readonly ones. */
export function isList(values: Tensor | readonly number[]): values is readonly number[] {
  return Array.isArray(values);
}

function isSameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** For JavaScript, which has no types: throws ValueError for a list of numbers, or for a batch as a whole. */
export function requireTensors(loss: string, ...given: readonly unknown[]): void {
  const wrong = given.find((one) => !isTensor(one));
  if (wrong === undefined && given.every(isTensor)) return;
  throw new ValueError(
    loss,
    `takes two tensors, what the model gives and the target, got ${excerpt(String(wrong))}: tensor([...]) makes one of numbers.`,
  );
}

/** Losses compare element by element: a shape that broadcasts ([N, 1] with [N]) is nearly always a mistake. */
export function requireSameShape(loss: string, prediction: Tensor, target: Tensor): void {
  requireTensors(loss, prediction, target);
  const { shape } = prediction;
  if (isSameShape(shape, target.shape)) return;
  throw new ShapeError(
    loss,
    `the prediction ${showShape(shape)} and the target ${showShape(target.shape)} have different shapes: reshape one of them.`,
    { loss, prediction: shape, target: target.shape },
  );
}

/** Throws unless a tensor has the shape that the loss needs beside its first one. */
export function requireShape(loss: string, what: string, given: Tensor, shape: Shape): void {
  if (isSameShape(given.shape, shape)) return;
  throw new ShapeError(loss, `the ${what} must be ${showShape(shape)}, got ${showShape(given.shape)}.`, {
    loss,
    [what]: given.shape,
    expected: shape,
  });
}

/** A tensor where it counts, and 0 elsewhere: what stands in padding reaches neither the loss nor a gradient. */
export function shown(loss: string, x: Tensor, { mask }: MaskOptions): Tensor {
  return mask === undefined ? x : where(keepOver(loss, mask, x), x, 0);
}

/** Prediction and target of one shape, where they count. */
export function compared(
  loss: string,
  prediction: Tensor,
  target: Tensor,
  options: MaskOptions,
): readonly [Tensor, Tensor] {
  requireSameShape(loss, prediction, target);
  return [shown(loss, prediction, options), shown(loss, target, options)];
}

/** Targets of 0 and 1 moved towards 1/2: t (1 - smoothing) + smoothing / 2. (Szegedy et al. 2016.) */
export function smoothed(loss: string, target: Tensor, labelSmoothing = 0): Tensor {
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new ValueError(loss, `labelSmoothing is ${labelSmoothing}: it must be from 0 to 1.`, { labelSmoothing });
  }
  return labelSmoothing === 0 ? target : target.mul(1 - labelSmoothing).add(labelSmoothing / 2);
}

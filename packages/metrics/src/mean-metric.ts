/**
 * Metrics that are the weighted mean of one number per element: two sums. Each has two forms made of one definition,
 * a function of tensors and a class; owns what both share.
 */
import { ones, type Tensor, where } from '@nn/core';
import { sumsOf, type Weighting, weightsOf } from './inputs.ts';
import { SumMetric } from './sum-metric.ts';

/** One number per element, and how much each counts (null: 1). */
export interface Elements {
  readonly values: Tensor;
  readonly weights: Tensor | null;
}

/** Elements with the weights of an update. */
export function weighted(operation: string, values: Tensor, weighting: Weighting): Elements {
  return { values, weights: weightsOf(operation, values.shape, weighting) };
}

/** The sums [2, 1]: of weighted values, and of weights. Elements of weight 0 count nothing, whatever they are. */
function meanSums({ values, weights }: Elements): Tensor {
  const shape = [values.size];
  const flat = values.cast('float32').reshape(shape);
  const w = weights?.reshape(shape);
  return sumsOf(w === undefined ? [flat, ones(shape)] : [keep(w, flat).mul(w), w], shape).reshape([2, 1]);
}

/** The values that count: what a mask leaves out may be NaN. */
function keep(weights: Tensor, values: Tensor): Tensor {
  return where(weights.equal(0), 0, values);
}

/** The weighted mean as a 0-d tensor: 0 where nothing counts. */
export function meanOf(elements: Elements): Tensor {
  const { values, weights } = elements;
  if (weights === null) return values.cast('float32').mean();
  const total = weights.sum();
  return keep(weights, values.cast('float32'))
    .mul(weights)
    .sum()
    .div(total.add(total.equal(0)));
}

/** A metric of `elements(...batch)`; `finish` turns the mean into the value. */
export abstract class MeanMetric<Arguments extends readonly unknown[]> extends SumMetric<Arguments, number> {
  /** One number per element of a batch. */
  protected abstract elements(...batch: Arguments): Elements;

  /** The value of the mean. */
  protected finish(mean: number): number {
    return mean;
  }

  protected override measure(...batch: Arguments): Tensor {
    return meanSums(this.elements(...batch));
  }

  /** NaN before anything was counted. */
  protected override compute([sum = 0, weight = 0]: Float64Array): number {
    return this.finish(sum / weight);
  }
}

/**
 * Metrics that are the weighted mean of one number per element: two sums. Each has two forms made of one definition,
 * a function of tensors and a class; owns what both share.
 */
import { arange, type Tensor, where } from '@nn/core';
import { type Weighting, weightsOf } from './inputs.ts';
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

/** The values that count, weighted: what a mask leaves out may be NaN. */
function counted({ values, weights }: Elements): Tensor {
  const numbers = values.cast('float32');
  return weights === null ? numbers : where(weights.equal(0), 0, numbers).mul(weights);
}

/** The weighted mean as a 0-d tensor: 0 where nothing counts. */
export function meanOf(elements: Elements): Tensor {
  const { weights } = elements;
  const kept = counted(elements);
  if (weights === null) return kept.mean();
  const total = weights.sum();
  return kept.sum().div(total.add(total.equal(0)));
}

/** A metric of `elements(...batch)`; `finish` turns the mean into the value. */
export abstract class MeanMetric<Arguments extends readonly unknown[]> extends SumMetric<Arguments, number> {
  /** One number per element of a batch. */
  protected abstract elements(...batch: Arguments): Elements;

  /** The value of the mean. */
  protected finish(mean: number): number {
    return mean;
  }

  /** The sums of weighted values and of weights. */
  protected override measure(...batch: Arguments): Tensor {
    const elements = this.elements(...batch);
    const { values, weights } = elements;
    const isFirst = arange(2).reshape([2, 1]).equal(0);
    return where(isFirst, counted(elements).sum(), weights === null ? values.size : weights.sum());
  }

  /** NaN before anything was counted. */
  protected override compute([sum = 0, weight = 0]: Float64Array): number {
    return this.finish(sum / weight);
  }
}

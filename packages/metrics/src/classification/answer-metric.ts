/**
 * Means over answers: of one definition, from predictions and targets to one number per answer, a function of tensors and a
 * class. What is no class has the value -Infinity, which nothing has otherwise, so that no mean with it can be overlooked; what
 * is decided by NaN has that.
 */
import { checkOptions, type Tensor, where } from '@nn/core';
import type { Batch, Weighting } from '../inputs.ts';
import { type Elements, MeanMetric, meanOf } from '../mean-metric.ts';
import { type Answers, requireLabels } from './labels.ts';

/** One number per answer. */
export type AnswerValues<Options> = (
  operation: string,
  predictions: Tensor,
  targets: Tensor,
  options: Options & Weighting,
) => Elements;

/** Values with what the answers count. */
export function elementsOf(values: Tensor, { weights, flaw }: Pick<Answers, 'weights' | 'flaw'>): Elements {
  return { values: values.cast('float32').sub(flaw), weights };
}

/** The mean as a function of tensors: 0-d, NaN where something is no class, or decided by NaN. */
export function answerMean<Options extends object>(
  operation: string,
  valuesOf: AnswerValues<Options>,
  known: readonly string[],
  predictions: Tensor,
  targets: Tensor,
  options: Options & Weighting,
): Tensor {
  checkOptions(operation, options, [...known, 'weights', 'mask']);
  const mean = meanOf(valuesOf(operation, predictions, targets, options));
  return where(mean.equal(Number.NEGATIVE_INFINITY), Number.NaN, mean);
}

/** The mean over all updates. */
export abstract class AnswerMetric extends MeanMetric<Batch> {
  protected override compute(sums: Float64Array): number {
    requireLabels(this, sums[0] !== Number.NEGATIVE_INFINITY);
    return super.compute(sums);
  }
}

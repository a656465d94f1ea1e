/** Metrics that are the mean of one number per pair of prediction and target, given as a function of both. */
import { checkOptions, type Tensor } from '@nn/core';
import { type Batch, checkWeighting, type Weighting } from './inputs.ts';
import { type Elements, MeanMetric, meanOf, weighted } from './mean-metric.ts';

/** One number per element of predictions and targets. */
export type PairFormula = (operation: string, predictions: Tensor, targets: Tensor) => Tensor;

/** The mean of a formula as a function of tensors: 0-d. */
export function pairMean(
  operation: string,
  formula: PairFormula,
  predictions: Tensor,
  targets: Tensor,
  weighting: Weighting,
  known: readonly string[] = [],
): Tensor {
  checkOptions(operation, weighting, [...known, 'weights', 'mask']);
  return meanOf(weighted(operation, formula(operation, predictions, targets), weighting));
}

/** The mean of a formula over all updates. */
export abstract class PairMetric extends MeanMetric<Batch> {
  readonly #formula: PairFormula;

  constructor(name: string, formula: PairFormula, higherIsBetter = false) {
    super(name, higherIsBetter);
    this.#formula = formula;
  }

  protected override elements(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Elements {
    const operation = String(this);
    return weighted(operation, this.#formula(operation, predictions, targets), checkWeighting(this, weighting));
  }
}

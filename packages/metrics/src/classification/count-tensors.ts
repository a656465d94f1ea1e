/** The counts of classes as tensors, for functions whose formula is no quotient of mixtures. */
import type { Tensor } from '@nn/core';
import type { Weighting } from '../inputs.ts';
import { type Counts, countsOf } from './counts.ts';
import type { PredictionOptions } from './labels.ts';

/** Counts of both classes, or of all: [classes] each. */
export function countTensors(
  operation: string,
  predictions: Tensor,
  targets: Tensor,
  options: PredictionOptions & Weighting,
): Counts<Tensor> {
  const counts = countsOf(operation, predictions, targets, options, 'none');
  return [counts.at(0), counts.at(1), counts.at(2), counts.at(3)];
}

/** The counts of classes as tensors, for functions whose formula is no quotient of mixtures. */
import type { Tensor } from '@nn/core';
import type { Weighting } from '../inputs.ts';
import { type Counts, countMarks } from './counts.ts';
import { answersOf, marksOf, type PredictionOptions } from './labels.ts';

/** Counts of both classes, or of all: [classes] each. */
export function countsOf(
  operation: string,
  predictions: Tensor,
  targets: Tensor,
  options: PredictionOptions & Weighting,
): Counts<Tensor> {
  const counts = countMarks(marksOf(answersOf(operation, predictions, targets, options), true));
  return [counts.at(0), counts.at(1), counts.at(2), counts.at(3)];
}

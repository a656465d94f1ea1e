/** Which class each element is predicted to be and is, as columns of zeros and ones: what counts, curves and bins start from. */
import { arange, ones, type Shape, type Tensor, where } from '@nn/core';
import type { Answers, PredictionOptions } from './labels.ts';

export interface MarkOptions extends PredictionOptions {
  /** Whether probabilities count as shares of a prediction, which has gradients, and not as a choice. Default false. */
  readonly soft?: boolean;
}

/** Which class each element is predicted to be and is: [columns, n] each. */
export interface Marks {
  /** A column for each class or label; one where the question is whether something is. */
  readonly columns: number;
  /** Booleans, or probabilities. */
  readonly predicted: Tensor;
  readonly actual: Tensor;
  readonly shape: Shape;
}

/** The marks of answers. `bothClasses`: one question per sample has two columns, and not one of the positive class. */
export function marksOf(answers: Answers, bothClasses: boolean, soft = false): Marks {
  const { classes, isBinary, scores, isLogits } = answers;
  const [questions = 1, n = 0] = answers.shape;
  const isOne = isBinary && (questions > 1 || !bothClasses);
  const columns = isOne ? questions : classes;
  const labels = (isOne ? ones([1]) : arange(columns)).reshape([isOne ? 1 : columns, 1]);
  const marks = { columns, actual: answers.actual.equal(labels), shape: [columns, n] };
  if (!soft || scores === null) return { ...marks, predicted: answers.predicted.equal(labels) };
  if (!isBinary) return { ...marks, predicted: isLogits ? scores.softmax(0) : scores };
  const share = isLogits ? scores.sigmoid() : scores;
  return { ...marks, predicted: where(labels.equal(1), share, share.neg().add(1)) };
}

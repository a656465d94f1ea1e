/** Probabilities of a network that was trained with other shares of classes than there are: after resampling or class weights. */
import { checkOptions, type Tensor, tensor, ValueError } from '@nn/core';

export interface PriorOptions {
  /** How often each class counted in the training: samples after resampling, or samples times class weights. */
  readonly trained: readonly number[];
  /** How often each class occurs where the network is used: its counts before resampling. */
  readonly actual: readonly number[];
}

/**
 * Probabilities for the shares of classes that there are, from those of a network trained with others: p_c actual_c / trained_c,
 * scaled to sum to 1. Of [N, classes], or of [N], the probabilities of the second of two classes. A ranking stays as it is;
 * thresholds and calibration do not. (Saerens et al. 2002; for undersampling Dal Pozzolo et al. 2015.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { correctPriors } from '@nn/train';
 * // trained on as many positive samples as negative ones, of 1 in 100
 * const p = correctPriors(tensor([0.5, 0.99]), { trained: [1, 1], actual: [99, 1] });
 * console.log((await p.array(1)).map((value) => value.toFixed(2))); // => ['0.01', '0.50']
 */
export function correctPriors(probabilities: Tensor, options: PriorOptions): Tensor {
  const operation = 'correctPriors';
  checkOptions(operation, options, ['trained', 'actual']);
  const { trained, actual } = options;
  const isBinary = probabilities.rank === 1;
  const classes = isBinary ? 2 : (probabilities.shape.at(-1) ?? 0);
  for (const [name, counts] of Object.entries({ trained, actual })) {
    if (!Array.isArray(counts)) {
      throw new ValueError(operation, `${name} is ${String(counts)}: it is a list, a number for each class.`);
    }
    if (counts.length !== classes || counts.some((count) => !(count > 0 && Number.isFinite(count)))) {
      throw new ValueError(
        operation,
        `${name} is [${counts.join(', ')}]: give a number above 0 for each of the ${classes} classes of probabilities [${probabilities.shape.join(', ')}].`,
        { [name]: counts },
      );
    }
  }
  const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
  const factors = actual.map((count, k) => count / sum(actual) / (trained[k]! / sum(trained)));
  if (isBinary) {
    const positive = probabilities.mul(factors[1]!);
    const negative = probabilities.neg().add(1).mul(factors[0]!);
    return positive.div(positive.add(negative));
  }
  const scaled = probabilities.mul(tensor(factors));
  return scaled.div(scaled.sum(-1, { keepAxes: true }));
}

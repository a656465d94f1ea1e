/**
 * Weights of classes and samples in a loss: the weighted mean of the losses of samples, for any loop, and as options of a
 * training. Owns how losses become one number.
 */
import {
  checkIndices,
  checkOptions,
  classCountOf,
  isTensor,
  showShape,
  type Tensor,
  tensor,
  ValueError,
  where,
} from '@nn/core';

export interface WeightOptions<B> {
  /** How much each class counts, by its number in `batch.targets`: the step then returns the loss of each sample, [N]. */
  readonly classWeights?: readonly number[];
  /** How much each sample of a batch counts, [N]: the step then returns the loss of each sample, [N]. */
  readonly sampleWeights?: (batch: B) => Tensor;
}

/** What weighs the losses of samples. */
export interface LossWeights {
  /** A factor for each sample: [N]. */
  readonly weights?: Tensor | undefined;
  /** A factor for each class: [classes]; `targets` tells the class of each sample. */
  readonly classWeights?: Tensor | readonly number[] | undefined;
  /** int32 [N] */
  readonly targets?: Tensor | undefined;
  /** Which samples count at all, as a loader tells it: bool [N]. */
  readonly mask?: Tensor | undefined;
}

/**
 * The weighted mean of the losses of samples [N]: sum(w l) / sum(w), 0 where nothing counts. A weight is the product of what
 * is given; losses of samples that do not count may be anything. (PyTorch's mean with class weights.) Throws ValueError where
 * the classes of the losses are not as many as their weights, or a target is none of them; a computed target gives NaN.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { weightedLoss } from '@nn/train';
 * const losses = tensor([1, 4]);
 * const loss = weightedLoss(losses, { classWeights: [1, 2], targets: tensor([0, 1]) });
 * console.log(await loss.item()); // => 3
 */
export function weightedLoss(losses: Tensor, options: LossWeights): Tensor {
  checkOptions('weightedLoss', options, ['weights', 'classWeights', 'targets', 'mask']);
  return weighted('weightedLoss', losses, options);
}

function weighted(operation: string, losses: Tensor, options: LossWeights): Tensor {
  const weight = productOf(operation, options, losses);
  if (weight === null) return losses.mean();
  const total = weight.sum();
  return where(weight.equal(0), 0, losses)
    .mul(weight)
    .sum()
    .div(total.add(total.equal(0)));
}

/** How much each sample counts, [N]; null where nothing says so. Each part must fit the losses, where they are given. */
function productOf(
  operation: string,
  { weights, classWeights, targets, mask }: LossWeights,
  losses?: Tensor,
): Tensor | null {
  let product: Tensor | null = null;
  const add = (name: string, given: Tensor): void => {
    if (!isTensor(given) || (losses && (given.size !== losses.shape[0] || losses.rank !== 1))) {
      throw new ValueError(
        operation,
        `the losses are ${whatIs(losses ?? '[N]')}, the ${name} ${whatIs(given)}: give a tensor with one number for each sample, [N].`,
        { losses: losses?.shape, [name]: isTensor(given) ? given.shape : given },
      );
    }
    const part = given.cast('float32').reshape([given.size]);
    product = product?.mul(part) ?? part;
  };
  if (weights !== undefined) add('weights', weights);
  if (mask !== undefined) add('mask', mask);
  if (classWeights !== undefined) {
    if (!isTensor(targets)) {
      throw new ValueError(
        operation,
        'classWeights need targets, a tensor with the class of each sample (in a training, batch.targets).',
      );
    }
    const factors = isTensor(classWeights) ? classWeights : tensor([...classWeights]);
    if (losses) checkClassCount(operation, losses, factors.size);
    add('targets', factorsOf(operation, factors, targets, mask));
  }
  return product;
}

/** Weights of another number than the classes mean other classes than those that they meet. */
function checkClassCount(operation: string, losses: Tensor, count: number): void {
  const classes = classCountOf(losses) ?? count;
  if (classes === count) return;
  throw new ValueError(
    operation,
    `there are ${count} classWeights, but the losses are over ${classes} classes: give one weight for each class.`,
    { classWeights: count, classes },
  );
}

/** The factor of each sample's class [N]: NaN where a sample that counts is of none. */
function factorsOf(operation: string, factors: Tensor, targets: Tensor, mask: Tensor | undefined): Tensor {
  const whole = targets.cast('int32').reshape([targets.size]);
  // what the mask hides may be of any class
  const meant = mask === undefined ? whole : where(mask.cast('bool').reshape([targets.size]), whole, 0);
  checkIndices(operation, meant, factors.size, 'classWeights, one for each class');
  const isClass = meant.equal(meant.clamp(0, factors.size - 1));
  return where(isClass, factors.takeAlong(meant, 0), Number.NaN);
}

/** The loss of a step, or a ValueError that tells what it is instead. */
export function scalar(loss: Tensor): Tensor {
  if (loss?.size === 1) return loss.shape.length === 0 ? loss : loss.reshape([]);
  throw new ValueError(
    'Training',
    `the step returned ${whatIs(loss)}: return the loss, one number, as crossEntropy gives it.`,
  );
}

export const whatIs = (given: unknown): string =>
  isTensor(given) ? `a tensor ${showShape(given.shape)}` : String(given);

/**
 * How the result of a step becomes one number, as it is or weighted, and how much the samples of a batch count in all, for steps of several
 * batches; null where each counts 1. A validation takes no weights of classes.
 */
export function lossReducer<B>(
  { classWeights, sampleWeights }: WeightOptions<B>,
  use: 'training' | 'validation',
): readonly [reduce: (loss: Tensor, batch: B) => Tensor, weightOf: ((batch: B) => Tensor) | null] {
  if (classWeights === undefined && sampleWeights === undefined) return [scalar, null];
  if (classWeights !== undefined && !(Array.isArray(classWeights) && classWeights.every((weight) => weight >= 0))) {
    throw new ValueError(
      'Training',
      'classWeights are a list, a number from 0 for each class: [1, 4], not { 0: 1, 1: 4 }.',
    );
  }
  // made once: a compiled step sees the same one in each call
  const factors = classWeights && use === 'training' ? tensor([...classWeights]) : undefined;
  const weightsOf = (batch: B): LossWeights => {
    // the cast: whether the targets are a tensor is looked at where they are needed
    const { targets, mask } = Object(batch) as { targets?: Tensor; mask?: unknown };
    const weights = sampleWeights?.(batch);
    return { weights, mask: isTensor(mask) ? mask : undefined, classWeights: factors, targets };
  };
  return [
    (loss, batch) => {
      if (use === 'validation' && loss.rank === 0) return loss;
      if (loss?.rank !== 1) {
        throw new ValueError(
          'Training',
          `with classWeights or sampleWeights the step returns the loss of each sample, [N], not ${whatIs(loss)}: crossEntropy(logits, targets, { reduction: 'none' }).`,
        );
      }
      return weighted('Training', loss, weightsOf(batch));
    },
    (batch) => productOf('Training', weightsOf(batch))!.sum(),
  ];
}

/** Scores of probabilities and margins: log loss, Brier score, hinge loss. Each is a mean of one number per sample. */
import { checkOptions, type Tensor, ValueError, where } from '@nn/core';
import type { Weighting } from '../inputs.ts';
import { type Elements, MeanMetric, meanOf } from '../mean-metric.ts';
import { classesFirst, kindOf, labelsOf, marksOf, type PredictionOptions, requireFrom } from './labels.ts';

type Options = Omit<PredictionOptions, 'threshold'>;
type Batch = readonly [predictions: Tensor, targets: Tensor, weighting?: Weighting];
type Loss = (operation: string, predictions: Tensor, targets: Tensor, options: Options & Weighting) => Elements;

const known = ['from', 'task', 'classes', 'axis', 'ignoreIndex'];

/** The largest finite loss of a probability of 0 in float32: -log of its smallest step below 1. */
const smallest = 2 ** -24;

/** What is predicted for the right class: [n]; and the weights. `spread`: also the sum of squares of all. */
const logLossOf: Loss = (operation, predictions, targets, options) => {
  const kind = kindOf(operation, predictions, targets, options);
  const from = requireFrom(operation, options);
  if (kind === 'scores') {
    const { actual, weights, classes, isOutside } = labelsOf(operation, predictions, targets, options);
    const scores = classesFirst(operation, predictions, options);
    const own = actual.clamp(0, classes - 1).unsqueeze(0);
    const logarithms = from === 'logits' ? scores.logSoftmax(0) : scores.maximum(smallest).log();
    return { values: poisoned(logarithms.takeAlong(own, 0).squeeze(0).neg(), isOutside), weights };
  }
  const { predicted, actual, weights, isOutside, shape } = marksOf(
    operation,
    predictions,
    targets,
    { ...options, soft: true },
    false,
  );
  // log(1 + exp(-+x)) of logits needs no probability
  const losses =
    from === 'logits'
      ? signed(operation, predictions, targets, options).neg().softplus().reshape(shape)
      : where(actual, predicted, predicted.neg().add(1)).maximum(smallest).log().neg();
  return { values: poisoned(losses, isOutside), weights: weights?.expand(shape) ?? null };
};

/** Logits with the sign of the truth, laid out as marks are. */
function signed(operation: string, predictions: Tensor, targets: Tensor, options: Options): Tensor {
  const sides = where(targets.equal(1), predictions, predictions.neg());
  if (kindOf(operation, predictions, targets, options) !== 'multilabel') return sides;
  const columns = predictions.shape.at(-1) as number;
  return sides.reshape([sides.size / columns, columns]).transpose();
}

/** Values that are infinite where the target is no label. */
function poisoned(values: Tensor, isOutside: Tensor): Tensor {
  return where(isOutside, Number.POSITIVE_INFINITY, values);
}

const brierOf: Loss = (operation, predictions, targets, options) => {
  kindOf(operation, predictions, targets, options);
  requireFrom(operation, options);
  const { predicted, actual, weights, isOutside, shape, columns } = marksOf(
    operation,
    predictions,
    targets,
    { ...options, soft: true },
    false,
  );
  const errors = predicted.sub(actual.cast('float32')).square();
  if (columns === 1 || options.task === 'multilabel')
    return { values: poisoned(errors, isOutside), weights: weights?.expand(shape) ?? null };
  return { values: poisoned(errors.sum(0), isOutside), weights: weights?.reshape([shape[1] ?? 0]) ?? null };
};

/** Of margins: 1 - (own - best other), or 1 - y x for one score; 0 from 1 on. (Crammer and Singer 2001.) */
const hingeOf: Loss = (operation, predictions, targets, options) => {
  if (options.from !== undefined && options.from !== 'logits') {
    throw new ValueError(
      operation,
      `the hinge loss is of margins, not of ${options.from}: give the model's scores as they are.`,
    );
  }
  const margins = { ...options, from: 'logits' } as const;
  if (kindOf(operation, predictions, targets, margins) === 'scores') {
    const { actual, weights, classes, isOutside } = labelsOf(operation, predictions, targets, margins);
    const scores = classesFirst(operation, predictions, margins);
    const own = actual.clamp(0, classes - 1).unsqueeze(0);
    const numbers = scores.mul(0).add(1).cumsum(0).sub(1);
    const others = where(numbers.equal(own), -3e38, scores).max(0);
    const margin = scores.takeAlong(own, 0).squeeze(0).sub(others);
    return { values: poisoned(margin.neg().add(1).relu(), isOutside), weights };
  }
  const { weights, isOutside, shape } = marksOf(operation, predictions, targets, margins, false);
  const margin = signed(operation, predictions, targets, margins).reshape(shape);
  return { values: poisoned(margin.neg().add(1).relu(), isOutside), weights: weights?.expand(shape) ?? null };
};

/** A loss as a function: 0-d, infinite where a target is no label. */
function lossOf(
  operation: string,
  loss: Loss,
  predictions: Tensor,
  targets: Tensor,
  options: Options & Weighting,
): Tensor {
  checkOptions(operation, options, [...known, 'weights', 'mask']);
  return meanOf(loss(operation, predictions, targets, options));
}

abstract class LossMetric extends MeanMetric<Batch> {
  readonly #loss: Loss;
  readonly #options: Options;

  constructor(name: string, loss: Loss, options: Options) {
    super(name, false);
    checkOptions(new.target.name, options, known);
    this.#loss = loss;
    this.#options = options;
  }

  protected override elements(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Elements {
    return this.#loss(this.constructor.name, predictions, targets, { ...this.#options, ...weighting });
  }

  protected override finish(mean: number): number {
    if (mean !== Number.POSITIVE_INFINITY) return mean;
    throw new ValueError(
      String(this),
      'some targets are no class, or a loss is infinite: check the targets, or set ignoreIndex.',
    );
  }
}

/**
 * The mean of -log of the probability of the right class (cross entropy), from logits exactly. 0-d, with gradients.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { logLoss } from '@nn/metrics';
 * console.log((await logLoss(tensor([0.8]), tensor([1]), { from: 'probabilities' }).item()).toFixed(4)); // => 0.2231
 */
export function logLoss(predictions: Tensor, targets: Tensor, options: Options & Weighting = {}): Tensor {
  return lossOf('logLoss', logLossOf, predictions, targets, options);
}

/**
 * The mean of -log of the probability of the right class (cross entropy), from logits exactly. Over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { LogLoss } from '@nn/metrics';
 * const metric = new LogLoss({ from: 'probabilities' });
 * metric.update(tensor([0.8]), tensor([1]));
 * console.log((await metric.read()).epoch.toFixed(4)); // => 0.2231
 */
export class LogLoss extends LossMetric {
  static override readonly name: string = 'LogLoss';

  constructor(options: Options = {}, name = 'log_loss') {
    super(name, logLossOf, options);
  }
}

/**
 * The mean squared error of probabilities; with several classes summed over them. (Brier 1950.) 0-d, with gradients.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { brierScore } from '@nn/metrics';
 * console.log((await brierScore(tensor([0.8]), tensor([1]), { from: 'probabilities' }).item()).toFixed(4)); // => 0.0400
 */
export function brierScore(predictions: Tensor, targets: Tensor, options: Options & Weighting = {}): Tensor {
  return lossOf('brierScore', brierOf, predictions, targets, options);
}

/**
 * The mean squared error of probabilities; with several classes summed over them. (Brier 1950.) Over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { BrierScore } from '@nn/metrics';
 * const metric = new BrierScore({ from: 'probabilities' });
 * metric.update(tensor([0.8]), tensor([1]));
 * console.log((await metric.read()).epoch.toFixed(4)); // => 0.0400
 */
export class BrierScore extends LossMetric {
  static override readonly name: string = 'BrierScore';

  constructor(options: Options = {}) {
    super('brier_score', brierOf, options);
  }
}

/**
 * The mean of how much margins are short of 1; with several classes against the best other one. 0-d, with gradients.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { hingeLoss } from '@nn/metrics';
 * console.log((await hingeLoss(tensor([0.8]), tensor([1]), { from: 'logits' }).item()).toFixed(4)); // => 0.2000
 */
export function hingeLoss(predictions: Tensor, targets: Tensor, options: Options & Weighting = {}): Tensor {
  return lossOf('hingeLoss', hingeOf, predictions, targets, options);
}

/**
 * The mean of how much margins are short of 1; with several classes against the best other one. Over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { HingeLoss } from '@nn/metrics';
 * const metric = new HingeLoss({ from: 'logits' });
 * metric.update(tensor([0.8]), tensor([1]));
 * console.log((await metric.read()).epoch.toFixed(4)); // => 0.2000
 */
export class HingeLoss extends LossMetric {
  static override readonly name: string = 'HingeLoss';

  constructor(options: Options = {}) {
    super('hinge_loss', hingeOf, options);
  }
}

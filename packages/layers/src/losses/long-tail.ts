/**
 * Losses for classes of which some are frequent and some rare, and weights for them. All take how often each class occurs.
 * Owns how logits are moved by it; the rest is cross entropy. Deferred re-weighting (Cao et al. 2019) is `weight:
 * classBalancedWeights(counts)` for the last fifth of the epochs only.
 */
import { checkOptions, type Tensor, ValueError, where } from '@nn/core';
import { type ClassLossOptions, checkClassOptions, classLoss, perClass, surprise, targetHits } from './classes.ts';

/** The samples of each class, or numbers in proportion to them. */
export type ClassCounts = readonly number[];

function requireCounts(of: string, counts: ClassCounts): void {
  const wrong = counts.findIndex((count) => !(count > 0 && Number.isFinite(count)));
  if (wrong === -1 && counts.length > 0) return;
  throw new ValueError(
    of,
    wrong === -1
      ? 'the counts are empty: give the number of samples of each class.'
      : `the count of class ${wrong} is ${counts[wrong]}: every class needs at least one sample.`,
    { counts },
  );
}

/**
 * N / (classes n_c), by which all classes weigh the same: scikit-learn's 'balanced'.
 *
 * @example
 * import { balancedWeights } from '@nn/layers';
 * console.log(balancedWeights([30, 10])); // => [0.6666666666666666, 2]
 */
export function balancedWeights(counts: ClassCounts): number[] {
  requireCounts('balancedWeights', counts);
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => total / (counts.length * count));
}

/**
 * (1 - beta) / (1 - beta^n_c), scaled to sum to the number of classes: what a class adds shrinks with its samples.
 * (Cui et al. 2019.) Throws ValueError for a beta outside 0 to 1.
 *
 * @example
 * import { classBalancedWeights } from '@nn/layers';
 * console.log(classBalancedWeights([1000, 100, 10]).map((weight) => weight.toFixed(4))); // => ['0.0422', '0.2800', '2.6778']
 */
export function classBalancedWeights(counts: ClassCounts, options: { readonly beta?: number } = {}): number[] {
  checkOptions('classBalancedWeights', options, ['beta']);
  requireCounts('classBalancedWeights', counts);
  const { beta = 0.999 } = options;
  if (!(beta >= 0 && beta < 1)) {
    throw new ValueError('classBalancedWeights', `beta is ${beta}: it must be at least 0 and below 1.`, { beta });
  }
  // 1 - beta^n without cancelling for beta near 1; for beta 0 all are 1
  const effective = counts.map((count) => -Math.expm1(count * Math.log(beta)) / (1 - beta));
  const total = effective.reduce((sum, size) => sum + 1 / size, 0);
  return effective.map((size) => counts.length / (size * total));
}

/** log(n_c / N), scaled by tau: what logits [N, classes, ...] are moved by. */
function logPrior(of: string, logits: Tensor, counts: ClassCounts, tau: number): Tensor {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return alongClasses(of, logits, counts, (count) => tau * Math.log(count / total));
}

/** A number for each class, made from how often it occurs, laid along the classes of logits. */
function alongClasses(of: string, logits: Tensor, counts: ClassCounts, forCount: (count: number) => number): Tensor {
  requireCounts(of, counts);
  const axis = logits.rank === 1 ? 0 : 1;
  const classes = logits.shape[axis] ?? 0;
  const after = new Array<number>(Math.max(0, logits.rank - axis - 1)).fill(1);
  return perClass(of, 'counts', counts.map(forCount), classes).reshape([classes, ...after]);
}

/**
 * Logits minus tau log(share of the class): for a network that was trained as usual, the choice of the largest is then that
 * for equally frequent classes. (Menon et al. 2021, post hoc.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { adjustLogits } from '@nn/layers';
 * console.log(await adjustLogits(tensor([[1, 0]]), [9, 1]).argMax(1).array()); // => [1]
 */
export function adjustLogits(logits: Tensor, counts: ClassCounts, options: { readonly tau?: number } = {}): Tensor {
  checkOptions('adjustLogits', options, ['tau']);
  return logits.sub(logPrior('adjustLogits', logits, counts, options.tau ?? 1));
}

export interface LogitAdjustedOptions extends ClassLossOptions {
  /** How far: 1 is the exact correction. Default 1. */
  readonly tau?: number;
}

/**
 * Cross entropy of logits + tau log(share of the class): trained so, the logits themselves are those for equally frequent
 * classes. (Menon et al. 2021.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { logitAdjusted } from '@nn/layers';
 * const loss = logitAdjusted(tensor([[0, 0]]), tensor([1]), [75, 25]);
 * console.log((await loss.item()).toFixed(4)); // => 1.3863
 */
export function logitAdjusted(
  logits: Tensor,
  target: Tensor,
  counts: ClassCounts,
  options: LogitAdjustedOptions = {},
): Tensor {
  checkClassOptions('logitAdjusted', options, ['tau']);
  const moved = logits.add(logPrior('logitAdjusted', logits, counts, options.tau ?? 1));
  return classLoss('logitAdjusted', moved, target, options, surprise);
}

/**
 * Cross entropy of softmax(logits + log n_c): the softmax of classes as frequent as they are. The same as `logitAdjusted` with
 * tau 1, under the name of its paper. (Ren et al. 2020.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { balancedSoftmax } from '@nn/layers';
 * const loss = balancedSoftmax(tensor([[0, 0]]), tensor([1]), [75, 25]);
 * console.log((await loss.item()).toFixed(4)); // => 1.3863
 */
export function balancedSoftmax(
  logits: Tensor,
  target: Tensor,
  counts: ClassCounts,
  options: ClassLossOptions = {},
): Tensor {
  checkClassOptions('balancedSoftmax', options);
  const moved = logits.add(logPrior('balancedSoftmax', logits, counts, 1));
  return classLoss('balancedSoftmax', moved, target, options, surprise);
}

export interface LdamOptions extends ClassLossOptions {
  /** The margin of the rarest class. Default 0.5. */
  readonly maxMargin?: number;
  /** What logits are multiplied by; those of cosines need it. Default 30. */
  readonly scale?: number;
}

/**
 * Cross entropy of scale (logits - margin at the target), where the margin of a class is in proportion to n_c^(-1/4): rare
 * classes must win by more. Meant for logits that are cosines. (Cao et al. 2019.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { ldam } from '@nn/layers';
 * const loss = ldam(tensor([[0.5, 0]]), tensor([0]), [1, 16]);
 * console.log((await loss.item()).toFixed(4)); // => 0.6931
 */
export function ldam(logits: Tensor, target: Tensor, counts: ClassCounts, options: LdamOptions = {}): Tensor {
  checkClassOptions('ldam', options, ['maxMargin', 'scale']);
  const { maxMargin = 0.5, scale = 30 } = options;
  const largest = Math.max(...counts.map((count) => count ** -0.25));
  const margins = alongClasses('ldam', logits, counts, (count) => (maxMargin * count ** -0.25) / largest);
  const moved = logits.sub(where(targetHits('ldam', logits, target), margins, 0)).mul(scale);
  return classLoss('ldam', moved, target, options, surprise);
}

export interface EqualizedOptions extends ClassLossOptions {
  /** Classes with a smaller share of the samples than this are rare. Default 0.005. */
  readonly rareShare?: number;
  /** How much of the push against rare classes is taken away, 0 to 1. Default 1. */
  readonly strength?: number;
}

/**
 * Cross entropy whose softmax leaves out rare classes where they are not the target, so that frequent ones do not push them
 * down: their terms weigh 1 - strength. The expectation of the paper's random choice. (Tan et al. 2020.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { equalized } from '@nn/layers';
 * const loss = equalized(tensor([[0, 0, 0]]), tensor([0]), [500, 499, 1]);
 * console.log((await loss.item()).toFixed(4)); // => 0.6931
 */
export function equalized(logits: Tensor, target: Tensor, counts: ClassCounts, options: EqualizedOptions = {}): Tensor {
  checkClassOptions('equalized', options, ['rareShare', 'strength']);
  const { rareShare = 0.005, strength = 1 } = options;
  if (!(strength >= 0 && strength <= 1)) {
    throw new ValueError('equalized', `strength is ${strength}: it must be from 0 to 1.`, { strength });
  }
  const total = counts.reduce((sum, count) => sum + count, 0);
  // log(1 - strength); a term of e^-1e4 is none
  const less = strength === 1 ? -1e4 : Math.log1p(-strength);
  const moves = alongClasses('equalized', logits, counts, (count) => (count / total < rareShare ? less : 0));
  const moved = logits.add(where(targetHits('equalized', logits, target), 0, moves));
  return classLoss('equalized', moved, target, options, surprise);
}

export interface SeesawOptions extends ClassLossOptions {
  /** The power of n_j / n_i by which a rarer class j is pushed less. Default 0.8. */
  readonly p?: number;
  /** The power of p_j / p_i by which a class j that is wrongly likelier is pushed more. Default 2. */
  readonly q?: number;
}

/**
 * Cross entropy whose softmax weighs the term of class j by min(1, n_j / n_i)^p max(1, p_j / p_i)^q, with i the target:
 * rare classes are pushed less by frequent ones, unless they are mistaken for them. The probabilities in the weights take no
 * gradient, and p_i is at least 0.01, as in the authors' code. (Wang et al. 2021.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { seesaw } from '@nn/layers';
 * const loss = seesaw(tensor([[0, 0]]), tensor([0]), [32, 1]);
 * console.log((await loss.item()).toFixed(4)); // => 0.0606
 */
export function seesaw(logits: Tensor, target: Tensor, counts: ClassCounts, options: SeesawOptions = {}): Tensor {
  checkClassOptions('seesaw', options, ['p', 'q']);
  const { p = 0.8, q = 2 } = options;
  const axis = logits.rank === 1 ? 0 : 1;
  const hit = targetHits('seesaw', logits, target);
  const sizes = alongClasses('seesaw', logits, counts, Math.log);
  const ofTarget = where(hit, sizes, 0).sum(axis, { keepAxes: true });
  const mitigation = sizes.sub(ofTarget).minimum(0).mul(p);
  const likely = logits.stopGradient().logSoftmax(axis);
  const own = where(hit, likely, 0).sum(axis, { keepAxes: true }).maximum(Math.log(0.01));
  const compensation = likely.sub(own).maximum(0).mul(q);
  const moved = logits.add(where(hit, 0, mitigation.add(compensation)));
  return classLoss('seesaw', moved, target, options, surprise);
}

/** Distances and likeness of vectors, as functions and as layers. Owns what happens at length 0. */
import { checkOptions, type Tensor, ValueError } from '@nn/core';

export interface NormalizeOptions {
  /** Default 2. */
  readonly order?: number;
  /** Default 1, as in PyTorch. */
  readonly axis?: number;
  /** The smallest length to divide by. Default 1e-12. */
  readonly epsilon?: number;
}

/**
 * x divided by its length along an axis: vectors of length 1. PyTorch's `normalize`; Keras' `UnitNormalization` along axis -1.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { normalize } from '@nn/layers';
 * console.log(await normalize(tensor([[0, 2]])).array()); // => [[0, 1]]
 */
export function normalize(x: Tensor, options: NormalizeOptions = {}): Tensor {
  checkOptions('normalize', options, ['order', 'axis', 'epsilon']);
  const { order = 2, axis = 1, epsilon = 1e-12 } = options;
  return x.div(x.norm(axis, { order, keepAxes: true }).maximum(epsilon));
}

export interface CosineSimilarityOptions {
  /** Default 1, as in PyTorch. */
  readonly axis?: number;
  /** The smallest length to divide by. Default 1e-8. */
  readonly epsilon?: number;
}

/**
 * The cosine of the angle between vectors along an axis, which falls away: a b / (|a| |b|).
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { cosineSimilarity } from '@nn/layers';
 * console.log(await cosineSimilarity(tensor([[0, 2]]), tensor([[0, -3]])).array()); // => [-1]
 */
export function cosineSimilarity(a: Tensor, b: Tensor, options: CosineSimilarityOptions = {}): Tensor {
  checkOptions('cosineSimilarity', options, ['axis', 'epsilon']);
  const { axis = 1, epsilon = 1e-8 } = options;
  return normalize(a, { axis, epsilon }).mul(normalize(b, { axis, epsilon })).sum(axis);
}

export interface PairwiseDistanceOptions {
  /** The order of the norm. Default 2. */
  readonly order?: number;
  /** Added to the differences, against the slope of a root at 0. Default 1e-6. */
  readonly epsilon?: number;
  /** Whether the last axis stays, with size 1. Default false. */
  readonly keepAxes?: boolean;
}

/**
 * The norm of a - b + epsilon along the last axis, which falls away.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { pairwiseDistance } from '@nn/layers';
 * console.log((await pairwiseDistance(tensor([[3, 0]]), tensor([[0, 4]])).item()).toFixed(4)); // => 5.0000
 */
export function pairwiseDistance(a: Tensor, b: Tensor, options: PairwiseDistanceOptions = {}): Tensor {
  checkOptions('pairwiseDistance', options, ['order', 'epsilon', 'keepAxes']);
  const { order = 2, epsilon = 1e-6, keepAxes = false } = options;
  if (!(order > 0)) throw new ValueError('pairwiseDistance', `the order is ${order}: it must be above 0.`, { order });
  return a.sub(b).add(epsilon).norm(-1, { order, keepAxes });
}

/** The cosine of the angle between two inputs, as a layer. See `cosineSimilarity`. */
export class CosineSimilarity {
  readonly options: CosineSimilarityOptions;

  constructor(options: CosineSimilarityOptions = {}) {
    checkOptions('CosineSimilarity', options, ['axis', 'epsilon']);
    this.options = options;
  }

  forward(a: Tensor, b: Tensor): Tensor {
    return cosineSimilarity(a, b, this.options);
  }

  toString(): string {
    return `CosineSimilarity(${this.options.axis ?? 1})`;
  }
}

/** The distance of two inputs, as a layer. See `pairwiseDistance`. */
export class PairwiseDistance {
  readonly options: PairwiseDistanceOptions;

  constructor(options: PairwiseDistanceOptions = {}) {
    checkOptions('PairwiseDistance', options, ['order', 'epsilon', 'keepAxes']);
    this.options = options;
  }

  forward(a: Tensor, b: Tensor): Tensor {
    return pairwiseDistance(a, b, this.options);
  }

  toString(): string {
    return `PairwiseDistance(${this.options.order ?? 2})`;
  }
}

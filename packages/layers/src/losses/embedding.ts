/**
 * Losses of embeddings: what belongs together must be near, the rest far. Owns the formulas; `distance.ts` has the distances.
 * Embeddings are [N, width].
 */
import { arange, checkOptions, concat, eye, ShapeError, showShape, type Tensor, ValueError, where } from '@nn/core';
import { cosineSimilarity, normalize, pairwiseDistance } from '../distance.ts';
import { sizeAt } from '../layer.ts';
import { keepOver } from '../mask.ts';
import { crossEntropy } from './cross-entropy.ts';
import { compared, type LossOptions, lossOptions, reduceLoss, requireShape, shown } from './reduce.ts';

/** So little that nothing of it is left in a sum of exponentials, and finite: differences of it are not NaN. */
const never = -1e30;

/**
 * Minus the cosine of the angle between prediction and target along the last axis: Keras' loss `CosineSimilarity`.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { negativeCosineSimilarity } from '@nn/layers';
 * console.log(await negativeCosineSimilarity(tensor([[0, 2]]), tensor([[0, 3]])).item()); // => -1
 */
export function negativeCosineSimilarity(prediction: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkOptions('negativeCosineSimilarity', options, lossOptions);
  const [guess, wanted] = compared('negativeCosineSimilarity', prediction, target, options);
  return reduceLoss('negativeCosineSimilarity', cosineSimilarity(guess, wanted, { axis: -1 }).neg(), options);
}

export interface CosineEmbeddingOptions extends LossOptions {
  /** From which cosine down those that do not match cost nothing. Default 0. */
  readonly margin?: number;
}

/**
 * 1 - cosine where the target is 1, max(cosine - margin, 0) where it is -1: two inputs [N, width] and a target [N].
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { cosineEmbedding } from '@nn/layers';
 * console.log(await cosineEmbedding(tensor([[0, 2]]), tensor([[3, 0]]), tensor([1])).item()); // => 1
 */
export function cosineEmbedding(
  first: Tensor,
  second: Tensor,
  target: Tensor,
  options: CosineEmbeddingOptions = {},
): Tensor {
  checkOptions('cosineEmbedding', options, [...lossOptions, 'margin']);
  requireShape('cosineEmbedding', 'second input', second, first.shape);
  requireShape('cosineEmbedding', 'target', target, first.shape.slice(0, -1));
  const [a, b, sign] = [first, second, target].map((x) => shown('cosineEmbedding', x, options));
  const cosine = cosineSimilarity(a!, b!, { axis: -1 });
  const losses = where(sign!.equal(1), cosine.neg().add(1), cosine.sub(options.margin ?? 0).relu());
  return reduceLoss('cosineEmbedding', losses, options);
}

export interface TripletMarginOptions extends LossOptions {
  /** How much nearer the positive must be than the negative. Default 1. */
  readonly margin?: number;
  /** The order of the distance. Default 2. */
  readonly order?: number;
  /** Added to differences, against the slope of a root at 0. Default 1e-6. */
  readonly epsilon?: number;
  /** Whether the negative's distance to the positive counts where it is the smaller. Default false. */
  readonly swap?: boolean;
}

/**
 * max(margin + |anchor - positive| - |anchor - negative|, 0). (Schroff et al. 2015; swap: Balntas et al. 2016.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { tripletMargin } from '@nn/layers';
 * const loss = tripletMargin(tensor([[0, 0]]), tensor([[0, 1]]), tensor([[1.5, 0]]));
 * console.log((await loss.item()).toFixed(4)); // => 0.5000
 */
export function tripletMargin(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletMarginOptions = {},
): Tensor {
  checkOptions('tripletMargin', options, [...lossOptions, 'margin', 'order', 'epsilon', 'swap']);
  const { order = 2, epsilon = 1e-6 } = options;
  return triplet('tripletMargin', [anchor, positive, negative], options, (a, b) =>
    pairwiseDistance(a, b, { order, epsilon }),
  );
}

export interface TripletMarginWithDistanceOptions extends LossOptions {
  /** Of two tensors [N, ...], [N]. Default `pairwiseDistance`. */
  readonly distance?: (a: Tensor, b: Tensor) => Tensor;
  /** Default 1. */
  readonly margin?: number;
  /** Whether the negative's distance to the positive counts where it is the smaller. Default false. */
  readonly swap?: boolean;
}

/**
 * `tripletMargin` with a distance of your own.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { tripletMarginWithDistance } from '@nn/layers';
 * const triplet = [tensor([[0, 0]]), tensor([[0, 1]]), tensor([[1.5, 0]])] as const;
 * const loss = tripletMarginWithDistance(...triplet, { distance: (a, b) => a.sub(b).abs().sum(-1) });
 * console.log(await loss.item()); // => 0.5
 */
export function tripletMarginWithDistance(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletMarginWithDistanceOptions = {},
): Tensor {
  checkOptions('tripletMarginWithDistance', options, [...lossOptions, 'distance', 'margin', 'swap']);
  const { distance = (a, b) => pairwiseDistance(a, b) } = options;
  return triplet('tripletMarginWithDistance', [anchor, positive, negative], options, distance);
}

function triplet(
  loss: string,
  inputs: readonly [Tensor, Tensor, Tensor],
  options: LossOptions & { readonly margin?: number; readonly swap?: boolean },
  distance: (a: Tensor, b: Tensor) => Tensor,
): Tensor {
  const { margin = 1, swap = false } = options;
  if (!(margin > 0)) throw new ValueError(loss, `the margin is ${margin}: it must be above 0.`, { margin });
  requireShape(loss, 'positive', inputs[1], inputs[0].shape);
  requireShape(loss, 'negative', inputs[2], inputs[0].shape);
  const [anchor, positive, negative] = inputs.map((x) => shown(loss, x, options));
  const far = distance(anchor!, negative!);
  const least = swap ? far.minimum(distance(positive!, negative!)) : far;
  return reduceLoss(loss, distance(anchor!, positive!).sub(least).add(margin).relu(), options);
}

export interface InfoNceOptions extends LossOptions {
  /** What cosines are divided by. Default 0.07. */
  readonly temperature?: number;
  /** Embeddings [M, width] that belong to none; without them each row has the others' positives as negatives. */
  readonly negatives?: Tensor;
  /** Whether positives must find their queries, too, as in CLIP: the mean of both directions. Default false. */
  readonly symmetric?: boolean;
}

/**
 * Cross entropy of choosing the own positive among all, by cosines divided by a temperature: query and positive [N, width],
 * row by row a pair. (van den Oord et al. 2018.) Rows that a mask hides are nobody's negatives.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { infoNce } from '@nn/layers';
 * const both = tensor([[1, 0], [0, 1]]);
 * console.log((await infoNce(both, both, { temperature: 1 }).item()).toFixed(4)); // => 0.3133
 */
export function infoNce(query: Tensor, positive: Tensor, options: InfoNceOptions = {}): Tensor {
  checkOptions('infoNce', options, [...lossOptions, 'temperature', 'negatives', 'symmetric']);
  const { temperature = 0.07, negatives, symmetric = false, mask } = options;
  if (!(temperature > 0)) {
    throw new ValueError('infoNce', `the temperature is ${temperature}: it must be above 0.`, { temperature });
  }
  if (symmetric && negatives !== undefined) {
    throw new ValueError('infoNce', 'symmetric has no meaning with negatives: leave out one of them.');
  }
  requireRows('infoNce', query);
  const [queries, keys] = compared('infoNce', query, positive, options).map((x) => normalize(x));
  const batch = sizeAt(query, 0);
  if (negatives !== undefined) {
    const own = queries!.mul(keys!).sum(1, { keepAxes: true });
    const others = queries!.matmul(normalize(negatives).transpose());
    const losses = concat([own, others], 1).div(temperature).logSumExp(1).sub(own.squeeze(1).div(temperature));
    return reduceLoss('infoNce', losses, options);
  }
  const keep = mask === undefined ? null : keepOver('infoNce', mask, { shape: [batch] });
  const choose = (cosines: Tensor): Tensor => {
    const logits = cosines.div(temperature);
    const seen = keep === null ? logits : where(keep.logicalOr(eye(batch).notEqual(0)), logits, never);
    return crossEntropy(seen, arange(batch), { reduction: 'none' });
  };
  const cosines = queries!.matmul(keys!.transpose());
  const losses = symmetric ? choose(cosines).add(choose(cosines.transpose())).mul(0.5) : choose(cosines);
  return reduceLoss('infoNce', losses, options);
}

export interface CircleOptions extends LossOptions {
  /** Default 80. */
  readonly gamma?: number;
  /** Default 0.4. */
  readonly margin?: number;
}

/**
 * Pulls embeddings [N, width] of one class together and pushes others apart, each pair in proportion to how far it is from
 * where it should be: softplus(logsumexp over pairs of two classes + logsumexp over pairs of one). A row without partner, or
 * without others, costs 0. Embeddings are normalised here; labels are class indices [N]. (Sun et al. 2020; Keras' `Circle`.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { circle } from '@nn/layers';
 * const loss = circle(tensor([[1, 0], [1, 0], [-1, 0]]), tensor([0, 0, 1]));
 * console.log((await loss.item()).toFixed(4)); // => 0.0000
 */
export function circle(embeddings: Tensor, labels: Tensor, options: CircleOptions = {}): Tensor {
  checkOptions('circle', options, [...lossOptions, 'gamma', 'margin']);
  const { gamma = 80, margin = 0.4, mask } = options;
  requireRows('circle', embeddings);
  const batch = sizeAt(embeddings, 0);
  requireShape('circle', 'labels', labels, [batch]);
  const vectors = normalize(shown('circle', embeddings, options));
  const cosines = vectors.matmul(vectors.transpose());
  const isSame = labels.unsqueeze(1).equal(labels);
  const isOther = eye(batch).equal(0);
  const counts = mask === undefined ? isOther : isOther.logicalAnd(keepOver('circle', mask, { shape: [batch] }));
  const pull = cosines
    .neg()
    .add(1 + margin)
    .relu()
    .stopGradient();
  const push = cosines.add(margin).relu().stopGradient();
  const near = pull.mul(cosines.sub(1 - margin)).mul(-gamma);
  const far = push.mul(cosines.sub(margin)).mul(gamma);
  const over = (logits: Tensor, pairs: Tensor): Tensor => where(counts.logicalAnd(pairs), logits, never).logSumExp(1);
  return reduceLoss('circle', over(far, isSame.logicalNot()).add(over(near, isSame)).softplus(), options);
}

function requireRows(loss: string, x: Tensor): void {
  if (x.rank === 2) return;
  throw new ShapeError(loss, `embeddings must be [N, width], got ${showShape(x.shape)}.`, { shape: x.shape });
}

/**
 * How well an attacker tells who was in the training: from losses alone, or beside models of his own. Owns scores and what
 * they are worth; the losses come from the caller's models. (Yeom et al. 2018; Carlini et al. 2022.)
 */
import { ValueError } from '@nn/core';
import { firstBelow } from '../accounting/bisect.ts';

/** What an attack reaches. */
export interface MembershipReport {
  /** The chance that a member's score is above another's: 0.5 is guessing. */
  readonly auc: number;
  /** The largest difference of true and false positive rate over all thresholds. */
  readonly advantage: number;
  /** The share of members found where at most this share of the others is taken for members: of 0.001, 0.01 and 0.1. */
  readonly truePositiveRates: { readonly at001: number; readonly at01: number; readonly at1: number };
}

/**
 * What scores tell of membership: higher ones say "member". Ties count half. Throws ValueError for no scores, or NaN.
 *
 * @example
 * import { membershipReport } from '@nn/privacy';
 * const { auc, advantage } = membershipReport([3, 2, 1], [0, 1.5, 0.5]);
 * console.log(auc.toFixed(3), advantage.toFixed(3)); // => 0.889 0.667
 */
export function membershipReport(members: ArrayLike<number>, others: ArrayLike<number>): MembershipReport {
  for (const [name, scores] of Object.entries({ members, others })) {
    if (scores.length > 0 && Array.from(scores).every((score) => !Number.isNaN(score))) continue;
    throw new ValueError(
      'membershipReport',
      `${name} has ${scores.length === 0 ? 'no scores' : 'scores that are NaN'}.`,
    );
  }
  const all = [
    ...Array.from(members, (score) => ({ score, isMember: true })),
    ...Array.from(others, (score) => ({ score, isMember: false })),
  ].sort((a, b) => b.score - a.score);
  let [hits, alarms, area, advantage] = [0, 0, 0, 0];
  const curve: { readonly hits: number; readonly alarms: number }[] = [{ hits: 0, alarms: 0 }];
  for (let from = 0; from < all.length; ) {
    let to = from;
    let [more, wrong] = [0, 0];
    for (; to < all.length && all[to]!.score === all[from]!.score; to++) {
      if (all[to]!.isMember) more++;
      else wrong++;
    }
    area += wrong * (hits + more / 2);
    [hits, alarms, from] = [hits + more, alarms + wrong, to];
    advantage = Math.max(advantage, hits / members.length - alarms / others.length);
    curve.push({ hits, alarms });
  }
  const rateAt = (limit: number): number =>
    Math.max(...curve.map((point) => (point.alarms / others.length <= limit ? point.hits / members.length : 0)));
  return {
    auc: area / (members.length * others.length),
    advantage,
    truePositiveRates: { at001: rateAt(0.001), at01: rateAt(0.01), at1: rateAt(0.1) },
  };
}

/** The attack by losses: what was trained on has lower ones. (Yeom et al. 2018.) */
export function lossAttack(memberLosses: ArrayLike<number>, otherLosses: ArrayLike<number>): MembershipReport {
  return membershipReport(
    Array.from(memberLosses, (loss) => -loss),
    Array.from(otherLosses, (loss) => -loss),
  );
}

/** ln p / (1 - p) of a cross-entropy, which is about normal over models. */
const logitOf = (loss: number): number => -loss - Math.log(Math.max(1e-30, -Math.expm1(-Math.max(loss, 1e-30))));

/**
 * Scores of the likelihood-ratio attack: of each sample the loss of the attacked model, beside losses of the attacker's own
 * models, half of which were trained with the sample; ln N(x; in) - ln N(x; out) with one variance each for all samples.
 * (Carlini et al. 2022, LiRA.)
 *
 * @example
 * import { likelihoodRatios } from '@nn/privacy';
 * const scores = likelihoodRatios([0.1, 2], [[0.1, 0.12], [0.2, 0.3]], [[1.5, 1.7], [1.9, 2.2]]);
 * console.log(scores.map((score) => score > 0)); // => [ true, false ]
 */
export function likelihoodRatios(
  losses: ArrayLike<number>,
  inside: readonly (readonly number[])[],
  outside: readonly (readonly number[])[],
): number[] {
  if (inside.length !== losses.length || outside.length !== losses.length) {
    throw new ValueError(
      'likelihoodRatios',
      `there are ${losses.length} losses, ${inside.length} lists of models with the sample and ${outside.length} of models without: give one of each for each sample.`,
    );
  }
  const [a, b] = [fitAll(inside), fitAll(outside)];
  return Array.from(losses, (loss, i) => {
    const x = logitOf(loss);
    return logDensity(x, a.means[i]!, a.variance) - logDensity(x, b.means[i]!, b.variance);
  });
}

function fitAll(lists: readonly (readonly number[])[]): {
  readonly means: readonly number[];
  readonly variance: number;
} {
  const logits = lists.map((list) => list.map(logitOf));
  const means = logits.map((list) => list.reduce((sum, x) => sum + x, 0) / list.length);
  const squares = logits.flatMap((list, i) => list.map((x) => (x - means[i]!) ** 2));
  return { means, variance: Math.max(1e-6, squares.reduce((sum, x) => sum + x, 0) / Math.max(1, squares.length)) };
}

const logDensity = (x: number, mean: number, variance: number): number =>
  -((x - mean) ** 2) / (2 * variance) - Math.log(variance) / 2;

export interface LowerBoundOptions {
  /** Members that the attack found, of so many. */
  readonly truePositives: number;
  readonly members: number;
  /** Others that it took for members, of so many. */
  readonly falsePositives: number;
  readonly others: number;
  readonly delta: number;
  /** Default 0.95. */
  readonly confidence?: number;
}

/**
 * The epsilon that an attack disproves: a mechanism within it would not let so many be found. With Clopper and Pearson's
 * intervals for both rates: ln((lower TPR - delta) / upper FPR). 0 where nothing is disproved. (Jagielski et al. 2020.)
 *
 * @example
 * import { epsilonLowerBound } from '@nn/privacy';
 * const found = { truePositives: 500, members: 1000, falsePositives: 10, others: 1000, delta: 1e-5 };
 * console.log(epsilonLowerBound(found).toFixed(2)); // => 3.24
 */
export function epsilonLowerBound(options: LowerBoundOptions): number {
  const { truePositives, members, falsePositives, others, delta, confidence = 0.95 } = options;
  const tail = (1 - confidence) / 2;
  // the lowest rate at which so many or more hits are no wonder, the highest at which so few or fewer alarms are none
  const lowest = truePositives === 0 ? 0 : firstBelow((rate) => tail - atLeast(truePositives, members, rate), 0, 1);
  const highest =
    falsePositives === others ? 1 : firstBelow((rate) => 1 - atLeast(falsePositives + 1, others, rate) - tail, 0, 1);
  return Math.max(0, Math.log(Math.max(0, lowest - delta) / highest));
}

/** The chance of `count` or more of `all`, each with `rate`. */
function atLeast(count: number, all: number, rate: number): number {
  if (rate <= 0) return count === 0 ? 1 : 0;
  if (rate >= 1) return 1;
  let [sum, logChoose] = [0, 0];
  for (let k = 0; k <= all; k++) {
    if (k > 0) logChoose += Math.log((all - k + 1) / k);
    if (k >= count) sum += Math.exp(logChoose + k * Math.log(rate) + (all - k) * Math.log1p(-rate));
  }
  return Math.min(1, sum);
}

/**
 * How exposed a planted secret is: log2 of the candidates over its rank among them by loss. log2(candidates), the most, says
 * that the model would tell it; 1 is what chance gives on average. (Carlini et al. 2019.)
 *
 * @example
 * import { canaryExposure } from '@nn/privacy';
 * console.log(canaryExposure(0.1, [3, 2, 5, 0.2, 4, 6, 7])); // => 3
 */
export function canaryExposure(canaryLoss: number, candidateLosses: ArrayLike<number>): number {
  if (candidateLosses.length === 0) throw new ValueError('canaryExposure', 'there are no candidates to compare with.');
  const rank = 1 + Array.from(candidateLosses).filter((loss) => loss <= canaryLoss).length;
  return Math.log2((candidateLosses.length + 1) / rank);
}

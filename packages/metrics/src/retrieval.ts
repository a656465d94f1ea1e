/**
 * How good rankings are, query by query: every scored document is kept until the read, which is bounded. Equal scores keep
 * the order in which they came. The value is the mean over queries.
 */
import { checkChoices, checkOptions, ones, stack, type Tensor } from '@nn/core';
import { checkWeighting, checkWhole, requireSameShape, weightsOf } from './inputs.ts';
import { RowMetric, type RowOptions } from './row-metric.ts';

export interface RetrievalOptions extends RowOptions {
  /** What a query without a relevant document counts: 0, or nothing. Default 'zero'. */
  readonly withoutRelevant?: 'zero' | 'skip';
}

export interface TopOptions extends RetrievalOptions {
  /** Only the first k documents count. All by default. */
  readonly k?: number;
}

const known = ['capacity', 'window', 'withoutRelevant'];

/** Relevances of one query, in the order of the ranking. */
type Judge = (ranked: readonly number[]) => number;

/** Rows [weight, query, score, relevance]. */
abstract class RetrievalMetric extends RowMetric<
  readonly [scores: Tensor, relevance: Tensor, queries: Tensor, options?: { readonly mask?: Tensor | undefined }],
  number
> {
  readonly #judge: Judge;
  readonly #skips: boolean;

  constructor(name: string, judge: Judge, options: TopOptions, more: readonly string[] = []) {
    checkOptions(new.target.name, options, [...known, ...more]);
    checkChoices(new.target.name, options, { withoutRelevant: ['zero', 'skip'] });
    super(name, true, 4, options);
    const { k } = options;
    if (k !== undefined) checkWhole(String(this), 'k', k);
    this.#judge = judge;
    this.#skips = options.withoutRelevant === 'skip';
  }

  protected override measure(
    scores: Tensor,
    relevance: Tensor,
    queries: Tensor,
    options: { readonly mask?: Tensor | undefined } = {},
  ): Tensor {
    const operation = String(this);
    requireSameShape(operation, scores, relevance);
    requireSameShape(operation, scores, queries);
    const weights = weightsOf(operation, scores.shape, checkWeighting(this, options)) ?? ones(scores.shape);
    const n = [scores.size];
    return stack(
      [weights, queries, scores, relevance].map((part) => part.cast('float32').reshape(n)),
      1,
    );
  }

  protected override compute(rows: Float32Array): number {
    const queries = new Map<number, { readonly score: number; readonly relevance: number }[]>();
    for (let at = 0; at < rows.length; at += 4) {
      const [query, score, relevance] = [rows[at + 1], rows[at + 2], rows[at + 3]] as [number, number, number];
      const documents = queries.get(query);
      if (documents === undefined) queries.set(query, [{ score, relevance }]);
      else documents.push({ score, relevance });
    }
    let [sum, count] = [0, 0];
    for (const documents of queries.values()) {
      const ranked = documents.sort((a, b) => b.score - a.score).map(({ relevance }) => relevance);
      const isEmpty = !ranked.some((relevance) => relevance > 0);
      if (isEmpty && this.#skips) continue;
      count++;
      if (!isEmpty) sum += this.#judge(ranked);
    }
    return sum / count;
  }
}

const hits = (ranked: readonly number[]): number => ranked.filter((relevance) => relevance > 0).length;

/**
 * The mean of 1 / rank of the first relevant document, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { MeanReciprocalRank } from '@nn/metrics';
 * const metric = new MeanReciprocalRank();
 * metric.update(tensor([0.9, 0.8, 0.7]), tensor([0, 1, 1]), tensor([7, 7, 7]));
 * console.log((await metric.read()).epoch.toFixed(4)); // => 0.5000
 */
export class MeanReciprocalRank extends RetrievalMetric {
  static override readonly name: string = 'MeanReciprocalRank';

  constructor(options: RetrievalOptions = {}) {
    super('mean_reciprocal_rank', (ranked) => 1 / (1 + ranked.findIndex((relevance) => relevance > 0)), options);
  }
}

/**
 * The mean over queries of the mean precision at each relevant document, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { MeanAveragePrecision } from '@nn/metrics';
 * const metric = new MeanAveragePrecision();
 * metric.update(tensor([0.9, 0.8, 0.7]), tensor([0, 1, 1]), tensor([7, 7, 7]));
 * console.log((await metric.read()).epoch.toFixed(4)); // => 0.5833
 */
export class MeanAveragePrecision extends RetrievalMetric {
  static override readonly name: string = 'MeanAveragePrecision';

  constructor(options: RetrievalOptions = {}) {
    super('mean_average_precision', averagePrecisionOf, options);
  }
}

/**
 * The precision among as many documents as are relevant, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { RPrecision } from '@nn/metrics';
 * const metric = new RPrecision();
 * metric.update(tensor([0.9, 0.8, 0.7]), tensor([0, 1, 1]), tensor([7, 7, 7]));
 * console.log((await metric.read()).epoch.toFixed(4)); // => 0.5000
 */
export class RPrecision extends RetrievalMetric {
  static override readonly name: string = 'RPrecision';

  constructor(options: RetrievalOptions = {}) {
    super('r_precision', (ranked) => hits(ranked.slice(0, hits(ranked))) / hits(ranked), options);
  }
}

/**
 * The share of queries with a relevant document among the first k, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { HitRate } from '@nn/metrics';
 * const metric = new HitRate({ k: 2 });
 * metric.update(tensor([0.9, 0.8, 0.7]), tensor([0, 1, 1]), tensor([7, 7, 7]));
 * console.log((await metric.read()).epoch.toFixed(4)); // => 1.0000
 */
export class HitRate extends RetrievalMetric {
  static override readonly name: string = 'HitRate';

  constructor(options: TopOptions = {}) {
    const { k } = options;
    super('hit_rate', (ranked) => Number(hits(ranked.slice(0, k)) > 0), options, ['k']);
  }
}

/**
 * The share of relevant documents among the first k, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { PrecisionAtK } from '@nn/metrics';
 * const metric = new PrecisionAtK({ k: 2 });
 * metric.update(tensor([0.9, 0.8, 0.7]), tensor([0, 1, 1]), tensor([7, 7, 7]));
 * console.log((await metric.read()).epoch.toFixed(4)); // => 0.5000
 */
export class PrecisionAtK extends RetrievalMetric {
  static override readonly name: string = 'PrecisionAtK';

  constructor(options: TopOptions = {}) {
    const { k } = options;
    super('precision_at_k', (ranked) => hits(ranked.slice(0, k)) / (k ?? ranked.length), options, ['k']);
  }
}

/**
 * The share of the relevant documents that is among the first k, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { RecallAtK } from '@nn/metrics';
 * const metric = new RecallAtK({ k: 2 });
 * metric.update(tensor([0.9, 0.8, 0.7]), tensor([0, 1, 1]), tensor([7, 7, 7]));
 * console.log((await metric.read()).epoch.toFixed(4)); // => 0.5000
 */
export class RecallAtK extends RetrievalMetric {
  static override readonly name: string = 'RecallAtK';

  constructor(options: TopOptions = {}) {
    const { k } = options;
    super('recall_at_k', (ranked) => hits(ranked.slice(0, k)) / hits(ranked), options, ['k']);
  }
}

function averagePrecisionOf(ranked: readonly number[]): number {
  let [found, sum] = [0, 0];
  ranked.forEach((relevance, at) => {
    if (relevance > 0) sum += ++found / (at + 1);
  });
  return sum / found;
}

export interface NdcgOptions extends TopOptions {
  /** What a relevance r gains: r, as scikit-learn, or 2^r - 1. Default 'linear'. */
  readonly gain?: 'linear' | 'exponential';
}

/**
 * The normalised discounted cumulative gain: gains over log2(1 + rank), over those of the best order; of all updates.
 * (Jarvelin and Kekalainen 2002.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { NDCG } from '@nn/metrics';
 * const metric = new NDCG();
 * metric.update(tensor([0.9, 0.8, 0.7]), tensor([0, 1, 1]), tensor([7, 7, 7]));
 * console.log((await metric.read()).epoch.toFixed(4)); // => 0.6934
 */
export class NDCG extends RetrievalMetric {
  static override readonly name: string = 'NDCG';

  constructor(options: NdcgOptions = {}) {
    checkChoices('NDCG', options, { gain: ['linear', 'exponential'] });
    const { k, gain } = options;
    const total = (ranked: readonly number[]): number =>
      ranked
        .slice(0, k)
        .reduce(
          (sum, relevance, at) => sum + (gain === 'exponential' ? 2 ** relevance - 1 : relevance) / Math.log2(at + 2),
          0,
        );
    super('ndcg', (ranked) => total(ranked) / total([...ranked].sort((a, b) => b - a)), options, ['k', 'gain']);
  }
}

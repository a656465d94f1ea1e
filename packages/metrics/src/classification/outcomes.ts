/** True and false positives and negatives of each class, as they are counted: no formula. */
import { checkOptions } from '@nn/core';
import { CountMetric, type Counts } from './counts.ts';
import { predictionOptions } from './labels.ts';
import type { MarkOptions } from './marks.ts';

/** How often each class was found, missed, and taken for another. */
export interface Outcomes {
  readonly truePositives: number[];
  readonly falsePositives: number[];
  readonly trueNegatives: number[];
  readonly falseNegatives: number[];
  /** Occurrences in the targets. */
  readonly support: number[];
}

/**
 * True and false positives and negatives of each class, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { OutcomeCounts } from '@nn/metrics';
 * const metric = new OutcomeCounts({ from: 'probabilities' });
 * metric.update(tensor([0.9, 0.8, 0.1]), tensor([1, 0, 0]));
 * console.log((await metric.read()).epoch.falsePositives); // => [ 1 ]
 */
export class OutcomeCounts extends CountMetric<Outcomes> {
  static override readonly name: string = 'OutcomeCounts';

  constructor(options: MarkOptions = {}) {
    checkOptions('OutcomeCounts', options, [...predictionOptions, 'soft']);
    super('outcomes', options, undefined, null);
  }

  protected override valueFrom([hits, predicted, actual, total]: Counts<number[]>): Outcomes {
    const less = (all: readonly number[], some: readonly number[]): number[] => all.map((count, c) => count - some[c]!);
    const falsePositives = less(predicted, hits);
    return {
      truePositives: hits,
      falsePositives,
      trueNegatives: less(less(total, actual), falsePositives),
      falseNegatives: less(actual, hits),
      support: actual,
    };
  }
}

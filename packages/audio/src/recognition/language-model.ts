/** How likely labels follow others: what decoding asks of a language model, and one that counts (Witten and Bell 1991). */
import { checkOptions, ValueError } from '@nn/core';

/** What `ctcBeamDecode` asks. One of your own may be a network, or words of a dictionary. */
export interface LabelModel {
  /** log p(label | labels before it). */
  score(before: readonly number[], label: number): number;
  /** log p(nothing follows | labels). */
  end?(labels: readonly number[]): number;
}

/** The sign for the end, which no label is. */
const end = -1;

interface Count {
  total: number;
  readonly next: Map<number, number>;
}

/**
 * Counts of label n-grams, smoothed by Witten and Bell: p(w | h) = (c(h w) + t(h) p(w | shorter h)) / (c(h) + t(h)), t the number of different labels behind h. All probabilities are above 0,
 * and those behind each history sum to 1, the end among them.
 *
 * @example
 * import { NGramModel } from '@nn/audio';
 * const model = new NGramModel({ labels: [1, 2, 3], order: 2 });
 * model.count([1, 2, 1, 2]);
 * console.log(model.score([1], 2) > model.score([1], 3), model.perplexity([[1, 2, 1, 2]]) < 4); // => true true
 */
export class NGramModel implements LabelModel {
  readonly order: number;
  readonly labels: readonly number[];
  readonly #counts = new Map<string, Count>();

  constructor(options: { readonly labels: readonly number[]; readonly order?: number }) {
    checkOptions('NGramModel', options, ['labels', 'order']);
    const { labels, order = 3 } = options;
    if (!Number.isInteger(order) || order < 1) {
      throw new ValueError('NGramModel', `order is ${order}: it must be a whole number from 1.`, { order });
    }
    if (labels.length === 0 || labels.some((label) => !Number.isInteger(label) || label < 0)) {
      throw new ValueError('NGramModel', 'labels must be whole numbers from 0, one or more.');
    }
    [this.labels, this.order] = [labels, order];
  }

  /** Counts a sequence and its end. */
  count(sequence: readonly number[]): void {
    const whole = [...sequence, end];
    whole.forEach((label, i) => {
      if (label !== end && !this.labels.includes(label)) {
        throw new ValueError('NGramModel', `label ${label} is none of the ${this.labels.length} that it knows.`, {
          label,
        });
      }
      for (let from = i; from >= Math.max(0, i - this.order + 1); from--) {
        const key = whole.slice(from, i).join();
        const at = this.#counts.get(key) ?? { total: 0, next: new Map<number, number>() };
        this.#counts.set(key, at);
        at.total++;
        at.next.set(label, (at.next.get(label) ?? 0) + 1);
      }
    });
  }

  score(before: readonly number[], label: number): number {
    return Math.log(this.#probability(before, label));
  }

  end(labels: readonly number[]): number {
    return Math.log(this.#probability(labels, end));
  }

  /** The exponential of the mean of -log p over labels and ends. */
  perplexity(sequences: readonly (readonly number[])[]): number {
    let [sum, count] = [0, 0];
    for (const sequence of sequences) {
      sequence.forEach((label, i) => {
        sum -= this.score(sequence.slice(0, i), label);
      });
      sum -= this.end(sequence);
      count += sequence.length + 1;
    }
    return Math.exp(sum / count);
  }

  #probability(before: readonly number[], label: number): number {
    let probability = 1 / (this.labels.length + 1);
    for (let length = 0; length < this.order && length <= before.length; length++) {
      const history = this.#counts.get(before.slice(before.length - length).join());
      if (!history) continue;
      const kinds = history.next.size;
      probability = ((history.next.get(label) ?? 0) + kinds * probability) / (history.total + kinds);
    }
    return probability;
  }
}

/**
 * Moments of a training to go back to: checkpoints in memory, thinned as they grow many, each of which brings network,
 * optimizer, data and random numbers back bit for bit. What a moment holds is session.ts.
 */
import type { Spec } from '../model/spec.ts';

export interface Moment {
  readonly step: number;
  readonly bytes: Uint8Array;
  /** The settings then: they may have been changed since. */
  readonly spec: Spec;
}

const mostMoments = 80;
const mostBytes = 96 * 2 ** 20;

export class Timeline {
  #moments: Moment[] = [];
  /** Steps between two moments; doubled when there are too many. */
  #gap = 1;

  get steps(): number[] {
    return this.#moments.map(({ step }) => step);
  }

  isDue(step: number): boolean {
    const last = this.#moments.at(-1)?.step;
    return last === undefined || step >= last + this.#gap;
  }

  keep(moment: Moment): void {
    this.#moments.push(moment);
    const size = (): number => this.#moments.reduce((sum, { bytes }) => sum + bytes.length, 0);
    while (this.#moments.length > 2 && (this.#moments.length > mostMoments || size() > mostBytes)) {
      this.#gap *= 2;
      // the start and the newest stay
      this.#moments = this.#moments.filter((_, i, { length }) => i % 2 === 0 || i === length - 1);
    }
  }

  /** The last moment that is not after a step. */
  before(step: number): Moment | undefined {
    return this.#moments.findLast((moment) => moment.step <= step);
  }

  /** What came after a step did not come to pass. */
  cutAfter(step: number): void {
    this.#moments = this.#moments.filter((moment) => moment.step <= step);
  }

  clear(): void {
    this.#moments = [];
    this.#gap = 1;
  }
}

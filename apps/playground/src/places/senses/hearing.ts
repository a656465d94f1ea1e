/**
 * From opinions about one second after the other to words: an opinion is a mean that forgets, and a word was said where it stayed
 * sure for a few opinions. The same word again needs a moment of something else.
 */
const memory = 0.5;
const sure = 0.7;
/** Opinions for which it stays sure, a tenth of a second apart. */
const wanted = 2;

export class Hearing {
  /** Classes that are no word. */
  readonly #silent: ReadonlySet<number>;
  #shares: Float32Array | null = null;
  #best = -1;
  #count = 0;
  #isSaid = false;

  constructor(silent: readonly number[]) {
    this.#silent = new Set(silent);
  }

  /** The mean opinion. */
  get shares(): Float32Array | null {
    return this.#shares;
  }

  /** Takes the next opinion, a tenth of a second after the one before; tells the class that was heard with it, or null. */
  push(shares: Float32Array): number | null {
    const before = this.#shares;
    const mean =
      before === null ? shares.slice() : shares.map((share, i) => memory * (before[i] ?? 0) + (1 - memory) * share);
    this.#shares = mean;
    const best = mean.indexOf(Math.max(...mean));
    if (best !== this.#best || (mean[best] ?? 0) < sure) {
      if (best !== this.#best) this.#isSaid = false;
      [this.#best, this.#count] = [best, 0];
    }
    if ((mean[best] ?? 0) >= sure) this.#count++;
    if (this.#isSaid || this.#count < wanted || this.#silent.has(best)) return null;
    this.#isSaid = true;
    return best;
  }
}

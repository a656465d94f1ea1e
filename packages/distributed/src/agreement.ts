/**
 * What ranks have to agree on beside their numbers: whether to stop, and how each one's random numbers go on in a run that
 * other processes take up.
 */
import { randomState, setRandomState } from '@nn/core';
import type { Group } from './group.ts';

export class Agreement<Wish extends string> {
  static readonly name: string = 'Agreement';

  readonly #group: Group;
  readonly #wishes: readonly Wish[];
  /** Seed and counter of each rank's random numbers, as of the last meeting. */
  #random: readonly (readonly number[])[] = [];
  #isLoaded = false;
  /** What all do; null while nobody has a wish. */
  ending: Wish | null = null;

  /** `wishes`: what a rank may want, the strongest last. */
  constructor(group: Group, wishes: readonly Wish[]) {
    [this.#group, this.#wishes] = [group, wishes];
  }

  /** All ranks say what they want; the strongest wish counts. */
  async meet(wish: Wish | null): Promise<void> {
    if (this.#isLoaded) this.#restore();
    const { seed, counter } = randomState();
    const own = wish === null ? -1 : this.#wishes.indexOf(wish);
    const all = await this.#group.allGather(Int32Array.of(own, seed, counter));
    const rows = Array.from({ length: this.#group.size }, (_, rank) => all.subarray(3 * rank, 3 * rank + 3));
    this.ending = this.#wishes[Math.max(...rows.map(([strength]) => strength!))] ?? null;
    this.#random = rows.map(([, ...random]) => [...random]);
  }

  /** Each rank goes on with its own numbers; one that was not there before with those of rank 0, from a seed of its own. */
  #restore(): void {
    this.#isLoaded = false;
    const { rank } = this.#group;
    const [seed, counter] = this.#random[rank] ?? this.#random[0]!;
    setRandomState({ seed: (seed! + (this.#random[rank] === undefined ? rank : 0)) | 0, counter: counter! });
  }

  hostState(): unknown {
    return this.#random;
  }

  /** Takes over what `hostState` gave; ignores the state of a run without ranks. */
  loadHostState(state: unknown): void {
    const isRandom = (row: unknown): row is number[] =>
      Array.isArray(row) && row.length === 2 && row.every((word) => (word | 0) === word);
    if (!Array.isArray(state) || state.length === 0 || !state.every(isRandom)) return;
    this.#random = state;
    this.#isLoaded = true;
  }
}

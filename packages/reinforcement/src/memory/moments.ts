/** Mean and variance of what streams by. */
import { FormatError, type Stateful, ValueError } from '@nn/core';

/**
 * The running mean and variance of vectors, each number on its own, by the parallel formula of Chan, Golub and LeVeque (1979):
 *
 *     M <- M + M_new + (mean_new - mean)^2 n m / (n + m),   variance = M / n
 *
 * @example
 * import { RunningMoments } from '@nn/reinforcement';
 * const moments = new RunningMoments(1);
 * for (const x of [1, 2, 3]) moments.update([x]);
 * console.log(moments.mean[0], moments.variance(0).toFixed(3)); // => 2 0.667
 */
export class RunningMoments implements Stateful {
  readonly mean: Float64Array;
  readonly #squares: Float64Array;
  #count = 0;

  constructor(size: number) {
    if (!Number.isInteger(size) || size < 1) {
      throw new ValueError('RunningMoments', `size ${size} is not an integer of 1 and more.`, { size });
    }
    this.mean = new Float64Array(size);
    this.#squares = new Float64Array(size);
  }

  /** Vectors seen. */
  get count(): number {
    return this.#count;
  }

  update(values: ArrayLike<number>): void {
    this.#count++;
    for (let i = 0; i < this.mean.length; i++) {
      const difference = values[i]! - this.mean[i]!;
      this.mean[i]! += difference / this.#count;
      this.#squares[i]! += difference * (values[i]! - this.mean[i]!);
    }
  }

  /** Of number i; 1 before two vectors were seen. */
  variance(i: number): number {
    return this.#count < 2 ? 1 : this.#squares[i]! / this.#count;
  }

  hostState(): unknown {
    return { count: this.#count, mean: [...this.mean], squares: [...this.#squares] };
  }

  loadHostState(state: unknown): void {
    const { count, mean, squares } = (state ?? {}) as Record<string, unknown>;
    const fits = (list: unknown): list is number[] => Array.isArray(list) && list.length === this.mean.length;
    if (!Number.isInteger(count) || !fits(mean) || !fits(squares)) {
      throw new FormatError(
        'RunningMoments',
        `a state has count, and mean and squares of ${this.mean.length} numbers.`,
      );
    }
    this.#count = count as number;
    this.mean.set(mean);
    this.#squares.set(squares);
  }
}

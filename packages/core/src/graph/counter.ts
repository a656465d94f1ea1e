/**
 * A count on the host that goes with a program: how many losses were kept, how many samples a metric has seen. A program reads
 * it as a number, and a compiled function moves it on with each run, without a call for it: the smallest steps take a
 * microsecond. Owns the count and its bound.
 */
import type { NumberSource } from './node.ts';
import { recordGrowth } from './recorder.ts';

/**
 * A whole number that grows, and is taken back where the function that is being compiled throws or its program fails. Read as a
 * number in operations, it is read anew on each run: what it was before this run made it grow, where that was asked for first.
 *
 * @example
 * import { compile, Counter, type Tensor, tensor } from '@nn/core';
 * const calls = new Counter();
 * const numbered = compile((x: Tensor) => {
 *   const y = x.add(calls);
 *   calls.grow(1);
 *   return y;
 * });
 * for (let k = 0; k < 3; k++) await numbered(tensor([0]));
 * console.log(await (await numbered(tensor([0]))).item(), calls.value); // => 3 4
 */
export class Counter implements NumberSource {
  value = 0;
  readonly #bound: number;
  readonly #beyond: (next: number) => void;

  /** `beyond` is asked before the counter grows past `bound`, with the value that it would have: it throws where it may not. */
  constructor(bound: number = Number.POSITIVE_INFINITY, beyond: (next: number) => void = () => {}) {
    this.#bound = bound;
    this.#beyond = beyond;
  }

  /** The value, as operations read it. */
  read(): number {
    return this.value;
  }

  /** Adds to the value, now and each time that the function which is being compiled runs. */
  grow(by: number): void {
    this.move(by);
    recordGrowth(this, by);
  }

  /** @internal Adds to the value once. */
  move(by: number): void {
    const next = this.value + by;
    if (next > this.#bound) this.#beyond(next);
    this.value = next;
  }
}

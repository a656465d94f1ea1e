/** What a way of sending less than the gradients has to give. */
import type { Bucket } from '../buckets.ts';
import type { Group } from '../group.ts';

export interface Compression {
  /** About the sum of all ranks' values, the same on all; may use `values` as it likes. */
  reduce(
    values: Float32Array,
    place: { readonly group: Group; readonly bucket: Bucket; readonly index: number },
  ): Promise<Float32Array>;
}

/** For each bucket what was not sent, which the next step adds: nothing is lost, it comes later. (Karimireddy et al., 2019.) */
export class Feedback {
  readonly #left = new Map<number, Float32Array>();

  /** Adds what was left of the step before. */
  add(index: number, values: Float32Array): void {
    const left = this.#left.get(index);
    if (left !== undefined) for (let at = 0; at < values.length; at++) values[at] = values[at]! + left[at]!;
  }

  keep(index: number, left: Float32Array): void {
    this.#left.set(index, left);
  }
}

/**
 * The gradients of a loss in a few flat arrays on the device, which are the same memory in every step. Owns how they come there
 * and from there to the host, once; where they go is data-parallel.ts.
 */
import { gradientsOrNull, type Parameter, parameter, replace, type Tensor, warnOfUnclaimed } from '@nn/core';
import { type Bucket, bucketsOf, packed } from './buckets.ts';

/** A loss, and for each parameter whether the loss has a gradient for it. */
export interface Found {
  readonly loss: Tensor | null;
  readonly present: readonly boolean[];
}

export class FlatGradients {
  readonly buckets: readonly Bucket[];
  readonly #parameters: readonly Parameter[];
  /** As parameters, so that each step writes where the one before did, and reading leaves no copy behind. */
  #memory: readonly Parameter[] = [];
  /** What `find` found and `compute` has not yet computed. */
  #found: readonly Tensor[] = [];
  #lookedAt = 0;

  constructor(parameters: readonly Parameter[], bucketBytes: number) {
    this.#parameters = parameters;
    this.buckets = bucketsOf(parameters, bucketBytes);
  }

  /** The gradients of a loss, to be computed. */
  find(loss: Tensor): Found & { readonly loss: Tensor } {
    const parameters = this.#parameters;
    this.#lookedAt = warnOfUnclaimed(loss, this.#lookedAt);
    const positions = [...parameters.keys()].filter((position) => parameters[position]!.trainable);
    const found = gradientsOrNull(
      loss,
      positions.map((position) => parameters[position]!),
    );
    const gradients: (Tensor | null)[] = parameters.map(() => null);
    positions.forEach((position, at) => {
      gradients[position] = found[at] ?? null;
    });
    this.#found = this.buckets.map((bucket) => packed(bucket, gradients));
    return { loss, present: gradients.map((gradient) => gradient !== null) };
  }

  /** One program: what was found last, the loss, and what else is asked for. */
  compute(loss: Tensor | null = null, also: readonly Tensor[] = []): Promise<void> {
    const found = this.#found;
    this.#found = [];
    if (found.length === 0 && also.length === 0) return Promise.resolve(); // a compiled program has computed them
    const memory = this.#memoryHere();
    const updates = found.map((values, at) => [memory[at]!, values] as const);
    return replace(updates, loss === null ? also : [loss, ...also]);
  }

  /** The gradients of a bucket: an array that is the caller's own. */
  read(at: number): Promise<Float32Array> {
    return this.#memory[at]!.data('float32');
  }

  /** Made at the first step, and anew where the model has moved to another device. */
  #memoryHere(): readonly Parameter[] {
    const home = this.#parameters[0]?.backend ?? null;
    const [first] = this.#memory;
    const isElsewhere = first !== undefined && first.backend !== null && first.backend !== home;
    if (first === undefined || isElsewhere) {
      this.#memory = this.buckets.map(({ length }) =>
        parameter(new Float32Array(length), { shape: [length], buffer: true }),
      );
    }
    return this.#memory;
  }
}

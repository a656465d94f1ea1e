/**
 * Gradients as they travel: the values of many parameters one after the other in a few flat arrays of float32. Owns which
 * parameter lies where; what is done with the arrays is the optimizer's.
 */
import { concat, type Parameter, type Shape, type Tensor, zeros } from '@nn/core';

/** A run of parameters that travel together. */
export interface Bucket {
  /** Positions among all parameters, and where each begins. */
  readonly members: readonly { readonly position: number; readonly start: number; readonly shape: Shape }[];
  readonly length: number;
}

/**
 * Cuts parameters into buckets of about `bytes`, the last parameters first: their gradients are the first that are known.
 * A parameter is never cut.
 */
export function bucketsOf(parameters: readonly Parameter[], bytes: number): Bucket[] {
  const buckets: { members: { position: number; start: number; shape: Shape }[]; length: number }[] = [];
  for (const position of [...parameters.keys()].reverse()) {
    const { shape, size } = parameters[position]!;
    let last = buckets.at(-1);
    if (last === undefined || (last.length > 0 && 4 * (last.length + size) > bytes)) {
      last = { members: [], length: 0 };
      buckets.push(last);
    }
    last.members.push({ position, start: last.length, shape });
    last.length += size;
  }
  return buckets;
}

/** The gradients of a bucket as one flat tensor; zeros where there is none. */
export function packed(bucket: Bucket, gradients: readonly (Tensor | null)[]): Tensor {
  const parts = bucket.members.map(({ position, shape }) => {
    const size = sizeOf(shape);
    return gradients[position]?.reshape([size]).cast('float32') ?? zeros([size]);
  });
  return parts.length === 1 ? parts[0]! : concat(parts, 0);
}

/** The gradients of a bucket again, by position. */
export function unpacked(bucket: Bucket, flat: Tensor): [position: number, gradient: Tensor][] {
  return bucket.members.map(({ position, start, shape }) => [
    position,
    flat.at([start, start + sizeOf(shape)]).reshape(shape),
  ]);
}

export function sizeOf(shape: Shape): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

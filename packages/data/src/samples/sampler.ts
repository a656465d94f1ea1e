/**
 * What chooses the samples of an epoch: the interface between the loader and the samplers of `sampling/`. A plan is a pure
 * function of seed, epoch and batch size, so a checkpoint needs no list, and a resumed run, or another process, finds the same.
 */

/** The samples of one epoch. */
export interface EpochPlan {
  /** Which samples, in the order in which they are handed out; repeats are allowed. */
  readonly order: Int32Array;
  /** Where each batch ends in `order`, for a sampler that decides it; otherwise a batch has `batchSize` samples. */
  readonly ends?: Int32Array;
}

export interface Sampler {
  /** The number of samples in the dataset that it was made for. */
  readonly size: number;
  /** What it is and a digest of what it was made of, so that a checkpoint of another one is refused. */
  readonly signature: string;
  /** Whether it ends batches itself. */
  readonly endsBatches: boolean;
  plan(seed: number, epoch: number, batchSize: number): EpochPlan;
}

/** 32 bits that tell lists of numbers apart: FNV-1a (Fowler, Noll, Vo 1991) over the bytes of the doubles. */
export function digest(...lists: readonly ArrayLike<number>[]): string {
  let hash = 0x811c9dc5;
  for (const list of lists) {
    for (const byte of new Uint8Array(Float64Array.from(list).buffer)) hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, '0');
}

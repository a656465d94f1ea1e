/** Data as the loop sees it: batches in any iterable, how many samples each has, and several as one step. */
import { ValueError } from '@nn/core';

/** Batches: a `DataLoader`, an array, an object with an iterator. For several epochs it must be possible to walk it again. */
export type Batches<B> = Iterable<B> | AsyncIterable<B>;

/** How many samples a batch tells that it has; 1 where it tells nothing, so that all batches count the same. */
export function countOf(batch: unknown): number {
  const { count } = Object(batch) as { count?: unknown };
  return typeof count === 'number' && count >= 0 ? count : 1;
}

/** The number of batches in an epoch, where the data tells. */
export function lengthOf(data: object): number | null {
  const { length } = data as { length?: unknown };
  return typeof length === 'number' && Number.isInteger(length) ? length : null;
}

/** Batches in groups of `size`; the last one may have fewer. Ends between groups once the signal is aborted. */
export async function* grouped<B>(data: Batches<B>, size: number): AsyncGenerator<readonly B[], void> {
  let group: B[] = [];
  for await (const batch of data) {
    group.push(batch);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

/** Throws a ValueError that names the option unless it is a whole number, 1 or more. */
export function checkCount(option: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new ValueError('Training', `${option} is ${value}: it is a whole number, 1 or more.`, { [option]: value });
}

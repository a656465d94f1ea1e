/** Data as the loop sees it: batches in any iterable, how many samples each has, and several as one step. */
import { type AbortSignalLike, untilAborted, ValueError } from '@nn/core';

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

/** The same batches. Once the signal is aborted, asking for one and waiting for one end with its reason. */
export function untilSignal<B>(data: Batches<B>, signal: AbortSignalLike | undefined): Batches<B> {
  return signal === undefined ? data : watched(data, signal);
}

async function* watched<B>(data: Batches<B>, signal: AbortSignalLike): AsyncGenerator<B, void> {
  const iterator = Symbol.asyncIterator in data ? data[Symbol.asyncIterator]() : data[Symbol.iterator]();
  let isOver = false;
  try {
    for (;;) {
      signal.throwIfAborted();
      const { done, value } = await untilAborted(Promise.resolve(iterator.next()), signal);
      isOver = done === true;
      if (done === true) return;
      yield value;
    }
  } finally {
    // not waited for: a generator that hangs at its next batch would end never
    if (!isOver) Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}

/** Batches in groups of `size`; the last one may have fewer. Throws the signal's reason where it is aborted meanwhile. */
export async function* grouped<B>(
  data: Batches<B>,
  size: number,
  signal?: AbortSignalLike,
): AsyncGenerator<readonly B[], void> {
  let group: B[] = [];
  for await (const batch of untilSignal(data, signal)) {
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
